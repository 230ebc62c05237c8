"""The phone, playable where it is read: no kernel on the site, the same element in a kernel.

PlayablePhone("phone", game, title="...")
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from qlearn_book.budgets import MAX_BYTES
from qlearn_book.grid import GridError
from qlearn_book.playable import data, page
from qlearn_core.device.phone import START
from qlearn_core.experiments.phone_game import Game


class PlayablePhone:
    """The phone of `game()`; nothing is computed before it is shown.

    Raises ``ValueError`` for a name that is not an identifier, and
    ``qlearn_book.grid.GridError`` (when it is shown) for data over their cap.
    """

    def __init__(self, name: str, game: Callable[[], Game], *, title: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"name of a figure must be like 'value_spread', but is {name!r}")
        self.name, self.make, self.title = name, game, title

    @cached_property
    def game(self) -> Game:
        return self.make()

    def payload(self) -> dict:
        """All that the page needs."""
        payload = data.payload(self.name, self.game)
        size = len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MAX_BYTES:
            raise GridError(f"figure {self.name!r} takes {size:,} bytes, cap {MAX_BYTES:,}")
        return payload

    def __repr__(self) -> str:
        return f"PlayablePhone({self.name})"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        payload = self.payload()
        element = page.html(payload, self.title, self.game.screens[0].images[START, 0])
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        if os.environ.get("QLEARN_BOOK_MODE") == "static":
            display(bundle | {"text/html": page.with_data(element, payload)}, raw=True)
        else:
            from qlearn_book.playable.live import widget  # takes a second to import

            display(widget(element, payload))
