"""Every slider of every figure, moved in a real browser: what is drawn is what Python computes."""

from __future__ import annotations

import math
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from qlearn_book import theme
from qlearn_book.explorer import Explorer
from qlearn_book.nearest import Nearest
from qlearn_book.notebooks import chapters, explorers
from tests.browser.conftest import DESKTOP, PHONE

READ = (Path(__file__).parent / "read_figure.js").read_text(encoding="utf-8")
TOLERANCE = 0.6  # pixels: half a pixel of rounding, and a twentieth of quantisation

SET = """([name, indices]) => {
  const root = document.getElementById(name);
  for (const [axis, index] of Object.entries(indices)) {
    const control = root.querySelector(`[data-axis=${axis}]`);
    const range = control.querySelector("input[type=range]");
    const input = range || control.querySelectorAll("input")[index];
    if (range) input.value = index; else input.checked = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""
# Both in one call: what the slider drew, before plotly draws the same state.
MOVE = f"(move) => {{ ({SET})(move); return ({READ.strip().removesuffix(';')})(move[0]); }}"

# Of two pictures: the share of pixels that differ, and that of those that are not background.
COMPARE = """async (pair) => {
  const pixels = async (picture) => {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height).data;
  };
  const [left, right] = await Promise.all(pair.map(pixels));
  const far = (k, other, l) => [0, 1, 2].some((c) => Math.abs(left[k + c] - other[l + c]) > 64);
  let [differ, ink] = [0, 0];
  for (let k = 0; k < left.length; k += 4) {
    differ += far(k, right, k);
    ink += far(k, left, 0);
  }
  return { differ: (4 * differ) / left.length, ink: (4 * ink) / left.length };
}"""
DIFFER = 5e-4  # edges may fall between two pixels


@pytest.fixture(params=chapters(), ids=lambda path: path.stem, scope="module")
def chapter(request) -> tuple[str, list[Explorer]]:
    return request.param.stem, explorers(request.param)


def walks(explorer: Explorer, num_joint: int, seed: int = 0) -> list[dict[str, int]]:
    """Grid indices to visit: each slider over all its values alone, then random joint states."""
    return alone(explorer) + joint(explorer, num_joint, seed)


def alone(explorer: Explorer, *, ends: bool = False) -> list[dict[str, int]]:
    """Each slider over all its values, or only at both ends; the others stand at their start."""
    start = {name: axis.values.index(axis.start) for name, axis in explorer.axes.items()}
    return [
        start | {name: index}
        for name, axis in explorer.axes.items()
        for index in range(0, len(axis.values), len(axis.values) - 1 if ends else 1)
    ]


def joint(explorer: Explorer, num_joint: int, seed: int = 0) -> list[dict[str, int]]:
    rng = np.random.default_rng(seed)
    return [
        {name: int(rng.integers(len(axis.values))) for name, axis in explorer.axes.items()}
        for _ in range(num_joint)
    ]


def pixels(values, axis: dict) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    return axis["shift"] + axis["slope"] * (np.log10(values) if axis["log"] else values)


def steps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The corners of a staircase that holds each y until the next x."""
    return np.column_stack([np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]])


def assert_drawn(seen: dict, drawing: dict, where: str) -> None:
    """The SVG holds exactly the points, texts and colours of the drawing."""
    for index, trace in enumerate(drawing["data"]):
        drawn = seen["traces"].get(str(index))
        x, y = pixels(trace["x"], seen["x"]), pixels(trace["y"], seen["y"])
        inside = ~(np.isnan(x) | np.isnan(y))
        here = f"{where}, trace {index} ({trace.get('name', 'text')})"
        if drawn is None:
            assert not inside.any(), f"{here} is not drawn"
            continue
        points = np.column_stack([x, y])[inside]
        if trace["type"] == "bar":
            base = pixels(trace.get("base", np.zeros(len(x))), seen["y"])
            height = seen["y"]["slope"] * np.asarray(trace["y"], dtype=float)
            bars = np.array([bar[:4] for bar in drawn["bars"]])[: len(x)]
            half = abs(seen["x"]["slope"]) * trace["width"] / 2
            ends = np.sort([base, base + height], axis=0)
            expected = np.column_stack([x - half, x + half, ends[0], ends[1]])[inside]
            np.testing.assert_allclose(bars[inside], expected, atol=1.1, err_msg=here)
            colours = trace["marker"]["color"]
            if not isinstance(colours, str):
                fills = [bar[4] for bar in drawn["bars"]]
                assert fills == [as_rgb(colour) for colour in colours], here
            continue
        if "lines" in trace["mode"]:
            corners = np.array([p for stroke in drawn["lines"] for p in stroke])
            points = np.column_stack([x, y])[inside & joined(inside)]
            if len(points) == 0:
                assert len(corners) <= 1, here
                continue
            if trace["line"].get("shape") == "hv":
                points = steps(points[:, 0], points[:, 1])
            assert corners.shape == points.shape, here
            np.testing.assert_allclose(corners, points, atol=TOLERANCE, err_msg=here)
        if "markers" in trace["mode"]:
            dots = np.array([dot[:2] for dot in drawn["points"]]).reshape(-1, 2)
            np.testing.assert_allclose(
                dots, np.column_stack([x, y])[inside], atol=TOLERANCE, err_msg=here
            )
        if trace["mode"] == "text":
            words = [
                (px, py, word)
                for (px, py), word, ok in zip(
                    np.column_stack([x, y]), trace["text"], inside, strict=True
                )
                if ok and word
            ]
            assert [text[2] for text in drawn["texts"]] == [w[2] for w in words], here
            np.testing.assert_allclose(
                np.array([t[:2] for t in drawn["texts"]]).reshape(-1, 2),
                np.array([w[:2] for w in words]).reshape(-1, 2),
                atol=TOLERANCE,
                err_msg=here,
            )
    assert seen["summary"] == drawing["layout"]["meta"]["summary"], where


def joined(inside: np.ndarray) -> np.ndarray:
    """Which points have a neighbour: a line does not show a point that stands alone."""
    padded = np.pad(inside, 1)
    return padded[:-2] | padded[2:]


def as_rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


def drag_through(visit, url: str, chapter, num_joint: int, ends: bool, **settings):
    """Move every slider alone, then all sliders at once.

    What must be drawn is what Python computes: for the sliders alone when the book was built, for
    the joint states here and now.
    """
    stem, figures = chapter
    here = visit(f"{url}/book/{stem}.html", **settings)
    assert here.figures() == [explorer.name for explorer in figures]
    for explorer in figures:
        built = Nearest(explorer.payload())
        moves = alone(explorer, ends=ends)
        for number, indices in enumerate(moves + joint(explorer, num_joint)):
            values = {name: explorer.axes[name].values[index] for name, index in indices.items()}
            seen = here.page.evaluate(MOVE, [explorer.name, indices])
            drawing = built(values)[0] if number < len(moves) else explorer.at(**values)
            assert_drawn(seen, drawing, f"{stem}: {explorer.name} at {values}")
    return here


def test_every_slider_draws_what_python_computes_on_a_desktop(visit, address, chapter):
    here = drag_through(visit, address, chapter, num_joint=8, ends=False, **DESKTOP)
    assert here.errors == []
    assert [url for url in here.requests if not url.startswith(address)] == []


def test_every_slider_draws_what_python_computes_on_a_phone(visit, address, chapter):
    here = drag_through(visit, address, chapter, num_joint=2, ends=True, **PHONE)
    assert here.errors == []
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert here.page.evaluate(wider) == 0, "the page scrolls sideways"


def test_when_the_reader_points_at_a_figure_plotly_draws_the_same(visit, address, example):
    """The full figure that plotly draws for hovering holds and shows what the slider had drawn."""
    stem, figures = example.stem, explorers(example)
    here = visit(f"{address}/book/{stem}.html")
    here.figures()
    for explorer in figures:
        for indices in joint(explorer, num_joint=2):
            values = {name: explorer.axes[name].values[index] for name, index in indices.items()}
            here.page.mouse.move(0, 0)
            here.page.evaluate(MOVE, [explorer.name, indices])
            here.page.locator(f"#{explorer.name} .qx-plot").hover()
            here.page.wait_for_timeout(500)
            rested = here.page.evaluate(READ, explorer.name)
            drawing = explorer.at(**values)
            assert_drawn(rested, drawing, f"{stem}: {explorer.name} at rest at {values}")
            for held, trace in zip(rested["data"], drawing["data"], strict=True):
                for letter in "xy":
                    at_rest = np.array(held[letter], dtype=float)
                    wanted = np.asarray(trace[letter], dtype=float)
                    axis = rested[letter]
                    np.testing.assert_allclose(
                        pixels(at_rest[: len(wanted)], axis), pixels(wanted, axis), atol=TOLERANCE
                    )
                    assert np.isnan(at_rest[len(wanted) :]).all()


def test_what_a_slider_draws_looks_as_plotly_draws_it(visit, address, example):
    """Not only the coordinates: symbols, texts beside their points, and what the axes cut off."""
    stem, figures = example.stem, explorers(example)
    here = visit(f"{address}/book/{stem}.html")
    here.figures()
    blank = here.page.context.new_page()
    for explorer in figures:
        plot = here.page.locator(f"#{explorer.name} .qx-plot")
        plot.scroll_into_view_if_needed()
        here.page.mouse.move(0, 0)
        [indices] = joint(explorer, num_joint=1, seed=1)
        here.page.evaluate(MOVE, [explorer.name, indices])
        painted = plot.screenshot()
        plot.hover(position={"x": 3, "y": 3})  # plotly draws the state in full, and shows no label
        here.page.wait_for_timeout(500)
        here.page.mouse.move(0, 0)
        pair = [b64encode(picture).decode() for picture in (painted, plot.screenshot())]
        seen = blank.evaluate(COMPARE, pair)
        where = f"{stem}: {explorer.name} at {indices}"
        assert seen["ink"] > 1e-3, f"{where} shows nothing"
        assert seen["differ"] < DIFFER, f"{where}: {seen['differ']:.3%} of the pixels differ"


def test_figures_follow_the_theme(visit, address, example):
    """On a dark page every colour of the palette is drawn as its dark partner."""
    here = visit(f"{address}/book/{example.stem}.html", color_scheme="dark")
    here.figures()
    here.page.wait_for_timeout(600)
    light = {as_rgb(pair[0]) for role, pair in theme.PALETTE.items() if pair[0] != "#ffffff"}
    drawn = here.page.eval_on_selector_all(
        ".qx-plot .cartesianlayer path, .qx-plot .infolayer text, .qx-plot .cartesianlayer text",
        "all => all.flatMap(n => [n.style.stroke, n.style.fill])",
    )
    assert as_rgb(theme.PALETTE["ink"][1]) in drawn or as_rgb(theme.PALETTE["muted"][1]) in drawn
    assert light & set(drawn) == set()


def test_a_play_button_runs_through_time(visit, address, example):
    stem, figures = example.stem, explorers(example)
    here = visit(f"{address}/book/{stem}.html")
    here.figures()
    for explorer in figures:
        for name, axis in explorer.axes.items():
            if not axis.play:
                continue
            last = len(axis.values) - 1
            here.page.evaluate(SET, [explorer.name, {name: max(0, last - 2)}])
            control = here.page.locator(f"#{explorer.name} [data-axis={name}]")
            control.locator(".qx-play").click()
            slider = here.page.locator(f"#{explorer.name}-{name}")
            expect(slider).to_have_value(str(last), timeout=5000)
            expect(control.locator(".qx-play")).to_have_attribute("aria-pressed", "false")


def test_arrow_keys_move_a_slider(visit, address, example):
    stem, figures = example.stem, explorers(example)
    here = visit(f"{address}/book/{stem}.html")
    for name in here.figures():
        slider = here.page.locator(f"#{name} input[type=range]").first
        before = int(slider.input_value())
        slider.focus()
        here.page.keyboard.press("ArrowLeft" if before else "ArrowRight")
        after = int(slider.input_value())
        assert abs(after - before) == 1
        spoken = slider.get_attribute("aria-valuetext")
        explorer = next(e for e in figures if e.name == name)
        axis = next(a for a in explorer.axes.values() if a.is_number)
        assert math.isclose(float(spoken), axis.values[after], rel_tol=1e-5)
