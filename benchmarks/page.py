"""What a reader of the finished site waits for: bytes of a first visit, and input to paint."""

from __future__ import annotations

from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.timing import Row
from qlearn_book.notebooks import BOOK
from qlearn_book.site.weights import wire_size
from tests.browser.chromium import find_chromium, launch
from tests.browser.server import SITE, serving

MOVES = 200
MOVE = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
PAGES = [path.stem for path in sorted(BOOK.glob("*.ipynb"))]


def rows() -> tuple[list[Row], list[str]]:
    if not (SITE / "index.html").is_file():
        return [], ["page: left out, because there is no built site; run `make book` first"]
    if find_chromium() is None:
        return [], ["page: left out, because there is no Chromium; `make test` installs one"]
    measured = []
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for page in PAGES:
            measured += weight(browser, f"{address}/book/{page}.html", page)
        for page in PAGES:
            measured += latency(browser, f"{address}/book/{page}.html", page)
        browser.close()
    return measured, []


def open_figures(page: Page, url: str) -> list[str]:
    page.goto(url)
    names = page.eval_on_selector_all("figure.qx", "all => all.map(f => f.id)")
    for name in names:
        page.locator(f"#{name}").scroll_into_view_if_needed()
        page.wait_for_selector(f"#{name}[data-ready=true]")
    return names


def weight(browser: Browser, url: str, name: str) -> list[Row]:
    """kB on the wire of a first visit with every figure opened, and the page's own part of it."""
    page = browser.new_page()
    total, own = [], []

    def count(response) -> None:
        path = SITE / response.url.split("/", 3)[3].split("?")[0]
        if path.is_file():
            size = wire_size(path)
            total.append(size / 1000)
            if path.suffix == ".html" or path.parent.name == "figures":
                own.append(size / 1000)

    page.on("response", count)
    open_figures(page, url)
    page.close()
    return [
        Row(name, "first visit, all figures", "kB", sum(total), sum(total), sum(total)),
        Row(name, "of which its own", "kB", sum(own), sum(own), sum(own)),
    ]


def latency(browser: Browser, url: str, name: str) -> list[Row]:
    """Input to paint (median, fastest, 95th percentile) and work as a ratio to Plotly.react."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    found = []
    for figure in open_figures(page, url):
        page.locator(f"#{figure}").scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        react = page.evaluate(MOVE, [figure, "react", MOVES // 4])
        page.wait_for_timeout(500)
        ours = page.evaluate(MOVE, [figure, "page", MOVES])
        ratio = median(work for work, _ in react) / median(work for work, _ in ours)
        case = f"{name}: {figure}"
        found.append(row(case, "input to paint", [paint for _, paint in ours]))
        found.append(row(case, "input to paint, Plotly.react", [paint for _, paint in react]))
        found.append(
            row(case, "work (ratio: Plotly.react ÷ ours)", [work for work, _ in ours], ratio)
        )
    page.close()
    return found


def row(case: str, variant: str, values: list[float], ratio: float | None = None) -> Row:
    return Row(case, variant, "ms", median(values), min(values), quantiles(values, n=20)[18], ratio)
