"""Fair comparisons: CPU time of one process, variants alternating in random order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles

ROUNDS = 9

Variant = Callable[[], Callable[[], object]]  # prepares, and returns what is timed


@dataclass(frozen=True)
class Row:
    """One line of the table: a quantity with its median and the spread around it."""

    case: str
    variant: str
    unit: str
    median: float
    low: float  # lower quartile; the fastest state of a figure
    high: float  # upper quartile; the 95th percentile of a figure
    ratio: float | None = None  # median of the quotients to the first variant, round by round


def cpu_seconds(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def compare(
    case: str, variants: dict[str, Variant], *, unit: str, per_unit: dict[str, float]
) -> list[Row]:
    """Time every variant ROUNDS times after a first run that does not count.

    per_unit[name] turns the seconds of a variant into the unit. The ratio of a row is the cost
    of its variant over that of the first one, in the same round: a busy machine slows both.
    """
    costs = {name: [] for name in variants}
    order, chance = list(variants), random.Random(0)
    for round_number in range(ROUNDS + 1):
        chance.shuffle(order)
        for name in order:
            cost = cpu_seconds(variants[name]()) * per_unit[name]
            if round_number > 0:
                costs[name].append(cost)
    first = next(iter(costs.values()))
    rows = []
    for name, cost in costs.items():
        low, median, high = quantiles(cost, n=4)
        ratio = quantiles([a / b for a, b in zip(cost, first, strict=True)], n=4)[1]
        rows.append(Row(case, name, unit, median, low, high, ratio))
    return rows
