"""
The whole question of forecasting in one result: chosen, judged on the hold-out, fitted anew, and applied.

The pieces have modules of their own in this folder; this one puts them in order. Sentences belong in
:mod:`crm_analysis.models.forecasting.wording`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.evaluation import (
    OriginPlan,
    calibrated_bands,
    calibration_table,
    coverage_table,
)
from crm_analysis.models.forecasting.choice import Choice, Task, choose, forecast_by, rows_at
from crm_analysis.models.forecasting.estimators import FEATURES, MODELS, SPEND, TRANSACTIONS, ZERO, Floats
from crm_analysis.models.forecasting.judgement import Gain, gain_curve, holdout_errors, measured
from crm_analysis.tables.privacy.suppression import left_out_in_words, small, suppressed

MIN_CUSTOMERS = 20
MAX_GROUPS = 10
BAND_LEVEL = 0.9


@dataclass(frozen=True)
class TargetForecast:
    """
    One target, forecast: the spend, or the number of transactions.

    Attributes
    ----------
    choice : Choice
        The comparison before the hold-out.
    errors : pandas.DataFrame
        Every model on the hold-out, as :func:`~crm_analysis.models.forecasting.judgement.holdout_errors` returns them.
    gain : Gain
        Of the chosen model over the naive baseline, on the hold-out.
    holdout : numpy.ndarray
        The chosen model's forecasts for the hold-out, fitted on the training origins.
    ahead : numpy.ndarray
        Its forecasts for the current customers, fitted anew with the hold-out.
    """

    choice: Choice
    errors: pd.DataFrame
    gain: Gain
    holdout: Floats
    ahead: Floats

    @property
    def measures(self) -> dict[str, float]:
        """The chosen model's measures on the hold-out."""
        return measured(self.errors, self.choice.model)

    @property
    def naive_measures(self) -> dict[str, float]:
        """The naive baseline's measures on the hold-out."""
        return measured(self.errors, self.choice.naive)

    @property
    def zero_measures(self) -> dict[str, float]:
        """The measures on the hold-out of zero for everybody."""
        return measured(self.errors, ZERO)


@dataclass(frozen=True)
class CustomerForecast:
    """
    What each customer is expected to bring, and how far that was right before.

    Attributes
    ----------
    plan : OriginPlan
        The origins.
    spend, transactions : TargetForecast
        Models, errors and forecasts of both targets.
    forecasts : pandas.DataFrame
        Index ``customer_id``; ``spend_forecast``, ``lower_90``, ``upper_90``, ``transactions_forecast`` for the horizon
        after ``as_of``.
    holdout : pandas.DataFrame
        A row a customer of the hold-out: ``customer_id``, ``spend_ahead``, ``spend_forecast``, ``lower_90``,
        ``upper_90``, ``transactions_ahead``, ``transactions_forecast``.
    coverage : pandas.DataFrame
        How often the intervals held the spend of the hold-out: all, buyers, others.
    calibration : pandas.DataFrame
        Expected and actual mean spend by tenth of the forecast, on the hold-out.
    gain_curve : pandas.DataFrame
        Share of the hold-out's revenue by share of customers, ranked by ``forecast``, ``naive`` and ``hindsight``.
    recent_spend : float
        What the current customers spent in the last period, as long as the horizon.
    notes : tuple of str
        What to know of how the models were fitted: rows drawn, a short history.
    """

    plan: OriginPlan
    spend: TargetForecast
    transactions: TargetForecast
    forecasts: pd.DataFrame
    holdout: pd.DataFrame
    coverage: pd.DataFrame
    calibration: pd.DataFrame
    gain_curve: pd.DataFrame
    recent_spend: float
    notes: tuple[str, ...]

    @property
    def errors(self) -> pd.DataFrame:
        """The errors of both targets on the hold-out, with the column ``target``."""
        both = {"spend": self.spend.errors, "transactions": self.transactions.errors}
        return pd.concat(both, names=["target"]).reset_index("target").reset_index(drop=True)


def forecast_customers(
    panel: pd.DataFrame,
    current: pd.DataFrame,
    *,
    plan: OriginPlan,
    seed: int,
    max_svr_rows: int = 4000,
    min_cell: int = 1,
) -> CustomerForecast:
    """
    Forecast each customer's spend and transactions in the horizon after ``as_of``.

    Parameters
    ----------
    panel : pandas.DataFrame
        A row an origin and customer: ``origin``, ``customer_id``, purchase features, ``spend_ahead`` and
        ``transactions_ahead``, for every origin of the plan.
    current : pandas.DataFrame
        Index ``customer_id``; the same features as of ``as_of``.
    plan : OriginPlan
        As :func:`~crm_analysis.models.evaluation.rolling_origins` returns it.
    seed : int
        Start of everything random.
    max_svr_rows : int
        Rows on which a support vector regression is fitted at most.
    min_cell : int
        Least number of customers that a figure is about; smaller ones, and what would give them away, are missing. The lists
        of customers, `forecasts` and `holdout`, are complete.

    Returns
    -------
    CustomerForecast
        The model is chosen at the calibration origin, judged once on the hold-out, and fitted anew with it.

    Raises
    ------
    DataQualityError
        Features or targets are missing.
    TooFewRecordsError
        An origin has fewer than 20 customers.

    Notes
    -----
    Intervals rest on the residuals of one horizon earlier: those of the hold-out on the calibration origin, those of the
    forecast on the hold-out. Each row counts as it is: neither the order of rows nor the names of customers matter.
    """
    rows = _in_own_order(_checked(panel, current, plan, min_cell=min_cell))
    tasks = {target: Task(target, plan.horizon_days, seed, max_svr_rows, min_cell) for target in (SPEND, TRANSACTIONS)}
    spend, transactions = (_forecast_target(rows, current, plan, task) for task in tasks.values())
    judged = rows_at(rows, (plan.holdout_origin,))
    actual = judged[SPEND].to_numpy(dtype=float)
    bands = calibrated_bands(spend.choice.actual, spend.choice.forecast, level=BAND_LEVEL).around(spend.holdout)
    bands_ahead = calibrated_bands(actual, spend.holdout, level=BAND_LEVEL).around(spend.ahead)
    naive = forecast_by(spend.choice.naive, judged, judged, tasks[SPEND], {})
    coverage = _told_coverage(coverage_table(actual, bands), min_cell=min_cell)
    n_groups = min(MAX_GROUPS, len(actual) // min_cell)
    calibration = suppressed(calibration_table(actual, spend.holdout, n_bins=n_groups), size="n", min_cell=min_cell)
    rankings = {"forecast": spend.holdout, "naive": naive, "hindsight": actual}
    left_out = left_out_in_words(min_cell, coverage["n"], calibration["n"])
    return CustomerForecast(
        plan=plan,
        spend=spend,
        transactions=transactions,
        forecasts=_listed(spend.ahead, transactions.ahead, bands_ahead).set_index(current.index),
        holdout=_holdout_table(judged, spend, transactions, bands),
        coverage=coverage,
        calibration=calibration,
        gain_curve=gain_curve(actual, rankings, min_cell=min_cell),
        recent_spend=float(current["recent_spend"].sum()),
        notes=(*_notes(rows, plan, max_svr_rows), *([left_out] if left_out else [])),
    )


def _forecast_target(rows: pd.DataFrame, current: pd.DataFrame, plan: OriginPlan, task: Task) -> TargetForecast:
    """Choose before the hold-out, judge on it, fit anew with it."""
    training, judged = rows_at(rows, plan.training), rows_at(rows, (plan.holdout_origin,))
    choice = choose(training, plan, task)
    forecasts = {model: forecast_by(model, training, judged, task, choice.settings[model]) for model in MODELS}
    actual = judged[task.target].to_numpy(dtype=float)
    errors, gain = holdout_errors(
        actual, forecasts, model=choice.model, naive=choice.naive, seed=task.seed, min_cell=task.min_cell
    )
    ahead = forecast_by(choice.model, rows_at(rows, plan.all_origins), current, task, choice.settings[choice.model])
    return TargetForecast(choice, errors, gain, holdout=forecasts[choice.model], ahead=ahead)


def _checked(panel: pd.DataFrame, current: pd.DataFrame, plan: OriginPlan, *, min_cell: int) -> pd.DataFrame:
    """Return the panel if it can be worked with."""
    needed = ["origin", "customer_id", *FEATURES, SPEND, TRANSACTIONS]
    lacking = [name for name in needed if name not in panel] + [name for name in FEATURES if name not in current]
    if lacking:
        raise ValueError(f"panel and current need the columns of a purchase panel, got none named {lacking!r}")
    if current.empty:
        raise TooFewRecordsError("There is no customer to forecast. Use a longer history_days or another as_of.")
    missing = panel[[*FEATURES, SPEND, TRANSACTIONS]].isna().sum() + current[list(FEATURES)].isna().sum().reindex(
        [*FEATURES, SPEND, TRANSACTIONS], fill_value=0
    )
    if missing.any():
        raise DataQualityError(
            f"{int(missing.sum())} values of the purchase panel are missing, in {list(missing.index[missing > 0])}. "
            "Check the cleaning of transactions."
        )
    counts = {origin: len(rows_at(panel, (origin,))) for origin in plan.all_origins}
    told = {origin: _count_in_words(count, min_cell=min_cell) for origin, count in counts.items()}
    few = {str(origin): told[origin] for origin, count in counts.items() if count < MIN_CUSTOMERS}
    if few:
        raise TooFewRecordsError(
            f"{len(few)} of {len(counts)} origins have fewer than {MIN_CUSTOMERS} customers: {few}. Use a longer "
            "history_days, another as_of, or a filter that keeps more customers."
        )
    return panel


def _count_in_words(count: int, *, min_cell: int) -> int | str:
    return f"fewer than {min_cell}" if small([count], min_cell=min_cell)[0] else count


def _told_coverage(coverage: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Return coverage without its parts where one of them is about too few customers: each is the whole less the other."""
    parts = suppressed(coverage.drop(index="all"), size="n", min_cell=min_cell)
    return pd.concat([coverage.loc[["all"]].astype(parts.dtypes), parts])


def _in_own_order(panel: pd.DataFrame) -> pd.DataFrame:
    """Order rows by their content, so that draws depend on neither the order of rows nor the names of customers."""
    return panel.sort_values(["origin", *FEATURES, SPEND, TRANSACTIONS], kind="stable").reset_index(drop=True)


def _listed(spend: Floats, transactions: Floats, bands: pd.DataFrame) -> pd.DataFrame:
    columns = {"spend_forecast": spend, "lower_90": bands["lower"], "upper_90": bands["upper"]}
    return pd.DataFrame(columns | {"transactions_forecast": transactions})


def _holdout_table(
    judged: pd.DataFrame, spend: TargetForecast, transactions: TargetForecast, bands: pd.DataFrame
) -> pd.DataFrame:
    known = judged[["customer_id", SPEND, TRANSACTIONS]].reset_index(drop=True)
    return known.join(_listed(spend.holdout, transactions.holdout, bands))


def _notes(rows: pd.DataFrame, plan: OriginPlan, max_svr_rows: int) -> tuple[str, ...]:
    """Return what a reader must know of this run."""
    notes = []
    n_training = len(rows_at(rows, plan.training))
    if n_training > max_svr_rows:
        notes.append(f"The support vector regression is fitted on {max_svr_rows:,} rows drawn from {n_training:,}.")
    if len(plan.training) < plan.n_asked:
        notes.append(
            f"The history has room for {len(plan.training)} of the {plan.n_asked} earlier origins asked for; "
            "a shorter horizon_days leaves room for more."
        )
    return tuple(notes)
