"""
Who is expected to buy more, less or no more, by stated rules, and the money at stake.

How often such labels held is measured in :mod:`crm_analysis.models.customer_outlook.accuracy`; they are put into sentences
in :mod:`crm_analysis.models.customer_outlook.wording`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.customer_outlook.small_sums import hidden_labels, without_small_sums
from crm_analysis.models.evaluation.measures import Floats
from crm_analysis.tables.privacy.suppression import hidden_rows, hidden_totals, suppressed_grid

LEAVE, FALL, SAME = "likely to leave", "expected to fall", "about as before"
GROW, SILENT = "expected to grow", "no sign of buying"
LABELS = (LEAVE, FALL, SAME, GROW, SILENT)
OTHER, WITHOUT_SEGMENT = "(other)", "(none)"
MOST_SEGMENTS = 12
MONEY = ["recent_spend", "usual_spend", "spend_forecast", "at_stake"]
_NEEDED = ["recent_spend", "spend_forecast", "lower_90", "upper_90"]
_RANGE_END = 0.95  # chance below the upper end of a 90 % range

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class OutlookRules:
    """
    What a customer's label is decided by.

    Attributes
    ----------
    least_change : float
        Share by which the forecast must lie beyond both the last period and the own mean to be a fall or growth.
    sureness : float
        Chance, as the customer's range tells it, that what comes lies on that side of both.
    least_chance : float
        Chance of being active below which who bought lately is likely to leave, and who did not shows no sign of buying.
    near_zero : float
        Share of what a customer spent that counts as next to nothing.
    """

    least_change: float = 0.2
    sureness: float = 0.75
    least_chance: float = 0.5
    near_zero: float = 0.1


@dataclass(frozen=True)
class CustomerOutlook:
    """
    Each customer's label with the money at stake, and both summed up.

    Attributes
    ----------
    customers : pandas.DataFrame
        Index ``customer_id``; what was given, ``usual_spend``, ``label`` and ``at_stake``. Complete.
    by_label : pandas.DataFrame
        Index ``label``, all five; ``customers``, their ``share``, and the sums ``recent_spend``, ``usual_spend``,
        ``spend_forecast`` and ``at_stake``; missing where about too few customers, or where that would give such away. A sum is
        about those of whom it is not zero.
    segment_customers, segment_at_stake : pandas.DataFrame
        Customers and money at stake by segment (rows, largest first; beyond twelve ``(other)``) and label; small cells, and
        what would give them away, are missing. Without rows where no segments were given.
    segment_totals : pandas.Series
        Customers by segment; missing where a total would give a hidden cell away.
    rules : OutlookRules
        What the labels were decided by.
    has_usual_spend, has_chance_active : bool
        Whether these columns were given.
    min_cell : int
        Least number of customers that a figure in the summaries is about.
    """

    customers: pd.DataFrame
    by_label: pd.DataFrame
    segment_customers: pd.DataFrame
    segment_at_stake: pd.DataFrame
    segment_totals: pd.Series
    rules: OutlookRules
    has_usual_spend: bool
    has_chance_active: bool
    min_cell: int


def usual_spend(spend: pd.Series, observed_days: pd.Series, *, horizon_days: int) -> pd.Series:
    """
    Return what a customer spends in a horizon at the own mean rate.

    Parameters
    ----------
    spend : pandas.Series
        Net spend within the history, money.
    observed_days : pandas.Series
        Days of the history since the first purchase.
    horizon_days : int
        Days ahead.

    Returns
    -------
    pandas.Series
        Money. A customer known for less than a horizon is reckoned at what was spent so far: the rate of a first purchase
        yesterday says nothing. Where nobody has been known for a horizon, as the data are shorter, the longest known takes its
        place.

    Examples
    --------
    >>> usual_spend(pd.Series([400.0, 50.0]), pd.Series([360, 1]), horizon_days=90).tolist()
    [100.0, 50.0]
    >>> usual_spend(pd.Series([60.0, 10.0]), pd.Series([30, 1]), horizon_days=90).tolist()  # a month of data
    [180.0, 30.0]
    """
    if horizon_days < 1:
        raise ValueError(f"horizon_days must be at least 1, got {horizon_days!r}")
    longest = max(1, int(observed_days.max())) if len(observed_days) else horizon_days
    return spend * (horizon_days / observed_days.clip(lower=min(horizon_days, longest)))


def customer_outlook(
    customers: pd.DataFrame,
    *,
    least_change: float = 0.2,
    sureness: float = 0.75,
    least_chance: float = 0.5,
    near_zero: float = 0.1,
    min_cell: int = 1,
) -> CustomerOutlook:
    """
    Tell who is expected to grow, fall or leave, and how much money is at stake.

    Parameters
    ----------
    customers : pandas.DataFrame
        Index ``customer_id``; ``recent_spend`` (of the last period, as long as the horizon), ``spend_forecast`` and its range
        ``lower_90`` to ``upper_90``, money. Where known also ``usual_spend`` (:func:`usual_spend`), ``chance_active`` (a
        probability, may be missing) and ``segment``.
    least_change : float
        Share by which a forecast must lie beyond both the last period and the own mean.
    sureness : float
        Chance that what comes lies on that side of both, at least.
    least_chance : float
        Chance of being active below which who bought in the last period is likely to leave, and who did not shows no sign of
        buying.
    near_zero : float
        Share of what a customer spent that counts as next to nothing.
    min_cell : int
        Least number of customers that a figure in the summaries is about.

    Returns
    -------
    CustomerOutlook
        With the rules it was made by.

    Raises
    ------
    TooFewRecordsError
        There is no customer.
    DataQualityError
        Spend, forecasts or ranges are missing or infinite.

    Notes
    -----
    Labels, the first that holds. Who spent nothing in the last period: *no sign of buying* where the chance of being active is
    too low or next to nothing is expected. Who spent: *likely to leave* in the same two cases. *expected to fall*,
    *expected to grow*: the forecast lies by `least_change` or more below, or above, both the last period and the own mean,
    and the range puts the chance of ending beyond them at `sureness` or more. *about as before*: everybody else.

    Why both. A customer with an unusual period is expected to come back to the own mean; set against that period alone, the
    best of it would all be falling and the rest growing, whatever the model (regression to the mean). A forecast between the
    two is therefore no change. At stake is the change that neither explains: of a fall, the lesser of both less the forecast;
    of growth, the forecast less the greater; of a customer likely to leave, the own mean less the forecast; else nothing.
    Without `usual_spend` the last period stands for the own mean, and the labels carry that regression.

    The chance is read from the range: half a normal curve of the square root on each side of the forecast's. That is rough
    where most spend nothing; :mod:`crm_analysis.models.customer_outlook.accuracy` shows how often labels held. A range that does
    not hold the forecast, a mean, says nothing certain of it: its customer neither falls nor grows.

    References
    ----------
    Galton (1886), "Regression towards mediocrity in hereditary stature", Journal of the Anthropological Institute 15.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {
    ...         "recent_spend": [300.0, 90.0, 100.0],
    ...         "usual_spend": [100.0, 100.0, 100.0],
    ...         "spend_forecast": [150.0, 30.0, 200.0],
    ...     },
    ...     index=pd.Index(["A", "B", "C"], name="customer_id"),
    ... )
    >>> outlook = customer_outlook(
    ...     table.assign(lower_90=table["spend_forecast"] - 25, upper_90=table["spend_forecast"] + 25)
    ... )
    >>> outlook.customers[["label", "at_stake"]].to_numpy().tolist()
    [['about as before', 0.0], ['expected to fall', 60.0], ['expected to grow', 100.0]]
    """
    rules = _rules(least_change, sureness, least_chance, near_zero)
    table = _checked(customers, min_cell=min_cell)
    has_usual, has_chance = "usual_spend" in table, "chance_active" in table
    if not has_usual:
        table["usual_spend"] = table["recent_spend"]
    label = _labels(table, rules)
    table["label"] = pd.Categorical(label, categories=list(LABELS), ordered=True)
    table["at_stake"] = _at_stake(table, label)
    counts, money, totals, hidden = _by_segment(table, min_cell=min_cell)
    by_label, untold = _by_label(table, *hidden, min_cell=min_cell)
    return CustomerOutlook(
        customers=table,
        by_label=by_label,
        segment_customers=counts,
        segment_at_stake=money.mask(untold[None, :] & np.ones(money.shape, dtype=bool)),
        segment_totals=totals,
        rules=rules,
        has_usual_spend=has_usual,
        has_chance_active=has_chance,
        min_cell=min_cell,
    )


def _rules(least_change: float, sureness: float, least_chance: float, near_zero: float) -> OutlookRules:
    shares = {"least_change": least_change, "least_chance": least_chance, "near_zero": near_zero}
    wrong = {name: value for name, value in shares.items() if not 0 <= value < 1}
    if wrong or not 0.5 <= sureness < 1:
        raise ValueError(f"shares must lie in [0, 1) and sureness in [0.5, 1), got {shares | {'sureness': sureness}}")
    return OutlookRules(least_change, sureness, least_chance, near_zero)


def _checked(customers: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Return a copy of the table if it can be worked with."""
    lacking = [name for name in _NEEDED if name not in customers]
    if lacking or min_cell < 1 or not customers.index.is_unique:
        raise ValueError(
            f"customers need {_NEEDED}, a row each, and min_cell at least 1; lacking: {lacking}, min_cell: {min_cell!r}, "
            f"repeated: {int(customers.index.duplicated().sum())}"
        )
    if customers.empty:
        raise TooFewRecordsError("There is no customer to look ahead for. Use a longer history_days or another as_of.")
    numbers = [*_NEEDED, *(["usual_spend"] if "usual_spend" in customers else [])]
    missing = (~np.isfinite(customers[numbers].astype(float))).sum()
    if missing.any():
        raise DataQualityError(
            f"{int(missing.sum())} values of the customers' outlook are missing or infinite, in "
            f"{list(missing.index[missing > 0])}. Check the forecast and the cleaning of transactions."
        )
    if "chance_active" in customers and not customers["chance_active"].dropna().between(0, 1).all():
        raise ValueError("chance_active must lie between 0 and 1, or be missing")
    return customers.astype(dict.fromkeys(numbers, float))


def _labels(table: pd.DataFrame, rules: OutlookRules) -> npt.NDArray[np.str_]:
    recent, forecast = table["recent_spend"].to_numpy(), table["spend_forecast"].to_numpy()
    least, most = spent_before(table)
    below, above = _likely_ends(table, rules.sureness)
    nothing = forecast <= rules.near_zero * much_for_each(table)
    chance = table["chance_active"].to_numpy(dtype=float) if "chance_active" in table else np.full(len(table), np.nan)
    gone = (chance < rules.least_chance) | nothing
    holds = {
        SILENT: (recent <= 0) & gone,
        LEAVE: gone,
        FALL: (forecast < (1 - rules.least_change) * least) & (above < least),
        GROW: (forecast > (1 + rules.least_change) * most) & (below > most),
    }
    return np.select(list(holds.values()), list(holds), default=SAME)


def _likely_ends(table: pd.DataFrame, sureness: float) -> tuple[Floats, Floats]:
    """
    Return the values beyond which what comes lies with a chance of `sureness`: above the first, below the second.

    Where the range does not hold the forecast it tells no chance, so nothing is beyond.
    """
    reach = float(norm.ppf(sureness) / norm.ppf(_RANGE_END))
    forecast, lower, upper = (np.sqrt(table[name].to_numpy().clip(min=0)) for name in _NEEDED[1:])
    outside = (lower > forecast) | (upper < forecast)
    below = np.where(outside, -np.inf, (forecast - reach * (forecast - lower)).clip(min=0) ** 2)
    above = np.where(outside, np.inf, (forecast + reach * (upper - forecast)) ** 2)
    return below, above


def spent_before(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """
    Return the lesser and the greater of what was spent in the last period and at the own mean rate.

    Parameters
    ----------
    table : pandas.DataFrame
        ``recent_spend`` and ``usual_spend``.

    Returns
    -------
    tuple of numpy.ndarray
        Money; what returns made negative is zero.
    """
    spent = table[["recent_spend", "usual_spend"]].to_numpy(dtype=float).clip(min=0)
    return spent.min(axis=1), spent.max(axis=1)


def much_for_each(table: pd.DataFrame) -> Floats:
    """
    Return what next to nothing is reckoned from: what each customer spent before.

    Parameters
    ----------
    table : pandas.DataFrame
        ``recent_spend`` and ``usual_spend``.

    Returns
    -------
    numpy.ndarray of float
        Money; for who spent nothing the middling other's spend.
    """
    most = spent_before(table)[1]
    middling = float(np.median(most[most > 0])) if (most > 0).any() else 0.0
    much: Floats = np.where(most > 0, most, middling)
    return much


def _at_stake(table: pd.DataFrame, label: npt.NDArray[np.str_]) -> Floats:
    """Return the money each label is about, never negative."""
    forecast, (least, most) = table["spend_forecast"].to_numpy(), spent_before(table)
    moves = {LEAVE: table["usual_spend"].to_numpy() - forecast, FALL: least - forecast, GROW: forecast - most}
    stakes: Floats = np.select([label == name for name in moves], list(moves.values()), default=0.0)
    return stakes.clip(min=0)


def _by_label(
    table: pd.DataFrame, hidden: Flags | None, few_at_stake: Flags, *, min_cell: int
) -> tuple[pd.DataFrame, Flags]:
    """Sum up by label without what the table by segment hides, and tell of which labels no money at stake may be shown."""
    groups = table.groupby("label", observed=False)
    sums = groups[MONEY].agg(math.fsum).fillna(0)  # exact, so that the order of rows does not matter
    counts = groups.size().rename("customers")
    behind = table[MONEY].ne(0).groupby(table["label"], observed=False).sum()
    summed = pd.concat([counts, (counts / len(table)).rename("share"), sums], axis=1)
    summed.index = pd.Index(list(LABELS), name="label")
    gone = hidden_rows(counts, min_cell=min_cell) if hidden is None else hidden
    told = hidden_labels(summed, gone)
    told = without_small_sums(told, behind.set_axis(summed.index), hidden=gone, min_cell=min_cell)
    # at stake is the difference of two amounts: beside one of them it would tell the other
    unknown = told[["usual_spend", "spend_forecast"]].isna().any(axis=1).to_numpy()
    by_last = told["recent_spend"].isna().to_numpy() & (told.index != LEAVE)
    untold = (unknown | by_last) & np.isin(told.index, [LEAVE, FALL, GROW])
    return told.assign(at_stake=told["at_stake"].mask(untold | few_at_stake)), untold


def _by_segment(
    table: pd.DataFrame, *, min_cell: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, tuple[Flags | None, Flags]]:
    """Return customers and money by segment and label, customers by segment, and which labels' totals are hidden."""
    if "segment" not in table:
        nothing = pd.DataFrame(columns=pd.Index(LABELS, name="label"), index=pd.Index([], name="segment"), dtype=float)
        totals = pd.Series(dtype="Int64", name="customers")
        return nothing, nothing.copy(), totals, (None, np.zeros(len(LABELS), dtype=bool))
    cells = table.assign(segment=_segments(table["segment"]), staking=table["at_stake"].ne(0).astype(float))
    keys = [cells["segment"], cells["label"]]
    grouped = cells.groupby(keys, observed=False)
    counts, staking, money = (
        one.unstack(fill_value=0).fillna(0).set_axis(pd.Index(LABELS, name="label"), axis="columns")  # noqa: PD010 - a grid of both keys
        for one in (grouped.size(), grouped["staking"].sum(), grouped["at_stake"].agg(math.fsum))
    )
    order = sorted(counts.index, key=lambda name: (name == OTHER, -counts.loc[name].sum(), name))
    counts, staking, money = counts.loc[order].astype("int64"), staking.loc[order], money.loc[order]
    rows, columns = hidden_totals(counts, min_cell=min_cell)
    shown = suppressed_grid(counts.astype("Int64"), counts=counts, min_cell=min_cell)
    stakes = suppressed_grid(money, counts=staking, min_cell=min_cell).mask(shown.isna())
    totals = counts.sum(axis=1).astype("Int64").mask(rows).rename("customers")
    few_at_stake = hidden_totals(staking, min_cell=min_cell)[1].to_numpy()
    return shown, stakes, totals, (columns.to_numpy(), few_at_stake)


def _segments(segment: pd.Series) -> pd.Series:
    """Return each customer's segment as text; beyond the largest twelve they are put together."""
    names = segment.astype("str").where(segment.notna(), WITHOUT_SEGMENT)
    sizes = names.value_counts().rename_axis("name").reset_index(name="size")
    if len(sizes) <= MOST_SEGMENTS:
        return names
    largest = sizes.sort_values(["size", "name"], ascending=[False, True])["name"].head(MOST_SEGMENTS)
    return names.where(names.isin(largest), OTHER)
