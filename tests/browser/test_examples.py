"""The examples are examples: nothing occurs in the book that does not occur in them."""

from __future__ import annotations

from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import chapters, explorers
from tests.browser.conftest import EXAMPLES


def kinds(explorer: Explorer) -> set[tuple]:
    """What a page or a kernel may treat in a way of its own: controls, questions, marks, axes."""
    found = {
        ("question", explorer.predict and ("choices" if explorer.predict.choices else "number"))
    }
    for axis in explorer.axes.values():
        found |= {("control", type(axis.start)), ("play", axis.play)}
    payload = explorer.payload()
    for trace in payload["figure"]["data"]:
        line, marker = trace.get("line", {}), trace.get("marker", {})
        shape, many = line.get("shape"), isinstance(marker.get("color"), list)
        found.add(("mark", trace["type"], trace.get("mode"), shape, marker.get("symbol"), many))
        found |= {("dash", line.get("dash")), ("fill", trace.get("fill"))}
    for axis in ("xaxis", "yaxis"):
        found.add((axis, payload["figure"]["layout"][axis].get("type")))
    return found | {("moves", spec["path"][-1], spec["kind"]) for spec in payload["moving"]}


def test_every_kind_of_thing_in_a_figure_occurs_in_the_examples():
    of = {path.stem: set().union(*map(kinds, explorers(path))) for path in chapters()}
    shown = set().union(*(of[stem] for stem in EXAMPLES))
    assert {stem: lacking for stem in of if (lacking := of[stem] - shown)} == {}
