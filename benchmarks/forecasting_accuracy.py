"""
Forecasts of customers on real data, through the package's own path: every model's errors on the hold-out, and the chosen one's.

What was looked at before, and how often, is told in this folder's README.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from crm_analysis.models.evaluation import top_share
from crm_analysis.models.forecasting.estimators import ZERO
from crm_analysis.models.forecasting.inputs import customer_histories
from crm_analysis.models.forecasting.judgement import Gain, measured
from crm_analysis.models.forecasting.result import CustomerForecast, TargetForecast, forecast_customers
from crm_analysis.models.segmentation.rfm import fit_rfm_grid
from crm_analysis.tables.datasets import open_dataset

PEER = "bg_nbd"
SEED = 0
HALF_OF_CDNOW = 39 * 7
LEDGER, LEDGER_FILES = "online_retail", "online_retail_*.parquet"
TARGETS = {"transactions": "transactions_ahead", "spend": "spend_ahead"}


@dataclass(frozen=True)
class Case:
    """A dataset, the last day known, and the days forecast, which are the hold-out before that day."""

    dataset: str
    as_of: date
    horizon_days: int
    history_days: int


CDNOW = tuple(Case(name, date(1998, 6, 30), HALF_OF_CDNOW, 2 * HALF_OF_CDNOW) for name in ("cdnow_sample", "cdnow"))
OTHERS = (
    Case("complete_journey", date(2017, 12, 31), 90, 365),
    Case(LEDGER, date(2010, 12, 9), 60, 365),
)


@cache
def forecast(case: Case) -> tuple[CustomerForecast, float]:
    """Return the forecast of a case, and the seconds it took from opened data to ranges."""
    dataset = open_dataset(case.dataset)
    started = time.perf_counter()
    histories = customer_histories(
        dataset, as_of=case.as_of, horizon_days=case.horizon_days, history_days=case.history_days
    )
    found = forecast_customers(histories, seed=SEED, min_cell=dataset.min_cell, segments=rfm_segments)
    return found, time.perf_counter() - started


def rfm_segments(features: pd.DataFrame) -> pd.Series:
    """Return each customer's segment by recency, frequency and monetary value."""
    customers = features.reset_index(drop=True)
    return fit_rfm_grid(customers).score(customers)["rfm_segment"]


def figures() -> Iterator[tuple[str, ...]]:
    """Yield the table of chosen models: errors on the hold-out beside naive and peer, coverage, and who brings the revenue."""
    yield (
        *("case", "target", "customers", "chosen", "RMSE", "best naive's", "BG/NBD's"),
        *("RMSE saved (95 %)", "WAPE saved (95 %)", "bias", "held 90 %: all, buyers", "MAE, zero's"),
        *("best tenth: forecast, past spend, hindsight", "seconds"),
    )
    for case in (*CDNOW, *OTHERS):
        if case.dataset == LEDGER and not has_ledger():
            yield (case.dataset, f"left out: set CRM_DATA to a folder with {LEDGER_FILES}", *["–"] * 12)
            continue
        found, seconds = forecast(case)
        for name in TARGETS:
            yield (case.dataset, *_row(found, name), f"{seconds:.0f}")


def every_model() -> Iterator[tuple[str, ...]]:
    """Yield every model's errors on CDNOW's hold-out beside those in the trials before it, by which one was chosen."""
    told = [f"{case.dataset}: {what}" for case in CDNOW for what in ("RMSE", "bias", "in trials, zero = 1")]
    yield ("target", "model", *told)
    for name in TARGETS:
        targets = [getattr(forecast(case)[0], name) for case in CDNOW]
        for model in dict.fromkeys(model for target in targets for model in target.errors["model"]):
            yield (name, model, *(cell for target in targets for cell in _model_cells(target, model)))


def has_ledger() -> bool:
    """Return whether the shop's ledger, which is no part of the project, is at hand."""
    folder = os.environ.get("CRM_DATA")
    return bool(folder) and any(Path(str(folder)).glob(LEDGER_FILES))


def _row(found: CustomerForecast, name: str) -> tuple[str, ...]:
    """Return what is told of one target; the last column only of spend."""
    target: TargetForecast = getattr(found, name)
    chosen, models = target.measures, set(target.errors["model"])
    held = target.coverage["coverage"]
    members = f" ({', '.join(target.choice.members)})" if target.choice.model == "combination" else ""
    return (
        name,
        f"{len(target.holdout):,}",
        target.choice.model + members,
        _number(chosen["rmse"]),
        f"{_number(target.naive_measures['rmse'])} ({target.choice.naive})",
        _number(measured(target.errors, PEER)["rmse"]) if PEER in models else "– (did not converge)",
        _gain(target.gains["rmse"]),
        _gain(target.gains["wape"]),
        f"{chosen['bias']:+.1%}",
        f"{held['all']:.1%}, {held['buyers']:.1%}",
        f"{_number(chosen['mae'])}, {_number(target.zero_measures['mae'])}",
        _best_tenth(found) if name == "spend" else "–",
    )


def _best_tenth(found: CustomerForecast) -> str:
    """Return which share of the hold-out's revenue the tenth brought that was ranked highest in three ways."""
    came = found.holdout[TARGETS["spend"]]
    by_forecast, by_past, by_itself = (
        top_share(came, ranking) for ranking in (found.spend.holdout, found.holdout["spend"], came)
    )
    return f"{by_forecast:.1%}, {by_past:.1%}, {by_itself:.1%}"


def _model_cells(target: TargetForecast, model: str) -> tuple[str, ...]:
    """Return RMSE, bias, and the mean over trials of the RMSE over that of zero for everybody, which decides."""
    rows = target.errors[target.errors["model"] == model]
    if rows.empty:
        return ("– (left out)", "–", "–")
    values, role = measured(target.errors, model), rows["role"].iloc[0]
    tried = target.choice.by_origin.pivot_table(index=["origin", "days_ahead"], columns="model", values="rmse")
    return (
        _number(values["rmse"]) + (f" ({role})" if role else ""),
        f"{values['bias']:+.1%}",
        f"{(tried[model] / tried[ZERO]).mean():.3f}",
    )


def _gain(gain: Gain) -> str:
    return f"{gain.share:.1%} ({gain.low:.1%} to {gain.high:.1%})"


def _number(value: float) -> str:
    """Return an error with as many decimals as its size bears."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
