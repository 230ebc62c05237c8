"""The address of a figure's state on its page: ``#staircase?gamma=0.9&depth=5&alpha=0.3``.

It holds every control of the figure, so that a link survives a change of what the figure starts
with.  In a browser everything after the question mark is read by ``URLSearchParams``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode


def address(name: str, values: dict[str, Any]) -> str:
    """The fragment that leads to figure `name` with its controls at these values."""
    shown = {axis: _text(value) for axis, value in values.items()}
    return f"#{name}?{urlencode(shown, quote_via=quote)}"


def _text(value: Any) -> str:
    """A number in the fewest digits that give it back, 1.0 as 1; a word as it is."""
    return value if isinstance(value, str) else repr(value).removesuffix(".0")
