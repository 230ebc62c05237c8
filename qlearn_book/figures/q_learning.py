"""Drawings of the chapter on Q-learning."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures import labels
from qlearn_book.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from qlearn_core.experiments.q_learning import (
    UPDATES_PER_PAIR,
    AgainstValueIteration,
    FlatShare,
    OffPolicy,
    Staircase,
)

LOW, HIGH = 1e-3, 1.5
UNSEEN = "rgba(0,0,0,0)"


def staircase(record: Staircase) -> dict:
    """Error against updates, a dot at every change, coloured by the pair that made it."""
    drawing = marks.axes(
        x=("updates per pair", 0, UPDATES_PER_PAIR), y=("error ÷ initial error", 0, 1.28)
    )
    x = np.concatenate([[0], record.times / record.num_pairs, [UPDATES_PER_PAIR]])
    y = np.concatenate([[1], record.errors, record.errors[-1:] if record.errors.size else [1]])
    y = np.round(400 * y) / 400  # less than a pixel
    marks.line(drawing, x, y, "sup-norm error", GREY, steps=True, dots=True, width=1.5)
    colours = [BLUE if worst else ORANGE for worst in record.by_worst]
    drawing["data"][-1]["marker"] = {"color": [UNSEEN, *colours, UNSEEN], "size": 8}
    right = [UPDATES_PER_PAIR]
    marks.write(drawing, right, [1.21], ["● worst pair updated"], BLUE, where="middle left")
    marks.write(drawing, right, [1.12], ["● another pair updated"], ORANGE, where="middle left")
    changes = record.times.size
    marks.describe(
        drawing,
        f"{_percent(record.flat_share)} of {record.num_updates} updates were flat; of {changes} "
        f"changes {changes - int(record.by_worst.sum())} came from another pair, "
        f"{int(record.rises.sum())} went up.",
    )
    return drawing


def flat_share(record: FlatShare) -> dict:
    """Bars with the range over seeds, and a diamond where the simple rule would put them."""
    places = np.arange(len(record.behaviours))
    drawing = marks.axes(
        x=("how the pairs are chosen", -0.6, places[-1] + 0.6),
        y=("share of flat updates", 0, 1.22),
    )
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": places.tolist(),
        "ticktext": list(record.behaviours),
    }
    means = record.shares.mean(axis=1)
    marks.bars(drawing, places, means, "measured, mean of 5 runs", BLUE, width=0.62)
    gap = np.full(places.size, np.nan)
    marks.line(
        drawing,
        np.stack([places, places, gap], axis=1).ravel(),
        np.stack([record.shares.min(axis=1), record.shares.max(axis=1), gap], axis=1).ravel(),
        "lowest and highest run",
        INK,
        width=2,
    )
    marks.points(
        drawing, places, record.rule, "1 − P(visit worst pair)", ORANGE, size=10, symbol="diamond"
    )
    marks.write(drawing, places, np.full(places.size, 1.01), [_percent(m) for m in means], BLUE,
                where="top center")  # fmt: skip
    marks.write(drawing, [-0.55], [1.16], ["◆ 1 − P(visit worst pair)"], ORANGE,
                where="middle right")  # fmt: skip
    said = [_percent(m) for m in means], [_percent(r) for r in record.rule]
    marks.describe(
        drawing,
        f"Flat updates: {said[0][0]} with uniform pairs (rule: {said[1][0]}), "
        f"{said[0][3]} with ε = 0.1 (rule: {said[1][3]}).",
    )
    return drawing


def against_value_iteration(record: AgainstValueIteration) -> dict:
    """Both errors against the number of updates of each entry."""
    drawing = marks.axes(
        x=("sweeps, or updates per pair", 1, 2500, "log"), y=("relative error", LOW, HIGH, "log")
    )
    low, median, high = (_pixels(v) for v in np.quantile(record.learning, (0, 0.5, 1), axis=0))
    planning = _pixels(record.planning)
    marks.band(drawing, record.sweeps, low, high, "Q-learning, all runs", ORANGE)
    marks.line(drawing, record.sweeps, median, "Q-learning, median", ORANGE)
    marks.line(drawing, record.sweeps, planning, "value iteration", BLUE)
    labels.ends(drawing, record.sweeps, [median], ["Q-learning"], [ORANGE], low=LOW, high=HIGH)
    height = max(planning[-1], 4 * LOW)
    place = np.interp(-np.log(height), -np.log(planning), record.sweeps)
    marks.write(drawing, [place], [height], ["value iteration "], BLUE, where="bottom left")
    marks.describe(
        drawing,
        f"After {record.sweeps[-1]} updates of each entry the share of the initial error left is "
        f"{_small(record.planning[-1])} for value iteration and "
        f"{_small(np.median(record.learning[:, -1]))} for Q-learning.",
    )
    return drawing


def off_policy(record: OffPolicy) -> dict:
    """Errors of three behaviours to the same q*."""
    high = 5
    drawing = marks.axes(x=("updates", 10, 8e6, "log"), y=("relative error", LOW, high, "log"))
    colours = (BLUE, GREEN, PURPLE)
    names = ("uniform", "ε-greedy", "mostly back")
    curves = [_pixels(errors) for errors in record.errors]
    for curve, name, colour in zip(curves, names, colours, strict=True):
        marks.line(drawing, record.steps, curve, name, colour)
    labels.ends(drawing, record.steps, curves, names, colours, low=LOW, high=high)
    uniform, greedy, back = (
        _percent(value / record.optimal_value) for value in record.start_values
    )
    marks.describe(
        drawing,
        f"Learned share of the start state's optimal value: {uniform} (uniform), "
        f"{greedy} (ε-greedy), {back} (mostly back).",
    )
    return drawing


def _pixels(errors: np.ndarray) -> np.ndarray:
    """Errors to two decimals of log10, about a pixel here: noise compresses badly."""
    return 10 ** np.round(np.log10(labels.inside(errors, LOW)), 2)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _small(share: float) -> str:
    return f"{share:.1g}" if share >= LOW else f"less than {LOW:g}"
