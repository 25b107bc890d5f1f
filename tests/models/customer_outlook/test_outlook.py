"""Labels follow their stated rules, do not take a return to the mean for a change, and give nobody away."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from crm_analysis.errors import DataQualityError, TooFewRecordsError
from crm_analysis.models.customer_outlook.accuracy import ALL, outlook_accuracy
from crm_analysis.models.customer_outlook.labels import (
    FALL,
    GROW,
    LABELS,
    LEAVE,
    OTHER,
    SAME,
    SILENT,
    WITHOUT_SEGMENT,
    customer_outlook,
    usual_spend,
)
from crm_analysis.models.customer_outlook.wording import (
    accuracy_in_words,
    chance_counts,
    outlook_in_words,
    share_in_words,
)
from crm_analysis.tables.privacy.suppression import hidden_rows, hidden_totals

COLUMNS = ["recent_spend", "usual_spend", "spend_forecast", "lower_90", "upper_90", "chance_active"]


def one(recent, usual, forecast, *, lower=None, upper=None, chance=np.nan, **rules):
    """Return the label and the money at stake of one customer with a narrow range."""
    lower, upper = forecast * 0.98 if lower is None else lower, forecast * 1.02 if upper is None else upper
    table = pd.DataFrame([[recent, usual, forecast, lower, upper, chance]], columns=COLUMNS, index=["A"])
    row = customer_outlook(table, **rules).customers.iloc[0]
    return row["label"], row["at_stake"]


def people(n, seed=0):
    """Return customers of all kinds, with segments in several scripts."""
    draws = np.random.default_rng(seed)
    usual = draws.gamma(1.5, 60, size=n)
    recent = usual * draws.gamma(2, 0.5, size=n) * (draws.random(n) < 0.7)
    forecast = usual * draws.choice([0.02, 0.4, 1.0, 2.5], size=n)
    return pd.DataFrame(
        {
            "recent_spend": recent,
            "usual_spend": usual,
            "spend_forecast": forecast,
            "lower_90": forecast * 0.8,
            "upper_90": forecast * 1.2,
            "chance_active": np.where(draws.random(n) < 0.2, np.nan, draws.random(n)),
            "segment": draws.choice(["верные", "新規", "άλλοι"], size=n, p=[0.6, 0.3, 0.1]),
        },
        index=pd.Index([f"c{number:04d}" for number in range(n)], name="customer_id"),
    )


@pytest.mark.parametrize(
    ("customer", "label", "at_stake"),
    [
        ((100, 100, 70), FALL, 30),
        ((100, 100, 85), SAME, 0),
        ((100, 100, 140), GROW, 40),
        ((100, 100, 5), LEAVE, 95),
        ((300, 100, 110), SAME, 0),  # comes back to the own mean from above
        ((300, 100, 60), FALL, 40),  # below both: of the lesser
        ((20, 100, 90), SAME, 0),  # comes back from below
        ((20, 100, 110), SAME, 0),  # too little above the own mean
        ((20, 100, 150), GROW, 50),  # above both: of the greater
        ((0, 100, 5), SILENT, 0),
        ((0, 100, 40), SAME, 0),
        ((0, 0, 0), SILENT, 0),
        ((-30, 100, 5), SILENT, 0),  # returns only
        ((-30, -30, 50), SAME, 0),  # see below: nobody to measure against, so any forecast is much
    ],
)
def test_each_label_by_hand(customer, label, at_stake):
    if customer == (-30, -30, 50):
        label, at_stake = GROW, 50
    told, stake = one(*customer)
    assert (told, stake) == (label, pytest.approx(at_stake))


def test_a_low_chance_of_being_active_is_likely_to_leave_or_without_a_sign_whatever_the_forecast():
    assert one(100, 100, 100, chance=0.3) == (LEAVE, 0)
    assert one(40, 80, 30, chance=0.3) == (LEAVE, 50)
    assert one(0, 80, 30, chance=0.3) == (SILENT, 0)  # long silent: nothing is left to lose
    assert one(-5, 80, 30, chance=0.3)[0] == SILENT  # returns only
    assert one(0, 80, 30, chance=0.6)[0] == SAME
    assert one(100, 100, 100, chance=0.5)[0] == SAME
    assert one(100, 100, 100, chance=0.5, least_chance=0.6)[0] == LEAVE
    assert one(100, 100, 100)[0] == SAME  # not known


def test_a_change_must_be_beyond_what_the_range_leaves_open():
    # the range's upper end lies 1.645 standard deviations up; three in four lie below .674 of them
    root = 7.0 + (norm.ppf(0.75) / norm.ppf(0.95)) * (math.sqrt(400) - 7.0)
    assert one(root**2 + 1, root**2 + 1, 49, lower=0, upper=400)[0] == FALL
    assert one(root**2 - 1, root**2 - 1, 49, lower=0, upper=400)[0] == SAME
    assert one(root**2 - 1, root**2 - 1, 49, lower=0, upper=400, sureness=0.5)[0] == FALL
    assert one(50, 50, 100, lower=0, upper=400)[0] == SAME
    assert one(50, 50, 100, lower=64, upper=400)[0] == GROW


def test_thresholds_are_what_they_say():
    assert one(100, 100, 70, least_change=0.4)[0] == SAME
    assert one(100, 100, 5, near_zero=0.01)[0] == FALL


def test_a_range_that_does_not_hold_the_forecast_makes_nothing_certain():
    # most such customers buy nothing, so that the mean lies above nine in ten
    assert one(100, 100, 50, lower=0, upper=20)[0] == SAME
    assert one(5, 5, 50, lower=0, upper=20)[0] == SAME
    assert one(5, 5, 50, lower=60, upper=90)[0] == SAME
    assert one(100, 100, 50, lower=0, upper=20, chance=0.3)[0] == LEAVE
    assert one(100, 100, 5, lower=0, upper=2)[0] == LEAVE
    assert one(100, 100, 50, lower=40, upper=50)[0] == FALL  # its end is the forecast


def test_nothing_but_chance_between_two_periods_is_no_fall_and_no_growth():
    # everybody buys at an own, unchanging rate; forecast and range are those of its posterior (gamma-Poisson)
    draws = np.random.default_rng(0)
    rate = draws.gamma(4, 2.5, size=3000)
    periods = draws.poisson(rate, size=(4, 3000)) * 10.0
    forecast = 10 * (4 + periods.sum(axis=0) / 10) / (1 / 2.5 + 4)
    half = norm.ppf(0.95) * np.sqrt(10 * forecast * (1 + 1 / 4.4))
    ends = {"lower_90": (forecast - half).clip(min=0), "upper_90": forecast + half}
    table = pd.DataFrame({"recent_spend": periods[-1], "spend_forecast": forecast, **ends})
    by_both = customer_outlook(table.assign(usual_spend=periods.mean(axis=0))).by_label["share"]
    by_last = customer_outlook(table).by_label["share"]
    assert by_both[[FALL, GROW]].sum() < 0.01
    assert by_last[[FALL, GROW]].sum() > 10 * by_both[[FALL, GROW]].sum()
    assert by_last[[FALL, GROW]].sum() > 0.05


def test_the_usual_spend_of_a_new_customer_is_what_was_spent_so_far():
    assert usual_spend(pd.Series([400.0, 50.0]), pd.Series([400, 3]), horizon_days=100).tolist() == [100, 50]
    assert usual_spend(pd.Series([], dtype=float), pd.Series([], dtype=int), horizon_days=9).empty
    assert usual_spend(pd.Series([5.0]), pd.Series([0]), horizon_days=10).tolist() == [50]  # a day at least
    with pytest.raises(ValueError, match="horizon_days"):
        usual_spend(pd.Series([1.0]), pd.Series([1]), horizon_days=0)


def test_data_shorter_than_the_horizon_make_no_growth():
    # everybody buys at an unchanging rate, and 95 days are known of a horizon of 270
    draws = np.random.default_rng(0)
    days = np.append(draws.integers(1, 95, size=399), 95)
    spend = pd.Series(draws.gamma(2, 3, size=400)) * days
    usual = usual_spend(spend, pd.Series(days), horizon_days=270)
    assert usual.to_numpy()[days == 95] == pytest.approx(spend.to_numpy()[days == 95] * 270 / 95)
    assert (usual <= spend * 270 / days + 1e-9).all()  # and no new customer is reckoned at the rate of the first days
    long_known = days > 80
    forecast = spend * 270 / days
    table = pd.DataFrame({"recent_spend": forecast, "usual_spend": usual, "spend_forecast": forecast})
    table = table.assign(lower_90=forecast * 0.9, upper_90=forecast * 1.1)[long_known]
    assert (customer_outlook(table).customers["label"] == SAME).all()


def test_sums_by_label_add_up_to_the_customers():
    table = people(500)
    outlook = customer_outlook(table)
    assert list(outlook.by_label.index) == list(LABELS)
    assert outlook.by_label["customers"].sum() == 500
    assert outlook.by_label["share"].sum() == pytest.approx(1)
    assert outlook.by_label["spend_forecast"].sum() == pytest.approx(table["spend_forecast"].sum())
    assert (outlook.customers["at_stake"] >= 0).all()
    assert (outlook.customers.loc[outlook.customers["label"].isin([SAME, SILENT]), "at_stake"] == 0).all()
    totals = outlook.segment_customers.sum()
    assert totals.to_dict() == outlook.by_label["customers"].to_dict()
    assert outlook.segment_at_stake.sum().to_dict() == pytest.approx(outlook.by_label["at_stake"].to_dict())
    assert outlook.segment_totals.to_dict() == table["segment"].value_counts().to_dict()
    assert list(outlook.segment_customers.index) == list(table["segment"].value_counts().index)


@pytest.mark.parametrize("n", [12, 40, 90])
def test_no_small_cell_is_shown_or_follows_from_sums(n):
    for seed in range(4):
        outlook = customer_outlook(people(n, seed), min_cell=5)
        truth = customer_outlook(people(n, seed))
        for shown, whole in (
            (outlook.segment_customers, truth.segment_customers),
            (outlook.by_label["customers"], truth.by_label["customers"]),
        ):
            known = shown.to_numpy(dtype=float, na_value=np.nan)
            assert not ((known > 0) & (known < 5)).any()
            seen = ~np.isnan(known)
            np.testing.assert_array_equal(known[seen], whole.to_numpy(dtype=float)[seen])
        # money is hidden wherever its customers are, and also where too few of them have any at stake
        assert (outlook.segment_at_stake.isna() | outlook.segment_customers.notna()).to_numpy().all()
        hidden = truth.by_label["customers"][outlook.by_label["customers"].isna()]
        assert hidden.empty or hidden.sum() >= 5
        for at, label in itertools.product(range(len(outlook.segment_customers)), LABELS):
            line = outlook.segment_customers[label]
            if pd.isna(line.iloc[at]) and pd.notna(outlook.by_label.loc[label, "customers"]):
                rest = outlook.by_label.loc[label, "customers"] - line.sum()
                assert line.isna().sum() > 1 or rest >= 5


def test_a_total_that_would_give_a_segments_cell_away_is_hidden_everywhere():
    more_than_rows = 0
    for seed in range(30):
        table = people(50, seed)
        counts = customer_outlook(table).segment_customers
        outlook = customer_outlook(table, min_cell=5)
        hidden = outlook.by_label["customers"].isna()
        pd.testing.assert_series_equal(hidden, hidden_totals(counts, min_cell=5)[1], check_names=False)
        accuracy = outlook_accuracy(outlook, table["spend_forecast"])
        assert accuracy.drop(index=ALL).loc[hidden.to_numpy(), "came"].isna().all()
        more_than_rows += int((hidden.to_numpy() & ~hidden_rows(counts.sum(), min_cell=5)).sum())
    assert more_than_rows > 0  # or the test would say nothing


def test_without_segments_small_labels_are_hidden_with_the_next_smallest():
    table = people(200).drop(columns="segment")
    sizes = customer_outlook(table).by_label["customers"]
    outlook = customer_outlook(table, min_cell=int(sizes.min()) + 1)
    assert outlook.by_label["customers"].isna().sum() >= 2
    assert outlook.segment_customers.empty
    words = " ".join(outlook_in_words(outlook, horizon_days=90))
    assert "Not told, too few customers or would give such away: " in words
    assert str(sizes.min()) + " customers" not in words


def quiet(n_buyers=4, seed=0):
    """Return customers about as before of whom few bought in the last period, beside others who all did."""
    draws = np.random.default_rng(seed)
    usual = draws.uniform(50, 150, size=120)
    recent, forecast = usual.copy(), usual.copy()
    recent[n_buyers:50] = 0.0
    recent[:n_buyers] = usual[:n_buyers]
    forecast[50:70] *= 0.3
    forecast[70:100] *= 3
    table = pd.DataFrame({"recent_spend": recent, "usual_spend": usual, "spend_forecast": forecast})
    table = table.assign(lower_90=forecast * 0.9, upper_90=forecast * 1.1)
    table.loc[100:, ["recent_spend", "spend_forecast", "lower_90", "upper_90"]] = 0.0
    return table.iloc[[*range(50), *range(50, 120)]]


def test_a_sum_about_few_buyers_is_hidden_with_what_would_tell_it():
    table = quiet()
    whole, outlook = customer_outlook(table).by_label, customer_outlook(table, min_cell=5)
    shown = outlook.by_label
    assert shown["customers"].to_dict() == {LEAVE: 0, FALL: 20, SAME: 50, GROW: 30, SILENT: 20}
    assert math.isnan(shown.loc[SAME, "recent_spend"])
    hidden = shown["recent_spend"].isna()
    behind = table["recent_spend"].ne(0).groupby(outlook.customers["label"], observed=False).sum()
    assert behind[hidden.to_numpy()].sum() >= 5  # the total less the rest is about so many
    assert list(shown.index[hidden]) == [FALL, SAME]
    assert shown.loc[SILENT, "recent_spend"] == 0  # of all the same: nobody's spend
    assert shown.loc[SAME, "usual_spend"] == whole.loc[SAME, "usual_spend"]
    assert math.isnan(shown.loc[FALL, "at_stake"])  # it and the forecast would tell what was spent
    assert shown.loc[GROW, "at_stake"] == whole.loc[GROW, "at_stake"]
    enough = customer_outlook(quiet(n_buyers=5), min_cell=5).by_label
    assert enough.notna().all().all()


def test_sentences_leave_out_sums_about_few():
    words = outlook_in_words(customer_outlook(quiet(), min_cell=5), horizon_days=30, currency="EUR")
    same = next(sentence for sentence in words if "about as before:" in sentence)
    usual = quiet().loc[:49, "usual_spend"].sum()
    assert same == (
        f"50 customers (42%) are expected to go on about as before: {usual:,.0f} EUR at their own mean rate, "
        f"{usual:,.0f} EUR expected in the next 30 days."
    )
    fall = next(sentence for sentence in words if "expected to fall" in sentence)
    assert "in the last" not in fall
    assert "less than both" not in fall
    assert "nan" not in " ".join(words)


def test_means_of_few_are_hidden_in_the_accuracy_too():
    table = quiet()
    came = table["spend_forecast"].copy()
    came.iloc[53:70] = 0.0  # three of those expected to fall bought
    outlook = customer_outlook(table, min_cell=5)
    accuracy = outlook_accuracy(outlook, came)
    assert math.isnan(accuracy.loc[SAME, "before"])
    hidden = accuracy["came"].drop(ALL).isna()
    assert hidden[FALL]
    behind = came.ne(0).groupby(outlook.customers["label"], observed=False).sum()
    assert behind[hidden.to_numpy()].sum() >= 5
    assert accuracy.loc[ALL, "came"] == pytest.approx(came.mean())
    fall = next(sentence for sentence in accuracy_in_words(accuracy) if sentence.startswith(f"“{FALL}”"))
    assert "came" not in fall.split(":")[1]
    assert "nan" not in fall
    few = outlook_accuracy(outlook, came.where(came.index < 3, 0.0))
    assert few.loc[[SAME, ALL], "came"].isna().all()  # the total tells it as well; nobody bought among the others


@pytest.mark.parametrize("n", [15, 40, 90])
def test_no_money_at_stake_is_about_few_or_follows_from_segments(n):
    seen = 0
    for seed in range(6):
        table = people(n, seed)
        table["recent_spend"] *= np.random.default_rng(seed).random(n) < 0.3
        outlook, truth = customer_outlook(table, min_cell=5), customer_outlook(table)
        staking = truth.customers["at_stake"].ne(0)
        by_label = staking.groupby(truth.customers["label"], observed=False).sum().to_numpy()
        assert not (outlook.by_label["at_stake"].notna() & (by_label > 0) & (by_label < 5)).any()
        cells = pd.crosstab(truth.customers["segment"], truth.customers["label"], staking, aggfunc="sum", dropna=False)
        cells = (
            cells.reindex(index=outlook.segment_at_stake.index, columns=list(LABELS)).fillna(0).to_numpy(dtype=float)
        )
        shown = outlook.segment_at_stake.notna().to_numpy()
        assert not (shown & (cells > 0) & (cells < 5)).any()
        known = outlook.by_label["at_stake"].notna().to_numpy()
        rest = np.where(shown, 0, cells).sum(axis=0)
        assert not (known & (rest > 0) & (rest < 5)).any()
        seen += int((~shown).sum())
        for name in ("recent_spend", "usual_spend", "spend_forecast"):
            counts = table[name].ne(0).groupby(truth.customers["label"], observed=False).sum().to_numpy()
            hidden = outlook.by_label[name].isna().to_numpy()
            assert not (~hidden & (counts > 0) & (counts < 5)).any()
            assert counts[hidden].sum() == 0 or counts[hidden].sum() >= 5 or counts.sum() < 5
    assert seen > 0


def test_some_are_not_none_and_most_are_not_all():
    assert [share_in_words(share) for share in (0, 5 / 2469, 0.006, 0.5, 2464 / 2469, 1)] == [
        "0%",
        "under 1%",
        "1%",
        "50%",
        "over 99%",
        "100%",
    ]
    assert share_in_words(1e-17) == "0%"


def test_many_segments_are_put_together_and_missing_ones_have_a_name():
    table = people(400)
    segments = pd.Series([f"s{number % 40:02d}" if number % 10 else None for number in range(400)], index=table.index)
    shown = customer_outlook(table.assign(segment=segments)).segment_customers
    assert len(shown) == 13
    assert shown.index[-1] == OTHER
    assert shown.index[0] == WITHOUT_SEGMENT
    assert shown.to_numpy().sum() == 400


def test_neither_order_nor_names_nor_currency_matter():
    table = people(300)
    told = customer_outlook(table, min_cell=5)
    order = np.random.default_rng(1).permutation(300)
    shuffled = customer_outlook(table.iloc[order], min_cell=5)
    renamed = customer_outlook(table.set_axis(order, axis="index"), min_cell=5)
    money = ["recent_spend", "usual_spend", "spend_forecast", "lower_90", "upper_90"]
    dear = customer_outlook(table.assign(**{name: table[name] * 7 for name in money}), min_cell=5)
    for other, factor in ((shuffled, 1), (renamed, 1), (dear, 7)):
        pd.testing.assert_series_equal(told.by_label["customers"], other.by_label["customers"])
        pd.testing.assert_frame_equal(told.segment_customers, other.segment_customers)
        np.testing.assert_allclose(
            other.by_label["at_stake"].to_numpy(dtype=float),
            factor * told.by_label["at_stake"].to_numpy(dtype=float),
            rtol=1e-12,
        )
    pd.testing.assert_frame_equal(told.by_label, shuffled.by_label, check_exact=True)
    pd.testing.assert_series_equal(told.customers["label"].sort_index(), shuffled.customers["label"].sort_index())


def test_one_customer_all_zero_and_all_equal_are_told():
    alone = customer_outlook(people(1))
    assert alone.by_label["customers"].sum() == 1
    assert "1 customer (100%)" in outlook_in_words(alone, horizon_days=90)[0]
    zero = people(30).assign(**dict.fromkeys(COLUMNS[:5], 0.0), chance_active=1.0)
    assert customer_outlook(zero).by_label["customers"][SILENT] == 30
    equal = people(30).assign(**dict.fromkeys(COLUMNS[:5], 10.0), chance_active=1.0)
    assert customer_outlook(equal).by_label["customers"][SAME] == 30


def test_what_may_be_missing_may_be_missing():
    table = people(100)
    outlook = customer_outlook(table.drop(columns=["usual_spend", "chance_active", "segment"]))
    assert not outlook.has_usual_spend
    assert not outlook.has_chance_active
    words = " ".join(outlook_in_words(outlook, horizon_days=30))
    assert "own mean rates were not given" in words
    assert "chance of being active" not in words
    assert chance_counts(outlook)["customers"].sum() == 0


def test_wrong_input_is_refused_with_its_reason():
    table = people(20)
    with pytest.raises(ValueError, match=r"lacking: \['lower_90'\]"):
        customer_outlook(table.drop(columns="lower_90"))
    with pytest.raises(ValueError, match="repeated: 1"):
        customer_outlook(table.rename({"c0001": "c0000"}))
    with pytest.raises(ValueError, match="between 0 and 1"):
        customer_outlook(table.assign(chance_active=1.2))
    with pytest.raises(DataQualityError, match=r"2 values .* in \['recent_spend', 'upper_90'\]"):
        customer_outlook(table.assign(recent_spend=[np.nan, *range(19)], upper_90=[*range(19), np.inf]))
    with pytest.raises(TooFewRecordsError, match="no customer"):
        customer_outlook(table.iloc[:0])
    for rules in ({"least_change": 1.0}, {"sureness": 0.4}, {"least_chance": -0.1}, {"near_zero": 2}):
        with pytest.raises(ValueError, match="shares must lie"):
            customer_outlook(table, **rules)


def test_sentences_hold_the_figures_of_the_table():
    table = pd.DataFrame(
        [[100, 100, 70, 68, 72, 0.9], [100, 100, 5, 4, 6, 0.9], [50, 50, 90, 88, 92, 0.9]], columns=COLUMNS
    )
    words = outlook_in_words(customer_outlook(table), horizon_days=90, currency="GBP")
    assert words[0] == (
        "1 customer (33%) is likely to leave: 100.00 GBP in the last 90 days, 100.00 GBP at their own mean rate, 5.00 GBP "
        "expected in the next; at stake is what they bring at their own mean rate beyond the forecast, 95.00 GBP."
    )
    assert "is expected to fall" in words[1]
    assert "30.00 GBP less than both" in words[1]
    assert "40.00 GBP more than both" in words[2]
    assert any("merely comes back to the own mean" in sentence for sentence in words)


def test_a_change_that_is_sure_of_the_sum_only_is_said():
    wide = pd.DataFrame({"recent_spend": [100.0] * 30, "spend_forecast": 60.0, "lower_90": 0.0, "upper_90": 500.0})
    assert (
        "together they are expected to bring less, though for whom"
        in outlook_in_words(customer_outlook(wide), horizon_days=90)[0]
    )


# Whether the labels held


def test_accuracy_by_hand():
    table = pd.DataFrame(
        [
            [100, 100, 70, 68, 72, 1],
            [100, 100, 70, 68, 72, 1],
            [100, 100, 140, 138, 142, 1],
            [100, 100, 100, 90, 110, 1],
        ],
        columns=COLUMNS,
        index=list("ABCD"),
        dtype=float,
    )
    accuracy = outlook_accuracy(customer_outlook(table), pd.Series({"D": 60.0, "C": 150.0, "B": 90.0, "A": 0.0}))
    fall = accuracy.loc[FALL]
    assert fall[["customers", "before", "expected", "came", "fell", "stopped", "held"]].tolist() == [
        2,
        100,
        70,
        45,
        0.5,
        0.5,
        0.5,
    ]
    assert fall["otherwise"] == 0.5  # D fell without the label
    assert accuracy.loc[GROW, ["held", "otherwise"]].tolist() == [1, 0]
    assert accuracy.loc[SAME, "held"] == 0
    assert accuracy.loc[ALL, ["customers", "fell", "grew"]].tolist() == [4, 0.5, 0.25]
    assert pd.isna(accuracy.loc[LEAVE, "held"])


def test_labels_that_mean_something_hold_more_often_and_those_by_chance_do_not():
    draws = np.random.default_rng(0)
    table = people(2000).assign(chance_active=1.0)
    came = (table["spend_forecast"] * draws.gamma(8, 1 / 8, size=2000)).rename("came")
    good = outlook_accuracy(customer_outlook(table), came)
    assert (good.loc[[FALL, GROW], "low"] > good.loc[[FALL, GROW], "otherwise"]).all()
    mixed = pd.Series(draws.permutation(came), index=came.index)
    scale = table["usual_spend"] / came.mean()
    bad = outlook_accuracy(customer_outlook(table), mixed * scale)
    assert bad.loc[GROW, "held"] - bad.loc[GROW, "otherwise"] < 0.25 * (
        good.loc[GROW, "held"] - good.loc[GROW, "otherwise"]
    )
    assert not any("tells little" in words for words in accuracy_in_words(good.loc[[FALL, GROW, ALL]]))


def test_accuracy_hides_small_labels_and_is_blind_to_order():
    table = people(60)
    came = pd.Series(np.random.default_rng(0).gamma(1, 50, size=60), index=table.index)
    outlook = customer_outlook(table, min_cell=8)
    accuracy = outlook_accuracy(outlook, came)
    assert (accuracy["customers"].dropna() >= 8).all()
    assert accuracy.loc[outlook.by_label.index[outlook.by_label["customers"].isna()], "held"].isna().all()
    pd.testing.assert_frame_equal(
        accuracy, outlook_accuracy(customer_outlook(table.iloc[::-1], min_cell=8), came.iloc[::-1])
    )


def test_accuracy_needs_what_came_of_everybody():
    table = people(10)
    with pytest.raises(ValueError, match="lacks 1"):
        outlook_accuracy(customer_outlook(table), pd.Series(1.0, index=table.index[1:]))


def test_accuracy_is_told_with_interval_others_and_money():
    table = people(400).assign(chance_active=1.0)
    words = accuracy_in_words(outlook_accuracy(customer_outlook(table), table["spend_forecast"]), currency="EUR")
    grown = next(sentence for sentence in words if sentence.startswith(f"“{GROW}”"))
    assert "100% grew (95% interval " in grown
    assert "EUR expected" in grown


def test_chances_are_counted_in_steps_without_small_ones():
    table = people(300)
    counts = chance_counts(customer_outlook(table))
    assert counts["customers"].sum() == table["chance_active"].notna().sum()
    few = chance_counts(customer_outlook(table.iloc[:60], min_cell=5))["customers"]
    assert (few.dropna() >= 5).all()
    assert few.isna().any()
