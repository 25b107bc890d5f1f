"""Cards: figures a pencil can check, intervals that hold the truth, typical customers who are nobody, plain sentences."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import DataQualityError, ModelError, TooFewRecordsError
from crm_analysis.models.segmentation.describing.cards import BOOTSTRAP_CUSTOMERS, segment_cards
from crm_analysis.models.segmentation.describing.phrases import NOTHING_APART

SKETCH = {"columns": ["frequency", "monetary_value"], "seed": 0}


def customers(**columns):
    table = pd.DataFrame(columns)
    return table.set_axis(pd.Index([f"c{number}" for number in range(len(table))], name="customer_id"))


@pytest.fixture
def shop():
    """Three hundred customers in three segments of very different sizes."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["Regulars", "Lapsed", "Whales"], [200, 80, 20])
    features = customers(
        frequency=np.repeat([20.0, 3.0, 40.0], [200, 80, 20]) + rng.integers(-2, 3, 300),
        monetary_value=np.repeat([25.0, 26.0, 300.0], [200, 80, 20]) * np.exp(rng.normal(scale=0.3, size=300)),
    )
    points = (features - features.mean()) / features.std()
    return features, pd.Series(labels, index=features.index, dtype="str"), points


def row(cards, segment, feature):
    table = cards.table
    return table[(table["segment"] == segment) & (table["feature"] == feature)].iloc[0]


def test_figures_can_be_checked_with_a_pencil():
    features = customers(frequency=[1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 9.0, 9.0, 9.0, 9.0], monetary_value=[10.0] * 10)
    labels = pd.Series(["A"] * 5 + ["B"] * 5, index=features.index)
    cards = segment_cards(features, labels, features[["frequency"]], **SKETCH)
    first = row(cards, "A", "frequency")
    assert first["mean"] == 3
    assert first["all_customers"] == 6
    assert first["difference"] == -3
    assert first["difference_sd"] == pytest.approx(-3 / features["frequency"].std(ddof=0))
    assert first["low"] < -3 < first["high"] < 0
    assert first["typical_customer"] == 3
    assert first["customers"] == 5
    assert cards.sizes.index.tolist() == ["B", "A"]
    assert cards.sizes.loc["B", "share_of_revenue"] == pytest.approx(45 / 60)
    same = row(cards, "A", "monetary_value")
    assert same[["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert np.isnan(same["difference_sd"])


@pytest.mark.parametrize(("rows", "spread", "least"), [(40, 0.5, 0.91), (120, 1.0, 0.91)])
def test_intervals_hold_the_true_difference(rows, spread, least):
    rng = np.random.default_rng(0)
    others = 4 * rows
    levels = np.repeat([1.0, 0.3], [rows, others])[:, None]
    means = np.exp(np.array([1.0, 0.3]) + spread**2 / 2)
    truth = (others / (rows + others)) * (means[0] - means[1])
    drawn = np.exp(levels + rng.normal(scale=spread, size=(len(levels), 200)))
    features = customers(**{f"draw_{at}": drawn[:, at] for at in range(200)})
    labels = pd.Series(np.repeat(["A", "B"], [rows, others]), index=features.index)
    table = segment_cards(features, labels, features, columns=list(features), seed=0).table
    first = table[table["segment"] == "A"]
    held = ((first["low"] <= truth) & (truth <= first["high"])).mean()
    assert least <= held <= 0.985


def test_large_segments_use_the_normal_theory_and_agree_with_the_bootstrap():
    rng = np.random.default_rng(1)
    widths = []
    for rows in (BOOTSTRAP_CUSTOMERS, BOOTSTRAP_CUSTOMERS + 1):
        features = customers(frequency=rng.normal(size=2 * rows))
        labels = pd.Series(["A", "B"] * rows, index=features.index)
        first = row(segment_cards(features, labels, features, columns=["frequency"], seed=0), "A", "frequency")
        widths.append(first["high"] - first["low"])
    expected = 2 * 1.96 * 0.5 * np.sqrt(2 / BOOTSTRAP_CUSTOMERS)
    assert widths == [pytest.approx(expected, rel=0.15), pytest.approx(expected, rel=0.05)]


def test_a_typical_customer_is_the_mean_of_several_near_the_centre(shop):
    features, labels, points = shop
    cards = segment_cards(features, labels, points, **SKETCH, min_cell=8)
    own = points[labels == "Whales"]
    distances = ((own - own.mean()) ** 2).sum(axis=1)
    near = distances.nsmallest(8).index
    typical = row(cards, "Whales", "monetary_value")["typical_customer"]
    assert typical == pytest.approx(features.loc[near, "monetary_value"].mean())
    assert typical not in set(features["monetary_value"])
    few = labels.mask(labels == "Whales", "Lapsed").mask(labels.index.isin(own.index[:4]), "Whales")
    assert np.isnan(row(segment_cards(features, few, points, **SKETCH), "Whales", "frequency")["typical_customer"])


def test_sentences_name_what_sets_apart_in_plain_words(shop):
    features, labels, points = shop
    cards = segment_cards(features, labels, points, **SKETCH, currency="€")
    whales = cards.sentences["Whales"]
    assert whales.startswith("On average, they spend 3")
    assert " € a purchase day (all: " in whales
    assert "bought on 40 days (all: 17)" in whales
    assert cards.sentences["Lapsed"].startswith("On average, they bought on 3.1 days (all: 17)")
    own = segment_cards(
        features, labels, points, **SKETCH, meanings={"frequency": "visits", "monetary_value": "pay {}"}
    )
    assert "have a visits of 40 (all: 17)" in own.sentences["Whales"]
    assert list(cards.sentences.index) == list(cards.sizes.index)


def test_shares_are_said_in_percent_and_close_numbers_with_more_digits():
    rng = np.random.default_rng(0)
    once = np.repeat([0.7012, 0.6988], 500)
    features = customers(discount_share=once + rng.normal(scale=0.0001, size=1000))
    labels = pd.Series(np.repeat(["A", "B"], 500), index=features.index)
    cards = segment_cards(features, labels, features, columns=["discount_share"], seed=0)
    assert cards.sentences["A"] == "On average, they save 70.1% by discounts (all: 70.0%)."


def test_a_channels_share_is_said_with_its_channel():
    features = customers(**{"channel_share.web {}": [0.9] * 20 + [0.1] * 19 + [0.2]})
    labels = pd.Series(["A"] * 20 + ["B"] * 20, index=features.index)
    cards = segment_cards(features, labels, features, columns=list(features), seed=0)
    assert cards.sentences["A"] == "On average, they spend 90% of their money in channel web {} (all: 50%)."


def test_what_is_small_or_uncertain_is_not_said():
    rng = np.random.default_rng(0)
    features = customers(frequency=rng.normal(10, 3, 600), monetary_value=rng.normal(10, 3, 600))
    labels = pd.Series(np.tile(["A", "B", "C"], 200), index=features.index)
    cards = segment_cards(features, labels, features, **SKETCH)
    assert set(cards.sentences) == {NOTHING_APART}


def test_missing_values_are_left_out_and_counted():
    rng = np.random.default_rng(0)
    features = customers(gap=rng.normal(30, 5, 100), frequency=np.ones(100))
    features.iloc[:40, 0] = np.nan
    features.iloc[97:, 0] = np.nan
    labels = pd.Series(["Once"] * 43 + ["Often"] * 57, index=features.index)
    open_cards, cards = (
        segment_cards(features, labels, features[["frequency"]], columns=["gap", "frequency"], seed=0, min_cell=size)
        for size in (1, 5)
    )
    often = row(open_cards, "Often", "gap")
    assert often["customers"] == 54
    assert often["mean"] == pytest.approx(features["gap"].iloc[43:97].mean())
    assert often["all_customers"] == pytest.approx(features["gap"].mean())
    assert row(open_cards, "Once", "gap")["customers"] == 3
    hidden = cards.table[cards.table["feature"] == "gap"]  # three, and who would give them away
    assert hidden[["mean", "difference", "customers", "typical_customer"]].isna().all(axis=None)
    assert hidden["all_customers"].notna().all()
    assert cards.table.loc[cards.table["feature"] == "frequency", "mean"].notna().all()


def test_a_small_segment_has_no_figures_and_no_sentence(shop):
    features, labels, points = shop
    cards = segment_cards(features, labels, points, **SKETCH, min_cell=30)
    shown = cards.table[cards.table["mean"].notna()]
    assert set(shown["segment"]) == {"Regulars"}
    assert cards.sentences[["Whales", "Lapsed"]].tolist() == ["Not shown: too few customers."] * 2
    assert cards.sizes.loc[["Whales", "Lapsed"]].isna().all(axis=None)


def test_neither_order_nor_names_nor_currency_have_an_influence(shop):
    features, labels, points = shop
    cards = segment_cards(features, labels, points, **SKETCH)
    order = np.random.default_rng(3).permutation(len(features))
    names = [f"客{number}" for number in range(len(features))]
    moved = [table.iloc[order].set_axis(names) for table in (features, labels, points)]
    again = segment_cards(*moved, **SKETCH)
    pd.testing.assert_frame_equal(again.table, cards.table)
    assert again.sentences.tolist() == cards.sentences.tolist()
    pounds = segment_cards(features.assign(monetary_value=features["monetary_value"] * 0.85), labels, points, **SKETCH)
    ends = ["difference_sd", "low_sd", "high_sd"]
    pd.testing.assert_frame_equal(pounds.table[ends], cards.table[ends])


def test_one_segment_is_like_all_customers(shop):
    features, _, points = shop
    cards = segment_cards(features, pd.Series("All customers", index=features.index), points, **SKETCH)
    assert (cards.table[["difference", "low", "high"]] == 0).all(axis=None)
    assert cards.sentences.tolist() == [NOTHING_APART]


def test_one_customer_and_customers_who_are_all_the_same_break_nothing():
    alone = customers(frequency=[3.0], monetary_value=[9.0])
    assert segment_cards(alone, pd.Series(["A"], index=alone.index), alone, **SKETCH).sentences["A"] == NOTHING_APART
    same = customers(frequency=[3.0] * 12, monetary_value=[9.0] * 12)
    labels = pd.Series(["A", "B", "B"] * 4, index=same.index)
    cards = segment_cards(same, labels, pd.DataFrame(index=same.index), **SKETCH)
    assert set(cards.sentences) == {NOTHING_APART}
    assert row(cards, "B", "frequency")["typical_customer"] == 3
    lonely = customers(frequency=[3.0, 4.0, 5.0, 30.0], monetary_value=[9.0] * 4)
    single = segment_cards(lonely, pd.Series(list("AAAB"), index=lonely.index), lonely, **SKETCH)
    assert np.isnan(row(single, "B", "frequency")["low"])  # one customer has no spread


def test_wrong_tables_are_told(shop):
    features, labels, points = shop
    with pytest.raises(ModelError, match=r"lacks 1 of 1 columns for the cards: \['age'\]"):
        segment_cards(features, labels, points, columns=["age"], seed=0)
    with pytest.raises(ModelError, match="missing for 5 of 300 customers"):
        segment_cards(features, labels.iloc[5:], points, **SKETCH)
    with pytest.raises(DataQualityError, match="'frequency' has 1 infinite values"):
        segment_cards(features.assign(frequency=[np.inf, *features["frequency"][1:]]), labels, points, **SKETCH)
    with pytest.raises(DataQualityError, match="holds str where numbers are needed"):
        segment_cards(features.astype({"frequency": "str"}), labels, points, **SKETCH)
    with pytest.raises(TooFewRecordsError, match="0 customers"):
        segment_cards(features.iloc[:0], labels, points, **SKETCH)


def test_cards_hide_of_equal_segments_those_that_the_profiles_hide():
    labels = pd.Series(np.repeat(["A", "B", "C", "D"], [3, 9, 9, 40]))
    features = pd.DataFrame({"frequency": np.repeat([9.0, 1.0, 5.0, 3.0], [3, 9, 9, 40]), "monetary_value": 1.0})
    features.loc[[3, 4, 12, 13], "monetary_value"] = np.nan  # two of B, two of C
    cards = segment_cards(features, labels, features[["frequency"]], **SKETCH, min_cell=5)
    expected = {"A", "B"}
    assert set(cards.sizes.index[cards.sizes["customers"].isna()]) == expected
    for _, part in cards.table.groupby("feature"):
        assert set(part.loc[part["mean"].isna(), "segment"]) == expected
    assert set(cards.sentences.index[cards.sentences.str.startswith("Not shown")]) == expected
