"""
Planted effects on service cases: how often the intervals of standardised shares hold the truth, and which drivers come first.

Synthetic cases of twenty seeds for the built-in households, through the package's own path. The truth is known to this module
only: the planted probabilities of the very same cases with a lever set.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from unittest import mock

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import beta
from sklearn.pipeline import Pipeline

from crm_analysis.features.service import case_courses, case_features, case_outcomes
from crm_analysis.models.service_quality.explanation.drivers import case_drivers
from crm_analysis.models.service_quality.explanation.effects import what_would_help
from crm_analysis.models.service_quality.explanation.effects_wording import FIRST_RESPONSE, HIGHER, LOWER
from crm_analysis.models.service_quality.prediction.classifiers import fitted, probabilities
from crm_analysis.tables import demo_truth
from crm_analysis.tables.demo import BUILTIN
from crm_analysis.tables.demo_cases import CATEGORIES, ROUTING, TARGET_HOURS, TEAMS, synthetic_service_cases
from crm_analysis.tables.demo_truth import TRUTH, true_probabilities
from crm_analysis.tables.engine import literal

Floats = NDArray[np.float64]
Truth = Mapping[tuple[str, str], pd.Series]

SEEDS = tuple(range(20))
END = dt.date(2017, 12, 31)
OUTCOMES = ("sla_missed", "low_satisfaction")
LEVERS = ("team", "channel", "category", "opened_weekday")
RESPONSE_HOURS = 8.0
TRAINING_SHARE = 0.7
FOREST = {"max_tree_depth": 4, "n_trees": 100, "seed": 0}
LOAD = ("team_load", "team_recent_cases", "team_open_cases")
PLANTED = ("team", "category", "channel", "opened_weekday", *LOAD)


class Known:
    """Synthetic cases as known at the end of the last day."""

    tables = frozenset({"service_cases"})
    as_of = END

    def __init__(self, cases: pd.DataFrame) -> None:
        self._connection = duckdb.connect()
        self._connection.register("visible", cases)
        self._connection.execute("CREATE TABLE service_cases AS SELECT *, NULL::BOOLEAN AS sla_met FROM visible")

    def require(self, *tables: str) -> None:
        """Do nothing: the cases are there."""

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Return the answer, texts as texts."""
        answer = self._connection.execute(sql, dict(parameters or {})).df()
        return answer.astype(dict.fromkeys([name for name in answer if answer[name].dtype == object], "str"))


@cache
def purchase_days() -> pd.DataFrame:
    """Return the days on which the built-in households bought something."""
    table = BUILTIN["complete_journey.service_cases"]
    return duckdb.connect().execute(table.sql.format(*(literal(str(path)) for path in table.paths))).df()


@cache
def year_of_cases(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return complete cases, and their features, outcomes and courses as known at the end."""
    cases = synthetic_service_cases(purchase_days(), seed=seed, end=END)
    known = Known(cases)
    return cases, case_features(known), case_outcomes(known), case_courses(known)  # type: ignore[arg-type]  # it answers as a snapshot does


def labelled(seed: int, outcome: str) -> pd.DataFrame:
    """Return features with the outcome of the cases where it is known."""
    _, features, outcomes, _ = year_of_cases(seed)
    known = outcomes.loc[outcomes[outcome].notna(), ["case_id", outcome]].astype({outcome: "int64"})
    return features.merge(known, on="case_id")


def figures() -> Iterator[tuple[str, ...]]:
    """Yield how often 95 % intervals hold the planted truth, by outcome and lever, over all seeds."""
    yield (
        "outcome",
        "lever",
        "figure",
        "told",
        "not told",
        "held",
        "in the right direction",
        "mean error",
        "RMSE",
        "mean SE",
    )
    for outcome in OUTCOMES:
        rows = pd.concat([judged(seed, outcome) for seed in SEEDS], ignore_index=True)
        for (lever, figure), part in rows.groupby(["lever", "figure"], sort=False):
            told = part[part["value"].notna()]
            error = 100 * (told["value"] - told["truth"])
            beyond = told[told["reading"].isin([LOWER, HIGHER])]
            right = (np.sign(beyond["value"]) == np.sign(beyond["truth"])).mean() if len(beyond) else float("nan")
            yield (
                *(outcome, str(lever), str(figure), f"{len(told):,}", f"{len(part) - len(told):,}"),
                f"{told['truth'].between(told['low'], told['high']).mean():.1%}",
                f"{right:.1%} of {len(beyond):,} beyond chance" if len(beyond) else "–",
                *(f"{error.mean():+.2f}", f"{np.sqrt((error**2).mean()):.2f}"),
                f"{100 * ((told['high'] - told['low']) / 3.92).mean():.2f}",
            )


def judged(seed: int, outcome: str) -> pd.DataFrame:
    """Return every figure of a seed with its interval and its truth."""
    table, (cases, _, _, courses) = labelled(seed, outcome), year_of_cases(seed)
    found = what_would_help(
        table, outcome=outcome, levers=LEVERS, courses=courses, response_hours=RESPONSE_HOURS, seed=seed
    )
    truth, present = planted(cases, outcome), true_probabilities(cases)[outcome]
    hours = courses.set_index("case_id")["first_response_hours"].reindex(table["case_id"]).to_numpy()
    rows = []
    for lever in dict.fromkeys(found.levels["lever"]):
        level = table[lever].astype(str) if lever in table else _response(hours)
        asked = (
            table["case_id"][(table["target_hours"] > RESPONSE_HOURS) & ~np.isnan(hours)]
            if lever == FIRST_RESPONSE
            else table["case_id"]
        )
        for row in found.levels[found.levels["lever"] == lever].to_dict("records"):
            share, now = truth[lever, row["level"]].loc[asked].mean(), present.loc[asked].mean()
            change = (row["change"], row["change_low"], row["change_high"], share - now, row["reading"])
            rows.append((lever, "share of a level", row["share"], row["low"], row["high"], share, ""))
            rows.append((lever, "change to the present", *change))
        for row in found.moves[found.moves["lever"] == lever].to_dict("records"):
            ids = asked[(level == row["cases_of"]).to_numpy()[asked.index]]
            change = (truth[lever, row["handled_like"]].loc[ids] - now_of(lever, row, truth, present, ids)).mean()
            rows.append((lever, "move", row["change"], row["low"], row["high"], change, row["reading"]))
    return pd.DataFrame(rows, columns=["lever", "figure", "value", "low", "high", "truth", "reading"])


def now_of(lever: str, row: Mapping[str, object], truth: Truth, present: pd.Series, ids: pd.Series) -> pd.Series:
    """Return the planted probability of cases as they are; of a response that is known, given that it came then."""
    if lever == FIRST_RESPONSE:
        return truth[lever, str(row["cases_of"])].loc[ids]
    return present.loc[ids]


def planted(cases: pd.DataFrame, outcome: str) -> Truth:
    """Return each case's planted probability with one lever set, all that does not follow from it as it was."""
    by_team = {(team, None): _at_team(cases, team, outcome) for team in TEAMS}
    truth = {("team", team): by_team[team, None] for team in TEAMS}
    for channel, chances in ROUTING.items():  # a channel brings its teams, and their loads
        moved = cases.assign(channel=channel)
        truth["channel", channel] = sum(
            (share * _at_team(moved, team, outcome) for team, share in zip(TEAMS, chances, strict=True)),
            start=pd.Series(0.0, index=by_team[TEAMS[0], None].index),
        )
    for category in CATEGORIES:
        truth["category", category] = true_probabilities(cases.assign(category=category))[outcome]
    for weekday in range(1, 8):
        shift = pd.to_timedelta(weekday - 1 - cases["opened_at"].dt.day_of_week, unit="D")
        with _load(demo_truth.team_load(cases)):
            truth["opened_weekday", str(weekday)] = true_probabilities(
                cases.assign(opened_at=cases["opened_at"] + shift)
            )[outcome]
    if outcome == "low_satisfaction":
        truth |= {
            (FIRST_RESPONSE, name): _at_response(cases, within=name.startswith("within"))
            for name in _response([0.0, 99.0])
        }
    return truth


def _at_team(cases: pd.DataFrame, team: str, outcome: str) -> pd.Series:
    """The planted probabilities at a team, with its load when each case opened."""
    day = cases["opened_at"].astype("datetime64[us]").astype("int64").to_numpy() / 86_400e6
    opened = np.sort(day[(cases["team"] == team).to_numpy()])
    recent = np.searchsorted(opened, day) - np.searchsorted(opened, day - demo_truth.LOAD_DAYS)
    observed = np.clip(day - day.min(), 1, demo_truth.LOAD_DAYS)
    usual = len(opened) / max(day.max() - day.min(), 1.0)
    with _load(np.clip(np.log((recent / observed + 0.5) / (usual + 0.5)), -1, 1)):
        return true_probabilities(cases.assign(team=team))[outcome]


def _load(load: Floats) -> mock._patch:  # type: ignore[type-arg]  # the stubs name its type parameter, the class has none
    """A load that does not follow from the cases as they are put."""
    return mock.patch.object(demo_truth, "team_load", return_value=load)


def _response(hours: object) -> pd.Series:
    quick = np.asarray(hours, dtype=float) <= RESPONSE_HOURS
    return pd.Series(np.where(quick, f"within {RESPONSE_HOURS:g} hours", f"after {RESPONSE_HOURS:g} hours"))


def _at_response(cases: pd.DataFrame, *, within: bool) -> pd.Series:
    """The planted probability of a low answer among cases of a kind that were answered within the hours, or after."""
    share = RESPONSE_HOURS / cases["priority"].map(TARGET_HOURS).to_numpy(dtype=float)
    missed_chance = true_probabilities(cases)["sla_missed"].to_numpy()
    total = np.zeros((2, len(cases)))
    for missed in (False, True):
        flags = np.full(len(cases), missed)
        slow_chance = expit(demo_truth.slow_log_odds(cases, missed=flags))
        for slow in (False, True):
            quick = (
                np.clip((share - 0.51) / 0.44, 0, 1)
                if slow
                else beta.cdf(share / demo_truth.SLOW_RESPONSE_SHARE, 1.1, 4)
            )
            weight = (missed_chance if missed else 1 - missed_chance) * (slow_chance if slow else 1 - slow_chance)
            weight = weight * (quick if within else 1 - quick)
            low = expit(demo_truth.low_log_odds(cases, missed=flags, slow=np.full(len(cases), slow)))
            for was_low, chance in ((False, 1 - low), (True, low)):
                answers = expit(demo_truth.answer_log_odds(cases, low=np.full(len(cases), was_low)))
                total[int(was_low)] += weight * chance * answers
    whole = total.sum(axis=0)
    chance = np.divide(total[1], whole, out=np.full(len(cases), np.nan), where=whole > 0)
    return pd.Series(chance, index=pd.Index(cases["case_id"], name="case_id"))


def drivers() -> Iterator[tuple[str, ...]]:
    """Yield the rank of every attribute among the drivers of a missed target, over all seeds."""
    tables = {seed: ranking(seed) for seed in SEEDS}
    yield (
        "attribute",
        "planted",
        "mean rank",
        "best and worst rank",
        "carries",
        "within chance",
        "better without",
        "mean increase",
    )
    every = pd.concat([table.assign(rank=range(1, len(table) + 1)) for table in tables.values()])
    for attribute, part in sorted(every.groupby("attribute"), key=lambda found: found[1]["rank"].mean()):
        kind = "driver" if attribute in PLANTED else "irrelevant" if attribute in TRUTH.irrelevant else "–"
        readings = part["reading"].value_counts()
        yield (
            *(str(attribute), kind, f"{part['rank'].mean():.1f}", f"{part['rank'].min()} to {part['rank'].max()}"),
            *(f"{readings.get(name, 0)}" for name in ("carries", "within chance", "better without")),
            f"{part['importance'].mean():+.4f}",
        )
    yield ("seeds with", "", "", "", "", "", "", "")
    for claim, held in claims(tables).items():
        yield (claim, "", f"{held} of {len(tables)}", "", "", "", "", "")


def claims(tables: Mapping[int, pd.DataFrame]) -> dict[str, int]:
    """Count the seeds in which what was planted comes first, and in the order of its strength."""
    held = dict.fromkeys(
        (
            "category, team and channel first",
            "then the weekday",
            "load above every irrelevant one",
            "no irrelevant one carries",
        ),
        0,
    )
    for table in tables.values():
        order, size = list(table["attribute"]), table.set_index("attribute")["importance"]
        irrelevant = [name for name in TRUTH.irrelevant if name in size]
        load = size[[name for name in LOAD if name in size]].max()
        carrying = set(table.loc[table["reading"] == "carries", "attribute"])
        held["category, team and channel first"] += set(order[:3]) == {"category", "team", "channel"}
        held["then the weekday"] += order[3] == "opened_weekday"
        held["load above every irrelevant one"] += bool(load > size[irrelevant].max())
        held["no irrelevant one carries"] += not carrying.intersection(irrelevant)
    return held


def ranking(seed: int) -> pd.DataFrame:
    """Return the drivers of a missed target on the last cases, by a forest that learnt from those before."""
    table = labelled(seed, "sla_missed")
    size = int(TRAINING_SHARE * len(table))
    forest: Pipeline = fitted("random_forest", table[:size], outcome="sla_missed", **FOREST)
    return case_drivers(
        lambda rows: probabilities(forest, rows).to_numpy(), table[size:], outcome="sla_missed", seed=seed
    ).alone
