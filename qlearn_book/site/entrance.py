"""Pages that are not chapters: the entrance, old addresses, the page for lost readers, the map."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from qlearn_book.site import settings

TITLE = "Challenges in Scaling Q-Learning"

#: Addresses that have changed, old to new, such as "book/old.html": "book/new.html".  A reader who
#: follows an old link arrives at the new page, at the same figure in the same state.
MOVED: dict[str, str] = {}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{head}<title>{title}</title>
<link rel="icon" href="{root}_static/favicon.svg">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.6 Georgia, serif; max-width: 36rem; margin: 3rem auto; padding: 0 1rem }}
a, input, button {{ font: inherit; min-height: 44px }}
input, button {{ padding: 0 0.7rem }}
li {{ padding: 0.3rem 0 }}
a {{ color: #005a8e }}
@media (prefers-color-scheme: dark) {{
body {{ background: #14181f; color: #e8e6e1 }}
a {{ color: #7cc4f0 }}
}}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""

# The script keeps what follows # and ?, the state of a figure; without scripts the page is named.
FORWARD = """<script>location.replace({script} + location.search + location.hash)</script>
<noscript><meta http-equiv="refresh" content="0; url={target}"></noscript>
"""


def write(site: Path, pages: Sequence[tuple[str, str]], moved: Mapping[str, str] = MOVED) -> None:
    """Write all of them; `pages` are the address and the title of each page, in reading order."""
    (site / ".nojekyll").touch()
    home = pages[0][0]
    forward(site, "index.html", home, TITLE, "Open the book")
    for old, new in moved.items():
        forward(site, old, new, "This page has moved", "Go to its new address")
    (site / "404.html").write_text(lost(pages, settings.root()), encoding="utf-8")
    address = settings.site()
    if address:
        (site / "sitemap.xml").write_text(sitemap(address, pages), encoding="utf-8")
    else:
        (site / "sitemap.xml").unlink(missing_ok=True)  # of an earlier build


def forward(site: Path, old: str, new: str, title: str, text: str) -> None:
    """A page at the address `old` that leads on to `new`.

    Raises ``ValueError`` when there is a page of the book at `old`.
    """
    file = site / old
    if file.is_file() and 'http-equiv="refresh"' not in file.read_text(encoding="utf-8").lower():
        raise ValueError(f"MOVED forwards {old!r}, but the book has a page at that address")
    target = posixpath.relpath(new, posixpath.dirname(old))
    # In a script `<` could end it; as \u003c it cannot.
    script = json.dumps(target).replace("<", "\\u003c")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        PAGE.format(
            head=FORWARD.format(script=script, target=escape(target)),
            title=title,
            root="../" * old.count("/"),
            body=f'<p><a href="{escape(target)}">{text}</a></p>',
        ),
        encoding="utf-8",
    )


def lost(pages: Sequence[tuple[str, str]], root: str) -> str:
    """The page for addresses that lead nowhere.

    Hosts show it at any depth, so its links begin with `root`.
    """
    chapters = "\n".join(
        f'<li><a href="{root}{escape(address)}">{escape(title)}</a></li>'
        for address, title in pages
    )
    body = (
        "<p>There is no page at this address. It may have moved; search for it, or open one of "
        "these.</p>\n"
        f'<form action="{root}search.html" role="search"><p><label>Search the book '
        '<input type="search" name="q" required></label> <button>Search</button></p></form>\n'
        f"<ul>\n{chapters}\n</ul>"
    )
    return PAGE.format(head="", title=TITLE, root=root, body=body)


def sitemap(address: str, pages: Sequence[tuple[str, str]]) -> str:
    """The pages for search engines (sitemaps.org, protocol 0.9)."""
    entries = "\n".join(f"<url><loc>{address}{escape(page)}</loc></url>" for page, _ in pages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{entries}\n</urlset>\n"
    )
