"""Drawings of the chapter on the horizon."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import inside
from qlearn_book.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from qlearn_core.experiments.horizon import Sweeps, TradeOff
from qlearn_core.experiments.sharsa import Success

#: Where the names of curves stand: right of what the curves reach.
RIGHT = 40


def sweeps(record: Sweeps) -> dict:
    """Sweeps against n for perfect and imperfect data, and a guide of slope −1."""
    n = record.num_steps
    drawing = _against_steps(y=("sweeps", 0.7, 400, "log"))
    marks.line(drawing, n, record.perfect[0] / n, "1/n", GREY, dash="dot")
    for name, counts, colour, height in (
        ("data always right", record.perfect, BLUE, 250),
        ("these data", record.imperfect, ORANGE, 140),
    ):
        marks.line(drawing, n, counts, name, colour, dots=True)
        marks.write(drawing, [RIGHT], [height], [name], colour, where="middle left")
    marks.write(drawing, [RIGHT], [78], ["dotted: 1/n"], GREY, where="middle left")
    one, eight = record.imperfect[0], record.imperfect[list(n).index(8)]
    marks.describe(
        drawing,
        f"One-step targets need {one} {_sweeps(one)}, eight-step targets {eight} with these data.",
    )
    return drawing


def _sweeps(count: int) -> str:
    return "sweep" if count == 1 else "sweeps"


def trade_off(record: TradeOff) -> dict:
    """Bias, accumulated error and their sum against n; a diamond marks the best n."""
    low = 1e-3
    n = record.num_steps
    drawing = _against_steps(y=("error / size of the true value", low, 1e3, "log"))
    for name, errors, colour, height in (
        ("accumulated", record.accumulated, BLUE, 500),
        ("bias of the data", record.bias, ORANGE, 180),
        ("both", record.total, INK, 65),
    ):
        marks.line(drawing, n, inside(errors, low), name, colour, dots=name == "both")
        marks.write(drawing, [RIGHT], [height], [name], colour, where="middle left")
    least = float(record.total.min())
    marks.points(drawing, [record.best], [least], "best n", INK, size=13, symbol="diamond")
    marks.describe(
        drawing,
        f"Both errors together: {_percent(record.total[0])} of the true value with n = 1, "
        f"{_percent(record.total[-1])} with n = {n[-1]}; least with n = {record.best}, "
        f"{_percent(least)}.",
    )
    return drawing


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _against_steps(*, y: tuple) -> dict:
    drawing = marks.axes(x=("steps per backup n", 0.9, RIGHT, "log"), y=y)
    ticks = np.array([1, 2, 4, 8, 16, 32])
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [str(tick) for tick in ticks],
    }
    return drawing


COLOURS = (GREY, PURPLE, GREEN, ORANGE, BLUE)


def success(record: Success) -> dict:
    """A row for every method: the seeds as dots, the mean as a diamond with its interval."""
    rows = len(record.success)
    drawing = marks.axes(
        x=("share of tries that reach the goal", -0.03, 1.03), y=("", 0.5, rows + 0.8)
    )
    drawing["layout"]["yaxis"] |= {"showticklabels": False, "showgrid": False}
    drawing["layout"]["margin"] |= {"l": 16}
    results = zip(record.success.items(), record.mean, record.half_widths, COLOURS, strict=True)
    for row, ((method, shares), mean, half, colour) in enumerate(results):
        height = rows - row
        interval = np.clip([mean - half, mean + half], 0, 1)
        marks.line(drawing, interval, [height] * 2, f"interval, {method}", colour, width=4)
        marks.points(
            drawing, shares, [height - 0.2] * shares.size, f"seeds, {method}", colour, size=5
        )
        marks.points(
            drawing, [mean], [height], f"mean, {method}", colour, size=13, symbol="diamond"
        )
        marks.write(drawing, [0], [height + 0.2], [method], colour)
    said = (
        f"{method} {mean:.2f}" for method, mean in zip(record.success, record.mean, strict=True)
    )
    marks.describe(
        drawing,
        f"Mean success over {shares.size} seeds, shortest path at most {record.depth} moves: "
        f"{', '.join(said)}.",
    )
    return drawing
