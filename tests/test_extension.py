"""The build: a page follows the scripts and styles that it loads."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.test_repository import ROOT

CONF = """
from pathlib import Path
from qlearn_book.site.extension import pages_follow

html_static_path = ["browser"]

def setup(app):
    app.add_js_file("painter.js")
    pages_follow(app, Path(app.confdir, "browser"))
"""


def test_an_edited_script_reaches_the_site_though_no_chapter_has_changed(tmp_path):
    source, site = tmp_path / "book", tmp_path / "site"
    (source / "browser").mkdir(parents=True)
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    (source / "index.rst").write_text("Book\n====\n", encoding="utf-8")
    script = source / "browser" / "painter.js"

    def build() -> tuple[str, str, int]:
        command = [sys.executable, "-m", "sphinx", "-q", "-W", str(source), str(site)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
        page = site / "index.html"
        copied = (site / "_static" / "painter.js").read_text(encoding="utf-8")
        return copied, page.read_text(encoding="utf-8"), page.stat().st_mtime_ns

    script.write_text("1;", encoding="utf-8")
    copied, page, written = build()
    assert copied == "1;"
    assert build() == (copied, page, written)  # nothing has changed, nothing is written
    script.write_text("2;", encoding="utf-8")
    copied, changed, _ = build()
    assert copied == "2;"
    assert changed != page  # the address of the script, so that no browser keeps the old one
