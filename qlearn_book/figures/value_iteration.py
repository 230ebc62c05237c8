"""Drawings of the chapter on value iteration."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import inside
from qlearn_book.figures.profile import profile, times
from qlearn_book.theme import BLUE, GREY, ORANGE
from qlearn_core.experiments.value_iteration import (
    Contraction,
    FrozenLake,
    Spreading,
    Stopping,
)

#: The bottom of the error axis.
LOW = 1e-6


def contraction(record: Contraction) -> dict:
    """The error of both chains and the bound; the terminal chain falls off a cliff at α = 1."""
    drawing = marks.axes(x=("sweeps k", 0, 61), y=("relative error", LOW, 30, "log"))
    k = record.sweeps
    finished = record.finished is not None
    marks.line(drawing, k, inside(record.bound, LOW), "bound", GREY, dash="dot", width=4)
    marks.line(drawing, k, inside(record.loop, LOW), "loop", BLUE)
    marks.line(drawing, k, inside(record.terminal, LOW), "terminal", ORANGE)
    # Above the bound is the one place that no curve enters at any slider position.
    name = f"terminal: 0 from k = {record.finished}" if finished else "terminal"
    marks.write(drawing, [36], [14], ["bound"], GREY, where="middle left")
    marks.write(drawing, [60], [14], ["loop"], BLUE, where="middle left")
    marks.write(drawing, [60], [4], [name], ORANGE, where="middle left")
    left = f"0 from sweep {record.finished}" if finished else _number(record.terminal[-1])
    marks.describe(
        drawing,
        f"After {k[-1]} sweeps: bound {_number(record.bound[-1])}, loop chain "
        f"{_number(record.loop[-1])}, terminal chain {left}.",
    )
    return drawing


def _number(x: float) -> str:
    """Two digits; errors out of sight are not told apart."""
    return f"{x:.2g}" if x >= LOW else "below 1e-06"


def spreading(record: Spreading) -> dict:
    """The value of every state after k sweeps beside its true value."""
    drawing = profile(
        record.distance, record.value, record.optimum, record.sweeps,
        x_title="distance to the reward", y_title="value / largest true value",
    )  # fmt: skip
    missing = record.optimum - record.value
    exact = int(np.sum(missing < 1e-12))
    marks.describe(
        drawing,
        f"After {times(record.sweeps)} {np.sum(record.value > 0)} of {record.depth} states feel "
        f"the reward, {exact} are exact; largest error {_percent(missing.max())}.",
    )
    return drawing


def _percent(share: float) -> str:
    if share < 1e-12:
        return "0 %"
    return f"{100 * share:.0f} %" if share >= 0.005 else "below 0.5 %"


def stopping(record: Stopping) -> dict:
    """Two guarantees against sweeps, the true errors below them, and where each rule stops."""
    low, end = 1e-7, 2e4
    drawing = marks.axes(
        x=("sweeps k", 1, end, "log"), y=("error, or bound on it", low, 1e5, "log")
    )
    chosen = np.unique(np.rint(np.geomspace(1, record.sweeps[-1], 36)).astype(int)) - 1
    k = record.sweeps[chosen]
    for name, bound, error, sweeps, colour, height in (
        ("norm", record.norm_bound, record.error, record.norm_sweeps, ORANGE, 2e4),
        ("span", record.span_bound, record.centred_error, record.span_sweeps, BLUE, 1.5e3),
    ):
        marks.line(drawing, k, inside(bound[chosen], low), f"{name} bound", colour)
        marks.line(drawing, k, inside(error[chosen], low), f"error, {name} rule", colour,
                   dash="dot", width=1.5)  # fmt: skip
        marks.points(drawing, [sweeps], [record.tolerance], f"{name} rule stops", colour)
        marks.write(drawing, [end], [height], [f"{name} rule: {sweeps:,}"], colour,
                    where="middle left")  # fmt: skip
    marks.line(drawing, [1, end], [record.tolerance] * 2, "tolerance", GREY, width=1)
    marks.write(drawing, [end], [record.tolerance], ["tolerance"], GREY, where="top left")
    marks.describe(
        drawing,
        f"Sweeps to {record.tolerance:g}: {record.norm_sweeps:,} by the norm rule, "
        f"{record.span_sweeps:,} by the span rule.",
    )
    return drawing


#: FrozenLake's actions in its own order.
ARROWS = ("←", "↓", "→", "↑")


def frozen_lake(record: FrozenLake) -> dict:
    """The lake as a map: value and greedy arrow in every cell."""
    side = int(np.sqrt(record.value.size))
    drawing = marks.axes(x=("", 0, side), y=("", -side, 0), height=420)
    for axis in ("xaxis", "yaxis"):
        drawing["layout"][axis] |= {"showticklabels": False, "showgrid": False, "ticks": ""}
        drawing["layout"][axis] |= {"showline": False}
    drawing["layout"]["margin"] |= {"l": 8, "r": 8, "t": 8, "b": 8}
    text = [_cell(record, s) for s in range(record.value.size)]
    values = record.value.reshape(side, side)
    marks.cells(drawing, values, np.reshape(text, (side, side)), "value")
    open_cells = int(np.sum(~record.holes)) - 1
    marks.describe(
        drawing,
        f"After {times(record.sweeps)} the start is worth {record.value[0]:.2g} of its "
        f"{record.optimum[0]:.2g}; {record.optimal.sum()} of {open_cells} arrows are optimal.",
    )
    return drawing


def _cell(record: FrozenLake, s: int) -> str:
    if s == record.goal:
        return "goal"
    if record.holes[s]:
        return "hole"
    return f"{ARROWS[record.greedy[s]]} {record.value[s]:.2f}" if record.known[s] else "·"
