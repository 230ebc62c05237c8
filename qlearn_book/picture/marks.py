"""The marks of a drawing as SVG, one function per mark; `qlearn_book.picture.svg` frames them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

from qlearn_book.picture.path import Point, path, percent, runs, short, steps
from qlearn_book.picture.ticks import Scale
from qlearn_book.theme import DARK, FONT_SIZE

#: The plot's width in the units of the stretched part; those of a page 720 pixels wide.
WIDTH = 640
FIXED_STROKE = 'vector-effect="non-scaling-stroke"'
#: Plotly's dashes in units of the stroke, which count as three pixels at least.
DASHES = {"dot": (1, 1), "dash": (3, 3), "dashdot": (3, 1, 1, 1)}
#: Plotly's textpositions: anchor, and the baseline's distance from the point in font sizes.
ANCHORS = {"left": "end", "center": "middle", "right": "start"}
BASELINES = {"top": -0.25, "middle": 0.25, "bottom": 0.75}
#: Spaces that hold a text off its point; SVG drops them unless they are no-break spaces.
EDGES = re.compile(r"^ +| +$")


def variable(colour: str) -> str:
    return "--c-" + "-".join(re.findall(r"\w+", colour))


def paint(colour: str) -> str:
    """A colour that follows the page's theme if it has a dark partner."""
    return f"var({variable(colour)},{colour})" if colour in DARK else colour


def stretched(markup: str, height: float, *, clipped: bool) -> str:
    """Markup in the units of the plot, as wide as the page makes it."""
    overflow = "" if clipped else ' overflow="visible"'
    box = f'viewBox="0 0 {WIDTH} {height:g}" preserveAspectRatio="none"'
    return f"<svg {box}{overflow}>{markup}</svg>"


class Placing:
    """Where data stand: in the units of the stretched part, or across in percent."""

    def __init__(self, x: Scale, y: Scale, height: float) -> None:
        self.x, self.y, self.height = x, y, height

    def points(self, trace: dict) -> list[Point]:
        return [self.point(x, y) for x, y in zip(trace["x"], trace["y"], strict=False)]

    def point(self, x: float | None, y: float | None) -> Point:
        across, up = self.x.share(x), self.y.share(y)
        return None if across is None or up is None else (WIDTH * across, self.height * (1 - up))


def marks(traces: list[dict], place: Placing) -> str:
    """All traces in plotly's order, bars first; but texts last, so that no line crosses one."""
    order = sorted(traces, key=lambda t: -1 if t["type"] == "bar" else t["mode"] == "text")
    pieces = (piece for trace in order for piece in _trace(trace, place))
    return "".join(
        stretched(found, place.height, clipped=True) if wide else found
        for wide, group in groupby(pieces, key=lambda piece: piece[0])
        for found in ["".join(markup for _, markup in group)]
    )


def _trace(trace: dict, place: Placing) -> Iterator[tuple[bool, str]]:
    """The pieces of a trace: (whether it stretches with the page, markup)."""
    if trace["type"] == "bar":
        yield True, _bars(trace, place)
    elif trace["mode"] == "text":
        yield False, _texts(trace, place)
    else:
        points = place.points(trace)
        if trace.get("fill") == "toself":
            yield True, _band(trace, points)
        elif "lines" in trace["mode"]:
            yield True, _line(trace, points)
        if "markers" in trace["mode"]:
            yield from _markers(trace, points)


def _line(trace: dict, points: list[Point]) -> str:
    stroke = trace["line"]
    dash = [n * max(3, stroke["width"]) for n in DASHES.get(stroke["dash"], ())]
    dashes = f' stroke-dasharray="{" ".join(f"{n:g}" for n in dash)}"' if dash else ""
    d = "".join(
        path(steps(run) if stroke.get("shape") == "hv" else run)
        for run in runs(points)
        if len(run) > 1
    )
    return (
        f'<path d="{d}" fill="none" stroke="{paint(stroke["color"])}" '
        f'stroke-width="{stroke["width"]:g}"{dashes} {FIXED_STROKE}/>'
    )


def _band(trace: dict, points: list[Point]) -> str:
    d = "".join(path(run) + "z" for run in runs(points))
    return f'<path d="{d}" fill="{paint(trace["fillcolor"])}"/>'


def _markers(trace: dict, points: list[Point]) -> Iterator[tuple[bool, str]]:
    """Circles are the round ends of strokes without length: these stay round when stretched."""
    marker = trace["marker"]
    symbol = marker.get("symbol", "circle")
    if symbol not in ("circle", "diamond"):
        raise ValueError(f"symbol of a marker must be circle or diamond, but is {symbol!r}")
    for colour, found in _by_colour(marker["color"], points):
        if symbol == "circle":
            d = "".join(f"{path([point])}h0" for point in found)
            yield (
                True,
                f'<path d="{d}" stroke="{paint(colour)}" stroke-width="{marker["size"]:g}" '
                f'stroke-linecap="round" {FIXED_STROKE}/>',
            )
        else:
            r = f"{0.65 * marker['size']:g}"  # plotly's diamonds reach 1.3 radii
            shape = f'<path d="M{r} 0 0 {r}-{r} 0 0-{r}z"/>'
            inside = [(x, y) for x, y in found if 0 <= x <= WIDTH]
            placed = "".join(
                f'<svg x="{percent(x / WIDTH)}" y="{short(y)}" overflow="visible">{shape}</svg>'
                for x, y in inside
            )
            yield False, f'<g fill="{paint(colour)}">{placed}</g>'


def _bars(trace: dict, place: Placing) -> str:
    """Upright bars from their base; on a log axis, which has no zero, from the bottom."""
    half = trace["width"] / 2
    bases = trace.get("base", [0] * len(trace["x"]))
    bars: list[str | None] = []
    for x, y, base in zip(trace["x"], trace["y"], bases, strict=False):
        if x is None or y is None or not (corner := place.point(x - half, base + y)):
            bars.append(None)
            continue
        left, top = corner
        right, _ = place.point(x + half, base + y)
        _, foot = place.point(x, base) or (right, place.height)
        bars.append(path([(left, top), (right, top), (right, foot), (left, foot)]) + "z")
    edge = trace["marker"]["line"]
    stroke = f' stroke="{paint(edge["color"])}" {FIXED_STROKE}' if edge["width"] else ""
    return "".join(
        f'<path d="{"".join(found)}" fill="{paint(colour)}"{stroke}/>'
        for colour, found in _by_colour(trace["marker"]["color"], bars)
    )


def _texts(trace: dict, place: Placing) -> str:
    vertical, horizontal = trace["textposition"].split()
    font = trace["textfont"]
    size = f' font-size="{font["size"]:g}"' if font["size"] != FONT_SIZE else ""
    words = ""
    for point, word in zip(place.points(trace), trace["text"], strict=False):
        if point and word:
            y = short(point[1] + BASELINES[vertical] * font["size"])
            kept = escape(EDGES.sub("\u00a0", word))
            words += f'<text x="{percent(point[0] / WIDTH)}" y="{y}">{kept}</text>'
    return f'<g fill="{paint(font["color"])}" text-anchor="{ANCHORS[horizontal]}"{size}>{words}</g>'


def _by_colour(colours: str | list[str], items: list) -> list[tuple[str, list]]:
    """The items that are no gaps, together with others of their colour; unseen ones left out."""
    if isinstance(colours, str):
        colours = [colours] * len(items)
    groups: dict[str, list] = {}
    for colour, item in zip(colours, items, strict=False):
        if item is not None and colour != "rgba(0,0,0,0)":
            groups.setdefault(colour, []).append(item)
    return list(groups.items())
