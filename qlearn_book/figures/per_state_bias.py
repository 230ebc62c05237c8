"""Drawings of the chapter on the bias of each state."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import inside
from qlearn_book.theme import BLUE, GREEN, GREY, ORANGE
from qlearn_core.experiments.per_state_bias import Delay, Profile

#: The bottom and the top of the axis of biases.
LOW, HIGH = 1e-3, 10


def profile(record: Profile) -> dict:
    """The bias of every state against its distance to the end, and how far news has come."""
    drawing = marks.axes(
        x=("distance to the end", 0.3, 32.7), y=("bias of a state", LOW, HIGH, "log")
    )
    arriving = record.reach < record.depth
    at = record.reach + 0.5 if arriving else np.nan
    marks.line(drawing, [at, at], [LOW, HIGH], "reach", GREY, dash="dash", width=1)
    for name, bias, colour, height in (
        ("own targets", record.bootstrapped, BLUE, 6),
        ("control", record.supervised, ORANGE, 3),
    ):
        visible = np.clip(inside(np.where(np.isfinite(bias), bias, HIGH), LOW), None, HIGH)
        marks.line(drawing, record.distance, visible, name, colour, dots=True, width=1.5)
        marks.write(drawing, [32.5], [height], [name], colour, where="middle left")
    marks.write(drawing, [0.5], [6], ["reach of news" if arriving else ""], GREY,
                where="middle right")  # fmt: skip
    near, far = record.bootstrapped[[0, -1]]
    marks.describe(
        drawing,
        f"After {record.updates:,} updates: bias {near:.2g} next to the end, {far:.2g} at distance "
        f"{record.depth}; rank correlation with distance {record.rank_correlation:+.2f}.",
    )
    return drawing


def delay(record: Delay) -> dict:
    """The largest bias against updates: with a random code, with one code, and the control."""
    first, last = record.steps[[0, -1]]
    drawing = marks.axes(x=("updates", first, last, "log"), y=("largest bias", LOW, 100, "log"))
    arrived = first <= record.arrival <= last
    at = record.arrival if arrived else np.nan
    marks.line(drawing, [at, at], [LOW, 100], "arrival", GREY, dash="dash", width=1)
    steps = record.steps
    low, high = record.lock.min(axis=0), record.lock.max(axis=0)
    marks.band(drawing, steps, inside(low, LOW), inside(high, LOW), "random codes, range", BLUE)
    for name, errors, colour, height in (
        ("random code", record.lock, BLUE, 50),
        ("one code", record.plain, GREEN, 19),
        ("control", record.control, ORANGE, 7.5),
    ):
        median = inside(np.median(errors, axis=0), LOW)
        marks.line(drawing, steps, median, name, colour)
        marks.write(drawing, [last], [height], [name], colour, where="middle left")
    marks.write(drawing, [first], [2e-3], [" dashed: news arrives" if arrived else ""], GREY,
                where="middle right")  # fmt: skip
    ends = [np.median(errors[:, -1]) for errors in (record.lock, record.plain, record.control)]
    lock, plain, control = (f"{end:.2g}" for end in ends)
    marks.describe(
        drawing,
        f"News can reach the start after {record.arrival:,.0f} updates; after {last:,} the largest "
        f"bias is {lock} with random codes, {plain} with one code, {control} for the control.",
    )
    return drawing
