"""Sliders on a figure: one declaration, a live figure in a kernel and a static one on the page.

    Explorer("contraction", compute, draw, title="...", gamma=Axis(...), depth=Axis(...))

``compute(**values)`` is a pure function of the slider values and returns a record;
``draw(record)`` returns the drawing of it (``qlearn_book.marks``).  In a kernel the Explorer shows
ipywidgets and calls the two functions at any value.  When the book is built (the environment
variable ``QLEARN_BOOK_MODE`` is ``static``) it calls them at every point of the declared grid and
shows HTML that needs no kernel.  Both faces draw what these two functions return, nothing else.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Callable
from typing import Any

from qlearn_book import grid, page, store
from qlearn_book.axis import Axis
from qlearn_book.budgets import MAX_BYTES, MAX_SECONDS, MAX_STATES
from qlearn_book.grid import GridError
from qlearn_book.partial import Partial
from qlearn_book.prediction import Prediction
from qlearn_book.progress import reporter


class Explorer:
    """A figure with sliders; see the module's first lines.

    Raises ``ValueError`` for a name that is not an identifier or for no axes, and
    ``qlearn_book.grid.GridError`` (when the book is built) for a figure over its caps or one whose
    axes move with the sliders.
    """

    def __init__(
        self,
        name: str,
        compute: Callable[..., Any],
        draw: Callable[[Any], dict],
        *,
        title: str,
        predict: Prediction | None = None,
        **axes: Axis,
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"name of a figure must be like 'value_spread', but is {name!r}")
        if not axes:
            raise ValueError(f"figure {name!r} must have at least one axis")
        self.name, self.compute, self.draw, self.title, self.axes = name, compute, draw, title, axes
        self.predict = predict
        for axis, value in (predict.at if predict else {}).items():
            if axis not in axes or value not in axes[axis].values:
                raise ValueError(
                    f"figure {name!r}: its prediction is about {axis} = {value!r}, "
                    "which is not on its grid"
                )
        if self.num_states > MAX_STATES:
            raise GridError(f"figure {name!r} has {self.num_states} states, cap {MAX_STATES}")

    @property
    def num_states(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes.values())

    @property
    def start(self) -> dict[str, Any]:
        return {name: axis.start for name, axis in self.axes.items()}

    def at(self, **values: Any) -> dict:
        """The drawing at these slider values; those not given stand at their start."""
        return self.draw(self.compute(**(self.start | values)))

    def question(self) -> tuple[Prediction, float | str] | None:
        """The prediction asked for and its right answer, if there is one."""
        if self.predict is None:
            return None
        record = self.compute(**(self.start | dict(self.predict.at)))
        return self.predict, self.predict.solve(record)

    def payload(self) -> dict:
        """All that the page needs to draw every state, and how Python computes it."""
        floats = [
            name
            for name, axis in self.axes.items()
            if any(isinstance(v, float) for v in axis.values)
        ]
        return self._grid() | {
            "call": {
                "compute": [self.compute.__module__, self.compute.__qualname__],
                "draw": [self.draw.__module__, self.draw.__qualname__],
                "floats": floats,
            }
        }

    def stored(self) -> dict | None:
        """Every state of the figure if they are in the store and its code is unchanged."""
        if "__main__" in (self.compute.__module__, self.draw.__module__):
            return None  # written in a notebook: no key says what it computes
        return store.load(self.name, self._key())

    def _key(self) -> str:
        return store.code_key(
            self.compute, self.draw, settings=repr((self.name, self.title, self.axes))
        )

    def _grid(self) -> dict:
        """Every state of the figure, from the store if its code is unchanged."""
        key = self._key()
        stored = store.load(self.name, key)
        if stored is not None:
            return stored
        values = {name: axis.values for name, axis in self.axes.items()}
        drawn = Partial(self.at, store.partial_file(self.name), key)
        sampled = grid.sample(
            self.name, drawn, lambda drawing: drawing, values, self.start, reporter(self.name)
        )
        specs, block = grid.pack(sampled)
        payload = {
            "name": self.name,
            "axes": {name: list(axis.values) for name, axis in self.axes.items()},
            "figure": sampled.template,
            "moving": specs,
            "block": base64.b64encode(block).decode(),
        }
        # Before it is stored: what is in the store is within its caps at the next build too.
        size = len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_BYTES:
            raise GridError(f"figure {self.name!r} takes {size:,} bytes, cap {MAX_BYTES:,}")
        if drawn.seconds > MAX_SECONDS:
            raise GridError(
                f"figure {self.name!r} took {drawn.seconds:.0f} s to compute, "
                f"cap {MAX_SECONDS:.0f} s"
            )
        store.save(self.name, key, payload)
        return payload

    def __repr__(self) -> str:
        axes = ", ".join(f"{name}={axis.show(axis.start)}" for name, axis in self.axes.items())
        return f"Explorer({self.name}: {axes})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Static HTML when the book is built; in a kernel `_ipython_display_` comes first."""
        bundle = {"text/plain": repr(self)}
        if os.environ.get("QLEARN_BOOK_MODE") == "static":
            bundle["text/html"] = page.html(
                self.name, self.title, self.axes, self.payload(), self.question()
            )
        return bundle

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if os.environ.get("QLEARN_BOOK_MODE") == "static":
            display(self._repr_mimebundle_(), raw=True)
        else:
            from qlearn_book.live import panel  # widgets take a second to import; pages need none

            display(panel(self.title, self.axes, self.at, self.stored, self.question()))
