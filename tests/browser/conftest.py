"""The finished site on a local server, and a real browser looking at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from qlearn_book.notebooks import chapters
from qlearn_core.experiments import phone_game
from tests.browser.chromium import launch
from tests.browser.server import SITE, serving

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {
    "viewport": {"width": 393, "height": 851},
    "device_scale_factor": 2.75,
    "is_mobile": True,
    "has_touch": True,
}


#: Chapters in which every kind of control, question and mark of the book occurs, as
#: test_examples.py makes sure. What a page does alike for all figures is tested on these.
EXAMPLES = ("bootstrapping", "q_learning", "value_iteration")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for an `example` on each of them, or on all chapters if so asked."""
    if "example" in metafunc.fixturenames:
        every = "QLEARN_BOOK_EVERY_CHAPTER" in os.environ
        chosen = [path for path in chapters() if every or path.stem in EXAMPLES]
        metafunc.parametrize("example", chosen, ids=[path.stem for path in chosen])


@pytest.fixture(scope="session")
def site() -> Path:
    assert (SITE / "index.html").is_file(), "there is no built site; run `make book` first"
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@dataclass
class Visit:
    """An open page, with all that it asked for and complained about."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def figures(self) -> list[str]:
        """Names of the page's figures, every one brought to life and asked nothing."""
        names = self.page.eval_on_selector_all("figure.qx", "all => all.map(f => f.id)")
        for name in names:
            self.page.locator(f"#{name}").scroll_into_view_if_needed()
            self.page.wait_for_selector(f"#{name}[data-ready=true]", timeout=30_000)
        self.page.evaluate("document.querySelectorAll('.qx-skip').forEach((skip) => skip.click())")
        return names


@pytest.fixture
def visit(browser: Browser) -> Iterator:
    """visit(url, **context settings) opens a page of its own; closed at the end of the test."""
    opened: list[BrowserContext] = []

    def open_page(url: str, **settings) -> Visit:
        context = browser.new_context(**(DESKTOP | settings))
        opened.append(context)
        here = Visit(context.new_page(), context)
        here.page.on("request", lambda request: here.requests.append(request.url))
        here.page.on("pageerror", lambda error: here.errors.append(str(error)))
        here.page.on(
            "console",
            lambda m: here.errors.append(m.text) if m.type in {"error", "warning"} else None,
        )
        here.page.goto(url)
        return here

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def game() -> phone_game.Game:
    """What the playable phone is made of."""
    return phone_game.game()


@pytest.fixture
def phone(visit, address):
    """open(**context settings) -> a visit to the chapter with the phone ready."""

    def open_page(**settings):
        here = visit(f"{address}/book/device.html", **settings)
        here.page.locator("figure.phone").scroll_into_view_if_needed()
        here.page.wait_for_selector("figure.phone[data-ready=true]", timeout=30_000)
        return here

    return open_page
