"""What one move of a slider costs in a kernel: compute and draw, for every figure of the book."""

from __future__ import annotations

from statistics import quantiles
from typing import Any

import numpy as np

from benchmarks.timing import Row, cpu_seconds
from qlearn_book.axis import Axis
from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import BOOK, explorers

NUM_STATES = 30


def rows() -> tuple[list[Row], list[str]]:
    measured = [
        figure_row(path.stem, explorer)
        for path in sorted(BOOK.glob("*.ipynb"))
        for explorer in explorers(path)
    ]
    return measured, []


def figure_row(chapter: str, explorer: Explorer) -> Row:
    """ms per state at random positions of all sliders, compiled code warm; p95 as the high end."""
    rng = np.random.default_rng(0)
    states = [
        {name: position(axis, rng) for name, axis in explorer.axes.items()}
        for _ in range(NUM_STATES)
    ]
    explorer.at()
    costs = [1e3 * cpu_seconds(lambda values=values: explorer.at(**values)) for values in states]
    twentieths = quantiles(costs, n=20)
    return Row(chapter, explorer.name, "ms/state", twentieths[9], min(costs), twentieths[18])


def position(axis: Axis, rng: np.random.Generator) -> Any:
    """A random value that the live control of an axis can take."""
    if axis.stored or not axis.is_number:
        return axis.values[rng.integers(len(axis.values))]
    low, high = axis.values[0], axis.values[-1]
    if all(isinstance(value, int) for value in axis.values):
        return int(rng.integers(low, high + 1))
    return float(rng.uniform(low, high))
