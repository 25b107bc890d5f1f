"""
How a dataset file names files: by one pattern where it fits them exactly, relative to its folder where that is possible.

How such names are read belongs in :mod:`crm_analysis.tables.dataset_file`.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from crm_analysis.errors import ParamsError
from crm_analysis.tables.workspace import project_root


def file_patterns(files: Sequence[Path], *, folder: Path) -> list[str]:
    """
    Return what ``files:`` says.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Existing files.
    folder : pathlib.Path
        The folder of the dataset file.

    Returns
    -------
    list of str
        A pattern that matches these files and no other, or a name each.
    """
    found = [file.parent.resolve() / file.name for file in files]  # a link keeps the name that it was given
    pattern = _pattern(found)
    names = [(found[0].parent, pattern)] if pattern else [(file.parent, glob.escape(file.name)) for file in found]
    return [_place(parent, name, folder) for parent, name in names]


def _pattern(files: Sequence[Path]) -> str | None:
    """Return a name with a star that stands for these files, if there is one."""
    if len(files) < 2 or len({file.parent for file in files}) > 1:
        return None
    names = [file.name for file in files]
    start = _common_start(names)
    end = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    pattern = f"{glob.escape(start)}*{glob.escape(end)}"
    return pattern if len(start) > 1 and set(files[0].parent.glob(pattern)) == set(files) else None


def _common_start(names: Sequence[str]) -> str:
    shortest = min(names, key=len)
    alike = (place for place, char in enumerate(shortest) if any(name[place] != char for name in names))
    return shortest[: next(alike, len(shortest))]


def _place(parent: Path, name: str, folder: Path) -> str:
    """Return where a file is: beside the dataset file, in the workspace's data, near by, or from the top."""
    if "${" in f"{parent}/{name}":
        raise ParamsError(f"The path of {name} holds '${{', which a dataset file reads as a variable. Rename it.")
    data = _data_folder()
    if data and parent.is_relative_to(data):
        return (Path("data") / parent.relative_to(data) / name).as_posix()
    if _are_near(parent, folder):
        relative = Path(os.path.relpath(parent, folder), name).as_posix()
        return f"./{relative}" if relative.startswith("data/") else relative  # data/… alone would be the workspace's
    home = Path.home()
    if parent.is_relative_to(home) and os.environ.get("HOME") == str(home):
        return f"${{HOME}}/{Path(parent.relative_to(home), name).as_posix()}"
    return (parent / name).as_posix()


def _data_folder() -> Path | None:
    try:
        return project_root() / "data"
    except ParamsError:
        return None


def _are_near(parent: Path, folder: Path) -> bool:
    """Say whether two folders share more than the disk's first level, or one's home."""
    shared = Path(os.path.commonpath([parent, folder]))
    return len(shared.parts) > 2 or shared == Path.home() or parent == folder
