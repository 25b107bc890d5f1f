"""
What a forecast says, in sentences that hold for any data, and the figures that others rely on.

Figures are computed in :mod:`crm_analysis.models.forecasting.result`, tables for readers in
:mod:`crm_analysis.models.forecasting.readers`; here they are only put into words.
"""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd

from crm_analysis.models.evaluation import undefined_measures
from crm_analysis.models.forecasting.candidates import is_naive
from crm_analysis.models.forecasting.estimators import NAIVE_RULES, SPEND, ZERO
from crm_analysis.models.forecasting.fitting import BAND_LEVEL
from crm_analysis.models.forecasting.judgement import CURVE_STEPS, Gain
from crm_analysis.models.forecasting.readers import MODELS, model_in_words
from crm_analysis.models.forecasting.result import CustomerForecast, TargetForecast

PURCHASE_DAYS = "purchase days"  # what the column transactions_ahead counts
COVERAGE_MARGIN = 0.02
BUYERS_MARGIN, MOST_BUYERS = 0.85, 0.5
TOTAL_MARGIN = 0.1
TIE = 1e-9


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
    if not (result.spend.is_told and result.transactions.is_told):
        return [_expected(result, currency), _tried(result), _not_told()]
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
    if not (result.spend.is_told and result.transactions.is_told):
        return []
    sentences = [_no_gain(result.spend, "spend"), _no_gain(result.transactions, PURCHASE_DAYS)]
    sentences += [_zero_does_better(result.spend, "spend"), _zero_does_better(result.transactions, PURCHASE_DAYS)]
    sentences += [
        _total_missed(result),
        _fewer_held(result),
        _buyers_missed(result),
        undefined_measures(result.holdout[SPEND].to_numpy()) or "",
    ]
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
    spend, transactions = result.spend, result.transactions
    coverage, counted = spend.coverage, transactions.coverage
    return {
        "model": spend.choice.model,
        "transactions_model": transactions.choice.model,
        "spend_mae": spend.measures["mae"],
        "spend_rmse": spend.measures["rmse"],
        "naive_spend_rmse": spend.naive_measures["rmse"],
        "spend_rmse_saved": spend.gains["rmse"].share,
        "spend_wape": spend.measures["wape"],
        "naive_spend_wape": spend.naive_measures["wape"],
        "zero_spend_wape": spend.zero_measures["wape"],
        "transactions_mae": transactions.measures["mae"],
        "transactions_rmse": transactions.measures["rmse"],
        "naive_transactions_rmse": transactions.naive_measures["rmse"],
        "transactions_rmse_saved": transactions.gains["rmse"].share,
        "transactions_poisson_deviance": transactions.measures["poisson_deviance"],
        "naive_transactions_mae": transactions.naive_measures["mae"],
        "zero_transactions_mae": transactions.zero_measures["mae"],
        "spend_bias": spend.measures["bias"],
        "transactions_bias": transactions.measures["bias"],
        "coverage_90": float(coverage["coverage"]["all"]),
        "interval_width_90": float(coverage["width"]["all"]),
        "coverage_90_buyers": float(coverage["coverage"]["buyers"]),
        "transactions_coverage_90": float(counted["coverage"]["all"]),
        "transactions_coverage_90_buyers": float(counted["coverage"]["buyers"]),
        "top_decile_share": spend.measures["top_decile_share"],
        "spend_gini": spend.measures["gini"],
    }


def _expected(result: CustomerForecast, currency: str) -> str:
    horizon, as_of = result.plan.horizon_days, result.plan.as_of
    spend, transactions = (float(result.forecasts[name].sum()) for name in ("spend_forecast", "transactions_forecast"))
    verb = "is" if len(result.forecasts) == 1 else "are"
    before = "" if result.n_recent < 0 else _recently(result, currency)
    return (
        f"The {_customers(len(result.forecasts))} known on {as_of} {verb} expected to spend {_money(spend, currency)} on "
        f"{_number(transactions) if transactions < 10 else f'{transactions:,.0f}'} purchase days in the next {horizon} days{before}. "
        "New customers come on top."
    )


def _recently(result: CustomerForecast, currency: str) -> str:
    recent = float(result.forecasts["recent_spend"].sum())
    return (
        f"; going on as in the last {result.plan.training_days} days, it would be {_money(recent, currency)}"
        if result.plan.is_shorter
        else f"; in the last {result.plan.horizon_days} days their spend was {_money(recent, currency)}"
    )


def _not_told() -> str:
    return (
        "How well that went cannot be told: of the hold-out's customers, so few bought anything that any figure would be about "
        "single persons. Use a longer horizon_days."
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
        f"{what.capitalize()}: the error (RMSE) of the {model_in_words(target.choice)} is {_number(error)}{unit} a customer on the hold-out, "
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
    best = errors.drop(ZERO)[[not is_naive(name) for name in errors.drop(ZERO).index]].min()
    if best >= errors[naive]:
        return f"No model beats the naive baseline ({MODELS[naive]}) for {what} on the hold-out."
    if errors[model] >= errors[ZERO] * (1 - TIE):
        return (
            f"For {what} the {model_in_words(target.choice)} does no better than zero for everybody on the hold-out (RMSE "
            f"{_number(errors[model])} against {_number(errors[ZERO])})."
        )
    if model == naive or (gain.is_sure and target.gains["wape"].is_sure):
        return ""
    if gain.is_loss:
        return (
            f"For {what} the chosen {model_in_words(target.choice)} does worse than the naive baseline on the hold-out, "
            "beyond chance."
        )
    shares = "; ".join(_saving(name, one) for name, one in target.gains.items() if not one.is_sure)
    return (
        f"For {what} the {model_in_words(target.choice)} is not in every way better than the naive baseline on the hold-out, beyond "
        f"chance: {shares}."
    )


def _saving(measure: str, gain: Gain) -> str:
    if not math.isfinite(gain.low):
        return f"{measure.upper()} cannot be compared"
    loss = ", a loss beyond chance" if gain.is_loss else ""
    return f"it saves {gain.low:.1%} to {gain.high:.1%} of the {measure.upper()} (95% interval){loss}"


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
    rows = result.spend.coverage
    counts = result.transactions.coverage["coverage"]["all"]
    return (
        f"The {BAND_LEVEL:.0%} ranges around each customer's spend held {_held(rows)} in the hold-out; they are "
        f"{_money(float(rows['width']['all']), currency)} wide on average. Those around the {PURCHASE_DAYS} held {counts:.1%}.{_above(result)}"
    )


def _above(result: CustomerForecast) -> str:
    """Say how many forecasts lie above their range, which looks wrong and is not."""
    above = int((result.forecasts["spend_forecast"] > result.forecasts["upper_90"]).sum())
    if not above:
        return ""
    return (
        f" For {above:,} of {_customers(len(result.forecasts))} the forecast of the spend lies above the range ahead: it is a mean, and "
        "most of these will buy nothing."
    )


def _held(rows: pd.DataFrame) -> str:
    held = float(rows["coverage"]["buyers"])
    buyers = f" and {held:.1%} of those who bought" if math.isfinite(held) else ""
    return f"{rows['coverage']['all']:.1%} of the customers{buyers}"


def _fewer_held(result: CustomerForecast) -> str:
    targets = {"spend": result.spend, PURCHASE_DAYS: result.transactions}
    held = {what: float(target.coverage["coverage"]["all"]) for what, target in targets.items()}
    few = [f"{share:.1%} for the {what}" for what, share in held.items() if share < BAND_LEVEL - COVERAGE_MARGIN]
    if not few:
        return ""
    return (
        f"The {BAND_LEVEL:.0%} ranges held fewer of the hold-out's customers than they should ({' and '.join(few)}): this period "
        "differs from the one they were learnt on. Take them for narrower than they should be."
    )


def _buyers_missed(result: CustomerForecast) -> str:
    """Warn where ranges hold because most buy nothing."""
    rows = result.spend.coverage.astype(float)  # missing where about too few customers
    held, share = float(rows["coverage"]["buyers"]), float(rows["n"]["buyers"] / rows["n"]["all"])
    if not (share < MOST_BUYERS and held < BUYERS_MARGIN):  # NaN too
        return ""
    return (
        f"Only {share:.0%} of the hold-out's customers bought anything. The ranges hold nearly all of the others, and {held:.0%} of "
        "these buyers: for somebody who does buy, the amount may well lie above the range."
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


def _number(value: float) -> str:
    """Return a number with the places that matter for its size."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
