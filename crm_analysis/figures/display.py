"""
Figures that everybody can read: one look, and a text in place of the picture.

What a figure shows belongs in the module named after its report.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from IPython.display import Image, display
from matplotlib.axes import Axes

DOTS_PER_INCH = 110
INK = "#1f2933"
ACCENT = "#0b6e99"
MUTED = "#9aa5b1"
_LINE = 80  # characters beside each other in a picture of the usual width
PALETTE = ["#0b6e99", "#d9822b", "#4a9d5b", "#b5446e", "#6b5ca5", "#8a6d3b", "#3e9c9c", "#c94f3d", "#5c7080", "#a0a82e"]


@contextmanager
def canvas(*, width: float = 8.0, height: float = 4.0) -> Iterator[Axes]:
    """
    Yield the Axes of a new figure in the workspace's look.

    Parameters
    ----------
    width : float
        Inches.
    height : float
        Inches.

    Yields
    ------
    matplotlib.axes.Axes
        Empty, with the theme's fonts, grid and colours (safe for the colour-blind).
    """
    theme: dict[Any, Any] = {
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with (
        sns.axes_style("whitegrid"),
        sns.plotting_context("notebook"),
        sns.color_palette(PALETTE),
        mpl.rc_context(theme),  # seaborn's styles drop settings they do not know
    ):
        _, axes = plt.subplots(figsize=(width, height), layout="constrained")
        yield axes


def describe(axes: Axes, text: str) -> Axes:
    """
    Attach the alternative text of a figure.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any Axes of the figure.
    text : str
        What a reader should learn from the picture, with its main figures.

    Returns
    -------
    matplotlib.axes.Axes
        The same Axes.
    """
    if not text.strip():
        raise ValueError("a figure needs an alternative text, got an empty one")
    axes.figure.set_label(" ".join(text.split()))
    return axes


def nothing_to_show(reason: str) -> Axes:
    """
    Say in the place of a picture why there is none.

    Parameters
    ----------
    reason : str
        One or a few sentences.

    Returns
    -------
    matplotlib.axes.Axes
        The reason, and nothing else; it is the alternative text, too.
    """
    lines = wrap(reason, _LINE)
    with canvas(height=0.4 + 0.25 * len(lines)) as axes:
        axes.set_axis_off()
        axes.text(0.0, 0.5, "\n".join(lines), va="center", color=INK, parse_math=False)
    return describe(axes, reason)


def left_out(number: int, noun: str) -> str:
    """
    Say in an alternative text what is not drawn because it is about too few customers.

    Parameters
    ----------
    number : int
        Of what is left out.
    noun : str
        What it is, singular.

    Returns
    -------
    str
        A sentence with a space in front; empty where everything is drawn.

    Examples
    --------
    >>> left_out(2, "group")
    ' 2 groups are left out: they are about too few customers, or would give such away.'
    """
    if not number:
        return ""
    subject, verb = (f"1 {noun}", "is") if number == 1 else (f"{number:,} {noun}s", "are")
    who = "it is" if number == 1 else "they are"
    return f" {subject} {verb} left out: {who} about too few customers, or would give such away."


def alternative_text(axes: Axes) -> str:
    """
    Return the alternative text of a figure.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any Axes of the figure.

    Returns
    -------
    str
        As given to :func:`describe`.
    """
    text = axes.figure.get_label()
    if not text:
        raise ValueError("this figure has no alternative text; finish its plot function with describe(axes, text)")
    return str(text)


def show(axes: Axes) -> None:
    """
    Display a figure as PNG with its alternative text, and close it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any Axes of a figure that :func:`describe` has seen.
    """
    alt = alternative_text(axes)
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("these Axes belong to no figure any more")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH)
    plt.close(figure)
    display(Image(data=content.getvalue(), format="png", alt=alt))


def legend_below(axes: Axes, *others: Axes) -> None:
    """
    List what is drawn below the picture, whatever its height; names are no formulas.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The picture.
    *others : matplotlib.axes.Axes
        Further panels whose lines belong in the list.
    """
    handles, labels = axes.get_legend_handles_labels()
    for other in others:
        more, names = other.get_legend_handles_labels()
        handles, labels = [*handles, *more], [*labels, *names]
    figure = axes.get_figure(root=True)
    if handles and figure is not None:
        legend = figure.legend(handles, labels, frameon=False, fontsize="small", ncols=4, loc="outside lower left")
        for text in legend.get_texts():
            text.set_parse_math(False)
