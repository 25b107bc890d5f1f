"""
Lifts: how much more of its spend a group gives to a category than all customers do.

What groups are called for it is in ``naming``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crm_analysis.models.segmentation.preparing.straightening import Floats
from crm_analysis.tables.privacy.suppression import hidden_totals, small, suppressed_grid

COLUMNS = ("share_of_group", "share_of_all", "lift", "lift_low", "lift_high", "buyers", "share_buying", "weight")
N_RESAMPLES = 200
_BLOCKS = 2_000
_LEVEL = 0.95


def category_lifts(spend: pd.DataFrame, groups: pd.Series, *, seed: int) -> pd.DataFrame:
    """
    Compare what each group buys with what all customers buy.

    Parameters
    ----------
    spend : pandas.DataFrame
        Money by customer and category, not negative.
    groups : pandas.Series
        A group per customer, same index.
    seed : int
        Start of the resampling.

    Returns
    -------
    pandas.DataFrame
        A row per group and category: ``group``, ``category``; ``share_of_group`` and ``share_of_all``, shares of spend; ``lift``,
        the first over the second, with ``lift_low`` and ``lift_high``, its 95 % bootstrap interval; ``buyers``, customers of the
        group who buy it, and ``share_buying``, their share of the group; ``weight``, how much the category sets the group apart.
        Within a group the largest weight first. Small cells are in it: :func:`shown_lifts` takes them out.

    Notes
    -----
    ``weight = (share_of_group - share_of_all) * log(lift)`` is the category's part of Jeffreys' divergence between the two baskets:
    a rare category with a high lift and a large one with a lift near 1 both count little. For the interval customers are drawn
    anew, group by group; beyond 2,000 customers whole random blocks of them are, which changes nothing but the time it takes.

    References
    ----------
    Jeffreys (1946), "An invariant form for the prior probability in estimation problems", for the divergence.

    Examples
    --------
    >>> spend = pd.DataFrame({"tea": [3.0, 3.0, 0.0], "rice": [1.0, 1.0, 4.0]})
    >>> table = category_lifts(spend, pd.Series(["a", "a", "b"]), seed=0)
    >>> table[["group", "category", "share_of_group", "share_of_all", "lift"]].round(2).iloc[:2].to_numpy().tolist()
    [['a', 'rice', 0.25, 0.5, 0.5], ['a', 'tea', 0.75, 0.5, 1.5]]
    """
    names, numbers = np.unique(groups.to_numpy(dtype=object).astype(str), return_inverse=True)
    money = spend.to_numpy(dtype=float)
    sizes = np.bincount(numbers, minlength=len(names))
    buyers = np.stack([(money[numbers == number] > 0).sum(axis=0) for number in range(len(names))])
    sums = np.stack([money[numbers == number].sum(axis=0) for number in range(len(names))])
    of_group, of_all = _shares(sums), _shares(sums.sum(axis=0, keepdims=True))
    lift = _ratio(of_group, of_all)
    low, high = _intervals(money, numbers, len(names), seed=seed)
    figures = np.stack(
        [
            of_group,
            np.broadcast_to(of_all, lift.shape),
            lift,
            low,
            high,
            buyers,
            buyers / sizes[:, None],
            _weight(of_group, of_all),
        ]
    )
    table = pd.DataFrame(figures.reshape(len(COLUMNS), -1).T, columns=list(COLUMNS))
    table.insert(0, "category", np.tile(spend.columns.to_numpy(dtype=object), len(names)))
    table.insert(0, "group", np.repeat(names, money.shape[1]))
    return _ordered(table.astype({"group": "str", "category": "str", "buyers": "Int64"}))


def shown_lifts(lifts: pd.DataFrame, *, min_cell: int, complementary: bool = True) -> pd.DataFrame:
    """
    Take the figures about too few customers out of a table of lifts.

    Parameters
    ----------
    lifts : pandas.DataFrame
        From :func:`category_lifts`, of all groups.
    min_cell : int
        Least number of customers of a group who buy a category.
    complementary : bool
        Whether cells that would give a small one away are hidden too: for whatever shows figures.

    Returns
    -------
    pandas.DataFrame
        Same rows; hidden ones without figures, last in their group. A category whose total would give cells away is hidden in
        all groups.
    """
    if min_cell == 1:
        return lifts.copy()
    if complementary:
        counts = lifts.set_index(["group", "category"])["buyers"].unstack()  # noqa: PD010 - each pair is there once
        _, categories = hidden_totals(counts, min_cell=min_cell)
        cells = suppressed_grid(counts.astype(float), counts=counts, min_cell=min_cell).isna()
        cells.loc[:, categories] = True
        rows, columns = (
            cells.index.get_indexer(pd.Index(lifts["group"])),
            cells.columns.get_indexer(pd.Index(lifts["category"])),
        )
        hidden = cells.to_numpy(dtype=bool)[rows, columns]
    else:
        hidden = small(lifts["buyers"], min_cell=min_cell)
    return _ordered(lifts.assign(**{name: lifts[name].mask(hidden) for name in COLUMNS}))


def _ordered(lifts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by group and falling weight; sums in another order must not swap equal ones."""
    keyed = lifts.assign(order=-lifts["weight"].round(12))
    keyed = keyed.sort_values(["group", "order", "category"], na_position="last", ignore_index=True)
    return keyed.drop(columns="order")


def _shares(sums: Floats) -> Floats:
    """Return the shares of each row's sum; NaN where it is zero."""
    totals = sums.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0), dtype=float)


def _ratio(of_group: Floats, of_all: Floats) -> Floats:
    """Return lifts; NaN where nobody buys the category."""
    whole = np.broadcast_to(of_all, of_group.shape)
    return np.asarray(np.divide(of_group, whole, out=np.full_like(of_group, np.nan), where=whole > 0), dtype=float)


def _weight(of_group: Floats, of_all: Floats) -> Floats:
    """Return the parts of Jeffreys' divergence; a share of nothing counts as a thousandth of all customers'."""
    lift = np.maximum(_ratio(of_group, of_all), 1e-3)
    return np.asarray((of_group - of_all) * np.log(lift), dtype=float)


def _intervals(money: Floats, numbers: NDArray[np.intp], n_groups: int, *, seed: int) -> tuple[Floats, Floats]:
    """Return the ends of the lifts' bootstrap intervals."""
    rng = np.random.default_rng(seed)
    sums = np.zeros((N_RESAMPLES, n_groups, money.shape[1]))
    for number in range(n_groups):
        blocks = _blocks(money[numbers == number], rng)
        drawn = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=N_RESAMPLES)
        sums[:, number] = drawn @ blocks
    lifts = _ratio(_shares(sums), _shares(sums.sum(axis=1, keepdims=True)))
    tail = (1 - _LEVEL) / 2
    bought = ~np.isnan(lifts).any(axis=0)
    low, high = np.full(bought.shape, np.nan), np.full(bought.shape, np.nan)
    low[bought], high[bought] = np.quantile(lifts[:, bought], [tail, 1 - tail], axis=0)
    return low, high


def _blocks(money: Floats, rng: np.random.Generator) -> Floats:
    """Return customers, or the sums of as many random blocks of them as can be drawn quickly."""
    if len(money) <= _BLOCKS:
        return money
    place = rng.permutation(len(money)) % _BLOCKS
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(_BLOCKS))
    return np.asarray(np.add.reduceat(money[order], starts, axis=0), dtype=float)
