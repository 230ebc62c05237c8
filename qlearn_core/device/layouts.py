"""Layouts: where a phone shows its widgets. Positions must be read from the screen.

A screen has 8 x 6 cells of 5 x 5 pixels. The status bar is row 0, the header of a shop row 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, perm
from typing import NamedTuple

import numpy as np

from qlearn_core.mdp import check_integer

from .glyphs import CELL
from .rules import FAILED, POPUPS, HiddenState
from .settings import MISTYPED, PhoneSettings

ROWS, COLUMNS = 8, 6  # cells
HEIGHT, WIDTH = ROWS * CELL, COLUMNS * CELL  # pixels
NUM_PIXELS = HEIGHT * WIDTH
NUM_THEMES = 3
#: The cells where the home screen has room for an icon of 2 x 2.
SLOTS = tuple((row, column) for row in (1, 4) for column in (0, 2, 4))


class Widget(NamedTuple):
    """A rectangle of cells that stands for a move."""

    move: str
    row: int
    column: int
    height: int
    width: int


@dataclass(frozen=True)
class Layout:
    """The free choices of a phone's maker."""

    theme: int
    slots: tuple[int, ...]  # of each icon, in the order of settings.icons
    search_left: bool
    banner_top: bool
    buy_left: bool
    close_left: bool
    orders: tuple[tuple[int, ...], ...]  # for each shop and word: the patterns from the top

    def order(self, settings: PhoneSettings, shop: str, word: str) -> tuple[str, ...]:
        """The patterns in the list of results, from the top."""
        k = settings.shops.index(shop) * settings.num_words + settings.words.index(word)
        return tuple(settings.patterns[i] for i in self.orders[k])


def make_layouts(settings: PhoneSettings, num_layouts: int, *, seed: int) -> tuple[Layout, ...]:
    """Different layouts, drawn uniformly; the first of many are those of few with the same seed.

    Raises ValueError for num_layouts < 1 and for more than half of those there are.
    """
    lists = settings.num_shops * settings.num_words
    possible = NUM_THEMES * perm(len(SLOTS), len(settings.icons)) * 2**4
    possible *= factorial(settings.num_patterns) ** lists
    if check_integer(num_layouts, "num_layouts", 1) > possible // 2:
        raise ValueError(f"num_layouts must be at most {possible // 2}, but is {num_layouts}")
    rng = np.random.default_rng(seed)
    found: dict[Layout, None] = {}
    while len(found) < num_layouts:
        found[_draw(settings, rng)] = None
    return tuple(found)


def _draw(settings: PhoneSettings, rng: np.random.Generator) -> Layout:
    def shuffled(size: int) -> tuple[int, ...]:
        return tuple(map(int, rng.permutation(size)))

    return Layout(
        int(rng.integers(NUM_THEMES)),
        shuffled(len(SLOTS))[: len(settings.icons)],
        *(bool(side) for side in rng.integers(2, size=4)),
        tuple(
            shuffled(settings.num_patterns) for _ in range(settings.num_shops * settings.num_words)
        ),
    )


def widgets(settings: PhoneSettings, layout: Layout, state: HiddenState) -> tuple[Widget, ...]:
    """What can be clicked in a state; a pop-up covers and blocks all that is behind it."""
    if state.overlay in POPUPS:
        row, column, height, width = popup_box(state.overlay)
        close = column if layout.close_left else column + width - 1
        return (
            Widget("advert", row, column, height, width),
            Widget("close", row, close, 1, 1),
        )
    if state.page == "home":
        slots = (SLOTS[slot] for slot in layout.slots)
        return tuple(
            Widget(f"open {icon}", *slot, 2, 2)
            for icon, slot in zip(settings.icons, slots, strict=True)
        )
    if state.page == "advert":
        return (Widget("close", 1, 0 if layout.close_left else COLUMNS - 1, 1, 1),)
    if state.page not in ("front", "results", "item"):
        return ()
    header = (
        Widget("bar", 1, 1, 1, COLUMNS - 2),
        Widget("search", 1, search_column(layout), 1, 1),
    )
    if state.overlay == FAILED:
        return (*header, Widget("reload", 5, 2, 2, 2))
    if state.page == "results":
        return header + _results(settings, layout, state)
    if state.page == "item":
        buy = Widget("buy", buttons_row(layout), 0 if layout.buy_left else 3, 1, 3)
        return (*header, buy, Widget("advert", banner_row(layout), 0, 1, COLUMNS))
    if state.focused:
        return header
    return (*header, Widget("advert", banner_row(layout), 0, 1, COLUMNS))


def _results(settings: PhoneSettings, layout: Layout, state: HiddenState) -> tuple[Widget, ...]:
    if state.word == MISTYPED:
        return ()
    patterns = layout.order(settings, state.shop, state.word)
    return tuple(
        Widget(f"pick {pattern}", 2 + 2 * k, 0, 2, COLUMNS) for k, pattern in enumerate(patterns)
    )


def search_column(layout: Layout) -> int:
    return 0 if layout.search_left else COLUMNS - 1


def banner_row(layout: Layout) -> int:
    return 2 if layout.banner_top else ROWS - 1


def buttons_row(layout: Layout) -> int:
    """The row of the buttons under the picture of an item."""
    return ROWS - 1 if layout.banner_top else ROWS - 2


def popup_box(overlay: str) -> tuple[int, int, int, int]:
    """Row, column, height and width of a pop-up, in cells."""
    return (2 if overlay == POPUPS[0] else 5), 1, 3, 4
