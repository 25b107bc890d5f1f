"""
What the forecast of a business says, in sentences that hold for any data, and its tables for readers.

Figures are computed in :mod:`crm_analysis.models.business_series.result`; here they are only put into words.
"""

from __future__ import annotations

import math

import pandas as pd
from scipy.stats import binom

from crm_analysis.models.business_series.candidates import MODELS, NAIVE_RULES
from crm_analysis.models.business_series.measures import MeasureForecast
from crm_analysis.models.business_series.naming import (
    MEASURES_IN_WORDS,
    count,
    latest,
    model_in_words,
    number_in_words,
    settings_in_words,
)
from crm_analysis.models.business_series.reconciliation import BUILT_UP, DIFFERENCE, KNOWN, NEW, SERIES, Reconciliation
from crm_analysis.models.business_series.result import BusinessForecast
from crm_analysis.models.business_series.seasons import SEASONS

LEVEL = 0.9
TOTAL_MARGIN = 0.1
SURELY_FEWER = 0.05
AS_GOOD_AS = 1e-6  # a fit can end there by another way


def verdict(forecast: BusinessForecast, *, currency: str = "") -> list[str]:
    """
    Say what the business is expected to take, and how far to trust it.

    Parameters
    ----------
    forecast : BusinessForecast
        The forecast.
    currency : str
        Of the revenue.

    Returns
    -------
    list of str
        Plain sentences; those to beware of are in :func:`warnings_of`.
    """
    compared = [_against_naive(forecast, told, currency) for told in forecast.measures]
    sentences = [
        _expected(forecast, currency),
        _orders_and_customers(forecast),
        _judged_on(forecast),
        *compared,
        _held(forecast),
        _one_holdout(forecast),
    ]
    return [sentence for sentence in sentences if sentence]


def warnings_of(forecast: BusinessForecast) -> list[str]:
    """
    Say what a reader of this forecast must beware of.

    Parameters
    ----------
    forecast : BusinessForecast
        The forecast.

    Returns
    -------
    list of str
        Plain sentences; none where there is nothing.
    """
    sentences = [_no_gain(forecast, told) for told in forecast.measures]
    sentences += [_total_missed(forecast), _fewer_held(forecast), _season_unseen(forecast), _left_out(forecast)]
    sentences += [_no_model(forecast), *(_noted(forecast, told) for told in forecast.measures)]
    return [sentence for sentence in sentences if sentence]


def reconciled(found: Reconciliation, *, currency: str = "") -> str:
    """
    Say how customer forecasts and the forecast of the business agree.

    Parameters
    ----------
    found : Reconciliation
        Both.
    currency : str
        Of the revenue.

    Returns
    -------
    str
        A few sentences.
    """
    revenue = found.table["revenue"]
    known, series = (number_in_words(float(revenue[part]), currency) for part in (KNOWN, SERIES))
    start = f"The forecasts of the {count(found.n_customers, 'customer')} known add up to {known}"
    told = found.shares.dropna()
    if not len(told):
        return (
            f"{start}, the series to {series}. What new customers bring on top cannot be told from earlier horizons of "
            f"{found.horizon_days} days, so the two cannot be reconciled.{_orders_reconciled(found)}"
        )
    difference = float(revenue[DIFFERENCE])
    low, high = (float(found.table[side][SERIES]) for side in ("low", "high"))
    is_within = low <= float(revenue[BUILT_UP]) <= high
    size = _share_in_words(difference, float(revenue[SERIES]))
    return (
        f"{start}. In {count(len(told), 'earlier horizon')} of {found.horizon_days} days, customers whom no forecast "
        f"could know at the beginning (new, or back after a longer silence than the history) brought {told.mean():.1%} of the revenue on average ({told.min():.1%} to {told.max():.1%}, in the "
        f"latest {found.latest_share:.1%}). With the latest share on top "
        f"({number_in_words(float(revenue[NEW]), currency)}) that makes {number_in_words(float(revenue[BUILT_UP]), currency)}: "
        f"{number_in_words(abs(difference), currency)}{size} {'above' if difference >= 0 else 'below'} the forecast of the "
        f"series ({series}) and {'within' if is_within else 'outside'} its {LEVEL:.0%} range.{_orders_reconciled(found)}"
    )


def recorded_results(forecast: BusinessForecast) -> dict[str, float | str]:
    """
    Return the figures that other systems and later runs rely on.

    Parameters
    ----------
    forecast : BusinessForecast
        The forecast.

    Returns
    -------
    dict
        By name, all of the revenue; errors are those on the hold-out.
    """
    told = forecast.revenue
    low, high = told.total.intervals[LEVEL]
    errors = told.errors
    return {
        "business_model": told.choice.model,
        "business_revenue": told.total.forecast,
        "business_revenue_low_90": low,
        "business_revenue_high_90": high,
        "business_rmse": float(errors["rmse"][told.choice.model]),
        "naive_business_rmse": float(errors["rmse"][told.choice.naive]),
        "business_wape": float(errors["wape"][told.choice.model]),
        "naive_business_wape": float(errors["wape"][told.choice.naive]),
        "business_bias": float(errors["bias"][told.choice.model]),
        "business_coverage_90": float(told.coverage["coverage_90"]["hold-out"]),
    }


def _expected(forecast: BusinessForecast, currency: str) -> str:
    horizon, total = forecast.horizon, forecast.revenue.total
    low, high = total.intervals[LEVEL]
    low_80, high_80 = total.intervals[0.8]
    n_periods = float((horizon.periods["days_in_horizon"] / horizon.periods["days"]).sum())
    recent = float(forecast.history["revenue"].iloc[-horizon.steps :].mean())
    before = (
        f"; in {latest(horizon.steps, forecast.period)} it was {number_in_words(recent, currency)}"
        if forecast.history["revenue"].iloc[-horizon.steps :].notna().all()
        else ""
    )
    return (
        f"From {horizon.first_day} to {horizon.last_day} ({count(horizon.days, 'day')}) the business is expected to take "
        f"{number_in_words(total.forecast, currency)}, with returns taken off: {number_in_words(low)} to "
        f"{number_in_words(high, currency)} with {LEVEL:.0%} confidence, {number_in_words(low_80)} to "
        f"{number_in_words(high_80, currency)} with 80%. That is {number_in_words(total.forecast / n_periods, currency)} a "
        f"{forecast.period}{before}."
    )


def _orders_and_customers(forecast: BusinessForecast) -> str:
    orders, active = forecast.orders.total, forecast.active_customers.total
    periods = forecast.horizon.periods
    n_periods = float((periods["days_in_horizon"] / periods["days"]).sum())
    low, high = orders.intervals[LEVEL]
    least, most = (limit / n_periods for limit in active.intervals[LEVEL])
    return (
        f"It is expected to see {orders.forecast:,.0f} purchase days of customers ({low:,.0f} to {high:,.0f} with "
        f"{LEVEL:.0%}), and {active.forecast / n_periods:,.0f} active customers in a mean {forecast.period} "
        f"({least:,.0f} to {most:,.0f})."
    )


def _judged_on(forecast: BusinessForecast) -> str:
    """Say how candidates were chosen and what the hold-out is."""
    first, steps = forecast.revenue.holdout.index[0], forecast.plan.steps
    last = forecast.revenue.holdout.index[-1] + pd.Timedelta(days=int(forecast.history["days"].iloc[-1]) - 1)
    return (
        f"Candidates were compared at {count(len(forecast.plan.training), 'earlier origin')}; "
        f"{latest(steps, forecast.period)}, from {first:%Y-%m-%d} to {last:%Y-%m-%d}, {'was' if steps == 1 else 'were'} held "
        f"out: no candidate knew of {'it' if steps == 1 else 'them'} when it was chosen and fitted."
    )


def _against_naive(forecast: BusinessForecast, told: MeasureForecast, currency: str) -> str:
    """Compare the chosen candidate with the best naive rule on the hold-out."""
    period, choice = forecast.period, told.choice
    unit = currency if told.measure == "revenue" else ""
    what = MEASURES_IN_WORDS[told.measure].capitalize()
    error, naive_error = (float(told.errors["rmse"][name]) for name in (choice.model, choice.naive))
    chosen, naive = (model_in_words(name, period=period) for name in (choice.model, choice.naive))
    if not choice.beats_naive:
        sentence = f"{what}: no model beat the best naive rule ({naive}) at the earlier origins, so it is the forecast"
        if forecast.n_hidden_in_holdout:
            return f"{sentence}."
        return f"{sentence}; on the hold-out its error (RMSE) is {number_in_words(error, unit)} a {period}{_total_in_words(told)}."
    settings = settings_in_words(choice.settings, period=period)
    if forecast.n_hidden_in_holdout:
        return f"{what}: {chosen}{f' ({settings})' if settings else ''}."
    saved = (
        f": {abs(1 - error / naive_error):.1%} {'less' if error <= naive_error else 'more'}" if naive_error > 0 else ""
    )
    return (
        f"{what}: {chosen}{f' ({settings})' if settings else ''}. On the hold-out its error (RMSE) is "
        f"{number_in_words(error, unit)} a {period}, that of the best naive rule ({naive}) "
        f"{number_in_words(naive_error, unit)}{saved}{_total_in_words(told)}."
    )


def _one_holdout(forecast: BusinessForecast) -> str:
    """Say how little one hold-out tells, or why nothing of it is told."""
    steps, n_hidden = forecast.plan.steps, forecast.n_hidden_in_holdout
    if n_hidden:
        which = (
            f"its {forecast.period}" + "s" * (steps > 1)
            if n_hidden == steps
            else f"{n_hidden} of its {steps} {forecast.period}s"
        )
        return (
            f"How far forecasts were off on the hold-out, and how often their ranges held, is not told: {which} "
            f"{'is' if n_hidden == 1 else 'are'} not shown, because of too few customers, and could be worked out from it."
        )
    return (
        f"One hold-out of {count(steps, forecast.period)} does not tell whether such differences are more than chance."
    )


def _total_in_words(told: MeasureForecast) -> str:
    share = float(told.errors["bias"][told.choice.model])
    if not math.isfinite(share):
        return ""
    if abs(share) < 0.0005:
        return "; the total met what came"
    return f"; the total was {abs(share):.1%} {'above' if share > 0 else 'below'} what came"


def _held(forecast: BusinessForecast) -> str:
    rows = forecast.revenue.coverage
    n_points, n_earlier = (int(rows["n_points"][where]) for where in ("hold-out", "earlier origins"))
    on_holdout, earlier = (float(rows["coverage_90"][where]) for where in ("hold-out", "earlier origins"))
    held = []
    if math.isfinite(on_holdout):
        held.append(f"{round(on_holdout * n_points)} of {count(n_points, forecast.period)} of the hold-out")
    if math.isfinite(earlier):
        held.append(
            f"{earlier:.0%} of {n_earlier} forecasts at earlier origins (each judged by the others; they overlap)"
        )
    sentences = [f"The {LEVEL:.0%} ranges of the revenue held {', and '.join(held)}."] if held else []
    if not math.isfinite(earlier):
        sentences.append(
            f"Errors at the earlier origins are not told: {count(forecast.n_hidden_in_trials, forecast.period)} of their horizons "
            f"{'is' if forecast.n_hidden_in_trials == 1 else 'are'} not shown, because of too few customers."
        )
    return " ".join(sentences)


def _no_gain(forecast: BusinessForecast, told: MeasureForecast) -> str:
    """Warn where a naive rule is as good on the hold-out."""
    choice, errors = told.choice, told.errors["rmse"]
    what, naive = MEASURES_IN_WORDS[told.measure], model_in_words(choice.naive, period=forecast.period)
    models = errors.drop([name for name in NAIVE_RULES if name in errors.index])
    if not models.empty and float(models.min()) >= (1 - AS_GOOD_AS) * float(errors[choice.naive]):
        return f"No model beats the best naive rule ({naive}) for {what} on the hold-out."
    if choice.beats_naive and float(errors[choice.model]) > float(errors[choice.naive]):
        return f"For {what} the chosen candidate does worse than the best naive rule ({naive}) on the hold-out."
    return ""


def _total_missed(forecast: BusinessForecast) -> str:
    share = float(forecast.revenue.errors["bias"][forecast.revenue.choice.model])
    if not abs(share) > TOTAL_MARGIN:  # NaN too
        return ""
    return f"The total revenue of the hold-out was missed by {abs(share):.1%}: do not plan with the forecast before you know why."


def _fewer_held(forecast: BusinessForecast) -> str:
    rows = forecast.revenue.coverage
    n_points = int(rows["n_points"]["hold-out"])
    if forecast.n_hidden_in_holdout:
        return ""
    held = round(float(rows["coverage_90"]["hold-out"]) * n_points)
    if held >= binom.ppf(SURELY_FEWER, n_points, LEVEL):
        return ""
    return (
        f"The {LEVEL:.0%} ranges held only {held} of {count(n_points, forecast.period)} of the hold-out: it differs from the "
        "time before. Take the ranges for narrower than they should be."
    )


def _season_unseen(forecast: BusinessForecast) -> str:
    period, n_periods = forecast.period, forecast.plan.n_periods
    if forecast.is_season_seen:
        if forecast.plan.training[0] >= SEASONS[period].cycle:
            return ""
        return (
            f"The earlier origins do not know a whole year, so that the same {period} a year before could not compete. The "
            "season in the forecast, if any, is little tried."
        )
    return (
        f"The history holds {count(n_periods, period)}, less than two years: a season cannot be told from a trend, and no "
        "candidate can foresee one. What comes every year, such as a holiday's peak, is missing from the forecast."
    )


def _left_out(forecast: BusinessForecast) -> str:
    """Say what of the data is not in the series or not shown."""
    sentences = []
    if forecast.days_before:
        one = forecast.days_before == 1
        sentences.append(
            f"The first {'day' if one else f'{forecast.days_before} days'} of the data {'is' if one else 'are'} left out: "
            f"{'its' if one else 'their'} {forecast.period} is not whole."
        )
    if forecast.days_after:
        one = forecast.days_after == 1
        sentences.append(
            f"The last {'day' if one else f'{forecast.days_after} days'} {'is' if one else 'are'} not used: the "
            f"{forecast.period} is not over."
        )
    if forecast.n_hidden:
        sentences.append(
            f"{count(forecast.n_hidden, forecast.period).capitalize()} {'is' if forecast.n_hidden == 1 else 'are'} not shown, "
            "because of too few customers; rules that repeat single ones do not forecast what lies ahead."
        )
    return " ".join(sentences)


def _no_model(forecast: BusinessForecast) -> str:
    """Say where the history has no room for models."""
    if any(
        name in told.choice.backtest.index or name in told.choice.dropped
        for name in MODELS
        for told in forecast.measures
    ):
        return ""
    return (
        f"With {count(forecast.plan.training[0], forecast.period)} known at the first of the earlier origins, no model could "
        "compete; only rules that repeat the past were compared."
    )


def _noted(forecast: BusinessForecast, told: MeasureForecast) -> str:
    """Say which candidates could not be fitted, or must not forecast."""
    what = MEASURES_IN_WORDS[told.measure].capitalize()
    names = [model_in_words(name, period=forecast.period) for name in told.choice.dropped]
    sentences = [f"{what}: {' and '.join(names)} could not be fitted and did not compete."] if names else []
    if told.ahead_model != told.choice.model:
        sentences.append(
            f"{what}: the chosen candidate would tell of {forecast.period}s that are not shown, so that what lies ahead is "
            f"forecast by another ({model_in_words(told.ahead_model, period=forecast.period)})."
        )
    if told.stands_in:
        sentences.append(
            f"{what}: the chosen candidate could not be fitted {told.stands_in}; the best naive rule stands in for it."
        )
    return " ".join(sentences)


def _orders_reconciled(found: Reconciliation) -> str:
    """Say how both agree for purchase days, where they are reconciled."""
    if not found.has_orders:
        return ""
    orders, share = found.table["orders"], found.latest_order_share
    start = f" Of purchase days, customers known are forecast {orders[KNOWN]:,.0f}"
    if not math.isfinite(share):
        return f"{start}, the series {orders[SERIES]:,.0f}; those of new customers come on top."
    low, high = (float(found.table[f"orders_{side}"][SERIES]) for side in ("low", "high"))
    difference = float(orders[DIFFERENCE])
    return (
        f"{start}; with the latest share of others on top ({share:.1%}) that makes {orders[BUILT_UP]:,.0f}, "
        f"{abs(difference):,.0f}{_share_in_words(difference, float(orders[SERIES]))} {'above' if difference >= 0 else 'below'} "
        f"the series ({orders[SERIES]:,.0f}) and {'within' if low <= float(orders[BUILT_UP]) <= high else 'outside'} its "
        f"{LEVEL:.0%} range."
    )


def _share_in_words(part: float, whole: float) -> str:
    return f" ({abs(part) / whole:.1%})" if whole > 0 else ""
