"""Drawings of the chapter on projection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qlearn_book import marks
from qlearn_book.figures import labels
from qlearn_book.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, RED
from qlearn_core.experiments.projection import Dial, Online, Regime
from qlearn_core.experiments.triad import Growth, Legs

LOW, HIGH = 3e-3, 1e4  # of error axes; the names of the curves stand in the upper part
DIVERGED = 200.0  # the height at which a divergence is marked and curves are cut off


def regimes(record: Regime) -> dict:
    """Both iterations and both floors."""
    end = record.updates[-1]
    drawing = marks.axes(x=("updates, or sweeps", 0, end), y=("relative error", LOW, HIGH, "log"))
    for floor, name, colour, dash in (
        (record.chebyshev_floor, "best fit in the maximum norm", GREY, "dash"),
        (record.projection_error, "projection of Q*", PURPLE, "dot"),
    ):
        marks.line(drawing, [0, end], [max(floor, LOW)] * 2, name, colour, dash=dash, width=1.75)
    for errors, name, colour in (
        (record.swept, "sweeps of ΠT", ORANGE),
        (record.semi, "semi-gradient", BLUE),
    ):
        marks.line(drawing, record.updates, np.clip(errors, LOW, DIVERGED), name, colour)
    names = ("semi-gradient", "sweeps of ΠT", "projection of Q*", "best fit")
    key(drawing, names, (BLUE, ORANGE, PURPLE, GREY), (0, end))
    marks.describe(
        drawing,
        f"The semi-gradient {_fate(record)}; sweeps of ΠT {_end(record)}. The best fit has "
        f"{record.chebyshev_floor:.2g}, the projection of Q* {record.projection_error:.2g}; "
        f"γ‖Π‖ is {record.norm:.2f}.",
    )
    return drawing


def _fate(record: Regime) -> str:
    low, high = record.semi_range
    if record.semi_status == "converged":
        return f"converges to an error of {high:.2g}"
    if record.semi_status == "diverged":
        return "diverges"
    going = "cycles" if record.semi_status == "cycling" else "is still moving"
    return f"{going} between {low:.2g} and {high:.2g}"


def _end(record: Regime) -> str:
    verb = {"converged": "converge to", "diverged": "diverge past"}
    return f"{verb.get(record.swept_status, 'are at')} {record.swept[-1]:.2g}"


def dial(record: Dial) -> dict:
    """Error, floor and the two constants against the behaviour."""
    drawing = marks.axes(
        x=("share of going back", 0.08, 0.92), y=("error, or constant", LOW, HIGH, "log")
    )
    backs, ends = record.backs, record.backs[[0, -1]]
    marks.line(drawing, ends, [1, 1], "1: a contraction is below", GREY, width=1)
    marks.line(drawing, ends, [max(record.floor, LOW)] * 2, "best fit", GREY, dash="dash")
    marks.line(drawing, backs, np.minimum(record.norms, DIVERGED), "γ‖Π‖", PURPLE, dash="dot")
    marks.line(drawing, backs, np.minimum(record.lipschitz, DIVERGED), "stretch of ΠT", GREEN)
    outcomes(drawing, backs, record.errors, "error in the end", BLUE)
    names = ("error in the end", "◆ diverges", "stretch of ΠT", "γ‖Π‖")
    key(drawing, names, (BLUE, RED, GREEN, PURPLE), (0.09, 0.91))
    diverged = np.isinf(record.errors)
    finite = record.errors[~diverged]
    span = f"errors from {finite.min():.2g} to {finite.max():.2g}" if finite.size else "no error"
    marks.describe(
        drawing,
        f"Of {backs.size} behaviours {diverged.sum()} diverge; {(record.norms > 1).sum()} have "
        f"γ‖Π‖ above 1 and {(record.lipschitz > 1).sum()} a stretch of ΠT above 1. The others end "
        f"with {span}; the best fit has {record.floor:.2g}.",
    )
    return drawing


def online(record: Online) -> dict:
    """One sampled run above the floor."""
    end = record.updates[-1]
    drawing = marks.axes(x=("updates", 0, end), y=("relative error", LOW, HIGH, "log"))
    errors = record.errors[0]
    coarse = 10 ** (np.round(32 * np.log10(np.clip(errors, LOW, DIVERGED))) / 32)
    marks.line(drawing, [0, end], [max(record.floor, LOW)] * 2, "best fit", GREY, dash="dash")
    marks.line(drawing, record.updates, coarse, "one sampled run", BLUE)
    key(drawing, ("one sampled run", "best fit"), (BLUE, GREY), (0, end))
    late = errors[errors.size * 4 // 5 :]
    if record.num_diverged:
        last = record.updates[np.flatnonzero(np.isfinite(errors))[-1]]
        outcome = f"The run diverges after {last:,} updates"
    else:
        outcome = f"In its last fifth the error is between {late.min():.2g} and {late.max():.2g}"
    marks.describe(drawing, f"{outcome}; the best fit has {record.floor:.2g}.")
    return drawing


def two_states(record: Growth) -> dict:
    """Growth or decay of the weight, a straight line on the log axis."""
    return _growth(record, "sweeps", 96, ("fit = semi", "semi", "full"), hidden="semi")


def star(record: Growth) -> dict:
    """The table under exact fits, the semi-gradient and the full gradient."""
    return _growth(record, "updates, or sweeps", 4_300, ("exact fit", "semi", "full"))


def _growth(
    record: Growth, x_title: str, end: float, names: Sequence[str], hidden: str = ""
) -> dict:
    low, high = 1e-5, 1e5
    drawing = marks.axes(x=(x_title, 0, end), y=("largest entry, from 1", low, high, "log"))
    runs, colours = (record.swept, record.semi, record.full), (ORANGE, BLUE, GREEN)
    curves = [np.clip(run, low / 10, 3 * high) for run in runs]
    for curve, name, colour in zip(curves, names, colours, strict=True):
        dash = "dash" if name == hidden else "solid"
        marks.line(drawing, record.steps, curve, name, colour, dash=dash)
    shown = [i for i, name in enumerate(names) if name != hidden]
    labels.ends(
        drawing, record.steps, [curves[i] for i in shown], [names[i] for i in shown],
        [colours[i] for i in shown], low=low, high=high,
    )  # fmt: skip
    swept, semi, full = (_size(run[-1]) for run in runs)
    marks.describe(
        drawing,
        f"From 1, after {record.steps[-1]:,} steps: exact fits {swept}, semi-gradient {semi}, "
        f"full gradient {full}.",
    )
    return drawing


def _size(value: float) -> str:
    if value < 1e-5:
        return "below 0.00001"
    return f"{float(f'{value:.2g}'):,g}" if value < 1e5 else "above 100,000"


def legs(record: Legs) -> dict:
    """Four errors side by side, their numbers beside them."""
    low, high = 1e-3, 1e3
    drawing = marks.axes(x=("", 0.5, 4.5), y=("relative error", low, high, "log"))
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": [1, 2, 3, 4],
        "ticktext": ["all three", "table", "on-policy", "fit of Q*"],
    }
    errors = np.array(
        [record.all_three, record.tables, record.on_policy, record.no_bootstrap], dtype=float
    )
    outcomes(drawing, np.arange(1, 5), errors, "error in the end", BLUE, line=False)
    said = ["diverges" if np.isinf(e) else _share(e) for e in errors]
    marks.write(
        drawing, np.arange(1, 5), 1.4 * np.clip(errors, low, DIVERGED), said, where="top center"
    )
    marks.describe(
        drawing,
        f"All three legs: {said[0]}; with a table {said[1]}, on-policy {said[2]}, without "
        f"bootstrapping {said[3]}.",
    )
    return drawing


def _share(error: float) -> str:
    return f"{error:.2g}" if error >= 1e-3 else "0.000"


def outcomes(
    drawing: dict, x: np.ndarray, errors: np.ndarray, name: str, colour: str, *, line: bool = True
) -> None:
    """Errors as dots, joined or not, and a diamond at DIVERGED for each that is infinite."""
    low = 10 ** drawing["layout"]["yaxis"]["range"][0]
    finite = np.where(np.isinf(errors), np.nan, np.clip(errors, low, DIVERGED))
    if line:
        marks.line(drawing, x, finite, name, colour, dots=True)
    else:
        marks.points(drawing, x, finite, name, colour)
    gone = np.where(np.isinf(errors), DIVERGED, np.nan)
    marks.points(drawing, x, gone, "diverged", RED, symbol="diamond")


def key(
    drawing: dict, names: Sequence[str], colours: Sequence[str], ends: tuple[float, float]
) -> None:
    """Names of curves in the empty upper part, two in a row, from the left and from the right."""
    for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
        side = "right" if i % 2 == 0 else "left"  # of the point, into the plot
        marks.write(drawing, [ends[i % 2]], [4_500 / 6 ** (i // 2)], [name], colour,
                    where=f"middle {side}")  # fmt: skip
