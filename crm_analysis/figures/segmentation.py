"""
Figures of the segmentation report: criteria, segments on a plane, profiles, distances to neighbours.

What they show is computed in :mod:`crm_analysis.models.segmentation`.
"""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from crm_analysis.figures.display import ACCENT, INK, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show

NOISE = "noise"
MARKERS = "os^DvPX"
_REACH = 3.0
_WRAP = 28


def plot_criteria(criteria: pd.DataFrame, *, min_stability: float) -> Axes:
    """
    Plot separation and stability against the number of groups.

    Parameters
    ----------
    criteria : pandas.DataFrame
        Index ``n_groups``; ``silhouette``, ``reference_silhouette``, ``stability_ari`` and ``choice`` (empty but for one row).
    min_stability : float
        Least stability that is asked for.

    Returns
    -------
    matplotlib.axes.Axes
        Three lines, the least stability, and a mark at the best number of groups.
    """
    if criteria.empty:
        return nothing_to_show("No number of groups was tried.")
    with canvas() as axes:
        axes.plot(criteria.index, criteria["stability_ari"], "s-", color=PALETTE[1], label="stability")
        axes.plot(criteria.index, criteria["silhouette"], "o-", color=ACCENT, label="silhouette")
        axes.plot(
            criteria.index,
            criteria["reference_silhouette"],
            "o--",
            color=MUTED,
            label="silhouette of data without groups",
        )
        axes.axhline(min_stability, color=PALETTE[1], linewidth=1, linestyle=":", label="least stability asked for")
        for number, word in zip(*_marked(criteria), strict=True):
            axes.axvline(number, color=INK, linewidth=6, alpha=0.15, zorder=0, label=word)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        axes.set(xlabel="number of groups (K-Means)", ylabel="silhouette, adjusted Rand index", ylim=(0, 1.03))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return describe(axes, _criteria_in_words(criteria, min_stability))


def _marked(criteria: pd.DataFrame) -> tuple[list[int], list[str]]:
    """Return the numbers of groups that the choice is about, and what became of them."""
    marked = criteria.loc[criteria["choice"] != "", "choice"]
    return [int(number) for number in marked.index], [str(word) for word in marked]


def _criteria_in_words(criteria: pd.DataFrame, min_stability: float) -> str:
    """Return what the criteria figure shows."""
    first, last = criteria.index[0], criteria.index[-1]
    spans = [
        f"{name} goes from {criteria[column].iloc[0]:.2f} to {criteria[column].iloc[-1]:.2f}"
        for name, column in (
            ("stability", "stability_ari"),
            ("the silhouette", "silhouette"),
            ("that of data without groups", "reference_silhouette"),
        )
    ]
    columns = ["silhouette", "reference_silhouette", "stability_ari"]
    marked = criteria.loc[criteria["choice"] != "", columns].to_numpy(dtype=float)
    marks = "".join(
        f" {number} groups are {word}: silhouette {own:.2f} against {reference:.2f}, stability {stability:.2f} where "
        f"{min_stability:.2f} is asked for."
        for number, word, (own, reference, stability) in zip(*_marked(criteria), marked, strict=True)
    )
    return f"From {first} to {last} groups, {', '.join(spans)}.{marks}"


def plot_segment_map(plane: pd.DataFrame) -> Axes:
    """
    Plot customers on the plane of the first two principal components.

    Parameters
    ----------
    plane : pandas.DataFrame
        ``component_1``, ``component_2``, ``segment`` and ``variance_shown`` (a share, the same in every row). With
        ``customers``, each row is the mean of so many neighbours.

    Returns
    -------
    matplotlib.axes.Axes
        A point a customer, or a mean of several; a colour a segment; noise is grey.
    """
    if plane.empty:
        return nothing_to_show("An empty map: every segment is about too few customers.")
    sizes = plane["segment"].value_counts()
    with canvas(height=4.6) as axes:
        for at, segment in enumerate(sizes.index.drop(NOISE, errors="ignore")):
            points = plane[plane["segment"] == segment]
            colour, marker = PALETTE[at % len(PALETTE)], MARKERS[at // len(PALETTE) % len(MARKERS)]
            _scatter(axes, points, colour, marker)
        if NOISE in sizes.index:
            _scatter(axes, plane[plane["segment"] == NOISE], MUTED, "x")
        axes.set(xlabel="first principal component", ylabel="second principal component")
        legend = axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=2)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return describe(axes, _map_in_words(plane, sizes))


def _scatter(axes: Axes, points: pd.DataFrame, colour: str, marker: str) -> None:
    """Draw one segment's customers."""
    name = fill(str(points["segment"].iloc[0]), _WRAP)
    axes.scatter(points["component_1"], points["component_2"], s=10, color=colour, marker=marker, alpha=0.6, label=name)


def _map_in_words(plane: pd.DataFrame, sizes: pd.Series) -> str:
    """Return what the map shows, with its caveat."""
    middles = plane.groupby("segment")[["component_1", "component_2"]].median().loc[sizes.index]
    thing, subject = "points", f"{len(plane):,} customers"
    if "customers" in plane.columns:
        thing, subject = (
            "means",
            f"{len(plane):,} means of {plane['customers'].min()} or more neighbouring customers each,",
        )
    places = "; ".join(
        f"{segment} ({size:,} {thing}) around {x:.1f}, {y:.1f}"
        for segment, size, x, y in zip(
            map(str, sizes.index), sizes, middles["component_1"], middles["component_2"], strict=True
        )
    )
    shown = f"{plane['variance_shown'].iloc[0]:.0%}"
    return (
        f"{subject} on a plane that keeps {shown} of their variance: {places}. Customers who are close here may be "
        "apart in what the plane leaves out."
    )


def plot_profiles(positions: pd.DataFrame) -> Axes:
    """
    Plot how far each segment's medians lie from those of all customers.

    Parameters
    ----------
    positions : pandas.DataFrame
        A row per segment, a column per feature, in standard deviations. Rows without figures, about too few customers, are
        left out.

    Returns
    -------
    matplotlib.axes.Axes
        A heat map with the numbers in its cells.
    """
    shown = positions.dropna(how="all") if positions.size else positions
    table = shown.round(1).rename(columns=lambda name: str(name).replace("_", " ")) + 0.0  # no minus before a zero
    with canvas(height=1.8 + 0.42 * len(table)) as axes:
        if table.size:
            sns.heatmap(
                table,
                ax=axes,
                cmap="vlag",
                vmin=-_REACH,
                vmax=_REACH,
                annot=True,
                fmt="+.1f",
                linewidths=1,
                cbar_kws={"label": "standard deviations"},
                xticklabels=False,
                yticklabels=False,
            )
        axes.set(xlabel="", ylabel="")
        axes.set_xticks(
            np.arange(table.shape[1]) + 0.5, [fill(name, _WRAP) for name in table.columns], parse_math=False
        )
        axes.set_yticks(np.arange(len(table)) + 0.5, [fill(str(name), _WRAP) for name in table.index], parse_math=False)
    missing = left_out(len(positions) - len(shown), "row")
    return describe(axes, _profiles_in_words(table) + missing if table.size or not missing else missing)


def _profiles_in_words(positions: pd.DataFrame) -> str:
    """Return what sets each row apart most."""
    if not positions.size:
        return "No feature varies between the customers."
    rows = []
    for name, row in positions.iterrows():
        feature = str(row.index[int(np.argmax(row.abs().to_numpy()))])
        rows.append(f"{name}: {f'{feature} {row[feature]:+.1f}' if row[feature] else 'nothing'}")
    return f"Medians against all customers in standard deviations; what sets each apart most: {'; '.join(rows)}."


def plot_neighbour_distances(distances: pd.DataFrame) -> Axes:
    """
    Plot the sorted distances to the neighbour that makes a core customer, and the radius read from them.

    Parameters
    ----------
    distances : pandas.DataFrame
        ``share_of_customers``, ``distance`` (ascending) and ``radius`` (the same in every row). With ``customers``, each row
        is the mean of so many neighbours.

    Returns
    -------
    matplotlib.axes.Axes
        A rising line, and the radius.
    """
    if distances.empty:
        return nothing_to_show("No distances were measured.")
    radius = float(distances["radius"].iloc[0])
    within = float((distances["distance"] <= radius).mean())
    with canvas(height=3.2) as axes:
        axes.plot(distances["share_of_customers"], distances["distance"], color=ACCENT)
        axes.axhline(radius, color=INK, linewidth=1, linestyle="--", label=f"radius {radius:.2f}")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="customers, by distance", ylabel="distance (standard deviations)", ylim=(0, None))
        axes.legend(frameon=False)
    each = "all within" if "customers" not in distances.columns else "those farthest apart on average"
    text = (
        f"Sorted distances to the neighbour that makes a core customer: half of the customers are within "
        f"{distances['distance'].median():.2f} standard deviations, {each} {distances['distance'].max():.2f}; the curve bends "
        f"at {radius:.2f}, DBSCAN's radius, below which {within:.0%} of the customers lie."
    )
    return describe(axes, text)


def plot_silhouettes(silhouettes: pd.DataFrame) -> Axes:
    """
    Plot how clearly the customers of each segment belong to it.

    Parameters
    ----------
    silhouettes : pandas.DataFrame
        ``segment``, ``place`` (share of the segment's customers, in (0, 1]) and ``silhouette``, in descending order within a
        segment. With ``customers``, each row is the mean of so many neighbours in that order.

    Returns
    -------
    matplotlib.axes.Axes
        A falling line a segment; below zero customers are nearer to another segment.
    """
    if silhouettes.empty:
        return nothing_to_show("No silhouettes: there is one segment, or every segment is about too few customers.")
    with canvas(height=4.2) as axes:
        for at, (segment, part) in enumerate(silhouettes.groupby("segment", sort=False)):
            axes.plot(
                part["place"],
                part["silhouette"],
                color=PALETTE[at % len(PALETTE)],
                linestyle=_DASHES[at // len(PALETTE) % len(_DASHES)],
                label=fill(str(segment), _WRAP),
            )
        axes.axhline(0.0, color=INK, linewidth=1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel="customers of the segment, the clearest first", ylabel="silhouette", ylim=(-1, 1))
        legend = axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        for text in legend.get_texts():
            text.set_parse_math(False)
    return describe(axes, _silhouettes_in_words(silhouettes))


_DASHES = ("-", "--", ":")


def _silhouettes_in_words(silhouettes: pd.DataFrame) -> str:
    """Return what the silhouettes show."""
    weight = silhouettes["customers"] if "customers" in silhouettes.columns else pd.Series(1, index=silhouettes.index)
    parts = [
        f"{segment}: mean {np.average(part['silhouette'], weights=weight[part.index]):.2f}, "
        f"{weight[part.index][part['silhouette'] < 0].sum() / weight[part.index].sum():.0%} nearer to another segment"
        for segment, part in silhouettes.groupby("segment", sort=False)
    ]
    return f"Silhouettes of the customers by segment, 1 is perfectly apart and 0 on a border. {'; '.join(parts)}."
