"""Drawings of the chapter on the online loop."""

from __future__ import annotations

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE
from qlearn_core.experiments.online import ROUNDS, Changed, Drift, Errors, Loop, Success

NAMES = {"none": "no new data", "fresh": "only the newest data", "mixed": "all data so far"}
COLOURS = (GREY, ORANGE, BLUE)


def success(record: Success) -> dict:
    """Success against the rounds, a line for each thing the critic may be trained on."""
    drawing = marks.axes(x=("round", -0.1, 4.1), y=("share of episodes that succeed", 0, 0.8))
    for k, (name, colour) in enumerate(zip(NAMES.values(), COLOURS, strict=True)):
        marks.band(drawing, ROUNDS, *record.ends[:, k], f"{name}, interval", colour)
        marks.line(drawing, ROUNDS, record.means[k], name, colour, dots=True)
        marks.write(drawing, [4.05], [0.77 - 0.05 * k], [name], colour, where="middle left")
    none, fresh, mixed = (_percent(share) for share in record.means[:, -1])
    low, high = record.lead_interval
    marks.describe(
        drawing,
        f"On {record.tasks} the behaviour policy succeeds in {_percent(record.means[0, 0])}, every "
        f"arm in {_percent(record.means[0, 1])} after one round. After four: {none} without new "
        f"data, {fresh} with only the newest, {mixed} with all. All minus none: "
        f"{record.lead:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}.",
    )
    return drawing


def changed(record: Changed) -> dict:
    """Success against the rounds with one change, beside the same without."""
    drawing = marks.axes(x=("round", -0.1, 4.1), y=("share of episodes that succeed", 0, 0.8))
    for k, (name, colour) in enumerate(((record.change, BLUE), ("as before", GREY))):
        label = ("changed", "as before")[k]
        marks.band(drawing, ROUNDS, *record.ends[:, k], f"{label}, interval", colour)
        marks.line(drawing, ROUNDS, record.means[k], label, colour, dots=True)
        marks.write(drawing, [4.05], [0.77 - 0.05 * k], [name], colour, where="middle left")
    low, high = record.lead_interval
    marks.describe(
        drawing,
        f"{record.change}: after one round {_percent(record.means[0, 1])} of the test tasks "
        f"succeed, after four {_percent(record.means[0, -1])}; without the change "
        f"{_percent(record.means[1, 1])} and {_percent(record.means[1, -1])}. The difference after "
        f"four is {record.lead:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}; the last critic is "
        f"wrong by {record.error:.2f} where its policy goes.",
    )
    return drawing


def errors(record: Errors) -> dict:
    """The critic's error in each round, where β goes and where the new policy goes."""
    x = ROUNDS[1:]
    drawing = marks.axes(x=("round", 0.9, 4.1), y=("error of the critic", -0.6, 1.4))
    marks.line(drawing, [0.9, 4.1], [0, 0], "no error", GREY, width=1)
    for side, (name, colour) in enumerate((("where β goes", GREEN), ("where π goes", PURPLE))):
        marks.band(drawing, x, *record.ends[:, side], f"{name}, interval", colour)
        marks.line(drawing, x, record.rms[side], name, colour, dots=True)
        marks.line(drawing, x, record.bias[side], f"{name}, mean", colour, dash="dash")
        marks.write(drawing, [0.95], [1.32 - 0.12 * side], [name], colour, where="middle right")
    marks.write(drawing, [4.05], [-0.52], ["dashed: mean of Q − q"], GREY, where="middle left")
    marks.describe(
        drawing,
        f"{NAMES[record.collection].capitalize()}: the rms error of the first critic is "
        f"{record.rms[0, 0]:.2f} where β goes and {record.rms[1, 0]:.2f} where its policy goes, "
        f"that of the fourth {record.rms[0, -1]:.2f} and {record.rms[1, -1]:.2f}; there its mean "
        f"error is {record.bias[1, -1]:+.2f}.",
    )
    return drawing


def drift(record: Drift) -> dict:
    """The distance of the policy from β against the rounds."""
    drawing = marks.axes(x=("round", -0.1, 4.1), y=("nats, or a share", 0, 6))
    marks.line(drawing, ROUNDS, record.most, "k log 4", GREY, dash="dash")
    marks.band(drawing, ROUNDS, *record.ends, "divergence, interval", BLUE)
    marks.line(drawing, ROUNDS, record.divergence, "divergence", BLUE, dots=True)
    marks.line(drawing, ROUNDS, record.shift, "shift", ORANGE, dots=True)
    for height, text, colour in (
        (5.7, "KL divergence from β, nats", BLUE),
        (5.3, "k log 4", INK),
        (4.9, "share of the visits that moved", ORANGE),
    ):
        marks.write(drawing, [-0.05], [height], [text], colour, where="middle right")
    marks.describe(
        drawing,
        f"{NAMES[record.collection].capitalize()}: after one round the policy is "
        f"{record.divergence[1]:.2f} nats from β, after four {record.divergence[-1]:.2f}; "
        f"{_percent(record.shift[1])} and {_percent(record.shift[-1])} of its visits have moved.",
    )
    return drawing


def loop(record: Loop) -> dict:
    """Success against the rounds where errors are added to exact values."""
    drawing = marks.axes(x=("round", -0.1, 4.1), y=("share of episodes that succeed", 0, 1.3))
    marks.line(drawing, ROUNDS, record.exact, "no errors", INK, dash="dash", dots=True)
    marks.write(drawing, [-0.05], [1.23], ["no errors"], INK, where="middle right")
    sources = ("candidates of the latest policy", "candidates of the script")
    for k, (name, colour) in enumerate(zip(sources, (BLUE, ORANGE), strict=True)):
        marks.band(drawing, ROUNDS, *record.ends[:, k], f"{name}, interval", colour)
        marks.line(drawing, ROUNDS, record.means[k], name, colour, dots=True)
        marks.write(drawing, [-0.05], [1.14 - 0.09 * k], [name], colour, where="middle right")
    latest, home = (_percent(share) for share in record.means[:, -1])
    marks.describe(
        drawing,
        f"Errors of size {record.sigma:g}, best of {record.num_candidates}: after four rounds "
        f"{latest} succeed with candidates of the latest policy, {home} with candidates of the "
        f"script, and {_percent(record.exact[-1])} without errors. The script: "
        f"{_percent(record.exact[0])}.",
    )
    return drawing


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
