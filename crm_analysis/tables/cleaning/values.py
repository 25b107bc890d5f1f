"""
Rules that rewrite values by a table of what becomes what: spellings, and money of other currencies.

Numbers that are merely extreme belong in :mod:`crm_analysis.tables.cleaning.outliers`, customers in
:mod:`crm_analysis.tables.cleaning.customers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from crm_analysis.errors import DataQualityError, ParamsError, listed
from crm_analysis.tables.cleaning.arguments import RATE_DECIMALS, CurrencyRates
from crm_analysis.tables.cleaning.stages import Stage, Step
from crm_analysis.tables.engine import literal
from crm_analysis.tables.schema import CANONICAL, SQL_TYPES, kind_of

_RATE_TYPE = f"DECIMAL(18, {RATE_DECIMALS})"
_WIDE_MONEY_TYPE = "DECIMAL(20, 4)"  # times a rate it fills DECIMAL(38), and cannot overflow
_SURELY_FITS = 1e13  # of the 14 digits before the point that money has
_LISTED_SPELLINGS = 3


def spelling(stage: Stage, argument: Mapping[str, Mapping[str, list[str]] | None]) -> Step:
    """
    Write each label in one way.

    Parameters
    ----------
    stage : Stage
        The table.
    argument : mapping
        Column to right spellings with their variants, or to None for folding.

    Returns
    -------
    Step
        What is changed.

    Raises
    ------
    ParamsError
        A column is missing or holds no text.

    Notes
    -----
    Folding takes labels for the same that differ in case, in surrounding or repeated white space, or in how accents are
    encoded, and writes each as its most frequent spelling among the rows given; of equally frequent ones, the first by
    alphabet (by code point). Listed variants are meant exactly as they stand.
    """
    joined, replaced, words = [], {}, []
    for number, (name, variants) in enumerate(argument.items()):
        column, alias = _text(stage, name), f"m{number}"
        query = _folded(stage, column) if variants is None else _as_listed(variants)
        mapping = stage.bench.write("spelling", f"SELECT old, new FROM ({query}) WHERE old <> new")
        joined.append(f"LEFT JOIN {mapping} AS {alias} ON {column} = {alias}.old")
        replaced[name] = f"coalesce({alias}.new, {column})"
        words.append(f"{name}: {_in_words(variants)}")
    return Step("; ".join(words), replaced=replaced, joined=" ".join(joined))


def _text(stage: Stage, name: str) -> str:
    column = stage.named(name, "spelling")
    if stage.columns[name] != "VARCHAR":
        raise ParamsError(
            f"tables.{stage.table}.cleaning.spelling: column {name} holds no text ({stage.columns[name]}). Name another."
        )
    return column


def _as_listed(variants: Mapping[str, list[str]]) -> str:
    pairs = [(old, new) for new, olds in variants.items() for old in dict.fromkeys(olds)]
    rows = ", ".join(f"({literal(old)}, {literal(new)})" for old, new in pairs)
    return f"SELECT * FROM (VALUES {rows}) AS listed(old, new)"


def _folded(stage: Stage, column: str) -> str:
    """Return the query of each spelling and the one that stands for it."""
    return f"""
        WITH spellings AS (SELECT {column} AS old, count(*) AS n FROM {stage.relation} AS t GROUP BY 1),
        tidy AS (
            SELECT old, n, trim(regexp_replace(nfc_normalize(old), '[\\s\\p{{Z}}]+', ' ', 'g')) AS spelling FROM spellings
        ),
        ways AS (SELECT spelling, lower(spelling) AS label, sum(n) AS n FROM tidy GROUP BY 1),
        chosen AS (SELECT label, spelling FROM ways QUALIFY row_number() OVER (PARTITION BY label ORDER BY n DESC, spelling) = 1)
        SELECT tidy.old AS old, chosen.spelling AS new FROM tidy JOIN chosen ON chosen.label = lower(tidy.spelling)
    """


def _in_words(variants: Mapping[str, list[str]] | None) -> str:
    if variants is None:
        return "spellings that differ in case or white space become the most frequent one"
    said = [f"{', '.join(olds)} become {new}" for new, olds in list(variants.items())[:_LISTED_SPELLINGS]]
    more = len(variants) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def currency(stage: Stage, argument: CurrencyRates) -> Step:
    """
    Express all money in the dataset's currency.

    Parameters
    ----------
    stage : Stage
        A table with money.
    argument : CurrencyRates
        The column that holds the currency, and the rates.

    Returns
    -------
    Step
        What is changed; the column then holds the dataset's currency in every row.

    Raises
    ------
    ParamsError
        There is no such column, or the rate of the dataset's own currency is not 1.
    DataQualityError
        Rows with money have no currency, or one without a rate, or the result is too large.

    Notes
    -----
    Each money column is multiplied by itself and rounded to four decimals, halves away from zero, as DECIMAL does; so an
    amount may differ from quantity times price in the last of them. Codes are read without regard to case and outer spaces.
    """
    column, own = stage.named(argument.column, "currency"), stage.context.currency
    rates = {own: Decimal(1)} | argument.rates
    if rates[own] != 1:
        raise ParamsError(
            f"tables.{stage.table}.cleaning.currency: {own} is the dataset's currency, so its rate is 1, got {rates[own]}."
        )
    declared = CANONICAL[stage.table].columns.items()
    money = [name for name, kind in declared if kind_of(kind) == "money" and name in stage.columns]
    mapping = _rates(stage, argument.column, rates, money)
    joined = f"LEFT JOIN {mapping} AS m ON {column} = m.written"
    replaced = {name: f"CASE WHEN m.rate IS NULL THEN t.{name} ELSE {_converted(name)} END" for name in money}
    replaced[argument.column] = f"CASE WHEN m.rate IS NULL THEN {column} ELSE {literal(own)} END"
    _check_size(stage, money, joined)
    told = ", ".join(f"{name} {rate.normalize():f}" for name, rate in argument.rates.items() if name != own)
    return Step(f"money is multiplied into {own}: {told}", replaced=replaced, joined=joined, is_costly=True)


def _converted(name: str) -> str:
    return f"TRY_CAST(CAST(t.{name} AS {_WIDE_MONEY_TYPE}) * m.rate AS {SQL_TYPES['money']})"


def _rates(stage: Stage, name: str, rates: Mapping[str, Decimal], money: list[str]) -> str:
    """Write each currency, as written in the rows, with its rate, but for the own; after checking that all have one."""
    column = stage.named(name, "currency")
    cases = " ".join(f"WHEN {literal(code)} THEN CAST({rate:f} AS {_RATE_TYPE})" for code, rate in rates.items())
    code = f"upper(trim(CAST({column} AS VARCHAR)))"
    has_money = " OR ".join(f"t.{column} IS NOT NULL" for column in money)
    mapping = stage.bench.write(
        "rates",
        f"SELECT * FROM (SELECT {column} AS written, {code} AS code, CASE {code} {cases} END AS rate, "
        f"count(*) FILTER (WHERE {has_money}) AS n FROM {stage.relation} AS t GROUP BY 1, 2, 3) "
        f"WHERE code IS DISTINCT FROM {literal(stage.context.currency)}",
    )
    found = stage.bench.connection.execute(
        f"SELECT CASE WHEN regexp_full_match(code, '[A-Z]{{3}}') THEN code WHEN code IS NOT NULL THEN '' END AS shown, "
        f"CAST(sum(n) AS BIGINT) AS n FROM {mapping} WHERE rate IS NULL AND n > 0 GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    names = {None: "no currency", "": "what is no currency code"}
    faults = [f"{rows:,} rows with {names.get(word, word)} in {name}" for word, rows in found]
    if faults:
        raise DataQualityError(
            f"tables.{stage.table}.cleaning.currency: {sum(rows for _, rows in found):,} of {stage.totals.rows:,} rows have "
            f"no rate:\n{listed(faults)}\nAdd rates, or repair the column.",
            faults=faults,
        )
    return mapping


def _check_size(stage: Stage, money: list[str], joined: str) -> None:
    """Raise where a converted amount would be too large for its type; rows are converted only if the largest might be."""
    largest = ", ".join(f"max(abs(t.{name}))" for name in money)
    rows = stage.bench.connection.execute(
        f"SELECT CAST(greatest({largest}) AS DOUBLE) * CAST(max(m.rate) AS DOUBLE) FROM {stage.relation} AS t {joined}"
    ).fetchone()
    if not rows or rows[0] is None or rows[0] < _SURELY_FITS:
        return
    lost = " OR ".join(f"({_converted(name)} IS NULL AND t.{name} IS NOT NULL)" for name in money)
    counted = stage.bench.connection.execute(
        f"SELECT count(*) FROM {stage.relation} AS t {joined} WHERE m.rate IS NOT NULL AND ({lost})"
    ).fetchone()
    if counted and counted[0]:
        raise DataQualityError(
            f"tables.{stage.table}.cleaning.currency: the money of {counted[0]:,} of {stage.totals.rows:,} rows is too large "
            "in the dataset's currency (14 digits before the point). Look at the rates and at these rows."
        )
