"""The chapters in a real JupyterLab with a real kernel: run, drag, see the figure answer."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import chapters, explorers
from tests.browser.lab import SCREEN, lab_on, open_figure, run_notebook, scroll_to

DATA = """node => node.querySelector(".js-plotly-plot").data
    .map((trace) => [Array.from(trace.x), Array.from(trace.y)])"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    with lab_on(chapters(), tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_a_chapter_runs_and_a_dragged_slider_moves_its_figure(lab, visit, example):
    page = visit("about:blank", **SCREEN).page
    run_notebook(page, lab, example)
    for number, explorer in enumerate(explorers(example)):
        move_first_control(page, open_figure(page, number, explorer), explorer)


def test_the_phone_is_played_in_a_notebook(lab, visit):
    page = visit("about:blank", **SCREEN).page
    run_notebook(page, lab, next(path for path in chapters() if path.stem == "device"))
    scroll_to(page, 0, "PlayablePhone")
    root = page.locator("figure.phone[data-ready=true]")
    root.wait_for(timeout=60_000)
    root.locator(".phone-screen").click(position={"x": 75, "y": 75})
    assert root.get_attribute("data-step") == "1"
    assert "Step 1 of 15" in root.locator(".phone-said").inner_text()
    assert root.locator(".phone-values tbody tr").first.locator("td").count() == 3


def move_first_control(page, panel, explorer: Explorer) -> None:
    """Drag the first slider, or choose another word where there is none, and wait until the figure
    holds what Python computes at the value shown."""
    sliders = [(name, axis) for name, axis in explorer.axes.items() if axis.is_number]
    name, axis = (sliders or list(explorer.axes.items()))[0]
    if sliders:
        drag(page, panel)
    else:
        word = next(value for value in axis.values if value != axis.start)
        panel.get_by_role("button", name=word, exact=True).first.click()
    end = time.monotonic() + 30
    while True:
        if sliders:
            shown = float(panel.locator(".widget-readout").first.inner_text())
            value = int(shown) if isinstance(axis.start, int) else shown
        else:
            value = word
        wanted = explorer.at(**{name: value})
        drawn = panel.evaluate(DATA)
        if value != axis.start and agree(drawn, wanted):
            assert (
                panel.locator(".widget-html").last.inner_text()
                == wanted["layout"]["meta"]["summary"]
            )
            return
        says = panel.locator(".widget-html").last.inner_text()
        assert time.monotonic() < end, f"{explorer.name} at {name} = {value} says: {says}"
        page.wait_for_timeout(100)


def drag(page, panel) -> None:
    """Drag the first slider of a panel into its other half."""
    handle = panel.locator(".noUi-handle").first
    handle.wait_for(timeout=30_000)
    handle.scroll_into_view_if_needed()
    rail = panel.locator(".noUi-base").first.bounding_box()
    knob = handle.bounding_box()
    middle = knob["y"] + knob["height"] / 2
    right_half = knob["x"] > rail["x"] + rail["width"] / 2
    page.mouse.move(knob["x"] + knob["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(rail["x"] + rail["width"] * (0.25 if right_half else 0.75), middle, steps=12)
    page.mouse.up()


def agree(drawn: list, wanted: dict) -> bool:
    return len(drawn) == len(wanted["data"]) and all(
        len(values) == len(trace[letter])
        and np.allclose(np.array(values, float), trace[letter], equal_nan=True)
        for (x, y), trace in zip(drawn, wanted["data"], strict=True)
        for letter, values in (("x", x), ("y", y))
    )
