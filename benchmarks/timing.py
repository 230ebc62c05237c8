"""Fair comparisons: CPU time of one process, variants alternating in random order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median, quantiles

ROUNDS = 9
FEWER = {3.0: 1, 0.5: 3}  # rounds of what takes more than so many seconds


@dataclass(frozen=True)
class Variant:
    """One way to do the work. `prepare` returns what is timed; only that is on the clock.

    `check` gets the answer of a first run, which is not timed, and raises RuntimeError for a wrong
    one.
    """

    prepare: Callable[[], Callable[[], object]]
    per_unit: float  # turns its seconds into the unit of the case
    goal: float | None = None  # its cost over ours should be at least this
    reason: str = ""  # why the goal may be missed
    check: Callable[[object], None] = lambda answer: None


@dataclass(frozen=True)
class Row:
    """One line of the table: a quantity with its median and the spread around it."""

    case: str
    variant: str
    unit: str
    median: float
    low: float  # lower quartile; the fastest state of a figure
    high: float  # upper quartile; the 95th percentile of a figure
    ratio: float | None = None  # median of the costs over ours, round by round
    rounds: int | None = None  # how often it was timed, where that is a count of rounds
    goal: str = ""  # what the number should be, such as "≥ 3×"
    met: bool | None = None  # None where there is no goal
    reason: str = ""  # why it is not met


def cpu_seconds(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def repeated(function: Callable[[], object], times: int) -> Callable[[], object]:
    """What is too short for the clock, several times in a row."""
    return lambda: [function() for _ in range(times)]


def spread(case: str, variant: str, unit: str, values: list[float]) -> Row:
    """A row of the median and the quartiles of the values."""
    low, middle, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return Row(case, variant, unit, middle, low, high, rounds=len(values))


def judged(row: Row, goal: str, met: bool, reason: str) -> Row:
    """The row with its goal; the reason stays away where the goal is met."""
    return replace(row, goal=goal, met=met, reason="" if met else reason)


def num_rounds(seconds: float) -> int:
    """How often something is timed that takes so long."""
    return next((fewer for limit, fewer in FEWER.items() if seconds > limit), ROUNDS)


def compare(case: str, variants: dict[str, Variant], *, unit: str) -> list[Row]:
    """Check every variant, then time all of them in rounds; what is slow gets fewer rounds.

    The first variant is ours. The ratio of a row is its cost over ours in the same round, so ours
    has the ratio 1, a slower one more, and a busy machine slows both.
    """
    for variant in variants.values():
        variant.check(variant.prepare()())
    seconds = {name: [] for name in variants}
    order, chance = list(variants), random.Random(0)
    for round_number in range(ROUNDS):
        chance.shuffle(order)
        for name in order:
            if round_number == 0 or round_number < num_rounds(seconds[name][0]):
                seconds[name].append(cpu_seconds(variants[name].prepare()))
    costs = {name: [variants[name].per_unit * one for one in seconds[name]] for name in variants}
    ours = next(iter(costs.values()))
    rows = []
    for name, values in costs.items():
        ratio = median(a / b for a, b in zip(values, ours, strict=False))  # some have fewer rounds
        row = replace(spread(case, name, unit, values), ratio=ratio)
        goal = variants[name].goal
        if goal is not None:
            row = judged(row, f"≥ {goal:.3g}×", ratio >= goal, variants[name].reason)
        rows.append(row)
    return rows
