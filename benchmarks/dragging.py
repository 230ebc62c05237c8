"""A mouse that drags the sliders of a figure or presses its words, and the time until it draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Locator, Page

from benchmarks.timing import Row

WATCH = (Path(__file__).parent / "drag.js").read_text(encoding="utf-8")
MOVES = 20  # in one drag, from one end to the other
PATIENCE = 2_000  # ms
ROUNDS = 3


def watch(page: Page, plot: str, sign: str | None = None) -> None:
    """Look from now on at the plot that this selector finds.

    `sign` is the attribute of the plot that says when it was drawn; None: by any change in it.
    """
    page.evaluate(WATCH, [plot, sign])


def drag(page: Page, handle: Locator, rail: Locator, values: str) -> list[float]:
    """ms from each move of one drag to its drawing, as a reader makes them: the next one comes
    up to 60 ms after the last one was drawn.

    A move without an answer counts with all of PATIENCE; one that stays within a step of the
    slider does not count. `values` is JavaScript that reads where the sliders stand.
    """
    chance = random.Random(0)
    handle.hover()  # it is in view, stands still, and nothing covers it
    knob, track = handle.bounding_box(), rail.bounding_box()
    height = knob["y"] + knob["height"] / 2
    page.mouse.down()
    found, before = [], page.evaluate(values)
    for k in range(MOVES + 1):
        page.mouse.move(track["x"] + track["width"] * k / MOVES, height)
        after = page.evaluate(values)
        if after == before:
            continue
        before = after
        answer = page.evaluate("patience => window.qlearnDrag.answer(patience)", PATIENCE)
        found.append(PATIENCE if answer is None else answer)
        page.wait_for_timeout(60 * chance.random())
    page.mouse.up()
    return found


def press(page: Page, words: Locator) -> list[float]:
    """ms from each press of a word to its drawing, in turn, MOVES in all."""
    found = []
    for k in range(MOVES):
        words.nth((k + 1) % words.count()).click()
        answer = page.evaluate("patience => window.qlearnDrag.answer(patience)", PATIENCE)
        found.append(PATIENCE if answer is None else answer)
        page.wait_for_timeout(60)
    return found


def tail(case: str, variant: str, waits: list[float]) -> Row:
    """A row of the median, the shortest and the 95th percentile of waits in ms."""
    high = quantiles(waits, n=20, method="inclusive")[18] if len(waits) > 1 else waits[0]
    return Row(case, variant, "ms", median(waits), min(waits), high, rounds=len(waits))


def in_rounds(follow: Callable[[], Iterable[Row]]) -> list[Row]:
    """The rows of several rounds as one: of every number the median round.

    What else a machine does can slow it for minutes at a time; with the rounds of a figure that far
    apart, it does not decide what the figure is said to take.
    """
    rounds = [list(follow()) for _ in range(ROUNDS)]
    return [typical(rows) for rows in zip(*rounds, strict=True)]


def typical(rows: tuple[Row, ...]) -> Row:
    """One row for the same quantity in several rounds."""
    first = rows[0]
    ratios = [row.ratio for row in rows if row.ratio is not None]
    return replace(
        first,
        median=median(row.median for row in rows),
        low=median(row.low for row in rows),
        high=median(row.high for row in rows),
        ratio=median(ratios) if ratios else None,
        rounds=sum(row.rounds for row in rows),
    )
