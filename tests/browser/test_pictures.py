"""Pictures are drawn as plotly draws, tables and CSV in the browser are those of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from qlearn_book import marks, table
from qlearn_book.explorer import Explorer
from qlearn_book.grid import plain
from qlearn_book.notebooks import BOOK, explorers
from qlearn_book.picture.svg import palette_css, svg
from qlearn_book.theme import BLUE, DARK, INK, ORANGE
from tests.browser.test_figures import walks

WIDTHS = (720, 345)  # a desktop's column, a phone
TOLERANCE = 0.6  # pixels
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Pictures</title>
<link rel="stylesheet" href="/_static/vendor/fonts/fonts.css"><style>{css}</style>
<script>window.qlearn = {{}};</script><script src="/_static/vendor/plotly/plotly-basic.min.js">
</script><div id="left" style="width:720px"></div><div id="right" style="width:720px"></div>"""

#: Draws one drawing twice and reads both from the screen, in pixels from the corner of each.
READ = """async ([picture, drawing, width]) => {
  const [left, right] = ["left", "right"].map((id) => document.getElementById(id));
  left.style.width = right.style.width = `${width}px`;
  left.innerHTML = picture;
  await document.fonts.load("14px 'Source Sans 3'", "0α");
  await Plotly.newPlot(right, drawing.data, drawing.layout, { displayModeBar: false });
  const seen = (root) => {
    const corner = root.getBoundingClientRect();
    const paths = (selector) => [...root.querySelectorAll(selector)].map((node) => {
      const { a, d, e, f } = node.getScreenCTM();
      return [node.getAttribute("d"), a, d, e - corner.left, f - corner.top];
    });
    const texts = [...root.querySelectorAll("text")].map((node) => {
      const box = node.getBoundingClientRect();
      const word = node.textContent.replaceAll("\\u200b", "").trim();
      return [word, box.left - corner.left, box.right - corner.left, box.bottom - corner.top];
    });
    return { paths, texts };
  };
  const [mine, theirs] = [seen(left), seen(right)];
  const diamond = "svg > g > svg > path";
  return {
    mine: {
      lines: mine.paths('path[fill="none"], path[fill*=rgba]'),
      dots: mine.paths("path[stroke-linecap]"),
      diamonds: mine.paths(diamond),
      bars: mine.paths(`path[fill]:not([fill="none"], [fill*=rgba])`),
      texts: mine.texts,
    },
    theirs: {
      lines: theirs.paths(".js-line, .js-fill"),
      dots: theirs.paths('.scatterlayer .point:not([style*="fill-opacity: 0;"])'),
      bars: theirs.paths(".bars .point > path"),
      texts: theirs.texts.filter(([word]) => word),
    },
  };
}"""

TABLE = """([drawing, caption, html]) => {
  const rows = window.qlearn.rows(drawing);
  const made = window.qlearn.tableOf(rows, caption);
  const parsed = document.createElement("template");
  parsed.innerHTML = html;
  return { rows, csv: window.qlearn.csvOf(rows), same: made.isEqualNode(parsed.content.firstChild),
           tags: [...new Set([...made.querySelectorAll("*")].map((node) => node.localName))] };
}"""


@pytest.fixture(scope="module")
def desk(browser: Browser, address: str) -> Iterator[Page]:
    """An empty page with the book's fonts, plotly and table.js."""
    context = browser.new_context(viewport={"width": 800, "height": 1000})
    page = context.new_page()
    body = PAGE.format(css=palette_css())
    page.route(
        f"{address}/desk.html", lambda route: route.fulfill(content_type="text/html", body=body)
    )
    page.goto(f"{address}/desk.html")
    page.add_script_tag(path=BOOK.parent / "qlearn_book" / "browser" / "table.js")
    yield page
    context.close()


@pytest.fixture(params=sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem, scope="module")
def figures(request) -> list[Explorer]:
    return explorers(request.param)


# --- pictures ------------------------------------------------------------------------------------

PIECE = re.compile(r"([MLHVZlhvz])([^MLHVZlhvz]*)")
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")


def strokes(d: str, across: float, down: float, left: float, top: float) -> list[np.ndarray]:
    """The polylines of path data on the screen."""
    found: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for letter, rest in PIECE.findall(d):
        numbers = [float(number) for number in NUMBER.findall(rest)]
        if letter in "zZ":
            found[-1].append(found[-1][0])
        elif letter in "HVhv":
            for number in numbers:
                base = 0 if letter in "HV" else (x if letter == "h" else y)
                x, y = (base + number, y) if letter in "Hh" else (x, base + number)
                found[-1].append((x, y))
        else:
            if letter == "M":
                found.append([])
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                x, y = (x + dx, y + dy) if letter == "l" else (dx, dy)
                found[-1].append((x, y))
    return [np.array(stroke) * (across, down) + (left, top) for stroke in found]


def segments(paths: list) -> np.ndarray:
    """The straight pieces of all curves: (n, start and end, x and y)."""
    found = [
        np.stack([s[:-1], s[1:]], axis=1) for path in paths for s in strokes(*path) if len(s) > 1
    ]
    return np.concatenate([np.zeros((0, 2, 2)), *found])


def within(points: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    x, y = points.T
    left, right, top, bottom = box
    return points[(x > left) & (x < right) & (y > top) & (y < bottom)]


def sampled(pieces: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Points along straight pieces, two pixels apart at most, as far as they lie in the box."""
    points = [np.zeros((0, 2))]
    for start, end in pieces:
        count = int(np.hypot(*(end - start)) / 2) + 2
        points.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return within(np.concatenate(points), box)


def distances(points: np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """From every point to the nearest of the straight pieces."""
    start, along = pieces[:, 0], pieces[:, 1] - pieces[:, 0]
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((points[:, None] - start) * along).sum(axis=2) / length, 0, 1)
    nearest = start + share[..., None] * along
    return np.hypot(*np.moveaxis(points[:, None] - nearest, 2, 0)).min(axis=1)


def assert_on(points: np.ndarray, pieces: np.ndarray, where: str) -> None:
    """No point is farther than the tolerance from the straight pieces."""
    for chunk in np.array_split(points, len(points) // 500 + 1):
        if len(chunk):
            assert len(pieces), f"{where}: nothing there"
            away = distances(chunk, pieces)
            worst = chunk[away.argmax()]
            assert away.max() <= TOLERANCE, f"{where}: {away.max():.2f} px away at {worst}"


def boxes(paths: list) -> np.ndarray:
    found = [np.ravel([s.min(axis=0), s.max(axis=0)]) for path in paths for s in strokes(*path)]
    return np.array(found).reshape(-1, 4)


def assert_same_drawing(desk: Page, drawing: dict, width: int, where: str) -> None:
    oracle = plain(drawing)
    for trace in oracle["data"]:
        if "line" in trace:
            trace["line"]["simplify"] = False  # plotly drops points of steep curves
    seen = desk.evaluate(READ, [svg(drawing), oracle, width])
    mine, theirs = seen["mine"], seen["theirs"]
    margin, height = drawing["layout"]["margin"], drawing["layout"]["height"]
    box = (margin["l"], width - margin["r"], margin["t"], height - margin["b"])
    curves, their_curves = (segments(side["lines"]) for side in (mine, theirs))
    assert_on(sampled(curves, box), their_curves, f"{where}, curves")
    assert_on(sampled(their_curves, box), curves, f"{where}, curves of plotly")
    dots = [s[0] for path in mine["dots"] for s in strokes(*path)]
    dots = np.array(dots + [path[3:] for path in mine["diamonds"]]).reshape(-1, 2)
    their_dots = np.array([path[3:] for path in theirs["dots"]]).reshape(-1, 2)
    assert_on(within(dots, box), np.stack([their_dots] * 2, axis=1), f"{where}, dots")
    assert_on(within(their_dots, box), np.stack([dots] * 2, axis=1), f"{where}, dots of plotly")
    bars, their_bars = (np.sort(boxes(side["bars"]), axis=0) for side in (mine, theirs))
    # plotly draws bars to whole pixels
    np.testing.assert_allclose(bars, their_bars, atol=1.1, err_msg=where)
    words, their_words = (sorted(side["texts"]) for side in (mine, theirs))
    assert [word[0] for word in words] == [word[0] for word in their_words], where
    for word, other in zip(words, their_words, strict=True):
        assert np.abs(np.subtract(word[1:], other[1:])).max() <= TOLERANCE, (where, word, other)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_picture_shows_what_plotly_draws_at_the_same_pixels(desk, figures, width):
    for explorer in figures:
        assert_same_drawing(desk, explorer.at(), width, f"{explorer.name} at {width} px")


def test_every_mark_in_one_drawing_is_drawn_as_plotly_draws_it(desk):
    drawing = marks.axes(x=("a long name", 0, 40_000), y=("Σ ε", -0.03, 0.02))
    x = np.linspace(1_000, 39_000, 20)
    wave = 0.015 * np.sin(x / 3_000)
    marks.bars(drawing, x, wave / 2, "bars", ORANGE, width=900)
    marks.band(drawing, x, wave - 0.01, wave + 0.01, "band", BLUE)
    for dash in ("solid", "dot", "dash"):
        marks.line(drawing, x, wave + 0.001, dash, INK, dash=dash, steps=dash == "dash")
    gaps = np.where(np.arange(20) % 7 == 3, np.nan, 2 * wave)  # leaves the plot too
    marks.line(drawing, x, gaps, "gaps", ORANGE, dots=True)
    marks.points(drawing, x, wave / 3, "diamonds", BLUE, symbol="diamond", size=11)
    for vertical in ("top", "middle", "bottom"):
        for horizontal in ("left", "center", "right"):
            where = f"{vertical} {horizontal}"
            marks.write(drawing, [20_000], [0], [where], where=where, size=11)
    marks.write(drawing, [5_000], [0], [" apart "], where="middle right")
    for width in WIDTHS:
        assert_same_drawing(desk, drawing, width, f"all marks at {width} px")


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize(
    ("low", "high"),
    [(0.3, 32.7), (0.0023, 0.41), (1, 9_400), (1, 60_000), (0.02, 3_000_000), (99, 10_001)],
)
def test_ticks_stand_where_plotly_sets_them_and_say_the_same(desk, low, high, scale):
    drawing = marks.axes(x=("x", low, high, scale), y=("y", low, high, scale))
    marks.points(drawing, [low], [high], "corner", BLUE)
    assert_same_drawing(desk, drawing, WIDTHS[0], f"{low} to {high}, {scale}")


def test_a_picture_takes_the_colours_of_a_dark_page_and_prints_in_light_ones(desk):
    drawing = marks.axes(x=("x", 0, 1), y=("y", 0, 1))
    marks.line(drawing, [0, 1], [0, 1], "line", BLUE)
    desk.evaluate("html => document.getElementById('left').innerHTML = html", svg(drawing))
    colour = "getComputedStyle(document.querySelector('#left path[fill=none]')).stroke"
    rgb = {
        name: "rgb({}, {}, {})".format(*bytes.fromhex(hexed[1:]))
        for name, hexed in (("light", BLUE), ("dark", DARK[BLUE]))
    }
    assert desk.evaluate(colour) == rgb["light"]
    try:
        desk.evaluate("document.documentElement.dataset.theme = 'dark'")
        assert desk.evaluate(colour) == rgb["dark"]
        desk.emulate_media(media="print")
        assert desk.evaluate(colour) == rgb["light"]
    finally:
        desk.emulate_media(media="screen")
        desk.evaluate("delete document.documentElement.dataset.theme")


def test_the_picture_of_a_figure_stays_small(figures):
    for explorer in figures:
        drawing = explorer.at()
        assert len(svg(drawing).encode()) <= 15_000, explorer.name
        assert len(table.html(drawing, explorer.title).encode()) <= 25_000, explorer.name


# --- tables --------------------------------------------------------------------------------------


def assert_same_table(desk: Page, drawing: dict, where: str) -> None:
    drawing = plain(drawing)
    caption = f"<b>{where}</b>"
    seen = desk.evaluate(TABLE, [drawing, caption, table.html(drawing, caption)])
    header, rows = table.rows(drawing)
    assert seen["rows"] == [list(header), [list(row) for row in rows]], where
    assert seen["csv"] == table.csv(drawing), where
    assert set(seen["tags"]) <= {"caption", "thead", "tbody", "tr", "th", "td"}, where
    assert seen["same"], where


def test_tables_in_the_browser_are_those_of_python_at_every_visited_state(desk, figures):
    for explorer in figures:
        for indices in walks(explorer, num_joint=3)[::5]:
            values = {name: explorer.axes[name].values[i] for name, i in indices.items()}
            assert_same_table(desk, explorer.at(**values), f"{explorer.name} at {values}")


NAMES = st.one_of(
    st.sampled_from(["<script>alert(1)</script>", "=1+1", "a,b", 'say "so"', "two\nlines", "&lt;"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9),
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
HEIGHTS = st.one_of(st.none(), FLOATS, st.integers(-9, 9))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(NAMES, min_size=1, max_size=4),
    heights=st.lists(HEIGHTS, min_size=1, max_size=8),
    titles=st.tuples(NAMES, NAMES),
)
def test_no_name_and_no_number_is_written_differently_in_the_browser(desk, names, heights, titles):
    drawing = marks.axes(x=(titles[0], 0, 1), y=(titles[1], 0, 1))
    for name in names:
        marks.line(drawing, np.arange(len(heights)), np.array(heights, float), name, BLUE)
    assert_same_table(desk, drawing, str(titles))
