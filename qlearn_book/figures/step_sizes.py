"""Drawings of the chapter on step sizes."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures import labels
from qlearn_book.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from qlearn_core.experiments.step_sizes import NoiseFloor, OneState, Schedules

LOW, HIGH = 1e-3, 1.5


def schedules(record: Schedules) -> dict:
    """Five error curves and the predicted line of 1/(n+1)."""
    drawing = marks.axes(x=("updates t", 10, 4e6, "log"), y=("relative error", LOW, HIGH, "log"))
    names = ("1/(t+1)", "1/(n+1)", "power 0.7", "rescaled", "constant", "theory")
    colours = (RED, ORANGE, PURPLE, BLUE, GREEN, GREY)
    errors = (
        record.harmonic_global,
        record.harmonic,
        record.polynomial,
        record.rescaled,
        record.constant,
        record.guide,
    )
    curves = [labels.inside(e, LOW) for e in errors]
    curves[-1] = np.where(record.guide <= 1, curves[-1], np.nan)
    for curve, name, colour in zip(curves, names, colours, strict=True):
        dash = "dot" if name == "theory" else "solid"
        marks.line(drawing, record.steps, curve, name, colour, dash=dash)
    labels.ends(drawing, record.steps, curves, names, colours, low=LOW, high=HIGH)
    at_end = [f"{e[-1]:.1g}" for e in errors[:5]]
    marks.describe(
        drawing,
        f"Error left at t = 100 000: 1/(t+1) {errors[0][-1]:.2g}, 1/(n+1) {errors[1][-1]:.2g}, "
        f"power 0.7 {at_end[2]}, rescaled {at_end[3]}, constant {at_end[4]}.",
    )
    return drawing


def one_state(record: OneState) -> dict:
    """Four exact products and the level at which the power schedule stalls."""
    low = 1e-4
    drawing = marks.axes(x=("updates n", 1, 8e6, "log"), y=("error left", low, HIGH, "log"))
    names = ("1/(n+1)", "power ω", "rescaled", "constant")
    colours = (ORANGE, PURPLE, BLUE, GREEN)
    exact = (record.harmonic, record.polynomial, record.rescaled, record.constant)
    curves = [labels.inside(e, low) for e in exact]
    stalls = max(record.stalls_at, low / 10)
    marks.line(drawing, record.visits[[0, -1]], [stalls] * 2, "limit of power ω", GREY, dash="dot")
    for curve, name, colour in zip(curves, names, colours, strict=True):
        marks.line(drawing, record.visits, curve, name, colour)
    labels.ends(drawing, record.visits, curves, names, colours, low=low, high=HIGH)
    if record.stalls_at > 1e-3:
        verdict = f"power ω stalls at {record.stalls_at:.2g}"
    else:
        verdict = f"power ω leaves {_small(record.polynomial[-1])}"
    marks.describe(
        drawing,
        f"After 100 000 updates 1/(n+1) leaves {_small(record.harmonic[-1])}, the constant step "
        f"{_small(record.constant[-1])}; {verdict}.",
    )
    return drawing


def noise_floor(record: NoiseFloor) -> dict:
    """Long-run error against the constant step size, with a line of slope 1/2."""
    drawing = marks.axes(
        x=("constant step size α", 0.015, 1.3, "log"), y=("long-run error", 1e-3, 2, "log")
    )
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": [0.02, 0.05, 0.1, 0.2, 0.5, 1],
        "ticktext": ["0.02", "0.05", "0.1", "0.2", "0.5", "1"],
    }
    floors = labels.inside(record.floors, 1e-3)
    guide = floors[0] * np.sqrt(record.alphas / record.alphas[0])
    marks.line(drawing, record.alphas, guide, "proportional to √α", GREY, dash="dot")
    marks.line(drawing, record.alphas, floors, "long-run error", BLUE, dots=True)
    height = 1.5 * floors[:3].max()
    marks.write(drawing, record.alphas[1:2], [height], [f"slope {record.slope:.2f}"], BLUE,
                where="top center")  # fmt: skip
    below = np.minimum(guide, floors)[5:6] / 1.2
    marks.write(drawing, record.alphas[5:6], below, ["√α"], GREY, where="bottom center")
    marks.describe(
        drawing,
        f"The error settles at {record.floors[0]:.1g} with α = 0.02 and at {record.floors[-1]:.1g} "
        f"with α = 1; up to α = 0.16 the slope is {record.slope:.2f}.",
    )
    return drawing


def _small(share: float) -> str:
    return f"{share:.1g}" if share >= 1e-4 else "less than 0.0001"
