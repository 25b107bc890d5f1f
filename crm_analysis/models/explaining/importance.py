"""
What a forecast leans on: how much worse it gets when a group of features is shuffled among customers.

That tells what the model uses, not what makes customers buy. How the forecast moves along a feature is in
:mod:`crm_analysis.models.explaining.dependence`, how good it is in :mod:`crm_analysis.models.evaluation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm_analysis.models.evaluation.measures import Floats
from crm_analysis.models.evaluation.resampling import N_RESAMPLES, percentile_interval
from crm_analysis.models.explaining.dependence import (
    MAX_CUSTOMERS,
    Predict,
    Whole,
    checked_forecasts,
    content_codes,
    plain_words,
)

CARRIES, WITHIN_CHANCE, HARMS, TOO_FEW = "carries the forecast", "within chance", "better without", "too few customers"
MIN_CUSTOMERS = 20
CLOSE = 0.9
_N_NAMED = 2
_N_TOLD = 3
_DUST = 1e-9  # of the error: differences below are rounding
_SURE = 1e-6  # a probability nearer to 0 or 1 counts as this, or one case would outweigh all others

Loss = Literal["rmse", "log_loss"]


def permutation_importance(
    predict: Predict,
    features: pd.DataFrame,
    actual: npt.ArrayLike,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    customers: npt.ArrayLike | None = None,
    loss: Loss = "rmse",
    seed: int,
    n_repeats: int = 10,
    max_rows: int = MAX_CUSTOMERS,
    min_cell: int = 1,
) -> pd.DataFrame:
    """
    Return how much a forecast's error grows when a group of features is shuffled among rows of a later period.

    Parameters
    ----------
    predict : callable
        Takes a table like `features`, returns a forecast a row; fitted on earlier origins.
    features : pandas.DataFrame
        A row a customer of the hold-out, or several rows a customer; `max_rows` are drawn when there are more.
    actual : array-like of float, shape (n_rows,)
        What came; 0 or 1 for ``log_loss``.
    groups : mapping of str to sequence of str, optional
        Columns that are shuffled together, by what they mean; default :func:`grouped`. Columns in none stay as they are.
    customers : array-like, shape (n_rows,), optional
        Whose row each is, where a customer has several; default: each row is a customer of its own.
    loss : str
        ``rmse``, or ``log_loss`` of probabilities.
    seed : int
        Start of everything random.
    n_repeats : int
        Times that every group is shuffled.
    max_rows : int
        Most rows that are asked about.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    pandas.DataFrame
        A row a group, largest first: ``group``, ``columns`` (how many), ``increase`` (of the loss; the RMSE's is in
        the target's unit), its ``share`` of the loss and the share's 95 % interval ``low`` to ``high``; ``reading``: ``carries the forecast``,
        ``within chance``, ``better without`` or, with fewer than 20 customers and no figures, ``too few customers``. A
        forecast without error has no share.

    Notes
    -----
    Squared errors are averaged over the repeats before the root is taken. The interval is over resampled customers (with all
    their rows) and resampled repeats, one group at a time: of twenty groups that mean nothing, one lies outside chance. All groups are
    shuffled by the same draws, made on rows in the order of their content, so that neither the order of rows, columns or
    groups nor any name matters. Shuffled rows may combine what no customer combines where groups are still related; what
    two groups both tell is credited to neither in full.

    References
    ----------
    Breiman (2001), "Random Forests", Machine Learning 45. Fisher, Rudin, Dominici (2019), "All models are wrong, but many
    are useful", JMLR 20(177). Hooker, Mentch, Zhou (2021), "Unrestricted permutation forces extrapolation", Statistics and
    Computing 31.

    Examples
    --------
    >>> features = pd.DataFrame({"spend": np.arange(40.0), "tenure_days": np.tile([5.0, 9.0], 20)})
    >>> table = permutation_importance(lambda rows: rows["spend"] + 1, features, np.arange(40.0), seed=0)
    >>> table[["group", "reading"]].to_numpy().tolist()
    [['how much over the history', 'carries the forecast'], ['days since the first purchase', 'within chance']]
    """
    if n_repeats < 1:
        raise ValueError(f"n_repeats must be at least 1, got {n_repeats!r}")
    parts = _checked(grouped(features) if groups is None else groups, features)
    draws = np.random.default_rng(seed)
    frame, truth, owner = _in_own_order(
        features, _actual(actual, features), _owners(customers, features), draws, max_rows=max_rows
    )
    n_customers = len(np.unique(owner))
    if n_customers < max(MIN_CUSTOMERS, min_cell):
        return _table([(name, len(columns), *[math.nan] * 4, TOO_FEW) for name, columns in parts.items()])
    base = _losses(predict, frame, truth, loss=loss)
    orders = [draws.permutation(len(frame)) for _ in range(n_repeats)]
    drawn = np.array([_times(n_customers, draws) for _ in range(N_RESAMPLES)])
    drawn = drawn[:, owner] / (drawn @ np.bincount(owner))[:, None]
    repeats = np.array([_times(n_repeats, draws) for _ in range(N_RESAMPLES)])
    rows = []
    for name, columns in parts.items():
        shuffled = (_shuffled(frame, columns, order) for order in orders)
        losses = np.array([_losses(predict, table, truth, loss=loss) for table in shuffled])
        rows.append((name, len(columns), *_growth(base, losses, drawn, repeats, rooted=loss == "rmse")))
    return _table(rows)


def grouped(features: pd.DataFrame, *, closer_than: float = CLOSE) -> dict[str, list[str]]:
    """
    Put columns together that say nearly the same, so that none stands in for another that is shuffled.

    Parameters
    ----------
    features : pandas.DataFrame
        A row a customer.
    closer_than : float
        Rank correlation, of either sign, above which two columns belong together.

    Returns
    -------
    dict of str to list of str
        Columns by a name in plain words. No column is so close to one of another group; within a group, two may be linked by
        a third only. Columns of text and constant ones stand alone.

    Examples
    --------
    >>> grouped(pd.DataFrame({"spend": [1.0, 5.0, 9.0], "frequency": [1, 2, 3], "recency_days": [4, 9, 2]}))
    {'how much over the history, how often over the history': ['spend', 'frequency'], 'days since the last purchase': ['recency_days']}
    """
    columns = [str(name) for name in features.columns]
    ranks = features.select_dtypes(["number", "bool", "datetime"]).rank()
    ranks = ranks.loc[:, ranks.min() < ranks.max()]
    close = (ranks.corr().abs() > closer_than).reindex(index=columns, columns=columns, fill_value=False).to_numpy()
    waiting, found = list(range(len(columns))), []
    while waiting:
        group = [waiting.pop(0)]
        for member in group:  # grows while it is walked through
            linked = [other for other in waiting if close[member, other]]
            group += linked
            waiting = [other for other in waiting if other not in linked]
        found.append([columns[at] for at in sorted(group)])
    return {_named(group): group for group in found}


def importance_in_words(importance: pd.DataFrame) -> list[str]:
    """
    Say what the forecast leans on.

    Parameters
    ----------
    importance : pandas.DataFrame
        As :func:`permutation_importance` returns it.

    Returns
    -------
    list of str
        Plain sentences.
    """
    if importance["reading"].eq(TOO_FEW).all():
        return ["What the forecast leans on is not told: the hold-out has too few customers."]
    by = {reading: importance[importance["reading"] == reading] for reading in (CARRIES, WITHIN_CHANCE, HARMS)}
    said = [_leans_on(by[CARRIES]), *_largest_by_chance(importance)]
    if len(by[WITHIN_CHANCE]):
        said.append(f"Within chance: {_listed(by[WITHIN_CHANCE]['group'])}.")
    if len(by[HARMS]):
        said.append(f"The forecast was better without: {_listed(by[HARMS]['group'])}.")
    return [*said, "This is what the model uses, not what makes customers buy."]


def _leans_on(carrying: pd.DataFrame) -> str:
    """Name the three groups that carry most beyond chance, with their shares where the error has any."""
    if carrying.empty:
        return "No group of features carries the forecast beyond chance when it is shuffled among later customers."
    told = "; ".join(_with_share(row) for _, row in carrying.head(_N_TOLD).iterrows())
    more = f"; and {len(carrying) - _N_TOLD} more" if len(carrying) > _N_TOLD else ""
    return f"On later customers the error (RMSE) grows beyond chance when these are shuffled, most first: {told}{more}."


def _largest_by_chance(importance: pd.DataFrame) -> list[str]:
    """Name the group with the largest growth where that lies within chance."""
    largest = importance.sort_values("increase", ascending=False, kind="stable").iloc[0]
    if largest["reading"] != WITHIN_CHANCE or not largest["increase"] > 0:
        return []
    return [f"It grows most, though within chance, for {_with_share(largest)}."]


def _with_share(row: pd.Series) -> str:
    """Name a group, with its share and the share's interval where the error has any."""
    share, low, high = (float(row[name]) for name in ("share", "low", "high"))
    ends = f" (by {_percent(share)}; {_percent(low)} to {_percent(high)})" if math.isfinite(share) else ""
    return f"“{row['group']}”{ends}"


def _percent(share: float) -> str:
    """Return a share in whole percent, with a decimal below ten so that little is not none."""
    text = f"{share:.1%}" if abs(share) < 0.0995 else f"{share:.0%}"
    return text.replace("-0.0%", "0.0%")


def _listed(names: pd.Series) -> str:
    return "; ".join(f"“{name}”" for name in names)


def _named(group: Sequence[str]) -> str:
    """Name a group after its first columns."""
    words = [plain_words(name) for name in group[:_N_NAMED]]
    more = len(group) - len(words)
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def _checked(groups: Mapping[str, Sequence[str]], features: pd.DataFrame) -> dict[str, list[str]]:
    """Return the groups if each column is there, once."""
    parts = {str(name): [str(column) for column in columns] for name, columns in groups.items()}
    every = [column for columns in parts.values() for column in columns]
    unknown = [column for column in every if column not in features]
    twice = sorted({column for column in every if every.count(column) > 1})
    empty = [name for name, columns in parts.items() if not columns]
    if unknown or twice or empty or not parts:
        raise ValueError(
            f"groups must hold columns of features, each once; unknown: {unknown[:5]}, twice: {twice[:5]}, without "
            f"columns: {empty[:5]}, groups: {len(parts)}"
        )
    return parts


def _actual(actual: npt.ArrayLike, features: pd.DataFrame) -> Floats:
    truth = np.asarray(actual, dtype=float)
    if truth.shape != (len(features),) or not np.isfinite(truth).all():
        raise ValueError(f"actual must be {len(features)} finite numbers, one a row of features, got {truth.shape}")
    return truth


def _owners(customers: npt.ArrayLike | None, features: pd.DataFrame) -> Whole:
    """Return a number for each row's customer."""
    if customers is None:
        return np.arange(len(features))
    codes, _ = pd.factorize(np.asarray(customers))
    if len(codes) != len(features):
        raise ValueError(f"customers must be {len(features)}, one a row of features, got {len(codes)}")
    return np.asarray(codes, dtype=np.intp)


def _in_own_order(
    features: pd.DataFrame, truth: Floats, owner: Whole, draws: np.random.Generator, *, max_rows: int
) -> tuple[pd.DataFrame, Floats, Whole]:
    """Order rows by their content, whatever their names, and draw from them where there are many."""
    names = sorted(features.columns, key=str, reverse=True)
    keys: list[Floats | Whole] = [truth, *(content_codes(features[name]) for name in names)]
    order = np.lexsort(keys)
    if len(np.unique(owner)) < len(owner):  # alike rows of different customers: by what else the customers have
        order = np.lexsort([_likeness(keys, order, owner), *keys])
    if len(order) > max_rows:
        order = order[np.sort(draws.choice(len(order), max_rows, replace=False))]
    return features.iloc[order], truth[order], pd.factorize(owner[order])[0]


def _likeness(keys: Sequence[Floats | Whole], order: Whole, owner: Whole) -> Whole:
    """Return for each row the place of its customer by all of the customer's rows; those who are alike may change places."""
    differs = np.any([np.diff(np.asarray(key)[order]) != 0 for key in keys], axis=0)
    content = np.concatenate([[0], np.cumsum(differs)])
    held = pd.Series(content).groupby(owner[order]).agg(tuple)
    places = {customer: place for place, customer in enumerate(sorted(held.index, key=held.to_dict().__getitem__))}
    return np.asarray([places[customer] for customer in owner], dtype=np.intp)


def _shuffled(frame: pd.DataFrame, columns: Sequence[str], order: Whole) -> pd.DataFrame:
    """Return a table in which some columns, together, are another customer's."""
    return frame.assign(**{name: frame[name].array.take(order) for name in columns})


def _losses(predict: Predict, frame: pd.DataFrame, truth: Floats, *, loss: Loss) -> Floats:
    """Return each row's squared error, or its negative log-likelihood."""
    forecasts = checked_forecasts(predict, frame)
    if loss == "rmse":
        return np.asarray((forecasts - truth) ** 2)
    sure = np.clip(forecasts, _SURE, 1 - _SURE)
    return np.asarray(-np.log(np.where(truth == 1, sure, 1 - sure)))


def _times(n: int, draws: np.random.Generator) -> Floats:
    """Return how often each of n is drawn, as a share."""
    return np.bincount(draws.integers(n, size=n), minlength=n) / n


def _growth(
    base: Floats, losses: Floats, customers: Floats, repeats: Floats, *, rooted: bool
) -> tuple[float, float, float, float, str]:
    """Return the increase of the loss, its share, the share's interval, and the reading."""
    final = np.sqrt if rooted else np.asarray
    before, after = float(final(base.mean())), float(final(losses.mean()))
    # no matrix product: its threads cost more than they bring at this size
    mean = np.einsum("ri,bi,br->b", losses, customers, repeats, optimize=["einsum_path", (0, 1), (0, 1)])
    shuffled, own = final(mean), final(np.einsum("i,bi->b", base, customers))
    low, high = percentile_interval(shuffled - own)
    dust = _DUST * max(before, after)
    reading = CARRIES if low > dust else HARMS if high < -dust else WITHIN_CHANCE
    if not before > 0:
        return after - before, math.nan, math.nan, math.nan, reading
    ends = percentile_interval((shuffled - own) / np.where(own > 0, own, np.nan))
    return after - before, (after - before) / before, *ends, reading


def _table(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["group", "columns", "increase", "share", "low", "high", "reading"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["increase", "group"], ascending=[False, True], ignore_index=True)
