"""One figure of the book beside itself as other tools publish it, on pages that need no kernel.

The figure is `contraction` of the chapter on value iteration: three sliders, a thousand joint
states.  The peers are built as their documentation shows, with all code inside their pages: a
reader of theirs may load it from other servers, which is not counted here.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, sync_playwright

from benchmarks.arrival import Arrival, Face, arrive, open_page
from benchmarks.dragging import drag, tail, watch
from benchmarks.page import GOALS, LOADS, REASON, face
from benchmarks.peers import absent
from benchmarks.report import OURS
from benchmarks.timing import Row, judged
from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import BOOK, explorers
from tests.browser.chromium import find_chromium, launch
from tests.browser.server import SITE, serving

ONE_SLIDER = "Jupyter Book + plotly, γ alone"
ALL_ON_ONE = "Jupyter Book + plotly, all on 1"
PANEL_EMBED = "Panel embed, 3 sliders"
KINDS = ("html", "scripts", "styles", "fonts", "figure data", "other")

CONFIG = (
    "title: Peer\nonly_build_toc_files: true\nexecute: {execute_notebooks: force, timeout: 600}\n"
)
TOC = "format: jb-book\nroot: index\n"
# plotly knows sliders over frames, and each of them sets the whole frame: one is all that can
# move jointly with nothing. `names` is one slider, or the product of all of them on one.
PLOTLY = """
import itertools
import plotly.graph_objects as go
import plotly.io as pio
from qlearn_book.figures import value_iteration as figure
from qlearn_core.experiments import value_iteration as experiment

pio.renderers.default = "notebook"
axes, start, names = {axes!r}, {start!r}, {names!r}
states = [start | dict(zip(names, values))
          for values in itertools.product(*(axes[name] for name in names))]
drawings = [figure.contraction(experiment.contraction(**state)) for state in states]
shown = go.Figure(figure.contraction(experiment.contraction(**start)))
shown.frames = [go.Frame(data=d["data"], name=str(k)) for k, d in enumerate(drawings)]
now = dict(mode="immediate", frame=dict(duration=0, redraw=False), transition=dict(duration=0))
shown.update_layout(sliders=[dict(active=states.index(start), steps=[
    dict(method="animate", args=[[str(k)], now], label=", ".join(f"{{state[n]:g}}" for n in names))
    for k, state in enumerate(states)])])
shown.show()
"""
PANEL = """
import panel as pn
import plotly.graph_objects as go
from bokeh.resources import INLINE
from qlearn_book.figures import value_iteration as figure
from qlearn_core.experiments import value_iteration as experiment

pn.extension("plotly")
axes, start, target = {axes!r}, {start!r}, {target!r}
sliders = {{n: pn.widgets.DiscreteSlider(name=n, options=list(values), value=start[n])
           for n, values in axes.items()}}
def draw(**state):
    return go.Figure(figure.contraction(experiment.contraction(**state)))
page = pn.Column(*sliders.values(), pn.pane.Plotly(pn.bind(draw, **sliders), width=760))
page.save(target, embed=True, max_states={states}, max_opts={options}, resources=INLINE)
"""


def plotly_book(folder: Path, explorer: Explorer, names: list[str]) -> Path:
    """Build a Jupyter Book of one page, with these sliders of the figure in one of plotly's."""
    (book := folder / "book").mkdir(parents=True)
    axes = {name: list(axis.values) for name, axis in explorer.axes.items()}
    code = PLOTLY.format(axes=axes, start=explorer.start, names=names)
    cells = [nbformat.v4.new_markdown_cell("# The figure"), nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), book / "index.ipynb")
    (book / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (book / "_toc.yml").write_text(TOC, encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", book]
    subprocess.run(command, check=True, capture_output=True)
    site = book / "_build" / "html"
    if (site / "reports").exists():  # a cell that fails does not end the build
        raise RuntimeError(next((site / "reports").glob("*.log")).read_text(encoding="utf-8"))
    return site


def panel_page(folder: Path, explorer: Explorer) -> Path:
    """Let Panel embed all states of the figure into one page."""
    folder.mkdir(parents=True)
    axes = {name: list(axis.values) for name, axis in explorer.axes.items()}
    program = PANEL.format(
        axes=axes,
        start=explorer.start,
        target=str(folder / "index.html"),
        states=explorer.num_states,
        options=max(map(len, axes.values())),
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return folder


def rows() -> tuple[list[Row], list[str]]:
    if not (SITE / "index.html").is_file():
        return [], ["page_peers: left out, because there is no built site; run `make book` first"]
    if find_chromium() is None:
        return [], ["page_peers: left out, because there is no Chromium; `make test` installs one"]
    missing = absent("panel")
    explorer = explorers(BOOK / "value_iteration.ipynb")[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def served(site: Path) -> str:
            return stack.enter_context(serving(site))

        faces = [
            replace(face(f"{served(SITE)}/book/value_iteration.html", "contraction"), name=OURS)
        ]
        for name, sliders in ((ONE_SLIDER, ["gamma"]), (ALL_ON_ONE, list(explorer.axes))):
            site = plotly_book(folder / str(len(faces)), explorer, sliders)
            faces.append(plotly_face(name, served(site)))
        if not missing:
            faces.append(panel_face(served(panel_page(folder / "panel", explorer))))
        browser = launch(stack.enter_context(sync_playwright()))
        measured = arrivals(browser, faces) + moves(browser, faces)
        browser.close()
    return measured, missing


def plotly_face(name: str, address: str) -> Face:
    return Face(
        name,
        f"{address}/index.html",
        plot=".js-plotly-plot .cartesianlayer",
        handle=".slider-grip-rect",
        rail=".slider-rail-touch-rect",
        values="document.querySelector('.js-plotly-plot').layout.sliders[0].active",
    )


def panel_face(address: str) -> Face:
    return Face(
        PANEL_EMBED,
        f"{address}/index.html",
        plot=".js-plotly-plot .cartesianlayer",
        handle=".noUi-handle",
        rail=".noUi-base",
        values="Bokeh.documents[0].all_models.size && [...Bokeh.documents[0].all_models]"
        ".filter((model) => model.type.endsWith('Slider')).map((model) => model.value)",
    )


def arrivals(browser: Browser, faces: list[Face]) -> list[Row]:
    """First figure, first answer and bytes of visits with an empty cache, in turn."""
    visits: dict[str, list[Arrival]] = {one.name: [] for one in faces}
    for _ in range(LOADS):
        for one in faces:
            visits[one.name].append(arrive(browser, one))
    measured = []
    for what, wait in (
        ("wait for, the first figure", "figure"),
        ("wait for, a first answer", "answer"),
    ):
        waits = {name: [getattr(v, wait) for v in seen] for name, seen in visits.items()}
        measured += beside_ours([tail(what, name, values) for name, values in waits.items()])
    last = {name: seen[-1] for name, seen in visits.items()}
    measured += beside_ours(
        [fixed("on the wire, all", n, v.bytes.total() / 1e3) for n, v in last.items()]
    )
    for name, visit in last.items():
        kinds = [kind for kind in KINDS if visit.bytes[kind]]
        measured += [fixed(f"on the wire, {kind}", name, visit.bytes[kind] / 1e3) for kind in kinds]
        measured.append(fixed("requests to other servers", name, visit.elsewhere, unit=""))
    return measured


def fixed(case: str, variant: str, value: float, unit: str = "kB") -> Row:
    """A row of what is the same at every visit."""
    return Row(case, variant, unit, value, value, value, rounds=1)


def moves(browser: Browser, faces: list[Face]) -> list[Row]:
    """A mouse drags each slider of each face, at full speed and with a slow CPU."""
    measured = []
    for rate, goal in GOALS.items():
        seen = [
            tail(f"drag to paint, CPU {rate}x", f.name, list(drags(browser, f, rate)))
            for f in faces
        ]
        measured += beside_ours([replace(row, case=f"{row.case}, p50") for row in seen])
        late = [
            replace(row, case=f"{row.case}, p95", median=row.high, low=row.high) for row in seen
        ]
        ours, *others = beside_ours(late)
        met = ours.median <= goal
        measured += [judged(ours, f"≤ {goal:.1f} ms", met, REASON), *others]
    return measured


def drags(browser: Browser, one: Face, rate: int) -> Iterator[float]:
    context, page, _ = open_page(browser, one)
    if one.skip:
        page.locator(one.skip).first.click()
    rails, handles = page.locator(one.rail), page.locator(one.handle)
    rails.first.wait_for()
    page.wait_for_timeout(2_000)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
    watch(page, one.plot)
    for number in range(handles.count()):
        yield from drag(page, handles.nth(number), rails.nth(number), one.values)
    context.close()


def beside_ours(rows: list[Row]) -> list[Row]:
    """The rows of one case, ours first, with their ratios to ours, which should be above 1."""
    ours, *others = [replace(row, ratio=row.median / rows[0].median) for row in rows]
    return [ours, *(judged(o, "> 1×", o.ratio > 1, "it is ahead of us here") for o in others)]
