"""Drawings of the chapter on the semi-gradient and the full gradient."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures import labels
from qlearn_book.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from qlearn_core.experiments.semi_gradient import Biases, Descent, SampledDescent, Split

LOW, HIGH = 1e-4, 1.5
NAMES, COLOURS = ("semi", "full", "two samples"), (BLUE, ORANGE, GREEN)


def two_gradients(record: Descent) -> dict:
    """Error against sweeps on two log axes; the run with two samples is dotted."""
    drawing = marks.axes(x=("sweeps", 1, 3e4, "log"), y=("relative error", LOW, HIGH, "log"))
    errors = (record.semi, record.full, record.two_samples)
    _three(drawing, record.sweeps[1:], [e[1:] for e in errors])
    semi, full, two = (_small(e[-1]) for e in errors)
    marks.describe(
        drawing,
        f"After {record.sweeps[-1]:,} sweeps the semi-gradient leaves {semi} of the largest "
        f"value, the full gradient {full} and the full gradient with two samples {two}.",
    )
    return drawing


def sampled(record: SampledDescent) -> dict:
    """The same three from samples: one run each, with the same random numbers."""
    drawing = marks.axes(x=("updates", 10, 6e5, "log"), y=("relative error", LOW, HIGH, "log"))
    errors = (record.semi[0], record.full[0], record.two_samples[0])
    _three(drawing, record.updates, errors)
    semi, full, two = (_small(e[-1]) for e in errors)
    marks.describe(
        drawing,
        f"After {record.updates[-1]:,} updates the error is {semi} (semi), {full} (full) and "
        f"{two} (two samples).",
    )
    return drawing


def _three(drawing: dict, x: np.ndarray, errors: list[np.ndarray]) -> None:
    curves = [labels.inside(error, LOW) for error in errors]
    for curve, name, colour in zip(curves, NAMES, COLOURS, strict=True):
        dash = "dash" if name == "two samples" else "solid"
        marks.line(drawing, x, curve, name, colour, dash=dash)
    labels.ends(drawing, x, curves, NAMES, COLOURS, low=LOW, high=HIGH)


def split(record: Split) -> dict:
    """The three values of the A-split: the true ones and where each gradient ends."""
    drawing = marks.axes(x=("state", -0.4, 4.4), y=("value", -0.05, 1.1))
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": [0, 1, 2],
        "ticktext": ["A", "B", "C"],
    }
    runs = (record.true, record.semi, record.full, record.two_samples)
    for place, (values, name, colour) in enumerate(
        zip(runs, ("true", *NAMES), (INK, *COLOURS), strict=True)
    ):
        where = np.arange(3) + 0.15 * (place - 1.5)
        symbol, sign = ("diamond", "◆") if name == "true" else ("circle", "●")
        marks.points(drawing, where, values, name, colour, symbol=symbol)
        marks.write(drawing, [2.6], [0.98 - 0.1 * place], [f"{sign} {name}"], colour,
                    where="middle right")  # fmt: skip
    _, b, c = record.full
    marks.describe(
        drawing,
        f"The full gradient gives B {b:.2f} and C {c:.2f} where 1 and 0 are right; the semi-"
        f"gradient and the full gradient with two samples give {record.semi[1]:.2f} and "
        f"{record.semi[2]:.2f}.",
    )
    return drawing


def target_bias(record: Biases) -> dict:
    """The bias of the targets in the course of both runs."""
    low, high = 1e-3, 1.5
    drawing = marks.axes(x=("sweeps", 1, 1_500, "log"), y=("bias of the target", low, high, "log"))
    curves = [labels.inside(y[1:], low) for y in (record.semi_target, record.full_target)]
    for curve, name, colour in zip(curves, NAMES[:2], COLOURS[:2], strict=True):
        marks.line(drawing, record.sweeps[1:], curve, name, colour)
    labels.ends(drawing, record.sweeps[1:], curves, NAMES[:2], COLOURS[:2], low=low, high=high)
    marks.describe(
        drawing,
        f"At the start both targets are wrong by {record.semi_target[0]:.2g}; after "
        f"{record.sweeps[-1]} sweeps by {_small(record.semi_target[-1])} under the semi-gradient "
        f"and by {_small(record.full_target[-1])} under the full gradient.",
    )
    return drawing


def angle(record: Biases) -> dict:
    """The angle between the two directions in a table and with shared parameters."""
    drawing = marks.axes(x=("sweeps", 1, 320, "log"), y=("angle, degrees", 0, 200))
    marks.line(drawing, [1, 320], [90, 90], "right angle", GREY, dash="dot", width=1.5)
    for angles, name, colour, height in (
        (record.table_angle, "table", BLUE, 190),
        (record.shared_angle, "3 shared parameters", PURPLE, 176),
    ):
        marks.line(drawing, record.sweeps[1:], angles[1:], name, colour)
        marks.write(drawing, [310], [height], [name], colour, where="middle left")
    table, shared = np.nanmax(record.table_angle), np.nanmax(record.shared_angle)
    marks.describe(
        drawing,
        f"The two directions are up to {table:.0f} degrees apart in the table and up to "
        f"{shared:.0f} with three shared parameters.",
    )
    return drawing


def _small(share: float) -> str:
    return f"{share:.2g}" if share >= LOW else "less than 0.0001"
