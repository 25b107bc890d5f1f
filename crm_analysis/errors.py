"""
The error tree: everything that can go wrong with a user's data, parameters or run.

::

    CRMAnalysisError                exit code 1
    ├── ParamsError (ValueError)    2   a suite, an option, a parameter or a dataset file
    ├── SourceError                 3   data missing, unreadable or unreachable
    │   └── SourceSchemaError       3   a table lacks a required column
    ├── DataQualityError            4   faults left after cleaning
    │   └── EmptyTableError         4   a table without rows as of the day
    ├── ModelError                  5   a model cannot be fitted, saved, loaded or applied
    │   └── TooFewRecordsError      5   not enough customers, cases or history for the question
    └── ReportError                 6   a report failed in its notebook

A message says what is wrong with count and value, where, and what to do next. Coding mistakes stay plain
``ValueError`` or ``TypeError``; they do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

MAX_EXAMPLES = 5


class CRMAnalysisError(Exception):
    """
    Root of the package's errors.

    Parameters
    ----------
    message : str
        What is wrong, where, and what to do next.
    faults : sequence of str, optional
        Every single fault; the message shows at most five of them.

    Attributes
    ----------
    exit_code : int
        What the command line exits with.
    faults : tuple of str
        The whole list.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, faults: Sequence[str] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(message)


class ParamsError(CRMAnalysisError, ValueError):
    """A suite, an option, a parameter or a dataset file is wrong."""

    exit_code = 2


class SourceError(CRMAnalysisError):
    """Data are missing, unreadable or unreachable."""

    exit_code = 3


class SourceSchemaError(SourceError):
    """A table lacks a column that it must have."""


class DataQualityError(CRMAnalysisError):
    """A table is empty, or breaks its contract after cleaning."""

    exit_code = 4


class EmptyTableError(DataQualityError):
    """A table has no rows as of the day, or none after cleaning."""


class ModelError(CRMAnalysisError):
    """A model cannot be fitted, saved, loaded or applied."""

    exit_code = 5


class TooFewRecordsError(ModelError):
    """There are not enough records to answer the question honestly."""


class ReportError(CRMAnalysisError):
    """A report failed in its notebook."""

    exit_code = 6


def listed(faults: Sequence[str]) -> str:
    """
    Return faults as an indented list for a message, at most five of them.

    Parameters
    ----------
    faults : sequence of str
        One line each.

    Returns
    -------
    str
        A line per fault, and how many more there are.

    Examples
    --------
    >>> print(listed(["column 'a' is missing", "column 'b' is missing"]))
      - column 'a' is missing
      - column 'b' is missing
    """
    lines = [f"  - {fault}" for fault in faults[:MAX_EXAMPLES]]
    if len(faults) > MAX_EXAMPLES:
        lines.append(f"  … and {len(faults) - MAX_EXAMPLES} more")
    return "\n".join(lines)
