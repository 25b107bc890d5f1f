"""
Where things are: the project's root, dataset files and suite files by name.

What the files say belongs in :mod:`crm_analysis.tables.dataset_file` and :mod:`crm_analysis.reporting.suites`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from crm_analysis.errors import ParamsError

YAML_SUFFIXES = {".yaml", ".yml"}


def project_root() -> Path:
    """
    Return the folder that holds ``params/`` and ``notebooks/``.

    Returns
    -------
    pathlib.Path
        ``$CRM_HOME``, else the first such parent of the current folder.

    Raises
    ------
    ParamsError
        There is none.
    """
    home = os.environ.get("CRM_HOME")
    if home:
        root = Path(home).resolve()
        if not _is_root(root):
            raise ParamsError(
                f"$CRM_HOME is {home!r}, which holds no params/ and notebooks/. Point it at the workspace's folder."
            )
        return root
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if _is_root(folder):
            return folder
    raise ParamsError(
        "No workspace here: neither this folder nor a parent holds params/ and notebooks/. "
        "Change to the workspace's folder or set $CRM_HOME to it."
    )


def named_file(name: str, *, kind: str, beside: Path | None = None) -> Path:
    """
    Find a dataset file or a suite file by its name or path.

    Parameters
    ----------
    name : str
        A name, looked up in the workspace, or a path to a YAML file.
    kind : {"dataset", "suite"}
        What to look for.
    beside : pathlib.Path, optional
        The folder where a relative path starts; default: the current folder.

    Returns
    -------
    pathlib.Path
        An existing file.

    Raises
    ------
    ParamsError
        There is no such file; the message names the nearest ones.
    """
    if Path(name).suffix in YAML_SUFFIXES or "/" in name:
        path = (beside or Path.cwd()) / name
        if path.is_file():
            return path.resolve()
        raise ParamsError(f"There is no {kind} file {name}. Give a name from params/ or a path to a YAML file.")
    folder = project_root() / "params" / ("datasets" if kind == "dataset" else "")
    path = folder / f"{name}.yaml"
    if path.is_file():
        return path
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    raise ParamsError(
        f"There is no {kind} {name!r}{did_you_mean(name, known)}. Known: {', '.join(known) or 'none'}. "
        f"Add {path.relative_to(folder.parent.parent if kind == 'dataset' else folder.parent)} or give a path to a YAML file."
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    Return a hint at the nearest known word, or nothing.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        ``" (did you mean 'seed'?)"`` or an empty text.

    Examples
    --------
    >>> did_you_mean("sed", ["seed", "as_of"])
    " (did you mean 'seed'?)"
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _is_root(folder: Path) -> bool:
    return (folder / "params").is_dir() and (folder / "notebooks").is_dir()
