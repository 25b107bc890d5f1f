"""
The whole question of forecasting customers in one result: chosen, judged on the hold-out, fitted anew, and applied.

The pieces have modules of their own in this folder; this one puts them in order. Sentences belong in
:mod:`crm_analysis.models.forecasting.wording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
from threadpoolctl import threadpool_limits

from crm_analysis.models.customer_outlook import usual_spend
from crm_analysis.models.evaluation import OriginPlan, calibration_table, coverage_table
from crm_analysis.models.evaluation.origins import ORIGINS_IN_A_HORIZON
from crm_analysis.models.forecasting.candidates import Forecast, Task
from crm_analysis.models.forecasting.choice import Choice, choose, comparisons
from crm_analysis.models.forecasting.estimators import SPEND, TRANSACTIONS, ZERO
from crm_analysis.models.forecasting.expectations import ACTIVE, Expectations
from crm_analysis.models.forecasting.fitting import (
    Fits,
    Ranges,
    Rows,
    Segments,
    collected_rows,
    count_ranges,
    fit_all,
    spend_ranges,
)
from crm_analysis.models.forecasting.inputs import NEEDED, CustomerHistories, checked
from crm_analysis.models.forecasting.judgement import (
    Gain,
    gain_curve,
    holdout_errors,
    measured,
    told_calibration,
    told_coverage,
)
from crm_analysis.models.forecasting.terms import Floats
from crm_analysis.tables.privacy.suppression import left_out_in_words, small

MAX_GROUPS = 10
SEGMENT = "segment"


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
    gains : mapping of str to Gain
        Of the chosen model over the naive baseline, on the hold-out, for RMSE and WAPE.
    fitted : Forecast
        The chosen model, fitted on the training origins.
    holdout, naive : numpy.ndarray
        Its forecasts for the hold-out, and those of the naive baseline.
    refitted : Forecast
        The chosen model, fitted anew with what came up to ``as_of``.
    ahead : numpy.ndarray
        Its forecasts for the current customers.
    bands, bands_ahead : pandas.DataFrame
        ``lower`` and ``upper`` around both.
    coverage, calibration : pandas.DataFrame
        How often ranges held what came in the hold-out (all, buyers, others, segments); expected and actual means by tenth of
        the forecast.
    """

    choice: Choice
    errors: pd.DataFrame
    gains: Mapping[str, Gain]
    fitted: Forecast
    holdout: Floats
    naive: Floats
    refitted: Forecast
    ahead: Floats
    bands: pd.DataFrame
    bands_ahead: pd.DataFrame
    coverage: pd.DataFrame
    calibration: pd.DataFrame

    @property
    def is_told(self) -> bool:
        """Whether figures of the hold-out are told: enough customers bought anything in it, or nobody."""
        return bool(self.errors["value"].notna().any())

    @property
    def gain(self) -> Gain:
        """Of the RMSE, by which models are chosen."""
        return self.gains["rmse"]

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
    expectations : Expectations
        The models of repeat buying at every origin.
    forecasts : pandas.DataFrame
        Index ``customer_id``; ``spend_forecast``, ``lower_90``, ``upper_90``, ``transactions_forecast``, ``transactions_lower_90``,
        ``transactions_upper_90`` for the horizon after ``as_of``; ``chance_active`` where a model tells it; ``recent_spend``, scaled to the horizon, and
        ``usual_spend``, that at the own mean rate; ``segment`` where segments were asked for.
    holdout : pandas.DataFrame
        The same for the hold-out, with its features and what came: ``spend_ahead``, ``transactions_ahead``. Index ``customer_id``.
    gain_curve : pandas.DataFrame
        Share of the hold-out's revenue by share of customers, ranked by ``forecast``, ``naive`` and ``hindsight``.
    n_recent : int
        Current customers who bought in the last period; missing (-1) where they are too few to tell what they spent.
    notes : tuple of str
        What to know of how the models were fitted: a short history, models left out.
    """

    plan: OriginPlan
    spend: TargetForecast
    transactions: TargetForecast
    expectations: Expectations
    forecasts: pd.DataFrame
    holdout: pd.DataFrame
    gain_curve: pd.DataFrame
    n_recent: int
    notes: tuple[str, ...]

    @property
    def holdout_forecasts(self) -> pd.DataFrame:
        """What was expected of the hold-out's customers, with the columns of ``forecasts``."""
        scaled = self.holdout["recent_spend"] * (self.plan.horizon_days / self.plan.training_days)
        return self.holdout.assign(recent_spend=scaled)[list(self.forecasts.columns)]

    @property
    def lawful_model(self) -> str | None:
        """The model of repeat buying that did best before the hold-out: it tells who is active, and lifetime value."""
        return lawful_model(self.transactions.choice, self.expectations)

    @property
    def errors(self) -> pd.DataFrame:
        """The errors of both targets on the hold-out, with the column ``target``."""
        both = {"spend": self.spend.errors, "transactions": self.transactions.errors}
        return pd.concat(both, names=["target"]).reset_index("target").reset_index(drop=True)

    def predict_spend(self, features: pd.DataFrame) -> Floats:
        """
        Forecast the spend as the hold-out's was forecast, for whatever features.

        Parameters
        ----------
        features : pandas.DataFrame
            As those in ``holdout``: some may have been changed to see what follows.

        Returns
        -------
        numpy.ndarray of float
            For the days ahead of each row.
        """
        return self.spend.fitted.predict(self.expectations.added(features[["origin", "days_ahead", *NEEDED]]))


def forecast_customers(
    histories: CustomerHistories,
    *,
    seed: int,
    exact_svr_rows: int = 4000,
    min_cell: int = 1,
    segments: Segments | None = None,
) -> CustomerForecast:
    """
    Forecast each customer's spend and transactions in the horizon after ``as_of``.

    Parameters
    ----------
    histories : CustomerHistories
        What was known at every origin, and what came.
    seed : int
        Start of everything random.
    exact_svr_rows : int
        Rows up to which a support vector regression is exact; beyond, its kernel is seen from landmarks.
    min_cell : int
        Least number of customers that a figure is about; smaller ones, and what would give them away, are missing. The lists
        of customers, `forecasts` and `holdout`, are complete.
    segments : callable, optional
        Takes features of one origin, returns each customer's segment; coverage is then told by it.

    Returns
    -------
    CustomerForecast
        The model is chosen at training origins, judged once on the hold-out, and fitted anew with it.

    Raises
    ------
    DataQualityError
        Features or targets are missing.
    TooFewRecordsError
        An origin has fewer than 20 customers.

    Notes
    -----
    Ranges rest on what came after an earlier origin: those of the hold-out on the last trial, those of the
    forecast on the hold-out. Each row counts as it is: neither the order of rows nor the names of customers matter.
    """
    checked(histories, min_cell=min_cell)
    with threadpool_limits(limits=1):  # hundreds of small fits, which several threads only slow down
        rows = collected_rows(histories, segments)
        counting = Task(
            target=TRANSACTIONS,
            horizon_days=rows.plan.horizon_days,
            training_days=rows.plan.training_days,
            seed=seed,
            exact_svr_rows=exact_svr_rows,
            models=rows.expectations.models,
            min_cell=min_cell,
        )
        spending = replace(counting, target=SPEND)
        choice = choose(comparisons(rows.panel, rows.plan, counting), counting)
        fits = fit_all(rows, counting, choice)
        ranges = count_ranges(rows, choice, fits)
        transactions = _judged(rows, counting, choice, fits, ranges)
        spend_choice = choose(comparisons(rows.panel, rows.plan, counting, counts=choice), spending)
        spend_fits = fit_all(rows, spending, spend_choice, counts=fits)
        money_ranges = spend_ranges(rows, spend_choice, spend_fits, ranges, choice, fits)
        spend = _judged(rows, spending, spend_choice, spend_fits, money_ranges)
    rankings = {"forecast": spend.holdout, "naive": spend.naive, "hindsight": rows.came(SPEND)}
    sizes = [table["n"] for target in (spend, transactions) for table in (target.coverage, target.calibration)]
    left_out = left_out_in_words(min_cell, *sizes)
    return CustomerForecast(
        plan=rows.plan,
        spend=spend,
        transactions=transactions,
        expectations=rows.expectations,
        forecasts=_ahead(rows, spend, transactions),
        holdout=_holdout(rows, spend, transactions),
        gain_curve=gain_curve(rows.came(SPEND), rankings, min_cell=min_cell),
        n_recent=_told_buyers(histories.current["recent_spend"], min_cell=min_cell),
        notes=(*_notes(rows.plan), *rows.expectations.notes, *([left_out] if left_out else [])),
    )


def _judged(rows: Rows, task: Task, choice: Choice, fits: Fits, ranges: Ranges) -> TargetForecast:
    """Measure everything on the hold-out, once."""
    actual, holdout, min_cell = rows.came(task.target), fits.holdout[choice.model], task.min_cell
    errors, gains = holdout_errors(
        actual, fits.holdout, model=choice.model, naive=choice.naive, seed=task.seed, min_cell=min_cell
    )
    coverage = coverage_table(actual, ranges.bands, groups=rows.judged_segments)
    n_groups = max(1, min(MAX_GROUPS, len(actual) // min_cell))
    calibration = calibration_table(actual, holdout, n_bins=n_groups)
    return TargetForecast(
        choice=choice,
        errors=errors,
        gains=gains,
        fitted=fits.fitted[choice.model],
        holdout=holdout,
        naive=fits.holdout[choice.naive],
        refitted=fits.refitted,
        ahead=fits.ahead,
        bands=ranges.bands,
        bands_ahead=ranges.bands_ahead,
        coverage=told_coverage(coverage, min_cell=min_cell),
        calibration=told_calibration(calibration, actual, holdout, min_cell=min_cell),
    )


def lawful_model(choice: Choice, expectations: Expectations) -> str | None:
    """
    Return the model of repeat buying that did best before the hold-out.

    Parameters
    ----------
    choice : Choice
        Of the transactions.
    expectations : Expectations
        Which models there are.

    Returns
    -------
    str or None
        Its name; None where none could be fitted.
    """
    return min(expectations.models, key=choice.scores.__getitem__, default=None)


def _ahead(rows: Rows, spend: TargetForecast, transactions: TargetForecast) -> pd.DataFrame:
    columns = _listed(spend.ahead, transactions.ahead, spend.bands_ahead, transactions.bands_ahead)
    table = pd.DataFrame(columns, index=rows.current.index)
    table["recent_spend"] = rows.current["recent_spend"] * (rows.plan.horizon_days / rows.plan.training_days)
    return table.join(_told(rows, rows.current, transactions.choice, rows.current_segments))


def _holdout(rows: Rows, spend: TargetForecast, transactions: TargetForecast) -> pd.DataFrame:
    columns = _listed(spend.holdout, transactions.holdout, spend.bands, transactions.bands)
    told = _told(rows, rows.judged, transactions.choice, rows.judged_segments)
    judged = rows.judged.drop(columns=[ACTIVE]).assign(**columns)
    return judged.join(told).set_index("customer_id")


def _told(rows: Rows, features: pd.DataFrame, choice: Choice, segments: pd.Series | None) -> pd.DataFrame:
    """Return what else is told of customers: their usual spend, the chance that they are active, their segment."""
    usual = usual_spend(features["spend"], features["observed_days"], horizon_days=rows.plan.horizon_days)
    told = pd.DataFrame({"usual_spend": usual}, index=features.index)
    model = lawful_model(choice, rows.expectations)
    if model is not None:
        told[ACTIVE] = rows.expectations.chance_active(features, model=model)
    if segments is not None:
        told[SEGMENT] = segments.to_numpy()
    return told


def _listed(spend: Floats, counts: Floats, bands: pd.DataFrame, count_bands: pd.DataFrame) -> dict[str, Floats]:
    return {
        "spend_forecast": spend,
        "lower_90": bands["lower"].to_numpy(),
        "upper_90": bands["upper"].to_numpy(),
        "transactions_forecast": counts,
        "transactions_lower_90": count_bands["lower"].to_numpy(),
        "transactions_upper_90": count_bands["upper"].to_numpy(),
    }


def _told_buyers(spend: pd.Series, *, min_cell: int) -> int:
    """Return how many spent anything, -1 where they are too few to be told of."""
    buyers = int((spend != 0).sum())
    return -1 if small([buyers], min_cell=min_cell)[0] else buyers


def _notes(plan: OriginPlan) -> tuple[str, ...]:
    """Return what a reader must know of this run."""
    n_trials = len(plan.trials)
    trials, last = ("1 trial", "it") if n_trials == 1 else (f"{n_trials} trials", "the last")
    notes = [f"Models were compared in {trials} before the hold-out; the ranges on it were learnt from {last} as well."]
    if plan.is_shorter:
        notes.append(
            f"The days before the hold-out have no room for training periods of {plan.horizon_days} days. Models learn what comes "
            f"within {plan.training_days} days and carry its rate on. The longest trial before the hold-out forecast "
            f"{plan.calibration.days_ahead} days; ranges are learnt from it, and widened."
        )
    if len(plan.training) < plan.n_asked and plan.training_days >= ORIGINS_IN_A_HORIZON:
        notes.append(
            f"The history has room for {len(plan.training)} of the {plan.n_asked} earlier origins asked for; "
            "a shorter horizon_days leaves room for more."
        )
    return tuple(notes)
