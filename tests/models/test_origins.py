"""Claims about the days from which forecasts are made: nothing is learnt from what came later, and short histories do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crm_analysis.errors import TooFewRecordsError
from crm_analysis.models.evaluation import OriginPlan, rolling_origins
from crm_analysis.models.evaluation.origins import MOST_COMPARED, SHORTER_PARTS, SHORTEST_DAYS, Period

YEAR = {"first_day": date(2017, 1, 1), "as_of": date(2017, 12, 31)}
DAYS = [date(2017, 1, 1) + timedelta(days=number) for number in range(1200)]


def plan_of(n_days: int, horizon_days: int, *, n_origins: int = 8) -> OriginPlan:
    return rolling_origins(first_day=DAYS[0], as_of=DAYS[n_days - 1], horizon_days=horizon_days, n_origins=n_origins)


def end(period: Period) -> date:
    return period[0] + timedelta(days=period[1])


# --- the pencil


def test_a_year_has_room_for_a_holdout_a_trial_and_a_fitting_period_of_a_quarter() -> None:
    plan = rolling_origins(**YEAR, horizon_days=90)
    assert plan.holdout_origin == date(2017, 10, 2)
    origins = [date(2017, 4, 5), date(2017, 5, 5), date(2017, 6, 4), date(2017, 7, 4)]
    # an origin is learnt from as far as was known, the horizon at most: all of these are a whole one
    assert plan.training == tuple((origin, 90) for origin in origins)
    assert plan.calibration == plan.trials[0]
    assert (plan.calibration.origin, plan.calibration.days_ahead) == (date(2017, 7, 4), 90)
    assert plan.calibration.fitted == ((date(2017, 4, 5), 90),)
    # what came up to the end of the year is learnt from for the forecast itself
    assert plan.refitting[-1] == (date(2017, 10, 2), 90)
    assert len(plan.trials) == 1
    assert not plan.is_shorter


def test_the_three_latest_origins_that_have_one_before_them_are_tried() -> None:
    plan = rolling_origins(**YEAR, horizon_days=30)
    assert [trial.origin for trial in plan.trials] == [date(2017, 10, 12), date(2017, 10, 22), date(2017, 11, 1)]
    assert {trial.days_ahead for trial in plan.trials} == {30}
    # 2017-10-02 is 30 days before the last of them, and the two in between are not over by then
    assert [str(origin) for origin, _ in plan.trials[-1].fitted][-1] == "2017-10-02"
    assert len(plan.training) == 8


def test_a_half_year_of_a_year_is_learnt_from_months_and_tried_on_a_quarter() -> None:
    plan = rolling_origins(**YEAR, horizon_days=180)
    # 185 days before the hold-out: a sixth is 30, two of them are history, and half of them make the long trial
    assert plan.is_shorter
    assert plan.training_days == 30
    assert plan.training[0][0] >= YEAR["first_day"] + timedelta(days=2 * 30 - 1)
    assert (plan.calibration.origin, plan.calibration.days_ahead) == (date(2017, 4, 5), 90)
    assert end((plan.calibration.origin, plan.calibration.days_ahead)) == plan.holdout_origin
    assert all(trial.days_ahead == 30 for trial in plan.trials[:-1])
    # origins are learnt from as far as was known: the latest a month, one ten days before it ten days more
    assert [days for _, days in plan.training[-2:]] == [40, 30]
    assert all(days <= 180 for _, days in plan.refitting)


# --- nothing later


@pytest.mark.parametrize("n_days", [55, 100, 365, 1096])
@pytest.mark.parametrize("horizon_days", [1, 2, 7, 30, 91, 100, 180, 270, 323])
@pytest.mark.parametrize("n_origins", [2, 3, 4, 9])
def test_nothing_is_learnt_from_what_came_after(n_days: int, horizon_days: int, n_origins: int) -> None:
    if n_days - horizon_days < SHORTER_PARTS * SHORTEST_DAYS and n_days < 4 * horizon_days:
        with pytest.raises(TooFewRecordsError, match=f"there are {n_days} days"):
            plan_of(n_days, horizon_days, n_origins=n_origins)
        return
    plan = plan_of(n_days, horizon_days, n_origins=n_origins)
    assert end((plan.holdout_origin, horizon_days)) == plan.as_of
    assert all(end(period) <= plan.holdout_origin for period in plan.training)
    assert all(end(period) <= plan.as_of for period in plan.refitting)
    for trial in plan.trials:
        assert trial.fitted
        assert end((trial.origin, trial.days_ahead)) <= plan.holdout_origin
        assert all(end(period) <= trial.origin for period in trial.fitted)
    ends = [end((trial.origin, trial.days_ahead)) for trial in plan.trials]
    assert ends == sorted(ends)
    assert plan.calibration.days_ahead == max(trial.days_ahead for trial in plan.trials)


@pytest.mark.parametrize(
    ("n_days", "horizon_days"), [(400, 90), (400, 100), (400, 101), (400, 250), (60, 18), (1200, 9), (300, 3), (300, 2)]
)
@pytest.mark.parametrize("n_origins", [2, 5, 24])
def test_each_origin_has_its_history_and_each_period_its_days(n_days: int, horizon_days: int, n_origins: int) -> None:
    plan = plan_of(n_days, horizon_days, n_origins=n_origins)
    history = plan.training_days * (2 if plan.is_shorter else 1)
    assert min(origin for origin, _ in plan.periods) >= DAYS[0] + timedelta(days=history - 1)
    for periods in (plan.training, plan.refitting, *(trial.fitted for trial in plan.trials)):
        assert all(plan.training_days <= days <= horizon_days for _, days in periods)
        assert list(periods) == sorted(set(periods))
        assert len(periods) <= n_origins
    assert plan.is_shorter == (n_days < 4 * horizon_days)
    assert len(plan.trials) <= MOST_COMPARED + plan.is_shorter
    wanted = {(plan.holdout_origin, horizon_days), *plan.training, *plan.refitting}
    wanted |= {(trial.origin, trial.days_ahead) for trial in plan.trials}
    wanted |= {period for trial in plan.trials for period in trial.fitted}
    assert plan.periods == tuple(sorted(wanted))


def test_one_origin_lies_a_period_before_the_latest_however_the_thirds_are_rounded() -> None:
    for horizon_days in range(1, 92):
        plan = plan_of(365, horizon_days)
        latest = plan.training[-1][0]
        assert latest - timedelta(days=horizon_days) in [origin for origin, _ in plan.training]


def test_more_data_at_the_end_move_the_plan_and_change_nothing_else() -> None:
    one = rolling_origins(first_day=DAYS[0], as_of=DAYS[799], horizon_days=60)
    later = rolling_origins(first_day=DAYS[10], as_of=DAYS[809], horizon_days=60)
    assert later.training == tuple((origin + timedelta(days=10), days) for origin, days in one.training)


# --- short histories


def test_a_short_history_keeps_the_later_origins() -> None:
    plan = rolling_origins(**YEAR, horizon_days=90, n_origins=9)
    assert len(plan.training) == 4
    assert plan.n_asked == 9
    assert rolling_origins(**YEAR, horizon_days=30, n_origins=9).training[-1][0] == date(2017, 11, 1)


def test_a_whole_period_is_learnt_from_up_to_a_quarter_of_the_history() -> None:
    assert plan_of(400, 100).training_days == 100
    assert plan_of(400, 101).training_days == 299 // 6
    assert plan_of(400, 101).calibration.days_ahead == 101  # three sixths are 147 days, the horizon at most
    assert plan_of(400, 150).calibration.days_ahead == 3 * (250 // 6)


@pytest.mark.parametrize("n_days", [4, 8, 43, 50, 55, 56, 57, 60, 365])
def test_a_history_that_is_too_short_names_the_longest_horizon_that_would_do(n_days: int) -> None:
    with pytest.raises(TooFewRecordsError, match=rf"there are {n_days} days; .* Use horizon_days of at most ") as error:
        plan_of(n_days, n_days)
    assert error.value.exit_code == 5
    longest = int(str(error.value).split("at most ")[1].split(",")[0])
    assert plan_of(n_days, longest).trials
    with pytest.raises(TooFewRecordsError, match=f"at most {longest}, or data that reach further back"):
        plan_of(n_days, longest + 1)


def test_a_horizon_longer_than_the_history_is_told_from_the_data() -> None:
    with pytest.raises(
        TooFewRecordsError, match=r"From 2017-01-01 to 2017-12-31 there are 365 days; to forecast 400 days"
    ):
        rolling_origins(**YEAR, horizon_days=400)


@pytest.mark.parametrize("n_days", [1, 3])
def test_a_history_of_days_asks_for_more_data(n_days: int) -> None:
    with pytest.raises(TooFewRecordsError, match=r"or 42\. Use data that reach further back"):
        plan_of(n_days, 7)


def test_a_day_before_the_data_has_no_days() -> None:
    with pytest.raises(TooFewRecordsError, match="there are 0 days"):
        rolling_origins(first_day=date(2017, 1, 2), as_of=date(2016, 1, 1), horizon_days=7)


@pytest.mark.parametrize(("horizon_days", "n_origins"), [(90, 1), (0, 8)])
def test_one_origin_and_no_horizon_are_too_few_to_ask_for(horizon_days: int, n_origins: int) -> None:
    with pytest.raises(ValueError, match=f"n_origins at least 2, got {horizon_days}, {n_origins}"):
        rolling_origins(**YEAR, horizon_days=horizon_days, n_origins=n_origins)


def test_leap_days_are_days() -> None:
    plan = rolling_origins(first_day=date(2023, 3, 1), as_of=date(2024, 2, 29), horizon_days=60)
    assert plan.holdout_origin == date(2023, 12, 31)
    assert rolling_origins(first_day=date(2022, 3, 1), as_of=date(2024, 4, 29), horizon_days=60).holdout_origin == date(
        2024, 2, 29
    )
