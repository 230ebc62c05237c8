"""The few marks that every figure of the book is made of.

A drawing is a plain dictionary ``{"data": [...], "layout": {...}}`` in plotly's schema:
``plotly.graph_objects.Figure(drawing)`` is the figure.  Plain, because a static page draws
thousands of them and plotly's validation costs 5 ms each; the tests validate every drawing.

    drawing = axes(x=("sweeps k", 0, 60), y=("error", 1e-6, 1, "log"))
    line(drawing, k, error, "error", BLUE, label="error")
    describe(drawing, "After 60 sweeps ...")
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qlearn_book.theme import (
    AXIS,
    BAND_OPACITY,
    FONT,
    FONT_SIZE,
    GRID,
    HEIGHT,
    INK,
    MUTED,
    shade,
    tint,
)


def axes(*, x: tuple, y: tuple, height: int = HEIGHT) -> dict:
    """An empty drawing with fixed axes: each is (title, low, high) or (title, low, high, "log")."""
    return {
        "data": [],
        "layout": {
            "height": height,
            "margin": {"l": 64, "r": 16, "t": 16, "b": 52},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": FONT_SIZE, "color": MUTED},
            "showlegend": False,
            "hovermode": "closest",
            "dragmode": False,
            "bargap": 0,
            "barmode": "overlay",
            "xaxis": _axis(*x, vertical=False),
            "yaxis": _axis(*y, vertical=True),
            "meta": {"summary": ""},
        },
    }


def _axis(title: str, low: float, high: float, scale: str = "linear", *, vertical: bool) -> dict:
    log = scale == "log"
    ends = [float(np.log10(low)), float(np.log10(high))] if log else [low, high]
    return {
        "title": {"text": title, "standoff": 8, "font": {"color": INK}},
        "type": "log" if log else "linear",
        "range": ends,
        "fixedrange": True,
        "showgrid": vertical,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": not vertical,
        "linecolor": AXIS,
        "ticks": "" if vertical else "outside",
        "tickcolor": AXIS,
        "ticklen": 4,
        **({"dtick": _decades(ends), "exponentformat": "power"} if log else {"nticks": 7}),
    }


def _decades(ends: list[float]) -> float:
    """Whole decades between the ticks of a log axis, at most about six ticks."""
    return max(1, int(np.ceil((ends[1] - ends[0]) / 6)))


def line(
    drawing: dict,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    *,
    dash: str = "solid",
    width: float = 2.25,
    steps: bool = False,
    dots: bool = False,
    label: str | None = None,
    at: int = -1,
    where: str = "top right",
) -> None:
    """A line; `label` writes its name beside point `at`; `steps` holds each value to the next."""
    # Every point is drawn, in the browser's redrawing (painter.js) as in plotly's own.
    stroke = {"color": colour, "width": width, "dash": dash, "simplify": False}
    stroke |= {"shape": "hv"} if steps else {}
    trace = {
        "type": "scatter",
        "mode": "lines+markers" if dots else "lines",
        "x": np.asarray(x, dtype=float),
        "y": np.asarray(y, dtype=float),
        "name": name,
        "line": stroke,
    }
    if dots:
        trace["marker"] = {"color": colour, "size": 6}
    drawing["data"].append(trace)
    if label is not None:
        write(drawing, [trace["x"][at]], [trace["y"][at]], [label], colour, where=where)


def points(
    drawing: dict,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    *,
    size: float = 9,
    symbol: str = "circle",
) -> None:
    """Markers without a line."""
    drawing["data"].append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": np.asarray(x, dtype=float),
            "y": np.asarray(y, dtype=float),
            "name": name,
            "marker": {"color": colour, "size": size, "symbol": symbol},
        }
    )


def band(
    drawing: dict,
    x: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    name: str,
    colour: str,
) -> None:
    """The area between two curves over the same x (for intervals); every value must be finite."""
    x, low, high = (np.asarray(v, dtype=float) for v in (x, low, high))
    drawing["data"].append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.concatenate([x, x[::-1]]),
            "y": np.concatenate([high, low[::-1]]),
            "name": name,
            "fill": "toself",
            "fillcolor": tint(colour, BAND_OPACITY),
            "line": {"color": "rgba(0,0,0,0)", "width": 0, "simplify": False},
            "hoverinfo": "skip",
        }
    )


def write(
    drawing: dict,
    x: Sequence[float],
    y: Sequence[float],
    text: Sequence[str],
    colour: str = INK,
    *,
    where: str = "top right",
    size: int = FONT_SIZE,
) -> None:
    """Plain text at points; `where` is plotly's textposition ("top right", "middle left", ...)."""
    if marked := [word for word in text if "<" in word]:
        raise ValueError(f"text must be plain, without markup, but has {marked[0]!r}")
    drawing["data"].append(
        {
            "type": "scatter",
            "mode": "text",
            "x": np.asarray(x, dtype=float),
            "y": np.asarray(y, dtype=float),
            "text": [str(word) for word in text],
            "textposition": where,
            "textfont": {"color": colour, "size": size},
            "cliponaxis": False,
            "hoverinfo": "skip",
        }
    )


def bars(
    drawing: dict,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    *,
    width: float = 0.7,
) -> None:
    """Upright bars from zero."""
    drawing["data"].append(
        {
            "type": "bar",
            "x": np.asarray(x, dtype=float),
            "y": np.asarray(y, dtype=float),
            "name": name,
            "width": width,
            "marker": {"color": colour, "line": {"width": 0}},
        }
    )


def cells(drawing: dict, values: np.ndarray, text: Sequence[Sequence[str]], name: str) -> None:
    """A map of values in [0, 1] as coloured unit squares, row 0 on top, with a text in each.

    Cell (row, column) fills the square from (column, -row - 1) to (column + 1, -row).  Built from
    unit-wide bars, which follow the width of the page, unlike markers.
    """
    rows, columns = np.shape(values)
    for row in range(rows):
        drawing["data"].append(
            {
                "type": "bar",
                "x": np.arange(columns) + 0.5,
                "y": np.ones(columns),
                "base": np.full(columns, -row - 1.0),
                "width": 1,
                "name": f"{name}, row {row + 1}",
                "marker": {
                    "color": [shade(v) for v in values[row]],
                    "line": {"width": 1, "color": GRID},
                },
                "hoverinfo": "skip",
            }
        )
    column, row = np.meshgrid(np.arange(columns) + 0.5, -np.arange(rows) - 0.5)
    write(drawing, column.ravel(), row.ravel(), np.ravel(text), where="middle center")


def describe(drawing: dict, sentence: str) -> None:
    """What the drawing shows now, one sentence with its numbers: read aloud and printed below."""
    drawing["layout"]["meta"]["summary"] = sentence
