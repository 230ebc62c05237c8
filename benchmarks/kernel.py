"""What a reader in JupyterLab waits for: from a move of a slider to the figure that answers it.

Every chapter runs in a real JupyterLab; a mouse drags every slider of every figure from one end to
the other.  The compiled loops are on disk before, as they are for a reader after the first chapter.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.dragging import drag, in_rounds, press, tail, watch
from benchmarks.timing import Row, judged
from qlearn_book import notebooks
from qlearn_book.explorer import Explorer
from tests.browser.chromium import find_chromium, launch
from tests.browser.lab import SCREEN, lab_on, open_figure, run_notebook, scroll_to

MOVED = "a move of a slider or word"
GOAL = 100.0  # ms, of the 95th percentile
REASON = "message by message through JupyterLab: slider, server, kernel and back"
VALUES = "[...document.querySelectorAll('.widget-readout')].map((shown) => shown.textContent)"
# What the documentation of ipywidgets and plotly offers for the same figure.
STOCK = """
import ipywidgets as widgets
import plotly.graph_objects as go
from qlearn_book.figures import value_iteration as figure
from qlearn_core.experiments import value_iteration as experiment

gamma = widgets.FloatSlider(0.9, min=0.5, max=0.99, step=0.001)
alpha = widgets.FloatSlider(1.0, min=0.1, max=1.0, step=0.01)
depth = widgets.IntSlider(8, min=2, max=32)
def draw():
    return figure.contraction(
        experiment.contraction(gamma=gamma.value, alpha=alpha.value, depth=depth.value))
shown = go.FigureWidget(draw())
def update(change):
    drawing = draw()
    with shown.batch_update():
        for trace, new in zip(shown.data, drawing["data"]):
            trace.x, trace.y = new["x"], new["y"]
            if "text" in new:
                trace.text = new["text"]
for slider in (gamma, alpha, depth):
    slider.observe(update, names="value")
panel = widgets.VBox([gamma, alpha, depth, shown])
panel.add_class("stock")
panel
"""


def rows(chapters: list[str] | None = None) -> tuple[list[Row], list[str]]:
    """Two rows for each figure of these chapters (stems; None is all), and one of the peer."""
    if find_chromium() is None:
        return [], ["kernel: left out, because there is no Chromium; `make test` installs one"]
    chosen = [path for path in notebooks.chapters() if chapters is None or path.stem in chapters]
    if any(one.stored() is None for path in chosen for one in notebooks.explorers(path)):
        return [], ["kernel: left out, because the book's grids are missing; run `make book` first"]
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        stock = Path(folder) / "stock.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STOCK)]), stock)
        (served := Path(folder) / "lab").mkdir()
        with lab_on([*chosen, stock], served) as lab, sync_playwright() as playwright:
            browser = launch(playwright)
            for chapter in chosen:
                measured += chapter_rows(browser, lab, chapter)
            measured.append(stock_row(browser, lab, stock))
            browser.close()
    return [with_goal(row) for row in measured], []


def stock_row(browser: Browser, lab: str, notebook: Path) -> Row:
    page = browser.new_page(**SCREEN)
    run_notebook(page, lab, notebook)
    page.wait_for_selector(".stock .cartesianlayer .js-line")
    page.wait_for_timeout(1_000)
    watch(page, ".stock .cartesianlayer")
    answers = drag_all(page, page.locator(".stock"))
    page.close()
    return tail("value_iteration: contraction", "contraction, stock ipywidgets", answers)


def chapter_rows(browser: Browser, lab: str, chapter: Path) -> list[Row]:
    figures = notebooks.explorers(chapter)
    for explorer in figures:
        explorer.at()  # compiles
    page = browser.new_page(**SCREEN)
    run_notebook(page, lab, chapter)
    panels = [open_figure(page, number, explorer) for number, explorer in enumerate(figures)]
    measured = in_rounds(lambda: answers(page, chapter.stem, figures, panels))
    page.close()
    return measured


def answers(
    page: Page, chapter: str, figures: list[Explorer], panels: list[Locator]
) -> Iterator[Row]:
    """Two rows for each figure of a notebook that is open, from one round of dragging."""
    for number, (explorer, panel) in enumerate(zip(figures, panels, strict=True)):
        scroll_to(page, number)
        panel.evaluate("panel => (panel.id = 'measured')")
        page.wait_for_timeout(1_000)
        watch(page, "#measured .js-plotly-plot", "data-painted")
        case = f"{chapter}: {explorer.name}"
        yield tail(case, MOVED, drag_all(page, panel))
        yield tail(case, "the exact state, at rest", [settled(page, panel)])
        panel.evaluate("panel => panel.removeAttribute('id')")


def with_goal(row: Row) -> Row:
    if row.variant != MOVED:
        return row
    return judged(row, f"p95 ≤ {GOAL:.0f} ms", row.high <= GOAL, REASON)


def drag_all(page: Page, panel: Locator) -> list[float]:
    """The answers to a drag of each slider of a panel in turn; without one, to its words."""
    handles, rails = panel.locator(".noUi-handle"), panel.locator(".noUi-base")
    if not handles.count():
        return press(page, panel.locator(".widget-toggle-button"))
    found = []
    for number in range(handles.count()):
        found += drag(page, handles.nth(number), rails.nth(number), VALUES)
    return found


def settled(page: Page, panel: Locator) -> float:
    """ms after a drag until the sentence is no longer that of a state shown meanwhile."""
    began = time.perf_counter()
    while "Computing" in (says := panel.locator(".widget-html").last.inner_text()):
        page.wait_for_timeout(20)
    if "Traceback" in says:
        raise RuntimeError(f"a figure answered with an error: {says}")
    return 1e3 * (time.perf_counter() - began)
