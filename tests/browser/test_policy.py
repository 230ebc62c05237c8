"""Nothing but the site itself runs or loads, anywhere it is opened from; lost readers find back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.server import serving
from tests.browser.test_figures import READ, SET


@pytest.fixture(params=["http", "folder", "below a path"])
def home(request, site: Path, address: str, tmp_path: Path):
    """The address of the site: on a server, in a folder, on a server below /deep/book/."""
    if request.param == "http":
        yield address
    elif request.param == "folder":
        yield site.as_uri()
    else:
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "book").symlink_to(site)
        with serving(tmp_path) as top:
            yield f"{top}/deep/book"


def test_a_page_loads_and_draws_within_its_policy_wherever_the_book_lies(visit, home, example):
    here = visit(f"{home}/book/{example.stem}.html")
    here.figures()
    here.page.wait_for_timeout(200)
    assert here.errors == []


def test_search_finds_a_chapter_within_the_policy(visit, home):
    here = visit(f"{home}/search.html?q=contraction")
    result = here.page.locator("#search-results a").first
    result.wait_for(timeout=20_000)
    result.click()
    here.page.wait_for_selector("figure.qx")
    assert "/book/" in here.page.url
    assert [e for e in here.errors if "Security Policy" in e or "Refused" in e] == []


def test_moving_a_slider_draws_within_the_policy(visit, home):
    here = visit(f"{home}/book/intro.html")
    name = here.figures()[0]
    before = here.page.evaluate(READ, name)
    here.page.evaluate(SET, [name, {"gamma": 0}])
    here.page.wait_for_timeout(400)
    assert here.page.evaluate(READ, name)["traces"] != before["traces"]
    assert here.errors == []


@pytest.mark.parametrize(
    "injection",
    [
        "const s = document.createElement('script'); s.textContent = 'window.harm = 1';"
        "document.body.append(s)",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.harm = 1\">')",
        "const s = document.createElement('script'); s.src = 'data:text/javascript,window.harm=1';"
        "document.body.append(s)",
        "setTimeout('window.harm = 1')",
    ],
    ids=["inline script", "handler", "data script", "text as code"],
)
def test_a_script_that_is_not_the_sites_own_does_not_run(visit, address, injection):
    here = visit("about:blank")
    # The page's own world: what the test injects from outside is exempt from the policy.
    here.page.goto(f"{address}/book/intro.html")
    here.page.evaluate(f"() => {{ {injection} }}")
    here.page.wait_for_timeout(300)
    assert here.page.evaluate("window.harm") is None


def test_no_other_host_can_be_reached_from_a_page(visit, address):
    here = visit(f"{address}/book/intro.html")
    with serving(Path(__file__).parent) as other:
        reached = here.page.evaluate(f"fetch({json.dumps(other)}).then(() => true, () => false)")
        assert reached is False
        assert any("Content Security Policy" in error for error in here.errors)


def test_the_themes_own_buttons_still_work(visit, address):
    here = visit("about:blank")
    here.page.add_init_script("window.print = () => { window.printed = true }")
    here.page.goto(f"{address}/book/intro.html")
    here.page.evaluate("document.querySelector('.btn-download-pdf-button').click()")
    assert here.page.evaluate("window.printed") is True
    here.page.evaluate("document.querySelector('.btn-fullscreen-button').click()")
    here.page.wait_for_timeout(300)
    assert [e for e in here.errors if "Security Policy" in e] == []


def test_the_entrance_keeps_what_follows_the_address(visit, address):
    here = visit(f"{address}/?from=mail#spread?gamma=0.5")
    here.page.wait_for_url("**/book/intro.html?from=mail#spread?gamma=0.5")


def test_the_page_for_lost_readers_offers_the_search_and_every_chapter(visit, address):
    here = visit(f"{address}/404.html")
    chapters = here.page.locator("main li a")
    assert chapters.count() >= 5
    here.page.get_by_label("Search the book").fill("contraction")
    here.page.get_by_role("button", name="Search").click()
    here.page.locator("#search-results a").first.wait_for(timeout=20_000)
    assert here.errors == []
