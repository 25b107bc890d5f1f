"""
What the dataset file may say of each cleaning rule: one type a rule, read strictly.

What a rule does with its arguments belongs to the module of its kind.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

import duckdb
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from crm_analysis.tables.workspace import did_you_mean

RATE_DECIMALS = 12
RATE_DIGITS = 18


class _Argument(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _as_written(value: Any) -> Any:
    """Return a flag or a whole number of the file as the text that a column holds."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _day(value: Any) -> Any:
    """Return a day that was written as text, in quotes, as a date."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day; write it as 2000-12-31") from None


def _rate(value: Any) -> Any:
    """Return a rate exactly as written: 0.92 is no binary fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError("is no number") from None


def _known_zone(name: str) -> str:
    known = available_timezones() - {"localtime"}
    if name not in known:
        raise ValueError(f"is no IANA time zone{did_you_mean(name, known)}")
    return name


def _pattern(pattern: str) -> str:
    try:
        with duckdb.connect() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern]).fetchone()
    except duckdb.Error:
        raise ValueError("is no regular expression of RE2") from None
    return pattern


def _fold_or_mapping(value: Any) -> Any:
    """Return None for ``fold``, and a mapping as it is."""
    if value == "fold":
        return None
    if isinstance(value, dict):
        return value
    raise ValueError("is either fold, or right spellings with their variants ({Books: [books, BOOK]})")


def _unambiguous(mapping: dict[str, list[str]] | None) -> dict[str, list[str]] | None:
    """Refuse a variant that would become two things, or that is itself a right spelling."""
    variants = Counter(variant for listed in (mapping or {}).values() for variant in set(listed))
    twice = [variant for variant, times in variants.items() if times > 1]
    chained = [right for right in mapping or {} if right in variants and right not in (mapping or {})[right]]
    if twice:
        raise ValueError(f"names {twice[0]!r} as a variant of two spellings")
    if chained:
        raise ValueError(f"has {chained[0]!r} both as a right spelling and as a variant of another")
    return mapping


Text = Annotated[str, Field(min_length=1)]
ColumnName = Annotated[str, Field(min_length=1, pattern=r"^[^_]")]  # what begins with _ is private
Day = Annotated[date, BeforeValidator(_day)]
Rate = Annotated[Decimal, BeforeValidator(_rate), Field(gt=0, max_digits=RATE_DIGITS, decimal_places=RATE_DECIMALS)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Pattern = Annotated[Text, AfterValidator(_pattern)]
Texts = Annotated[list[Text], BeforeValidator(_as_list), Field(min_length=1)]
Values = Annotated[list[Annotated[str, BeforeValidator(_as_written)]], Field(min_length=1)]
Spellings = Annotated[
    Annotated[dict[Text, Texts], Field(min_length=1)] | None,
    AfterValidator(_unambiguous),
    BeforeValidator(_fold_or_mapping),
]
DropOrKeep = Literal["drop", "keep"]


class Nothing(_Argument):
    """A rule without arguments: ``{}``."""


class CancelledInvoices(_Argument):
    """How a cancelled invoice is told: by the beginning of its number, or by a column's values."""

    prefix: Text | None = None
    column: ColumnName | None = None
    values: Values | None = None
    treatment: DropOrKeep = "drop"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.column is None) != (self.values is None) or (self.prefix is None) == (self.column is None):
            raise ValueError("needs either prefix, or column with values")
        return self


class NonProductLines(_Argument):
    """How a line that sells no product is told: by its product id, or by a regular expression found in it."""

    product_ids: Annotated[list[Text], Field(min_length=1)] | None = None
    pattern: Pattern | None = None
    treatment: DropOrKeep = "drop"

    @model_validator(mode="after")
    def _any_way(self) -> Self:
        if self.product_ids is None and self.pattern is None:
            raise ValueError("needs product_ids, pattern or both")
        return self


class ImpossibleDates(_Argument):
    """The first and the last day that a row may be dated, both inclusive."""

    earliest: Day | None = None
    latest: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.earliest and self.latest and self.earliest > self.latest:
            raise ValueError(f"has earliest ({self.earliest}) after latest ({self.latest})")
        return self


class Outliers(_Argument):
    """Which column, what is done, and the share of each sign that counts as extreme."""

    column: ColumnName
    treatment: Literal["winsorise", "flag"]
    share: Annotated[float, Field(gt=0, lt=0.5)] = 0.001


class CurrencyRates(_Argument):
    """Which column holds the currency, and what one unit of each is worth in the dataset's."""

    column: ColumnName
    rates: Annotated[dict[CurrencyCode, Rate], Field(min_length=1)]


class TimeZoneOf(_Argument):
    """The zone in which the times were written, or the column that names it."""

    zone: Zone | None = None
    column: ColumnName | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"zone": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.zone is None) == (self.column is None):
            raise ValueError("needs either a zone (Europe/Berlin) or a column ({column: …})")
        return self


class MergeCustomers(_Argument):
    """The file of the mapping, and its columns with the old and the surviving id."""

    files: Texts
    old: Annotated[Text, Field(alias="from")]
    new: Annotated[Text, Field(alias="to")]


class MissingValues(_Argument):
    """Which columns a row must have a value in."""

    columns: Annotated[list[ColumnName], Field(min_length=1)]


class OneRowPerKey(_Argument):
    """Which column orders the rows of a key, and which end of the order is kept."""

    by: ColumnName
    keep: Literal["last", "first"] = "last"


class Arguments(_Argument):
    """The ``cleaning:`` of a table; a rule that is not named is None and not applied."""

    drop_exact_duplicates: Nothing | None = None
    drop_missing_customers: Nothing | None = None
    drop_missing_values: MissingValues | None = None
    one_row_per_key: OneRowPerKey | None = None
    unreadable_values: Literal["drop", "null"] | None = None
    returns: Literal["net", "drop", "keep"] | None = None
    cancelled_invoices: CancelledInvoices | None = None
    non_product_lines: NonProductLines | None = None
    zero_prices: DropOrKeep | None = None
    negative_prices: DropOrKeep | None = None
    impossible_dates: ImpossibleDates | None = None
    time_zone: TimeZoneOf | None = None
    currency: CurrencyRates | None = None
    outliers: Outliers | None = None
    spelling: Annotated[dict[ColumnName, Spellings], Field(min_length=1)] | None = None
    merge_customers: MergeCustomers | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, argument: Any) -> Any:
        if argument is None:
            raise ValueError("is left empty; write its argument, or {} where it has none")
        return argument
