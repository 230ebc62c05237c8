"""The ledger on the site: its page, the badges of the chapters, addresses, markup."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
from docutils import nodes
from docutils.utils import new_document

from qlearn_book.address import address
from qlearn_book.claims import ledger, markup
from qlearn_book.claims.claim import Finding, Verdict
from qlearn_book.notebooks import BOOK
from qlearn_book.site import ledger_page
from qlearn_book.theme import PALETTE

from .test_ledger import make

HOLDS, UNDER, FAILS = Verdict.HOLDS, Verdict.UNDER_CONDITIONS, Verdict.FAILS


@pytest.fixture(scope="module")
def book() -> ledger.Ledger:
    return ledger.Ledger()


# --- on the site ----------------------------------------------------------------------------------


def test_pages_that_show_a_verdict_are_renewed_when_the_ledger_changes(book, monkeypatch):
    monkeypatch.setattr(ledger, "Ledger", lambda: book)
    env = SimpleNamespace(found_docs={"book/claims", "book/intro", "book/notation"})
    app = SimpleNamespace()
    changes = ([], [], [])
    assert ledger_page.pages_to_renew(app, env, *changes) == ["book/claims", "book/intro"]
    assert ledger_page.pages_to_renew(app, env, *changes) == []
    monkeypatch.setattr(type(book), "_repr_html_", lambda self: "another verdict")
    assert ledger_page.pages_to_renew(app, env, *changes) == ["book/claims", "book/intro"]


def test_a_citation_becomes_a_badge_and_other_code_stays(book):
    builder = SimpleNamespace(format="html", get_relative_uri=lambda *names: "claims.html")
    page = new_document("page")
    page += nodes.paragraph("", "", nodes.literal(text="claim:staircase"), nodes.literal(text="x"))
    ledger_page.show(SimpleNamespace(builder=builder, claims=book), page, "book/q_learning")
    badge, code = page[0].children
    assert badge.astext() == markup.badge(book.by_id["staircase"], "claims.html")
    assert isinstance(code, nodes.literal)


def test_the_ledgers_page_shows_the_ledger_as_it_is_now(book, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    builder = SimpleNamespace(format="html", get_relative_uri=lambda *names: "")
    page = new_document("page")
    page += nodes.raw("", '<div class="ledger">of an earlier build</div>', format="html")
    ledger_page.show(SimpleNamespace(builder=builder, claims=book), page, ledger_page.PAGE)
    assert page.astext() == book._repr_html_()


def test_the_colours_of_the_verdicts_are_those_of_the_palette():
    roles = {"holds": "green", "conditions": "orange", "fails": "red", "quiet": "muted"}
    colours = re.findall(r"--claim-(\w+): (#\w+);", markup.STYLE.read_text(encoding="utf-8"))
    light, dark = dict(colours[:4]), dict(colours[4:])
    assert {key: (light[key], dark[key]) for key in roles} == {
        key: PALETTE[role] for key, role in roles.items()
    }


# --- addresses and the page -----------------------------------------------------------------------


def test_an_address_holds_every_control_in_its_shortest_form():
    values = {"gamma": 0.9, "depth": 8, "alpha": 1.0, "tolerance": 1e-6, "goal": "loop"}
    assert address("curve", values) == "#curve?gamma=0.9&depth=8&alpha=1&tolerance=1e-06&goal=loop"


def test_words_of_an_address_survive_the_way_through_a_browser():
    values = {"behaviour": "ε-greedy, ε = 0.3", "walk": "65 % back & forth"}
    fragment = address("curve", values)
    assert re.fullmatch(r"[#\w?=&%.-]+", fragment) and fragment.isascii()
    assert dict(parse_qsl(fragment.partition("?")[2])) == values


def test_every_link_of_the_ledger_leads_to_a_chapter_and_an_anchor_of_its_own(book):
    html = markup.ledger(book.entries, ".ipynb")
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {f"claim-{entry.claim.id}" for entry in book.entries} <= set(ids)
    for target in re.findall(r'href="([^"]+)"', html):
        page, _, fragment = target.partition("#")
        assert (BOOK / page).is_file() if page else fragment in ids, target


def test_each_verdict_has_a_shape_and_words():
    marks = {verdict: markup.mark(verdict) for verdict in Verdict}
    assert len({re.search(r'<path d="([^"]+)"', mark)[1] for mark in marks.values()}) == 5
    assert all(str(verdict) in mark for verdict, mark in marks.items())


def test_tests_are_linked_where_the_repository_is_known_and_named_everywhere(book, monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_REPOSITORY", raising=False)
    name = "the share of flat updates at alpha one tenth is 89 percent"
    plain = markup.ledger(book.entries, ".html")
    assert name in plain and "://" not in plain
    monkeypatch.setenv("QLEARN_BOOK_REPOSITORY", "https://github.com/owner/name")
    pattern = (
        rf'<a href="https://github.com/owner/name/blob/main/(tests/\w+\.py)#L(\d+)">{name}</a>'
    )
    path, line = re.search(pattern, markup.ledger(book.entries, ".html")).groups()
    source = (Path(__file__).parent.parent / path).read_text(encoding="utf-8").splitlines()
    assert source[int(line) - 1].startswith("def test_the_share_of_flat_updates")


def test_markup_in_a_claim_is_text():
    entry = ledger.Entry(make(), Finding(HOLDS, "<b>", ()), "", None, ())
    html = markup.ledger([entry], ".html")
    assert "<b>" not in html.partition("claim-contents")[2] and "&lt;b&gt;" in html


def test_a_badge_shows_the_verdict_and_leads_to_the_claim(book):
    badge = markup.badge(book.by_id["staircase"], "claims.html")
    assert 'href="claims.html#claim-staircase"' in badge
    assert re.sub(r"<[^>]+>", "", badge) == "The ledger says: holds"


def test_in_a_kernel_the_ledger_brings_its_style_and_links_to_notebooks(book, monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_MODE", raising=False)
    html = book._repr_html_()
    assert html.startswith("<style>") and "q_learning.ipynb#staircase?" in html
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    assert (
        "<style>" not in book._repr_html_() and "q_learning.html#staircase?" in book._repr_html_()
    )
