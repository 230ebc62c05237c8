"""The data of a figure as rows, as a table and as CSV."""

from __future__ import annotations

import csv
import io
import math
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlearn_book import marks, table
from qlearn_book.theme import BLUE, ORANGE


def empty() -> dict:
    return marks.axes(x=("sweeps k", 0, 10), y=("error", 0, 1))


class Cells(HTMLParser):
    """The texts of a table in reading order, each with its tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag in ("caption", "th", "td"):
            self.found.append([tag, ""])

    def handle_data(self, data: str) -> None:
        self.found[-1][1] += data


def test_rows_hold_every_point_of_every_series_under_the_axis_titles():
    drawing = empty()
    marks.line(drawing, [0, 1], [1, 0.25], "loop", BLUE, label="loop")
    marks.points(drawing, [2], [1 / 3], "stop", ORANGE)
    assert table.rows(drawing) == (
        ("series", "sweeps k", "error"),
        [("loop", "0", "1"), ("loop", "1", "0.25"), ("stop", "2", "0.333333")],
    )


def test_labels_beside_curves_are_no_data():
    drawing = empty()
    marks.write(drawing, [1], [1], ["bound"])
    assert table.rows(drawing)[1] == []


def test_gaps_are_left_out():
    drawing = empty()
    marks.line(drawing, [0, 1, np.nan], [np.nan, 0.5, 0.7], "line", BLUE)
    assert table.rows(drawing)[1] == [("line", "1", "0.5")]


def test_a_band_gives_its_lower_and_its_upper_curve():
    drawing = empty()
    marks.band(drawing, [0, 1], [0.1, 0.2], [0.8, 0.9], "range", BLUE)
    assert table.rows(drawing)[1] == [
        ("range, lower", "0", "0.1"),
        ("range, lower", "1", "0.2"),
        ("range, upper", "0", "0.8"),
        ("range, upper", "1", "0.9"),
    ]


def test_a_band_filled_up_with_gaps_gives_the_same_rows():
    drawing, padded = empty(), empty()
    marks.band(drawing, [0, 1], [0.1, 0.2], [0.8, 0.9], "range", BLUE)
    marks.band(padded, [0, 1], [0.1, 0.2], [0.8, 0.9], "range", BLUE)
    for letter in "xy":
        trace = padded["data"][0]
        trace[letter] = np.append(trace[letter], [np.nan, np.nan])
    assert table.rows(padded) == table.rows(drawing)


def test_series_of_one_name_are_numbered():
    drawing = empty()
    for height in (0.1, 0.2):
        marks.line(drawing, [0], [height], "one run", BLUE)
    assert [row[0] for row in table.rows(drawing)[1]] == ["one run 1", "one run 2"]


def test_cells_give_column_row_and_text():
    drawing = marks.axes(x=("", 0, 2), y=("", -2, 0))
    marks.cells(drawing, np.zeros((2, 2)), [["a", "b"], ["", "d"]], "value")
    assert table.rows(drawing) == (
        ("series", "column", "row", "text"),
        [
            ("value, row 1", "1", "1", "a"),
            ("value, row 1", "2", "1", "b"),
            ("value, row 2", "1", "2", ""),
            ("value, row 2", "2", "2", "d"),
        ],
    )


def test_places_whose_ticks_have_names_go_by_them():
    drawing = empty()
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": [0, 1],
        "ticktext": ["uniform", "cyclic"],
    }
    marks.bars(drawing, [0, 1, 2], [0.5, 0.6, 0.7], "share", BLUE)
    assert [row[1] for row in table.rows(drawing)[1]] == ["uniform", "cyclic", "2"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_to_six_digits(value):
    text = table.number(value)
    assert math.isclose(float(text), value, rel_tol=5.1e-6, abs_tol=5e-324)
    digits = text.partition("e")[0].replace("-", "").replace(".", "").strip("0")
    assert len(digits) <= 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (3, "3"),
        (1234565, "1234570"),
        (-0.5, "-0.5"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e300, "1.5e+300"),
        (1e21, "1e+21"),
        (123456789, "123457000"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(value, text):
    assert table.number(value) == text


def test_the_table_has_a_caption_heads_and_a_body_per_series():
    drawing = empty()
    marks.line(drawing, [0, 1], [1, 0.25], "a < b", BLUE)
    marks.points(drawing, [2], [0.5], "stop", ORANGE)
    text = table.html(drawing, "Caption & more")
    assert Cells(text).found == [
        ["caption", "Caption & more"], ["th", "sweeps k"], ["th", "error"],
        ["th", "a < b"], ["td", "0"], ["td", "1"], ["td", "1"], ["td", "0.25"],
        ["th", "stop"], ["td", "2"], ["td", "0.5"],
    ]  # fmt: skip
    assert text.count("scope=col>") == 2 and text.count("scope=rowgroup>") == 2


def test_a_table_of_a_thousand_rows_stays_small():
    drawing = empty()
    marks.line(drawing, np.arange(1000), np.random.default_rng(0).random(1000), "noise", BLUE)
    assert len(table.html(drawing, "")) < 27_000


NAMES = st.text(st.sampled_from("ab ,;\"'\n\r\t=+@<>&/é\u2028"), min_size=1, max_size=12)


@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_csv_reads_back_whatever_the_names_are(names):
    drawing = empty()
    for name in names:
        marks.line(drawing, [1], [0.5], name, BLUE)
    header, rows = table.rows(drawing)
    read = list(csv.reader(io.StringIO(table.csv(drawing), newline=""), strict=True))
    assert read == [list(header), *map(list, rows)]
    assert table.csv(drawing).endswith("\r\n")
