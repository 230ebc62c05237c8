"""What the laboratory measured: one small JSON file for each experiment on the phone.

`python -m qlearn_core.experiments.device_results` makes them anew. A file holds the seeds, the
seconds that all runs took, what is the same in all of them, and a list of cells: the settings, and
for each metric a list over the seeds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
DIGITS = 4  # of what is stored; seeds differ in the second


@dataclass(frozen=True, eq=False)
class Cell:
    """One joint setting of an experiment, run with every seed."""

    settings: Mapping[str, Any]
    metrics: Mapping[str, np.ndarray]  # (seed, ...) each

    def __getitem__(self, metric: str) -> np.ndarray:
        return self.metrics[metric]


@dataclass(frozen=True, eq=False)
class Results:
    """All that was measured of an experiment."""

    experiment: str
    seeds: tuple[int, ...]
    seconds: float  # that all runs took, one after the other
    same: Mapping[str, tuple]  # what every run gives back alike, such as the names of its arms
    cells: tuple[Cell, ...]

    def cell(self, **settings: Any) -> Cell:
        """The cell with these settings, all or those that tell it from the others.

        Raises ValueError for settings that no cell has, or more than one.
        """
        found = [cell for cell in self.cells if settings.items() <= dict(cell.settings).items()]
        if len(found) != 1:
            known = "; ".join(str(dict(cell.settings)) for cell in found or self.cells)
            raise ValueError(
                f"settings must name one cell of {self.experiment}, but {settings!r} is in "
                f"{len(found)}: {known}"
            )
        return found[0]


@lru_cache(maxsize=8)
def load(experiment: str) -> Results:
    """The stored results of an experiment. Raises ValueError for one that has none."""
    known = sorted(path.stem for path in FOLDER.glob("*.json"))
    if experiment not in known:
        raise ValueError(f"experiment must be one of {', '.join(known)}, but is {experiment!r}")
    stored = json.loads((FOLDER / f"{experiment}.json").read_text(encoding="utf-8"))
    cells = tuple(
        Cell(MappingProxyType(cell["settings"]), MappingProxyType(_arrays(cell["metrics"])))
        for cell in stored["cells"]
    )
    same = MappingProxyType({name: tuple(values) for name, values in stored["same"].items()})
    return Results(experiment, tuple(stored["seeds"]), stored["seconds"], same, cells)


def _arrays(metrics: dict[str, list]) -> dict[str, np.ndarray]:
    arrays = {name: np.array(values, dtype=float) for name, values in metrics.items()}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def save(results: Results) -> Path:
    """Write results as JSON, a line for each metric; whoever reads sees the old file or the new."""
    cells = ",\n".join(
        f'  {{"settings": {json.dumps(dict(cell.settings))},\n   "metrics": {{\n'
        + ",\n".join(
            f'    "{name}": {json.dumps(np.round(values, DIGITS).tolist())}'
            for name, values in cell.metrics.items()
        )
        + "}}"
        for cell in results.cells
    )
    text = (
        f'{{"experiment": "{results.experiment}",\n "seeds": {json.dumps(results.seeds)},\n'
        f' "seconds": {round(results.seconds)},\n'
        f' "same": {json.dumps({name: list(v) for name, v in results.same.items()})},\n'
        f' "cells": [\n{cells}]}}\n'
    )
    path = FOLDER / f"{results.experiment}.json"
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    load.cache_clear()
    return path
