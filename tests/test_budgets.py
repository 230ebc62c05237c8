"""Every limit of the site ends the build with the name of what broke it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qlearn_book import budgets, explorer
from qlearn_book.site import inspection, weights
from qlearn_book.site.weights import BudgetError, check

HEAD = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>t</title>{}</head><body>'
FIGURE = (
    '<figure class="qx" id="{name}" data-src="../_static/figures/{name}.js">'
    '<p class="qx-summary" id="{name}-summary">{sentence}</p></figure>'
)


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A site of two pages with one figure each, within all limits."""
    monkeypatch.delenv("QLEARN_BOOK_SITE", raising=False)
    for name, depths in (("spread", 4), ("staircase", 5)):
        data = {"axes": {"gamma": [0.1, 0.5, 0.9], "depth": list(range(depths))}}
        write(tmp_path / f"_static/figures/{name}.js", f'qlearnData("k",{json.dumps(data)});\n')
    write(tmp_path / "_static/book.css", "p { color: red }")
    page(tmp_path, "intro", FIGURE.format(name="spread", sentence="It is <b>0.5</b> here."))
    page(tmp_path, "chapter", FIGURE.format(name="staircase", sentence="Flat."))
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def page(site: Path, name: str, body: str) -> None:
    sheet = '<link rel="stylesheet" href="../_static/book.css?v=1">'
    write(site / "book" / f"{name}.html", HEAD.format(sheet) + body + "</body></html>")


def complaint(site: Path) -> str:
    with pytest.raises(BudgetError) as caught:
        check(site)
    return str(caught.value)


def test_a_site_within_its_limits_passes_and_its_weights_are_counted(site):
    chapter, intro = check(site)
    assert (intro.page, intro.figures, intro.states) == ("book/intro.html", 1, 12)
    assert (chapter.page, chapter.figures, chapter.states) == ("book/chapter.html", 1, 15)
    html, data, sheet = (
        weights.wire_size(site / name)
        for name in ("book/intro.html", "_static/figures/spread.js", "_static/book.css")
    )
    assert intro.own == html + data and intro.visit == html + data + sheet


def test_the_table_has_a_line_for_every_page(site):
    lines = weights.table(check(site)).splitlines()
    assert lines[0].split() == ["page", "kB", "with", "shared", "figures", "states"]
    assert [line.split()[0] for line in lines[1:]] == ["book/chapter.html", "book/intro.html"]
    assert lines[2].split()[-2:] == ["1", "12"]


def test_a_page_with_figures_counts_the_plotting_library(site):
    before = check(site)[0].visit
    write(site / weights.PLOTLY, "x" * 1000)
    assert check(site)[0].visit == before + weights.wire_size(site / weights.PLOTLY)


@pytest.mark.parametrize(
    ("cap", "said"), [("MAX_PAGE", "bytes, cap"), ("MAX_VISIT", "with its scripts and styles, cap")]
)
def test_a_page_over_its_bytes_is_named(site, monkeypatch, cap, said):
    intro = next(weight for weight in check(site) if weight.page == "book/intro.html")
    chapter = next(weight for weight in check(site) if weight.page == "book/chapter.html")
    assert chapter.own < intro.own
    limit = intro.own - 1 if cap == "MAX_PAGE" else intro.visit - 1
    monkeypatch.setattr(budgets, cap, limit)
    message = complaint(site)
    assert "book/intro.html takes" in message and f"{said} {limit:,}" in message
    assert "chapter" not in message


def test_the_limits_of_a_figure_stand_in_the_same_table():
    for cap in ("MAX_STATES", "MAX_BYTES", "MAX_SECONDS"):
        assert getattr(explorer, cap) == getattr(budgets, cap)


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("missing.html", "leads to no file"),
        ("../missing.html", "leads to no file"),
        ("_static/book.css", "leads to no file"),
        ("../../outside.html", "leads to no file"),
        ("/book/chapter.html", None),
        ("/missing", "leads to no file"),
        ("chapter.html", None),
        ("chapter.html#staircase", None),
        ("chapter.html#nowhere", "names the anchor 'nowhere'"),
        ("#here", None),
        ("#", None),
        ("", None),
        ("#nowhere", "names the anchor 'nowhere'"),
        ("intro.html#spread?gamma=0.9&amp;depth=8", None),
        ("chapter.html#staircase?gamma=0.9", None),
        ("chapter.html#spread?gamma=0.9", "names a state of the figure 'spread'"),
        ("#spread-summary?gamma=0.9", "names a state of the figure 'spread-summary'"),
        ("https://example.org/missing", None),
        ("mailto:someone@example.org", None),
        ("chapter%2Ehtml", None),
    ],
)
def test_a_dead_link_or_anchor_is_named_with_its_page(site, link, reason):
    page(site, "third", f'<h2 id="here">Third</h2><a href="{link}">there</a>')
    if reason is None:
        assert len(check(site)) == 3
    else:
        message = complaint(site)
        assert f"book/third.html: the link {link.replace('&amp;', '&')!r} {reason}" in message


@pytest.mark.parametrize(
    "body",
    [
        '<script src="../_static/missing.js"></script>',
        '<img alt="a curve" src="missing.png">',
        '<figure class="qx" id="a" data-src="missing.js"><p class="qx-summary">1</p></figure>',
        '<form action="missing.html"></form>',
    ],
)
def test_whatever_a_page_loads_must_be_there(site, body):
    page(site, "third", body)
    assert "book/third.html: the link" in complaint(site)


def test_below_a_path_links_from_the_top_of_the_host_must_stay_on_the_site(site, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_SITE", "https://owner.github.io/name")
    page(site, "third", '<a href="/name/book/intro.html">i</a>')
    check(site)
    page(site, "third", '<a href="https://owner.github.io/name/book/lost.html">i</a>')
    assert "book/lost.html' leads to no file" in complaint(site)
    page(site, "third", '<a href="/book/intro.html">i</a>')
    assert "leaves the site, which lies at '/name/'" in complaint(site)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('<img src="../_static/book.css">', "../_static/book.css has no text alternative"),
        ('<img alt=" " src="../_static/book.css">', "../_static/book.css has no text alternative"),
        ('<svg role="img"></svg>', "a picture (svg) has no text alternative"),
        ('<svg role="img"><path></path></svg>', "a picture (svg) has no text alternative"),
        (FIGURE.format(name="spread", sentence=" "), "figure 'spread' has no sentence"),
    ],
)
def test_a_missing_alternative_is_named_with_its_page(site, body, named):
    page(site, "third", body)
    assert f"book/third.html: {named}" in complaint(site)


@pytest.mark.parametrize(
    "picture",
    [
        '<svg role="img" aria-label="a curve"></svg>',
        '<svg role="img"><title>a curve</title><path/></svg>',
        '<svg aria-hidden="true"><path/></svg>',
    ],
)
def test_a_picture_that_is_named_or_hidden_passes(site, picture):
    page(site, "third", picture)
    check(site)


def test_the_sentence_of_a_figure_ends_where_its_element_ends(site):
    text = FIGURE.format(name="a", sentence="One<br><b>two</b>") + "<p>three</p>"
    text = text.replace("</figure>", "<p>four</p></figure>")
    assert inspection.Page(text).figures == {"a": "Onetwo"}


def test_everything_that_is_wrong_is_listed_at_once(site):
    page(site, "third", '<a href="a.html">a</a><a href="b.html">b</a><img src="c.png">')
    message = complaint(site)
    assert message.count("book/third.html") == 4
