"""The state of a stored grid nearest to what a slider asks for: drawn while that computes."""

from __future__ import annotations

import base64
import copy
import math
from typing import Any

from qlearn_book import grid


class Nearest:
    """The drawings of a grid that was computed when the book was built.

    payload  what ``Explorer.payload`` gives: axes, template and the packed moving arrays
    """

    def __init__(self, payload: dict) -> None:
        self.axes: dict[str, list] = payload["axes"]
        self.template: dict = payload["figure"]
        self.paths = [spec["path"] for spec in payload["moving"]]
        self.arrays = grid.unpack(payload["moving"], base64.b64decode(payload["block"]))

    def __call__(self, values: dict[str, Any]) -> tuple[dict, dict[str, Any]]:
        """The drawing of the nearest state, and that state.

        On each axis of numbers the value at the least distance counts, among words the word itself.
        """
        positions = {name: _position(self.axes[name], values[name]) for name in self.axes}
        state = 0
        for name, position in positions.items():
            state = state * len(self.axes[name]) + position
        drawing = copy.deepcopy(self.template)
        for path, array in zip(self.paths, self.arrays, strict=True):
            *parents, last = path
            node = drawing
            for key in parents:
                node = node[key]
            node[last] = array[state][0] if isinstance(node[last], str) else array[state]
        return drawing, {name: self.axes[name][position] for name, position in positions.items()}


def _position(values: list, wanted: Any) -> int:
    if isinstance(wanted, str):
        return values.index(wanted)
    return min(range(len(values)), key=lambda i: math.fabs(values[i] - wanted))
