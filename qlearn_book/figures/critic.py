"""Drawings of the chapter on TD against Monte Carlo on the phone."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREY, INK, ORANGE
from qlearn_core.device.critic import LEARNING_RATE, TAU
from qlearn_core.experiments.critic import ByTau, Leads, Measured, Trained
from qlearn_core.experiments.critic_table import N, Spread, Tabular
from qlearn_core.experiments.device import WAY
from qlearn_core.experiments.device_orderings import CANDIDATES

STEPS = np.arange(len(WAY))


def success(record: Measured) -> dict:
    """Success of the best-scored of N candidates, with intervals."""
    drawing, places = _by_candidates()
    marks.line(drawing, places, record.exact, "exact values", INK, dash="dash", dots=True)
    for name, means, interval, colour, height in (
        ("TD", record.td, record.td_interval, BLUE, 0.93),
        ("Monte Carlo", record.mc, record.mc_interval, ORANGE, 0.85),
    ):
        marks.band(drawing, places, *interval, f"{name}, 95 % interval", colour)
        marks.line(drawing, places, means, name, colour, dots=True)
        marks.write(drawing, [-0.2], [height], [name], colour, where="middle right")
    marks.write(drawing, [-0.2], [1.01], ["exact values"], INK, where="middle right")
    four = CANDIDATES.index(N)
    marks.describe(
        drawing,
        f"The best of {N} candidates succeeds in {_percent(record.td[four])} by TD and in "
        f"{_percent(record.mc[four])} by Monte Carlo; the lead of TD is {record.lead:+.3f}, "
        f"{_interval(record.lead_interval)}. Ranking: {record.ranking[0]:.2f} and "
        f"{record.ranking[1]:.2f}.",
    )
    return drawing


def trained(record: Trained) -> dict:
    """Success of the best-scored of N candidates by one critic, beside the usual one."""
    drawing, places = _by_candidates()
    marks.line(drawing, places, record.usual, "usual settings", GREY, dash="dash", dots=True)
    marks.band(drawing, places, *record.interval, "95 % interval", BLUE)
    marks.line(drawing, places, record.success, "TD", BLUE, dots=True)
    here = f"τ = {record.tau:g}, α = {record.alpha:g}"
    marks.write(drawing, [-0.2], [1.01], [here], BLUE, where="middle right")
    marks.write(
        drawing, [-0.2], [0.93], [f"τ = {TAU:g}, α = {LEARNING_RATE:g}"], GREY, where="middle right"
    )
    four = CANDIDATES.index(N)
    marks.describe(
        drawing,
        f"With {here} the best of {N} candidates succeeds in {_percent(record.success[four])}, "
        f"with the usual settings in {_percent(record.usual[four])}. Ranking {record.ranking:.2f}, "
        f"rms error {record.rmse:.2f}, distance of the two critics {record.spread:.2f}; "
        f"{record.num_diverged} of 8 runs diverged.",
    )
    return drawing


def by_tau(record: ByTau) -> dict:
    """A measure against τ, for targets through V and through Q."""
    places = np.arange(len(record.taus))
    drawing = marks.axes(x=("τ, how fast the target follows", -0.3, 3.3), y=("measure", 0, 1.05))
    _named(drawing, places, [f"{tau:g}" for tau in record.taus])
    for k, (name, colour) in enumerate((("through V", BLUE), ("through Q", ORANGE))):
        marks.band(drawing, places, *record.ends[:, k], f"{name}, 95 % interval", colour)
        marks.line(drawing, places, record.means[k], name, colour, dots=True)
        marks.write(drawing, [-0.25], [0.99 - 0.07 * k], [name], colour, where="middle right")
    through_v, through_q = (", ".join(f"{mean:.2f}" for mean in means) for means in record.means)
    marks.describe(
        drawing,
        f"{record.measure.capitalize()} at τ = {', '.join(f'{tau:g}' for tau in record.taus)}: "
        f"{through_v} with targets through V, {through_q} through Q.",
    )
    return drawing


def spread(record: Spread) -> dict:
    """Standard deviations of a return and of a one-step target."""
    drawing = marks.axes(x=("right move on the way", -0.5, 5.5), y=("standard deviation", 0, 0.52))
    _named(drawing, STEPS, [move.partition(" ")[0] for move in WAY])
    for name, values, colour, height in (
        ("return", record.whole, ORANGE, 0.48),
        ("one-step target", record.target, BLUE, 0.44),
    ):
        marks.line(drawing, STEPS, values, name, colour, dots=True)
        marks.write(drawing, [-0.4], [height], [name], colour, where="middle right")
    marks.describe(
        drawing,
        f"From the home screen the return has a standard deviation of {record.whole[0]:.3f} and "
        f"the one-step target one of {record.target[0]:.3f}.",
    )
    return drawing


def table(record: Tabular) -> dict:
    """Bias of the right move and spread of the other moves, for both estimates."""
    drawing = marks.axes(
        x=("screen on the way", -0.5, 5.5), y=("error of the estimate", -0.45, 0.6)
    )
    _named(drawing, STEPS, ["home", "front", "focused", "typed", "results", "item"])
    marks.line(drawing, [-0.5, 5.5], [0, 0], "no error", GREY, width=1)
    for name, bias, others, colour, height in (
        ("TD", record.bias[0], record.others[0], BLUE, 0.55),
        ("Monte Carlo", record.bias[1], record.others[1], ORANGE, 0.47),
    ):
        marks.line(drawing, STEPS, np.clip(others, 0, 0.6), f"{name}, spread", colour, dots=True)
        marks.line(drawing, STEPS, np.clip(bias, -0.45, 0.6), f"{name}, bias", colour, dash="dash")
        marks.write(drawing, [-0.4], [height], [name], colour, where="middle right")
    marks.write(drawing, [5.45], [0.55], ["solid: spread, other moves"], GREY, where="middle left")
    marks.write(drawing, [5.45], [-0.41], ["dashed: bias, right move"], GREY, where="middle left")
    marks.describe(
        drawing,
        f"The best of {N} candidates succeeds in {_percent(record.success[0])} by TD, in "
        f"{_percent(record.success[1])} by Monte Carlo and in {_percent(record.exact)} by exact "
        f"values; the script itself in {_percent(record.behaviour)}.",
    )
    return drawing


def features(record: Leads) -> dict:
    """TD and Monte Carlo for each seed, joined by a line."""
    drawing = marks.axes(x=("critic", -0.5, 1.5), y=("measure", 0, 1.05))
    _named(drawing, np.arange(2), ["TD", "Monte Carlo"])
    for seed, pair in enumerate(zip(record.td, record.mc, strict=True)):
        marks.line(drawing, [0, 1], pair, f"seed {seed}", GREY, width=1)
    marks.points(drawing, [0], [record.td.mean()], "TD, mean", BLUE)
    marks.points(drawing, [1], [record.mc.mean()], "Monte Carlo, mean", ORANGE)
    marks.write(drawing, [-0.06], [record.td.mean()], [f"{record.td.mean():.2f}"], BLUE,
                where="middle left")  # fmt: skip
    marks.write(drawing, [1.06], [record.mc.mean()], [f"{record.mc.mean():.2f}"], ORANGE,
                where="middle right")  # fmt: skip
    marks.describe(
        drawing,
        f"With the features “{record.features}”, {record.measure}: TD minus Monte Carlo is "
        f"{record.lead:+.3f}, {_interval(record.lead_interval)}.",
    )
    return drawing


def _by_candidates() -> tuple[dict, np.ndarray]:
    """Axes for success against N, and the places of `CANDIDATES` on them."""
    places = np.arange(len(CANDIDATES))
    drawing = marks.axes(
        x=("candidates N", -0.25, 2.6), y=("share of episodes that succeed", 0, 1.08)
    )
    _named(drawing, places, [str(n) for n in CANDIDATES])
    return drawing, places


def _named(drawing: dict, places: np.ndarray, names: list[str]) -> None:
    drawing["layout"]["xaxis"] |= {"tickmode": "array", "tickvals": places, "ticktext": names}


def _interval(ends: tuple[float, float]) -> str:
    return f"95 % interval {ends[0]:+.3f} to {ends[1]:+.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
