"""What a reader of the finished site waits for: its first figure, its first answer, every move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.arrival import SCREEN, Face, arrive
from benchmarks.dragging import in_rounds, tail
from benchmarks.timing import Row, judged
from qlearn_book import notebooks
from qlearn_book.site.weights import wire_size
from tests.browser.chromium import find_chromium, launch
from tests.browser.server import SITE, serving

LOADS = 3
MOVES = 50  # in each round
GOALS = {1: 1_000 / 60, 4: 50.0}  # ms of the 95th percentile, by how much the CPU is slowed down
REASON = (
    "a move waits up to a whole frame for the display, "
    "and then for the browser's own style, paint and commit"
)
MOVE = (Path(__file__).parent / "moves.js").read_text(encoding="utf-8")


def rows(chapters: list[str] | None = None) -> tuple[list[Row], list[str]]:
    """The pages of these chapters (stems; None is all)."""
    if not (SITE / "index.html").is_file():
        return [], ["page: left out, because there is no built site; run `make book` first"]
    if find_chromium() is None:
        return [], ["page: left out, because there is no Chromium; `make test` installs one"]
    measured = []
    chosen = [path for path in notebooks.chapters() if chapters is None or path.stem in chapters]
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        urls = {path: f"{address}/book/{path.stem}.html" for path in chosen}
        for path, url in urls.items():
            measured += weight(browser, url, path.stem)
            for explorer in notebooks.explorers(path):
                measured += arrival(browser, face(url, explorer.name), path.stem)
        measured += in_rounds(
            lambda: (row for path, url in urls.items() for row in latency(browser, url, path.stem))
        )
        browser.close()
    return [with_goal(row) for row in measured], []


def with_goal(row: Row) -> Row:
    """The row judged by its goal, if its variant has one."""
    goal = {moved(rate): limit for rate, limit in GOALS.items()}.get(row.variant)
    return row if goal is None else judged(row, f"p95 ≤ {goal:.1f} ms", row.high <= goal, REASON)


def moved(rate: int) -> str:
    return f"input to paint, CPU {rate}x"


def face(url: str, figure: str) -> Face:
    """A figure of the book, opened by its own address."""
    slider = f"#{figure} input[type=range]"
    return Face(
        figure,
        f"{url}#{figure}",
        plot=f"#{figure} .qx-plot",
        handle=slider,
        rail=slider,
        values=f"[...document.querySelectorAll('{slider}')].map((slider) => slider.value)",
        skip=f"#{figure} .qx-skip",
        words=f"#{figure} .qx-option",
    )


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


def arrival(browser: Browser, figure: Face, chapter: str) -> list[Row]:
    """Visits with an empty cache, by the address of the figure."""
    visits = [arrive(browser, figure) for _ in range(LOADS)]
    case = f"{chapter}: {figure.name}"
    return [
        tail(case, "first figure", [visit.figure for visit in visits]),
        tail(case, "first answer of a control", [visit.answer for visit in visits]),
    ]


def latency(browser: Browser, url: str, name: str) -> Iterator[Row]:
    """Input to paint, as it is and with a slow CPU, and work as a ratio to Plotly.react."""
    page = browser.new_page(viewport=SCREEN)
    slow_down = page.context.new_cdp_session(page)
    for figure in open_figures(page, url):
        page.evaluate("document.querySelectorAll('.qx-skip').forEach((skip) => skip.click())")
        page.locator(f"#{figure}").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        case = f"{name}: {figure}"
        react = page.evaluate(MOVE, [figure, "react", MOVES // 4])
        works = None
        for rate in GOALS:
            slow_down.send("Emulation.setCPUThrottlingRate", {"rate": rate})
            page.wait_for_timeout(300)
            moves = page.evaluate(MOVE, [figure, "page", MOVES])
            works = works or [work for work, _ in moves]
            yield tail(case, moved(rate), [paint for _, paint in moves])
        slow_down.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        yield tail(case, "input to paint, Plotly.react", [paint for _, paint in react])
        ratio = median(work for work, _ in react) / median(works)
        yield replace(tail(case, "work (ratio: Plotly.react ÷ ours)", works), ratio=ratio)
    page.close()
