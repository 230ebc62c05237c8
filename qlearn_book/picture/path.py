"""SVG path data with few bytes: tenths of a unit, relative, without corners that do not turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

#: (x, y), or None in a gap.
Point = tuple[float, float] | None


def runs(points: list[Point]) -> Iterator[list[Point]]:
    """The pieces between gaps."""
    for is_gap, run in groupby(points, key=lambda point: point is None):
        if not is_gap:
            yield list(run)


def steps(run: list[Point]) -> list[Point]:
    """The corners of a staircase that holds each y until the next x."""
    held = [(right[0], left[1]) for left, right in pairwise(run)]
    return [corner for pair in zip(run, [*held, run[-1]], strict=True) for corner in pair]


def path(points: Iterable[Point]) -> str:
    """SVG path data, in tenths of a unit and relative; corners that do not turn are left out."""
    corners: list[tuple[int, int]] = []
    for x, y in points:
        corner = (round(10 * x), round(10 * y))
        while len(corners) > 1 and _straight(*corners[-2:], corner):
            corners.pop()
        corners.append(corner)
    turns = "".join(_pair(x - a, y - b, i) for i, ((a, b), (x, y)) in enumerate(pairwise(corners)))
    return "M" + _pair(*corners[0], 0) + (f"l{turns}" if turns else "")


def _straight(a: tuple, b: tuple, c: tuple) -> bool:
    """Whether b lies on the way from a to c."""
    (ux, uy), (vx, vy) = (b[0] - a[0], b[1] - a[1]), (c[0] - b[0], c[1] - b[1])
    return ux * vy == uy * vx and ux * vx + uy * vy >= 0


def _pair(x: int, y: int, index: int) -> str:
    """Two numbers given in tenths; a minus sign separates as well as a space."""
    first, second = short(x / 10), short(y / 10)
    return (
        (" " if index and first[0] != "-" else "")
        + first
        + (second if second[0] == "-" else f" {second}")
    )


def short(number: float) -> str:
    """One decimal, without a zero that says nothing: 12, -3.4, .5."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else re.sub(r"^(-?)0\.", r"\1.", text)


def percent(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
