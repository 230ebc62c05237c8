"""The chapters in a real JupyterLab with a real kernel: run, drag, see the figure answer."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import chapters, explorers

DATA = """node => node.querySelector(".js-plotly-plot").data
    .map((trace) => [Array.from(trace.x), Array.from(trace.y)])"""
CODE = (
    "window.jupyterapp.shell.currentWidget.content.widgets.filter((c) => c.model.type === 'code')"
)
ERRORS = f"""{CODE}.flatMap((c) => c.model.sharedModel.getOutputs())
    .filter((o) => o.output_type === 'error').map((o) => `${{o.ename}}: ${{o.evalue}}`)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """The address of a JupyterLab on a copy of the chapters; their originals stay untouched."""
    folder = tmp_path_factory.mktemp("lab")
    for chapter in chapters():
        shutil.copy(chapter, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("QLEARN_BOOK")}
    home = {
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),
        "JUPYTER_DATA_DIR": str(folder / ".data"),
    }
    with open(folder / "lab.log", "wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
                f"--port={port}",
                "--ServerApp.port_retries=0",
                "--IdentityProvider.token=",
                f"--ServerApp.root_dir={folder}",
                "--LabApp.expose_app_in_browser=True",
            ],
            env=environment | home,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api/status", server, folder / "lab.log")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not answer within {seconds} s: {log.read_text()[-2000:]}")


def until(page, condition: str, seconds: float) -> None:
    """Wait until a JavaScript expression is true."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        kernel = page.locator(".jp-Dialog button.jp-mod-accept", has_text="Select")
        if kernel.is_visible():  # now and then the Lab asks which kernel; a reader says yes
            kernel.click()
        page.wait_for_timeout(200)


def execute(page, command: str) -> None:
    page.evaluate("command => window.jupyterapp.commands.execute(command)", command)


def run(lab: str, visit, chapter: Path):
    """The page of a chapter all of whose cells have run without an error."""
    here = visit(
        f"{lab}/lab/workspaces/{chapter.stem}/tree/{chapter.name}",
        viewport={"width": 1400, "height": 1000},
    )
    page = here.page
    until(
        page,
        "window.jupyterapp?.shell.currentWidget?.sessionContext"
        "?.session?.kernel?.status === 'idle'",
        seconds=90,
    )
    execute(page, "notebook:clear-all-cell-outputs")  # and the numbers of cells that ran elsewhere
    execute(page, "notebook:run-all-cells")
    until(page, f"{CODE}.every((c) => c.model.executionCount) || {ERRORS}.length > 0", seconds=240)
    assert page.evaluate(ERRORS) == []
    return page


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_a_chapter_runs_and_a_dragged_slider_moves_its_figure(lab, visit, chapter):
    figures = explorers(chapter)
    page = run(lab, visit, chapter)
    for number, explorer in enumerate(figures):
        panel = page.locator(".qlearn-explorer", has_text=explorer.title)
        scroll_to(page, "Explorer", number)
        if explorer.predict:
            asked = page.locator(".jp-OutputArea-output", has_text=explorer.predict.question)
            asked.get_by_role("button", name="Skip").click(timeout=60_000)
        panel.locator(".js-plotly-plot .plot-container").first.wait_for(timeout=60_000)
        drag_first_slider(page, panel, explorer)


def test_the_phone_is_played_in_a_notebook(lab, visit):
    page = run(lab, visit, next(path for path in chapters() if path.stem == "device"))
    scroll_to(page, "PlayablePhone", 0)
    root = page.locator("figure.phone[data-ready=true]")
    root.wait_for(timeout=60_000)
    root.locator(".phone-screen").click(position={"x": 75, "y": 75})
    assert root.get_attribute("data-step") == "1"
    assert "Step 1 of 15" in root.locator(".phone-said").inner_text()


def scroll_to(page, name: str, number: int) -> None:
    """JupyterLab attaches cells only near the screen: bring the n-th figure's cell into view."""
    page.evaluate(
        """([name, number]) => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          const cells = notebook.widgets
            .map((cell, index) => [cell, index])
            .filter(([cell]) => cell.model.type === "code")
            .filter(([cell]) => `\\n${cell.model.sharedModel.source}`.includes(`\\n${name}(`));
          return notebook.scrollToItem(cells[number][1], "start");
        }""",
        [name, number],
    )


def drag_first_slider(page, panel, explorer: Explorer) -> None:
    """Drag, and wait until the figure holds what Python computes at the value shown."""
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
    name, axis = next((n, a) for n, a in explorer.axes.items() if a.is_number)
    end = time.monotonic() + 30
    while True:
        shown = float(panel.locator(".widget-readout").first.inner_text())
        value = int(shown) if isinstance(axis.start, int) else shown
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


def agree(drawn: list, wanted: dict) -> bool:
    return len(drawn) == len(wanted["data"]) and all(
        len(values) == len(trace[letter])
        and np.allclose(np.array(values, float), trace[letter], equal_nan=True)
        for (x, y), trace in zip(drawn, wanted["data"], strict=True)
        for letter, values in (("x", x), ("y", y))
    )
