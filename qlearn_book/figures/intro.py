"""Drawings of the first chapter."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.profile import profile, times
from qlearn_book.theme import BLUE, GREY, ORANGE
from qlearn_core.experiments.intro import FEW_ACTIONS, FIXED_DEPTH, DepthWidth, Spread


def spread(record: Spread) -> dict:
    """The value of every state now beside its true value."""
    drawing = profile(
        record.distance, record.value, record.optimum, record.sweeps,
        x_title="distance to the goal", y_title="value",
    )  # fmt: skip
    far = record.value[-1] / record.optimum[-1]
    marks.describe(
        drawing,
        f"After {times(record.sweeps)} {record.num_close} of {record.depth} states are within 1 % "
        f"of their true value; the farthest has {_percent(far)} of its own.",
    )
    return drawing


def _percent(share: float) -> str:
    """A share in [0, 1] as a percentage that never rounds up to 100 % or down to 0 %."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    if 0.999 < share < 1 - 1e-12:
        return "more than 99.9 %"
    return f"{100 * share:.3g} %"


def depth_width(record: DepthWidth) -> dict:
    """Median updates with the range of the seeds, and guides of slope 2 and 1."""
    drawing = marks.axes(
        x=("depth D, or number of actions A", 1.8, 38, "log"), y=("updates", 0.8, 3e5, "log")
    )
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": record.sizes,
        "ticktext": [str(size) for size in record.sizes],
    }
    medians = {}
    for name, updates, colour in (
        ("depth", record.depth_updates, BLUE),
        ("width", record.width_updates, ORANGE),
    ):
        low, median, high = updates.min(axis=0), np.median(updates, axis=0), updates.max(axis=0)
        marks.band(drawing, record.sizes, low, high, f"range of the runs, {name}", colour)
        marks.line(drawing, record.sizes, median, name, colour, dots=True)
        medians[name] = median
    marks.write(
        drawing, [4.6], 1.5 * medians["depth"][:1], [f"depth (A = {FEW_ACTIONS})"], BLUE,
        where="bottom right",
    )  # fmt: skip
    marks.write(
        drawing, [2], 3 * medians["width"][:1], [f"width (D = {FIXED_DEPTH})"], ORANGE
    )  # fmt: skip
    for slope, below in ((2, 1.0), (1, 2.5)):  # a wedge to compare with, clear of the curves
        end = 1.2 * 3.2**slope
        marks.line(drawing, [10, 32], [1.2, end], f"slope {slope}", GREY, dash="dot", width=1.5)
        where = "top left" if slope == 2 else "bottom left"
        marks.write(drawing, [32], [end / below], [f"slope {slope}"], GREY, where=where)
    deeper, wider = (medians[name][-1] / medians[name][-2] for name in ("depth", "width"))
    marks.describe(
        drawing,
        f"From 16 to 32 the updates grow {deeper:.1f}-fold in depth, {wider:.1f}-fold in width "
        f"(to {medians['depth'][-1]:,.0f} and {medians['width'][-1]:,.0f}).",
    )
    return drawing
