"""The last step of the build: policy, entrance, old addresses, lost readers, map of the site."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from qlearn_book.site import entrance, finish, policy, weights

PAGES = [("book/intro.html", "Why <it> is hard"), ("book/chapter.html", "Value iteration")]
PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head>\n<meta charset="utf-8" />\n{}</head>\n'
    "<body>{}</body></html>"
)


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    for name in ("QLEARN_BOOK_SITE", "QLEARN_BOOK_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    for address, title in PAGES:
        (tmp_path / address).parent.mkdir(exist_ok=True)
        (tmp_path / address).write_text(PAGE.format("", title), encoding="utf-8")
    (tmp_path / "search.html").write_text(PAGE.format("", ""), encoding="utf-8")
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "favicon.svg").write_text("<svg/>")
    return tmp_path


def sha256(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def directives(text: str) -> dict[str, list[str]]:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    parts = [part.split() for part in found[1].split(";")]
    return {part[0]: part[1:] for part in parts}


def test_the_policy_names_no_host_and_allows_no_other_inline_script():
    rules = directives(policy.secured(PAGE.format("", "")))
    assert rules["default-src"] == ["'self'"] and rules["object-src"] == ["'none'"]
    sources = {source for rule in rules.values() for source in rule}
    allowed = {"'self'", "'none'", "'unsafe-inline'", "'unsafe-hashes'", "data:", "blob:"}
    assert {s for s in sources - allowed if not s.startswith("'sha256-")} == set()
    assert "'unsafe-inline'" not in rules["script-src"]
    assert {"data:", "blob:"}.isdisjoint(rules["script-src"])


def test_every_inline_script_is_allowed_by_its_hash():
    scripts = ["let a = 1 < 2 && 'γ';", "\n  if (a) { b() }\n", ""]
    text = PAGE.format("".join(f"<script>{script}</script>" for script in scripts), "")
    allowed = directives(policy.secured(text))["script-src"]
    assert {sha256(script) for script in scripts} <= set(allowed)
    assert sha256("let a = 2;") not in allowed


def test_only_the_page_of_results_loads_the_index_of_all_words(site):
    names = ("_static/searchtools.js", "_static/language_data.js?v=1", "searchindex.js")
    for page, up in (("search.html", ""), ("book/intro.html", "../")):
        scripts = "".join(f'<script src="{up}{name}"></script>\n' for name in names)
        kept = f'<script src="{up}_static/book.js"></script>'
        (site / page).write_text(PAGE.format(scripts + kept, ""), encoding="utf-8")
    finish.finish(site, PAGES)
    loaded = {
        page: re.findall(r'<script src="(?:\.\./)?([^"]+)"', (site / page).read_text("utf-8"))
        for page in ("search.html", "book/intro.html")
    }
    assert loaded == {
        "search.html": [*names, "_static/book.js"], "book/intro.html": ["_static/book.js"]
    }  # fmt: skip


def test_a_script_with_an_address_needs_no_hash():
    text = PAGE.format('<script defer src="a.js">ignored</script>', "<p>a script</p>")
    assert directives(policy.secured(text)) == directives(policy.secured(PAGE.format("", "")))


def test_the_policy_comes_before_everything_that_could_load():
    text = policy.secured(PAGE.format('<script src="a.js"></script><link href="b.css">', ""))
    place = text.index("Content-Security-Policy")
    assert place < text.index("<script") and place < text.index("<link")


def test_securing_a_page_twice_changes_nothing_and_forgets_scripts_that_are_gone():
    text = PAGE.format("<script>one()</script>", "")
    once = policy.secured(text)
    assert policy.secured(once) == once
    assert policy.secured(once.replace("one()", "two()")) == policy.secured(
        text.replace("one()", "two()")
    )


def test_a_page_without_a_place_for_its_policy_is_refused():
    with pytest.raises(ValueError, match="must have <meta charset>"):
        policy.secured("<html><body></body></html>")


def test_finishing_secures_every_page_and_may_run_again(site):
    finish.finish(site, PAGES)
    before = {file: file.read_bytes() for file in site.rglob("*") if file.is_file()}
    for file in site.rglob("*.html"):
        assert directives(file.read_text(encoding="utf-8"))["default-src"] == ["'self'"], file
    finish.finish(site, PAGES)
    assert {file: file.read_bytes() for file in site.rglob("*") if file.is_file()} == before


def test_the_finished_pages_have_no_dead_link(site):
    entrance.write(site, PAGES, {"book/old.html": "book/chapter.html", "old.html": PAGES[0][0]})
    assert {weight.page for weight in weights.check(site)} == {
        *("404.html", "book/chapter.html", "book/intro.html", "book/old.html"),
        *("index.html", "old.html", "search.html"),
    }


def test_an_old_address_leads_to_the_new_one_with_and_without_scripts(site):
    entrance.write(site, PAGES, {"book/old.html": "book/chapter.html", "a/b.html": "book/x.html"})
    near = (site / "book/old.html").read_text(encoding="utf-8")
    assert 'location.replace("chapter.html" + location.search + location.hash)' in near
    assert '<noscript><meta http-equiv="refresh" content="0; url=chapter.html"></noscript>' in near
    assert '<a href="chapter.html">' in near
    assert '"../book/x.html"' in (site / "a/b.html").read_text(encoding="utf-8")


def test_an_old_address_whose_target_is_gone_ends_the_build(site):
    entrance.write(site, PAGES, {"book/old.html": "book/gone.html"})
    with pytest.raises(weights.BudgetError, match="book/old.html: the link 'gone.html'"):
        weights.check(site)


def test_an_old_address_never_replaces_a_page_of_the_book(site):
    with pytest.raises(ValueError, match="forwards 'book/chapter.html', but the book has a page"):
        entrance.write(site, PAGES, {"book/chapter.html": "book/intro.html"})
    assert "Value iteration" in (site / "book/chapter.html").read_text(encoding="utf-8")


def test_an_old_address_cannot_break_out_of_its_page(site):
    entrance.write(site, PAGES, {"old.html": 'a"</script><b>.html'})
    text = (site / "old.html").read_text(encoding="utf-8")
    assert text.count("</script>") == 1 and "<b>" not in text


def test_the_page_for_lost_readers_lists_the_chapters_and_searches(site):
    entrance.write(site, PAGES)
    lost = (site / "404.html").read_text(encoding="utf-8")
    assert '<a href="/book/intro.html">Why &lt;it&gt; is hard</a>' in lost
    assert '<a href="/book/chapter.html">Value iteration</a>' in lost
    assert '<form action="/search.html"' in lost and 'name="q"' in lost


def test_the_page_for_lost_readers_works_below_a_path(site, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_SITE", "https://owner.github.io/name")
    entrance.write(site, PAGES)
    lost = (site / "404.html").read_text(encoding="utf-8")
    links = re.findall(r'(?:href|action)="([^"]*)"', lost)
    assert links and all(link.startswith("/name/") for link in links)
    weights.check(site)


def test_the_map_of_the_site_is_there_when_its_address_is_known(site, monkeypatch):
    entrance.write(site, PAGES)
    assert not (site / "sitemap.xml").exists()
    monkeypatch.setenv("QLEARN_BOOK_SITE", "https://owner.github.io/name/")
    entrance.write(site, PAGES)
    root = ElementTree.parse(site / "sitemap.xml").getroot()
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert root.tag == f"{space}urlset"
    assert [place.text for place in root.iter(f"{space}loc")] == [
        f"https://owner.github.io/name/{address}" for address, _ in PAGES
    ]
    monkeypatch.delenv("QLEARN_BOOK_SITE")
    entrance.write(site, PAGES)
    assert not (site / "sitemap.xml").exists()
