"""What a finished page links to, offers and lacks: dead links, missing alternatives."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from qlearn_book.site import settings

LINKS = ("href", "src", "data-src", "action")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """One page as far as its links and alternatives go.

    links    addresses that it links to or loads, as they are written
    loads    those of its scripts and style sheets
    data     those of its figures' data
    ids      what a link's ``#`` may name
    figures  name of each live figure -> the sentence that says what it shows
    unnamed  images and pictures that have no text alternative
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.data: set[str] = set()
        self.ids: set[str] = set()
        self.figures: dict[str, str] = {}
        self.unnamed: list[str] = []
        self.drawing = False  # just entered, and without a name so far
        self.figure: str | None = None  # the one that the parser is in
        self.depth = 0  # open tags inside the sentence of that figure
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        self.links |= {given[name] for name in LINKS if name in given}
        if tag == "script" and "src" in given:
            self.loads.add(given["src"])
        if tag == "link" and given.get("rel") == "stylesheet":
            self.loads.add(given["href"])
        if "data-src" in given:
            self.data.add(given["data-src"])
        if (
            tag == "img"
            and not given.get("alt", "").strip()
            and given.get("role") != "presentation"
        ):
            self.unnamed.append(given.get("src", "an image"))
        # A drawing is named by an attribute or by the title that comes first in it.
        if self.drawing and tag != "title":
            self.unnamed.append("a picture (svg)")
        labels = {"aria-label", "aria-labelledby"} & given.keys()
        self.drawing = tag == "svg" and given.get("role") == "img" and not labels
        if tag == "figure" and "qx" in classes:
            self.figure = given["id"]
            self.figures[self.figure] = ""
        if self.depth and tag not in VOID:
            self.depth += 1
        if self.figure and "qx-summary" in classes:
            self.depth = 1

    def handle_endtag(self, tag: str) -> None:
        if self.drawing:
            self.unnamed.append("a picture (svg)")
        self.drawing = False
        self.depth = max(0, self.depth - 1)
        if tag == "figure":
            self.figure = None

    def handle_data(self, data: str) -> None:
        if self.depth and self.figure:
            self.figures[self.figure] += data


def missing_alternatives(name: str, page: Page) -> Iterator[str]:
    """A sentence for each image without a text alternative and each figure without a sentence."""
    for image in page.unnamed:
        yield f"{name}: {image} has no text alternative"
    for figure, sentence in page.figures.items():
        if not sentence.strip():
            yield f"{name}: figure {figure!r} has no sentence that says what it shows"


def dead_links(site: Path, pages: Mapping[str, Page]) -> Iterator[str]:
    """A sentence for each link to a file or an anchor of this site that does not exist."""
    for name, page in pages.items():
        for link in sorted(page.links):
            reason = _why_dead(site, pages, name, link)
            if reason:
                yield f"{name}: the link {link!r} {reason}"


def _why_dead(site: Path, pages: Mapping[str, Page], name: str, link: str) -> str | None:
    """Why a link on the page `name` is dead; None for one that is not, or leads to other sites."""
    home = settings.site()
    if home and link.startswith(home):
        link = settings.root() + link.removeprefix(home)
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    path = unquote(parts.path)
    if not path:
        target = name
    elif path.startswith("/"):
        if not path.startswith(settings.root()):
            return f"leaves the site, which lies at {settings.root()!r}"
        target = path.removeprefix(settings.root())
    else:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if not (site / target).is_file() and not (site / target / "index.html").is_file():
        return "leads to no file"
    # A figure's state follows its name: #contraction?gamma=0.9&depth=8
    anchor, question, _ = unquote(parts.fragment).partition("?")
    if question and target in pages and anchor not in pages[target].figures:
        return f"names a state of the figure {anchor!r}, which is not there"
    if anchor and target in pages and anchor not in pages[target].ids:
        return f"names the anchor {anchor!r}, which is not there"
    return None
