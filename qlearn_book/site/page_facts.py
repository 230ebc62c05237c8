"""What a page says about itself: when it last changed, and what a link to it shows elsewhere.

The date is that of the last commit that touched the file, so that building again changes nothing.
"""

from __future__ import annotations

import datetime
import subprocess
import textwrap
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.i18n import format_date

LENGTH = 200  # characters of a description that search engines and messengers show


def setup(app: Sphinx) -> dict:
    app.connect("env-get-updated", date_pages)
    app.connect("html-page-context", describe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def last_changed(file: Path) -> datetime.date | None:
    """The date of the last commit that touched the file; None where git cannot say.

    It cannot without git or a repository, for a file changed since or never committed, and in a
    shallow clone, whose oldest commit seems to have touched every file.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(file.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if git("rev-parse", "--is-shallow-repository") != "false":
            return None
        if git("status", "--porcelain", "--", file.name):
            return None
        date = git("log", "-1", "--format=%cs", "--", file.name)
    except (OSError, subprocess.CalledProcessError):
        return None
    return datetime.date.fromisoformat(date) if date else None


def date_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Find the date of every page; those whose date is another than in the last build are due."""
    before = getattr(env, "qlearn_dates", {})
    env.qlearn_dates = {page: last_changed(Path(env.doc2path(page))) for page in env.found_docs}
    return [page for page, date in env.qlearn_dates.items() if before.get(page) != date]


def describe(
    app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Add a page's date, and the title and first sentences that a link to it shows."""
    if doctree is None:  # the search page
        return
    date = app.env.qlearn_dates.get(pagename)
    context["last_updated"] = date and format_date(
        "%-d %B %Y", date=datetime.datetime.combine(date, datetime.time()), language="en"
    )
    first = doctree.next_node(nodes.paragraph)
    text = textwrap.shorten(first.astext(), LENGTH, placeholder=" …") if first else ""
    title = app.env.titles[pagename].astext()
    for key, name, value in (
        ("name", "description", text),
        ("property", "og:description", text),
        ("property", "og:title", title),
        ("property", "og:site_name", app.config.html_title),
        ("property", "og:type", "article"),
    ):
        if value:
            context["metatags"] += f'<meta {key}="{name}" content="{escape(value)}">\n'
