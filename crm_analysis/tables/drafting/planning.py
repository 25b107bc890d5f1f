"""
The decisions on one table of a first dataset file, from a sample of its files to a plan.

What a plan holds belongs in :mod:`crm_analysis.tables.drafting.plans`, its YAML in :mod:`crm_analysis.tables.drafting.draft`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from crm_analysis.tables.drafting.matching import Match, is_sure, matches, misfit, time_columns, useful_columns
from crm_analysis.tables.drafting.personal import personal_columns
from crm_analysis.tables.drafting.plans import TablePlan, shown
from crm_analysis.tables.drafting.profiles import Profile, profiles
from crm_analysis.tables.drafting.queries import flag_repair, is_foreign_flag, plan_query
from crm_analysis.tables.drafting.repairs import proposed_rules
from crm_analysis.tables.drafting.samples import Sample
from crm_analysis.tables.drafting.settings import number_format, stripped
from crm_analysis.tables.drafting.vocabulary import words
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import CANONICAL

_EPOCH_UNITS = {"seconds": 1_000_000, "milliseconds": 1_000}  # microseconds
_ID_WORDS = frozenset({"id", "no", "nr", "number", "nummer", "key", "code", "uid", "ref", "编号"})
_OUTCOMES = frozenset({"due_at", "sla_met", "satisfaction"})
_FEW = 5  # names shown in a comment


def plan_table(samples: Sequence[Sample]) -> TablePlan:
    """
    Plan the table that files with the same columns make.

    Parameters
    ----------
    samples : sequence of Sample
        One a file.

    Returns
    -------
    TablePlan
        With its doubts.
    """
    first = samples[0]
    every = Sample(**{**vars(first), "rows": tuple(row for sample in samples for row in _rows(sample, first.names))})
    described = profiles(every)
    personal = personal_columns(every)
    usable = {name: profile for name, profile in described.items() if name not in personal}
    found = matches(usable, stem=" ".join(sample.path.name.split(".")[0] for sample in samples))
    plan = TablePlan(found[0], tuple(sample.path for sample in samples), usable, personal)
    _note_table(plan, found)
    plan.doubts += [doubt for sample in samples for doubt in sample.doubts]
    _note_columns(plan)
    _keep_others(plan)
    repairs = _plan_format(plan, samples)
    plan_query(plan, repairs)
    plan.cleaning = proposed_rules(plan.match, usable, every)
    return plan


def _rows(sample: Sample, names: tuple[str, ...]) -> Sequence[tuple[str | None, ...]]:
    """Return a sample's rows with the columns in a given order."""
    if sample.names == names:
        return sample.rows
    places = [sample.names.index(name) for name in names]
    return [tuple(row[place] for place in places) for row in sample.rows]


def _note_table(plan: TablePlan, found: Sequence[Match]) -> None:
    names = _file_names(plan)
    other = found[1].table
    if plan.match.missing:
        plan.doubt(
            "table", "recognised only in part", f"{names}: not surely recognised as any table; taken as {plan.table}."
        )
    elif not is_sure(found):
        plan.doubt("table", f"could be {other}", f"{names}: taken as {plan.table}, but it could be {other} too.")
    for column in plan.match.missing:
        fitting = _candidates(plan, column)
        hint = f"; could be {', '.join(fitting)}" if fitting else ""
        plan.remarks[f"missing.{column}"] = f"FILL IN: {CANONICAL[plan.table].columns[column].description}{hint}"
        plan.doubts.append(
            f"{plan.table}.{column}: no column of {names} was recognised as it, and the table needs it{hint}."
        )


def _file_names(plan: TablePlan) -> str:
    names = [path.name for path in plan.files]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _candidates(plan: TablePlan, column: str) -> list[str]:
    """Return the columns left over whose content fits a required column that was not found."""
    left = [profile for name, profile in plan.columns.items() if name not in plan.match.columns.values()]
    fitting = [profile for profile in left if profile.n and misfit(profile, column, plan.table) is None]
    if column.endswith("_id"):
        ids = [
            profile for profile in fitting if profile.distinct > 2 and not profile.times and not profile.has_fractions
        ]
        likely = sorted(ids, key=lambda profile: not _ID_WORDS & set(words(profile.name)))
        addresses = [name for name, kind in plan.personal.items() if kind == "e-mail" and column == "customer_id"]
        names = [*addresses, *(profile.name for profile in likely)]
    else:
        names = [profile.name for profile in sorted(fitting, key=_is_plain) if not profile.is_flag]
    return [repr(shown(name)) for name in names[:_FEW]]


def _is_plain(profile: Profile) -> bool:
    """Say whether numbers lack fractions, as amounts rarely do."""
    return not profile.has_fractions


def _note_columns(plan: TablePlan) -> None:
    match, table = plan.match, plan.table
    for column, others in match.rivals.items():
        named = " or ".join(repr(shown(name)) for name in others[:_FEW])
        plan.doubt(
            f"columns.{column}",
            f"or {named}",
            f"{table}.{column}: {_source(plan, column)} is taken; it could be {named} too.",
        )
    for column, (name, reason) in match.misfits.items():
        plan.doubts.append(f"{table}.{column}: {shown(name)!r} sounds like it, but holds {reason}; it is not taken.")
    for column in time_columns(match):
        _note_times(plan, column)
    _note_amounts(plan)
    _note_outcomes(plan)
    _note_keys(plan)


def _source(plan: TablePlan, column: str) -> str:
    return repr(shown(plan.match.columns[column]))


def _note_times(plan: TablePlan, column: str) -> None:
    times = plan.columns[plan.match.columns[column]].times
    if times is None:
        return
    where, key = f"{plan.table}.{column} ({_source(plan, column)})", f"format.dates.{column}"
    if times.proof and times.written:
        plan.remarks[key] = times.proof
    if times.other:
        plan.doubt(
            key,
            f"or {times.other}",
            f"{where}: day and month cannot be told apart; read as {times.written}, it could be {times.other}.",
        )
    for doubt in times.doubts:
        plan.doubt(key if times.written else f"columns.{column}", doubt.split(":")[0], f"{where}: {doubt}.")


def _note_amounts(plan: TablePlan) -> None:
    taken = plan.match.columns
    if plan.table == "transactions" and "amount" in taken:
        amount = plan.columns[taken["amount"]]
        priced = "price" in words(amount.name) or "preis" in words(amount.name)
        if priced and "quantity" not in taken:
            plan.doubt(
                "columns.amount", "a price without a quantity", f"transactions.amount: {_source(plan, 'amount')} sounds like a "
                "price a unit, but no quantity was found; it is taken as the amount of the line.",
            )  # fmt: skip
    if "discount" in taken and plan.columns[taken["discount"]].negative_share > 0:
        plan.doubt(
            "columns.discount", "negative", f"{plan.table}.discount: {_source(plan, 'discount')} holds negative numbers; a "
            "discount is money taken off, positive.",
        )  # fmt: skip


def _note_outcomes(plan: TablePlan) -> None:
    """Doubt cases of which nothing says how they ended."""
    if plan.table == "service_cases" and not _OUTCOMES & plan.match.columns.keys():
        named = ", ".join(sorted(_OUTCOMES))
        plan.doubt(
            "table", f"none of {named} was found", f"service_cases: none of {named} was found; the report service_quality needs one "
            "of them to say which cases went wrong.",
        )  # fmt: skip


def _note_keys(plan: TablePlan) -> None:
    """Doubt a key that repeats a little; one that repeats in most rows makes a query instead."""
    if plan.table != "customers" or "customer_id" not in plan.match.columns:
        return
    ids = plan.columns[plan.match.columns["customer_id"]]
    if ids.distinct < ids.n:
        plan.doubt(
            "columns.customer_id", "some repeat", f"customers.customer_id: {ids.n - ids.distinct:,} of {ids.n:,} rows looked at "
            "repeat a customer; each may stand once (the cleaning rule one_row_per_key chooses).",
        )  # fmt: skip


def _keep_others(plan: TablePlan) -> None:
    """Keep attributes of customers; offer what may be of use in other tables."""
    taken = set(plan.match.columns) | set(CANONICAL[plan.table].columns)
    kept: dict[str, str] = {}
    for name in useful_columns(plan.columns, plan.match):
        own = "_".join(words(name))
        own = own if re.fullmatch(r"[a-z][a-z0-9_]*", own) else name
        if own not in taken and own not in kept and "\n" not in own:
            kept[own] = name
    if plan.table == "customers":
        plan.extra = kept
    else:
        plan.offered = kept


def _plan_format(plan: TablePlan, samples: Sequence[Sample]) -> dict[str, str]:
    """State how text is written; return columns that SQL must repair first, with the expression."""
    first = samples[0]
    if first.kind == "text":
        plan.format |= {"encoding": first.encoding, "delimiter": first.delimiter}
    if first.sheet:
        plan.format["sheet"] = first.sheet
    if first.header_line > 1:
        plan.format["header_line"] = first.header_line
    for name in ("encoding", "delimiter", "header_line", "sheet"):
        others = {getattr(sample, name) for sample in samples}
        if len(others) > 1:
            plan.doubt(
                f"format.{name}", "the files differ", f"{plan.table}: its files differ in {name} ({', '.join(sorted(map(str, others)))}), "
                "and only one can be stated; save them alike.",
            )  # fmt: skip
    return _plan_numbers(plan, first) | _plan_values(plan)


def _plan_numbers(plan: TablePlan, first: Sample) -> dict[str, str]:
    numbers = plan.of_kind("money", "number", "count")
    found = number_format(numbers, prefers_comma=first.delimiter == ";")
    if found.decimal == "," or any(profile.marks.decimal for profile in numbers):
        plan.format["decimal"] = found.decimal
    if found.thousands:
        plan.format["thousands"] = found.thousands
    for doubt in found.doubts:
        plan.doubt("format.decimal", doubt.split(":")[0].split(";")[0], f"{plan.table}: {doubt}.")
        plan.format["decimal"] = found.decimal
    return {name: stripped(identifier(name)) for name in found.to_strip}


def _plan_values(plan: TablePlan) -> dict[str, str]:
    """State missing values and dates; return repairs of flags and of times counted from 1970."""
    tokens: Counter[str] = Counter()
    for name in (*plan.match.columns.values(), *plan.extra.values()):
        tokens.update(plan.columns[name].placeholders)
    if tokens:
        plan.format["missing"] = [*dict(tokens.most_common()), ""]
        seen = ", ".join(f"{token} {count:,} times" for token, count in tokens.most_common(3))
        plan.remarks["format.missing"] = f"seen in the sample: {seen}"
    dates, repairs = {}, {}
    for column in time_columns(plan.match):
        name = plan.match.columns[column]
        times = plan.columns[name].times
        if times and times.written:
            dates[column] = times.written.removesuffix("%z").rstrip()
            if times.written.endswith("%z"):  # timezone says what the suffix says
                repairs[name] = f"regexp_replace({identifier(name)}, '\\s*[+-]\\d\\d(:?\\d\\d)?$', '')"
        if times and times.epoch:
            repairs[name] = f"make_timestamp(TRY_CAST({identifier(name)} AS BIGINT) * {_EPOCH_UNITS[times.epoch]})"
    if dates:
        plan.format["dates"] = dates
    return repairs | {
        profile.name: flag_repair(profile) for profile in plan.of_kind("flag") if is_foreign_flag(profile)
    }
