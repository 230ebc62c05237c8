"""What every page weighs, and what no page may lack; the build fails by name.

``check`` holds the finished site to the limits of ``qlearn_book.budgets``.
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path

from qlearn_book import budgets
from qlearn_book.site.inspection import Page, dead_links, missing_alternatives

TEXTS = {".html", ".css", ".js", ".svg", ".json"}
PLOTLY = "_static/vendor/plotly/plotly-basic.min.js"  # loaded by the page's first figure


class BudgetError(ValueError):
    """A site over its limits; the message names every page or figure and what is wrong with it."""


@dataclass(frozen=True)
class Weight:
    """What one page weighs."""

    page: str
    own: int  # bytes on the wire of its HTML and its figures' data
    visit: int  # the same with all scripts and styles
    figures: int
    states: int


def check(site: Path) -> list[Weight]:
    """The weight of every page of a finished site.

    Raises ``BudgetError``, which lists all that is over its limit, dead or missing.
    """
    pages = {
        file.relative_to(site).as_posix(): Page(file.read_text(encoding="utf-8"))
        for file in sorted(site.rglob("*.html"))
    }
    faults = list(dead_links(site, pages))
    for name, page in pages.items():
        faults += missing_alternatives(name, page)
    weights = [weigh(site, name, page) for name, page in pages.items()]
    for weight in weights:
        if weight.own > budgets.MAX_PAGE:
            faults.append(f"{weight.page} takes {weight.own:,} bytes, cap {budgets.MAX_PAGE:,}")
        if weight.visit > budgets.MAX_VISIT:
            faults.append(
                f"{weight.page} takes {weight.visit:,} bytes with its scripts and styles, "
                f"cap {budgets.MAX_VISIT:,}"
            )
    if faults:
        raise BudgetError("the site is not fit to publish:\n" + "\n".join(faults))
    return weights


def table(weights: list[Weight]) -> str:
    """The weights as text, one line per page."""
    lines = [f"{'page':<32}{'kB':>7}{'with shared':>13}{'figures':>9}{'states':>9}"]
    lines += [
        f"{w.page:<32}{w.own / 1000:>7.0f}{w.visit / 1000:>13.0f}{w.figures:>9}{w.states:>9,}"
        for w in weights
    ]
    return "\n".join(lines)


# --- bytes ---------------------------------------------------------------------------------------


def wire_size(file: Path) -> int:
    """Bytes that a file takes on the wire: text is compressed, everything else goes as it is."""
    return len(gzip.compress(file.read_bytes(), 6)) if file.suffix in TEXTS else file.stat().st_size


def weigh(site: Path, name: str, page: Page) -> Weight:
    """The weight of the page at this address."""
    here = (site / name).parent
    data = {file for link in page.data if (file := here / link).is_file()}
    shared = {file for link in page.loads if (file := here / link.partition("?")[0]).is_file()}
    if page.figures and (site / PLOTLY).is_file():
        shared.add(site / PLOTLY)
    own = sum(map(wire_size, {site / name, *data}))
    return Weight(
        page=name,
        own=own,
        visit=own + sum(map(wire_size, shared)),
        figures=len(page.figures),
        states=sum(map(states, data)),
    )


def states(data: Path) -> int:
    """How many joint positions of the controls a figure's data file holds."""
    text = data.read_text(encoding="utf-8")
    payload = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    return math.prod(map(len, payload["axes"].values()))
