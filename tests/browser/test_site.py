"""The finished site as a reader meets it: light, self-sufficient, from a folder or offline."""

from __future__ import annotations

import re

from playwright.sync_api import Route

from qlearn_book.budgets import MAX_PAGE, MAX_VISIT
from qlearn_book.site import weights
from qlearn_book.site.weights import wire_size
from tests.browser.conftest import PHONE
from tests.browser.test_figures import READ, SET


def test_the_heaviest_page_stays_within_its_bytes(visit, address, site):
    heaviest = max(weights.check(site), key=lambda weight: weight.visit)
    here = visit(f"{address}/{heaviest.page}")
    here.figures()
    here.page.wait_for_timeout(500)
    files = {site / url[len(address) + 1 :].partition("?")[0] for url in here.requests}
    sizes = {file: wire_size(file) for file in files if file.is_file()}
    own = {f: s for f, s in sizes.items() if f.suffix == ".html" or f.parent.name == "figures"}
    assert sum(sizes.values()) < MAX_VISIT, sorted(sizes.items(), key=lambda x: -x[1])[:8]
    assert sum(own.values()) < MAX_PAGE, own


def test_a_page_opened_from_a_folder_answers(visit, site, example):
    here = visit((site / "book" / f"{example.stem}.html").as_uri())
    name = here.figures()[0]
    before = here.page.evaluate(READ, name)
    sliders = here.page.locator(f"#{name} .qx-range:has(input:not([value='0']))")
    here.page.evaluate(SET, [name, {sliders.first.get_attribute("data-axis"): 0}])
    after = here.page.evaluate(READ, name)
    assert after["summary"] != before["summary"] or after["traces"] != before["traces"]
    assert here.errors == []
    assert [url for url in here.requests if not url.startswith(("file:", "data:"))] == []


def test_with_the_network_cut_after_loading_every_figure_still_answers(visit, address):
    here = visit(f"{address}/book/value_iteration.html")
    names = here.figures()
    here.context.set_offline(True)
    for name in names:
        before = here.page.evaluate(READ, name)
        here.page.evaluate(SET, [name, {"gamma": 1}])
        here.page.wait_for_timeout(400)
        assert here.page.evaluate(READ, name)["traces"] != before["traces"], name
    assert here.errors == []


def test_a_figure_whose_data_fail_to_load_says_so_and_tries_again(visit, address):
    failing = {"on": True}

    def answer(route: Route) -> None:
        route.abort() if failing["on"] else route.continue_()

    here = visit("about:blank")
    here.page.route("**/figures/*.js", answer)
    here.page.goto(f"{address}/book/intro.html")
    notice = here.page.locator("#spread .qx-failure")
    notice.wait_for(timeout=10_000)
    assert "could not be drawn" in notice.inner_text()
    failing["on"] = False
    notice.get_by_role("button", name="Try again").click()
    here.page.wait_for_selector("#spread[data-ready=true]", timeout=10_000)
    assert not notice.is_visible()


def test_a_slider_moved_before_its_figure_arrived_is_not_forgotten(visit, address):
    here = visit("about:blank")
    waiting: list[Route] = []
    here.page.route("**/figures/*.js", lambda route: waiting.append(route))
    here.page.goto(f"{address}/book/intro.html", wait_until="domcontentloaded")
    slider = here.page.locator("#spread-gamma")
    slider.fill("0")
    while not waiting:
        here.page.wait_for_timeout(50)
    for route in waiting:
        route.continue_()
    here.page.wait_for_selector("#spread[data-ready=true]", timeout=10_000)
    assert here.page.locator("output[for=spread-gamma]").inner_text() == "0.5"


def test_the_first_figure_stands_in_the_first_screen(visit, address):
    for settings in ({"viewport": {"width": 1280, "height": 900}}, PHONE):
        here = visit(f"{address}/book/intro.html", **settings)
        here.page.wait_for_selector("#spread[data-ready=true]", timeout=10_000)
        height = here.page.viewport_size["height"]
        assert here.page.locator("#spread .qx-controls").bounding_box()["y"] < height / 2
        box = here.page.locator("#spread .qx-plot").bounding_box()
        assert box["y"] + box["height"] / 2 < height


def test_the_entrance_leads_to_the_introduction_and_says_so_without_scripts(visit, address, site):
    here = visit(f"{address}/", java_script_enabled=False)
    here.page.wait_for_url(f"{address}/book/intro.html")
    entrance = (site / "index.html").read_text(encoding="utf-8")
    assert (
        'lang="en"' in entrance and "<title>" in entrance and 'href="book/intro.html"' in entrance
    )


def test_no_page_names_a_third_party_to_load_from(site):
    loads = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=\"(https?:)?//|<link[^>]+href=\"https?://"
    )
    for page in site.rglob("*.html"):
        found = loads.search(page.read_text(encoding="utf-8"))
        assert found is None, f"{page.name}: {found and found.group(0)}"


def test_changing_the_theme_redraws_the_figures(visit, address):
    here = visit(f"{address}/book/intro.html", color_scheme="light")
    here.figures()
    title = "getComputedStyle(document.querySelector('#spread .xtitle')).fill"
    light = here.page.evaluate(title)
    here.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    here.page.wait_for_timeout(500)
    assert here.page.evaluate(title) != light
    assert here.errors == []


def test_readers_who_ask_for_less_motion_get_one_frame_per_press(visit, address):
    here = visit(f"{address}/book/intro.html", reduced_motion="reduce")
    here.figures()
    here.page.evaluate(SET, ["spread", {"sweeps": 3}])
    here.page.locator("#spread .qx-play").click()
    here.page.wait_for_timeout(900)
    assert here.page.locator("#spread-sweeps").input_value() == "4"


def test_a_page_keeps_its_height_when_what_is_off_screen_is_skipped(visit, address):
    here = visit(f"{address}/book/q_learning.html")
    here.page.wait_for_selector("html.qx-settled", state="attached")
    here.page.wait_for_timeout(500)
    height = "document.documentElement.scrollHeight"
    settled = here.page.evaluate(height)
    here.page.evaluate("document.documentElement.classList.remove('qx-settled')")
    assert abs(here.page.evaluate(height) - settled) <= 2
