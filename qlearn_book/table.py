"""The data that a figure now shows: as rows, as an HTML table, as CSV.

``browser/table.js`` does the same for the state that a reader has chosen; for one drawing both
give the same strings.  Labels written beside curves are no data; the texts in the cells of a map
are.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from csv import writer
from decimal import ROUND_HALF_UP, Context
from html import escape
from itertools import groupby

from qlearn_book.grid import plain

SIX_DIGITS = Context(prec=6, rounding=ROUND_HALF_UP)

Row = tuple[str, ...]


def rows(drawing: dict) -> tuple[Row, list[Row]]:
    """(header, rows): series, x, y of every point; the text of every cell where there are cells.

    Columns are named by the axis titles.  A band gives its lower and its upper curve.  Gaps are
    left out.  Series of one name are numbered in their order.
    """
    drawing = plain(drawing)
    across, up = drawing["layout"]["xaxis"], drawing["layout"]["yaxis"]
    has_cells = any("base" in trace for trace in drawing["data"])
    header = (
        "series",
        across["title"]["text"] or ("column" if has_cells else "x"),
        up["title"]["text"] or ("row" if has_cells else "y"),
        *(["text"] if has_cells else []),
    )
    series = list(_series(drawing["data"]))
    total, seen = Counter(name for name, _ in series), Counter()
    found: list[Row] = []
    for name, points in series:
        seen[name] += 1
        numbered = f"{name} {seen[name]}" if total[name] > 1 else name
        for x, y, *text in points:
            row = (numbered, _shown(x, across), _shown(y, up), *text)
            found.append(row + ("",) * (len(header) - len(row)))
    return header, found


def _series(traces: list[dict]) -> Iterator[tuple[str, list[tuple]]]:
    """The named curves of a drawing, each with its points (x, y) or cells (column, row, text)."""
    for trace in traces:
        if trace["type"] != "bar" and trace["mode"] == "text":
            continue
        if "base" in trace:
            yield trace["name"], _cells(trace, traces)
            continue
        points = [
            (x, y)
            for x, y in zip(trace["x"], trace["y"], strict=False)
            if x is not None and y is not None
        ]
        if trace.get("fill") == "toself":  # the upper curve, then the lower one backwards
            half = len(points) // 2
            yield f"{trace['name']}, lower", points[half:][::-1]
            yield f"{trace['name']}, upper", points[:half]
        else:
            yield trace["name"], points


def _cells(trace: dict, traces: list[dict]) -> list[tuple]:
    """(column, row, text) of a row of cells (`marks.cells`), both counted from one."""
    words = [
        (x, y, word)
        for other in traces
        if other["type"] != "bar" and other["mode"] == "text"
        for x, y, word in zip(other["x"], other["y"], other["text"], strict=False)
        if x is not None and y is not None
    ]
    half = trace["width"] / 2
    return [
        (
            x + half,
            -base,
            next((w for a, b, w in words if abs(a - x) < half and base < b < base + y), ""),
        )
        for x, y, base in zip(trace["x"], trace["y"], trace["base"], strict=False)
    ]


def _shown(value: float, axis: dict) -> str:
    """A coordinate as the axis names it, if its ticks have names; as a number otherwise."""
    if axis.get("tickmode") == "array" and value in axis["tickvals"]:
        return axis["ticktext"][axis["tickvals"].index(value)]
    return number(value)


def number(value: float) -> str:
    """Six significant digits at most, rounded half away from zero and written as in JavaScript."""
    if value == 0:
        return "0"
    rounded = SIX_DIGITS.create_decimal(value).normalize()
    if -6 <= rounded.adjusted() < 21:
        return f"{rounded:f}"
    mantissa, _, exponent = f"{rounded:e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def html(drawing: dict, caption: str) -> str:
    """A ``<table>``: a body per series, headed by its name; end tags that HTML implies left out."""
    header, found = rows(drawing)
    columns = "".join(f"<th scope=col>{escape(name)}" for name in header[1:])
    bodies = "".join(
        f"<tbody><tr><th colspan={len(header) - 1} scope=rowgroup>{escape(name)}"
        + "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in row[1:]) for row in body)
        for name, body in groupby(found, key=lambda row: row[0])
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{columns}{bodies}</table>"


def csv(drawing: dict) -> str:
    """The rows as comma-separated values (RFC 4180), the header first."""
    header, found = rows(drawing)
    out = io.StringIO()
    writer(out, lineterminator="\r\n").writerows([header, *found])
    return out.getvalue()
