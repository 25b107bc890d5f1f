"""
Figures of service and money: purchases before and after a bad experience, and what customers are worth.

What they show is computed in :mod:`crm_analysis.models.service_quality.money`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crm_analysis.figures.display import ACCENT, MUTED, PALETTE, canvas, describe, left_out, nothing_to_show
from crm_analysis.models.business_series.naming import number_in_words
from crm_analysis.models.service_quality.money import ServiceAndMoney
from crm_analysis.models.service_quality.money.result import DAYS, SPEND
from crm_analysis.models.service_quality.money.wording import signed

WINDOWS = ("before", "after")
LOOKS = {"bad": (PALETTE[1], "after a bad experience", -0.03), "controls": (ACCENT, "matched customers", 0.03)}


def plot_service_and_money(found: ServiceAndMoney) -> list[Axes]:
    """
    Plot how purchases changed, and what customers are worth.

    Parameters
    ----------
    found : ServiceAndMoney
        The result.

    Returns
    -------
    list of matplotlib.axes.Axes
        The pictures there are; why one is missing stands among the sentences.
    """
    drawn = [plot_change(found, currency=found.currency)] if found.main is not None else []
    has_value = found.value[["customers", "share_of_spend"]].notna().all(axis=1).any()
    return [*drawn, plot_value(found, currency=found.currency)] if has_value else drawn


def plot_change(found: ServiceAndMoney, *, measure: str = SPEND, currency: str = "") -> Axes:
    """
    Plot what customers bought before and after a bad experience, beside matched customers.

    Parameters
    ----------
    found : ServiceAndMoney
        The result.
    measure : str
        ``spend`` or ``purchase_days``.
    currency : str
        Of the spend.

    Returns
    -------
    matplotlib.axes.Axes
        Two lines from before to after, with the 95 % intervals of the means; dotted, where customers with a bad experience would
        be with the change of the matched ones. The reason alone where purchases are not compared.
    """
    if found.main is None:
        return nothing_to_show(found.reason)
    means = found.means[(found.means["compared_with"] == found.main) & (found.means["measure"] == measure)]
    row = found.row(found.main, measure)
    unit = f", {currency}" if measure == SPEND and currency else ""
    what = "spend" if measure == SPEND else "purchase days"
    with canvas(width=7.0, height=4.2) as axes:
        for group, (colour, label, shift) in LOOKS.items():
            part = means[means["group"] == group].set_index("window").loc[list(WINDOWS)]
            name = label if group == "bad" else f"{label}, {found.main}"
            errors = np.array([part["mean"] - part["low"], part["high"] - part["mean"]])
            axes.errorbar(
                np.arange(2) + shift, part["mean"], yerr=errors, color=colour, marker="o", capsize=3, label=name
            )
        expected = float(row["bad_after"] - row["effect"])
        axes.plot(
            np.arange(2) - 0.03, [row["bad_before"], expected], color=MUTED, linestyle=":", marker="x",
            label="bad experience, with the change of the matched",
        )  # fmt: skip
        axes.set_xticks([0, 1], [f"{found.window_days} days {window}" for window in WINDOWS])
        axes.set(
            xlim=(-0.35, 1.35), ylabel=f"{what} per {DAYS} days{unit}", title=f"{what.capitalize()} before and after"
        )
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}" if row["bad_before"] >= 20 else "{x:,.1f}"))
        axes.grid(visible=False, axis="x")
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(0, -0.1))
    return describe(axes, _change_in_words(found, row, what, currency if measure == SPEND else ""))


def plot_value(found: ServiceAndMoney, *, currency: str = "") -> Axes:
    """
    Plot the share of revenue and of customers by number of bad experiences.

    Parameters
    ----------
    found : ServiceAndMoney
        The result.
    currency : str
        Of the spend.

    Returns
    -------
    matplotlib.axes.Axes
        Two bars a group, with the mean spend of a customer beside them. Groups about too few customers are left out.
    """
    value = found.value.dropna(subset=["customers", "share_of_spend"])
    if value.empty or not value["customers"].sum():
        return nothing_to_show(found.reason or "What customers are worth is not shown: no group may be told.")
    place = np.arange(len(value))[::-1]
    customers = value["customers"].to_numpy(dtype=float)
    of_customers = customers / float(found.n_customers)
    spend = value["share_of_spend"].to_numpy(dtype=float)
    with canvas(height=1.2 + 0.6 * len(value)) as axes:
        axes.barh(place + 0.19, of_customers, height=0.36, color=MUTED, label="share of customers")
        axes.barh(place - 0.19, spend, height=0.36, color=ACCENT, label="share of revenue")
        for at, share, mean in zip(place, spend, value["mean_spend"], strict=True):
            text = f" {number_in_words(float(mean), currency)} each"
            axes.text(max(share, 0.0), at - 0.19, text, va="center", fontsize="small", parse_math=False)
        axes.set_yticks(place, [str(name) for name in value.index])
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(
            title=f"What customers are worth ({found.value_days} days)",
            xlim=(0, 1.2 * max(1e-9, spend.max(), of_customers.max())),
        )
        axes.grid(visible=False, axis="y")
        axes.legend(frameon=False, fontsize="small", ncols=2, loc="upper left", bbox_to_anchor=(0, -0.1))
    parts = [
        f"{name}: {int(row['customers']):,} customers, {row['share_of_spend']:.0%} of revenue, "
        f"{number_in_words(float(row['mean_spend']), currency)} each"
        for name, row in value.iterrows()
    ]
    text = f"Bars by number of bad experiences in the last {found.value_days} days. {'; '.join(parts)}."
    return describe(axes, text + left_out(len(found.value) - len(value), "group"))


def _change_in_words(found: ServiceAndMoney, row: pd.Series, what: str, unit: str) -> str:
    numbers = {name: number_in_words(float(row[name]), unit) for name in row.index}
    return (
        f"Mean {what} per {DAYS} days of {int(row['bad_customers']):,} customers, {found.window_days} days before and after a first bad "
        f"experience: {numbers['bad_before']} and {numbers['bad_after']}; of matched customers, {found.main}: "
        f"{numbers['control_before']} and {numbers['control_after']}. The difference of the changes is {signed(row['effect'])} "
        f"({signed(row['low'])} to {signed(row['high'])} with 95%)."
    )
