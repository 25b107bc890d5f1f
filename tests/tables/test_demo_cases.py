"""The synthetic service cases are what their documented truth says."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crm_analysis.errors import DataQualityError
from crm_analysis.tables.demo_cases import (
    CATEGORIES,
    CHANNELS,
    COLUMNS,
    NOTE,
    PRIORITY_MIX,
    ROUTING,
    TARGET_HOURS,
    TEAMS,
    synthetic_service_cases,
)
from crm_analysis.tables.demo_texts import TEMPLATES
from crm_analysis.tables.demo_truth import TRUTH, missed_log_odds, team_load, true_probabilities

END = dt.date(2017, 12, 31)
MIDNIGHT = pd.Timestamp(END) + pd.Timedelta(days=1)


def purchase_days_of(n_customers: int, *, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n_days = rng.integers(1, 104, n_customers)
    customer = np.repeat([f"H{number:04d}" for number in range(n_customers)], n_days)
    day = pd.Timestamp("2017-01-01") + pd.to_timedelta(rng.integers(0, 365, n_days.sum()), unit="D")
    return pd.DataFrame({"customer_id": customer, "day": day}).drop_duplicates(ignore_index=True)


@pytest.fixture(scope="module")
def purchase_days():
    return purchase_days_of(2400)


@pytest.fixture(scope="module")
def cases(purchase_days):
    return synthetic_service_cases(purchase_days, seed=0, end=END)


@pytest.fixture(scope="module")
def many_cases():
    """Some 27,000 cases, so that chance is small beside the planted effects."""
    return synthetic_service_cases(purchase_days_of(6_000, seed=2), seed=3, end=END)


def missed(cases):
    return (cases["resolved_at"].isna() | (cases["resolved_at"] > cases["due_at"])).astype(int)


def due(cases):
    return cases[cases["due_at"] < MIDNIGHT]


def standardised_residual(truth, expected):
    return float((truth - expected).sum() / np.sqrt((expected * (1 - expected)).sum()))


def test_cases_have_the_canonical_columns_and_types(cases):
    assert list(cases) == list(COLUMNS)
    times = ["opened_at", "first_response_at", "resolved_at", "due_at"]
    assert all(str(cases[name].dtype) == "datetime64[us]" for name in times)
    assert str(cases["satisfaction"].dtype) == "Int64"
    assert set(cases["satisfaction"].dropna()) == {1, 2, 3, 4, 5}
    assert cases["case_id"].is_unique
    assert (cases[times].apply(lambda time: time.dt.microsecond) % 1_000_000).fillna(0).eq(0).all(axis=None)


def test_there_are_several_levels_and_one_small_team(cases):
    assert set(cases["team"]) == set(TEAMS)
    assert set(cases["channel"]) == set(CHANNELS) == set(ROUTING)
    assert set(cases["category"]) == set(CATEGORIES) == set(PRIORITY_MIX) == set(TEMPLATES)
    assert cases["team"].value_counts(normalize=True).min() < 0.05


def test_nothing_but_due_times_is_dated_after_the_end(cases):
    assert (cases["opened_at"] < MIDNIGHT).all()
    for name in ("first_response_at", "resolved_at"):
        assert (cases[name].dropna() < MIDNIGHT).all()


def test_some_cases_are_open_and_have_no_answer(cases):
    is_open = cases["resolved_at"].isna()
    assert 10 < is_open.sum() < 0.03 * len(cases)
    assert cases.loc[is_open, "satisfaction"].isna().all()


def test_times_follow_each_other(cases):
    responded = cases.dropna(subset=["first_response_at"])
    assert (responded["first_response_at"] >= responded["opened_at"]).all()
    both = cases.dropna(subset=["first_response_at", "resolved_at"])
    assert (both["resolved_at"] >= both["first_response_at"]).all()
    target = (cases["due_at"] - cases["opened_at"]).dt.total_seconds() / 3600
    assert (target == cases["priority"].map(TARGET_HOURS)).all()


def test_volume_has_its_seasons_and_its_heavy_tail(cases):
    by_month = cases.groupby(cases["opened_at"].dt.month).size()
    assert by_month.idxmax() == 12
    by_weekday = cases.groupby(cases["opened_at"].dt.day_of_week).size()
    assert by_weekday[[5, 6]].max() < by_weekday[[0, 1, 2, 3, 4]].min()
    by_hour = cases.groupby(cases["opened_at"].dt.hour).size()
    assert by_hour[13] > 5 * by_hour[3]
    by_customer = cases.groupby("customer_id").size()
    assert by_customer.nlargest(len(by_customer) // 10).sum() > 0.3 * len(cases)


def test_contacts_grow_with_purchases(cases, purchase_days):
    n_days = purchase_days.groupby("customer_id").size()
    contacts = cases.groupby("customer_id").size().reindex(n_days.index, fill_value=0)
    often = n_days > n_days.median()
    assert contacts[often].mean() > 2 * contacts[~often].mean()


def test_texts_vary_and_belong_to_their_category(cases):
    assert cases["text"].nunique() > 0.7 * len(cases)
    assert not cases["text"].str.contains(r"[{}]").any()
    deliveries = cases["category"] == "delivery"
    assert cases["text"].str.contains("deliver|order|driver|bags", case=False)[deliveries].all()


def test_about_a_quarter_to_a_third_miss_and_about_a_third_answer(cases):
    assert 0.25 < missed(due(cases)).mean() < 0.31
    assert 0.26 < cases["satisfaction"].notna().mean() < 0.34


@pytest.mark.parametrize("level", [*TRUTH.missed_by_team, *TRUTH.missed_by_category, *TRUTH.missed_by_channel])
def test_rates_match_the_planted_log_odds_at_every_level(many_cases, level):
    known = due(many_cases)
    expected = known["case_id"].map(true_probabilities(many_cases)["sla_missed"])
    here = known[["team", "category", "channel"]].eq(level).any(axis=1)
    assert abs(standardised_residual(missed(known)[here], expected[here])) < 4


@pytest.mark.parametrize("name", ["team", "category", "channel"])
def test_planted_effects_are_the_log_odds_between_levels(many_cases, name):
    """Beside cases alike in all else, two levels differ by the planted difference."""
    planted = getattr(TRUTH, f"missed_by_{name}")
    high, low = max(planted, key=planted.get), min(planted, key=planted.get)
    truth = missed(many_cases)
    without = missed_log_odds(many_cases) - many_cases[name].map(planted) + 0.7 * many_cases["reassignments"]
    strata = pd.qcut(without.where(many_cases[name].isin([high, low])), 12, duplicates="drop")
    yes = pd.crosstab(strata, many_cases[name], values=truth, aggfunc="sum")
    n_cases = pd.crosstab(strata, many_cases[name])
    no, both = n_cases - yes, n_cases.sum(axis=1)
    # Mantel and Haenszel: odds ratios pooled over strata of like cases.
    pooled = np.log((yes[high] * no[low] / both).sum() / (no[high] * yes[low] / both).sum())
    assert pooled == pytest.approx(planted[high] - planted[low], abs=0.3)


def test_weekend_load_and_reassignments_drive_misses(many_cases):
    truth, weekend = missed(many_cases), many_cases["opened_at"].dt.day_of_week >= 5
    assert truth[weekend].mean() > truth[~weekend].mean() + 0.08
    busy = pd.Series(team_load(many_cases)) > 0.2
    assert truth[busy].mean() > truth[~busy].mean() + 0.02
    assert truth[many_cases["reassignments"] > 0].mean() > truth[many_cases["reassignments"] == 0].mean() + 0.1


@pytest.mark.parametrize("name", ["priority", "opened_hour", "earlier_cases"])
def test_irrelevant_attributes_do_not_matter_once_the_causes_are_known(many_cases, name):
    known = due(many_cases)
    expected = known["case_id"].map(true_probabilities(many_cases)["sla_missed"])
    attribute = {
        "priority": known["priority"],
        "opened_hour": known["opened_at"].dt.hour // 6,
        "earlier_cases": known.groupby("customer_id").cumcount().clip(upper=5),
    }[name]
    assert name in TRUTH.irrelevant
    for level in attribute.unique():
        here = attribute == level
        assert abs(standardised_residual(missed(known)[here], expected[here])) < 4


def test_an_ideal_model_reaches_the_stated_area_under_the_curve(many_cases):
    known, ideal = due(many_cases), true_probabilities(many_cases)
    assert 0.75 < roc_auc_score(missed(known), known["case_id"].map(ideal["sla_missed"])) < 0.81
    answered = many_cases[many_cases["satisfaction"].notna()]
    low = (answered["satisfaction"] <= 2).astype(int)
    expected = answered["case_id"].map(ideal["low_satisfaction"])
    assert 0.64 < roc_auc_score(low, expected) < 0.75
    assert abs(standardised_residual(low, expected)) < 4


def test_a_missed_target_lowers_satisfaction_and_the_dissatisfied_answer_more(many_cases):
    answered = many_cases[many_cases["satisfaction"].notna()]
    low, was_missed = answered["satisfaction"] <= 2, missed(answered) == 1
    assert low[was_missed].mean() > low[~was_missed].mean() + 0.25
    answers, late = many_cases["satisfaction"].notna(), missed(many_cases) == 1
    closed = many_cases["resolved_at"].notna()
    assert answers[closed & late].mean() > answers[closed & ~late].mean() + 0.03


def test_the_seed_decides_and_the_order_of_rows_does_not(purchase_days, cases):
    shuffled = pd.concat([purchase_days, purchase_days[:50]]).sample(frac=1, random_state=5, ignore_index=True)
    pd.testing.assert_frame_equal(synthetic_service_cases(shuffled, seed=0, end=END), cases)
    other = synthetic_service_cases(purchase_days, seed=1, end=END)
    assert len(other) != len(cases) or not other["opened_at"].equals(cases["opened_at"])


def test_purchases_outside_the_year_change_nothing(purchase_days, cases):
    outside = purchase_days.assign(day=purchase_days["day"] + pd.Timedelta(days=365))
    both = pd.concat([purchase_days, outside])
    pd.testing.assert_frame_equal(synthetic_service_cases(both, seed=0, end=END), cases)


def test_no_purchases_are_an_error_that_says_so(purchase_days):
    with pytest.raises(DataQualityError, match="None of 0 purchase days"):
        synthetic_service_cases(purchase_days[:0], seed=0, end=END)
    with pytest.raises(DataQualityError, match="lies in the year up to 1999-01-01"):
        synthetic_service_cases(purchase_days, seed=0, end=dt.date(1999, 1, 1))


def test_the_note_says_synthetic():
    assert "synthetic" in NOTE
