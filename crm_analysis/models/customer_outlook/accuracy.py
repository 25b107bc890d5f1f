"""
How often the labels of an outlook held: made at an earlier day, against what came.

The labels and their rules are in :mod:`crm_analysis.models.customer_outlook.labels`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from crm_analysis.models.customer_outlook.labels import (
    FALL,
    GROW,
    LABELS,
    LEAVE,
    SAME,
    SILENT,
    CustomerOutlook,
    Flags,
    OutlookRules,
    much_for_each,
    spent_before,
)
from crm_analysis.models.customer_outlook.small_sums import hidden_labels, without_small_sums
from crm_analysis.tables.privacy.suppression import hidden_rows, small, suppressed

ALL = "all"
_MEANS = {"recent_spend": "before", "usual_spend": "usual", "spend_forecast": "expected", "came": "came"}


def outlook_accuracy(outlook: CustomerOutlook, actual: pd.Series) -> pd.DataFrame:
    """
    Compare labels given at an earlier day with what came.

    Parameters
    ----------
    outlook : CustomerOutlook
        Made at the hold-out's origin, by forecasts that did not know the hold-out.
    actual : pandas.Series
        Index ``customer_id``; what each spent in the hold-out, money.

    Returns
    -------
    pandas.DataFrame
        Index ``label``, all five and ``all``; ``customers``; means of the last period (``before``), of the own mean
        (``usual``), of what was ``expected`` and of what ``came``; shares that ``fell`` or ``grew`` (by the least change beyond
        both the last period and the own mean) or ``stopped`` (spent next to nothing); ``held``: the share for which the label's
        own claim came true, its 95 % interval ``low`` to ``high``, and ``otherwise``: the share of all the other customers for
        which it did. Rows about too few customers for the
        outlook are missing, and so are means that are zero for all but too few, or would give such away.

    Notes
    -----
    Claims: *likely to leave* and *no sign of buying*: stopped; *expected to fall*: fell (who stopped fell, too); *expected to
    grow*: grew; *about as before*: neither fell nor grew. A label means something where `held` lies above `otherwise`.
    Intervals are Wilson's.

    References
    ----------
    Wilson (1927), "Probable Inference", JASA 22(158).
    """
    table = outlook.customers
    came = actual.reindex(table.index).astype(float)
    if not np.isfinite(came).all():
        raise ValueError(
            f"actual must hold a finite number for each of {len(table)} customers, lacks {int(came.isna().sum())}"
        )
    happened = _happened(table, came, outlook.rules)
    rows = {label: _accuracy_of(label, table, came, happened) for label in (*LABELS, ALL)}
    accuracy = pd.DataFrame.from_dict(rows, orient="index").rename_axis("label").astype({"customers": "int64"})
    parts, whole = accuracy.drop(index=ALL), accuracy.loc[[ALL]]
    hidden = (
        hidden_rows(parts["customers"], min_cell=outlook.min_cell) | outlook.by_label["customers"].isna().to_numpy()
    )
    known = table.assign(came=came)[list(_MEANS)].ne(0)
    behind = known.groupby(table["label"], observed=False).sum().reindex(LABELS)
    shown = without_small_sums(
        hidden_labels(parts, hidden), behind, hidden=hidden, min_cell=outlook.min_cell, columns=_MEANS
    )
    total = suppressed(whole, size="customers", min_cell=outlook.min_cell)
    few = small(known.sum(), min_cell=outlook.min_cell)
    total[[_MEANS[name] for name in known.columns[few]]] = math.nan
    return pd.concat([shown, total]).astype({"customers": "Int64"})


def _happened(table: pd.DataFrame, came: pd.Series, rules: OutlookRules) -> dict[str, Flags]:
    """Return who fell, grew or stopped, and by label for whom its claim came true."""
    least, most = spent_before(table)
    spent = came.to_numpy()
    stopped = spent <= rules.near_zero * much_for_each(table)
    fell, grew = spent < (1 - rules.least_change) * least, (spent > (1 + rules.least_change) * most) & ~stopped
    events = {"fell": fell, "grew": grew, "stopped": stopped}
    return events | {LEAVE: stopped, SILENT: stopped, FALL: fell, GROW: grew, SAME: ~fell & ~grew}


def _accuracy_of(label: str, table: pd.DataFrame, came: pd.Series, happened: dict[str, Flags]) -> dict[str, float]:
    among = np.ones(len(table), dtype=bool) if label == ALL else (table["label"] == label).to_numpy()
    row: dict[str, float] = {"customers": int(among.sum())}
    money = table.assign(came=came)
    row |= {name: _mean(money[column].to_numpy()[among]) for column, name in _MEANS.items()}
    row |= {event: _mean(happened[event][among]) for event in ("fell", "grew", "stopped")}
    if label == ALL or not among.any():
        return row | dict.fromkeys(["held", "low", "high", "otherwise"], math.nan)
    held = happened[label]
    ends = binomtest(int(held[among].sum()), int(among.sum())).proportion_ci(method="wilson")
    low, high = float(ends.low), float(ends.high)
    return row | {"held": _mean(held[among]), "low": low, "high": high, "otherwise": _mean(held[~among])}


def _mean(values: npt.ArrayLike) -> float:
    """Return the mean, whatever the order; of nobody it is missing."""
    numbers = np.asarray(values, dtype=float)
    return math.fsum(numbers) / len(numbers) if len(numbers) else math.nan
