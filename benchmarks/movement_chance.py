"""Movement held against chance: how often it raises a false alarm where nothing has changed, and how often it sees what has."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crm_analysis.models.segmentation.movement import segment_movement

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SEEDS = tuple(range(5000, 5100))
DAYS, MOVEMENT_DAYS, HISTORY_DAYS = 400, 60, 180
ORDER = ("top", "best", "good", "fair", "low")
NO_MORE = "no more than chance"
FIRST = date(2020, 1, 1)


@dataclass(frozen=True)
class World:
    """Customers who buy on days at a rate of their own, some of whom change after the earlier day."""

    name: str
    customers: int = 1000
    is_lognormal: bool = False  # rates and amounts: not what the model of chance takes for granted
    begins_at: int = 0  # first day that the data hold; customers are older
    knows_leaving: bool = False
    dropped: float = 0.0
    doubled: float = 0.0


WORLDS = (
    World("as before, gamma rates"),
    World("as before, lognormal rates and amounts", is_lognormal=True),
    World("as before, data begin with the window", begins_at=159),
    World("as before, days that leave are known", knows_leaving=True),
    World("as before, 200 customers", customers=200),
    World("10 % drop out", dropped=0.1),
    World("20 % drop out", dropped=0.2),
    World("10 % buy twice as often", doubled=0.1),
    World("20 % buy twice as often", doubled=0.2),
)


def purchases(world: World, seed: int) -> tuple[Flags, Floats]:
    """Draw who buys on which day, and for how much: a row a customer, a column a day."""
    rng = np.random.default_rng(seed)
    shape, last = (world.customers, DAYS), DAYS - 1 - MOVEMENT_DAYS
    rates = (
        0.02 * np.exp(rng.standard_normal(shape[0])) if world.is_lognormal else rng.gamma(0.8, 1 / 0.8, shape[0]) * 0.03
    )
    joined = np.zeros(shape[0], dtype=int)
    if not world.begins_at:
        joined = np.where(rng.random(shape[0]) < 0.5, 0, rng.integers(0, DAYS, shape[0]))
    chances = np.broadcast_to(np.clip(rates, 1e-5, 0.9)[:, None], shape).copy()
    who = rng.random(shape[0])
    chances[who < world.dropped, last + 1 :] = 0
    twice = (who >= world.dropped) & (who < world.dropped + world.doubled)
    chances[twice, last + 1 :] = np.minimum(2 * chances[twice, last + 1 :], 1)
    buys = (rng.random(shape) < chances) & (np.arange(DAYS)[None] >= joined[:, None])
    means = 20 * np.exp(0.6 * rng.standard_normal(shape[0]))
    spread = np.exp(0.8 * rng.standard_normal(shape) - 0.32) if world.is_lognormal else rng.gamma(2, 0.5, shape)
    amounts = np.where(buys, means[:, None] * spread, 0.0)
    return buys[:, world.begins_at :], amounts[:, world.begins_at :]


def features(buys: Flags, amounts: Floats, *, day: int, history_days: int) -> pd.DataFrame:
    """Return recency, frequency, money and tenure of those who bought within the history up to a day."""
    first = max(0, day + 1 - history_days)
    window, money = buys[:, first : day + 1], amounts[:, first : day + 1].sum(axis=1)
    frequency, tenure = window.sum(axis=1), day - np.argmax(buys, axis=1)
    table = pd.DataFrame(
        {
            "recency_days": day - (first + window.shape[1] - 1 - np.argmax(window[:, ::-1], axis=1)),
            "frequency": frequency,
            "spend": money,
            "monetary_value": money / np.maximum(frequency, 1),
            "tenure_days": tenure,
            "observed_days": np.minimum(history_days, tenure + 1),
        }
    )
    return table[frequency > 0].rename_axis("customer_id")


def thirds(before: pd.DataFrame) -> Callable[[pd.DataFrame], pd.Series]:
    """Return a rule of five segments by the thirds of recency, frequency and monetary value at the earlier day."""
    columns = ("recency_days", "frequency", "monetary_value")
    edges = {name: np.unique(np.quantile(before[name], [1 / 3, 2 / 3])) for name in columns}

    def assign(table: pd.DataFrame) -> pd.Series:
        place = {
            name: np.searchsorted(cuts, table[name].to_numpy(float), side="left" if name == "recency_days" else "right")
            for name, cuts in edges.items()
        }
        total = 2 - place["recency_days"] + place["frequency"] + place["monetary_value"]
        names = np.array(ORDER[::-1])
        return pd.Series(names[np.minimum((total + 1) // 2 + (total == 6), 4)], index=table.index)

    return assign


def flagged(world: World, seed: int) -> tuple[bool, bool, bool]:
    """Return whether the number who changed, a direction, or a cell is said to lie outside chance."""
    buys, amounts = purchases(world, seed)
    day = DAYS - 1 - MOVEMENT_DAYS - world.begins_at
    of = partial(features, buys, amounts)
    before, after = (of(day=at, history_days=HISTORY_DAYS) for at in (day, day + MOVEMENT_DAYS))
    leaving = None
    if world.knows_leaving:
        leaving = of(day=day - HISTORY_DAYS + MOVEMENT_DAYS, history_days=MOVEMENT_DAYS)[["frequency", "spend"]]
    with threadpool_limits(limits=1):
        movement = segment_movement(
            before,
            after,
            thirds(before),
            as_of_before=FIRST,
            as_of=FIRST + timedelta(days=MOVEMENT_DAYS),
            history_days=HISTORY_DAYS,
            order=ORDER,
            seed=seed,
            min_cell=1,
            leaving=leaving,
            n_bootstraps=50,
        )
    if movement.chance is None:
        raise AssertionError("chance can be worked out for these features")
    against = movement.chance.totals["against"]
    return (
        bool(against["changed"] != NO_MORE),
        bool((against.drop("changed") != NO_MORE).any()),
        bool((movement.chance.cells["against"] != NO_MORE).any()),
    )


def figures() -> list[tuple[str, ...]]:
    """Return the table: the share of simulations in which each kind of figure is flagged."""
    table: list[tuple[str, ...]] = [("world", "simulations", "changed", "up, down or left", "any cell")]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as workers:
        for world in WORLDS:
            flags = np.array(list(workers.map(partial(flagged, world), SEEDS)))
            table.append((world.name, str(len(SEEDS)), *(f"{share:.0%}" for share in flags.mean(axis=0))))
    return table
