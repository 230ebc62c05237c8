"""The last step of the build: what the theme leaves heavy, unnamed or missing in the finished site.

Each function says what it repairs.  All of them may run again on a finished site without effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pydata_sphinx_theme

from qlearn_book import theme
from qlearn_book.picture.svg import palette_css
from qlearn_book.site import assets, entrance, policy

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


def finish(site: Path, pages: Sequence[tuple[str, str]]) -> None:
    """Finish the site in this folder; `pages` are (address, title) in reading order."""
    for macros in site.glob("_static/*webpack-macros.html"):  # the theme's templates, no pages
        macros.unlink()
    entrance.write(site, pages)
    for page in sorted(site.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        lighter = drop_icon_script(text if page.name == "search.html" else drop_search(text))
        finished = policy.secured(name_controls(lighter))
        if finished != text:
            page.write_text(finished, encoding="utf-8")
    drop_unused_files(site)
    for fonts in site.glob("_static/vendor/fontawesome/webfonts"):
        assets.subset_font_awesome(THEME, fonts, site)


def write_palette(folder: Path) -> None:
    """The dark colour of every light colour, for the browser code and for the pictures."""
    pairs = json.dumps(theme.DARK, separators=(",", ":"))
    (folder / "palette.js").write_text(f"window.qlearnDark={pairs};\n", encoding="utf-8")
    (folder / "palette.css").write_text(palette_css(), encoding="utf-8")


def drop_icon_script(text: str) -> str:
    """Without Font Awesome's 1.5 MB script the icons come from its web font, loaded anyway."""
    return re.sub(
        r"\s*<script[^>]*fontawesome\.js[^>]*></script>|\s*<link[^>]*fontawesome\.js[^>]*>",
        "",
        text,
    )


def drop_search(text: str) -> str:
    """Without the index of all words, which only the page of results reads."""
    scripts = r"_static/searchtools|_static/language_data|searchindex"
    return re.sub(rf'\s*<script src="[./]*(?:{scripts})\.js[^"]*"></script>', "", text)


def name_controls(text: str) -> str:
    """Names that the theme's controls lack or contradict (WCAG 2.5.3, and landmarks)."""
    text = re.sub(
        r'(<button class="[^"]*search-button[^"]*"[^>]*?)\s+aria-label="Search"', r"\1", text
    )
    text = text.replace(
        '<div class="sidebar-primary-items__start sidebar-primary__section">',
        '<div class="sidebar-primary-items__start sidebar-primary__section" role="region" '
        'aria-label="Book">',
    )
    text = text.replace(
        '<summary aria-label="Toggle hidden content">', "<summary>"
    )  # named by its text
    # What the button opens is more than its name says: this very chapter, ready to run.
    return text.replace('title="Launch on Binder"', 'title="Open in JupyterLab on Binder"')


def drop_unused_files(site: Path) -> None:
    """Figure data that no page refers to any more, and scripts that no page loads."""
    pages = "\n".join(p.read_text(encoding="utf-8") for p in site.rglob("*.html"))
    for data in (site / "_static" / "figures").glob("*.js"):
        if data.name not in pages:
            data.unlink()
    static = site / "_static"
    unused = ["scripts/fontawesome.js", "vendor/katex/katex.min.js", "katex.min.js"]
    for file in [static / name for name in unused] + [
        *static.rglob("fa-*.ttf"),
        *static.rglob("*.map"),
    ]:
        file.unlink(missing_ok=True)
