"""The values of a chain's states against their distance to the reward, now and in the end."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, INK


def profile(
    distance: np.ndarray,
    value: np.ndarray,
    optimum: np.ndarray,
    sweeps: int,
    *,
    x_title: str,
    y_title: str,
) -> dict:
    """Bars: the value of every state after `sweeps` sweeps; dots: its true value, 1 at most."""
    drawing = marks.axes(x=(x_title, 0.3, 32.7), y=(y_title, 0, 1.18))
    marks.bars(drawing, distance, value, "value now", BLUE, width=0.8)
    marks.line(drawing, distance, optimum, "true value", INK, width=1.5, dots=True)
    marks.write(drawing, [1], [1.02], ["true value"], INK, where="top right")
    marks.write(drawing, [32.5], [1.02], [f"after {times(sweeps)}"], BLUE, where="top left")
    return drawing


def times(sweeps: int) -> str:
    """The count with its noun: 1 sweep, 2 sweeps."""
    return "1 sweep" if sweeps == 1 else f"{sweeps} sweeps"
