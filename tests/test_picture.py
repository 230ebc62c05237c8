"""The pictures that stand in for plotly: ticks, paths, and what an SVG may hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlearn_book import marks
from qlearn_book.picture.path import path, percent, runs, short, steps
from qlearn_book.picture.svg import palette_css, svg
from qlearn_book.picture.ticks import (
    multiples,
    nice_step,
    number_label,
    power_label,
    thousands,
    ticks,
)
from qlearn_book.theme import BLUE, DARK, GREY, ORANGE, PALETTE, tint

LOWS = st.floats(-1e6, 1e6)
LENGTHS = st.floats(1e-3, 1e6)


def drawn(drawing: dict) -> ElementTree.Element:
    return ElementTree.fromstring(svg(drawing))


def empty(scale: str = "linear") -> dict:
    low = 0.001 if scale == "log" else 0
    return marks.axes(x=("steps n", 0, 10), y=("error", low, 1, scale))


def everything() -> dict:
    """A drawing with every mark in it."""
    drawing = empty()
    x = np.arange(5)
    marks.bars(drawing, x, x / 5, "bars", GREY)
    marks.band(drawing, x, x / 10, x / 5, "band", BLUE)
    marks.line(drawing, x, x / 8, "line", ORANGE, dash="dot", dots=True, label="a & b")
    marks.points(drawing, x, x / 9, "points", BLUE, symbol="diamond")
    return drawing


# --- ticks ---------------------------------------------------------------------------------------


@given(low=LOWS, length=LENGTHS)
def test_ticks_are_few_lie_inside_and_stand_on_nice_numbers(low, length):
    high = low + length
    step = nice_step((high - low) / 7)
    found = multiples(low, high, step)
    assert 2 <= len(found) <= 8
    slack = 1.1e-4 * (high - low)
    assert low - slack <= found[0] and found[-1] <= high + slack
    assert np.allclose(np.diff(found), step, rtol=1e-4)
    leading = f"{step:e}"[0]
    assert leading in "125" and float(f"{step:.0e}") == pytest.approx(step)


def test_the_ticks_of_a_linear_axis_are_those_of_a_ruler():
    axis = marks.axes(x=("x", -0.6, 11.6), y=("y", 0, 1))["layout"]["xaxis"]
    assert [label.text for _, label in ticks(axis)] == ["0", "2", "4", "6", "8", "10"]
    assert ticks(axis)[0][0] == pytest.approx(0.6 / 12.2)


def test_a_logarithmic_axis_is_labelled_with_whole_powers():
    axis = marks.axes(x=("x", 0, 1), y=("y", 1e-6, 30, "log"))["layout"]["yaxis"]
    assert [(label.text, label.power) for _, label in ticks(axis)] == [
        ("10", "−6"), ("10", "−4"), ("10", "−2"), ("1", ""),
    ]  # fmt: skip
    assert power_label(1).text == "10" and power_label(3).power == "3"


def test_given_ticks_keep_their_texts_and_those_outside_are_left_out():
    axis = marks.axes(x=("x", 1, 100, "log"), y=("y", 0, 1))["layout"]["xaxis"]
    axis |= {"tickmode": "array", "tickvals": [0.1, 1, 10], "ticktext": ["a", "b", "c"]}
    assert [(share, label.text) for share, label in ticks(axis)] == [(0, "b"), (0.5, "c")]


@pytest.mark.parametrize(
    ("value", "largest", "text"),
    [
        (0, 1, "0"),
        (-2, 4, "−2"),
        (0.30000000000000004, 1, "0.3"),
        (2000, 2000, "2000"),
        (20_000, 20_000, "20k"),
        (-2_500, 20_000, "−2.5k"),
        (3e6, 4e6, "3M"),
    ],
)
def test_numbers_are_written_as_plotly_writes_them(value, largest, text):
    assert number_label(value, thousands(largest)).text == text


# --- paths ---------------------------------------------------------------------------------------


def corners(d: str) -> np.ndarray:
    """The vertices of path data of the form M x y l dx dy dx dy ..."""
    start, _, moves = d.removeprefix("M").partition("l")
    pairs = [re.findall(r"-?(?:\d+\.?\d*|\.\d+)", part) for part in (start, moves)]
    numbers = np.array([float(n) for part in pairs for n in part]).reshape(-1, 2)
    return np.cumsum(numbers, axis=0)


@given(st.lists(st.tuples(st.floats(-999, 999), st.floats(-999, 999)), min_size=1, max_size=40))
def test_a_path_passes_every_point_within_a_twentieth_of_a_unit(points):
    found = corners(path(points))
    assert np.abs(found[0] - points[0]).max() <= 0.0501
    assert np.abs(found[-1] - points[-1]).max() <= 0.0501
    ends = np.stack([found[:-1], found[1:]], axis=1) if len(found) > 1 else found[[[0, 0]]]
    for point in points:
        assert min(distance(np.array(point), *end) for end in ends) <= 0.0501 * 2**0.5


def distance(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    along = end - start
    share = np.clip((point - start) @ along / max(along @ along, 1e-12), 0, 1)
    return float(np.linalg.norm(start + share * along - point))


def test_points_on_the_way_are_left_out_and_returns_are_kept():
    assert path([(0, 0), (1, 0), (2, 0), (2, 3)]) == "M0 0l2 0 0 3"
    assert path([(0, 0), (2, 0), (1, 0)]) == "M0 0l2 0-1 0"


def test_gaps_part_a_line_and_steps_hold_their_value():
    assert list(runs([(0, 0), None, (1, 1), (2, 2)])) == [[(0, 0)], [(1, 1), (2, 2)]]
    assert path(steps([(0, 0), (1, 5), (2, 5)])) == "M0 0l1 0 0 5 1 0"


def test_numbers_carry_no_idle_zeros():
    assert [short(n) for n in (12, -3.44, 0.5, -0.5, -0.01, 0)] == [
        "12", "-3.4", ".5", "-.5", "0", "0",
    ]  # fmt: skip
    assert [percent(n) for n in (0, 0.5, 0.12345)] == ["0%", "50%", "12.35%"]


# --- pictures ------------------------------------------------------------------------------------


def test_a_picture_is_well_formed_and_leaves_its_name_to_what_it_stands_in():
    found = drawn(everything())
    assert found.get("aria-hidden") == "true" and found.get("role") is None
    assert [text.text for text in found.iter("text") if text.text == "a & b"]
    assert {text.text for text in found.iter("text")} >= {"steps n", "error", "0", "10", "0.2"}


def test_a_picture_has_no_ids_no_scripts_and_the_same_bytes_each_time():
    text = svg(everything())
    assert text == svg(everything())
    assert not re.search(r"\b(id|href|on\w+)=|<script|<style|url\(", text)


def test_markup_in_titles_stays_text():
    drawing = marks.axes(x=("<script>alert(1)</script>", 0, 1), y=('"y"', 0, 1))
    text = svg(drawing)
    assert "<script" not in text
    ElementTree.fromstring(text)


def test_two_hundred_points_fit_into_fifteen_kilobytes():
    drawing = empty()
    x = np.linspace(0, 10, 200)
    noise = np.random.default_rng(0).random((4, 200))
    for heights in noise:
        marks.line(drawing, x, heights, "noise", BLUE)
    marks.points(drawing, x, noise[0], "points", ORANGE)
    assert len(svg(drawing)) < 15_000


def test_every_colour_of_a_picture_turns_on_a_dark_page():
    drawing = everything()
    marks.cells(drawing, np.array([[0.0, 0.5, 1.0]]), [["a", "b", "c"]], "map")
    text = svg(drawing)
    used = dict(re.findall(r"var\((--[\w-]+),([^()]+|rgba\([^)]*\))\)", text))
    assert set(used.values()) >= {BLUE, ORANGE, GREY, tint(BLUE, 0.16), PALETTE["ink"][0]}
    sheet = dict(re.findall(r"(--[\w-]+):([^;}]+)", palette_css()))
    assert {sheet[name] for name in used} == {DARK[light] for light in used.values()}
    assert re.search(r'(fill|stroke)="(?!var|none)', text) is None
    assert len(sheet) == len(DARK), "two colours share a variable"


def test_the_dark_colours_hold_for_dark_screens_alone():
    sheet = palette_css()
    assert sheet.startswith('@media screen{html[data-theme="dark"]{') and sheet.count("{") == 2


def test_dots_that_nobody_shall_see_are_left_out():
    drawing = empty()
    marks.line(drawing, [1, 2, 3], [0.1, 0.2, 0.3], "stairs", GREY, dots=True)
    drawing["data"][-1]["marker"]["color"] = ["rgba(0,0,0,0)", BLUE, ORANGE]
    dots = [p.get("d") for p in drawn(drawing).iter("path") if p.get("stroke-linecap")]
    assert [d.count("M") for d in dots] == [1, 1]


def test_gaps_and_what_a_log_axis_cannot_show_are_not_drawn():
    drawing = empty("log")
    marks.line(drawing, [1, 2, 3, 4, 5], [0.1, 0.1, np.nan, 0, 0.1], "line", BLUE, dots=True)
    line, dots = [p.get("d") for p in drawn(drawing).iter("path") if "0072b2" in p.get("stroke")]
    assert line.count("M") == 1 and dots.count("M") == 3


def test_bars_of_a_log_axis_stand_on_its_bottom():
    drawing = empty("log")
    marks.bars(drawing, [5], [1], "bar", BLUE, width=1)
    [bar] = [p.get("d") for p in drawn(drawing).iter("path") if p.get("fill")]
    assert bar == "M288 0l64 0 0 332-64 0z"


def test_texts_keep_the_spaces_that_hold_them_off():
    drawing = empty()
    marks.write(drawing, [1], [0.5], [" far "], where="middle right")
    assert "\u00a0far\u00a0" in [text.text for text in drawn(drawing).iter("text")]


def test_an_unknown_symbol_is_refused_by_name():
    drawing = empty()
    marks.points(drawing, [1], [1], "points", BLUE, symbol="star")
    with pytest.raises(ValueError, match="must be circle or diamond, but is 'star'"):
        svg(drawing)
