"""How cost grows: the slopes of time and memory against states, depth, updates, seeds and grid."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.timing import Row, cpu_seconds, judged, spread
from qlearn_book import grid
from qlearn_core import (
    EpsilonGreedy,
    Sgd,
    bootstrapped_targets,
    chain,
    garnet,
    iterate,
    q_learning,
    solve,
    train_network,
)

ROUNDS = 5
GAMMA = 0.9
LINEAR = 1.1  # a slope of 1, and a tenth for what a larger problem loses in the caches
CACHES = "a larger problem no longer fits into the caches"


@dataclass(frozen=True)
class Series:
    """The same work at several sizes; a call of `build` prepares it, and what it returns is timed.

    `time` and `memory` bound the slopes; without a bound the memory is not measured.
    """

    case: str
    sizes: tuple[int, ...]
    build: Callable[[int], Callable[[], object]]
    time: float | None
    memory: float | None


def rows() -> tuple[list[Row], list[str]]:
    return [row for series in SERIES for row in slopes(series)], []


def slopes(series: Series) -> list[Row]:
    """The slope of the time, one fit per round, and that of the largest memory, which is exact."""
    runs = [series.build(size) for size in series.sizes]
    for run in runs:
        run()
    times = [slope(series.sizes, [cpu_seconds(run) for run in runs]) for _ in range(ROUNDS)]
    row = spread(series.case, "time", "slope", times)
    if series.time is not None:
        row = judged(row, f"≤ {series.time:g}", row.median <= series.time, CACHES)
    found = [row]
    if series.memory is not None:
        value = slope(series.sizes, [peak(series.build, size) for size in series.sizes])
        row = spread(series.case, "memory", "slope", [value])
        found.append(judged(row, f"≤ {series.memory:g}", value <= series.memory, ""))
    return found


def slope(sizes: tuple[int, ...], costs: list[float]) -> float:
    """The exponent p of the power law cost = c · size^p that fits best."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def peak(build: Callable[[int], Callable[[], object]], size: int) -> int:
    """The most bytes that were allocated at one time, from the building of the problem on."""
    tracemalloc.start()
    build(size)()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def planning(num_states: int) -> Callable[[], object]:
    mdp = garnet(num_states, 4, 5, rng=np.random.default_rng(0), sparse=True)
    return partial(solve, mdp, gamma=GAMMA, tol=1e-6)


def deep_planning(depth: int) -> Callable[[], object]:
    return partial(solve, chain(depth, slip=0.1, sparse=True), gamma=0.99, tol=1e-6)


def learning(num_states: int) -> Callable[[], object]:
    mdp = garnet(num_states, 4, 5, rng=np.random.default_rng(0), sparse=True)
    num_updates = 200_000
    return lambda: q_learning(
        mdp, gamma=GAMMA, alpha=0.1, num_updates=num_updates, behaviour=EpsilonGreedy(0.1),
        rng=np.random.default_rng(0), record_at=[num_updates], q_star=np.zeros(mdp.r.shape),
    )  # fmt: skip


def updating(num_updates: int) -> Callable[[], object]:
    mdp = chain(30)
    return lambda: q_learning(
        mdp, gamma=GAMMA, alpha=0.1, num_updates=num_updates, behaviour=EpsilonGreedy(0.1),
        rng=np.random.default_rng(0),
    )  # fmt: skip


def training(depth: int) -> Callable[[], object]:
    targets = bootstrapped_targets(chain(depth), gamma=GAMMA)
    return lambda: train_network(
        [targets], optimiser=Sgd(0.01), num_updates=1_000, rng=np.random.default_rng(0)
    )


def training_seeds(num_seeds: int) -> Callable[[], object]:
    targets = bootstrapped_targets(chain(16), gamma=GAMMA)
    return lambda: train_network(
        [targets] * num_seeds, optimiser=Sgd(0.01), num_updates=1_000, rng=np.random.default_rng(0)
    )


def slider(num_positions: int) -> Callable[[], object]:
    """A figure at every position of a slider, computed, drawn, and packed for the page."""
    mdp = chain(10, slip=0.1, goal="loop")
    axes = {"gamma": tuple(np.linspace(0.5, 0.95, num_positions))}

    def compute(gamma):
        return iterate(mdp, gamma=gamma, num_sweeps=100).max(axis=(1, 2))

    def draw(values):
        return {
            "data": [{"type": "scatter", "x": list(range(101)), "y": values.tolist()}],
            "layout": {"xaxis": {"range": [0, 100]}, "yaxis": {"range": [0, 20]}},
        }

    return lambda: grid.pack(grid.sample("growth", compute, draw, axes, {"gamma": 0.5}))


SERIES = (
    Series("solve, against states", (2_000, 8_000, 32_000, 128_000), planning, LINEAR, 1.01),
    Series("solve a chain, against depth", (2_000, 8_000, 32_000, 128_000), deep_planning, LINEAR,
           1.01),
    Series("200,000 updates, against states", (250, 2_500, 25_000), learning, None, None),
    Series("Q-learning, against updates", (100_000, 1_000_000, 10_000_000), updating, LINEAR, 0.1),
    Series("network, against depth", (16, 64, 256), training, LINEAR, None),
    Series("network, against seeds", (4, 16, 64), training_seeds, LINEAR, 1.01),
    Series("slider, against positions", (16, 64, 256, 1_024), slider, LINEAR, 1.01),
)  # fmt: skip
