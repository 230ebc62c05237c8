"""What it costs to hand 3,000 runs of about 5 ms to threads, to processes and to Dask."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import quantiles

import joblib
import numpy as np
import psutil
from distributed import Client, LocalCluster

from benchmarks.timing import Row
from qlearn_core import UniformPairs, chain, q_learning
from qlearn_core.sweeps import sweep

NUM_RUNS = 3_000
NUM_UPDATES = 140_000  # about 5 ms
NUM_WORKERS = 2
ROUNDS = 3  # of half a minute
MDP = chain(5, slip=0.1)


def last_value(*, seed: int) -> float:
    """The experiment: one run of Q-learning."""
    run = q_learning(
        MDP,
        gamma=0.9,
        alpha=0.1,
        num_updates=NUM_UPDATES,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(seed),
        record_at=[NUM_UPDATES],
    )
    return float(run.q[0, 1])


def loop(num_runs: int) -> np.ndarray:
    return np.array([last_value(seed=seed) for seed in range(num_runs)])


def swept(engine: str, num_runs: int) -> np.ndarray:
    with joblib.parallel_config(engine, n_jobs=NUM_WORKERS):
        return sweep(last_value, over={}, seeds=range(num_runs)).stack(float)


def cpu_seconds(function: Callable[[], object]) -> float:
    """CPU time of this process and of those that it has started and that are there at the end."""

    def spent() -> dict[psutil.Process, float]:
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        return {process: sum(process.cpu_times()[:2]) for process in processes}

    before = spent()
    function()
    return sum(seconds - before.get(process, 0.0) for process, seconds in spent().items())


def rows() -> tuple[list[Row], list[str]]:
    """ms of CPU time for each run; the ratio is to a plain loop of the same round."""
    cluster = LocalCluster(
        n_workers=NUM_WORKERS,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
    )
    with cluster, Client(cluster):
        return compared(), []


def compared() -> list[Row]:
    engines = {"threads": "threading", "processes (loky)": "loky", "Dask": "dask"}
    variants = {"a loop": loop} | {name: partial(swept, engine) for name, engine in engines.items()}
    expected = loop(100)
    for name, variant in variants.items():  # starts the workers, which compile
        if not np.array_equal(variant(100), expected):
            raise RuntimeError(f"{name}: other numbers than a loop gives")
    costs = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, variant in variants.items():
            seconds = cpu_seconds(partial(variant, NUM_RUNS))
            costs[name].append(1e3 * seconds / NUM_RUNS)
    measured = []
    for name, cost in costs.items():
        low, median, high = quantiles(cost, n=4)
        ratios = [a / b for a, b in zip(cost, costs["a loop"], strict=True)]
        case = f"{NUM_RUNS:,} runs, {NUM_WORKERS} workers"
        ratio = quantiles(ratios, n=4)[1]
        measured.append(Row(case, name, "ms of CPU/run", median, low, high, ratio))
    return measured
