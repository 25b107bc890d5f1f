"""
The command line: collects options, calls one function, prints.

Everything it does can be done from Python; nothing is decided here. What makes reports is imported by the commands that
make some: it takes seconds, for which nobody who checks a dataset should wait.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm_analysis import __version__
from crm_analysis.errors import CRMAnalysisError, ParamsError
from crm_analysis.reporting.params import PARAMS, described
from crm_analysis.tables.datasets import open_dataset
from crm_analysis.tables.drafting import draft_dataset, write_draft
from crm_analysis.tables.verdict import check_dataset, verdict_lines
from crm_analysis.tables.workspace import did_you_mean

if TYPE_CHECKING:
    from crm_analysis.reporting.build import Cells
    from crm_analysis.reporting.run import ReportOutcome


class _Commands(click.Group):
    """Turns the package's errors into a message without a traceback and the exit code of their class."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CRMAnalysisError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crm-analysis")
def main() -> None:
    """Turn customer, purchase and service records into reports one can act on."""


@main.command()
@click.argument("suite")
@click.option(
    "--only", multiple=True, metavar="ID", help="Make only this report, as `list` prints it; may be repeated."
)
@click.option("--set", "settings", multiple=True, metavar="ID.NAME=VALUE", help="Change a parameter; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Folder to write to."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Reports made side by side.  [default: one a core]")
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run left.")
def run(
    suite: str, only: tuple[str, ...], settings: tuple[str, ...], out: Path, jobs: int | None, *, resume: bool
) -> None:
    """Make the reports of SUITE (a name in params/ or a path) and their index page."""
    from crm_analysis.reporting.build import RunOptions, run_suite  # noqa: PLC0415  # takes seconds
    from crm_analysis.reporting.suites import read_suite  # noqa: PLC0415  # takes seconds

    chosen = {} if jobs is None else {"jobs": jobs}
    options = RunOptions(out=out, only=only, settings=settings, resume=resume, **chosen)
    console = Console(stderr=True)
    with _Bars(console) if console.is_terminal else _Lines() as watch:
        folder = run_suite(read_suite(suite), options, watch=watch)
    click.echo(str(folder / "index.html"))


@main.command("list")
@click.argument("suite")
def list_reports(suite: str) -> None:
    """Print the reports that SUITE makes, one identifier a line, as --only takes them."""
    from crm_analysis.reporting.suites import read_suite  # noqa: PLC0415  # takes seconds

    for identifier in read_suite(suite).identifiers:
        click.echo(identifier)


@main.command()
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="Print it for a machine instead.")
@click.pass_context
def check(ctx: click.Context, dataset: str, *, as_json: bool) -> None:
    """Check DATASET (a name in params/datasets/ or a path) against the contract: what is wrong, how many, where."""
    with Console(stderr=True).status(f"Reading {escape(dataset)} and checking every row"):
        verdict = check_dataset(open_dataset(dataset))
    if as_json:
        click.echo(json.dumps(verdict.to_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n".join(verdict_lines(verdict)))
    ctx.exit(verdict.exit_code)


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Path(path_type=Path), help="The dataset file to write.")
def new(files: tuple[Path, ...], *, to: Path) -> None:
    """Write a first dataset file for FILES of your own: guesses columns, types and dates, says what it was unsure of."""
    draft = draft_dataset(files, to=to)
    write_draft(draft, to)
    click.echo(str(to))
    for doubt in draft.doubts:
        click.echo(f"unsure: {doubt}", err=True)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("dataset")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="The list to write: .csv or .parquet.")
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Last day known.  [default: the last in the data]"
)
def score(model: Path, dataset: str, *, to: Path, as_of: datetime | None) -> None:
    """Apply MODEL (a folder in models/ of a run) to the customers of DATASET: a list of customer_id and prediction."""
    from crm_analysis.models.scoring import score_dataset  # noqa: PLC0415  # takes seconds
    from crm_analysis.reporting.files import list_writer  # noqa: PLC0415  # takes seconds

    write = list_writer(to)
    with Console(stderr=True).status(f"Scoring the customers of {escape(dataset)}"):
        scores = score_dataset(model, open_dataset(dataset), as_of=None if as_of is None else as_of.date())
        write(scores.table)
    click.echo(str(to))
    click.echo(scores.summary, err=True)


@main.command()
@click.argument("report")
@click.option("--json-schema", is_flag=True, help="Print the JSON schema instead.")
def params(report: str, *, json_schema: bool) -> None:
    """Print the parameters of REPORT: type, default, meaning."""
    if report not in PARAMS:
        raise ParamsError(f"There is no report {report!r}{did_you_mean(report, PARAMS)}. Known: {', '.join(PARAMS)}.")
    if json_schema:
        click.echo(json.dumps(PARAMS[report].model_json_schema(), indent=2))
        return
    table = Table("parameter", "type", "default", "meaning", box=None, pad_edge=False)
    for row in described(report):
        table.add_row(*map(escape, row))
    console = Console(file=sys.stdout)
    console.print(table) if console.is_terminal else Console(file=sys.stdout, width=200).print(table)


class _Lines:
    """Tells how a run goes, a line at a time: for logs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, identifier: str, event: Cells | ReportOutcome) -> None:
        if not isinstance(event, tuple):
            click.echo(f"{identifier}: {event.status} after {event.seconds:.1f} s", err=True)
        elif event.done == 0:
            click.echo(f"{identifier}: started", err=True)


class _Bars:
    """Tells how a run goes, a bar a report: for a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, identifier: str, event: Cells | ReportOutcome) -> None:
        if not isinstance(event, tuple):
            self._progress.update(self._bars[identifier], completed=1, total=1, state=event.status)
        elif event.done == 0:
            self._bars[identifier] = self._progress.add_task(escape(identifier), total=None, state="starting")
        else:
            state = f"cell {event.done} of {event.total}"
            self._progress.update(self._bars[identifier], completed=event.done, total=event.total, state=state)
