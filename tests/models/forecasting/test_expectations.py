"""Claims about what models of repeat buying expect: their own numbers in columns, and plain rates where none can be fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm_analysis.models.forecasting import CustomerHistories
from crm_analysis.models.forecasting.expectations import (
    KINDS,
    NAMES,
    Expectations,
    fit_expectations,
)
from crm_analysis.models.forecasting.inputs import NEEDED
from crm_analysis.models.lifetime_value import BGNBD, GammaGamma

COLUMNS = ["bg_nbd", "mbg_nbd", "pareto_nbd", "rhythm", "chance_active", "value_a_purchase"]


def fitted_to(histories: CustomerHistories) -> Expectations:
    everybody = pd.concat([histories.panel, histories.current.reset_index()])
    return fit_expectations(histories.repeats, everybody, training_days=histories.plan.training_days)


@pytest.fixture(scope="module")
def expectations(shorter: CustomerHistories) -> Expectations:
    return fitted_to(shorter)


def without_repeats(histories: CustomerHistories, origin: pd.Timestamp) -> CustomerHistories:
    """Let nobody have come back by one of the origins."""
    first = histories.repeats["origin"] == origin
    changed = {name: histories.repeats[name].where(~first, 0) for name in ("frequency", "recency", "monetary_value")}
    return replace(histories, repeats=histories.repeats.assign(**changed))


def test_columns_are_those_of_the_models_fitted_to_what_was_known(
    shorter: CustomerHistories, expectations: Expectations
) -> None:
    added = expectations.added(shorter.panel)
    assert list(added.columns[len(shorter.panel.columns) :]) == COLUMNS
    pd.testing.assert_frame_equal(added[list(shorter.panel)], shorter.panel)
    for origin in (shorter.plan.periods[0][0], shorter.plan.holdout_origin):
        day = pd.Timestamp(origin)
        rows = added[added["origin"] == day]
        known = shorter.repeats[shorter.repeats["origin"] == day].set_index("customer_id")
        for name, kind in KINDS.items():
            model = kind().fit(known)
            for days, some in rows.groupby("days_ahead"):
                expected = model.expected_purchases(known.loc[some["customer_id"]], horizon=days)
                np.testing.assert_allclose(some[name], expected, rtol=1e-9)
        first = BGNBD().fit(known)
        repeats = known.loc[rows["customer_id"]]
        rhythm = first.expected_purchases(repeats, horizon=shorter.plan.training_days)
        np.testing.assert_allclose(rows["rhythm"], rhythm, rtol=1e-9)
        np.testing.assert_allclose(rows["chance_active"], first.chance_active(repeats), rtol=1e-9)
        spends = rows.drop_duplicates("customer_id")[["frequency", "monetary_value"]]
        value = GammaGamma().fit(spends).expected_spend(rows[["frequency", "monetary_value"]])
        np.testing.assert_allclose(rows["value_a_purchase"], value, rtol=1e-9)


def test_more_days_are_more_purchases_and_a_chance_is_one(
    shorter: CustomerHistories, expectations: Expectations
) -> None:
    current = expectations.added(shorter.current)
    assert current.index.equals(shorter.current.index)
    later = expectations.added(shorter.current.assign(days_ahead=300))
    for name in expectations.models:
        assert (later[name] > current[name]).all()
        assert (later[name] < 2 * current[name] + 1e-9).all()  # customers leave meanwhile
        assert current[name].gt(0).all()
    chances = expectations.chance_active(current, model="pareto_nbd")
    assert ((chances > 0) & (chances <= 1)).all()
    assert expectations.models == tuple(KINDS)
    assert expectations.notes == ()


def test_lifetime_value_is_that_of_the_model(shorter: CustomerHistories, expectations: Expectations) -> None:
    day = pd.Timestamp(shorter.plan.as_of)
    known = shorter.repeats[shorter.repeats["origin"] == day].set_index("customer_id")
    repeats = known.loc[shorter.current.index]
    for days in (365, 10):
        told = expectations.lifetime_value(shorter.current, model="mbg_nbd", days=days, annual_discount_rate=0.1)
        spend = expectations.spend[day].expected_spend(shorter.current[["frequency", "monetary_value"]])
        counts = told / spend
        assert (counts > 0).all()
        undiscounted = expectations.purchases[day]["mbg_nbd"].expected_purchases(repeats, horizon=days)
        assert (counts < undiscounted).all()
        assert (counts > undiscounted / 1.1 ** (days / 365.25) * 0.999).all()
        free = expectations.lifetime_value(shorter.current, model="mbg_nbd", days=days, annual_discount_rate=0)
        np.testing.assert_allclose(free, undiscounted * spend, rtol=1e-6)


def test_a_model_that_cannot_be_fitted_at_one_origin_is_left_out_at_all(shorter: CustomerHistories) -> None:
    origin = pd.Timestamp(shorter.plan.periods[0][0])
    fitted = fitted_to(without_repeats(shorter, origin))
    assert fitted.models == ()
    assert [note.split(" could not be fitted at an origin")[0] for note in fitted.notes] == list(NAMES.values())
    assert all("bought a second time, so rates cannot be learnt" in note for note in fitted.notes)
    added = fitted.added(shorter.panel)
    assert [name for name in COLUMNS if name not in added] == list(KINDS)
    rate = shorter.panel["frequency"] / shorter.panel["observed_days"]
    np.testing.assert_allclose(added["rhythm"], rate * shorter.plan.training_days)
    assert added["chance_active"].eq(1).all()


def test_without_a_spread_of_spend_the_own_mean_is_expected_of_a_purchase(shorter: CustomerHistories) -> None:
    value = np.where(shorter.panel.index % 9 == 0, -5.0, 20.0)  # returned more than bought: worth nothing
    alike = replace(
        shorter,
        panel=shorter.panel.assign(monetary_value=value),
        current=shorter.current.assign(monetary_value=20.0),
    )
    fitted = fitted_to(alike)
    assert fitted.spend == {}
    assert len(fitted.notes) == 1
    n_origins = shorter.repeats["origin"].nunique()
    assert f"could not be modelled at {n_origins} of {n_origins} origins" in fitted.notes[0]
    assert fitted.added(alike.panel)["value_a_purchase"].tolist() == np.maximum(value, 0).tolist()
    told = fitted.lifetime_value(alike.current, model="bg_nbd", days=90, annual_discount_rate=0.1)
    assert np.isnan(told).all()
    assert fitted.models == tuple(KINDS)


@pytest.mark.parametrize("name", [name for name in NEEDED if name != "origin"])
def test_a_shuffled_feature_contradicts_others_without_harm(
    shorter: CustomerHistories, expectations: Expectations, name: str
) -> None:
    shuffled = shorter.current[name].sample(frac=1, random_state=1).to_numpy()
    added = expectations.added(shorter.current.assign(**{name: shuffled}))
    assert np.isfinite(added[COLUMNS]).all(axis=None)
    assert (added[COLUMNS] >= 0).all(axis=None)
    assert added["chance_active"].le(1).all()


def test_each_customers_expectation_is_its_own(shorter: CustomerHistories, expectations: Expectations) -> None:
    whole = expectations.added(shorter.panel)
    some = expectations.added(shorter.panel.iloc[::-5])
    pd.testing.assert_frame_equal(some, whole.loc[some.index], rtol=1e-12)
