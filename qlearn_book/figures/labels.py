"""Names of curves written beside their ends, kept apart from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qlearn_book import marks

LINE_HEIGHT = 18 / 330  # of the plot's height


def inside(y: np.ndarray, low: float) -> np.ndarray:
    """Values of a log axis as they can be drawn: far below `low` they stay just out of sight."""
    return np.maximum(y, low / 10)


def ends(
    drawing: dict,
    x: np.ndarray,
    curves: Sequence[np.ndarray],
    names: Sequence[str],
    colours: Sequence[str],
    *,
    low: float,
    high: float,
) -> None:
    """Write each name right of its curve's end, or of where it leaves the log axis (low, high)."""
    places = [_last_seen(y, low) for y in curves]
    heights = [np.log10(np.clip(y[i], low, high)) for i, y in zip(places, curves, strict=True)]
    gap = LINE_HEIGHT * np.log10(high / low)
    heights = apart(heights, gap, np.log10(low) + gap / 2, np.log10(high) - gap / 2)
    for i, height, name, colour in zip(places, heights, names, colours, strict=True):
        marks.write(drawing, [x[i]], [10**height], [f" {name}"], colour, where="middle right")


def apart(heights: Sequence[float], gap: float, lowest: float, highest: float) -> np.ndarray:
    """Heights in the same order, at least `gap` apart, between lowest and highest if they fit."""
    moved = np.array(heights, dtype=float)
    order = np.argsort(moved, kind="stable")
    for i in order[::-1]:
        moved[i] = highest = min(moved[i], highest)
        highest -= gap
    for i in order:
        moved[i] = lowest = max(moved[i], lowest)
        lowest += gap
    return moved


def _last_seen(y: np.ndarray, low: float) -> int:
    """The last index with y >= low; one less where the curve then leaves the axis."""
    below = np.flatnonzero(y < low)
    return y.size - 1 if below.size == 0 else max(int(below[0]) - 1, 0)
