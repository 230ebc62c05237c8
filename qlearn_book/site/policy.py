"""The content security policy of every page: nothing but the site itself.

It stands in the page (``<meta>``), so that it holds on any host and in a folder opened by double
click.  Inline scripts are allowed one by one by their SHA-256; a script that anyone injects has no
such hash.  Styles may be inline: the figures are drawn with them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

POLICY = (
    "default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'"
)
# What the theme's buttons do.  The same on every page: the search reads other pages, handlers too.
HANDLERS = ("toggleFullScreen()", "window.print()")
META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
CHARSET = re.compile(r"<meta charset[^>]*>\n?")


class Inline(HTMLParser):
    """The inline scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and "src" not in dict(attrs)
        if self.inside:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def secured(text: str) -> str:
    """The page with its policy, which comes before everything that could load or run.

    Raises ``ValueError`` for a page without ``<meta charset>``, after which the policy stands.
    """
    text = META.sub("", text)
    scripts = sorted({_hash(script) for script in Inline(text).scripts})
    handlers = [_hash(handler) for handler in HANDLERS]
    allowed = ["'self'", *scripts, "'unsafe-hashes'", *handlers]
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
    charset = CHARSET.search(text)
    if charset is None:
        raise ValueError("a page must have <meta charset>, after which its policy stands")
    place = charset.end()
    return text[:place] + meta.format(scripts=" ".join(allowed)) + text[place:]


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
