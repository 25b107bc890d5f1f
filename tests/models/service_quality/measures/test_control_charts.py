"""Charts mark real changes, and a stable process about as often as they say."""

import numpy as np
import pandas as pd
import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.service_quality.measures.control_charts import RUN, p_chart, xmr_chart

WEEKS = pd.date_range("2024-01-01", periods=40, freq="7D")


def counts(shares, n=200, seed=0):
    draws = np.random.default_rng(seed)
    sizes = np.full(len(shares), n)
    return pd.DataFrame({"n": sizes, "yes": draws.binomial(sizes, shares)}, index=WEEKS[: len(shares)])


def test_limits_by_pencil():
    table = pd.DataFrame({"n": [100] * 12, "yes": [20] * 8 + [20, 20, 33, 20]}, index=WEEKS[:12])
    chart = p_chart(table, seed=0)
    row = chart.table.iloc[10]
    assert (chart.kind, chart.n_baseline) == ("p", 8)
    assert row["upper"] == pytest.approx(0.2 + 3 * (0.2 * 0.8 / 100) ** 0.5)
    assert chart.marked.index.tolist() == [WEEKS[10]]


def test_individuals_by_pencil():
    values = pd.Series([10.0, 12, 10, 12, 10, 12, 10, 12, 11, 11, 11, 18], index=WEEKS[:12])
    chart = xmr_chart(values, seed=0)
    assert chart.table["upper"].iloc[0] == pytest.approx(11 + 3 * 2 / 1.128)
    assert chart.marked.index.tolist() == [WEEKS[11]]


def test_eight_in_a_row_are_marked_from_the_eighth_on():
    values = [10.0, 12] * 10 + [11.5] * 10
    chart = xmr_chart(pd.Series(values, index=WEEKS[:30]), seed=0, baseline_share=20 / 30)
    assert chart.table["is_run"].to_numpy().nonzero()[0].tolist() == list(range(20 + RUN - 1, 30))
    assert not chart.table["is_beyond"].any()


def test_a_shift_is_found_and_limits_are_learnt_before_it():
    chart = p_chart(counts([0.2] * 20 + [0.32] * 20), seed=0)
    assert chart.n_baseline == 20
    assert chart.table["centre"].iloc[0] == pytest.approx(0.2, abs=0.02)
    assert chart.table["is_run"].iloc[-1]


@pytest.mark.parametrize("n", [40, 400])
def test_false_alarms_of_stable_shares_are_as_stated(n):
    charts = [p_chart(counts([0.2] * 40, n=n, seed=seed), seed=0) for seed in range(80)]
    seen = np.mean([len(chart.marked) / 20 for chart in charts])
    stated = np.mean([chart.false_alarm_rate for chart in charts])
    assert seen == pytest.approx(stated, abs=0.01)
    any_seen, any_stated = (
        np.mean([len(chart.marked) > 0 for chart in charts]),
        np.mean([c.any_false_alarm for c in charts]),
    )
    assert any_seen == pytest.approx(any_stated, abs=0.1)


def test_false_alarms_of_stable_values_are_as_stated():
    draws = np.random.default_rng(0)
    charts = [xmr_chart(pd.Series(draws.normal(50, 4, 40), index=WEEKS), seed=1) for _ in range(80)]
    seen = np.mean([len(chart.marked) / 20 for chart in charts])
    assert seen == pytest.approx(charts[0].false_alarm_rate, abs=0.015)


def test_overdispersed_shares_get_wider_limits():
    draws = np.random.default_rng(3)
    table = counts(np.clip(draws.normal(0.2, 0.05, 40), 0.01, 0.9), n=2000)
    chart = p_chart(table, seed=0)
    assert chart.kind == "p_prime"
    assert chart.dispersion > 5
    assert chart.dispersion_p < 1e-6
    assert not chart.marked["is_beyond"].any()


def test_binomial_shares_rarely_get_wider_limits():
    kinds = [p_chart(counts([0.3] * 40, seed=seed), seed=0).kind for seed in range(60)]
    assert kinds.count("p_prime") <= 8


def test_periods_without_a_case_are_left_out():
    table = counts([0.2] * 20)
    table.iloc[3] = 0
    assert len(p_chart(table, seed=0).table) == 19
    values = pd.Series(np.where(np.arange(20) == 4, np.inf, np.arange(20.0) % 3), index=WEEKS[:20])
    assert len(xmr_chart(values, seed=0).table) == 19


def test_too_few_periods_and_no_variation_are_said():
    with pytest.raises(TooFewRecordsError, match="There are 11 periods"):
        p_chart(counts([0.2] * 11), seed=0)
    with pytest.raises(TooFewRecordsError, match="turned out alike"):
        p_chart(counts([0.0] * 20), seed=0)
    with pytest.raises(TooFewRecordsError, match="all the same"):
        xmr_chart(pd.Series(5.0, index=WEEKS), seed=0)
    with pytest.raises(ValueError, match="baseline_share"):
        p_chart(counts([0.2] * 20), seed=0, baseline_share=1.0)


def test_a_baseline_that_drifts_is_seen():
    falling = pd.Series([96, 122, 75, 96, 72, 20, 9, 6, 2, 5, 6, 3.0], index=WEEKS[:12])
    chart = xmr_chart(falling, seed=0)
    assert chart.drift_p < 0.01
    assert not chart.is_baseline_stable
    draws = np.random.default_rng(0)
    drifts = [xmr_chart(pd.Series(draws.normal(50, 4, 40), index=WEEKS), seed=0).drift_p < 0.05 for _ in range(100)]
    assert np.mean(drifts) == pytest.approx(0.05, abs=0.05)
