"""
What a forecast says, in sentences that hold for any data, and its tables for readers.

Figures are computed in :mod:`crm_analysis.models.forecasting.result`; here they are only put into words.
"""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd

from crm_analysis.models.evaluation import undefined_measures
from crm_analysis.models.forecasting.estimators import (
    LAST_PERIOD,
    MEAN_RATE,
    NAIVE_RULES,
    POLYNOMIAL,
    SPEND,
    SVR_MODEL,
    ZERO,
)
from crm_analysis.models.forecasting.judgement import CURVE_STEPS
from crm_analysis.models.forecasting.result import BAND_LEVEL, CustomerForecast, TargetForecast

MODELS = {
    LAST_PERIOD: "last period again",
    MEAN_RATE: "mean rate so far",
    ZERO: "zero for everybody",
    POLYNOMIAL: "polynomial regression",
    SVR_MODEL: "support vector regression",
}
MEASURES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "wape": "WAPE",
    "bias": "bias",
    "rank_correlation": "rank correlation",
    "top_decile_share": "share of the best tenth",
}
PURCHASE_DAYS = "purchase days"  # what the column transactions_ahead counts
COVERAGE_MARGIN = 0.02
TOTAL_MARGIN = 0.1


def verdict(result: CustomerForecast, *, currency: str = "") -> list[str]:
    """
    Say what customers are expected to spend, and how far to trust it.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    currency : str
        Of the amounts.

    Returns
    -------
    list of str
        Plain sentences; those to beware of are in :func:`warnings_of`.
    """
    return [
        _expected(result, currency),
        _tried(result),
        _against_naive(result.spend, "spend", unit=f" {currency}".rstrip()),
        _against_naive(result.transactions, PURCHASE_DAYS, unit=""),
        _totals(result),
        _ranges(result, currency),
        _best_tenth(result),
    ]


def warnings_of(result: CustomerForecast) -> list[str]:
    """
    Say what a reader of this forecast must beware of.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.

    Returns
    -------
    list of str
        Plain sentences; none where there is nothing.
    """
    sentences = [_no_gain(result.spend, "spend"), _no_gain(result.transactions, PURCHASE_DAYS)]
    sentences += [_zero_does_better(result.spend, "spend"), _zero_does_better(result.transactions, PURCHASE_DAYS)]
    sentences += [_total_missed(result), _fewer_held(result), undefined_measures(result.holdout[SPEND]) or ""]
    return [sentence for sentence in sentences if sentence]


def recorded_results(result: CustomerForecast) -> dict[str, float | str]:
    """
    Return the figures that other systems and later runs rely on.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.

    Returns
    -------
    dict
        By name; all measured on the hold-out. ``naive_*`` is the naive baseline chosen before it.
    """
    spend, transactions, coverage = result.spend, result.transactions, result.coverage
    return {
        "model": spend.choice.model,
        "transactions_model": transactions.choice.model,
        "spend_mae": spend.measures["mae"],
        "spend_wape": spend.measures["wape"],
        "naive_spend_wape": spend.naive_measures["wape"],
        "zero_spend_wape": spend.zero_measures["wape"],
        "transactions_mae": transactions.measures["mae"],
        "transactions_rmse": transactions.measures["rmse"],
        "naive_transactions_mae": transactions.naive_measures["mae"],
        "spend_bias": spend.measures["bias"],
        "transactions_bias": transactions.measures["bias"],
        "coverage_90": float(coverage["coverage"]["all"]),
        "interval_width_90": float(coverage["width"]["all"]),
        "coverage_90_buyers": float(coverage["coverage"]["buyers"]),
        "top_decile_share": spend.measures["top_decile_share"],
    }


def backtest_for_readers(target: TargetForecast) -> pd.DataFrame:
    """
    Return the comparison at the calibration origin as a table for readers.

    Parameters
    ----------
    target : TargetForecast
        Spend or transactions.

    Returns
    -------
    pandas.DataFrame
        ``model`` and ``settings`` in words, and the measures, rounded; naive ones first.
    """
    table = target.choice.backtest.reset_index()
    named = table.assign(model=table["model"].map(MODELS)).round(2)
    return named.rename(columns=MEASURES)


def errors_for_readers(target: TargetForecast) -> pd.DataFrame:
    """
    Return the errors on the hold-out as a table for readers.

    Parameters
    ----------
    target : TargetForecast
        Spend or transactions.

    Returns
    -------
    pandas.DataFrame
        A row a model, with its role; RMSE, its 95% interval as text, and the other measures, rounded. The intervals of
        those are in ``target.errors``.
    """
    errors = target.errors
    wide = errors.pivot_table(index="model", columns="measure", values="value", dropna=False)
    first = errors[errors["measure"] == "rmse"].set_index("model")
    table = pd.DataFrame({"role": first["role"], "RMSE": first["value"].round(2)})
    table["95% interval"] = [_between(low, high) for low, high in zip(first["low"], first["high"], strict=True)]
    others = [measure for measure in MEASURES if measure != "rmse"]
    table = table.join(wide[others].round(2).rename(columns=MEASURES))
    return table.rename(index=MODELS).reset_index()


def forecasts_for_readers(result: CustomerForecast, *, n_customers: int = 10) -> pd.DataFrame:
    """
    Return the customers with the highest expected spend.

    Parameters
    ----------
    result : CustomerForecast
        The forecast.
    n_customers : int
        How many.

    Returns
    -------
    pandas.DataFrame
        As ``result.forecasts``, rounded, highest first; equal ones by name.
    """
    ordered = result.forecasts.sort_index().sort_values("spend_forecast", ascending=False, kind="stable")
    return ordered.head(n_customers).round(2)


def _expected(result: CustomerForecast, currency: str) -> str:
    horizon = result.plan.horizon_days
    as_of = result.plan.holdout_origin + timedelta(days=horizon)
    spend, transactions = (float(result.forecasts[name].sum()) for name in ("spend_forecast", "transactions_forecast"))
    verb = "is" if len(result.forecasts) == 1 else "are"
    return (
        f"The {_customers(len(result.forecasts))} known on {as_of} {verb} expected to spend {_money(spend, currency)} on "
        f"{transactions:,.0f} purchase days in the next {horizon} days; in the last {horizon} days their spend was "
        f"{_money(result.recent_spend, currency)}. New customers come on top."
    )


def _tried(result: CustomerForecast) -> str:
    """Say what the hold-out is, which the other sentences speak of."""
    first = result.plan.holdout_origin + timedelta(days=1)
    last = result.plan.holdout_origin + timedelta(days=result.plan.horizon_days)
    return (
        f"How good that is was tried on {_customers(len(result.holdout))} and the days from {first} to {last}, of which no "
        "model knew when it was chosen and fitted: the hold-out."
    )


def _against_naive(target: TargetForecast, what: str, *, unit: str) -> str:
    """Compare the chosen model with the naive baseline on the hold-out."""
    model, naive, gain = target.choice.model, target.choice.naive, target.gain
    error, naive_error = target.measures["rmse"], target.naive_measures["rmse"]
    if model == naive:
        return (
            f"{what.capitalize()}: no model beat the naive baseline before the hold-out, so it is the forecast "
            f"({MODELS[naive]}); on the hold-out its error (RMSE) is {_number(error)}{unit} a customer."
        )
    start = (
        f"{what.capitalize()}: the error (RMSE) of the {MODELS[model]} is {_number(error)}{unit} a customer on the hold-out, "
        f"that of the naive baseline ({MODELS[naive]}) {_number(naive_error)}{unit}"
    )
    if not math.isfinite(gain.share):
        return f"{start}."
    words = "less" if gain.share >= 0 else "more"
    interval = f" (95% interval of the saving: {gain.low:.1%} to {gain.high:.1%})" if math.isfinite(gain.low) else ""
    return f"{start}: {abs(gain.share):.1%} {words}{interval}."


def _no_gain(target: TargetForecast, what: str) -> str:
    """Warn where the naive baseline is as good."""
    model, naive, gain = target.choice.model, target.choice.naive, target.gain
    errors = target.errors[target.errors["measure"] == "rmse"].set_index("model")["value"]
    best = errors[[POLYNOMIAL, SVR_MODEL]].min()
    if best >= errors[naive]:
        return f"No model beats the naive baseline ({MODELS[naive]}) for {what} on the hold-out."
    if model == naive or gain.is_sure:
        return ""
    if gain.is_loss:
        return (
            f"For {what} the chosen {MODELS[model]} does worse than the naive baseline on the hold-out, beyond chance."
        )
    return (
        f"For {what} the difference between the {MODELS[model]} and the naive baseline is within chance on the hold-out: "
        "its interval includes zero."
    )


def _zero_does_better(target: TargetForecast, what: str) -> str:
    error, zero_error = target.measures["mae"], target.zero_measures["mae"]
    if not zero_error < error:
        return ""
    return (
        f"By mean absolute error, zero {what} for everybody would do better than the forecast (MAE {_number(zero_error)} "
        f"against {_number(error)}; WAPE {_number(target.zero_measures['wape'])} against "
        f"{_number(target.measures['wape'])}): that measure rewards the median, not the total."
    )


def _totals(result: CustomerForecast) -> str:
    """Say how totals compare with what came."""
    spend, transactions = (_against_total(target) for target in (result.spend, result.transactions))
    return (
        f"In total over the hold-out's customers, the forecast of the spend {spend}; that of {PURCHASE_DAYS} {transactions}. "
        "This is one period: another season may miss by more."
    )


def _against_total(target: TargetForecast) -> str:
    share = target.measures["bias"]
    if not math.isfinite(share):
        return "has no positive total to be compared with"
    if abs(share) < 0.0005:
        return "met what came"
    return f"was {abs(share):.1%} {'above' if share > 0 else 'below'} what came"


def _total_missed(result: CustomerForecast) -> str:
    share = result.spend.measures["bias"]
    if not abs(share) > TOTAL_MARGIN:  # NaN too
        return ""
    return (
        f"The total spend of the hold-out was missed by {abs(share):.1%}: use the forecast to rank customers, and do not "
        "plan with its total before you know why."
    )


def _ranges(result: CustomerForecast, currency: str) -> str:
    rows = result.coverage
    everybody = f"{rows['coverage']['all']:.1%} of the hold-out's customers"
    held = float(rows["coverage"]["buyers"])
    buyers = f" and {held:.1%} of those who bought" if math.isfinite(held) else ""
    return (
        f"The {BAND_LEVEL:.0%} ranges around each customer's spend held {everybody}{buyers}; they are "
        f"{_money(float(rows['width']['all']), currency)} wide on average."
    )


def _fewer_held(result: CustomerForecast) -> str:
    held = float(result.coverage["coverage"]["all"])
    if held >= BAND_LEVEL - COVERAGE_MARGIN:
        return ""
    return (
        f"The {BAND_LEVEL:.0%} ranges held only {held:.1%} of the hold-out's customers: this period differs from the one "
        "they were learnt on. Take them for narrower than they should be."
    )


def _best_tenth(result: CustomerForecast) -> str:
    share, naive = result.spend.measures["top_decile_share"], result.spend.naive_measures["top_decile_share"]
    if not math.isfinite(share):
        has_revenue = math.isfinite(float(result.gain_curve["hindsight"].iloc[-1]))
        reason = "a tenth of the hold-out are too few to tell of" if has_revenue else "the hold-out has no revenue"
        return f"Which customers bring most cannot be judged: {reason}."
    compared = "" if result.spend.choice.model in NAIVE_RULES else f" (ranked by the naive baseline: {naive:.1%})"
    best = float(result.gain_curve["hindsight"].iloc[CURVE_STEPS // 10])
    return (
        f"The tenth of the customers with the highest forecasts brought {share:.1%} of the hold-out's revenue{compared}; "
        f"with hindsight the best tenth brought {best:.1%}."
    )


def _customers(number: int) -> str:
    return "1 customer" if number == 1 else f"{number:,} customers"


def _money(value: float, currency: str) -> str:
    return f"{_number(value)} {currency}".rstrip()


def _between(low: float, high: float) -> str:
    return f"{low:,.2f} to {high:,.2f}" if math.isfinite(low) else "–"


def _number(value: float) -> str:
    """Return a number with the places that matter for its size."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
