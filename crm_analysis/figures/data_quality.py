"""
Figures of the data quality report: what cleaning left, which days have rows, what is missing, how values are spread.

What they show is computed in :mod:`crm_analysis.tables.quality` and :mod:`crm_analysis.tables.cleaning`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import PercentFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROWS_A_YEAR = 8  # seven weekdays and a gap
_SHADES = LinearSegmentedColormap.from_list("days", ["#dcebf2", "#0b3c53"])


def plot_ledger(ledger: pd.DataFrame) -> Axes:
    """
    Plot which share of the rows each cleaning rule left, as a waterfall a table.

    Parameters
    ----------
    ledger : pandas.DataFrame
        A row per rule in its order: ``table``, ``rule``, ``rows_before``, ``rows_dropped``, ``rows_changed``, ``rows_after``.

    Returns
    -------
    matplotlib.axes.Axes
        For each table with rules: what came in on top, a floating bar for what each rule dropped, what is left below.
    """
    lines = [line for table, steps in ledger.groupby("table", sort=False) for line in _waterfall(str(table), steps)]
    with canvas(height=1.4 + 0.4 * max(1, len(lines))) as axes:
        for place, (_, start, end, label, colour) in enumerate(lines):
            axes.barh(place, end - start, left=start, color=colour, height=0.6)
            axes.text(end, place, f" {label}", va="center")
        if not lines:
            axes.text(0.65, 0, "no cleaning rules are stated", ha="center", va="center")
        axes.set_yticks(range(len(lines)), [name for name, *_ in lines])
        axes.set(xlabel="share of the rows that came in", title="What cleaning left", xlim=(0, 1.3))
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(visible=False, axis="y")
    return describe(axes, _ledger_in_words(ledger))


def plot_calendar(coverage: pd.DataFrame) -> Axes:
    """
    Plot the rows of each day as a calendar.

    Parameters
    ----------
    coverage : pandas.DataFrame
        ``table``, ``day`` (every day of its period) and ``rows``; missing: too few customers to be shown.

    Returns
    -------
    matplotlib.axes.Axes
        A block of seven weekdays for each table and year; darker: more rows, for that table; crosses: days without any.
    """
    dated = coverage.assign(day=pd.to_datetime(coverage["day"]), rows=coverage["rows"].astype("float64"))
    groups = dated.groupby(["table", dated["day"].dt.year], sort=False)
    blocks = [((str(table), int(str(year))), days) for (table, year), days in groups]
    usual = {str(table): float(rows.quantile(0.95)) for table, rows in dated.groupby("table")["rows"]}
    grid = np.full((max(1, _ROWS_A_YEAR * len(blocks) - 1), 54), np.nan)
    crosses: list[tuple[float, float]] = []
    for number, ((table, year), days) in enumerate(blocks):
        week, line = _places(days["day"], year, number)
        rows = days["rows"].fillna(0.001).to_numpy()
        grid[line, week] = np.where(rows > 0, (rows / max(1.0, usual[table])).clip(max=1), np.nan)
        crosses += [(w + 0.5, x + 0.5) for w, x, n in zip(week, line, rows, strict=True) if n == 0]
    with canvas(width=10, height=1.0 + 1.45 * max(1, len(blocks))) as axes:
        axes.pcolormesh(np.ma.masked_invalid(grid), cmap=_SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=0.8)
        across, down = zip(*crosses, strict=True) if crosses else ((), ())
        axes.scatter(across, down, marker="x", s=14, linewidth=1, color=PALETTE[7])
        axes.set_yticks(*_calendar_ticks([name for name, _ in blocks]))
        axes.set(xlabel="week of the year; darker: more rows; ×: a day without any", title="Days with rows")
        axes.invert_yaxis()
        axes.grid(visible=False)
    return describe(axes, _calendar_in_words(dated))


def plot_missingness(missing: pd.DataFrame) -> Axes:
    """
    Plot which share of each column is missing.

    Parameters
    ----------
    missing : pandas.DataFrame
        ``table``, ``column`` and ``share`` in [0, 1]; columns without a gap are left out of the picture.

    Returns
    -------
    matplotlib.axes.Axes
        A bar a column, most missing on top.
    """
    table = missing[missing["share"] > 0].sort_values(["share", "table", "column"], ascending=[False, True, True])
    names = (table["table"] + "." + table["column"]).str.replace("_", " ")
    with canvas(height=1.3 + 0.34 * max(1, len(table))) as axes:
        axes.barh(range(len(table)), table["share"], color=ACCENT, height=0.6)
        for place, share in enumerate(table["share"]):
            axes.text(share, place, f" {share:.1%}", va="center")
        axes.set_yticks(range(len(table)), names, parse_math=False)
        axes.set(xlabel="share of rows without a value", title="What is missing", xlim=(0, 1.1))
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(visible=False, axis="y")
    listed = "; ".join(f"{name} {share:.1%}" for name, share in zip(names, table["share"], strict=True))
    return describe(axes, f"Bars of the share missing by column: {listed or 'nothing is missing in any column'}.")


def plot_distributions(histograms: pd.DataFrame) -> Axes:
    """
    Plot how the values of each numeric column are spread between their 1 % and 99 % quantiles.

    Parameters
    ----------
    histograms : pandas.DataFrame
        ``table``, ``column``, ``low``, ``high`` (edges of a bin) and ``rows``; missing rows: too few customers to show.

    Returns
    -------
    matplotlib.axes.Axes
        A ridge a column, each on its own scale, its ends written beside it.
    """
    groups = [(" ".join(map(str, names)), bins) for names, bins in histograms.groupby(["table", "column"], sort=False)]
    with canvas(height=1.2 + 0.75 * max(1, len(groups))) as axes:
        for place, (_, bins) in enumerate(groups):
            _draw_ridge(axes, bins, place)
        labels = [name.replace("_", " ") for name, _ in groups]
        axes.set_yticks(range(len(groups)), labels, parse_math=False)
        axes.set_xticks([])
        axes.set(title="How values are spread", xlim=(-0.02, 1.02), ylim=(len(groups) - 0.4, -0.95))
        axes.grid(visible=False)
    return describe(axes, _distributions_in_words(groups))


def _draw_ridge(axes: Axes, bins: pd.DataFrame, place: int) -> None:
    low, high = float(bins["low"].min()), float(bins["high"].max())
    span = high - low or 1.0
    heights = bins["rows"].fillna(0).to_numpy(dtype=float)
    edges = (np.append(bins["low"].to_numpy(dtype=float), high) - low) / span
    axes.stairs(place - 0.75 * heights / (heights.max() or 1), edges, baseline=place, fill=True, color=ACCENT)
    axes.text(0, place + 0.06, f"{low:,.6g}", va="top", color=INK, fontsize="small")
    axes.text(1, place + 0.06, f"{high:,.6g}", va="top", ha="right", color=INK, fontsize="small")


def _waterfall(table: str, steps: pd.DataFrame) -> list[tuple[str, float, float, str, str]]:
    """Return name, start, end, label and colour of each bar of a table."""
    came, left = int(steps["rows_before"].iloc[0]), int(steps["rows_after"].iloc[-1])
    whole = max(1, came)
    counts = steps[["rows_before", "rows_dropped", "rows_changed", "rows_after"]].to_numpy(dtype=int)
    rules = [
        (str(rule).replace("_", " "), after / whole, before / whole, _step_in_words(dropped, changed), PALETTE[1])
        for rule, (before, dropped, changed, after) in zip(steps["rule"], counts, strict=True)
    ]
    shown = table.replace("_", " ")
    return [
        (f"{shown} came in", 0.0, came / whole, f"{came:,}", MUTED),
        *rules,
        (f"{shown} left", 0.0, left / whole, f"{left:,}", ACCENT),
    ]


def _places(days: pd.Series, year: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the week of the year and the line of the picture of each day."""
    first = pd.Timestamp(year, 1, 1).day_of_week
    index = pd.DatetimeIndex(days)
    week = (index.day_of_year - 1 + first) // 7
    return week.to_numpy(), (index.day_of_week + _ROWS_A_YEAR * block).to_numpy()


def _calendar_ticks(names: list[tuple[str, int]]) -> tuple[list[float], list[str]]:
    at = [_ROWS_A_YEAR * block + place + 0.5 for block in range(len(names)) for place in (0, 2, 4, 6)]
    labels = [
        f"{table.replace('_', ' ')} {year} {_WEEKDAYS[0]}" if place == 0 else _WEEKDAYS[place]
        for table, year in names
        for place in (0, 2, 4, 6)
    ]
    return at, labels


def _step_in_words(dropped: int, changed: int) -> str:
    parts = ([f"−{dropped:,}"] if dropped else []) + ([f"{changed:,} changed"] if changed else [])
    return ", ".join(parts) or "nothing"


def _ledger_in_words(ledger: pd.DataFrame) -> str:
    told = []
    for table, steps in ledger.groupby("table", sort=False):
        touched = zip(steps["rule"], steps["rows_dropped"], steps["rows_changed"], strict=True)
        rules = "; ".join(f"{rule} {_step_in_words(dropped, changed)}" for rule, dropped, changed in touched)
        came, left = steps["rows_before"].iloc[0], steps["rows_after"].iloc[-1]
        told.append(f"of {table}, {came:,} rows came in; {rules}; {left:,} are left")
    return f"Waterfall of the rows: {'. '.join(told) or 'no cleaning rules are stated'}."


def _calendar_in_words(coverage: pd.DataFrame) -> str:
    told = [
        f"{table} from {days['day'].min():%Y-%m-%d} to {days['day'].max():%Y-%m-%d}, {len(days):,} days, "
        f"{int((days['rows'] == 0).sum()):,} of them without a row, {_busiest(days['rows'])}"
        for table, days in coverage.groupby("table", sort=False)
    ]
    return f"Calendar of the rows by day: {'; '.join(told) or 'no table has dates'}."


def _busiest(rows: pd.Series) -> str:
    """Say how many rows a day has at most, and how many days are not shown."""
    hidden = int(rows.isna().sum())
    some = rows[rows > 0]
    told = [f"at most {some.max():,.0f} rows on one day"] if len(some) else []
    return ", ".join(told + ([f"{hidden:,} with too few customers to be shown"] if hidden else [])) or "no other"


def _distributions_in_words(groups: list[tuple[str, pd.DataFrame]]) -> str:
    told = [
        f"{name} from {bins['low'].min():,.6g} to {bins['high'].max():,.6g}, most often near "
        f"{bins['low'].iloc[int(bins['rows'].fillna(0).to_numpy().argmax())]:,.6g}"
        for name, bins in groups
    ]
    return f"Ridges of how values are spread: {'; '.join(told) or 'there are no numeric columns'}."
