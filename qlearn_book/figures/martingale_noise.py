"""Drawings of the martingale noise chapter; the records are those of the experiment."""

from __future__ import annotations

import numpy as np

from qlearn_book.marks import axes, band, describe, line, points, write
from qlearn_book.theme import BLUE, GREEN, GREY, MUTED, ORANGE, PURPLE, RED
from qlearn_core.experiments.martingale_noise import (
    Broken,
    Budget,
    FairGame,
    Memory,
    Spread,
    TwoPoint,
)
from qlearn_core.experiments.noise_tests import StandardMeans

Z = 1.96
SIDE = 0.17  # the two actions of a state stand on its two sides


def fair_game(record: FairGame) -> dict:
    """Three running sums inside the band, in units of the final standard deviation."""
    drawing = axes(x=("updates", 0, 2_000), y=("running sum of ε ÷ final sd", -4, 4))
    unit = record.final_sd or 1.0
    edge = record.band / unit
    band(drawing, record.updates, -edge, edge, "95 % band", BLUE)
    for sums, colour in zip(record.sums, (BLUE, ORANGE, PURPLE), strict=False):
        heights = _coarse(np.clip(sums / unit, -4, 4), 32)
        line(drawing, record.updates, heights, "one run", colour, width=1.75)
    write(drawing, [40], [3.4], ["shaded: 95 % band"], BLUE, where="middle right")
    write(drawing, [40], [-3.4], ["lines: three runs"], MUTED, where="middle right")
    describe(
        drawing,
        f"{record.num_inside} of {len(record.sums)} runs end inside their 95 % band; "
        f"one sd of the final sum is {_short(record.final_sd)}.",
    )
    return drawing


def not_symmetric(record: TwoPoint) -> dict:
    """The two values of the noise at every state and the sampled mean between them."""
    drawing = axes(x=("state", -0.6, 11.6), y=("noise ε", -2.5, 2.5))
    states = np.arange(record.highs.size)
    up, down = _percent(record.share_positive), _percent(1 - record.share_positive)
    line(drawing, [-0.6, 11.6], [0, 0], "mean of ε", GREY, width=1.25, dash="dot")
    points(drawing, states, record.highs, "the positive value", BLUE)
    points(drawing, states, record.lows, "the negative value", ORANGE)
    points(drawing, states, record.means, "mean of the samples", GREEN, size=6, symbol="diamond")
    write(drawing, [-0.4], [2.2], [f"up: {up} of the time"], BLUE, where="middle right")
    write(drawing, [-0.4], [-2.2], [f"down: {down} of the time"], ORANGE, where="middle right")
    write(drawing, [11.4], [2.2], ["◆ mean"], GREEN, where="middle left")
    describe(
        drawing,
        f"The noise of this action is positive with probability {up} and negative with "
        f"{down}, and its mean is 0 at every state.",
    )
    return drawing


def zero_mean(record: StandardMeans) -> dict:
    """One dot per run and pair: the mean noise in units of its known standard error."""
    drawing = axes(
        x=("state (left: back, right: forward)", -0.5, 4.5), y=("mean ε, in standard errors", -5, 5)
    )
    band(drawing, [-0.5, 4.5], [-Z, -Z], [Z, Z], "95 % band", GREY)
    for a, (action, colour) in enumerate((("back", ORANGE), ("forward", BLUE))):
        scores = record.scores[:, :, a]
        where = np.broadcast_to(np.arange(scores.shape[1]) + SIDE * (2 * a - 1), scores.shape)
        heights = _coarse(np.clip(scores, -5, 5), 16)
        points(drawing, where.ravel(), heights.ravel(), action, colour, size=5)
    write(drawing, [-0.45], [4.5], ["back"], ORANGE, where="middle right")
    write(drawing, [0.45], [4.5], ["forward"], BLUE, where="middle right")
    write(drawing, [4.45], [4.5], ["shaded: 95 % band"], MUTED, where="middle left")
    known = np.isfinite(record.scores)
    inside = int((np.abs(record.scores[known]) <= Z).sum())
    describe(
        drawing,
        f"{inside} of {known.sum()} means ({_percent(inside / known.sum())}) lie inside the band "
        "from the known variances.",
    )
    return drawing


def spread(record: Spread) -> dict:
    """The size of the noise per pair, early and late."""
    drawing = axes(
        x=("state (left: back, right: forward)", -0.5, 4.5), y=("size of ε", 1e-3, 10, "log")
    )
    where = (np.arange(len(record.late))[:, None] + SIDE * np.array([-1, 1])).ravel()
    for sizes, name, colour in (
        (record.early, "first third of the run", ORANGE),
        (record.late, "last third of the run", BLUE),
    ):
        shown = np.where(sizes > 0, np.clip(sizes, 1e-3, 10), np.nan).ravel()
        points(drawing, where, shown, name, colour, size=8)
    write(drawing, [-0.45], [5.5], ["first third"], ORANGE, where="middle right")
    write(drawing, [4.45], [5.5], ["last third"], BLUE, where="middle left")
    late = record.late[record.late > 0]
    describe(
        drawing,
        f"In the last third the noise of the loudest pair ({_short(late.max())}) is "
        f"{_short(late.max() / late.min())} times that of the quietest.",
    )
    return drawing


def memory(record: Memory) -> dict:
    """Autocorrelations of the noise and of its square."""
    drawing = axes(x=("lag, in updates", 0.5, 12.5), y=("autocorrelation", -0.1, 0.4))
    band(drawing, record.lags, -record.band, record.band, "95 % band around 0", BLUE)
    line(drawing, record.lags, record.squares, "ε²", ORANGE, dots=True)
    line(drawing, record.lags, record.noise, "ε", BLUE, dots=True)
    write(drawing, [12.4], [0.36], ["orange: ε²"], ORANGE, where="middle left")
    write(drawing, [12.4], [-0.07], ["blue: ε, with 95 % band"], BLUE, where="middle left")
    inside = int((np.abs(record.noise) <= record.band).sum())
    describe(
        drawing,
        f"For ε {inside} of {record.lags.size} lags lie inside the band around 0; "
        f"for ε² the largest autocorrelation is {record.squares.max():.2f}.",
    )
    return drawing


def broken(record: Broken) -> dict:
    """Running sums measured in band half-widths: 1 is the edge."""
    low, high = 0.003, 30_000
    drawing = axes(x=("updates", 100, 3_000, "log"), y=("sum ÷ band half-width", low, high, "log"))
    line(drawing, [100, 3_000], [1, 1], "edge of the 95 % band", GREY, dash="dash", width=1.5)
    styles = (
        ("correct", BLUE, 105, 0.02, "middle right"),
        ("no baseline", ORANGE, 2_900, 0.02, "middle left"),
        ("stale baseline", PURPLE, 105, 0.006, "middle right"),
        ("mean target", RED, 2_900, 0.006, "middle left"),
    )
    for ratios, (name, colour, x, y, where) in zip(record.ratios, styles, strict=True):
        shown = 10 ** _coarse(np.log10(np.clip(ratios, low, high)), 64)
        line(drawing, record.updates, shown, name, colour)
        write(drawing, [x], [y], [name], colour, where=where)
    last = record.ratios[:, -1]
    outside = [style[0] for style, ratio in zip(styles, last, strict=True) if ratio > 1]
    describe(
        drawing,
        f"After 3,000 updates outside the band: {', '.join(outside) or 'none'}; "
        f"the mean target is {_short(last[3], 1)} half-widths out.",
    )
    return drawing


def budget(record: Budget) -> dict:
    """Accumulated variance against accumulated step size, a line per schedule."""
    drawing = axes(x=("Σα per pair", 0.3, 3_000, "log"), y=("Σα² Var(ε)", 1e-3, 1e3, "log"))
    styles = {
        "0.1": (RED, "α = 0.1", "top right"),
        "n^-0.5": (ORANGE, "n^−0.5", "middle right"),
        "n^-0.7": (GREEN, "n^−0.7", "bottom right"),
        "1/n": (PURPLE, "1/n", "middle right"),
        "rescaled": (BLUE, "rescaled", "top left"),
        "n^-1.5": (GREY, "n^−1.5", "bottom right"),
    }
    for name, x, y in zip(record.names, record.distance, record.variance, strict=True):
        colour, label, where = styles[name]
        shown = np.where((x >= 0.3) & (y >= 1e-3), np.clip(y, 1e-3, 1e3), np.nan)
        line(drawing, x, shown, name, colour, label=label, where=where)
    totals = ", ".join(
        f"{_short(total)} ({name})"
        for name, total in zip(record.names, record.variance[:, -1], strict=True)
    )
    describe(drawing, f"Accumulated noise variance after 20,000 updates: {totals}.")
    return drawing


def _coarse(values: np.ndarray, levels: int) -> np.ndarray:
    """Values to 1/levels: noise compresses badly, and a pixel is no finer."""
    return np.round(values * levels) / levels


def _short(value: float, digits: int = 2) -> str:
    """A number with few significant digits and without an exponent."""
    return f"{float(f'{value:.{digits}g}'):,g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
