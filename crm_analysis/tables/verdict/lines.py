"""
A verdict as plain text, for a terminal: errors first, and what to do next.

What is counted belongs in :mod:`crm_analysis.tables.verdict.check`.
"""

from __future__ import annotations

from crm_analysis.tables.quality.masking import printable
from crm_analysis.tables.verdict.check import Judged, Verdict

_GROUPS = ("Errors that cleaning leaves", "Warnings", "Settled by cleaning")


def verdict_lines(verdict: Verdict) -> list[str]:
    """
    Return a verdict as plain text: the tables, what is wrong with the worst first, and what to do next.

    Parameters
    ----------
    verdict : Verdict
        What the check found.

    Returns
    -------
    list of str
        Lines without control characters.
    """
    blocks = [
        [_headline(verdict)],
        [*verdict.source_errors, *verdict.empty_tables],
        _aligned(_table_cells(verdict)),
        *(_finding_lines(verdict, heading) for heading in _GROUPS),
        _ledger_lines(verdict),
        _next_lines(verdict),
    ]
    lines = [line for block in blocks if block for line in [*block, ""]]
    return [printable(line) for line in lines[:-1]]


def _headline(verdict: Verdict) -> str:
    warnings = sum(judged.finding.severity == "warning" and judged.left > 0 for judged in verdict.findings)
    faults = len(verdict.errors) + len(verdict.empty_tables) + len(verdict.source_errors)
    day = f" as of {verdict.as_of}" if verdict.as_of else ""
    return f"Dataset {verdict.dataset}{day}: {_number(faults, 'error')}, {_number(warnings, 'warning')} after cleaning"


def _table_cells(verdict: Verdict) -> list[list[str]]:
    if verdict.tables.empty:
        return []
    cells = [["table", "rows", "after cleaning", "score", "errors", "warnings"]]
    for line in verdict.tables.itertuples(index=False):
        counts = [f"{line.rows:,}", f"{line.rows_after:,}", f"{line.score:.3f}", str(line.errors), str(line.warnings)]
        cells.append([str(line.table), *counts])
    return cells


def _finding_lines(verdict: Verdict, heading: str) -> list[str]:
    """Return the findings of one group; what cleaning settles takes one line each."""
    found = [judged for judged in verdict.findings if _group(judged) == heading]
    found.sort(key=lambda judged: -judged.finding.share)
    lines = [line for judged in found for line in _told(judged)]
    return [heading, *lines] if lines else []


def _group(judged: Judged) -> str:
    if not judged.left:
        return _GROUPS[2]
    return _GROUPS[0] if judged.finding.severity == "error" else _GROUPS[1]


def _told(judged: Judged) -> list[str]:
    finding, left = judged
    line = f"  {finding.fault}"
    if not finding.count:
        line += " (brought about by cleaning)"
    else:
        line += f" ({_percent(finding.share)})" + (f", {left:,} left" if 0 < left != finding.count else "")
    if not left:
        return [line]
    examples = [f"    such as {', '.join(finding.examples)}"] if finding.examples else []
    return [line, f"    {finding.meaning}", *examples, f"    → {finding.advice}"]


def _ledger_lines(verdict: Verdict) -> list[str]:
    """Return what the cleaning rules did, by the counts that their ledger has."""
    counts = [name for name in ("rows_before", "rows_dropped", "rows_changed", "rows_after") if name in verdict.ledger]
    if verdict.ledger.empty:
        return []
    cells = [["table", "rule", *(name.removeprefix("rows_") for name in counts)]]
    cells.extend(
        [str(line["table"]), str(line["rule"]), *(f"{line[name]:,}" for name in counts)]
        for line in verdict.ledger.to_dict("records")
    )
    return ["Cleaning (rows)", *_aligned(cells, texts=2)]


def _next_lines(verdict: Verdict) -> list[str]:
    if verdict.source_errors:
        return ["Next: make the tables readable that are named above, then check again."]
    if verdict.errors or verdict.empty_tables:
        return ["Next: follow the arrows under the errors, then check again; reports are not made before."]
    left = " once the warnings are judged" if any(judged.left for judged in verdict.findings) else ""
    name = verdict.dataset
    wanted = f"State those wanted in params/{name}.yaml (dataset: {name}; reports: …), then: crm-analysis run {name}"
    return [f"Next: nothing stands in the way of reports{left}. {wanted}"]


def _aligned(cells: list[list[str]], *, texts: int = 1) -> list[str]:
    """Return a table as lines: the first columns to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if at < texts else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]


def _percent(share: float) -> str:
    return "under 0.1 %" if 0 < share < 0.001 else f"{100 * share:.1f} %"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
