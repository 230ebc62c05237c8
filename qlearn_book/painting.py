"""The fast way into a live figure: a widget that writes new numbers into the SVG that plotly drew.

A ``FigureWidget`` lays the whole figure out again for every change, which takes a browser longer
than a frame.  While a slider moves only coordinates, texts and colours change, so that the page's
own painter (`browser/painter.js`) can draw them; plotly follows when the slider rests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import numpy as np

BROWSER = Path(__file__).resolve().parent / "browser"
SCRIPTS = ("codec.js", "painter.js", "live.js")


class Painting(anywidget.AnyWidget):
    """Shows nothing itself: it paints the plotly figure that stands in the same panel."""

    _esm = "\n".join((BROWSER / script).read_text(encoding="utf-8") for script in SCRIPTS)

    def __init__(self, refused: Callable[[], None]) -> None:
        """`refused` is called when a drawing needs a node that plotly has not made yet."""
        super().__init__()
        self.on_msg(lambda *_: refused())

    def paint(self, drawing: dict) -> None:
        """Send what moves in a drawing to every view of it."""
        message, numbers = moving(drawing)
        self.send(message, [numbers.tobytes()])


def moving(drawing: dict) -> tuple[dict, np.ndarray]:
    """What may differ from one drawing of a figure to the next.

    Returns ``{"numbers": [[trace, "x" or "y", length], ...], "texts": [[trace, property, texts],
    ...]}`` and the numbers of all these coordinates in a row, float64, NaN in gaps.
    """
    numbers, texts, arrays = [], [], [np.zeros(0)]
    for index, trace in enumerate(drawing["data"]):
        for letter in "xy":
            arrays.append(np.asarray(trace[letter], dtype=float))
            numbers.append([index, letter, arrays[-1].size])
        for name, value in (
            ("text", trace.get("text", "")),
            ("marker.color", trace.get("marker", {}).get("color", "")),
        ):
            if not isinstance(value, str):
                texts.append([index, name, list(map(str, value))])
    return {"numbers": numbers, "texts": texts}, np.concatenate(arrays)
