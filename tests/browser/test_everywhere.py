"""The book without scripts, on paper, and after thousands of moves."""

from __future__ import annotations

import pytest

from qlearn_book.notebooks import explorers
from tests.browser.conftest import PHONE

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOWN = """() => [...document.querySelectorAll("figure.qx")].map((figure) => ({
  name: figure.id,
  marks: figure.querySelectorAll(".qx-picture path, .qx-picture circle").length,
  height: figure.querySelector(".qx-picture").getBoundingClientRect().height,
  summary: figure.querySelector(".qx-summary").textContent,
  rows: figure.querySelectorAll(".qx-table tr").length,
  sliders: [...figure.querySelectorAll("input, .qx-tools > button, .qx-commit button")]
    .filter((node) => node.checkVisibility()).length,
}))"""


@pytest.mark.parametrize("settings", [{}, PHONE], ids=["desktop", "phone"])
def test_without_javascript_every_figure_is_a_picture_with_its_numbers(
    visit, address, example, settings
):
    here = visit(f"{address}/book/{example.stem}.html", java_script_enabled=False, **settings)
    figures = explorers(example)
    shown = here.page.evaluate(SHOWN)
    assert [figure["name"] for figure in shown] == [explorer.name for explorer in figures]
    for figure, explorer in zip(shown, figures, strict=True):
        drawing = explorer.at()
        assert figure["marks"] > 0 and figure["height"] == drawing["layout"]["height"]
        assert figure["summary"] == drawing["layout"]["meta"]["summary"]
        assert figure["rows"] > 2
        assert figure["sliders"] == 0, "a control that does nothing is shown"
    for explorer in figures:
        if explorer.predict:
            asked, answer = explorer.question()
            words = here.page.locator(f"#{explorer.name} .qx-predict").inner_text()
            assert asked.question in words and f"The answer: {asked.say(answer)}." in words
    assert here.page.evaluate(WIDER) == 0


def test_on_paper_every_figure_shows_and_nothing_is_veiled(visit, address, example):
    here = visit(f"{address}/book/{example.stem}.html")
    here.page.locator("figure.qx").first.scroll_into_view_if_needed()
    here.page.wait_for_selector("figure.qx[data-ready=true]")
    here.page.emulate_media(media="print")
    veiled = """() => [...document.querySelectorAll(".qx-stage")]
        .filter((stage) => getComputedStyle(stage).opacity !== "1").length"""
    assert here.page.evaluate(veiled) == 0
    inked = """() => [...document.querySelectorAll(".qx-plot")]
        .filter((plot) => plot.querySelector("svg path")).length"""
    assert here.page.evaluate(inked) == len(explorers(example))
    assert here.page.evaluate(WIDER) == 0
    assert len(here.page.pdf()) > 20_000


MOVES = """([moves, seed]) => {
  let state = seed;
  const chance = (n) => (state = (state * 48271) % 2147483647) % n;
  const inputs = [...document.querySelectorAll("figure.qx [data-axis] input")];
  for (let k = 0; k < moves; k++) {
    const input = inputs[chance(inputs.length)];
    if (input.type === "range") input.value = chance(Number(input.max) + 1);
    else input.checked = true;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""


def used(session) -> tuple[float, float]:
    """(bytes of JavaScript in use, nodes of the page) after a collection."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    found = {metric["name"]: metric["value"] for metric in metrics}
    return found["JSHeapUsedSize"], found["Nodes"]


def test_two_thousand_moves_over_all_figures_leave_no_error_and_memory_flat(visit, address):
    here = visit(f"{address}/book/martingale_noise.html")
    names = here.figures()
    session = here.context.new_cdp_session(here.page)
    session.send("Performance.enable")
    seen = []
    for round_ in range(5):  # the first round warms up
        for part in range(4):
            here.page.evaluate(MOVES, [100, 1 + 10 * round_ + part])
            for name in names:  # plotly draws what the reader points at
                here.page.locator(f"#{name} .qx-plot").hover()
            here.page.wait_for_timeout(400)
        seen.append(used(session))
    (first_heap, first_nodes), (last_heap, last_nodes) = seen[0], seen[-1]
    assert here.errors == []
    assert last_heap < 1.15 * first_heap + 2e6, seen
    assert last_nodes < 1.15 * first_nodes + 500, seen
