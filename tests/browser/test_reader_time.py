"""What the benchmarks take for a reader's wait, on a page whose waits are known."""

from __future__ import annotations

import pytest

from benchmarks import arrival, dragging
from tests.browser.server import serving

DELAY = 60  # ms
PAGE = """<!doctype html><title>Slow</title>
<input type="range" min="0" max="10" value="5"> <button hidden>Skip</button>
<svg width="300" height="100"></svg>
<script>
  const [slider] = document.getElementsByTagName("input");
  const [svg] = document.getElementsByTagName("svg");
  const draw = () => (svg.innerHTML = `<path d="M0,0H${20 * slider.value}" stroke="black"/>`);
  setTimeout(draw, 200);
  setTimeout(() => { slider.oninput = () => setTimeout(draw, DELAY); }, 500);
</script>"""


@pytest.fixture
def face(tmp_path):
    """face(delay) is a page that draws after 200 ms and hears its slider after 500 ms."""
    with serving(tmp_path) as address:

        def make(delay: str) -> arrival.Face:
            page = PAGE.replace("DELAY", delay)
            (tmp_path / "index.html").write_text(page, encoding="utf-8")
            values = "document.querySelector('input').value"
            return arrival.Face("slow", f"{address}/index.html", "svg", "input", "input", values)

        yield make


def drag(browser, one) -> list[float]:
    context, page, _ = arrival.open_page(browser, one)
    page.wait_for_timeout(800)
    dragging.watch(page, one.plot)
    handle = page.locator(one.handle)
    found = dragging.drag(page, handle, handle, one.values)
    context.close()
    return found


def test_an_arrival_is_the_first_drawing_and_the_first_answer(browser, face):
    seen = arrival.arrive(browser, face(str(DELAY)))
    assert 200 <= seen.figure < seen.answer
    assert seen.answer >= 500 + DELAY
    assert 0 < seen.bytes["html"] == seen.bytes.total() < len(PAGE.encode())
    assert seen.elsewhere == 0


def test_every_move_of_a_drag_waits_for_its_own_drawing(browser, face):
    waits = drag(browser, face(str(DELAY)))
    assert 10 <= len(waits) <= 12, "one for each value, and none within a step"
    assert min(waits) >= DELAY and max(waits) < dragging.PATIENCE


def test_a_move_that_is_never_answered_counts_with_all_the_patience(browser, face, monkeypatch):
    monkeypatch.setattr(dragging, "PATIENCE", 200)
    assert set(drag(browser, face("1e6"))) == {200}
