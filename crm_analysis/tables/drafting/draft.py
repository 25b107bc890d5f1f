"""
A first dataset file for files of one's own, as commented YAML.

What is guessed of each table belongs in :mod:`crm_analysis.tables.drafting.planning`.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm_analysis.errors import ParamsError, SourceError, listed
from crm_analysis.tables.drafting.layout import Entry, block, laid_out, remark, scalar
from crm_analysis.tables.drafting.places import file_patterns
from crm_analysis.tables.drafting.planning import plan_table
from crm_analysis.tables.drafting.plans import TablePlan, shown
from crm_analysis.tables.drafting.samples import Sample
from crm_analysis.tables.drafting.sampling import KINDS, file_kind, read_sample
from crm_analysis.tables.drafting.settings import Setting, guess_currency, guess_timezone
from crm_analysis.tables.drafting.text_files import PACKED
from crm_analysis.tables.engine import identifier
from crm_analysis.tables.schema import CANONICAL
from crm_analysis.tables.workspace import YAML_SUFFIXES

_LISTED = 40  # names in a comment
_DATABASES: Mapping[str, str] = {
    **dict.fromkeys((".db", ".sqlite", ".sqlite3"), "sqlite"),
    **dict.fromkeys((".duckdb", ".ddb"), "duckdb"),
}


@dataclass(frozen=True)
class Draft:
    """
    A first dataset file, not written yet.

    Attributes
    ----------
    text : str
        The YAML, with comments.
    doubts : tuple of str
        What it is unsure of, a sentence each.
    tables : mapping
        Canonical table to its plan.
    """

    text: str
    doubts: tuple[str, ...]
    tables: Mapping[str, TablePlan]


def draft_dataset(files: Sequence[Path], *, to: Path) -> Draft:
    """
    Draft a dataset file from a bounded sample of each file; nothing is written.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Text, Parquet, Excel or JSON; those with the same columns become one table.
    to : pathlib.Path
        Where the dataset file is to stand: its name, and where relative paths start.

    Returns
    -------
    Draft
        The file's text and what it is unsure of.

    Raises
    ------
    ParamsError
        No files are given, one is missing or of a kind that is not read, or `to` cannot be written.
    SourceError
        A file is empty, damaged, or has no line of column names.
    """
    _check_target(to)
    _check_files(files)
    plans, doubts = _one_a_table([plan_table(group) for group in _grouped(_samples(files))])
    tables = {table: plans[table] for table in CANONICAL if table in plans}
    text, doubts_of_all = _written(tables, to)
    told = [*doubts_of_all, *doubts, *(doubt for plan in tables.values() for doubt in plan.doubts)]
    return Draft(text, tuple(dict.fromkeys(told)), tables)


def write_draft(draft: Draft, to: Path) -> None:
    """
    Write a draft, whole or not at all, never over a file that is there.

    Parameters
    ----------
    draft : Draft
        What to write.
    to : pathlib.Path
        A path ending in ``.yaml`` in an existing folder.

    Raises
    ------
    ParamsError
        The file exists, or its folder does not or cannot be written.
    """
    _check_target(to)
    beside: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=to.parent, prefix=f".{to.stem}.", delete=False, encoding="utf-8"
        ) as file:
            beside = Path(file.name)
            file.write(draft.text)
        beside.chmod(0o644)
        os.link(beside, to)  # unlike a rename, this fails where a file stands
    except FileExistsError:
        raise _exists(to) from None
    except OSError as error:
        raise ParamsError(
            f"{to.name} cannot be written to {to.parent}: {error.strerror}. Choose another folder."
        ) from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _exists(to: Path) -> ParamsError:
    return ParamsError(f"{to} exists and is not written over. Choose another name, or move it away first.")


def _check_target(to: Path) -> None:
    if to.suffix not in YAML_SUFFIXES:
        raise ParamsError(f"A dataset file ends in .yaml, got {to.name!r}. Write --to {to.stem or 'my_data'}.yaml.")
    if to.exists() or to.is_symlink():
        raise _exists(to)
    if not to.parent.is_dir():
        raise ParamsError(f"There is no folder {to.parent} to write {to.name} into. Make it first, or choose another.")


def _check_files(files: Sequence[Path]) -> None:
    """Raise when a file is missing or not read; all of them at once."""
    if not files:
        raise ParamsError(
            "No files are given. Name one file of data or more: crm-analysis new sales.csv --to sales.yaml"
        )
    faults = []
    for path in files:
        if path.is_dir():
            faults.append(f"{path.name} is a folder; name the files in it")
        elif not path.is_file():
            faults.append(f"{path} does not exist")
        elif file_kind(path) is None:
            faults.append(f"{path.name} is of a kind that is not read{_instead(path)}")
    if faults:
        raise ParamsError(
            f"{len(faults)} of {len(files)} files cannot be read:\n{listed(faults)}\n"
            f"Read are {', '.join(KINDS)}, text also with {' and '.join(PACKED)}.",
            faults=faults,
        )


def _instead(path: Path) -> str:
    """Say what to write by hand for a file that is a database."""
    scheme = _DATABASES.get(path.suffix.lower())
    return (
        f": a database's tables are named by hand (connection: {scheme}:///{path.name}, table: …, columns: …)"
        if scheme
        else ""
    )


def _samples(files: Iterable[Path]) -> list[Sample]:
    """Read a sample of every file, and tell all that cannot be read at once."""
    samples, faults = [], []
    for path in dict.fromkeys(files):
        try:
            samples.append(read_sample(path))
        except SourceError as error:
            faults.append(str(error))
        except PermissionError:
            faults.append(f"{path.name} may not be read by this user. Give the permission, or name another file.")
    if len(faults) == 1:
        raise SourceError(faults[0], faults=faults)
    if faults:
        raise SourceError(f"{len(faults)} files cannot be read:\n{listed(faults)}", faults=faults)
    return samples


def _grouped(samples: Iterable[Sample]) -> list[list[Sample]]:
    """Put files of one kind with the same columns together."""
    groups: dict[tuple[str, frozenset[str]], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.kind, frozenset(sample.names)), []).append(sample)
    return list(groups.values())


def _one_a_table(plans: Iterable[TablePlan]) -> tuple[dict[str, TablePlan], list[str]]:
    """Choose the likeliest plan where files with different columns look like the same table."""
    chosen: dict[str, TablePlan] = {}
    doubts = []
    for plan in sorted(plans, key=lambda plan: (len(plan.match.missing), -plan.match.score)):
        if plan.table not in chosen:
            chosen[plan.table] = plan
            continue
        doubts.append(_left_out_file(plan, chosen[plan.table]))
    return chosen, doubts


def _left_out_file(plan: TablePlan, chosen: TablePlan) -> str:
    """Say that a file is left out, and how two files that share a key are joined."""
    names, taken = (", ".join(path.name for path in one.files) for one in (plan, chosen))
    keys = [name for column, name in plan.match.columns.items() if column.endswith("_id") and name in chosen.columns]
    key = (
        plan.match.columns.get("transaction_id")
        if plan.match.columns.get("transaction_id") in keys
        else next(iter(keys), None)
    )
    how = "join them with a query" if key is None else f"query: SELECT * FROM a JOIN b USING ({identifier(key)})"
    return (
        f"{names} looks like {plan.table} as well, with other columns than {taken}; it is left out. If each has a part of it, give both "
        f"a name (files: {{a: {taken}, b: {names}}}) and {how}."
    )


def _written(tables: Mapping[str, TablePlan], to: Path) -> tuple[str, list[str]]:
    plans = list(tables.values())
    currency = guess_currency(
        [profile for plan in plans for profile in plan.of_kind("money")],
        [profile for plan in plans for profile in plan.columns.values()],
    )
    zone = guess_timezone([profile for plan in plans for profile in plan.of_kind("time")])
    doubts = [
        f"{name}: {found.value} is a guess; {found.doubt}."
        for name, found in (("currency", currency), ("timezone", zone))
        if found.doubt
    ]
    marked = sum(bool(plan.remarks) for plan in plans) + len(doubts)
    head = [
        f"# {_title(plans)}",
        "# Drafted from a sample of the data; nothing in it was decided by a person yet.",
        f"# {_advice(marked)}",
        f"# Then: crm-analysis check {_checked_as(to)}",
    ]
    settings = [
        Entry(0, "name", _dataset_name(to)),
        Entry(0, "currency", currency.value, _remark(currency)),
        Entry(0, "timezone", zone.value, _remark(zone)),
        Entry(0, "public", "false", "ids are replaced by pseudonyms in everything that is shown"),
    ]
    if not {"transactions", "service_cases"} & tables.keys():
        doubts.append(
            f"{', '.join(tables)}: every report needs transactions or service_cases; draft them together with these files."
        )
    tables_text = "\n\n".join(laid_out(_table_entries(plan, to)) for plan in plans)
    return "\n".join([*head, laid_out(settings), "tables:", tables_text]) + "\n", doubts


def _title(plans: Sequence[TablePlan]) -> str:
    count = sum(len(plan.files) for plan in plans)
    return f"A first dataset file, made from {count} file{'s' if count > 1 else ''}: {', '.join(plan.table for plan in plans)}."


def _advice(marked: int) -> str:
    if not marked:
        return "Nothing in it seemed unsure; read it once all the same."
    return 'Look at every line that says "unsure" or "FILL IN".'


def _remark(setting: Setting) -> str:
    return f"unsure: {setting.doubt}" if setting.doubt else setting.why


def _checked_as(to: Path) -> str:
    """Return what `check` takes: the name where dataset files are looked up by it, else the path as it was given."""
    looked_up = to.suffix == ".yaml" and to.resolve().parent.parts[-2:] == ("params", "datasets")
    return to.stem if looked_up else to.name if to.is_absolute() else str(to)


def _dataset_name(to: Path) -> str:
    """Return the file's name as a dataset may be called."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", to.stem) if not unicodedata.combining(char))
    return scalar(re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).lstrip("_.-")[:80] or "dataset")


def _table_entries(plan: TablePlan, to: Path) -> list[Entry]:
    """Return the lines of one table."""
    patterns = file_patterns(plan.files, folder=to.parent.resolve())
    entries = [Entry(1, plan.table, "", plan.remarks.get("table", ""))]
    if len(patterns) == 1:
        entries.append(Entry(2, "files", scalar(patterns[0])))
    else:
        entries += [Entry(2, "files", ""), *(Entry(3, None, f"- {scalar(pattern)}") for pattern in patterns)]
    if plan.query:
        entries += _query_entries(plan, plan.query)
    return entries + _format_entries(plan) + _column_entries(plan) + _cleaning_entries(plan)


def _query_entries(plan: TablePlan, query: str) -> list[Entry]:
    remark_on_it = plan.remarks.get("query", "")
    if all(name.isprintable() for name in plan.columns):
        return [Entry(2, "query", "|-", remark_on_it), *block(3, query)]
    return [Entry(2, "query", scalar(query, quoted=True), remark_on_it)]  # a name holds a line break


def _format_entries(plan: TablePlan) -> list[Entry]:
    if not plan.format:
        return []
    entries = [Entry(2, "format", "")]
    for name, value in plan.format.items():
        if name == "dates":
            entries.append(Entry(3, "dates", ""))
            entries += [
                Entry(4, column, scalar(written, quoted=True), plan.remarks.get(f"format.dates.{column}", ""))
                for column, written in value.items()
            ]
            continue
        shown = (
            f"[{', '.join(scalar(item, quoted=True) for item in value)}]"
            if isinstance(value, list)
            else scalar(value, quoted=name in {"delimiter", "decimal", "thousands"})
        )
        entries.append(Entry(3, name, shown, plan.remarks.get(f"format.{name}", "")))
    return entries


def _column_entries(plan: TablePlan) -> list[Entry]:
    entries = [Entry(2, "columns", "", "canonical name: the files' own")]
    entries += [Entry(3, f"# {column}", "", plan.remarks[f"missing.{column}"]) for column in plan.match.missing]
    entries += [
        Entry(3, f"# {column}", "", f"unsure: {shown(name)!r} sounds like it, but holds {reason}")
        for column, (name, reason) in plan.match.misfits.items()
        if column not in plan.match.missing
    ]
    entries += [
        Entry(3, scalar(column), scalar(name), plan.remarks.get(f"columns.{column}", ""))
        for column, name in {**plan.match.columns, **plan.extra}.items()
    ]
    if not plan.match.columns and not plan.extra:
        entries[0] = Entry(2, "columns", "{}", "write canonical name: the files' own, in place of {}")
    if plan.offered:
        entries.append(Entry(3, None, "# Without a canonical name; take the # away to keep one:"))
        entries += [Entry(3, f"# {scalar(column)}", scalar(name)) for column, name in plan.offered.items()]
    for what, names in _left_out(plan).items():
        entries += remark(3, f"{what}: {_names(names)}.")
    return entries


def _left_out(plan: TablePlan) -> dict[str, list[str]]:
    """Return the columns that are not taken, by the reason."""
    used = {*plan.match.columns.values(), *plan.extra.values(), *plan.offered.values()}
    other = [name for name in plan.columns if name not in used]
    left = {"Stay out, as they identify people": list(plan.personal), "Not used": other}
    return {what: names for what, names in left.items() if names}


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(scalar(name) for name in names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def _cleaning_entries(plan: TablePlan) -> list[Entry]:
    if not plan.cleaning:
        return []
    entries = [Entry(2, "cleaning", "", "in this order")]
    for rule, (argument, why) in plan.cleaning.items():
        if isinstance(argument, dict):
            shown = (
                "{"
                + ", ".join(f"{name}: {scalar(value, quoted=not value.isalpha())}" for name, value in argument.items())
                + "}"
            )
        else:
            shown = scalar(argument)
        entries.append(Entry(3, rule, shown, why))
    return entries
