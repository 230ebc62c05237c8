"""The plot of a live figure: plotly, and the page's own painter for what moves with a slider.

Plotly lays a whole figure out again for every change, which takes a browser longer than a frame.
While a slider moves only coordinates, texts and colours change, so that the painter of the page
(`browser/painter.js`) can draw them; plotly follows when the slider rests.  plotly's own
``FigureWidget`` is not used: each brings five megabytes of code, and on a busy machine the browser
gives it up before it has started.  Here all figures of a notebook share one copy of plotly.js.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from plotly.offline import get_plotlyjs

from qlearn_book.grid import plain

BROWSER = Path(__file__).resolve().parent / "browser"
SCRIPTS = ("codec.js", "painter.js", "live.js")


class LivePlot(anywidget.AnyWidget):
    """A drawing of `qlearn_book.marks` in a notebook.

    drawing  what plotly draws, with lists for arrays; a view that opens later shows it too
    """

    _esm = "\n".join((BROWSER / script).read_text(encoding="utf-8") for script in SCRIPTS)
    drawing = traitlets.Dict().tag(sync=True)

    def __init__(self, drawing: dict, refused: Callable[[], None]) -> None:
        """`refused` is called when a painted drawing needs a node that plotly has not made yet."""
        super().__init__(drawing=plain(drawing))
        self.refused = refused
        self.on_msg(self._hear)

    def _hear(self, _widget: Any, message: dict, _buffers: list) -> None:
        if message["wants"] == "plotly.js":
            self.send({"kind": "plotly.js"}, [get_plotlyjs().encode()])
        else:
            self.refused()

    def paint(self, drawing: dict) -> None:
        """Send what moves in a drawing to every view of it."""
        message, numbers = moving(drawing)
        self.send({"kind": "moving"} | message, [numbers.tobytes()])

    def draw(self, drawing: dict) -> None:
        """Let plotly draw in full, so that hovering finds the points."""
        self.drawing = plain(drawing)


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
