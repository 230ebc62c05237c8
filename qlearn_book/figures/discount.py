"""Drawings of the chapter on the discount."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import inside
from qlearn_book.theme import BLUE, GREY, ORANGE, RED
from qlearn_core.experiments.discount import Budget, Divergence, Reach
from qlearn_core.neural import DIVERGENCE

#: The bottom and the top of the error axes; a run has diverged at DIVERGENCE, in between.
LOW, HIGH = 1e-3, 1e5
HORIZON = ("effective horizon 1/(1−γ)", 1.6, 13_000, "log")


def reach(record: Reach) -> dict:
    """Sweeps of value iteration against the horizon."""
    drawing = marks.axes(x=HORIZON, y=("sweeps", 1, 2e5, "log"))
    for name, sweeps, colour, height in (
        ("loop", record.loop, BLUE, 1e5),
        ("terminal", record.terminal, ORANGE, 4e4),
    ):
        marks.line(drawing, record.horizons, sweeps, name, colour, dots=True)
        marks.write(drawing, [1.8], [height], [name], colour, where="middle right")
    marks.describe(
        drawing,
        f"Sweeps until {100 * record.tolerance:g} % of the error is left: at horizon 100 "
        f"{_at(record, record.loop, 100)} on the loop and {_at(record, record.terminal, 100)} on "
        f"the terminal corridor, at 10,000 {_at(record, record.loop, 10_000)} and "
        f"{_at(record, record.terminal, 10_000)}.",
    )
    return drawing


def _at(record: Reach | Budget, values: np.ndarray, horizon: int) -> str:
    value = values[record.horizons == horizon][0]
    if np.isinf(value):
        return "diverged"
    return f"{value:,}" if isinstance(value, np.integer) else f"{value:.2g}"


def budget(record: Budget) -> dict:
    """Errors after a fixed number of updates against the horizon; diamonds have diverged."""
    drawing = marks.axes(x=HORIZON, y=("largest error", LOW, HIGH, "log"))
    lines = (
        ("table, loop", record.table, GREY, "dot", 6e3, 1.8, "middle right"),
        ("terminal, control", record.terminal_control, ORANGE, "dot", 6e3, 12e3, "middle left"),
        ("loop", record.loop, BLUE, "solid", 4e4, 1.8, "middle right"),
        ("terminal", record.terminal, ORANGE, "solid", 4e4, 12e3, "middle left"),
    )
    for name, errors, colour, dash, height, x, where in lines:
        finite = np.isfinite(errors)
        shown = np.where(finite, inside(np.where(finite, errors, 1), LOW), np.nan)
        marks.line(drawing, record.horizons, shown, name, colour, dash=dash, dots=dash == "solid")
        marks.write(drawing, [x], [height], [name], colour, where=where)
    lost = np.where(np.isinf(record.loop), DIVERGENCE, np.nan)
    marks.points(drawing, record.horizons, lost, "loop, diverged", RED, symbol="diamond")
    count = int(np.isinf(record.loop).sum())
    marks.describe(
        drawing,
        f"After {record.updates:,} updates at horizons 10, 100, 10,000: loop "
        f"{', '.join(_at(record, record.loop, h) for h in (10, 100, 10_000))}; terminal "
        f"{', '.join(_at(record, record.terminal, h) for h in (10, 100, 10_000))}; diverged on "
        f"the loop at {count} of {record.horizons.size} horizons.",
    )
    return drawing


def divergence(record: Divergence) -> dict:
    """Best, median and worst of a few networks, and a diamond where one has diverged."""
    first, last = record.steps[[0, -1]]
    drawing = marks.axes(x=("updates", first, last, "log"), y=("largest error", LOW, HIGH, "log"))
    ordered = np.sort(record.errors, axis=0)
    middle = len(ordered) // 2
    for name, errors, colour, height in (
        ("worst", ordered[-1], RED, 4e4),
        ("median", ordered[middle], BLUE, 6e3),
        ("best", ordered[0], GREY, 9e2),
    ):
        finite = np.isfinite(errors)
        shown = np.where(finite, inside(np.where(finite, errors, 1), LOW), np.nan)
        marks.line(drawing, record.steps, shown, name, colour)
        marks.write(drawing, [first], [height], [f" {name}"], colour, where="middle right")
    ended = record.diverged_at >= 0
    when = np.where(ended, np.maximum(record.diverged_at, first), np.nan)
    marks.points(drawing, when, np.where(ended, DIVERGENCE, np.nan), "diverged", RED,
                 symbol="diamond")  # fmt: skip
    text = f"{ended.sum()} of {ended.size} diverged"
    marks.write(drawing, [last], [4e4], [text], RED, where="middle left")
    marks.describe(drawing, f"At γ = {record.gamma:g}, D = {record.depth}: {_story(record)}.")
    return drawing


def _story(record: Divergence) -> str:
    ended = record.diverged_at >= 0
    story = f"{ended.sum()} of {ended.size} networks diverged"
    if ended.any():
        story += f", the first after {record.diverged_at[ended].min():,} updates"
    if not ended.all():
        rest = record.errors[~ended, -1]
        story += f"; the others end with errors of {rest.min():.2g} to {rest.max():.2g}"
    return story
