"""Drawings of the chapter on the online loop."""

from __future__ import annotations

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREEN, GREY, ORANGE, PURPLE
from qlearn_core.experiments.online import DIVERGENCE, ROUNDS, Errors, Rounds

NAMES = {"none": "no new data", "fresh": "only the newest data", "mixed": "all data so far"}
COLOURS = (GREY, ORANGE, BLUE)


def rounds(record: Rounds) -> dict:
    """A measure against the rounds, a line for what the critic is trained on."""
    unit, top = ("nats", 4.5) if record.measure == DIVERGENCE else ("share", 1.0)
    drawing = marks.axes(x=("round", -0.1, 4.1), y=(unit, 0, top))
    for k, (name, colour) in enumerate(zip(NAMES.values(), COLOURS, strict=True)):
        marks.band(drawing, ROUNDS, record.low[k], record.high[k], f"{name}, interval", colour)
        marks.line(drawing, ROUNDS, record.means[k], name, colour, dots=True)
        marks.write(drawing, [4.05], [top * (0.96 - 0.06 * k)], [name], colour, where="middle left")
    none, fresh, mixed = record.means[:, -1]
    low, high = record.lead_interval
    marks.describe(
        drawing,
        f"Candidates {record.variant}; {record.measure} after four rounds: {none:.2f} without "
        f"new data, {fresh:.2f} with only the newest, {mixed:.2f} with all. All minus none: "
        f"{record.lead:+.2f}, 95 % interval {low:+.2f} to {high:+.2f}.",
    )
    return drawing


def errors(record: Errors) -> dict:
    """The critic's error in each round, where β goes and where the new policy goes."""
    x = ROUNDS[1:]
    drawing = marks.axes(x=("round", 0.9, 4.1), y=("error of the critic", -0.4, 1.2))
    marks.line(drawing, [0.9, 4.1], [0, 0], "no error", GREY, width=1)
    for side, (name, colour) in enumerate((("where β goes", GREEN), ("where π goes", PURPLE))):
        marks.band(drawing, x, record.low[side], record.high[side], f"{name}, interval", colour)
        marks.line(drawing, x, record.rms[side], name, colour, dots=True)
        marks.line(drawing, x, record.bias[side], f"{name}, mean", colour, dash="dash")
        marks.write(drawing, [0.95], [1.12 - 0.09 * side], [name], colour, where="middle right")
    marks.write(drawing, [4.05], [-0.33], ["dashed: mean of Q − q"], GREY, where="middle left")
    low, high = record.apart
    marks.describe(
        drawing,
        f"{NAMES[record.collection].capitalize()}, candidates {record.variant}: the rms error of "
        f"the fourth critic is {record.rms[0, -1]:.2f} where β goes and {record.rms[1, -1]:.2f} "
        f"where its policy goes, a difference of {low:+.2f} to {high:+.2f}; its mean error there "
        f"is {record.bias[1, -1]:+.2f}.",
    )
    return drawing
