"""Claims about terms of regressions: those of the pencil, within the range of the fit, and free of the currency."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from crm_analysis.models.forecasting.terms import LOGARITHM, ROOT, PurchaseTerms
from tests.models.forecasting.synthetic_features import MONEY, TWO, synthetic_features


def test_roots_are_those_of_the_pencil() -> None:
    terms = PurchaseTerms(ROOT, training_days=90).fit_transform(TWO)
    # spend and purchases a day, recent ones, a purchase's worth, the rhythm; the last purchase; its part of the tenure; active
    loyal = [2**0.5, 0.2, 90**0.5, 2**0.5, 50**0.5, 2, np.log(4), 4 / 400, 0.9]
    gone = [-(0.2**0.5), 0.1, -(20**0.5), 0, -(20**0.5), 0.5, np.log(201), 1, 0.1]
    assert terms == pytest.approx(np.array([loyal, gone]))


def test_logarithms_are_those_of_the_pencil() -> None:
    terms = PurchaseTerms(LOGARITHM, training_days=90).fit_transform(TWO)
    # money in the median positive spend a purchase, 50; a third of 90 days is added to those observed, a sixth to the recency
    loyal = [8.5 / 230, 8 / 230, 2.3, 2.5, 2, 4, 18]
    gone = [0.5 / 130, 1 / 130, 0.5, 0.5, 1, 0.25, 215]
    assert terms[:, :7] == pytest.approx(np.log([loyal, gone]))
    assert terms[:, 7:].tolist() == [[0, 4 / 400, 0.9], [1, 1, 0.1]]


@pytest.mark.parametrize("scale", [ROOT, LOGARITHM])
def test_terms_are_held_within_the_range_of_the_fit(scale: str) -> None:
    terms = PurchaseTerms(scale).fit(TWO)
    seen = terms.transform(TWO)
    far = TWO.assign(recent_spend=1e9, recency_days=5000, spend=-1e9, rhythm=0.0, chance_active=2.0)
    beyond = terms.transform(far)
    assert (beyond <= seen.max(axis=0)).all()
    assert (beyond >= seen.min(axis=0)).all()
    column = 2  # of the recent spend
    assert beyond[:, column].tolist() == [seen[:, column].max()] * 2


@pytest.mark.parametrize("scale", [ROOT, LOGARITHM])
def test_customers_all_alike_have_finite_terms(scale: str) -> None:
    alike = TWO.loc[[1, 1, 1]].reset_index(drop=True)
    terms = PurchaseTerms(scale).fit_transform(alike)
    assert np.isfinite(terms).all()
    assert (np.ptp(terms, axis=0) == 0).all()
    assert PurchaseTerms(scale).fit(alike).money_ == 1  # nobody's purchases were worth anything


def test_a_currency_is_one_factor_of_roots_and_none_of_logarithms() -> None:
    features = synthetic_features(200)
    exchanged = features.assign(**{name: 7.3 * features[name] for name in MONEY})
    one, other = (PurchaseTerms(LOGARITHM).fit_transform(rows) for rows in (features, exchanged))
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    one, other = (PurchaseTerms(ROOT).fit_transform(rows) for rows in (features, exchanged))
    of_money = [0, 2, 4]
    np.testing.assert_allclose(other[:, of_money], 7.3**0.5 * one[:, of_money])
    np.testing.assert_array_equal(np.delete(other, of_money, axis=1), np.delete(one, of_money, axis=1))


def test_an_unknown_scale_and_terms_before_a_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="got 'cube'"):
        PurchaseTerms("cube").fit(TWO)
    with pytest.raises(NotFittedError):
        PurchaseTerms().transform(TWO)
