"""Drawings of the chapter on policy extraction."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.figures.labels import apart
from qlearn_book.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED
from qlearn_core.experiments.extraction import (
    CHOOSING,
    NOISY_CANDIDATES,
    Arms,
    Kept,
    Noisy,
    TablesAndNetworks,
)

COLOURS = {
    "reranked": GREY,
    "Best-of-N": BLUE,
    "as released": PURPLE,
    "AWR": ORANGE,
    "REINFORCE": GREEN,
    "logged gradient": RED,
}
SUCCESS = ("share of episodes that succeed", 0, 1.08)


def candidates(record: Arms) -> dict:
    """Success against N of the arms that choose among N candidates, with intervals."""
    values = record["reranked"].values
    places = np.arange(len(values))
    drawing = _counted(values, SUCCESS)
    marks.line(drawing, places[[0, -1]], [record.behaviour] * 2, "behaviour", INK, dash="dot")
    for name, height in zip(CHOOSING, (0.86, 0.78, 0.7), strict=True):
        arm, colour = record[name], COLOURS[name]
        marks.band(drawing, places, *arm.interval, f"{name}, 95 % interval", colour)
        marks.line(drawing, places, arm.success, name, colour, dots=True)
        marks.write(drawing, [4.2], [height], [name], colour, where="middle left")
    marks.write(drawing, [4.2], [0.62], ["behaviour policy"], INK, where="middle left")
    best = record["Best-of-N"].success
    marks.describe(
        drawing,
        "Best-of-N succeeds in "
        + _listed([f"{100 * share:.0f} %" for share in best])
        + f" for N = {_listed([f'{n:g}' for n in values])}; the behaviour policy in "
        f"{100 * record.behaviour:.0f} %.",
    )
    return drawing


def frontier(record: Arms) -> dict:
    """Success against the distance from the behaviour policy, a line for each arm."""
    drawing = marks.axes(x=("KL to the behaviour policy, nats", -0.05, 2.4), y=SUCCESS)
    marks.line(drawing, [-0.05, 2.4], [record.behaviour] * 2, "behaviour", INK, dash="dot")
    ends = apart([arm.success[-1] for arm in record.arms], 0.06, 0.03, 1.05)
    for arm, height in zip(record.arms, ends, strict=True):
        colour = COLOURS[arm.name]
        marks.line(drawing, arm.divergence, arm.success, arm.name, colour, dots=True)
        marks.write(drawing, [2.38], [height], [arm.name], colour, where="middle left")
    best = max(record.arms, key=lambda arm: arm.success.max())
    k = int(best.success.argmax())
    marks.describe(
        drawing,
        f"The best point is {best.name} at {best.values[k]:g}, with {100 * best.success[k]:.0f} % "
        f"at a KL of {best.divergence[k]:.2f}.",
    )
    return drawing


def kept(record: Kept) -> dict:
    """How often the best of N has a positive advantage."""
    places = np.arange(len(record.candidates))
    drawing = _counted(record.candidates, ("share with a positive advantage", 0, 1.08))
    marks.line(drawing, places, record.noise, "pure noise", GREY, dash="dash")
    for name, means, interval, colour, height in (
        ("learned", record.learned, record.learned_interval, BLUE, 0.25),
        ("exact", record.exact, record.exact_interval, INK, 0.17),
    ):
        marks.band(drawing, places, *interval, f"{name}, 95 % interval", colour)
        marks.line(drawing, places, means, name, colour, dots=True)
        marks.write(drawing, [4.2], [height], [name], colour, where="middle left")
    marks.write(drawing, [4.2], [0.09], ["pure noise"], GREY, where="middle left")
    marks.describe(
        drawing,
        f"The rule keeps {100 * record.learned[0]:.0f} % of single proposals and "
        f"{100 * record.learned[-1]:.1f} % of the best of 16 with the learned critic; with exact "
        f"values {100 * record.exact[0]:.0f} % and {100 * record.exact[-1]:.1f} %.",
    )
    return drawing


def noisy(record: Noisy) -> dict:
    """Success against N where scores are exact but for noise."""
    places = np.arange(len(NOISY_CANDIDATES))
    drawing = _counted(NOISY_CANDIDATES, SUCCESS)
    low, high = record.success.min(axis=0), record.success.max(axis=0)
    marks.line(drawing, places, record.exact, "no noise", INK, dash="dash")
    marks.band(drawing, places, low, high, "all draws", BLUE)
    marks.line(drawing, places, record.success.mean(axis=0), "with noise", BLUE, dots=True)
    marks.write(drawing, [6.2], [0.78], ["no noise"], INK, where="middle left")
    marks.write(drawing, [6.2], [0.70], ["with noise"], BLUE, where="middle left")
    means = record.success.mean(axis=0)
    k = int(means.argmax())
    marks.describe(
        drawing,
        f"With noise of {record.noise:g} the best N is {NOISY_CANDIDATES[k]}, with "
        f"{100 * means[k]:.0f} % success; 16 candidates have {100 * means[4]:.0f} %, and one has "
        f"{100 * means[0]:.0f} %.",
    )
    return drawing


def _counted(values, y: tuple) -> dict:
    """Axes with the numbers of candidates at equal distances."""
    drawing = marks.axes(x=("candidates N", -0.3, len(values) - 0.7), y=y)
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": np.arange(len(values)),
        "ticktext": [f"{n:g}" for n in values],
    }
    return drawing


def tables_and_networks(record: TablesAndNetworks) -> dict:
    """Success of tables and of networks, a row for each way."""
    rows = np.arange(len(record.names))[::-1]
    drawing = marks.axes(x=("share of episodes that succeed", 0, 1), y=("", -0.6, len(rows) + 0.8))
    drawing["layout"]["yaxis"] |= {"tickmode": "array", "tickvals": [], "ticktext": []}
    marks.line(drawing, [record.behaviour] * 2, [-0.6, len(rows) - 0.4], "behaviour", INK,
               dash="dot")  # fmt: skip
    for k, (name, colour) in enumerate((("table", GREY), ("network", BLUE))):
        places = rows - 0.12 - 0.22 * k
        for row, place in enumerate(places):
            marks.line(drawing, record.ends[:, k, row], [place] * 2,
                       f"{record.names[row]}, {name}, 95 % interval", colour, width=4)  # fmt: skip
        marks.points(drawing, record.means[k], places, name, colour)
        marks.write(drawing, [0.99], [len(rows) + 0.6 - 0.35 * k], [name], colour,
                    where="middle left")  # fmt: skip
    marks.write(drawing, [0.99], [len(rows) - 0.1], ["dotted: behaviour policy"], INK,
                where="middle left")  # fmt: skip
    marks.write(drawing, [0.99] * len(rows), rows + 0.16, list(record.names), INK,
                where="middle left")  # fmt: skip
    pairs = "; ".join(
        f"{name}: {100 * table:.0f} % and {100 * network:.0f} %"
        for name, table, network in zip(record.names, *record.means, strict=True)
    )
    marks.describe(
        drawing,
        f"On {record.tasks} tables and networks succeed in: {pairs}. The behaviour policy: "
        f"{100 * record.behaviour:.0f} %. {record.num_diverged} networks diverged.",
    )
    return drawing


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]
