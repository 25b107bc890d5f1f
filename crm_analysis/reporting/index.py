"""
The page of a run: what its manifest says, in words, with links to everything it wrote.

One report's own page belongs in ``html``; what the manifest holds belongs in ``run`` and ``suites``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from crm_analysis.reporting.files import file_stem
from crm_analysis.reporting.html import MISSING, day_text, render_page, write_page

N_HEADLINES = 8
ABBREVIATIONS = frozenset({"ari", "auc", "mae", "rmse", "sla", "wape", "csat", "svr"})


class Look(NamedTuple):
    """How a status is shown: never by colour alone."""

    tone: str
    icon: str
    words: str


LOOKS: Mapping[str, Look] = {
    "ok": Look("ok", "✓", "Finished"),
    "failed": Look("failed", "✗", "Failed"),
    "alert": Look("alert", "!", "Finished; a monitored limit was crossed"),
    "skipped": Look("plain", "–", "Skipped"),
}


def write_index(
    manifest: Mapping[str, Any],
    destination: Path,
    *,
    written: Mapping[str, int] | None = None,
    earlier: Sequence[str] = (),
) -> None:
    """
    Write the page of a run from its manifest.

    Parameters
    ----------
    manifest : mapping
        ``suite``, ``as_of``, ``status``, ``started_at``, ``seconds``, ``git_commit``, ``versions``, ``dataset`` and
        ``reports``, as in ``manifest.json``.
    destination : pathlib.Path
        The file to write. A report's page and notebook are linked where they lie beside it, so they come first.
    written : mapping, optional
        Path relative to the page to size in bytes, of each list, text and model that a person or a system acts on.
    earlier : sequence of str
        Folders of other runs beside this one's.
    """
    reports = manifest["reports"]
    look = LOOKS.get(manifest["status"], Look("plain", "•", manifest["status"]))
    html = render_page(
        "index.html.j2",
        title=f"{manifest['suite']} · {manifest['as_of']}",
        heading=f"Customer reports: {manifest['dataset']['name']}",
        manifest=manifest,
        look=look,
        summary=_summary([report["status"] for report in reports.values()], look),
        facts=_facts(manifest),
        cards=[_card(name, report, destination.parent) for name, report in reports.items()],
        rows={name: result_text(count) for name, count in manifest["dataset"].get("rows", {}).items()},
        files=[_file(path, size) for path, size in sorted((written or {}).items())],
        earlier=[{"name": name, "href": quote(f"../{name}/index.html")} for name in earlier],
        versions=manifest.get("versions") or {},
    )
    write_page(html, destination)


def result_text(value: object) -> str:
    """
    Return a recorded result as a reader sees it.

    Parameters
    ----------
    value : object
        As in the manifest: a number, a word, a flag or None.

    Returns
    -------
    str
        Whole numbers in full, others with three to four significant digits, never an exponent.

    Examples
    --------
    >>> [result_text(value) for value in (1234567, 1234.56, -12.345, 0.83418, 0.00001, None, "k_means")]
    ['1,234,567', '1,235', '−12.35', '0.834', '0.000', '–', 'k_means']
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    size = abs(value)
    decimals = 0 if isinstance(value, int) or size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:,.{decimals}f}".replace("-", "−")


def in_words(name: str) -> str:
    """
    Return the name of a recorded result in words.

    Parameters
    ----------
    name : str
        Such as ``n_segments`` or ``share.loyal_buyers``.

    Returns
    -------
    str
        Underscores become spaces, ``n_`` is a number of things, the field's abbreviations are upper case.

    Examples
    --------
    >>> [in_words(name) for name in ("n_rows.transactions", "share.loyal_buyers", "naive_spend_wape")]
    ['Number of rows: transactions', 'Share: loyal buyers', 'Naive spend WAPE']
    """
    words = name.removeprefix("n_").replace("_", " ").replace(".", ": ")
    spelt = [word.upper() if word in ABBREVIATIONS else word for word in words.split(" ")]
    text = ("number of " if name.startswith("n_") else "") + " ".join(spelt)
    return text[:1].upper() + text[1:]


def _summary(statuses: Sequence[str], look: Look) -> str:
    """Return how the run went, in a sentence."""
    n_failed = statuses.count("failed")
    count = "1 report" if len(statuses) == 1 else f"{len(statuses)} reports"
    if n_failed:
        return f"{n_failed} of {count} failed." + (" The others are complete." if n_failed < len(statuses) else "")
    return f"{count}. {look.words}."


def _facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a reader asks about a run as a whole."""
    dataset = manifest["dataset"]
    return {
        "Data": dataset["name"],
        "Known until": day_text(manifest["as_of"]),
        "Started": _moment(manifest.get("started_at")),
        "Took": _duration(manifest.get("seconds")),
        "Fingerprint of the data": str(dataset.get("digest") or MISSING)[:19],
        "Version of the code": str(manifest.get("git_commit") or MISSING)[:12],
    }


def _moment(started_at: str | None) -> str:
    """Return a point in time to the minute, with its zone."""
    if started_at is None:
        return MISSING
    moment = datetime.fromisoformat(started_at)
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z}".rstrip()


def _duration(seconds: float | None) -> str:
    """Return a length of time in words."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _card(identifier: str, report: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what the page shows of one report."""
    stem = file_stem(identifier)
    name, _, values = identifier.partition("@")
    results = [(key, in_words(key), result_text(value)) for key, value in (report.get("results") or {}).items()]
    error = report.get("error")
    return {
        "name": identifier,
        "title": name.replace("_", " ").capitalize(),
        "subtitle": values.replace("=", " = ").replace("@", ", "),
        "look": LOOKS.get(report["status"], Look("plain", "•", report["status"])),
        "seconds": _duration(report.get("seconds")),
        "page": _link(folder, f"{stem}.html"),
        "notebook": _link(folder, f"{stem}.ipynb"),
        "error": {key: error.get(key) for key in ("type", "message", "cell")} if error else None,
        "headline": results[:N_HEADLINES],
        "more": results[N_HEADLINES:],
    }


def _link(folder: Path, name: str) -> str | None:
    """Return the address of a file beside the page; a ``%`` in its name is quoted once more."""
    return quote(name, safe="@=") if (folder / name).exists() else None


def _file(path: str, size: int) -> dict[str, str]:
    """Return what the page shows of a file to act on."""
    return {"href": quote(path, safe="/@="), "name": path, "kilobytes": f"{max(size / 1000, 0.1):,.1f}"}
