"""Predict, then see, in the browser: nothing shows before the guess, and the guess is answered."""

from __future__ import annotations

import pytest

from qlearn_book.notebooks import explorers
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_links import STATE, index_of

HIDDEN = """name => [...document.getElementById(name)
    .querySelectorAll(".qx-controls, .qx-stage, .qx-tools")].map((part) => part.inert)"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_reader_commits_and_hears_how_far_off_the_guess_was(visit, address, example, size):
    here = visit(f"{address}/book/{example.stem}.html", **size)
    for explorer in [one for one in explorers(example) if one.predict]:
        asked, answer = explorer.question()
        root = here.page.locator(f"#{explorer.name}")
        root.scroll_into_view_if_needed()
        here.page.wait_for_selector(f"#{explorer.name}[data-ready=true]")
        assert here.page.evaluate(HIDDEN, explorer.name) == [True] * 3
        show = root.get_by_role("button", name="Show me")
        show.click()  # nothing chosen yet
        assert "Please" in root.locator(".qx-verdict").inner_text()
        assert here.page.evaluate(HIDDEN, explorer.name) == [True] * 3
        if asked.choices:
            guess = asked.choices[0]
            root.get_by_label(guess, exact=True).check()
        else:
            guess = 3 * answer + 1
            root.get_by_label("Your guess").fill(repr(guess))
        show.click()
        assert root.locator(".qx-verdict").inner_text() == asked.respond(guess, answer)
        assert here.page.evaluate(HIDDEN, explorer.name) == [False] * 3
        state = explorer.start | dict(asked.at)
        assert here.page.evaluate(STATE, explorer.name) == index_of(explorer, state)
    sent = [url for url in here.requests if not url.startswith(address)]
    assert sent == [] and here.errors == []


def test_a_guess_can_be_made_and_skipped_with_the_keyboard_alone(visit, address):
    here = visit(f"{address}/book/value_iteration.html")
    here.page.wait_for_selector("#contraction[data-ready=true]")
    here.page.locator("#contraction input[name=guess]").first.focus()
    here.page.keyboard.press("ArrowDown")
    here.page.keyboard.press("Enter")
    assert "That is right" in here.page.locator("#contraction .qx-verdict").inner_text()
    here.page.locator("#spreading .qx-skip").focus()
    here.page.keyboard.press("Enter")
    assert here.page.evaluate(HIDDEN, "spreading") == [False] * 3


@pytest.mark.parametrize("words", ["12,5", " 31 ", "3.1e1"])
def test_a_number_may_be_written_as_readers_write_numbers(visit, address, words):
    here = visit(f"{address}/book/value_iteration.html")
    root = here.page.locator("#stopping")
    root.get_by_label("Your guess").fill(words)
    root.get_by_role("button", name="Show me").click()
    assert root.locator(".qx-verdict").inner_text().startswith("You said ")
