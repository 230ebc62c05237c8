"""The live face: any value between the ends, latest wins, busy and broken states are shown."""

from __future__ import annotations

import asyncio
import base64
import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import ipywidgets as widgets
import numpy as np
import pytest

from qlearn_book import Axis, Explorer, live
from qlearn_book.grid import pack, sample
from qlearn_book.live_plot import moving
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


def panel(function=compute, drawing=draw, stored=lambda: None, **axes_) -> live._Panel:
    gamma = Axis((0.5, 0.7, 0.9), "discount γ", start=0.5)
    explorer = Explorer("curve", function, drawing, title="Curve", gamma=gamma, **axes_)
    return live._Panel(explorer.title, explorer.axes, explorer.at, stored)


def grid_of_the_curve() -> dict:
    """What a build keeps; unlike what `compute` gives, its curve is flat, at γ/2."""
    values = {"gamma": (0.5, 0.7, 0.9)}
    sampled = sample(
        "curve", lambda gamma: (gamma, np.full(4, gamma / 2)), draw, values, {"gamma": 0.5}
    )
    specs, block = pack(sampled)
    return {
        "axes": {name: list(axis) for name, axis in values.items()},
        "figure": sampled.template,
        "moving": specs,
        "block": base64.b64encode(block).decode(),
    }


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
    np.testing.assert_allclose(shown.plot.drawing["data"][0]["y"], gamma.value ** np.arange(5))
    assert f"gamma is {gamma.value:g}" in shown.status.value
    assert shown.plot.drawing["data"][1]["text"] == [f"{gamma.value:g}"]


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
    assert any("Computing" in words for words in seen)
    assert "gamma is 0.9" in shown.status.value


@without_a_loop
def test_while_a_slow_figure_computes_the_nearest_state_of_its_grid_is_shown():
    shown = panel(slow, stored=grid_of_the_curve)
    painted = []
    shown.plot.paint = lambda drawing: painted.append(drawing["data"][0]["y"].tolist())

    async def drag() -> None:
        shown.controls["gamma"].value = 0.8123
        await asyncio.sleep(0.2)
        assert "Computing … Meanwhile, at discount γ = 0.9: gamma is 0.9" in shown.status.value
        shown.controls["gamma"].value = 0.62  # the newest is shown although 0.8123 still computes
        await asyncio.sleep(0.1)
        assert "at discount γ = 0.7: gamma is 0.7" in shown.status.value
        await shown.task

    asyncio.run(drag())
    np.testing.assert_allclose(painted[:2], [[0.45] * 4, [0.35] * 4], atol=1e-4)
    np.testing.assert_allclose(painted[-1], 0.62 ** np.arange(4))
    assert [0.8123**k for k in range(4)] not in painted, "an older state replaced a newer one"
    assert shown.status.value == '<p style="margin:0.3em 0">gamma is 0.62</p>'
    np.testing.assert_allclose(shown.plot.drawing["data"][0]["y"], 0.62 ** np.arange(4))


@without_a_loop
def test_sliders_are_answered_in_whatever_event_loop_the_kernel_hears_them():
    shown = panel()

    async def move(value: float) -> None:
        shown.controls["gamma"].value = value
        await shown.task

    for value in (0.6, 0.7, 0.8):
        asyncio.run(move(value))
        assert f"gamma is {value}" in shown.status.value
        np.testing.assert_allclose(shown.plot.drawing["data"][0]["y"], value ** np.arange(4))


@without_a_loop
def test_of_two_moves_at_once_plotly_draws_the_last():
    shown = panel()

    async def drag() -> None:
        shown.controls["gamma"].value = 0.6
        shown.controls["gamma"].value = 0.8
        await shown.task

    asyncio.run(drag())
    assert CALLS[-1] == 0.8
    np.testing.assert_allclose(shown.plot.drawing["data"][0]["y"], 0.8 ** np.arange(4))


@without_a_loop
def test_plotly_draws_at_once_what_the_painter_refuses():
    shown = panel()

    async def drag() -> None:
        shown.controls["gamma"].value = 0.9
        while shown.drawing is None:  # until it is painted, which plotly does not know of
            await asyncio.sleep(0.01)
        assert shown.plot.drawing["data"][0]["y"][1] == 0.5
        shown.plot._handle_custom_msg({"wants": "plotly's drawing"}, [])
        assert shown.plot.drawing["data"][0]["y"][1] == 0.9
        await shown.task

    asyncio.run(drag())


def test_what_moves_is_sent_as_one_row_of_numbers_and_lists_of_texts():
    drawing = draw((0.5, np.array([1.0, np.nan])))
    message, numbers = moving(drawing)
    assert message["numbers"][:2] == [[0, "x", 2], [0, "y", 2]]
    assert sum(length for _, _, length in message["numbers"]) == numbers.size
    np.testing.assert_array_equal(numbers[:4], [0, 1, 1, np.nan])
    assert [1, "text", ["0.5"]] in message["texts"]
    colours = next(t for t in message["texts"] if t[1] == "marker.color")
    assert len(colours[2]) == 2


@without_a_loop
def test_an_error_is_shown_in_the_figures_place_and_the_next_value_heals_it():
    shown = panel(broken)
    shown.controls["gamma"].value = 0.85
    assert "gamma must be small, but is 0.85 &lt;tag&gt;" in shown.status.value
    assert shown.plot.layout.display == "none"
    shown.controls["gamma"].value = 0.6
    assert "gamma is 0.6" in shown.status.value
    assert shown.plot.layout.display is None


@without_a_loop
def test_a_drawing_with_one_line_more_is_drawn_in_full_at_rest():
    shown = panel(drawing=draw_more)

    async def drag() -> None:
        shown.controls["gamma"].value = 0.85
        await shown.task

    asyncio.run(drag())
    assert "one line more" in [trace.get("name") for trace in shown.plot.drawing["data"]]


@without_a_loop
def test_no_thread_is_left_behind():
    shown = panel(slow)
    before = set(threading.enumerate())

    async def drag() -> None:
        shown.controls["gamma"].value = 0.9
        await shown.task

    asyncio.run(drag())
    assert set(threading.enumerate()) == before
