"""Drawings of the chapter on the simulated phone."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREY, INK, ORANGE
from qlearn_core.experiments.device import WAY, Gaps, Success

#: Actions of an episode of the phone.
EPISODE = 15


def success(record: Success) -> dict:
    """The chance of success against the number of actions, for the script and for the best."""
    actions = np.arange(record.script.size)
    drawing = marks.axes(
        x=("actions", 0, actions[-1]), y=("share of episodes that succeed", 0, 1.08)
    )
    marks.line(drawing, [EPISODE] * 2, [0, 1], "end of an episode", GREY, dash="dot")
    marks.line(drawing, actions, record.best, "best play", INK, dash="dash")
    marks.line(drawing, actions, record.script, "script", BLUE, dots=True)
    marks.write(drawing, [0.3], [0.97], ["best play"], INK)
    marks.write(drawing, [0.3], [0.89], ["script"], BLUE)
    marks.write(drawing, [EPISODE], [1], ["end of an episode"], GREY)
    marks.describe(
        drawing,
        f"Within {EPISODE} actions the script succeeds in {_percent(record.script[EPISODE])} of "
        f"all episodes, the best play in {_percent(record.best[EPISODE])}.",
    )
    return drawing


def gaps(record: Gaps) -> dict:
    """Values of the right move, of a click on nothing and of the worst move, on the way."""
    steps = np.arange(len(WAY))
    drawing = marks.axes(x=("right move on the way", -0.5, len(WAY) - 0.5), y=("value", 0, 1.08))
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": steps,
        "ticktext": [move.partition(" ")[0] for move in WAY],
    }
    for name, values, colour, height in (
        ("right move", record.right, BLUE, 0.99),
        ("a click on nothing", record.idle, ORANGE, 0.91),
        ("worst move", record.worst, GREY, 0.83),
    ):
        marks.line(drawing, steps, values, name, colour, dots=True)
        marks.write(drawing, [-0.4], [height], [name], colour, where="middle right")
    right, idle = record.right[0], record.idle[0]
    marks.describe(
        drawing,
        f"On the home screen the right move is worth {right:.3f} and a click on nothing "
        f"{idle:.3f}, which is {_percent(1 - idle / right)} less.",
    )
    return drawing


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
