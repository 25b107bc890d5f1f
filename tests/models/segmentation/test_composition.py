"""What customers buy becomes points that depend on shares alone, and the same for a customer in any company."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.preparing.baskets import (
    basket_variation,
    checked_spend,
    credible_lines,
    own_shares,
    shrunk_shares,
)
from crm_analysis.models.segmentation.preparing.composition import fit_composition

CATEGORIES = ["茶 & Kaffee", "$rice$", 'a "b" <c>', "bread", "(other)"]


def baskets(rows=300, *, concentration=20.0, profile=(0.4, 0.3, 0.15, 0.1, 0.05), seed=0, least=10):
    """Lines in categories, drawn from a Dirichlet distribution of shares; each line costs 1."""
    rng = np.random.default_rng(seed)
    lines = np.maximum(least, rng.lognormal(4, 1, rows).astype(int))
    shares = rng.dirichlet(concentration * np.array(profile), rows)
    counts = np.array([rng.multinomial(number, share) for number, share in zip(lines, shares, strict=True)])
    index = pd.Index([f"c{number:04d}" for number in range(rows)], name="customer_id")
    return pd.DataFrame(counts.astype(float), index=index, columns=CATEGORIES[: len(profile)]), pd.Series(lines, index)


def equal_bits(one, other):
    return one.to_numpy().tobytes() == other.to_numpy().tobytes()


# --- shares, and how far they are drawn towards all customers'


def test_little_bought_counts_as_nearly_average():
    own = pd.DataFrame({"tea": [1.0, 1.0, 1.0], "rice": [0.0, 0.0, 0.0]})
    drawn = shrunk_shares(own, pd.Series([0, 30, 270]), prior=np.array([0.2, 0.8]), prior_lines=30)
    assert drawn["tea"].round(12).tolist() == [0.2, 0.6, 0.92]
    assert drawn.sum(axis=1).round(12).tolist() == [1, 1, 1]
    assert (
        shrunk_shares(own, pd.Series([5, 5, 5]), prior=np.array([0.2, 0.8]), prior_lines=np.inf)["tea"].tolist()
        == [0.2] * 3
    )
    assert (
        shrunk_shares(own, pd.Series([5, 5, 5]), prior=np.array([0.2, 0.8]), prior_lines=0)["tea"].tolist() == [1.0] * 3
    )


@pytest.mark.parametrize("concentration", [8.0, 40.0])
def test_the_weight_of_the_mean_is_recovered(concentration):
    spend, lines = baskets(3_000, concentration=concentration, seed=1)
    shares = own_shares(spend)
    weight = credible_lines(*basket_variation(shares, lines, shares.to_numpy().mean(axis=0)))
    assert weight == pytest.approx(concentration, rel=0.2)  # of a Dirichlet-multinomial the weight is its concentration


def test_the_weight_of_the_mean_is_recovered_where_all_bought_as_often():
    rng = np.random.default_rng(0)
    counts = np.array([rng.multinomial(50, rng.dirichlet([6.0, 3.0, 1.0])) for _ in range(2_000)])
    shares = pd.DataFrame(counts / 50)
    variation = basket_variation(shares, pd.Series([50] * 2_000), shares.to_numpy().mean(axis=0))
    assert credible_lines(*variation) == pytest.approx(10, rel=0.2)


def test_chance_alone_leaves_nothing_of_a_customers_own():
    rng = np.random.default_rng(0)
    lines = np.repeat([10, 20, 40, 80], 500)
    shares = pd.DataFrame([rng.multinomial(number, [0.6, 0.3, 0.1]) / number for number in lines])
    assert credible_lines(*basket_variation(shares, pd.Series(lines), shares.to_numpy().mean(axis=0))) > 1_000


# --- points


def test_points_follow_from_shares_by_pencil():
    spend = pd.DataFrame({"tea": [1.0, 0.0] * 20, "rice": [0.0, 1.0] * 20})
    made = fit_composition(spend, pd.Series([10] * 40))
    assert made.prior.tolist() == [0.5, 0.5]
    assert made.prior_lines == 0.0  # as different as can be: chance explains nothing of it
    points = made.points(spend, pd.Series([10] * 40))
    assert points.columns.tolist() == ["component_1"]
    assert np.abs(points["component_1"]).round(12).unique().tolist() == [round(np.sqrt(0.5), 12)]
    assert np.abs(made.axes[:, 0]).round(12).tolist() == [round(np.sqrt(0.5), 12)] * 2


def test_a_customer_is_the_same_point_alone_and_among_others_to_the_last_bit():
    spend, lines = baskets()
    made = fit_composition(spend, lines)
    together = made.points(spend * 1.37, lines)
    for at in (0, 17, 299):
        assert equal_bits(made.points(spend.iloc[[at]] * 1.37, lines.iloc[[at]]), together.iloc[[at]])
    in_rows = pd.DataFrame(np.ascontiguousarray(spend.to_numpy()), spend.index, spend.columns)
    assert equal_bits(made.points(in_rows * 1.37, lines), together)
    assert equal_bits(made.points(spend.iloc[::-1] * 1.37, lines.iloc[::-1]).iloc[::-1], together)


def test_neither_currency_nor_the_order_of_categories_or_rows_matters():
    spend, lines = baskets()
    points = fit_composition(spend, lines).points(spend, lines)
    for other, counted in (
        (spend * 117.3, lines),
        (spend.loc[:, CATEGORIES[::-1]], lines),
        (spend.iloc[::-1], lines.iloc[::-1]),
    ):
        again = fit_composition(other, counted).points(other, counted)
        np.testing.assert_allclose(again.loc[points.index], points, atol=1e-9)


def test_each_customers_own_currency_does_not_matter():
    spend, lines = baskets()
    made = fit_composition(spend, lines)
    factors = np.random.default_rng(0).lognormal(0, 2, len(spend))[:, None]
    again = fit_composition(spend * factors, lines)
    np.testing.assert_allclose(again.points(spend * factors, lines), made.points(spend, lines), atol=1e-9)


def test_components_keep_their_own_spread_and_have_a_sign():
    spend, lines = baskets()
    made = fit_composition(spend, lines)
    spread = made.points(spend, lines).std()
    assert (np.diff(spread) <= 0).all()
    assert spread.iloc[0] > 1.1 * spread.iloc[-1]
    strongest = np.abs(made.axes).argmax(axis=0)
    assert (made.axes[strongest, range(made.axes.shape[1])] > 0).all()
    assert made.variance_kept >= 0.8


@pytest.mark.parametrize(
    "spend",
    [
        pd.DataFrame({"only": [3.0, 8.0, 1.0]}),
        pd.DataFrame({"tea": [3.0, 6.0, 9.0], "rice": [1.0, 2.0, 3.0]}),
        pd.DataFrame({"tea": [4.0], "rice": [1.0]}),
    ],
    ids=["one category", "all the same", "one customer"],
)
def test_without_differences_there_is_no_component(spend):
    lines = pd.Series([20] * len(spend))
    made = fit_composition(spend, lines)
    assert made.points(spend, lines).shape == (len(spend), 0)


# --- categories that are not known


def test_unknown_categories_go_to_the_others():
    spend, lines = baskets()
    made = fit_composition(spend, lines, other="(other)")
    odd = spend.assign(novel=7.0, odd=1.0)
    aligned = made.aligned(odd)
    assert sorted(aligned.columns) == sorted(CATEGORIES)
    assert (aligned["(other)"] == spend["(other)"] + 8).all()


def test_unknown_categories_are_named_where_there_are_no_others():
    spend, lines = baskets()
    made = fit_composition(spend, lines)
    with pytest.raises(ModelError, match=r"1 categories that the model does not know: \['novel'\]"):
        made.aligned(spend.assign(novel=7.0))


def test_absent_categories_are_zero_unless_the_others_may_hide_them():
    spend, lines = baskets()
    made = fit_composition(spend, lines, other="(other)")
    assert (made.aligned(spend[["bread"]])["$rice$"] == 0).all()
    with pytest.raises(ModelError, match="lacks 3 of 5 categories"):
        made.aligned(spend[["bread", "(other)"]])


# --- wrong input


def test_wrong_values_are_counted_by_category():
    spend, lines = baskets(20)
    spend.iloc[0, 0], spend.iloc[1:3, 1], spend.iloc[3:6, 3] = np.nan, np.inf, -1.0
    lines = lines.astype(float)
    lines.iloc[4] = np.nan
    with pytest.raises(DataQualityError) as caught:
        checked_spend(spend, lines)
    assert len(caught.value.faults) == 4
    assert "category '茶 & Kaffee' has 1 missing, 0 infinite and 0 negative" in str(caught.value)
    assert "category 'bread' has 0 missing, 0 infinite and 3 negative" in str(caught.value)
    assert "number of lines has 1 missing" in str(caught.value)


def test_wrong_keys_are_counted():
    spend, lines = baskets(20)
    twice = pd.concat([spend, spend.iloc[:2]])
    twice.columns = ["a", "a", "b", "c", "d"]
    with pytest.raises(
        DataQualityError, match=r"2 rows of spend repeat(.|\n)*1 columns repeat(.|\n)*4 customers have no number"
    ):
        checked_spend(twice, lines.iloc[4:])
    with pytest.raises(DataQualityError, match="holds str where numbers are needed"):
        checked_spend(spend.assign(bread="much"), lines)


def test_nobody_and_nothing_are_too_few():
    spend, lines = baskets(20)
    with pytest.raises(TooFewRecordsError, match="0 customers"):
        checked_spend(spend.iloc[:0], lines)
    with pytest.raises(ModelError, match="20 customers has 0 categories"):
        checked_spend(spend[[]], lines)
