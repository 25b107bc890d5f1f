"""
What goes with an outcome: how much worse predictions get without an attribute, and how the rate differs by its levels.

Both are associations in the data at hand, no proof of a cause. Which way probabilities move along an attribute is in
:mod:`crm_analysis.models.service_quality.explanation.directions`, rules of the tree are in
:mod:`crm_analysis.models.service_quality.prediction.rules`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation import wilson_interval
from crm_analysis.models.explaining.importance import CARRIES, HARMS, TOO_FEW, WITHIN_CHANCE, permutation_importance
from crm_analysis.models.service_quality.disclosure import customers_by_part, hidden_shares, is_of_few
from crm_analysis.models.service_quality.encoding import attributes_of
from crm_analysis.models.service_quality.explanation.associations import attribute_groups
from crm_analysis.models.service_quality.explanation.clustered import effective_cases
from crm_analysis.models.service_quality.wording import (
    WEEKDAYS,
    attribute_in_words,
    first_range,
    in_words,
    number_range,
)
from crm_analysis.tables.privacy.suppression import small

MIN_CASES_SHOWN = 5
MAX_ROWS = 2000
MAX_LEVELS_SHOWN = 8
N_BINS = 4
LEAST_LOSS = 1e-3  # a share of less would be a share of next to nothing
N_TOLD = 3
FIGURES = ("importance", "low", "high", "share")
READINGS = {
    CARRIES: "carries",
    WITHIN_CHANCE: "within chance",
    HARMS: "better without",
    TOO_FEW: "too few customers",
}
_DAYTIMES = {0: "0:00 to 5:59", 6: "6:00 to 11:59", 12: "12:00 to 17:59", 18: "18:00 to 23:59"}


@dataclass(frozen=True)
class Drivers:
    """
    What the probabilities of an outcome rest on.

    Attributes
    ----------
    alone : pandas.DataFrame
        A row an attribute, largest first: ``attribute``; ``reading``: ``carries``, ``within chance``, ``better without``, or ``too
        few customers`` (no figures); ``importance`` (increase of the mean log loss on later cases when it is shuffled), its 95 %
        interval ``low`` to ``high``, ``share`` of the log loss.
    groups : pandas.DataFrame
        The same by ``group``: attributes that go together, shuffled together, so that none hides behind another; ``members``
        says which.
    sentences : tuple of str
        What it comes to.
    """

    alone: pd.DataFrame
    groups: pd.DataFrame
    sentences: tuple[str, ...]

    @property
    def parts(self) -> dict[str, list[str]]:
        """Attributes by group."""
        return {str(row["group"]): str(row["members"]).split(", ") for _, row in self.groups.iterrows()}

    @property
    def readable(self) -> pd.DataFrame:
        """
        A row a group for people: its attributes in words, and the log loss that shuffling them adds, with its interval.

        Also in percent of the log loss, where that is not next to nothing.
        """
        table = self.groups
        figures = table[["importance", "low", "high"]].itertuples(index=False)
        return pd.DataFrame(
            {
                "attributes": table["group"],
                "reading": table[
                    "reading"
                ],  # not at the end: "chance" and the next row's word could be a customer's name
                "log loss added": [_with_ends(*row) for row in figures],
                "in percent of the log loss": [_percent(share) for share in table["share"]],
            }
        )


def case_drivers(
    predict: Callable[[pd.DataFrame], npt.ArrayLike],
    cases: pd.DataFrame,
    *,
    outcome: str,
    attributes: Sequence[str] | None = None,
    seed: int,
    n_repeats: int = 3,
    min_cell: int = 1,
) -> Drivers:
    """
    Return how much worse probabilities get once attributes are shuffled among cases they were not learnt from.

    Parameters
    ----------
    predict : callable
        Takes a table like `cases`, returns a probability of the outcome a row.
    cases : pandas.DataFrame
        Features and outcome of later cases, with ``customer_id``; 2,000 of them are drawn when there are more.
    outcome : str
        The column that holds the outcome.
    attributes : sequence of str, optional
        Which ones; default: all features that vary.
    seed : int
        Start of everything random.
    n_repeats : int
        Times that everything is shuffled.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    Drivers
        Attributes alone, and grouped with those they go with.

    Notes
    -----
    Permutation importance in log loss; intervals over resampled customers, with all their cases. An attribute alone looks small
    where another one tells the same; its group does not.

    References
    ----------
    Breiman (2001), "Random Forests", Machine Learning 45; Fisher, Rudin, Dominici (2019), JMLR 20(177).
    """
    names = _varying(cases) if attributes is None else list(attributes)
    groups = attribute_groups(cases, names)
    joint = {word: members for word, members in groups.items() if len(members) > 1}
    asked = {"seed": seed, "n_repeats": n_repeats, "min_cell": min_cell}
    alone, together = (
        _shuffled_parts(predict, cases, names, parts, outcome=outcome, **asked)
        for parts in ({name: [name] for name in names}, joint)
    )
    single = alone[~alone["group"].isin([name for members in joint.values() for name in members])]
    single = single.assign(group=single["group"].map(attribute_in_words))
    grouped = pd.concat([single, together], ignore_index=True).astype(dict.fromkeys(FIGURES, float))
    grouped["members"] = grouped["group"].map(lambda word: ", ".join(groups[word]))
    grouped = grouped.sort_values(["importance", "group"], ascending=[False, True], ignore_index=True)
    return Drivers(alone.rename(columns={"group": "attribute"}), grouped, _in_words(grouped))


def rates_by_level(cases: pd.DataFrame, *, outcome: str, attributes: Sequence[str], min_cell: int = 1) -> pd.DataFrame:
    """
    Return the share of cases with the outcome at each level of some attributes.

    Parameters
    ----------
    cases : pandas.DataFrame
        Features and outcome, one row per case, with ``customer_id``.
    outcome : str
        The column that holds the outcome.
    attributes : sequence of str
        Which attributes, in this order.
    min_cell : int
        Least number of customers that a row is about.

    Returns
    -------
    pandas.DataFrame
        ``attribute``, ``level``, ``n_cases``, ``rate`` and its 95 % interval ``low`` to ``high`` (Wilson's, for as many cases as
        count where those of a customer are alike). Numbers are cut into ranges. Text levels come with the highest rate first; those beyond the eight commonest, and those with fewer
        than five cases or too few customers (in all, with the outcome or without it), are put together as "other", with the next smallest where that is needed. A level
        or range that still has too few is left out, and another one with it that would give it away.

    Examples
    --------
    >>> cases = pd.DataFrame({"team": ["A"] * 6 + ["B"] * 6, "sla_missed": [1] * 3 + [0] * 9, "customer_id": range(12)})
    >>> rates_by_level(cases, outcome="sla_missed", attributes=["team"])[["level", "n_cases", "rate"]].values.tolist()
    [['A', 6, 0.5], ['B', 6, 0.0]]
    """
    tables = [
        _rates(cases[outcome], _levels(cases[name], min_cell=min_cell), name, cases["customer_id"], min_cell=min_cell)
        for name in attributes
    ]
    columns = ["attribute", "level", "n_cases", "rate", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _shuffled_parts(
    predict: Callable[[pd.DataFrame], npt.ArrayLike],
    cases: pd.DataFrame,
    names: Sequence[str],
    parts: Mapping[str, Sequence[str]],
    *,
    outcome: str,
    seed: int,
    n_repeats: int,
    min_cell: int,
) -> pd.DataFrame:
    """The increase of the mean log loss by part, with interval and reading."""
    columns = ["group", "reading", "importance", "low", "high", "share"]  # words side by side might read as a name
    if not parts:
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(columns[2:], "float64"))

    def probabilities(rows: pd.DataFrame) -> npt.ArrayLike:
        return predict(others.loc[rows.index].assign(**{name: rows[name].array for name in names}))

    others = cases.reset_index(drop=True)
    table = permutation_importance(
        probabilities,
        others[list(names)],
        others[outcome],
        groups=parts,
        customers=others["customer_id"],
        loss="log_loss",
        seed=seed,
        n_repeats=n_repeats,
        max_rows=MAX_ROWS,
        min_cell=min_cell,
    )
    before = (table["increase"] / table["share"].where(table["share"] != 0)).median()
    scale = 1.0 if np.isnan(before) else before  # the mean log loss itself
    told = table.assign(importance=table["increase"], low=table["low"] * scale, high=table["high"] * scale)
    share = told["share"] if scale >= LEAST_LOSS else math.nan
    return told.assign(share=share, reading=told["reading"].map(READINGS))[columns]


def _in_words(groups: pd.DataFrame) -> tuple[str, ...]:
    """What the probabilities rest on, most first, and what they do not."""
    if groups["reading"].eq(READINGS[TOO_FEW]).all():
        return ("What the probabilities rest on is not told: the later cases are of too few customers.",)
    carrying = groups[groups["reading"] == READINGS[CARRIES]]
    if carrying.empty:
        said = [
            "Nothing known at the opening carries the probabilities beyond chance when it is shuffled among later cases."
        ]
    else:
        said = [_leaning_on(carrying)]
    harming = groups[groups["reading"] == READINGS[HARMS]]
    if len(harming):
        said.append(f"The probabilities were better without {in_words(list(harming['group']))}.")
    return (*said, "This is what the model uses: association, not proof of a cause.")


def _leaning_on(carrying: pd.DataFrame) -> str:
    """Name the groups that carry most, and how much the log loss grows without each."""
    most = carrying.head(N_TOLD)
    more = f" (and {len(carrying) - N_TOLD} more)" if len(carrying) > N_TOLD else ""
    names = in_words([_group_in_words(str(row["members"]).split(", ")) for _, row in most.iterrows()])
    said = f"What the probabilities lean on most: {names}{more}."
    if not np.isfinite(most["share"]).all():
        return said
    grown = in_words([_share_with_ends(row) for _, row in most.iterrows()])
    what, order = ("one of them", ", in this order") if len(most) > 1 else ("it", "")
    return f"{said} Shuffling {what} among later cases makes the log loss grow by {grown}{order}."


def _group_in_words(members: Sequence[str]) -> str:
    first, *others = (attribute_in_words(name) for name in members)
    return f"{first} (with {in_words(others)})" if others else first


def _share_with_ends(row: pd.Series) -> str:
    """The share of the log loss, and its interval."""
    share, importance = float(row["share"]), float(row["importance"])
    low, high = (float(row[name]) / importance * share for name in ("low", "high"))
    return f"{_percent(share)} ({_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    """In whole percent, with a decimal below ten so that little is not none; empty where there is none."""
    if not np.isfinite(share):
        return ""
    text = f"{share:.1%}" if abs(share) < 0.0995 else f"{share:.0%}"
    return _signed(text)


def _with_ends(figure: float, low: float, high: float) -> str:
    if not np.isfinite(figure):
        return ""
    value, *ends = (_signed(f"{number:.3f}") for number in (figure, low, high))
    return f"{value} ({ends[0]} to {ends[1]})"


def _signed(number: str) -> str:
    """With a minus where it is below none."""
    return number.lstrip("-") if not any(digit in number for digit in "123456789") else number.replace("-", "−")


def _varying(cases: pd.DataFrame) -> list[str]:
    """Attributes that are not the same in every case."""
    levels, numbers = attributes_of(cases)
    return [name for name in (*levels, *numbers) if len(cases[name].unique()) > 1]


def _levels(values: pd.Series, *, min_cell: int) -> pd.Series:
    """Text levels, or ranges of a number in their order (an ordered categorical)."""
    if values.name == "opened_weekday":
        return _named(values, dict(enumerate(WEEKDAYS, start=1)))
    if values.name == "opened_hour":
        return _named(values // 6 * 6, _DAYTIMES)
    if pd.api.types.is_numeric_dtype(values):
        return _ranges(values, min_cell=min_cell)
    return values.astype("str").fillna("not given")


def _named(values: pd.Series, names: dict[int, str]) -> pd.Series:
    return pd.Series(
        pd.Categorical(values.map(names), categories=list(names.values()), ordered=True), index=values.index
    )


def _ranges(values: pd.Series, *, min_cell: int) -> pd.Series:
    """Ranges with about equal numbers of cases; each value of a number that has only a few."""
    distinct = np.sort(values.dropna().unique())
    if len(distinct) <= N_BINS:
        starts = distinct
    else:
        starts = np.unique(np.quantile(values.dropna(), np.arange(N_BINS) / N_BINS, method="higher"))
    names = [*(number_range(values, start, starts) for start in starts), "none"]
    if min_cell > 1 and 1 < len(starts) < len(distinct):
        names[0] = first_range(values, starts)  # the least value is one customer's
    position = np.searchsorted(starts, values.to_numpy(dtype=float), side="right") - 1
    codes = np.where(values.isna(), len(names) - 1, position)
    labels = np.array(names, dtype=object)[codes]
    return pd.Series(pd.Categorical(labels, categories=names, ordered=True), index=values.index)


def _rates(
    outcome: pd.Series, levels: pd.Series, attribute: str, customers: pd.Series, *, min_cell: int
) -> pd.DataFrame:
    is_text = not isinstance(levels.dtype, pd.CategoricalDtype)
    if is_text:
        levels = _with_others(levels, outcome, customers, min_cell=min_cell)
    cases = pd.DataFrame({"outcome": outcome, "customer_id": customers, "level": levels})
    by_level = cases.groupby("level", observed=True)
    grouped = by_level.agg(n_cases=("outcome", "size"), rate=("outcome", "mean"))
    hidden = hidden_shares(outcome, levels, customers, min_cell=min_cell).reindex(grouped.index)
    grouped = grouped[(grouped["n_cases"] >= MIN_CASES_SHOWN) & ~hidden]
    parts = (by_level.get_group(level) for level in grouped.index)
    size = np.array([effective_cases(part["outcome"], part["customer_id"]) for part in parts], dtype=float)
    rate = grouped["rate"]
    low, high = wilson_interval(rate, size)
    level = grouped.index.astype("str")
    table: pd.DataFrame = grouped.assign(attribute=attribute, level=level, rate=rate, low=low, high=high)
    return table.sort_values("rate", ascending=False, kind="stable") if is_text else table


def _with_others(levels: pd.Series, outcome: pd.Series, customers: pd.Series, *, min_cell: int) -> pd.Series:
    """Put rare levels together as "other", and the next smallest with them until they are of enough customers."""
    counts = levels.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    sizes = customers_by_part(outcome, levels, customers).reindex(counts.index)
    beyond = np.arange(len(counts)) >= MAX_LEVELS_SHOWN
    is_small = np.asarray(small(sizes, min_cell=min_cell).any(axis=1), dtype=bool)
    rare = list(counts.index[(counts < MIN_CASES_SHOWN) | beyond | is_small])
    common = [level for level in sizes["customers"].sort_values(kind="stable").index if level not in rare]
    owner, yes = customers.to_numpy(), outcome.to_numpy() == 1
    while rare and common:
        others = levels.isin(rare).to_numpy()
        if not is_of_few(owner, others, others & yes, others & ~yes, min_cell=min_cell):
            break
        rare.append(common.pop(0))
    return levels.where(~levels.isin(rare), "other")
