"""
Features that are known only afterwards: found by what they mean, by their name, and by what the data show, and refused.

Outcomes and times of labels are the matter of :mod:`crm_analysis.models.service_quality.prediction.cases`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.errors import DataQualityError, listed
from crm_analysis.features.service import LEVELS, NUMBERS
from crm_analysis.models.service_quality.encoding import NOT_GIVEN, model_inputs
from crm_analysis.models.service_quality.prediction.classifiers import evenly_spread
from crm_analysis.models.service_quality.prediction.judgement import auc
from crm_analysis.models.service_quality.wording import ATTRIBUTES, ENDED, attribute_in_words

MAX_AUC = 0.98
SURELY_TOO_GOOD = 0.99  # of a model
MAX_CERTAINTY = 0.99
LARGE_PART = 0.1
NEARLY_CONSTANT = 0.999
MIN_CASES_COMPARED = 20
MIN_DIFFERENCE = 0.5  # between closed and open cases of the same days
MAX_CASES_LOOKED_AT = 50_000
N_FOLDS = 5
N_RANGES = 20

_MEANINGS = {
    "sla_met": "it says whether the target was met",
    "resolved_at": "it is the time of the resolution",
    "satisfaction": "it is the customer's answer after the resolution",
    "reassignments": "it counts what happens while a case is worked on",
    "reopens": "it counts what happens after the first resolution",
    "first_response_at": "it is the time of the first response, after the opening",
    **{name: f"it says whether cases {ended}" for name, ended in ENDED.items()},
}
_CLOSING = "closed close closing closure closer resolved resolve resolver resolution solved solution completed completion finished"
_ANSWER = "survey csat nps satisfaction feedback rating"
_COUNTING = "reopen reopens reopened reopening reassignment reassignments reassigned escalations modifications mod updates updated modified"
_WORDS = {
    **dict.fromkeys(_CLOSING.split(), "its name speaks of the end of a case"),
    **dict.fromkeys(_ANSWER.split(), "its name speaks of the customer's answer"),
    **dict.fromkeys(_COUNTING.split(), "its name speaks of what happens while a case is worked on"),
    **dict.fromkeys(["breach", "breached", "overdue"], "its name speaks of the target"),
}
_TARGETS = frozenset(("sla", "target", "deadline", "goal", "due"))
_KEPT = frozenset(("made", "met", "missed", "kept", "ok", "achieved", "failed", "hit", "within"))
_CASES = frozenset(("incident", "case", "ticket", "request", "issue"))
_STATES = frozenset(("state", "status", "stage", "active"))
_WHOLE_NAMES = frozenset(("status", "active", "stage"))
_TARGET_REASON, _STATE_REASON = (
    "its name speaks of the target",
    "its name speaks of the state of a case, which moves on",
)


class Finding(NamedTuple):
    """
    What was found about a feature.

    Attributes
    ----------
    attribute : str
        The column.
    check : str
        ``meaning``, ``name``, ``separation``, ``written later`` or ``constant``.
    figure : float
        What was measured; NaN where nothing was.
    reason : str
        In words, with the figure.
    is_refused : bool
        Whether nothing may be learnt from it.
    """

    attribute: str
    check: str
    figure: float
    reason: str
    is_refused: bool


def check_leakage(
    cases: pd.DataFrame,
    *,
    outcome: str,
    is_open: pd.Series | None = None,
    truth: pd.Series | None = None,
    known_at_opening: Sequence[str] = (),
) -> pd.DataFrame:
    """
    Look for features that are known only after a case has opened, and refuse them.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features, one row per case.
    outcome : str
        The outcome to be foreseen.
    is_open : pandas.Series of bool, optional
        Whether each case is still open in the data at hand, by ``case_id``.
    truth : pandas.Series, optional
        The outcome of the cases learnt from, 0 or 1, by ``case_id``.
    known_at_opening : sequence of str
        Columns that the caller vouches for: their names and their data are not held against them.

    Returns
    -------
    pandas.DataFrame
        ``attribute``, ``check``, ``figure``, ``reason``, ``is_refused``: what is to be told of features that may be learnt from.

    Raises
    ------
    DataQualityError
        Features are known only afterwards; all of them, each with its reason and figure.

    Notes
    -----
    Five checks. *Meaning*: a canonical column that is filled later. *Name*: words such as closed, survey, reopen, made_sla.
    *Separation*: the feature alone, its rates learnt in four fifths of the cases and applied to the other, tells the outcome with
    an area under the ROC curve of .98 or more, or one value with a tenth of the cases decides 99 % of them. *Written later*: of
    cases opened on the same days it is filled for closed ones and not for open ones, or is one and the same value for open ones
    only. *Constant*: 99.9 % of cases have one value; refused where the name speaks of the end. The features of
    :func:`~crm_analysis.features.service.case_features` are as of the opening; a level among them that separates too well is told,
    not refused.

    References
    ----------
    Kaufman, Rosset, Perlich, Stitelman (2012), "Leakage in data mining", ACM Transactions on Knowledge Discovery from Data 6(4).
    """
    findings = list(_findings(cases, is_open, truth, frozenset(known_at_opening)))
    faults = [f"{found.attribute}: {found.reason}" for found in findings if found.is_refused]
    if faults:
        first, n_columns = findings[0].attribute, len({found.attribute for found in findings if found.is_refused})
        what = "feature is" if n_columns == 1 else "features are"
        raise DataQualityError(
            f"{n_columns} {what} known only after a case has opened, and would tell {outcome} beforehand:\n{listed(faults)}\n"
            f"Leave {'it' if n_columns == 1 else 'them'} out of the extra columns. Where such a column does hold what was known at "
            f"the opening, name it in known_at_opening, such as [{first!r}].",
            faults=faults,
        )
    return pd.DataFrame(findings, columns=list(Finding._fields))


def suspicious_name(name: str) -> str:
    """
    Return why a column's name says that it is known only later.

    Parameters
    ----------
    name : str
        The source's own name.

    Returns
    -------
    str
        Empty where nothing speaks for it.

    Examples
    --------
    >>> suspicious_name("made_sla"), suspicious_name("closeCode"), suspicious_name("sla_target_hours")
    ('its name speaks of the target', 'its name speaks of the end of a case', '')
    """
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    found = set(words)
    if found & _TARGETS and found & _KEPT:
        return _TARGET_REASON
    if (found & _CASES and found & _STATES) or (len(words) == 1 and found & _WHOLE_NAMES):
        return _STATE_REASON
    return next((_WORDS[word] for word in words if word in _WORDS), "")


def _findings(
    cases: pd.DataFrame,
    is_open: pd.Series | None,
    truth: pd.Series | None,
    vouched: frozenset[str],
) -> Iterator[Finding]:
    """Every finding, the first that refuses a column ends its checks."""
    for name in (name for name in _MEANINGS if name in cases):
        yield Finding(name, "meaning", np.nan, f"{_MEANINGS[name]}, which is known only later", is_refused=True)
    inputs = model_inputs(cases.drop(columns=[name for name in _MEANINGS if name in cases]))
    for name in inputs.columns:
        values = inputs[name]
        is_own = name not in ATTRIBUTES and name not in {*LEVELS, *NUMBERS}
        if is_own and name not in vouched:
            found = _by_name(values) or _separates(values, truth) or _written_later(values, cases, is_open)
        elif name in LEVELS:
            told = _separates(values, truth)
            found = (
                told._replace(is_refused=False, reason=f"{told.reason}: make sure that it is as of the opening")
                if told
                else None
            )
        else:
            found = None
        found = found or (_constant(values) if is_own else None)
        if found:
            yield found


def _by_name(values: pd.Series) -> Finding | None:
    reason = suspicious_name(str(values.name))
    if not reason:
        return None
    share = _commonest(values)
    if share < NEARLY_CONSTANT:
        return Finding(str(values.name), "name", np.nan, reason, is_refused=True)
    constant = f"{reason}, and {share:.3%} of {len(values):,} cases have one value: it is filled before it is decided"
    return Finding(str(values.name), "constant", share, constant, is_refused=True)


def _constant(values: pd.Series) -> Finding | None:
    share = _commonest(values)
    if share < NEARLY_CONSTANT:
        return None
    reason = f"{share:.2%} of {len(values):,} cases have one value: nothing can be learnt from it"
    return Finding(str(values.name), "constant", share, reason, is_refused=False)


def _commonest(values: pd.Series) -> float:
    return float(values.value_counts(normalize=True, dropna=False).iloc[0]) if len(values) else 1.0


def _separates(values: pd.Series, truth: pd.Series | None) -> Finding | None:
    if truth is None or not len(truth):
        return None
    known = evenly_spread(
        pd.DataFrame({"value": _levels(values.reindex(truth.index)), "truth": truth}), MAX_CASES_LOOKED_AT
    )
    area = auc(known["truth"].to_numpy(dtype=float), _rates_elsewhere(known))
    name = str(values.name)
    if area >= MAX_AUC:
        return Finding(
            name,
            "separation",
            area,
            f"alone it tells the outcome almost surely (area under the ROC curve {area:.3f})",
            is_refused=True,
        )
    rates = known.groupby("value")["truth"].agg(["mean", "size"])
    large = rates[rates["size"] >= max(LARGE_PART * len(known), MIN_CASES_COMPARED)]
    rate = float(known["truth"].mean())
    sure = large[
        (large["mean"] >= MAX_CERTAINTY) & (rate <= 1 - LARGE_PART)
        | (large["mean"] <= 1 - MAX_CERTAINTY) & (rate >= LARGE_PART)
    ]
    if sure.empty:
        return None
    row = sure.sort_values("size", ascending=False, kind="stable").iloc[0]
    certain = max(float(row["mean"]), 1 - float(row["mean"]))
    reason = f"one of its values, in {row['size'] / len(known):.0%} of the cases, decides {certain:.1%} of them"
    return Finding(name, "separation", certain, reason, is_refused=True)


def _levels(values: pd.Series) -> pd.Series:
    """Texts as they are; numbers in twenty ranges, and their missing values."""
    if not pd.api.types.is_numeric_dtype(values):
        return values
    known = values.dropna()
    if known.nunique() <= N_RANGES:
        return values.fillna(np.inf)
    starts = np.unique(np.quantile(known, np.arange(1, N_RANGES) / N_RANGES))
    ranges = np.searchsorted(starts, values.to_numpy(dtype=float), side="right")
    return pd.Series(np.where(values.isna(), -1, ranges), index=values.index)


def _rates_elsewhere(known: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The rate of each case's level among cases of the other folds, drawn a little towards the rate of all."""
    fold = np.arange(len(known)) % N_FOLDS
    overall = known["truth"].mean()
    sums = known.groupby(["value", fold])["truth"].agg(["sum", "size"])
    whole = sums.groupby(level=0).transform("sum")
    rates = (whole["sum"] - sums["sum"] + overall) / (whole["size"] - sums["size"] + 1)
    keys = pd.MultiIndex.from_arrays([known["value"], fold])
    return rates.reindex(keys).to_numpy(dtype=float)


def _written_later(values: pd.Series, cases: pd.DataFrame, is_open: pd.Series | None) -> Finding | None:
    """Compare closed with open cases of the same days."""
    if is_open is None:
        return None
    opened = pd.Series(cases["opened_at"].to_numpy(), index=values.index)
    still = is_open.reindex(values.index).fillna(value=False).astype(bool)
    days = opened[still]
    if len(days) < MIN_CASES_COMPARED:
        return None
    same_days = (opened >= days.min()) & (opened <= days.max())
    of_open, of_closed = values[still], values[~still & same_days]
    if len(of_closed) < MIN_CASES_COMPARED:
        return None
    missing = [float((part.isna() | (part == NOT_GIVEN)).mean()) for part in (of_open, of_closed)]
    if missing[0] - missing[1] >= MIN_DIFFERENCE:
        reason = f"filled in {1 - missing[1]:.0%} of closed and {1 - missing[0]:.0%} of open cases of the same days: written later"
        return Finding(str(values.name), "written later", missing[0] - missing[1], reason, is_refused=True)
    share_open = _commonest(of_open)
    share_closed = float((of_closed == of_open.mode(dropna=False).iloc[0]).mean())
    if share_open >= MAX_CERTAINTY and share_open - share_closed >= MIN_DIFFERENCE:
        reason = f"{share_open:.0%} of open cases have one value, {share_closed:.0%} of closed ones of the same days: it changes later"
        return Finding(str(values.name), "written later", share_open - share_closed, reason, is_refused=True)
    return None


def certainty_in_words(cases: pd.DataFrame, *, outcome: str, area: float) -> str:
    """
    Say where later cases are ranked better than can be believed.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features and outcome of later cases, of both kinds.
    outcome : str
        The column that holds the outcome.
    area : float
        Area under the ROC curve of the model's probabilities of them.

    Returns
    -------
    str
        A sentence where one attribute alone has an area of .98, or the model one of .99; else empty.
    """
    truth, inputs = cases[outcome].to_numpy(), model_inputs(cases)
    levels = {name: pd.DataFrame({"value": _levels(inputs[name]), "truth": truth}) for name in inputs.columns}
    areas = pd.Series({name: auc(truth.astype(float), _rates_elsewhere(table)) for name, table in levels.items()})
    surest = str(areas.idxmax()) if areas.notna().any() else ""
    if surest and areas[surest] >= MAX_AUC:
        return (
            f"The {attribute_in_words(surest)} alone ranks nearly all later cases right (area under the ROC curve "
            f"{areas[surest]:.3f}): check that it is known at that moment, and not written once the case has ended."
        )
    if area < SURELY_TOO_GOOD:
        return ""
    first = f", first of all the {attribute_in_words(surest)}" if surest else ""
    return (
        f"The model ranks nearly all later cases right (area under the ROC curve {area:.3f}), which is seldom so: check that every "
        f"attribute is known at that moment{first}."
    )


def told_of_leakage(findings: pd.DataFrame) -> tuple[str, ...]:
    """
    Say what is to be known of features that may be learnt from all the same.

    Parameters
    ----------
    findings : pandas.DataFrame
        As :func:`check_leakage` returns them.

    Returns
    -------
    tuple of str
        A sentence a finding.
    """
    told = zip(findings["attribute"], findings["reason"], strict=True) if len(findings) else ()
    return tuple(f"Of {attribute_in_words(str(attribute))}: {reason}." for attribute, reason in told)
