"""
What the tables of a dataset look like: days, gaps, distributions, returns, for a reader who has to trust them.

Whether they keep their contract belongs in :mod:`crm_analysis.tables.verdict.check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

import pandas as pd

from crm_analysis.tables.cleaning import returns_matched
from crm_analysis.tables.datasets import Dataset
from crm_analysis.tables.quality.profile import daily_coverage, distributions, histogram, missingness
from crm_analysis.tables.snapshot import Filter
from crm_analysis.tables.sources.landing import IDS
from crm_analysis.tables.verdict.check import SPANNING

_COVERAGE = ["table", "day", "rows"]
_HISTOGRAMS = ["table", "column", "low", "high", "rows"]


@dataclass(frozen=True)
class Portrait:
    """
    What the tables of a dataset look like.

    Attributes
    ----------
    coverage : pandas.DataFrame
        ``table``, ``day``, ``rows``: every day of purchases and of cases, as they came in; missing: of too few customers to be shown.
    missing : pandas.DataFrame
        ``table``, ``column``, ``missing``, ``share``: rows without a value, as they came in; columns that the source has.
    numbers, levels, times : pandas.DataFrame
        How values are spread after cleaning, see :class:`~crm_analysis.tables.quality.profile.Distributions`, with ``table``.
    histograms : pandas.DataFrame
        ``table``, ``column``, ``low``, ``high``, ``rows`` of each numeric column after cleaning.
    returns : pandas.DataFrame
        A row: returns, how many of them match an earlier purchase, after how many days; empty without returns, all missing where they
        are of too few customers to be shown.
    """

    coverage: pd.DataFrame
    missing: pd.DataFrame
    numbers: pd.DataFrame
    levels: pd.DataFrame
    times: pd.DataFrame
    histograms: pd.DataFrame
    returns: pd.DataFrame


def portrait(dataset: Dataset, *, as_of: date, where: Filter | None = None) -> Portrait:
    """
    Describe the tables of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Opened; each table can be read.
    as_of : datetime.date
        The day at whose end the cleaned rows are known.
    where : mapping, optional
        Customer attribute to value: the cleaned rows of these customers only.

    Returns
    -------
    Portrait
        Nothing in it speaks of fewer than ``dataset.min_cell`` customers.
    """
    known = dataset.known(as_of, where=where)
    raw = {table: dataset.landed_relation(table) for table in dataset.tables}
    cleaned = {table: known.cleaned_relation(table) for table in dataset.tables}
    hidden = {table: {*dataset.private_columns(table), *IDS} for table in dataset.tables}
    cursor, least = dataset.connection, dataset.min_cell
    spread = {
        table: distributions(cursor, relation, min_cell=least, leave_out=hidden[table])
        for table, relation in cleaned.items()
    }
    missing = {
        table: _without_small(missingness(cursor, relation, leave_out=dataset.private_columns(table)), least)
        for table, relation in raw.items()
    }
    present = _stacked(missing)
    return Portrait(
        coverage=_coverage(dataset, raw),
        missing=present[present["share"] < 1].reset_index(drop=True),
        numbers=_filled(_stacked({table: one.numbers for table, one in spread.items()})),
        levels=_stacked({table: one.levels for table, one in spread.items()}),
        times=_filled(_stacked({table: one.times for table, one in spread.items()})),
        histograms=_histograms(dataset, cleaned, {table: one.numbers for table, one in spread.items()}),
        returns=_returns(dataset, cleaned),
    )


def _without_small(missing: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Leave out counts of so few rows that they may be single customers'."""
    is_small = missing["missing"].between(1, min_cell - 1)
    return missing.assign(missing=missing["missing"].mask(is_small), share=missing["share"].mask(is_small))


def _stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return tables below one another, each row with the name of its table in front."""
    named = [table.assign(table=name)[["table", *table.columns]] for name, table in tables.items() if len(table)]
    if not named:
        columns = next((list(table.columns) for table in tables.values()), [])
        return pd.DataFrame(columns=["table", *columns])
    return pd.concat(named, ignore_index=True)


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns without any value: those that the source does not have."""
    return table[table["rows"].fillna(1) > 0].reset_index(drop=True)


def _coverage(dataset: Dataset, raw: Mapping[str, str]) -> pd.DataFrame:
    days = {
        table: daily_coverage(dataset.connection, table, relation, min_cell=dataset.min_cell)
        for table, relation in raw.items()
        if table in SPANNING
    }
    stacked = _stacked({table: counted for table, counted in days.items() if len(counted)})
    return stacked if len(stacked) else pd.DataFrame(columns=_COVERAGE)


def _histograms(dataset: Dataset, cleaned: Mapping[str, str], numbers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [
        histogram(dataset.connection, cleaned[table], column, min_cell=dataset.min_cell).assign(
            table=table, column=column
        )
        for table, described in numbers.items()
        for column in _filled(described)["column"]
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[_HISTOGRAMS] if filled else pd.DataFrame(columns=_HISTOGRAMS)


def _returns(dataset: Dataset, cleaned: Mapping[str, str]) -> pd.DataFrame:
    if "transactions" not in cleaned:
        return pd.DataFrame()
    relation = cleaned["transactions"]
    row = pd.DataFrame([asdict(returns_matched(dataset.connection, relation))]).astype("float64")
    counted = dataset.connection.execute(
        f"SELECT count(DISTINCT customer_id) FROM {relation} WHERE amount < 0"
    ).fetchone()
    is_hidden = dataset.min_cell > 1 and (counted is None or counted[0] < dataset.min_cell)
    shown = row[row["rows"] > 0]
    return shown * float("nan") if is_hidden else shown


def n_customers(dataset: Dataset, *, as_of: date, where: Filter | None = None) -> int:
    """
    Count the customers that any table speaks of after cleaning.

    Parameters
    ----------
    dataset : Dataset
        Opened.
    as_of : datetime.date
        The last day known.
    where : mapping, optional
        Customer attribute to value: only these customers.

    Returns
    -------
    int
        Distinct ids.
    """
    known = dataset.known(as_of, where=where)
    ids = " UNION ALL ".join(f"SELECT customer_id FROM {known.cleaned_relation(table)}" for table in dataset.tables)
    row = dataset.connection.execute(f"SELECT count(DISTINCT customer_id) FROM ({ids})").fetchone()
    return int(row[0]) if row else 0


def frequent_levels(levels: pd.DataFrame, n_levels: int) -> pd.DataFrame:
    """
    Return the most frequent values of each text column.

    Parameters
    ----------
    levels : pandas.DataFrame
        As :class:`Portrait` has them.
    n_levels : int
        How many of each column.

    Returns
    -------
    pandas.DataFrame
        In the same order.
    """
    return levels.groupby(["table", "column"], sort=False).head(n_levels).reset_index(drop=True)
