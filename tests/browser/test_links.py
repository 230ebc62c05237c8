"""Links that restore a figure, and what a reader takes along: address, Python, numbers."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from urllib.parse import parse_qsl

import numpy as np
import pytest

from qlearn_book import table
from qlearn_book.address import address as fragment
from qlearn_book.grid import plain
from qlearn_book.notebooks import BOOK, explorers
from tests.browser.conftest import PHONE
from tests.browser.test_figures import READ, SET

STATE = "(name) => Number(document.getElementById(name).dataset.state)"


def index_of(explorer, values: dict) -> int:
    """The number of a state in the grid, the last axis fastest."""
    index = 0
    for name, axis in explorer.axes.items():
        index = index * len(axis.values) + axis.values.index(values[name])
    return index


def some_state(explorer, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    return {n: axis.values[rng.integers(len(axis.values))] for n, axis in explorer.axes.items()}


def test_an_address_restores_every_control_of_every_figure(visit, address, example):
    for number, explorer in enumerate(explorers(example)):
        values = some_state(explorer, number)
        link = f"{address}/book/{example.stem}.html{fragment(explorer.name, values)}"
        here = visit(link, **(PHONE if number % 2 else {}))
        here.page.wait_for_selector(f"#{explorer.name}[data-ready=true]")
        here.page.wait_for_timeout(400)
        assert here.page.evaluate(STATE, explorer.name) == index_of(explorer, values)
        seen = here.page.evaluate(READ, explorer.name)
        assert seen["summary"] == explorer.at(**values)["layout"]["meta"]["summary"]
        root = here.page.locator(f"#{explorer.name}")
        assert root.locator(".qx-note").inner_text() == ""
        assert not root.evaluate("root => root.classList.contains('qx-veiled')")
        assert root.evaluate("root => Math.abs(root.getBoundingClientRect().top) < innerHeight / 2")
        assert here.errors == []
        here.context.close()


def test_moving_a_slider_writes_the_address_that_leads_back(visit, address, example):
    here = visit(f"{address}/book/{example.stem}.html")
    here.figures()
    for number, explorer in enumerate(explorers(example)):
        values = some_state(explorer, number)
        indices = {name: axis.values.index(values[name]) for name, axis in explorer.axes.items()}
        here.page.evaluate(SET, [explorer.name, indices])
        here.page.wait_for_timeout(400)
        name, _, query = here.page.evaluate("location.hash").removeprefix("#").partition("?")
        assert name == explorer.name
        found = dict(parse_qsl(query))
        assert list(found) == list(explorer.axes)
        for axis, value in values.items():
            assert found[axis] == value if isinstance(value, str) else float(found[axis]) == value


HOSTILE = {
    "unknown figure": "#nothing?gamma=0.9",
    "markup": "#contraction?gamma=<img src=x onerror=alert(1)>&alpha=%3Cscript%3E&depth=8",
    "markup as a name": "#<img src=x onerror=alert(1)>?gamma=0.9",
    "between the grid": "#contraction?gamma=0.94&alpha=1&depth=8",
    "far off the grid": "#contraction?gamma=1e300&alpha=-7&depth=Infinity",
    "not numbers": "#contraction?gamma=NaN&alpha=&depth=eight",
    "other names": "#contraction?__proto__=1&constructor=2&gamma=0.9&alpha=1&depth=8",
    "twice": "#contraction?gamma=0.9&gamma=0.5&alpha=1&depth=8",
    "broken encoding": "#%E0%A4%A?gamma=%E0%A4%A",
    "a megabyte": "#contraction?gamma=0.9&x=" + "y" * 1_000_000,
    "only a mark": "#?",
}


@pytest.mark.parametrize("hash_", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_or_stale_address_gives_a_valid_state_and_a_note(visit, address, hash_):
    here = visit(f"{address}/book/value_iteration.html")
    here.figures()
    here.page.evaluate("hash => { location.hash = hash; }", hash_)
    here.page.wait_for_timeout(600)
    notes = [text for text in here.page.locator(".qx-note").all_inner_texts() if text]
    if not hash_.startswith("#contraction?gamma=0.9&gamma"):  # said twice: the first counts
        assert len(notes) == 1 and len(notes[0]) < 500, notes
    state = here.page.evaluate(STATE, "contraction")
    assert 0 <= state < explorers(BOOK / "value_iteration.ipynb")[0].num_states
    assert here.page.locator(".qx-note img, .qx-note script").count() == 0
    assert here.errors == []


def test_the_nearest_value_is_taken_and_the_reader_is_told(visit, address):
    hash_ = "#contraction?gamma=0.94&alpha=7&depth=8"
    here = visit(f"{address}/book/value_iteration.html{hash_}")
    here.page.wait_for_selector("#contraction[data-ready=true]")
    here.page.wait_for_timeout(400)
    note = here.page.locator("#contraction .qx-note").inner_text()
    assert "gamma = 0.94 became 0.95" in note and "alpha = 7 became 1" in note
    assert here.page.locator("#contraction-gamma").get_attribute("aria-valuetext") == "0.95"


def copied(page, name: str, button: str) -> str:
    page.locator(f"#{name}").get_by_role("button", name=button).click()
    page.wait_for_timeout(200)
    return page.evaluate("navigator.clipboard.readText()")


def test_a_copied_link_and_copied_python_give_the_state_on_the_screen(
    visit, address, example, tmp_path
):
    here = visit(
        f"{address}/book/{example.stem}.html", permissions=["clipboard-read", "clipboard-write"]
    )
    here.figures()
    script, wanted = "", []
    for number, explorer in enumerate(explorers(example)):
        values = some_state(explorer, 10 + number)
        indices = {name: axis.values.index(values[name]) for name, axis in explorer.axes.items()}
        here.page.evaluate(SET, [explorer.name, indices])
        link = copied(here.page, explorer.name, "Copy link")
        assert link.startswith(f"{address}/book/{example.stem}.html#{explorer.name}?")
        script += copied(here.page, explorer.name, "Copy as Python")
        script += "print(draw(record)['layout']['meta']['summary'])\n"
        wanted.append(explorer.at(**values)["layout"]["meta"]["summary"])
    (tmp_path / "pasted.py").write_text(script, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", tmp_path / "pasted.py"],
        capture_output=True,
        text=True,
        cwd=BOOK.parent,
        env={"PYTHONPATH": str(BOOK.parent), "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert run.stderr == "" and run.stdout.splitlines() == wanted


def test_without_a_clipboard_the_link_stands_in_a_field_to_copy_from(visit, address):
    here = visit(f"{address}/book/value_iteration.html")
    here.figures()
    here.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    here.page.locator("#contraction").get_by_role("button", name="Copy link").click()
    field = here.page.locator("#contraction .qx-copy")
    assert "#contraction?gamma=0.9" in field.input_value()


def test_every_figure_gives_its_numbers_as_a_table_and_as_csv(visit, address, example):
    here = visit(f"{address}/book/{example.stem}.html")
    here.figures()
    for number, explorer in enumerate(explorers(example)):
        values = some_state(explorer, 20 + number)
        indices = {name: axis.values.index(values[name]) for name, axis in explorer.axes.items()}
        here.page.evaluate(SET, [explorer.name, indices])
        root = here.page.locator(f"#{explorer.name}")
        root.locator(".qx-data > summary").click()
        with here.page.expect_download() as download:
            root.get_by_role("button", name="Download CSV").click()
        with open(download.value.path(), encoding="utf-8", newline="") as file:
            got = list(csv.reader(file))
        header, rows = table.rows(plain(explorer.at(**values)))
        assert got[0] == list(header)
        assert [row[0] for row in got[1:]] == [row[0] for row in rows]
        shown = root.locator(".qx-table td").all_inner_texts()
        assert shown == [cell for row in got[1:] for cell in row[1:]]
        assert download.value.suggested_filename == f"{explorer.name}.csv"
        root.locator(".qx-data > summary").click()
    assert here.errors == []


def test_the_table_of_csv_is_read_back_by_any_spreadsheet():
    drawing = explorers(BOOK / "value_iteration.ipynb")[0].at()
    rows = list(csv.DictReader(io.StringIO(table.csv(plain(drawing)), newline="")))
    assert {row["series"] for row in rows} >= {"bound", "loop"}
