"""Seconds and peak memory of a function, in a process of its own so that one does not warm up for the next."""

from __future__ import annotations

import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def measured(function: Callable[..., Any], *arguments: Any, repeats: int = 3) -> tuple[float, float]:
    """Return the median of the seconds, and the highest peak of resident memory in MB."""
    runs = [_one(function, arguments) for _ in range(repeats)]
    return statistics.median(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def _one(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[float, float]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, function, arguments))
    child.start()
    result: tuple[float, float] = ours.recv()
    child.join()
    return result


def _child(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    started = time.perf_counter()
    function(*arguments)
    seconds = time.perf_counter() - started
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())  # getrusage would tell the parent's
    pipe.send((seconds, int(peak[1]) / 1024 if peak else float("nan")))
