"""The book's furniture on the finished site: numbers, citations, search, downloads, dates."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
import yaml

from qlearn_book.notebooks import BOOK, chapters
from qlearn_book.site import page_facts
from tests.browser.conftest import DESKTOP, PHONE

LOOKED_UP = ["notation", "glossary", "bibliography", "how_it_is_built", "speed", "sweeps"]
CONTENTS = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))
READING_ORDER = [
    CONTENTS["root"],
    *(chapter["file"] for part in CONTENTS["parts"] for chapter in part["chapters"]),
]
WITH_FIGURES = {path.stem for path in chapters()}
CHAPTERS = [stem for page in READING_ORDER if (stem := Path(page).name) in WITH_FIGURES]

# Every link into the book with its words, and what every named thing on the page calls itself.
READ = """() => ({
  links: [...document.querySelectorAll(".bd-article a.reference.internal")].map(
    (link) => [link.textContent, link.href]),
  names: Object.fromEntries([...document.querySelectorAll(".bd-article [id]")].map((place) => {
    const number = place.querySelector(":scope > .eqno, :scope > figcaption > .qx-number");
    const work = place.matches("div:empty") && place.nextElementSibling.querySelector("strong");
    return [place.id, (number || work || { textContent: "" }).textContent];
  })),
})"""


@pytest.fixture(scope="module")
def book(browser, address) -> dict[str, dict]:
    """What READ finds on every page, by the page's address."""
    page = browser.new_page(java_script_enabled=False)
    found = {}
    for name in READING_ORDER:
        page.goto(f"{address}/{name}.html")
        found[page.url] = page.evaluate(READ)
    page.close()
    return found


def named(book: dict[str, dict], href: str) -> str | None:
    page, name = urldefrag(href)
    return book[page]["names"].get(name)


def test_every_number_in_the_text_is_the_number_of_what_it_leads_to(book):
    checked = 0
    for page, found in book.items():
        for words, href in found["links"]:
            if number := re.fullmatch(r"(Figure|Equation)\s([\d.]+)", words):
                place = named(book, href) or ""
                assert place.strip("#.()").endswith(number[2]), (page, words, href, place)
                checked += 1
    assert checked > 20


def test_figures_and_formulas_count_from_one_in_every_chapter(book):
    for chapter, stem in enumerate(CHAPTERS):
        (names,) = (f["names"] for page, f in book.items() if page.endswith(f"/{stem}.html"))
        for form in (r"Figure (\d+)\.(\d+)\.", r"\((\d+)\.(\d+)\)#?"):
            found = [re.fullmatch(form, value) for value in names.values()]
            pairs = [(int(match[1]), int(match[2])) for match in found if match]
            assert pairs == [(chapter, place) for place in range(1, len(pairs) + 1)], stem
            assert pairs or "Figure" not in form, stem  # a chapter may do without formulas


def test_every_citation_leads_to_the_work_that_it_names(book):
    checked = 0
    for page, found in book.items():
        for words, href in found["links"]:
            if "bibliography.html#" in href:
                work = re.sub(r"[().,]", "", named(book, href) or "nobody")
                assert work == re.sub(r"[().,]", "", words), (page, words, href)
                checked += 1
    assert checked > 20


def test_every_link_into_the_book_leads_to_something(book):
    for page, found in book.items():
        for words, href in found["links"]:
            target, name = urldefrag(urljoin(page, href))
            assert not name or name in book[target]["names"], (page, words, href)


@pytest.mark.parametrize("settings", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_search_finds_the_chapter_and_leads_there(visit, address, settings):
    here = visit(f"{address}/book/intro.html", **settings)
    here.page.locator(".search-button__button:visible, .search-button-field:visible").first.click()
    here.page.keyboard.type("filtration")
    here.page.keyboard.press("Enter")
    found = here.page.locator("#search-results ul.search a", has_text="Martingale noise").first
    found.wait_for(timeout=10_000)
    found.click()
    here.page.wait_for_url("**/book/martingale_noise.html*")
    assert here.errors == []


def test_a_search_for_nothing_in_the_book_says_so(visit, address):
    here = visit(f"{address}/search.html?q=zyzzyva")
    here.page.get_by_text("did not match any documents").wait_for(timeout=10_000)


def test_a_chapter_can_be_downloaded_as_the_notebook_it_is(visit, address, example):
    stem = example.stem
    here = visit(f"{address}/book/{stem}.html")
    here.page.get_by_role("button", name="Download this page").click()
    with here.page.expect_download() as download:
        here.page.locator(".dropdown-download-buttons a", has_text=".ipynb").click()
    assert download.value.suggested_filename == f"{stem}.ipynb"
    received = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert received == json.loads((BOOK / f"{stem}.ipynb").read_text(encoding="utf-8"))


def test_a_page_shows_the_date_of_its_last_change_or_none(site):
    for file in [BOOK / f"{s}.ipynb" for s in CHAPTERS] + [BOOK / f"{s}.md" for s in LOOKED_UP]:
        page = (site / "book" / f"{file.stem}.html").read_text(encoding="utf-8")
        shown = re.search(r"Last updated on (\d+ \w+ \d{4})\.", page)
        date = page_facts.last_changed(file)
        expected = date and f"{date.day} {date:%B %Y}"
        assert (shown and shown[1]) == expected, file.name


def test_a_link_to_a_page_shows_its_title_and_first_sentences(site):
    descriptions = set()
    for stem in [*CHAPTERS, *LOOKED_UP]:
        page = (site / "book" / f"{stem}.html").read_text(encoding="utf-8")
        for name in ("og:title", "og:description", "og:site_name"):
            assert re.search(f'<meta property="{name}" content="[^"]+">', page), (stem, name)
        description = re.search('<meta name="description" content="([^"]+)">', page)[1]
        assert 40 < len(description) <= 260, stem  # characters written as entities count more
        descriptions.add(description)
    assert len(descriptions) == len(CHAPTERS) + len(LOOKED_UP)


def test_one_page_leads_to_the_next_and_back(visit, address):
    here = visit(f"{address}/book/intro.html", java_script_enabled=False)
    for name in READING_ORDER[1:]:
        here.page.locator("a.right-next").click()
        assert here.page.url == f"{address}/{name}.html"
    here.page.locator("a.left-prev").click()
    assert here.page.url == f"{address}/{READING_ORDER[-2]}.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("stem", LOOKED_UP)
def test_a_page_to_look_things_up_fits_a_phone(visit, address, stem, scheme):
    here = visit(f"{address}/book/{stem}.html", **PHONE, color_scheme=scheme)
    width = "[document.documentElement.scrollWidth, window.innerWidth]"
    needed, there = here.page.evaluate(width)
    assert needed <= there
    assert here.errors == []
