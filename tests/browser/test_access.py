"""Everyone can use it: axe-core, the keyboard, names, sizes, motion, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlearn_book.site.assets import AXE
from tests.browser.conftest import DESKTOP, EXAMPLES, PHONE
from tests.browser.server import SITE

PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts and path.name != "index.html"
)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"type": "tag", "values": TAGS}
RUN = """async (rules) => {
  const found = await axe.run(document, { runOnly: rules });
  const where = ({ nodes }) => nodes.slice(0, 3).map((node) => node.html.slice(0, 160));
  return found.violations.map((violation) => `${violation.id}: ${where(violation).join(" | ")}`);
}"""


# A browser does not lay out what is off screen, so that axe would measure it in the wrong places.
ALL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { content-visibility: visible !important }");
  document.adoptedStyleSheets.push(sheet);
}"""


# Where nothing is shown the browser halts what fades there, and it would never end by itself.
SETTLED = """document.getAnimations()
    .filter((change) => change.effect.getComputedTiming().endTime < Infinity)
    .forEach((change) => change.finish())"""


def audit(here) -> list[str]:
    here.page.evaluate(ALL)
    here.page.evaluate(SETTLED)  # an opened box fades in, and buttons change their colour slowly
    here.page.evaluate(AXE.read_text(encoding="utf-8"))
    return here.page.evaluate(RUN, EVERYTHING)


WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """() => [...document.querySelectorAll(".bd-article :is(p, li, td, th, code, figure)")]
    .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1)
    .filter((node) => {
      while ((node = node.parentElement))
        if (/auto|scroll/.test(getComputedStyle(node).overflowX)) return false;
      return true;
    })
    .map((node) => node.outerHTML.slice(0, 100))"""
OPEN = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_in_both_themes_and_on_a_phone(visit, address, page):
    """Every rule on the whole page, tables and solutions open: the questions, then the figures."""
    here = visit(f"{address}/{page}", color_scheme="light", **PHONE)
    assert here.page.evaluate(WIDER) == 0, "the page scrolls sideways"
    assert here.page.evaluate(CUT_OFF) == []
    here.page.evaluate(OPEN)
    assert audit(here) == [], "on a phone, with the questions open"
    here.page.set_viewport_size(DESKTOP["viewport"])
    here.figures()
    here.page.evaluate(OPEN)
    # What a figure does in light is the same in all chapters.
    for scheme in ("dark", "light") if Path(page).stem in EXAMPLES else ("dark",):
        here.page.emulate_media(color_scheme=scheme)
        here.page.wait_for_timeout(600)  # figures take the theme's colours
        assert audit(here) == [], f"on a desktop, {scheme}"
    assert here.errors == [] or page == "404.html"  # hosts show that one in place of others


NAMES = """() => [...document.querySelectorAll("figure.qx input[type=range]")].map((input) => ({
  name: input.labels[0]?.textContent, value: input.getAttribute("aria-valuetext"),
}))"""
SMALL = """() => [...document.querySelectorAll("figure.qx")]
    .flatMap((figure) => [...figure.querySelectorAll(
      "button, input[type=range], summary, label.qx-option, label.qx-answer")])
    .filter((node) => node.checkVisibility())
    .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 24)
    .map(([html, box]) => `${html}: ${box.width} x ${box.height}`)"""


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("book/")])
def test_sliders_say_their_name_and_value_and_targets_are_large(visit, address, page):
    here = visit(f"{address}/{page}", **PHONE)
    here.figures()
    for slider in here.page.evaluate(NAMES):
        assert slider["name"] and slider["value"], slider
    assert here.page.evaluate(SMALL) == []


def test_every_control_is_reached_by_tab_and_shows_its_focus(visit, address):
    here = visit(f"{address}/book/value_iteration.html", **DESKTOP)
    here.figures()
    wanted = here.page.locator(
        "#contraction input[type=range], #contraction .qx-tools button, #contraction summary"
    )
    here.page.locator("#contraction input[type=range]").first.focus()
    reached = []
    for _ in range(wanted.count()):
        reached.append(
            here.page.evaluate(
                """() => { const node = document.activeElement, style = getComputedStyle(node);
                return [Boolean(node.closest("#contraction")),
                        style.outlineStyle !== "none" || style.boxShadow !== "none"]; }"""
            )
        )
        here.page.keyboard.press("Tab")
    assert reached[: wanted.count() - 1] == [[True, True]] * (wanted.count() - 1)


def test_what_a_figure_shows_is_said_once_when_the_slider_rests(visit, address):
    here = visit(f"{address}/book/value_iteration.html")
    here.figures()
    said = here.page.locator("#contraction .qx-said")
    assert said.get_attribute("role") == "status" and said.inner_text() == ""
    here.page.locator("#contraction-gamma").focus()
    here.page.keyboard.press("ArrowRight")
    here.page.wait_for_timeout(500)
    sentence = said.text_content()
    assert sentence == here.page.locator("#contraction .qx-summary").inner_text()
    assert any(character.isdigit() for character in sentence)
