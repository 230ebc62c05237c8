"""Drawings of the chapter on depth."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import inside
from qlearn_book.theme import BLUE, GREY, INK, ORANGE
from qlearn_core.experiments.depth import THRESHOLD, Front, HittingTimes, LearningCurves

#: The bottom and the top of the error axis.
LOW, HIGH = 1e-3, 20
#: The first update count that a log axis shows.
FIRST = 10


def curves(record: LearningCurves) -> dict:
    """The error of one network and of its control against updates."""
    last = record.steps[-1]
    drawing = marks.axes(x=("updates", FIRST, last, "log"), y=("largest error", LOW, HIGH, "log"))
    seen = np.flatnonzero(record.steps >= FIRST)[::-4][::-1]
    marks.line(drawing, [FIRST, last], [THRESHOLD] * 2, "learnt", GREY, width=1, dash="dash")
    for name, errors, colour, height in (
        ("own targets", record.bootstrapped[0], BLUE, 10),
        ("control", record.supervised[0], ORANGE, 4),
    ):
        visible = np.where(np.isfinite(errors), inside(errors, LOW), np.nan)
        marks.line(drawing, record.steps[seen], np.minimum(visible[seen], HIGH), name, colour)
        marks.write(drawing, [last], [height], [name], colour, where="middle left")
    own, control = (
        _story(record.steps, errors[0]) for errors in (record.bootstrapped, record.supervised)
    )
    marks.describe(
        drawing, f"At γ = {record.gamma:g} and D = {record.depth}: own targets: {own}; control: "
        f"{control}.",
    )  # fmt: skip
    return drawing


def _story(steps: np.ndarray, errors: np.ndarray) -> str:
    """When the error came below the threshold, and what is left in the end."""
    if not np.isfinite(errors[-1]):
        return f"diverged before update {steps[np.isinf(errors)][0]:,}"
    below = np.flatnonzero(errors < THRESHOLD)
    if below.size:
        when = f"below {THRESHOLD:g} from update {steps[below[0]]:,}"
    else:
        when = f"not below {THRESHOLD:g} within {steps[-1]:,} updates"
    return f"{when}, in the end {_error(errors[-1])}"


def _error(x: float) -> str:
    return f"{x:.2g}" if x >= LOW else "below 0.001"


def scaling(record: HittingTimes) -> dict:
    """Updates until a corridor is learnt, against its depth."""
    depths = np.array(record.depths)
    drawing = marks.axes(x=("depth D", 1, 100, "log"), y=("updates to 0.1", 2, 5e4, "log"))
    medians = [np.median(t, axis=1) for t in (record.bootstrapped, record.supervised)]
    marks.line(drawing, depths, depths * record.period, "D copies", GREY, dash="dot")
    for name, times, colour, height in (
        ("own targets", medians[0], BLUE, 3e4),
        ("control", medians[1], ORANGE, 1.3e4),
    ):
        times = np.where(np.isfinite(times), times, np.nan)
        marks.line(drawing, depths, times, name, colour, dots=True)
        marks.write(drawing, [1.1], [height], [name], colour, where="middle right")
    marks.write(drawing, [1.1], [5.6e3], ["one copy per state"], GREY, where="middle right")
    own, control = (_when(times[-1], record.num_updates) for times in medians)
    marks.describe(
        drawing,
        f"At D = {depths[-1]} and a copy every {_updates(record.period)}: {own} updates with own "
        f"targets, {control} for the control; {depths[-1]} copies take "
        f"{depths[-1] * record.period:,}.",
    )
    return drawing


def _updates(count: int) -> str:
    return "update" if count == 1 else f"{count} updates"


def _when(time: float, most: int) -> str:
    return f"{time:,.0f}" if np.isfinite(time) else f"more than {most:,}"


def front(record: Front) -> dict:
    """What the states hold after k sweeps of a table and after k copies of a network."""
    drawing = marks.axes(x=("distance to the reward", 0.3, 32.7), y=("value", -0.35, 1.6))
    # Before the first fit, and where a fit has gone astray, values can leave the axis.
    network = np.clip(record.network, -0.35, 1.6)
    marks.bars(drawing, record.distance, network, "network", BLUE, width=0.8)
    marks.line(drawing, record.distance, record.table, "table", ORANGE, dots=True, width=1.5)
    marks.line(drawing, record.distance, record.optimum, "true value", INK, width=1.5, dash="dot")
    count = "1 copy" if record.copies == 1 else f"{record.copies} copies"
    sweeps = "1 sweep" if record.copies == 1 else f"{record.copies} sweeps"
    for height, text, colour in (
        (1.5, f"network, {count}", BLUE),
        (1.36, f"table, {sweeps}", ORANGE),
        (1.22, "true value", INK),
    ):
        marks.write(drawing, [32.5], [height], [text], colour, where="middle left")
    right = int(np.sum(np.abs(record.table - record.optimum) < 1e-12))
    close = int(np.sum(np.abs(record.network - record.optimum) < THRESHOLD))
    marks.describe(
        drawing,
        f"After {sweeps} {right} of {record.depth} entries of the table are exact; after {count}, "
        f"{record.copies * record.period:,} updates, {close} of the network's are within "
        f"{THRESHOLD:g}.",
    )
    return drawing
