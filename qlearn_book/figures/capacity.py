"""Drawings of the chapter on capacity."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.projection import DIVERGED, HIGH, key, outcomes
from qlearn_book.theme import BLUE, GREY, ORANGE, PURPLE, RED
from qlearn_core.experiments.capacity import Capacity, Fates

LOW = 1e-3


def capacity(record: Capacity) -> dict:
    """Floor, norm and error against the number of features."""
    drawing = marks.axes(x=("features k, of 10", 0.5, 10.5), y=("error, or norm", LOW, HIGH, "log"))
    ks = record.num_features
    marks.line(drawing, ks[[0, -1]], [1, 1], "1: a contraction is below", GREY, width=1)
    marks.line(drawing, ks, np.maximum(record.floors, LOW / 10), "best fit", GREY, dash="dash")
    marks.line(drawing, ks, record.norms, "γ‖Π‖", PURPLE, dash="dot")
    outcomes(drawing, ks, record.errors, "error in the end", BLUE)
    names = ("error in the end", "◆ diverges", "best fit", "γ‖Π‖")
    key(drawing, names, (BLUE, RED, GREY, PURPLE), (0.6, 10.4))
    large = ks[record.norms > 1]
    reach = f"above 1 for {large.size} of 10 numbers of features" if large.size else "below 1"
    marks.describe(
        drawing,
        f"From 1 to 9 features the best fit falls from {record.floors[0]:.2g} to "
        f"{record.floors[8]:.1g}; γ‖Π‖ is {reach}; {np.isinf(record.errors).sum()} of 10 diverge.",
    )
    return drawing


def fates(record: Fates) -> dict:
    """A point for each drawing: its norm and where its iteration ended."""
    drawing = marks.axes(x=("γ‖Π‖", 0.4, 3, "log"), y=("error in the end", 0.01, HIGH, "log"))
    ticks = [0.5, 0.7, 1, 1.4, 2, 3]
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
    }
    marks.line(drawing, [1, 1], [0.01, 2 * DIVERGED], "contraction to the left", GREY, dash="dot")
    for norms, errors, name, colour, symbol in zip(
        record.norms, record.errors, ("random", "random and 1"), (BLUE, ORANGE),
        ("circle", "diamond"), strict=True,
    ):  # fmt: skip
        shown = np.clip(errors, 0.01, DIVERGED)
        marks.points(drawing, np.minimum(norms, 3), shown, name, colour, symbol=symbol, size=8)
    names = ("● random", "◆ random and 1", "top: diverged", "dotted: γ‖Π‖ = 1")
    key(drawing, names, (BLUE, ORANGE, RED, GREY), (0.41, 2.95))
    without, with_constant = np.isinf(record.errors).sum(axis=1)
    marks.describe(
        drawing,
        f"At k = {record.num_features} γ‖Π‖ is {record.norms.min():.2f} or more; "
        f"{without} of {record.errors.shape[1]} drawings diverge without a constant feature "
        f"and {with_constant} with one.",
    )
    return drawing
