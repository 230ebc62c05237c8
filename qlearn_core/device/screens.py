"""Screens: a hidden state in a layout, with the nuisances of a frame, as grey pixels.

A frame is the time on the clock, the advert on show, the brightness and the noise of the pixels.
It says nothing about the hidden state. There are only a few frames, all equally likely, so that
the mean of anything over them is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import glyphs
from .glyphs import CELL, large
from .layouts import (
    COLUMNS,
    HEIGHT,
    NUM_PIXELS,
    ROWS,
    WIDTH,
    Layout,
    banner_row,
    buttons_row,
    popup_box,
    search_column,
    widgets,
)
from .phone import Phone
from .rules import FAILED, KEYS, POPUPS, HiddenState
from .settings import MISTYPED, PhoneSettings

#: Grey levels of the background, two shades and ink, in each theme.
THEMES = np.array([[242, 200, 130, 25], [28, 70, 140, 240], [205, 165, 100, 10]])
ADVERTS = ("TOP 50", "HOT 9", "LAST 4", "GO GO")
FRAME_SEED = 0
BRIGHTNESS = 8  # grey levels by which a frame is at most lighter or darker


@dataclass(frozen=True, eq=False)
class Screens:
    """All that can be seen and touched of a phone in one layout.

    An action is a click on one of the pixels, in row order, then a typed word, then a key.
    """

    phone: Phone
    layout: Layout
    images: np.ndarray  # (S, F, HEIGHT, WIDTH) uint8, every state in every frame
    moves: np.ndarray  # (S, A) uint8, the move that an action stands for


def actions(settings: PhoneSettings) -> tuple[str, ...]:
    """The names of all actions: 1200 clicks, the words and the keys."""
    clicks = (f"click {row},{column}" for row in range(HEIGHT) for column in range(WIDTH))
    return (*clicks, *(f"type {word}" for word in settings.words), *KEYS)


@dataclass(frozen=True, eq=False)
class Frame:
    """The nuisances of one frame, the same for every state and every layout."""

    clock: np.ndarray  # (CELL, 5·CELL) levels, see-through but for the ink
    advert: np.ndarray  # (CELL, COLUMNS·CELL) levels of a banner
    light: np.ndarray  # (HEIGHT, WIDTH) grey levels that are added


def make_frames(settings: PhoneSettings) -> tuple[Frame, ...]:
    """The frames of a phone, always the same ones."""
    rng = np.random.default_rng(FRAME_SEED)
    frames = []
    for _ in range(settings.num_frames):
        clock = glyphs.text(f"{rng.integers(10, 24)}:{rng.integers(10, 60)}")
        banner = np.full((CELL, WIDTH), 2)
        write(banner, f"{ADVERTS[rng.integers(len(ADVERTS))]:^{COLUMNS}}", 0, 0)
        light = rng.uniform(-BRIGHTNESS, BRIGHTNESS)
        light = light + settings.noise * rng.standard_normal((HEIGHT, WIDTH))
        clock = np.where(clock == glyphs.INK, 2, clock)
        frames.append(Frame(clock, banner, light))
    return tuple(frames)


def make_screens(phone: Phone, layout: Layout) -> Screens:
    """Every screen of a phone in a layout, and what every action does there."""
    settings = phone.settings
    images = np.empty((phone.num_states, settings.num_frames, HEIGHT, WIDTH), dtype=np.uint8)
    pages = np.stack([draw(settings, layout, state) for state in phone.states])
    banners = [advert_row(layout, state) for state in phone.states]
    for f, frame in enumerate(make_frames(settings)):
        shown = pages.copy()
        for page, banner in zip(shown, banners, strict=True):
            put(page, frame.clock, 0, 0)
            if banner:
                put(page, frame.advert, banner, 0)
        images[:, f] = np.rint((THEMES[layout.theme][shown] + frame.light).clip(0, 255))
    moves = np.stack([_moves(phone, layout, state) for state in phone.states])
    for array in (images, moves):
        array.setflags(write=False)
    return Screens(phone, layout, images, moves)


def _moves(phone: Phone, layout: Layout, state: HiddenState) -> np.ndarray:
    """(A,) the move that each action stands for; the last widget at a place is on top."""
    screen = np.full((ROWS, COLUMNS), phone.moves.index("nothing"), dtype=np.uint8)
    for move, row, column, height, width in widgets(phone.settings, layout, state):
        screen[row : row + height, column : column + width] = phone.moves.index(move)
    clicks = screen.repeat(CELL, axis=0).repeat(CELL, axis=1).ravel()
    others = [phone.moves.index(name) for name in actions(phone.settings)[NUM_PIXELS:]]
    return np.append(clicks, np.array(others, dtype=np.uint8))


def put(page: np.ndarray, drawn: np.ndarray, row: int, column: int) -> None:
    """Draw levels on a page, from the upper left corner of a cell on."""
    height, width = drawn.shape
    place = page[row * CELL :, column * CELL :][:height, :width]
    np.copyto(place, drawn, where=drawn != glyphs.CLEAR)


def fill(page: np.ndarray, level: int, row: int, column: int, height: int, width: int) -> None:
    """Fill a rectangle of cells with one level."""
    rows = slice(row * CELL, (row + height) * CELL)
    page[rows, column * CELL : (column + width) * CELL] = level


def write(page: np.ndarray, words: str, row: int, column: int, level: int = glyphs.INK) -> None:
    """Letters, without what is behind them."""
    letters = glyphs.text(words)
    put(page, np.where(letters == glyphs.INK, level, letters), row, column)


def draw(settings: PhoneSettings, layout: Layout, state: HiddenState) -> np.ndarray:
    """(HEIGHT, WIDTH) levels of a screen without the nuisances of a frame."""
    page = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    put(page, glyphs.cell("battery"), 0, COLUMNS - 1)
    if state.page == "home":
        for move, row, column, *_ in widgets(settings, layout, state):
            put(page, glyphs.picture(move.removeprefix("open ")), row, column)
        fill(page[2:], 1, ROWS - 1, 2, 1, 2)
    elif state.page in ("clock", "mail"):
        put(page, large(glyphs.picture(state.page)), 2, 1)
    elif state.page == "advert":
        _draw_advert(page, layout, state)
    else:
        _draw_shop(page, settings, layout, state)
    if state.overlay in POPUPS:
        _draw_popup(page, layout, state.overlay)
    return page


def _draw_shop(page, settings: PhoneSettings, layout: Layout, state: HiddenState) -> None:
    _draw_header(page, layout, state)
    if state.page == "ordered":
        put(page, glyphs.picture("tick"), 2, 2)
        put(page, large(glyphs.item(state.word, state.pattern)), 4, 1)
    elif state.overlay == FAILED:
        put(page, glyphs.picture("failed"), 2, 2)
        put(page, glyphs.picture("reload"), 5, 2)
    elif state.page == "results":
        _draw_results(page, settings, layout, state)
    elif state.page == "item":
        first = 3 if layout.banner_top else 2
        put(page, large(glyphs.item(state.word, state.pattern)), first, 1)
        buy, heart = (0, 4) if layout.buy_left else (3, 1)
        fill(page, 2, buttons_row(layout), buy, 1, 3)
        write(page, "PAY", buttons_row(layout), buy)
        put(page, glyphs.cell("heart"), buttons_row(layout), heart)
    elif state.focused:
        for row in range(ROWS - 3, ROWS):
            for column in range(COLUMNS):
                put(page, glyphs.cell("key"), row, column)
    else:
        put(page, large(glyphs.picture(state.shop)), 3 if layout.banner_top else 2, 1)


def _draw_header(page, layout: Layout, state: HiddenState) -> None:
    search = search_column(layout)
    fill(page, 2, 1, 0, 1, COLUMNS)
    put(page, glyphs.cell(state.shop), 1, COLUMNS - 1 - search)
    put(page, glyphs.cell("search"), 1, search)
    fill(page, 0 if state.focused else 1, 1, 1, 1, COLUMNS - 2)
    write(page, f"{state.word.upper():3}", 1, 1)
    if state.pattern:
        put(page, glyphs.swatch(state.pattern), 1, COLUMNS - 2)
    elif state.focused:
        put(page, glyphs.cell("cursor"), 1, 1 + len(state.word))


def _draw_results(page, settings: PhoneSettings, layout: Layout, state: HiddenState) -> None:
    if state.word == MISTYPED:
        put(page, large(large(glyphs.cell("search"))), 3, 1)
        return
    for k, pattern in enumerate(layout.order(settings, state.shop, state.word)):
        put(page, glyphs.item(state.word, pattern), 2 + 2 * k, 0)
        fill(page[1:], 1, 2 + 2 * k, 2, 1, 3)


def _draw_popup(page, layout: Layout, overlay: str) -> None:
    row, column, height, width = popup_box(overlay)
    fill(page, glyphs.INK, row, column, height, width)
    inside = page[row * CELL + 1 :, column * CELL + 1 :]
    inside[: height * CELL - 2, : width * CELL - 2] = 1
    put(page, glyphs.picture("gift"), row + 1, column + 1)
    put(page, glyphs.cell("close"), row, column if layout.close_left else column + width - 1)


def _draw_advert(page, layout: Layout, state: HiddenState) -> None:
    fill(page, 2, 1, 0, ROWS - 1, COLUMNS)
    close, shop = (0, COLUMNS - 1) if layout.close_left else (COLUMNS - 1, 0)
    put(page, glyphs.cell("close"), 1, close)
    put(page, glyphs.cell(state.shop), 1, shop)
    put(page, large(glyphs.picture("gift")), 2, 1)


def advert_row(layout: Layout, state: HiddenState) -> int:
    """The row of the advert, 0 for a screen without one."""
    if state.page == "advert":
        return ROWS - 1
    shown = state.page in ("item", "front") and not state.overlay and not state.focused
    return banner_row(layout) if shown else 0
