"""The first seconds on a page: when its figure is there, when a slider answers, what it weighs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

ARRIVAL = (Path(__file__).parent / "arrival.js").read_text(encoding="utf-8")
SCREEN = {"width": 1280, "height": 900}
PATIENCE = 90  # seconds
TRIES = 6
KINDS = {".html": "html", ".js": "scripts", ".css": "styles", ".woff2": "fonts"}


@dataclass(frozen=True)
class Face:
    """A figure on a page, as a mouse finds it; what finds its parts are CSS selectors."""

    name: str
    url: str
    plot: str  # what the sliders move
    handle: str  # of each slider
    rail: str  # that the handle runs on
    values: str  # JavaScript that reads where the sliders stand
    skip: str = ""  # to be pressed before the sliders can be reached
    words: str = ""  # of a choice, pressed in a figure that has no slider


@dataclass
class Arrival:
    """One visit with an empty cache."""

    figure: float = 0.0  # ms from the start of the navigation to a frame with the figure
    answer: float = 0.0  # ms until a reader who tries the first control again and again is answered
    bytes: Counter[str] = field(default_factory=Counter)  # on the wire, by kind
    elsewhere: int = 0  # requests to other servers; they are refused here


def open_page(browser: Browser, face: Face) -> tuple[BrowserContext, Page, Arrival]:
    """A fresh visit that has just begun; close the context afterwards."""
    context = browser.new_context(viewport=SCREEN)
    seen = Arrival()
    own = urlsplit(face.url).netloc

    def refuse(route) -> None:
        seen.elsewhere += 1
        route.abort()

    def count(response) -> None:
        seen.bytes[kind(response.url)] += int(response.headers.get("content-length", 0))

    context.route(lambda url: url.startswith("http") and urlsplit(url).netloc != own, refuse)
    page = context.new_page()
    page.on("response", count)
    page.add_init_script(f"({ARRIVAL.strip()})({face.plot!r})")
    page.goto(face.url, wait_until="commit")
    return context, page, seen


def kind(url: str) -> str:
    path = Path(urlsplit(url).path)
    if path.parent.name == "figures":
        return "figure data"
    return KINDS.get(path.suffix or ".html", "other")


def arrive(browser: Browser, face: Face) -> Arrival:
    """Visit a page, and move the first slider between two places, or press two words in turn, until
    the figure follows."""
    context, page, seen = open_page(browser, face)
    seen.answer = first_answer(page, face)
    page.wait_for_load_state("load")
    seen.figure = page.evaluate("window.qlearnArrived")
    context.close()
    return seen


def first_answer(page: Page, face: Face) -> float:
    """ms from the start of the navigation to the first of two answers, there and back again.

    A click that nothing follows is tried again; after TRIES of them comes the next slider.
    """
    end = time.monotonic() + PATIENCE
    rails, words = page.locator(face.rail), page.locator(face.words or face.rail)
    drawn, number, misses = "", 0, 0
    answers: list[tuple[str, float]] = []  # the drawing after each answer, and when it came
    while time.monotonic() < end:
        for k, place in enumerate((0.2, 0.8)):
            if not ready(page, face):
                page.wait_for_timeout(20)
                continue
            pressed = rails.nth(number % rails.count()) if rails.count() else words.nth(k)
            pressed.scroll_into_view_if_needed()
            box = pressed.bounding_box()
            page.mouse.click(box["x"] + place * box["width"], box["y"] + box["height"] / 2)
            drawn, changed = after_click(page, drawn)
            if changed:
                answers, misses = [*answers, (drawn, changed)], 0
                if len(answers) > 2 and answers[-3][0] == drawn != answers[-2][0]:
                    return answers[-2][1]
                continue
            misses += 1
            if misses == TRIES:
                answers, number, misses = [], number + 1, 0
    raise TimeoutError(f"{face.name}: nothing on {face.url} answered within {PATIENCE} s")


def after_click(page: Page, before: str) -> tuple[str, float]:
    """The drawing after a click, once it stands still, and when it began to change.

    Half a second is enough for either; some libraries draw one part after the other.
    """
    changed, same, drawn = 0.0, 0, before
    for _ in range(25):
        page.wait_for_timeout(20)
        last, (drawn, now) = drawn, page.evaluate("[qlearnDrawn(), performance.now()]")
        changed = changed or (now if drawn != before else 0.0)
        same = same + 1 if drawn == last else 0
        if changed and same == 4:
            break
    return drawn, changed


def ready(page: Page, face: Face) -> bool:
    """Whether the first control is there; presses what stands before it."""
    if face.skip and page.locator(face.skip).first.is_visible():
        page.locator(face.skip).first.click()
    controls = page.locator(", ".join(filter(None, (face.rail, face.words))))
    return controls.first.is_visible()
