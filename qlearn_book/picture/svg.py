"""A drawing as a picture: inline SVG that needs no JavaScript, laid out as plotly lays it out.

The page shows it until plotly has loaded, where scripts are off, and in print.  Like plotly's own
drawing it has a fixed height and takes the width of the page: the box of the outermost ``<svg>``
is padded by the margins, so that 100 % is the plot's width.  Curves stand in an inner ``<svg>``
that stretches sideways while strokes keep their width; texts and diamonds stand at percentages and
keep their shape.  No element has an id, so that any number of pictures can share a page.
"""

from __future__ import annotations

from html import escape

from qlearn_book.grid import plain
from qlearn_book.picture.marks import (
    FIXED_STROKE,
    WIDTH,
    Placing,
    marks,
    paint,
    stretched,
    variable,
)
from qlearn_book.picture.path import percent, short
from qlearn_book.picture.ticks import Label, Scale, ticks
from qlearn_book.theme import DARK, FONT, FONT_SIZE


def svg(drawing: dict) -> str:
    """The drawing (``qlearn_book.marks``) as an ``<svg>``; what it stands in gives it its name.

    Raises ``ValueError`` for a marker symbol other than circle and diamond.
    """
    drawing = plain(drawing)
    layout = drawing["layout"]
    margin = layout["margin"]
    height = layout["height"] - margin["t"] - margin["b"]
    place = Placing(Scale(layout["xaxis"]), Scale(layout["yaxis"]), height)
    padding = " ".join(f"{margin[side]}px" for side in "trbl")
    return (
        f'<svg class="qx-picture" aria-hidden="true" font-family="{FONT}" font-size="{FONT_SIZE}" '
        f'stroke-miterlimit="2" style="box-sizing:border-box;display:block;overflow:visible;'
        f'width:100%;height:{layout["height"]}px;padding:{padding}">'
        f"{_grid(layout, place)}{marks(drawing['data'], place)}{_axes(layout, place)}</svg>"
    )


def palette_css() -> str:
    """What the pictures' colours become on a dark page; on paper every page is light."""
    partners = ";".join(f"{variable(light)}:{dark}" for light, dark in DARK.items())
    return f'@media screen{{html[data-theme="dark"]{{{partners}}}}}\n'


def _grid(layout: dict, place: Placing) -> str:
    """Lines at the ticks of the upright axis; none under the line of the other axis."""
    if not layout["yaxis"]["showgrid"]:
        return ""
    heights = (place.height * (1 - share) for share, _ in ticks(layout["yaxis"]))
    d = "".join(f"M0 {short(y)}h{WIDTH}" for y in heights if y < place.height - 1)
    return _crisp(d, layout["yaxis"]["gridcolor"], place)


def _crisp(d: str, colour: str, place: Placing) -> str:
    stroke = f'stroke="{paint(colour)}" shape-rendering="crispEdges" {FIXED_STROKE}'
    lines = f'<path d="{d}" {stroke}/>'
    return stretched(lines, place.height, clipped=False)


def _axes(layout: dict, place: Placing) -> str:
    """The line, ticks, labels and titles of both axes, at plotly's distances."""
    across, up, bottom = layout["xaxis"], layout["yaxis"], place.height
    marked, levels = ticks(across), ticks(up)
    d = f"M0 {bottom + 0.5:g}h{WIDTH}" if across["showline"] else ""
    if across["ticks"]:
        d += "".join(f"M{short(WIDTH * share)} {bottom + 1:g}v4" for share, _ in marked)
    below = max((label.size for _, label in marked), default=0)
    beside = max((label.width for _, label in levels), default=0)
    labels = "".join(
        _label(label, f'x="{percent(share)}" y="{short(bottom + 7.8 + below)}"')
        for share, label in marked
    )
    heights = "".join(
        _label(label, f'x="-1" y="{short(bottom * (1 - share) + 0.35 * label.size)}"')
        for share, label in levels
    )
    margin = layout["margin"]  # the titles' letters, 17 above and 7 below, stay inside
    low = bottom + min(29.2 + 9 / 7 * below, margin["b"] - 7)
    left = max(-14.4 - beside, 17 - margin["l"])
    titles = _title(across, f'x="50%" y="{short(low)}"') + _title(
        up, f'transform="rotate(-90)" x="{-bottom / 2:g}" y="{short(left)}"'
    )
    return (
        f"{_crisp(d, across['linecolor'], place) if d else ''}"
        f'<g fill="{paint(layout["font"]["color"])}"><g text-anchor="middle">{labels}</g>'
        f'<g text-anchor="end">{heights}</g></g>{titles}'
    )


def _label(label: Label, where: str) -> str:
    size = f' font-size="{label.size:g}"' if label.size != FONT_SIZE else ""
    power = f'<tspan dy="-.6em" font-size="70%">{label.power}</tspan>' if label.power else ""
    return f"<text {where}{size}>{escape(label.text)}{power}</text>"


def _title(axis: dict, where: str) -> str:
    """An axis title, 1.2 times as large as the labels, in whole pixels."""
    title = axis["title"]
    if not title["text"]:
        return ""
    return (
        f'<text {where} text-anchor="middle" font-size="{round(1.2 * FONT_SIZE)}" '
        f'fill="{paint(title["font"]["color"])}">{escape(title["text"])}</text>'
    )
