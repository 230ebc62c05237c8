"""The book's furniture: citations that are right, and numbers by construction."""

from __future__ import annotations

import io
import re
from pathlib import Path

import nbformat
import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from qlearn_book.notebooks import BOOK
from qlearn_book.site import bibliography

ROOT = BOOK.parent
PAGES = sorted([*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")])
LINK = re.compile(r"\[((?:[^\[\]]|\\\])+)\]\(([\w.]*)#([\w-]+)\)")
DIV = re.compile(r'^<div id="([\w-]+)"></div>$', re.MULTILINE)
ORDINALS = {"first": 0, "second": 1, "third": 2, "last": -1}


def text(page: Path) -> str:
    """The Markdown of a page without its code."""
    if page.suffix == ".ipynb":
        cells = nbformat.read(page, as_version=4).cells
        return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    whole = page.read_text(encoding="utf-8")
    return re.sub(r"`[^`\n]+`", "", re.sub(r"```.*?```", "", whole, flags=re.DOTALL))


def chapters() -> list[Path]:
    return [page for page in PAGES if "## Exercises" in text(page)]


def links() -> list[tuple[Path, str, str, str]]:
    """(page, words, file that is linked to, name in it) for every link to a name."""
    return [
        (page, words, target or page.name, name)
        for page in PAGES
        for words, target, name in LINK.findall(text(page))
    ]


def figures(page: Path) -> list[str]:
    """The names of a chapter's figures in reading order."""
    if page.suffix != ".ipynb":
        return []
    cells = nbformat.read(page, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return re.findall(r'Explorer\(\s*"(\w+)"', code)


# --- the bibliography ----------------------------------------------------------------------------


def test_every_citation_names_the_authors_and_the_year_of_its_work():
    works = bibliography.entries()
    cited = [(p.name, words, key) for p, words, to, key in links() if to == "bibliography.md"]
    assert cited
    for page, words, key in cited:
        assert key in works, f"{page} cites {key}"
        assert words in bibliography.citations(works[key]), f"{page}: {words}"


def test_every_work_of_the_bibliography_is_cited():
    cited = {key for _, _, target, key in links() if target == "bibliography.md"}
    assert set(bibliography.entries()) - cited == set()


def test_the_bibliography_is_what_references_bib_says():
    assert bibliography.PAGE.read_text(encoding="utf-8") == bibliography.page(), (
        "run python -m qlearn_book.site.bibliography"
    )


def test_a_chapter_lists_what_it_cites_among_its_sources():
    assert len(chapters()) >= 5
    for page in chapters():
        before, _, sources = text(page).partition("## Sources")
        keys = re.compile(r"\(bibliography\.md#(\w+)\)")
        assert set(keys.findall(before)) <= set(keys.findall(sources)), page.name


@pytest.fixture
def bib(tmp_path, monkeypatch):
    """bib(text) puts another list of works in the place of the book's own."""
    monkeypatch.setattr(bibliography, "SOURCE", tmp_path / "references.bib")
    return lambda text: bibliography.SOURCE.write_text(text, encoding="utf-8")


def test_a_work_without_a_page_number_is_refused_by_name(bib):
    bib("@article{a1, author={A, B}, title={T}, journal={J}, volume={1}, year={2000}}")
    with pytest.raises(ValueError, match="a1 must have the field pages"):
        bibliography.entries()


def test_a_work_of_an_unknown_kind_is_refused_by_name(bib):
    bib("@booklet{a1, author={A, B}, title={T}, year={2000}}")
    with pytest.raises(ValueError, match="a1 must be one of"):
        bibliography.entries()


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        ("Watkins, C.", "Watkins"),
        ("Watkins, C. and Dayan, P.", "Watkins and Dayan"),
        ("Azar, M. and Munos, R. and Kappen, H.", "Azar, Munos and Kappen"),
        ("Li, G. and Cai, C. and Chen, Y. and Wei, Y.", "Li and others"),
        ("Towers, M. and others", "Towers and others"),
        ("van Hasselt, H.", "van Hasselt"),
    ],
)
def test_a_label_names_up_to_three_authors(bib, authors, expected):
    bib(f"@misc{{key, author={{{authors}}}, title={{T}}, howpublished={{H}}, year={{2000}}}}")
    assert bibliography.label(bibliography.entries()["key"]) == expected


def test_a_reference_holds_all_that_is_needed_to_find_the_work():
    works = bibliography.entries()
    assert bibliography.reference(works["watkins1992"]) == (
        "**Watkins and Dayan (1992).** Christopher J. C. H. Watkins and Peter Dayan. Q-learning. "
        "*Machine Learning* 8, 279–292. [doi:10.1007/BF00992698]"
        "(<https://doi.org/10.1007/BF00992698>)."
    )


# --- names and numbers ---------------------------------------------------------------------------


def test_a_name_is_given_once_on_a_page():
    for page in PAGES:
        names = [*DIV.findall(text(page)), *figures(page)]
        assert len(names) == len(set(names)), page.name


def test_every_formula_with_a_name_is_referred_to():
    linked = {(target, name) for _, _, target, name in links()}
    for page in BOOK.glob("*.ipynb"):
        for name in DIV.findall(text(page)):
            assert (page.name, name) in linked, f"{page.name}: nobody refers to {name}"


def test_a_named_formula_stands_right_behind_its_name():
    for page in BOOK.glob("*.ipynb"):
        for match in DIV.finditer(text(page)):
            behind = text(page)[match.end() :]
            assert behind.startswith("\n\n$$"), f"{page.name}: {match[1]}"


def test_the_words_of_a_link_to_a_figure_are_true_in_jupyterlab():
    for page, words, target, name in links():
        names = figures(BOOK / target)
        ordinal = re.fullmatch(r"the (\w+) figure", words)
        if name in names and ordinal:
            assert names[ORDINALS[ordinal[1]]] == name, f"{page.name}: {words} is not {name}"


def test_a_sentence_stays_a_sentence_when_a_number_takes_the_place_of_a_links_words():
    article = re.compile(r"\b(?:a|an|the|this|that|which|each) $", re.IGNORECASE)
    for page in PAGES:
        whole = text(page)
        for match in LINK.finditer(whole):
            target = BOOK / (match[2] or page.name)
            if target.suffix == ".ipynb":
                assert not article.search(whole[: match.start()]), f"{page.name}: {match[0]}"


FIGURE = (
    '<figure class="qx" id="{0}"><figcaption class="qx-title" id="{0}-title">Title</figcaption>'
    "</figure>"
)
CHAPTER = f"""# One

{FIGURE.format("early")}

{FIGURE.format("late")}

See [the second figure](#late), [the formula](#bound), [another](two.md#other) and
[Someone (2000)](bibliography.md#someone).

<div id="bound"></div>

$$
a = b
$$
"""
WORKS = '# Works\n\n<div id="someone"></div>\n\n**Someone (2000).** A title.\n'


def build(folder: Path, **pages: str) -> tuple[dict[str, str], str]:
    """The pages of a small book as HTML, and the warnings of its build."""
    source = folder / "source"
    (source / "book").mkdir(parents=True, exist_ok=True)
    contents = "\n".join(pages)
    root = f"# Root\n\n```{{toctree}}\n:numbered: 1\n\n{contents}\n```\n"
    for name, page in {"index": root, **pages}.items():
        (source / "book" / f"{name}.md").write_text(page, encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "qlearn_book.site.references"],
        "myst_enable_extensions": ["dollarmath"],
        "root_doc": "book/index",
        "html_theme": "basic",
        "math_numfig": False,
    }
    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            source, None, folder / "html", folder / "trees", "html", settings,
            status=None, warning=warnings,
        )  # fmt: skip
        app.build()
    site = folder / "html" / "book"
    return {name: (site / f"{name}.html").read_text(encoding="utf-8") for name in pages}, (
        warnings.getvalue()
    )


def numbers(html: str) -> list[str]:
    return re.findall(r">((?:Figure|Equation)\xa0[\d.]+)<", html)


OTHER = '# Two\n\n<div id="other"></div>\n\n$$c = d$$\n\nIt is [this](one.md#late).\n'


def test_links_to_figures_and_formulas_read_as_their_numbers(tmp_path):
    pages, warnings = build(tmp_path, one=CHAPTER, two=OTHER, bibliography=WORKS)
    assert warnings == ""
    assert numbers(pages["one"]) == ["Figure\xa01.2", "Equation\xa01.1", "Equation\xa02.1"]
    assert numbers(pages["two"]) == ["Figure\xa01.2"]
    for href in ('href="#late"', 'href="#bound"', 'href="two.html#other"'):
        assert href in pages["one"]
    assert 'id="early-title"><span class="qx-number">Figure 1.1.</span> Title<' in pages["one"]
    assert 'id="late-title"><span class="qx-number">Figure 1.2.</span> Title<' in pages["one"]
    assert re.search(r'id="bound".*?\(1\.1\)', pages["one"], re.DOTALL)


def test_a_work_says_which_pages_cite_it(tmp_path):
    pages, _ = build(tmp_path, one=CHAPTER, two=OTHER, bibliography=WORKS)
    assert 'href="bibliography.html#someone"><span>Someone (2000)</span></a>' in pages["one"]
    assert '<div id="someone"></div>' in pages["bibliography"]
    assert re.search(
        r'Cited in <a[^>]*href="one.html"><span>One</span></a>\.', pages["bibliography"]
    )


@pytest.mark.parametrize("link", ["[x](#nobody)", "[x](bibliography.md#nobody)", "[x](two.md#no)"])
def test_a_link_to_a_name_that_nobody_gave_is_a_warning(tmp_path, link):
    _, warnings = build(tmp_path, one=f"{CHAPTER}\n{link}\n", two=OTHER, bibliography=WORKS)
    assert "xref_missing" in warnings


def test_pages_that_did_not_change_take_over_new_numbers(tmp_path):
    build(tmp_path, one=CHAPTER, two=OTHER, bibliography=WORKS)
    shorter = CHAPTER.replace(FIGURE.format("early"), "")
    pages, _ = build(tmp_path, one=shorter, two=OTHER, bibliography=WORKS)
    assert numbers(pages["two"]) == ["Figure\xa01.1"]


def test_a_name_given_twice_stops_the_build(tmp_path):
    twice = CHAPTER + "\n" + FIGURE.format("late") + "\n"
    with pytest.raises(Exception, match="the name 'late' must be given once"):
        build(tmp_path, one=twice, two=OTHER, bibliography=WORKS)


# --- glossary and notation -----------------------------------------------------------------------


def test_every_term_of_the_glossary_says_where_it_is_at_work():
    terms = re.split(r"^### ", (BOOK / "glossary.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    assert len(terms) > 20
    for term in terms:
        targets = re.findall(r"\]\((\w+\.ipynb)\)", term)
        assert targets, term.splitlines()[0]
        for target in targets:
            assert (BOOK / target).is_file(), target


def test_every_chapter_leads_to_the_glossary():
    linking = {page.name for page, _, target, _ in links() if target == "glossary.md"}
    assert {page.name for page in chapters()} <= linking


def test_every_code_name_of_the_notation_page_occurs_in_the_package():
    notation = (BOOK / "notation.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in notation.splitlines() if line.startswith("| ")]
    names = {
        name
        for row in rows
        for code in re.findall(r"`([^`]+)`", row[1])
        for name in re.findall(r"[A-Za-z]\w+", code)
    }
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "qlearn_core").rglob("*.py"))
    assert len(names) > 15
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()
