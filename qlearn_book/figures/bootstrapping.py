"""Drawings of the chapter on bootstrapping."""

from __future__ import annotations

from qlearn_book import marks
from qlearn_book.figures.labels import ends, inside
from qlearn_book.theme import BLUE, GREY, ORANGE
from qlearn_core.experiments.bootstrapping import Accumulation, Gap


def accumulation(record: Accumulation) -> dict:
    """The typical error against the distance from the end, between the root law and the sum."""
    low, high = 0.003, 300
    drawing = marks.axes(
        x=("steps from the end d", 0, 88), y=("error / error of one backup", low, high, "log")
    )
    d = record.distance
    marks.line(drawing, d, record.linear, "sum of γ^k", GREY, dash="dot")
    marks.line(drawing, d, record.root, "root law", GREY, dash="dash")
    marks.line(drawing, d, inside(record.rms, low), "typical error", BLUE)
    typical, linear, root = record.at_depth
    marks.points(drawing, [record.depth], [max(typical, low / 10)], "chain of depth D", BLUE)
    ends(
        drawing, d, (record.linear, record.root, inside(record.rms, low)),
        ("sum", "root law", "typical"), (GREY, GREY, BLUE), low=low, high=high,
    )  # fmt: skip
    marks.describe(
        drawing,
        f"{_steps(record.depth)} from the end the typical error is {typical:.3g} times that of one "
        f"backup; the sum of γ^k is {linear:.3g}, the root law {root:.3g}.",
    )
    return drawing


def _steps(depth: int) -> str:
    return "One step" if depth == 1 else f"{depth} steps"


def action_gap(record: Gap) -> dict:
    """The mean error of the first state against the gap: too high with one table, too low with
    two."""
    low = 0.01
    drawing = marks.axes(
        x=("gap between best and others, in σ", 0, 5.1),
        y=("size of the mean error, in σ", low, 3e3, "log"),
    )
    marks.line(drawing, [0, 5.1], [record.single] * 2, "typical error, 1 action", GREY, dash="dash")
    for name, mean, colour, height in (
        ("one table: too high", record.maximum, BLUE, 1.6e3),
        ("two tables: too low", -record.double, ORANGE, 560),
    ):
        marks.line(drawing, record.gap, inside(mean, low), name, colour)
        marks.write(drawing, [5.1], [height], [name], colour, where="middle left")
    marks.write(drawing, [5.1], [200], ["typical size, 1 action"], GREY, where="middle left")
    start, one, two = record.maximum[0], record.maximum[5], record.double[5]
    marks.describe(
        drawing,
        f"With equally good actions the first state is {start:.3g} σ too high on average; with a "
        f"gap of 1 σ it is {one:.3g} σ too high with one table, {-two:.3g} σ too low with two.",
    )
    return drawing
