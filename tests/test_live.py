"""The live face: any value between the ends, latest wins, busy and broken states are shown."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import ipywidgets as widgets
import numpy as np
import pytest

from qlearn_book import Axis, Explorer, live
from qlearn_book.marks import axes, cells, describe, line

CALLS: list[float] = []


def compute(gamma: float, depth: int = 4, goal: str = "loop") -> tuple[float, np.ndarray]:
    CALLS.append(gamma)
    return gamma, gamma ** np.arange(depth)


def slow(gamma: float) -> tuple[float, np.ndarray]:
    time.sleep(0.4)
    return compute(gamma)


def broken(gamma: float) -> tuple[float, np.ndarray]:
    if gamma > 0.8:
        raise ValueError(f"gamma must be small, but is {gamma:g} <tag>")
    return compute(gamma)


def draw(record: tuple[float, np.ndarray]) -> dict:
    gamma, curve = record
    result = axes(x=("k", 0, 10), y=("error", 0.0, 1.0))
    line(result, np.arange(len(curve)), curve, "error", "#0072b2", label=f"{gamma:g}")
    cells(result, np.full((1, 2), gamma), [["a", "b"]], "map")
    describe(result, f"gamma is {gamma:g}")
    return result


def draw_more(record: tuple[float, np.ndarray]) -> dict:
    """One line more for a large gamma: a mistake that the build would refuse."""
    result = draw(record)
    if record[0] > 0.8:
        line(result, np.arange(3), np.ones(3), "one line more", "#0072b2")
    return result


def panel(function=compute, drawing=draw, **axes_) -> live._Panel:
    gamma = Axis((0.5, 0.7, 0.9), "discount γ", start=0.5)
    explorer = Explorer("curve", function, drawing, title="Curve", gamma=gamma, **axes_)
    return live._Panel(explorer.title, explorer.axes, explorer.at)


@pytest.fixture(autouse=True)
def forget():
    CALLS.clear()


def without_a_loop(test):
    """Run a test in a thread of its own: a browser test before it may have left an event loop."""

    @functools.wraps(test)
    def run(**given) -> None:
        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(test, **given).result()

    return run


@without_a_loop
def test_sliders_take_any_value_between_the_ends_of_the_grid():
    shown = panel(
        depth=Axis((2, 4, 8), "depth D", start=4, play=True),
        goal=Axis(("terminal", "loop"), "goal", start="loop"),
    )
    gamma, depth, goal = shown.controls.values()
    assert isinstance(gamma, widgets.FloatSlider) and (gamma.min, gamma.max) == (0.5, 0.9)
    assert gamma.step <= 0.4 / 100
    assert isinstance(depth, widgets.IntSlider) and (depth.min, depth.max) == (2, 8)
    assert goal.options == ("terminal", "loop")
    gamma.value = 0.8123
    assert CALLS[-1] == pytest.approx(0.8123, abs=1e-3)
    depth.value = 5
    np.testing.assert_allclose(shown.figure.data[0].y, gamma.value ** np.arange(5))
    assert f"gamma is {gamma.value:g}" in shown.status.value
    assert shown.figure.data[1].text == (f"{gamma.value:g}",)


@without_a_loop
def test_while_a_slow_figure_computes_only_the_newest_value_is_kept():
    shown = panel(slow)
    CALLS.clear()

    async def drag() -> None:
        for value in np.linspace(0.51, 0.9, 30):
            shown.controls["gamma"].value = value
            await asyncio.sleep(0.01)
        await shown.task

    asyncio.run(drag())
    assert len(CALLS) <= 3  # the first, perhaps one on the way, and the last
    assert CALLS[-1] == pytest.approx(0.9)
    assert "gamma is 0.9" in shown.status.value


@without_a_loop
def test_a_slow_computation_says_that_it_is_busy_and_leaves_the_loop_free():
    shown = panel(slow)
    seen = []

    async def drag() -> None:
        shown.controls["gamma"].value = 0.9
        for _ in range(6):
            await asyncio.sleep(0.1)
            seen.append(shown.status.value)
        await shown.task

    asyncio.run(drag())
    assert any("computing" in words for words in seen)
    assert "gamma is 0.9" in shown.status.value


@without_a_loop
def test_an_error_is_shown_in_the_figures_place_and_the_next_value_heals_it():
    shown = panel(broken)
    shown.controls["gamma"].value = 0.85
    assert "gamma must be small, but is 0.85 &lt;tag&gt;" in shown.status.value
    assert shown.figure.layout.height < 20
    shown.controls["gamma"].value = 0.6
    assert "gamma is 0.6" in shown.status.value
    assert shown.figure.layout.height == 400


@without_a_loop
def test_a_drawing_that_does_not_fit_the_figure_is_reported_while_dragging():
    shown = panel(drawing=draw_more)

    async def drag() -> None:
        shown.controls["gamma"].value = 0.85
        await shown.task

    asyncio.run(drag())
    assert "zip() argument 2 is longer than argument 1" in shown.status.value


@without_a_loop
def test_no_thread_is_left_behind():
    shown = panel(slow)
    before = set(threading.enumerate())

    async def drag() -> None:
        shown.controls["gamma"].value = 0.9
        await shown.task

    asyncio.run(drag())
    assert set(threading.enumerate()) == before
