"""What a forecast leans on is found where it was planted, whatever the order, the names or the currency."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from crm_analysis.models.explaining.dependence import (
    BACKED_BY,
    accumulated_local_effects,
    content_codes,
    dependence_curves,
    partial_dependence,
)
from crm_analysis.models.explaining.importance import (
    CARRIES,
    HARMS,
    TOO_FEW,
    WITHIN_CHANCE,
    grouped,
    importance_in_words,
    permutation_importance,
)

N = 400


def planted(seed, n=N):
    """Return features of which two, alike, drive the target, one does so weakly, and one does not."""
    draws = np.random.default_rng(seed)
    spend = draws.gamma(2.0, 50.0, size=n)
    features = pd.DataFrame(
        {
            "spend": spend,
            "recent_spend": spend * draws.uniform(0.95, 1.05, size=n),
            "tenure_days": draws.integers(1, 1000, size=n),
            "noise": draws.normal(size=n),
        },
        index=pd.Index([f"c{number}" for number in range(n)], name="customer_id"),
    )
    actual = 0.8 * features["spend"] + 0.02 * features["tenure_days"] + draws.normal(scale=10, size=n)
    return features, actual


@pytest.fixture(scope="module")
def forest():
    features, actual = planted(seed=1)
    return RandomForestRegressor(40, min_samples_leaf=5, random_state=0).fit(features, actual)


@pytest.fixture(scope="module")
def later():
    return planted(seed=2)


def test_what_was_planted_carries_the_forecast_and_noise_does_not():
    features, actual = planted(seed=1)
    model = LinearRegression().fit(features, actual)
    later_features, later_actual = planted(seed=2)
    table = permutation_importance(model.predict, later_features, later_actual, seed=0).set_index("group")
    money = "how much over the history, how much lately"
    assert list(table.index)[:2] == [money, "days since the first purchase"]
    assert list(table["reading"]) == [CARRIES, CARRIES, WITHIN_CHANCE]
    assert table["columns"][money] == 2
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


def test_the_increase_is_what_theory_says_for_a_linear_forecast():
    # forecast = actual = x: shuffling x gives a mean squared error of twice the variance; base error 1 by construction
    draws = np.random.default_rng(0)
    x = draws.normal(scale=5, size=4000)
    actual = x + np.where(np.arange(4000) % 2, 1.0, -1.0)
    table = permutation_importance(lambda rows: rows["x"], pd.DataFrame({"x": x}), actual, seed=0)
    assert table["share"][0] == pytest.approx(np.sqrt(1 + 2 * x.var()) - 1, rel=0.03)


def test_features_that_say_the_same_are_shuffled_together():
    features, actual = planted(seed=2)
    together = permutation_importance(
        lambda rows: rows[["spend", "recent_spend"]].mean(axis=1) * 0.8, features, actual, seed=0
    )
    alone = permutation_importance(
        lambda rows: rows[["spend", "recent_spend"]].mean(axis=1) * 0.8,
        features,
        actual,
        groups={name: [name] for name in features},
        seed=0,
    ).set_index("group")
    assert together["share"][0] > 1.5 * alone["share"]["spend"]


def test_a_feature_that_misleads_is_marked():
    draws = np.random.default_rng(3)
    features = pd.DataFrame({"misleading": draws.normal(size=N), "idle": draws.normal(size=N)})
    actual = -features["misleading"].to_numpy()
    table = permutation_importance(lambda rows: rows["misleading"], features, actual, seed=0).set_index("group")
    assert table["reading"].to_dict() == {"misleading": HARMS, "idle": WITHIN_CHANCE}
    assert table["share"]["misleading"] < 0 == table["share"]["idle"]
    assert "better without: “misleading”" in " ".join(importance_in_words(table.reset_index()))


def test_within_chance_is_kept_in_about_nineteen_of_twenty_cases():
    # coefficients are true, the noise feature is used with a tiny weight that has no right to be there
    outside = 0
    for seed in range(40):
        features, actual = planted(seed=100 + seed, n=120)
        weight = np.random.default_rng(seed).normal(scale=0.5)
        table = permutation_importance(
            lambda rows, weight=weight: 0.8 * rows["spend"] + 0.02 * rows["tenure_days"] + weight * rows["noise"],
            features,
            actual,
            groups={"noise": ["noise"]},
            seed=seed,
            n_repeats=5,
        )
        outside += table["reading"][0] == CARRIES
    assert outside <= 6


@pytest.mark.parametrize("change", ["rows", "columns", "names", "groups"])
def test_neither_order_nor_names_matter(forest, later, change):
    features, actual = later
    groups = grouped(features)
    told = permutation_importance(forest.predict, features, actual, groups=groups, seed=5, n_repeats=3)
    predict, order = forest.predict, np.random.default_rng(0).permutation(N)
    if change == "rows":
        features, actual = features.iloc[order], actual.iloc[order]
    elif change == "names":
        features = features.set_axis(order, axis="index")
    elif change == "columns":
        columns = list(features)
        features, predict = features[columns[::-1]], lambda rows: forest.predict(rows[columns])
    else:
        groups = dict(reversed(groups.items()))
    again = permutation_importance(predict, features, actual.to_numpy(), groups=groups, seed=5, n_repeats=3)
    pd.testing.assert_frame_equal(told, again)


def test_a_factor_of_the_currency_changes_nothing_but_the_factor(later):
    features, actual = later
    money = features.assign(spend=features["spend"] * 7, recent_spend=features["recent_spend"] * 7)
    told, again = (
        permutation_importance(lambda rows: rows["spend"] * 0.8, table, truth, seed=0, n_repeats=3)
        for table, truth in ((features, actual), (money, actual * 7))
    )
    pd.testing.assert_frame_equal(told.drop(columns="increase"), again.drop(columns="increase"))
    np.testing.assert_allclose(again["increase"], 7 * told["increase"], rtol=1e-9, atol=1e-9)


def test_many_customers_are_drawn_and_the_draw_is_blind_to_order(later):
    features, actual = planted(seed=4, n=6000)
    order = np.random.default_rng(1).permutation(6000)
    told, again = (
        permutation_importance(lambda rows: rows["spend"] * 0.8, table, truth, seed=0, n_repeats=1)
        for table, truth in ((features, actual), (features.iloc[order], actual.iloc[order]))
    )
    pd.testing.assert_frame_equal(told, again)


@pytest.mark.parametrize(("n", "min_cell"), [(1, 1), (19, 1), (29, 30)])
def test_too_few_customers_get_no_figures(n, min_cell):
    features, actual = planted(seed=2, n=n)
    table = permutation_importance(
        lambda rows: rows["spend"], features, actual, groups={"much": ["spend"]}, seed=0, min_cell=min_cell
    )
    assert table["reading"].tolist() == [TOO_FEW]
    assert table[["increase", "share", "low", "high"]].isna().to_numpy().all()
    assert "too few customers" in importance_in_words(table)[0]


def test_a_forecast_without_error_has_no_share_and_one_that_ignores_everything_leans_on_nothing():
    features, _ = planted(seed=2, n=50)
    perfect = permutation_importance(lambda rows: rows["spend"], features, features["spend"], seed=0)
    assert perfect["reading"][0] == CARRIES
    assert perfect["share"].isna().all()
    idle = permutation_importance(lambda rows: np.zeros(len(rows)), features, np.zeros(50), seed=0)
    assert set(idle["reading"]) == {WITHIN_CHANCE}
    assert importance_in_words(idle)[0].startswith("No group of features carries")


def test_features_of_text_and_with_gaps_are_shuffled_as_they_are():
    draws = np.random.default_rng(0)
    region = pd.Series(draws.choice(["север", "юг"], size=100))
    features = pd.DataFrame({"region": region, "mark": np.where(draws.random(100) < 0.3, np.nan, 4.0)})
    table = permutation_importance(
        lambda rows: rows["region"].eq("юг") * 10.0, features, region.eq("юг") * 10.0 + draws.normal(size=100), seed=0
    )
    assert table.set_index("group")["reading"].to_dict() == {"region": CARRIES, "mark": WITHIN_CHANCE}


@pytest.mark.parametrize(
    "groups",
    [{"a": ["absent"]}, {"a": ["spend"], "b": ["spend"]}, {"a": []}, {}],
    ids=["unknown", "twice", "empty", "none"],
)
def test_groups_that_do_not_fit_are_refused(later, groups):
    with pytest.raises(ValueError, match="each once"):
        permutation_importance(lambda rows: rows["spend"], *later, groups=groups, seed=0)


def test_actual_or_forecast_that_cannot_be_reckoned_with_is_refused(later):
    features, actual = later
    with pytest.raises(ValueError, match="400 finite numbers"):
        permutation_importance(lambda rows: rows["spend"], features, actual[:-1], seed=0)
    with pytest.raises(ValueError, match="predict must return 400 finite numbers"):
        permutation_importance(lambda rows: rows["spend"] * np.nan, features, actual, seed=0)


def test_columns_are_grouped_by_rank_whatever_their_shape_and_constants_stand_alone():
    x = np.arange(30.0)
    table = pd.DataFrame({"a": x, "b": -(x**3), "c": np.sin(x * 7), "flat": 1.0, "text": "x"})
    assert list(grouped(table).values()) == [["a", "b"], ["c"], ["flat"], ["text"]]
    assert grouped(table.iloc[:1]) == {name: [name] for name in table}


def test_sentences_name_the_three_that_carry_most_and_claim_no_cause(forest, later):
    table = permutation_importance(forest.predict, *later, seed=0, n_repeats=2)
    words = importance_in_words(table)
    assert words[0].startswith(
        "On later customers the error (RMSE) grows beyond chance when these are shuffled, most first: “how much over the"
    )
    assert words[-1] == "This is what the model uses, not what makes customers buy."


def test_the_largest_growth_is_named_even_if_within_chance():
    rows = [
        ("history", 3, 9.6, 0.096, -0.02, 0.2, WITHIN_CHANCE),
        ("recency", 1, 5.5, 0.055, -0.01, 0.1, WITHIN_CHANCE),
        ("how long a customer", 1, 1.0, 0.012, 0.003, 0.02, CARRIES),
    ]
    table = pd.DataFrame(rows, columns=["group", "columns", "increase", "share", "low", "high", "reading"])
    words = importance_in_words(table)
    assert words[:3] == [
        (
            "On later customers the error (RMSE) grows beyond chance when these are shuffled, most first: “how long a customer” "
            "(by 1.2%; 0.3% to 2.0%)."
        ),
        "It grows most, though within chance, for “history” (by 9.6%; -2.0% to 20%).",
        "Within chance: “history”; “recency”.",
    ]
    assert importance_in_words(table.iloc[::-1])[1] == words[1]
    assert not any("grows most" in sentence for sentence in importance_in_words(table.iloc[2:]))
    none = importance_in_words(table.iloc[:2])
    assert none[0].startswith("No group of features carries the forecast beyond chance")
    assert "“history”" in none[1]


def test_more_than_three_that_carry_are_counted():
    rows = [(f"g{number}", 1, 9.0 - number, 0.3, 0.2, 0.4, CARRIES) for number in range(5)]
    table = pd.DataFrame(rows, columns=["group", "columns", "increase", "share", "low", "high", "reading"])
    assert importance_in_words(table)[0].endswith("“g2” (by 30%; 20% to 40%); and 2 more.")


# Along a feature


def test_both_curves_of_an_additive_forecast_have_its_slope():
    features, _ = planted(seed=2, n=1000)

    def predict(rows):
        return 0.5 * rows["tenure_days"] + rows["noise"]

    for curve in (partial_dependence, accumulated_local_effects):
        table = curve(predict, features, feature="tenure_days")
        slopes = np.diff(table["forecast"]) / np.diff(table["value"])
        np.testing.assert_allclose(slopes, 0.5, rtol=1e-9)
        at_middle = np.interp(features["tenure_days"].mean(), table["value"], table["forecast"])
        assert at_middle == pytest.approx(predict(features).mean(), abs=4)


def test_accumulated_local_effects_ask_about_no_customer_who_does_not_exist():
    # x and z are one; the forecast explodes where they differ, which no customer does
    x = np.arange(1000.0)
    features = pd.DataFrame({"x": x, "z": x})

    def predict(rows):
        return rows["x"] + ((rows["x"] - rows["z"]).abs() > 150) * 1e6

    local = accumulated_local_effects(predict, features, feature="x")
    assert np.ptp(local["forecast"]) == pytest.approx(np.ptp(local["value"]))
    assert partial_dependence(predict, features, feature="x")["forecast"].min() > 1e5


def test_values_are_round_nobodys_own_and_backed_by_enough_customers():
    draws = np.random.default_rng(0)
    features = pd.DataFrame({"spend": draws.gamma(0.7, 200.0, size=500)})
    for min_cell in (1, 30):
        table = accumulated_local_effects(lambda rows: rows["spend"], features, feature="spend", min_cell=min_cell)
        assert not np.isin(table["value"], features["spend"]).any()
        assert (table["customers"] >= max(min_cell, BACKED_BY)).all()
        beyond = len(features) - table["customers"].sum()
        assert beyond == 0 or beyond >= max(min_cell, BACKED_BY)
        assert table["value"].map(lambda value: len(f"{value:.10g}".replace(".", "").strip("0")) <= 3).all()
        np.testing.assert_allclose(table["below"], table["customers"].cumsum() / 500)


def test_counts_keep_their_whole_values():
    features = pd.DataFrame({"frequency": np.repeat([0, 1, 2, 9], [60, 20, 15, 5])})
    table = partial_dependence(lambda rows: rows["frequency"] * 2.0, features, feature="frequency")
    assert table[["value", "forecast"]].to_numpy().tolist() == [[0, 0], [1, 2]]  # 2 would leave five beyond


@pytest.mark.parametrize("values", [[5.0], [3.0] * 100, [np.nan] * 50, [np.inf] * 50, list(range(15))])
def test_one_customer_constants_gaps_and_few_give_no_curve(values):
    features = pd.DataFrame({"x": values})
    for curve in (partial_dependence, accumulated_local_effects):
        assert curve(lambda rows: np.ones(len(rows)), features, feature="x").empty


def test_curves_are_blind_to_order_names_and_powers_of_ten(forest, later):
    features, _ = later
    order = np.random.default_rng(0).permutation(N)
    shuffled = features.iloc[order].set_axis(np.arange(N), axis="index")
    for curve in (partial_dependence, accumulated_local_effects):
        pd.testing.assert_frame_equal(
            curve(forest.predict, features, feature="spend"), curve(forest.predict, shuffled, feature="spend")
        )
        told = curve(lambda rows: rows["spend"] ** 1.5, features, feature="spend")
        cents = curve(
            lambda rows: (rows["spend"] / 100) ** 1.5, features.assign(spend=features["spend"] * 100), feature="spend"
        )
        np.testing.assert_allclose(cents[["value", "forecast"]], told[["value", "forecast"]] * [100, 1], rtol=1e-9)


def test_another_currency_moves_the_values_shown_but_not_the_curve(later):
    features, _ = later
    told = accumulated_local_effects(lambda rows: rows["spend"] * 2, features, feature="spend")
    again = accumulated_local_effects(
        lambda rows: rows["spend"] * 2, features.assign(spend=features["spend"] * 3.7), feature="spend"
    )
    middle = np.interp(again["value"] / 3.7, told["value"], told["forecast"])
    inside = (again["value"] / 3.7).between(told["value"].iloc[0], told["value"].iloc[-1])
    np.testing.assert_allclose(again["forecast"][inside], 3.7 * middle[inside], rtol=0.02)


def test_curves_of_several_features_stand_in_one_table_also_those_without_points(later):
    features = later[0].assign(flat=1.0)
    table = dependence_curves(lambda rows: rows["spend"], features, chosen=["spend", "flat"])
    assert list(dict.fromkeys(table["feature"])) == ["how much over the history", "flat"]
    assert table[table["feature"] == "flat"][["value", "forecast"]].isna().to_numpy().tolist() == [[True, True]]
    assert dependence_curves(lambda rows: rows["spend"], features, chosen=[]).empty


def test_wrong_questions_are_refused(later):
    features = later[0].assign(region="south")
    for feature, n_points in itertools.product(["region", "absent"], [20]):
        with pytest.raises(ValueError, match="column of numbers"):
            partial_dependence(lambda rows: rows["spend"], features, feature=feature, n_points=n_points)
    with pytest.raises(ValueError, match="n_points must be at least 2"):
        partial_dependence(lambda rows: rows["spend"], features, feature="spend", n_points=1)
    with pytest.raises(ValueError, match="n_repeats"):
        permutation_importance(lambda rows: rows["spend"], *later, seed=0, n_repeats=0)


def test_codes_order_text_as_text():
    assert content_codes(pd.Series(["б", "а", "б"])).tolist() == [2, 1, 2]


# Rows of which a customer has several, and probabilities


def several_rows(n=600, *, seed=0):
    """Return rows of which each customer has three, alike, and an outcome that goes with one feature."""
    draws = np.random.default_rng(seed)
    late = draws.random(n) < 0.5
    features = pd.DataFrame({"late": late.repeat(3) * 1.0, "idle": draws.normal(size=3 * n).round(1)})
    actual = (draws.random(n) < np.where(late, 0.7, 0.2)).repeat(3) * 1.0
    return features, actual, np.arange(n).repeat(3)


def lateness(rows):
    return np.where(rows["late"] == 1, 0.7, 0.2)


def test_log_loss_of_probabilities_grows_by_what_theory_says():
    features, actual, customers = several_rows(2000)
    table = permutation_importance(lateness, features, actual, customers=customers, loss="log_loss", seed=0)
    rates, half = np.array([0.7, 0.2]), 0.5
    own = -(half * (rates * np.log(rates) + (1 - rates) * np.log(1 - rates))).sum()
    grown = -sum(
        half * half * (one * np.log(other) + (1 - one) * np.log(1 - other)) for one in rates for other in rates
    )
    assert table["increase"][0] == pytest.approx(grown - own, rel=0.1)
    assert table.set_index("group")["reading"].to_dict() == {"late": CARRIES, "idle": WITHIN_CHANCE}


def test_certain_and_wrong_probabilities_stay_finite():
    features, actual, customers = several_rows()
    sure = permutation_importance(
        lambda rows: rows["late"], features, actual, customers=customers, loss="log_loss", seed=0, n_repeats=2
    )
    assert np.isfinite(sure["increase"]).all()


def test_customers_are_resampled_with_all_their_rows():
    features, actual, customers = several_rows()
    widths = []
    for owner in (customers, np.arange(len(customers)), None):
        table = permutation_importance(lateness, features, actual, customers=owner, loss="log_loss", seed=0)
        widths.append((table["high"] - table["low"])[0])
    assert widths[0] > 1.4 * widths[1]
    assert widths[1] == widths[2]
    few = permutation_importance(lateness, features, actual, customers=customers % 19, loss="log_loss", seed=0)
    assert set(few["reading"]) == {TOO_FEW}
    with pytest.raises(ValueError, match="customers must be 1800"):
        permutation_importance(lateness, features, actual, customers=[1, 2], seed=0)


def test_curves_count_customers_not_rows():
    features, _, customers = several_rows()
    table = accumulated_local_effects(lambda rows: rows["idle"], features, feature="idle", customers=customers)
    alone = accumulated_local_effects(lambda rows: rows["idle"], features, feature="idle")
    assert table["customers"].sum() <= alone["customers"].sum()
    assert (table["customers"] >= BACKED_BY).all()
    np.testing.assert_allclose(table["below"], [(features["idle"] <= value).mean() for value in table["value"]])
    one = accumulated_local_effects(lambda rows: rows["idle"], features, feature="idle", customers=np.zeros(1800))
    assert one.empty


def test_codes_order_times_as_times():
    times = pd.Series(pd.to_datetime(["2024-10-01", None, "2024-09-30"]))
    assert content_codes(times).tolist() == [2, 3, 1]
