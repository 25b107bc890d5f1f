"""The three reports of the demonstration, from suite to published folder, one after another and side by side."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from crm_analysis.reporting.build import RunOptions, run_suite
from crm_analysis.reporting.suites import read_suite


def seconds(jobs: int) -> float:
    """Return how long the whole run takes."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        run_suite(read_suite("demo"), RunOptions(out=Path(out), jobs=jobs))
    return time.perf_counter() - started


def figures() -> list[tuple[str, ...]]:
    """Return the table: seconds by reports at a time."""
    cores = os.cpu_count() or 1
    alone = seconds(1)
    beside = seconds(cores)
    return [
        ("reports at a time", "seconds", "one at a time ÷ this"),
        ("1", f"{alone:.1f}", "1.0"),
        (str(cores), f"{beside:.1f}", f"{alone / beside:.2f}"),
    ]
