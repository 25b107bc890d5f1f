"""
Open cases whose outcome is not yet known, the riskiest first, for a team to act on today.

Why each is at risk belongs in :mod:`crm_analysis.models.service_quality.explanation.reasons`.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from crm_analysis.models.service_quality.prediction.calibrated import calibrated_model
from crm_analysis.models.service_quality.prediction.cases import labelled_cases
from crm_analysis.models.service_quality.prediction.classifiers import fitted, probabilities
from crm_analysis.models.service_quality.prediction.labels import learnable
from crm_analysis.models.service_quality.prediction.result import ServiceQuality
from crm_analysis.models.service_quality.prediction.weighting import weighted
from crm_analysis.tables.privacy.suppression import shown_count

COLUMNS = ("case_id", "customer_id", "team", "category", "channel", "priority", "opened_at", "due_at", "probability")


def open_cases_at_risk(
    result: ServiceQuality, features: pd.DataFrame, outcomes: pd.DataFrame, *, classifier: Pipeline
) -> pd.DataFrame:
    """
    Return the open cases whose outcome is not yet known, the riskiest first.

    Parameters
    ----------
    result : ServiceQuality
        Which model was chosen.
    features : pandas.DataFrame
        One row per case known at the day.
    outcomes : pandas.DataFrame
        Outcomes as known at the day.
    classifier : sklearn.pipeline.Pipeline
        As :func:`refitted` returns it.

    Returns
    -------
    pandas.DataFrame
        ``case_id``, ``customer_id``, ``team``, ``category``, ``channel``, ``priority``, ``opened_at``, ``due_at``,
        ``probability``. An open case that is overdue has missed its target already and is not in a list of missed targets.

    Notes
    -----
    The probability is that at the opening, or at the age the features are of: what has happened to the case
    since is not in it.
    """
    outcome = result.split.outcome
    undecided = outcomes.loc[outcomes["is_open"] & outcomes[outcome].isna(), ["case_id", "due_at"]]
    cases = features.drop(columns="due_at", errors="ignore").merge(undecided, on="case_id")
    cases["probability"] = probabilities(classifier, cases).to_numpy()
    ranked = cases.sort_values(["probability", "case_id"], ascending=[False, True], ignore_index=True)
    return ranked[list(COLUMNS)]


def refitted(result: ServiceQuality, features: pd.DataFrame, outcomes: pd.DataFrame, *, as_of: date) -> Pipeline:
    """
    Return the chosen model fitted anew on every case whose outcome is known.

    Parameters
    ----------
    result : ServiceQuality
        Which model was chosen.
    features : pandas.DataFrame
        One row per case known at the day.
    outcomes : pandas.DataFrame
        Outcomes as known at the day.
    as_of : datetime.date
        The day.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Corrected where the judged one was.
    """
    outcome = result.split.outcome
    known = labelled_cases(features, outcomes, outcome)
    learnt = learnable(known, outcome=outcome, until=as_of + timedelta(days=1))
    learnt = weighted(learnt, result.selection.weighting, outcome=outcome)
    with threadpool_limits(limits=result.settings["n_jobs"]):
        corrected = None
        if result.calibration_figures.is_calibrated:
            corrected = calibrated_model(result.model, learnt, outcome=outcome, **result.settings)
        return corrected or fitted(result.model, learnt, outcome=outcome, **result.settings)


def n_at_risk(at_risk: pd.DataFrame, *, min_cell: int = 1) -> int | None:
    """
    Return how many open cases are listed.

    Parameters
    ----------
    at_risk : pandas.DataFrame
        As :func:`open_cases_at_risk` returns them.
    min_cell : int
        Least number of customers that a figure is about.

    Returns
    -------
    int or None
        None where they are of too few customers.
    """
    return shown_count(len(at_risk), customers=at_risk["customer_id"].nunique(), min_cell=min_cell)
