"""The ledger's page and the badges that cite it, as a reader meets them."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import DESKTOP, PHONE

SETTINGS = {
    "a desktop": DESKTOP,
    "a phone": PHONE,
    "a phone in the dark": PHONE | {"color_scheme": "dark"},
    "no scripts": PHONE | {"java_script_enabled": False},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_claim_reads_without_sideways_scrolling(visit, address, settings):
    page = visit(f"{address}/book/claims.html", **settings).page
    cards = page.locator("li.claim")
    assert cards.count() > 60
    assert "holds" in page.locator("#claim-staircase .claim-verdict").inner_text()
    width = page.viewport_size["width"]
    for card in cards.all():
        box = card.bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= width


def test_a_badge_shows_the_verdict_and_leads_to_its_card(visit, address):
    page = visit(f"{address}/book/q_learning.html").page
    badge = page.locator("a.claim-badge[href$='#claim-only-the-worst-moves']")
    badge.scroll_into_view_if_needed()
    assert "does not hold as stated" in badge.text_content()
    assert page.get_by_text("claim:", exact=False).count() == 0
    badge.click()
    page.wait_for_url(re.compile(r"/book/claims\.html#claim-only-the-worst-moves$"))
    card = page.locator("#claim-only-the-worst-moves")
    assert "does not hold as stated" in card.inner_text()
    page.wait_for_timeout(300)
    assert 0 < card.bounding_box()["y"] < page.viewport_size["height"] / 2


def test_a_claim_leads_to_the_figure_that_shows_it(visit, address):
    page = visit(f"{address}/book/claims.html").page
    link = page.locator("#claim-staircase .claim-figure a")
    assert link.get_attribute("href") == "q_learning.html#staircase?gamma=0.9&depth=5&alpha=0.1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ledger_prints_in_full(visit, address, scheme):
    page = visit(f"{address}/book/claims.html", color_scheme=scheme).page
    page.emulate_media(media="print")
    assert page.locator("#claim-staircase .claim-measured").is_visible()
    assert not page.locator("#claim-staircase .claim-here").is_visible()
