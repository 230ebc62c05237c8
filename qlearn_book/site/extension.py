"""What Jupyter Book needs to publish live figures as static pages.

While the book is built this extension

* tells the kernels to draw for the page (``QLEARN_BOOK_MODE=static``) and shows how far they are,
* executes a chapter again when the code that it calls has changed, and only then,
* moves every figure's data from its page to ``_static/figures/<key>.js``, loaded when it is near,
* adds the book's own scripts, styles and fonts, so that no page asks anyone else for anything,
  and writes the pages again when one of them has changed,
* and repairs what the theme leaves heavy or unnamed, and holds the site to its limits
  (``qlearn_book.site.publishing``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from html import unescape
from pathlib import Path

import nbformat
import sphinxcontrib.katex
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from qlearn_book import progress, store
from qlearn_book.site import assets, finish, ledger_page, publishing

BROWSER = Path(__file__).resolve().parent.parent / "browser"
SCRIPTS = (
    *("palette.js", "codec.js", "table.js", "painter.js", "links.js", "predict.js"),
    *("figure.js", "phone.js", "explorer.js"),
)
DATA = re.compile(r'<template class="qx-data" data-key="(\w+)">(.*?)</template>', re.DOTALL)


def setup(app: Sphinx) -> dict:
    os.environ.setdefault("QLEARN_BOOK_MODE", "static")
    silence = progress.listen(Path(app.outdir).parent / ".progress")
    app.connect("env-updated", lambda app, env: silence())  # all chapters have been executed
    app.connect("config-inited", add_assets)
    pages_follow(app, BROWSER, assets.VENDOR.parent)
    app.connect("env-get-outdated", outdated_chapters)
    app.connect("build-finished", keep_chapter_keys)
    app.connect("doctree-resolved", move_data)
    ledger_page.connect(app)
    publishing.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}


def add_assets(app: Sphinx, config) -> None:
    finish.write_palette(assets.VENDOR.parent)
    config.html_static_path += [str(BROWSER), str(assets.VENDOR.parent)]
    # The node program itself: its wrapper on the path would outlive the build.
    sphinxcontrib.katex.NODEJS_BINARY = str(assets.node())
    # Its first way to start connects once and fails if node, on a busy machine, does not listen
    # yet; the second tries again until the time is over.
    server = sphinxcontrib.katex.KaTeXServer
    server.start_server_process = server.start_network_socket
    sphinxcontrib.katex.STARTUP_TIMEOUT = 60.0
    config.katex_js_path = str(assets.VENDOR / "katex" / "katex.min.js")
    for sheet in ("vendor/fonts/fonts.css", "palette.css", "book.css", "explorer.css", "phone.css"):
        app.add_css_file(sheet)
    for script in SCRIPTS:
        app.add_js_file(script, loading_method="defer")


def pages_follow(app: Sphinx, *folders: Path) -> None:
    """Write all pages again when a file in these folders has changed.

    Sphinx copies such files only when it writes a page; a configuration value of the kind "html"
    that has changed makes it write them all.
    """

    def digest(app: Sphinx, config) -> None:
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        seen = hashlib.sha256()
        for path in files:
            seen.update(path.name.encode() + path.read_bytes())
        config.qlearn_book_files = seen.hexdigest()

    app.add_config_value("qlearn_book_files", "", "html")
    app.connect("config-inited", digest)


# --- which chapters to execute -------------------------------------------------------------------


def chapter_key(chapter: Path) -> str:
    """The key of all project code that a chapter's cells import, directly or not."""
    cells = nbformat.read(chapter, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return store.digest(store.source_files(*store.imported_modules(code)))


def outdated_chapters(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Chapters whose code has changed since they were executed; their stored outputs are dropped.

    jupyter-cache looks at a notebook's cells alone, so the package is compared here.
    """
    try:
        before = json.loads(ledger(app).read_text())
    except (FileNotFoundError, ValueError):  # no build has been finished, or the file is damaged
        before = {}
    chapters = {name: Path(env.doc2path(name)) for name in env.found_docs}
    now = {n: chapter_key(path) for n, path in sorted(chapters.items()) if path.suffix == ".ipynb"}
    stale = [name for name, key in now.items() if before.get(name) != key]
    cache = get_cache(
        app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache"
    )
    for record in cache.list_cache_records():
        if Path(record.uri) in {chapters[name] for name in stale}:
            cache.remove_cache(record.pk)
    app.chapter_keys = now
    return stale


def ledger(app: Sphinx) -> Path:
    """The key of each chapter at the end of the last build that was finished."""
    return Path(app.outdir).parent / ".chapters.json"


def keep_chapter_keys(app: Sphinx, exception: Exception | None) -> None:
    """Only now: after an interrupted build the same chapters are still to be done."""
    if exception is None:
        aside = ledger(app).with_suffix(".part")
        aside.write_text(json.dumps(app.chapter_keys, indent=1))
        os.replace(aside, ledger(app))


# --- where the data of a figure lies -------------------------------------------------------------


def move_data(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Move the figures' data from the page to files named by their content."""
    if app.builder.format != "html":
        return
    up = "../" * app.builder.get_target_uri(docname).count("/")
    for raw in doctree.findall(nodes.raw):
        html = raw.astext()
        if raw.get("format") != "html" or "qx-data" not in html:
            continue
        for key, data in DATA.findall(html):
            target = Path(app.outdir) / "_static" / "figures" / f"{key}.js"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f'qlearnData("{key}",{unescape(data)});\n', encoding="utf-8")
            html = html.replace(
                f'data-qx="{key}"', f'data-qx="{key}" data-src="{up}_static/figures/{key}.js"'
            )
        raw.children = [nodes.Text(DATA.sub("", html))]
        raw.rawsource = ""
