"""
Whether an outcome, and a model's errors about it, differ between groups of customers beyond chance.

A difference is no proof of unfair treatment, and no difference none of its absence: groups may differ in their cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm, rankdata

from crm_analysis.models.evaluation import wilson_interval
from crm_analysis.models.service_quality.disclosure import hidden_shares
from crm_analysis.models.service_quality.explanation.clustered import (
    clustered_error,
    effective_cases,
    two_sided,
)
from crm_analysis.models.service_quality.wording import ENDED, points_in_words
from crm_analysis.tables.privacy.suppression import left_out_in_words

MIN_CUSTOMERS = 20
MAX_GROUPS = 12
CHANCE = 0.05
N_THIRDS = 3
DIFFERS, WITHIN_CHANCE, TOO_FEW = "differs beyond chance", "within chance", "too few customers"
MEASURES = {
    "outcome_rate": "share with the outcome",
    "false_positive_rate": "flagged, of those without the outcome",
    "false_negative_rate": "not flagged, of those with the outcome",
    "calibration": "came less expected",
}
COLUMNS = (
    "attribute", "group", "measure", "n_cases", "customers", "value", "low", "high", "rest", "difference",
    "difference_low", "difference_high", "p_value", "reading",
)  # fmt: skip
_Z = float(norm.ppf(0.975))
_DUST = 1e-12  # differences below are rounding

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fairness:
    """
    Outcome and error rates by customer group.

    Attributes
    ----------
    table : pandas.DataFrame
        As :func:`fairness_table` returns it.
    sentences : tuple of str
        One a marked difference, or that there is none.
    notes : tuple of str
        What is left out.
    """

    table: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def readable(self) -> pd.DataFrame:
        """
        A row a group for people: each measure with its interval in one cell, in percent.

        A star marks what differs from all other cases beyond chance.
        """
        told = self.table[self.table["value"].notna()]
        cells = told.assign(
            shown=[_cell(row) for _, row in told.iterrows()],
            measure=pd.Categorical(told["measure"].map(MEASURES), list(MEASURES.values())),
        )
        return cells.pivot_table(
            index=["attribute", "group"], columns="measure", values="shown", aggfunc="first", observed=True, sort=False
        ).rename_axis(columns=None)


def fairness(
    holdout: pd.DataFrame,
    probability: pd.Series,
    *,
    outcome: str,
    review_share: float,
    groups: pd.DataFrame | pd.Series | None = None,
    min_cell: int = 1,
) -> Fairness:
    """
    Return outcome and error rates by customer group, and which differ beyond chance.

    Parameters
    ----------
    holdout : pandas.DataFrame
        Later cases with their outcome: ``case_id``, ``customer_id`` and features.
    probability : pandas.Series
        Of the outcome, in the order of the cases.
    outcome : str
        The column that holds the outcome.
    review_share : float
        Share of the cases that are flagged for a review, the most likely first.
    groups : pandas.DataFrame or pandas.Series, optional
        By ``case_id``; a column an attribute of customers, such as region or segment. They are added to
        :func:`customer_groups`.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Fairness
        Table and sentences.
    """
    known = customer_groups(holdout)
    given = [] if groups is None else [_by_case(groups, holdout)]
    every = pd.concat([known, *given], axis=1)
    table = fairness_table(holdout, probability, every, outcome=outcome, review_share=review_share, min_cell=min_cell)
    left_out = left_out_in_words(min_cell, table["n_cases"])
    return Fairness(table, fairness_in_words(table, outcome=outcome), (left_out,) if left_out else ())


def customer_groups(cases: pd.DataFrame) -> pd.DataFrame:
    """
    Return the groups of customers that the features of their cases tell.

    Parameters
    ----------
    cases : pandas.DataFrame
        With ``case_id``; ``earlier_cases`` and ``spend_before`` where they are known.

    Returns
    -------
    pandas.DataFrame
        Index ``case_id``; ``contact``: first case or earlier ones; ``spend``: thirds by what was spent before the case, equal
        amounts together, those without any apart.
    """
    found = pd.DataFrame(index=pd.Index(cases["case_id"], name="case_id"))
    if "earlier_cases" in cases:
        found["contact"] = np.where(cases["earlier_cases"].fillna(0).to_numpy() > 0, "earlier cases", "first case")
    if "spend_before" in cases:
        found["spend"] = _thirds(np.asarray(cases["spend_before"], dtype=float))
    return found


def fairness_table(
    holdout: pd.DataFrame,
    probability: pd.Series,
    groups: pd.DataFrame | pd.Series,
    *,
    outcome: str,
    review_share: float,
    min_cell: int = 1,
) -> pd.DataFrame:
    """
    Return outcome and error rates by group, with their difference to all other cases.

    Parameters
    ----------
    holdout : pandas.DataFrame
        Later cases with their outcome, ``case_id`` and ``customer_id``.
    probability : pandas.Series
        Of the outcome, in the order of the cases.
    groups : pandas.DataFrame or pandas.Series
        By ``case_id``; a column an attribute of customers. Cases without one are a group, too.
    outcome : str
        The column that holds the outcome.
    review_share : float
        Share of the cases that are flagged; cases on the threshold count in part.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.DataFrame
        A row an attribute, group and measure: ``n_cases`` and ``customers`` that the measure is about, ``value`` with its 95 %
        interval ``low`` to ``high``, ``rest`` (the same of all other cases), ``difference`` with ``difference_low`` and
        ``difference_high``, ``p_value`` after Holm's correction for all rows, ``reading``. Measures: ``outcome_rate``;
        ``false_positive_rate`` (flagged, of cases without the outcome); ``false_negative_rate`` (not flagged, of cases with
        it); ``calibration`` (mean outcome less mean probability).

    Notes
    -----
    Errors are summed by customer. Fewer than 20 customers in a group, or in the rest, get no figure; a group with too few
    customers with, or without, the outcome has none at all, and no error rate is told that is of too few flagged, or not. The twelve largest groups
    of an attribute are told. Where groups differ in how often the outcome comes, their error rates cannot all be equal for a
    calibrated model (Chouldechova 2017): read them beside the outcome's share.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6(2); Chouldechova (2017), "Fair prediction with disparate impact", Big
    Data 5(2).
    """
    if not 0 < review_share <= 1:
        raise ValueError(f"review_share must lie above 0 and be at most 1, got {review_share!r}")
    truth = holdout[outcome].to_numpy(dtype=float)
    likely = np.asarray(probability, dtype=float)
    if likely.shape != truth.shape or not np.isfinite(likely).all():
        raise ValueError(f"probability must be {len(truth)} finite numbers, one a case, got {likely.shape}")
    flagged = _flagged(likely, review_share)
    everyone = np.ones(len(truth), dtype=bool)
    measured: Mapping[str, tuple[Floats, Flags]] = {
        "outcome_rate": (truth, everyone),
        "false_positive_rate": (flagged, truth == 0),
        "false_negative_rate": (1 - flagged, truth == 1),
        "calibration": (truth - likely, everyone),
    }
    customers = pd.factorize(holdout["customer_id"])[0]
    by_case = _by_case(groups, holdout)
    rows: list[dict[str, object]] = []
    for attribute in by_case:
        level = by_case[attribute].astype("str").fillna("not given").to_numpy()
        hidden = _hidden(truth, level, customers, min_cell=min_cell)  # none of their measures is told
        for measure, (values, among) in measured.items():
            is_share = measure != "calibration"
            flags = (values[among] > 0.5, level[among], customers[among])
            untold = _hidden(*flags, min_cell=min_cell) if is_share else set()
            told = _rows(level, values, among, customers, hidden=hidden, untold=untold, is_share=is_share)
            rows += [{"attribute": str(attribute), "measure": measure, **row} for row in told]
    return _marked(pd.DataFrame(rows, columns=list(COLUMNS)))


def fairness_in_words(table: pd.DataFrame, *, outcome: str) -> tuple[str, ...]:
    """
    Say which groups differ beyond chance.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`fairness_table` returns it.
    outcome : str
        Which outcome.

    Returns
    -------
    tuple of str
        A sentence a marked row, and how to read them.
    """
    tested = table[table["p_value"].notna()]
    if tested.empty:
        return ("Whether customer groups differ is not told: no group, or only one, has enough customers.",)
    marked = tested[tested["reading"] == DIFFERS]
    is_mirror = tested.groupby(["attribute", "measure"])["group"].transform("size").eq(2) & (tested["difference"] < 0)
    marked = marked[~is_mirror.reindex(marked.index)]  # of two groups, one is the rest of the other
    said = [_difference_in_words(row, outcome) for _, row in marked.iterrows()]
    if not said:
        said = [f"In {len(tested)} comparisons no customer group differs from all others beyond chance."]
    return (*said, "A difference is no proof of unfair treatment: groups may differ in their cases.")


def _hidden(
    flags: npt.ArrayLike, level: npt.NDArray[np.object_], customers: npt.NDArray[np.intp], *, min_cell: int
) -> set[str]:
    """Groups whose share would tell of too few customers with, or without, a flag."""
    is_hidden = hidden_shares(flags, level, customers, min_cell=min_cell)
    return set(map(str, is_hidden.index[is_hidden]))


def _rows(
    level: npt.NDArray[np.object_],
    values: Floats,
    among: Flags,
    customers: npt.NDArray[np.intp],
    *,
    hidden: set[str],
    untold: set[str],
    is_share: bool,
) -> list[dict[str, object]]:
    """One measure of the largest groups of an attribute: nothing of hidden ones, no share of those that would tell of few."""
    names, sizes = np.unique(level, return_counts=True)
    rows = []
    for name in map(str, names[np.lexsort([names, -sizes])[:MAX_GROUPS]]):
        row: dict[str, object] = {"group": name, "reading": TOO_FEW}
        if name not in hidden:
            inside, rest = (level == name) & among, (level != name) & among
            n_inside, n_rest = (len(np.unique(customers[part])) for part in (inside, rest))
            row.update({"n_cases": int(inside.sum()), "customers": n_inside})
            if name not in untold and min(n_inside, n_rest) >= MIN_CUSTOMERS:
                row.update(_compared(values, inside, rest, customers, is_share=is_share))
        rows.append(row)
    return rows


def _compared(
    values: Floats, inside: Flags, rest: Flags, customers: npt.NDArray[np.intp], *, is_share: bool
) -> dict[str, object]:
    """A mean, that of the rest, and their difference, with intervals over customers."""
    value, of_rest = float(values[inside].mean()), float(values[rest].mean())
    own = inside * (values - value) * len(values) / inside.sum()
    other = rest * (values - of_rest) * len(values) / rest.sum()
    error, of_difference = clustered_error(own, customers), clustered_error(own - other, customers)
    low, high = value - _Z * error, value + _Z * error
    if is_share:
        n_like = effective_cases(values[inside], customers[inside])
        low, high = (float(end) for end in wilson_interval(value, n_like))
    difference = value - of_rest if abs(value - of_rest) > _DUST else 0.0
    return {
        "value": value,
        "low": low,
        "high": high,
        "rest": of_rest,
        "difference": difference,
        "difference_low": difference - _Z * of_difference,
        "difference_high": difference + _Z * of_difference,
        "p_value": two_sided(difference, of_difference) if difference else 1.0,
        "reading": WITHIN_CHANCE,
    }


def _flagged(likely: Floats, review_share: float) -> Floats:
    """Share of each case that a review of the most likely ones takes: 1, 0, or a part on the threshold."""
    if not len(likely):
        return likely
    n_reviewed = max(1, round(review_share * len(likely)))
    above = len(likely) - rankdata(likely, method="max")  # cases more likely than each
    alike = rankdata(likely, method="max") - rankdata(likely, method="min") + 1
    return np.asarray(np.clip((n_reviewed - above) / alike, 0.0, 1.0))


def _thirds(amounts: Floats) -> npt.NDArray[np.object_]:
    """Thirds of those who spent something, equal amounts together."""
    names = np.array(["none before", "lower third", "middle third", "upper third"], dtype=object)
    spent = np.isfinite(amounts) & (amounts > 0)
    place = np.zeros(len(amounts), dtype=int)
    if spent.any():
        rank = (rankdata(amounts[spent]) - 0.5) / spent.sum()
        place[spent] = 1 + np.minimum((rank * N_THIRDS).astype(int), N_THIRDS - 1)
    return np.asarray(names[place])


def _by_case(groups: pd.DataFrame | pd.Series, holdout: pd.DataFrame) -> pd.DataFrame:
    """The groups of each case, in the order of the cases."""
    table = (
        groups.to_frame(groups.name if groups.name is not None else "group")
        if isinstance(groups, pd.Series)
        else groups
    )
    if not table.index.is_unique:
        raise ValueError("groups must have one row a case_id, got some twice")
    return table.reindex(holdout["case_id"])


def _cell(row: pd.Series) -> str:
    value, low, high = (round(100 * float(row[name])) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high}){'*' if row['reading'] == DIFFERS else ''}".replace("-", "−")


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Correct for the number of comparisons, and mark what differs beyond chance."""
    types = dict.fromkeys(
        [name for name in COLUMNS if name not in {"attribute", "group", "measure", "reading"}], "float64"
    )
    table = table.astype({**types, "n_cases": "Int64", "customers": "Int64"})
    tested = table["p_value"].dropna()
    ordered = tested.sort_values(kind="stable")
    stepped = (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1.0)
    table["p_value"] = stepped.reindex(table.index)
    return table.assign(reading=table["reading"].mask(table["p_value"] <= CHANCE, DIFFERS))


def _difference_in_words(row: pd.Series, outcome: str) -> str:
    ended = ENDED.get(outcome, outcome.replace("_", " "))
    who = f"Of customers’ cases with {row['attribute'].replace('_', ' ')} “{row['group']}”"
    figures = (
        f"{row['value']:.0%} ({row['low']:.0%} to {row['high']:.0%})",
        f"{row['rest']:.0%} of all other cases",
    )
    if row["measure"] == "outcome_rate":
        return f"{who} {figures[0]} {ended}, against {figures[1]}: beyond chance."
    if row["measure"] == "false_positive_rate":
        return f"{who} that did not go wrong, {figures[0]} would be flagged for review, against {figures[1]}: beyond chance."
    if row["measure"] == "false_negative_rate":
        return f"{who} that {ended}, {figures[0]} would not be flagged, against {figures[1]}: beyond chance."
    more = "more often" if row["value"] > 0 else "less often"
    return (
        f"{who} the outcome came {points_in_words(abs(row['value'])).lstrip('+')} {more} than expected (difference to all other "
        f"cases {points_in_words(row['difference'])}): beyond chance."
    )
