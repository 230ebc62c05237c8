"""The ledger of claims on the site: citations become badges, the page shows what holds now.

A chapter cites a claim as inline code, `claim:staircase`, which reads as it stands in JupyterLab.
On the site a link with the claim's verdict takes its place.  The ledger is made before anything
is read: a verdict without a test, or a citation without a claim, ends the build there.
"""

from __future__ import annotations

import hashlib

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from qlearn_book.claims import ledger, markup
from qlearn_book.notebooks import BOOK

PAGE = "book/claims"


def connect(app: Sphinx) -> None:
    app.connect("config-inited", lambda app, config: app.add_css_file("claims.css"))
    app.connect("env-get-outdated", pages_to_renew)
    app.connect("doctree-resolved", show)


def pages_to_renew(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """The pages that show a verdict, if anything in the ledger has changed since the last build."""
    try:
        app.claims = ledger.Ledger()
    except ledger.LedgerError as error:
        raise ExtensionError(str(error)) from error
    now = hashlib.sha256(app.claims._repr_html_().encode()).hexdigest()
    before, env.claims_digest = getattr(env, "claims_digest", None), now
    if now == before:
        return []
    citing = [name for name, ids in ledger.citations(BOOK).items() if ids]
    names = {PAGE, *(f"book/{name.rpartition('.')[0]}" for name in citing)}
    return sorted(names & env.found_docs)


def show(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Badges for citations; on the ledger's page, the ledger as it is now for the stored one."""
    if app.builder.format != "html":
        return
    page = app.builder.get_relative_uri(docname, PAGE)
    for literal in list(doctree.findall(nodes.literal)):
        id = ledger.CITATION.fullmatch(f"`{literal.astext()}`")
        if id:
            html = markup.badge(app.claims.by_id[id[1]], page)
            literal.replace_self(nodes.raw("", html, format="html"))
    if docname == PAGE:
        for raw in doctree.findall(nodes.raw):
            if 'class="ledger"' in raw.astext():
                raw.children = [nodes.Text(app.claims._repr_html_())]
                raw.rawsource = ""
