"""Run the experiments on the phone and store what comes out, as `results` describes.

    python -m qlearn_core.experiments.device_results [EXPERIMENT ...]

Finished runs are kept in _build/laboratory, so that an interrupted call goes on where it was. All
cores are used; the environment variable JOBS says how many instead.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import parallel_config

from qlearn_core.device.online import COLLECTIONS
from qlearn_core.sweeps import sweep

from .device_critics import td_against_mc
from .device_end_to_end import RATES, end_to_end
from .device_extraction import extraction
from .device_networks import networks
from .device_online import CHANGES, USUAL, online
from .device_orderings import NUM_SEEDS
from .device_representation import representation
from .device_targets import targets
from .results import Cell, Results, save

RUNS = Path(__file__).resolve().parents[2] / "_build" / "laboratory"


@dataclass(frozen=True)
class Experiment:
    """What is run, and what of its records is stored."""

    run: Callable
    grids: tuple[dict[str, tuple], ...]
    metrics: tuple[str, ...]
    same: tuple[str, ...] = ()


TAUS = (0.002, 0.02, 0.2, 1.0)


def _arms(collections: tuple[str, ...], **change) -> dict[str, tuple]:
    """A grid of the online loop."""
    return {"collection": collections} | {
        name: (value,) for name, value in (USUAL | change).items()
    }


EXPERIMENTS = {
    "td_against_mc": Experiment(
        td_against_mc,
        (
            {
                "num_episodes": (16, 64, 256, 512),
                "chance": (0.0, 1.0, 2.0),
                "encoder": ("places",),
            },
            {"num_episodes": (64,), "chance": (1.0,), "encoder": ("pages", "untrained", "oracle")},
        ),
        ("data_success", "success", "exact", "rmse", "ranking"),
    ),
    "extraction": Experiment(
        extraction,
        (
            {"num_episodes": (64, 256), "encoder": ("places",)},
            {"num_episodes": (64,), "encoder": ("oracle",)},
        ),
        ("behaviour", "success", "divergence", "kept"),
        same=("arms", "values"),
    ),
    "representation": Experiment(
        representation,
        (
            {
                "encoder": ("pages",),
                "tuning": ("none", "change", "shuffled"),
                "num_episodes": (64,),
            },
            {
                "encoder": ("places",),
                "tuning": ("none", "change", "shuffled"),
                "num_episodes": (64,),
            },
            {"encoder": ("untrained",), "tuning": ("none", "change"), "num_episodes": (64,)},
        ),
        ("labelled", "wrong", "action_share", "true_share", "success", "rmse", "ranking"),
    ),
    "online": Experiment(
        online,
        (
            _arms(COLLECTIONS),
            *(_arms(("mixed",), **change) for change in CHANGES.values()),
        ),
        ("collected", "success", "divergence", "shift", "error", "bias", "largest"),
    ),
    "end_to_end": Experiment(
        end_to_end,
        ({"encoder": ("places",), "num_episodes": (64,), "rate": RATES},),
        ("diverged", "success", "rmse", "ranking", "largest", "spread", "moved"),
    ),
    "horizon": Experiment(
        td_against_mc,
        (
            {
                "gamma": (0.5, 0.8, 0.95, 0.99),
                "limit": (8, 15, 30),
                "num_episodes": (64,),
                "chance": (1.0,),
                "encoder": ("places",),
            },
        ),
        ("data_success", "success", "exact", "rmse", "ranking"),
    ),
    "targets": Experiment(
        targets,
        (
            {"through": ("V",), "tau": TAUS, "learning_rate": (3e-4, 1e-3, 3e-3)},
            {"through": ("Q",), "tau": TAUS, "learning_rate": (1e-3,)},
        ),
        ("diverged", "success", "rmse", "ranking", "largest", "spread"),
    ),
    "networks": Experiment(
        networks,
        ({"num_episodes": (64,)},),
        ("behaviour", "success", "divergence", "diverged"),
        same=("arms", "values"),
    ),
}


def measured(name: str) -> Results:
    """All cells of an experiment, from the runs that are kept or anew.

    Raises ValueError for an unknown name and RuntimeError for a run that failed, as `sweep` does.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"name must be one of {', '.join(EXPERIMENTS)}, but is {name!r}")
    what = EXPERIMENTS[name]
    seeds, cells, same = tuple(range(NUM_SEEDS)), [], {}
    with counted(RUNS / name / "seconds") as seconds:
        for over in what.grids:
            done = sweep(what.run, over=over, seeds=seeds, folder=RUNS / name)
            for place in np.ndindex(done.records.shape[1:]):
                records = done.records[(slice(None), *place)]
                settings = {
                    key: values[k] for (key, values), k in zip(over.items(), place, strict=True)
                }
                metrics = {
                    metric: np.array([getattr(record, metric) for record in records], dtype=float)
                    for metric in what.metrics
                }
                cells.append(Cell(settings, metrics))
                same = {key: tuple(getattr(records[0], key)) for key in what.same}
    return Results(name, seeds, seconds(), same, tuple(cells))


@contextmanager
def counted(path: Path):
    """Gives a function that says how many seconds were spent in all, those of earlier calls too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = float(path.read_text()) if path.exists() else 0.0
    began = time.perf_counter()
    try:
        yield lambda: before + time.perf_counter() - began
    finally:
        path.write_text(f"{before + time.perf_counter() - began}\n")


def main(names: list[str]) -> None:
    with parallel_config(n_jobs=int(os.environ.get("JOBS", -1))):
        for name in names or EXPERIMENTS:
            results = measured(name)
            print(f"{save(results)}: {len(results.cells)} cells, {results.seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
