"""The table beside the playable phone: exact values, and what a critic has learned."""

from __future__ import annotations

import re

import pytest

from qlearn_book.playable import words
from qlearn_book.playable.data import UNIT
from qlearn_core.device.phone import START
from qlearn_core.device.tasks import split
from qlearn_core.experiments.phone_critic import idle_moves
from tests.browser.phone import cell_of, choose, read

FAR = 0.51 / UNIT  # exact values are rounded to steps of 1/UNIT

HEAD = """() => [...document.querySelectorAll("figure.phone .phone-values thead th")].map((cell) =>
  [cell.textContent, cell.scope, cell.colSpan])"""
BOLD = """() => [...document.querySelectorAll("figure.phone .phone-values strong")].map((number) =>
  [number.closest("tr").cells[0].textContent, number.closest("td").cellIndex])"""


def test_the_table_holds_exact_and_learned_values_of_what_does_something(phone, game):
    page = phone().page
    assert page.evaluate(HEAD) == [
        ["exact", "colgroup", 2], ["learned", "colgroup", 1],
        ["best play", "col", 1], ["behaviour policy", "col", 1], ["critic", "col", 1],
    ]  # fmt: skip
    rows = {row[0]: row[1:] for row in read(page)["rows"]}
    names = ("value V", "open the market", "open the bazaar", "open the clock", "open the mail",
             "anything else")  # fmt: skip
    assert set(rows) == set(names)
    assert list(rows)[:3] == ["value V", "open the market", "anything else"]  # the best ones first
    learned = game.learned
    columns = [(values.v[1, 0, 0], values.q[1, 0, 0]) for values in game.exact]
    columns.append((learned.v[0, 0], learned.q[0, 0]))
    for k, (v, q) in enumerate(columns):
        assert float(rows["value V"][k]) == pytest.approx(v[START], abs=5e-4 + FAR)
        for name, move in (("open the market", "open market"), ("anything else", "nothing")):
            worth = q[START, game.usual.moves.index(move)]
            assert float(rows[name][k]) == pytest.approx(worth, abs=5e-4 + FAR)
        highest = max(names[1:], key=lambda name, k=k: float(rows[name][k]))
        assert [highest, k + 1] in page.evaluate(BOLD)


def test_a_reader_who_clicks_sees_what_the_critic_says_of_each_screen(phone, game):
    """In another layout, for a task that it was not trained on, screen by screen."""
    page, layout = phone().page, 1
    _, unseen = split(game.usual.settings)
    t = game.tasks.index(unseen[0])
    choose(page, task=t, layout=layout, chances=0, seed=1)
    for move in ("open market", "bar", "home", "open bazaar"):
        state = int(read(page)["state"])
        (_, v), *rows = ((row[0], float(row[-1])) for row in read(page)["rows"])
        assert v == pytest.approx(game.learned.v[layout, t, state], abs=6e-4)
        moves = set(game.screens[layout].moves[state].tolist())
        moves = {0} | {m for m in moves if not idle_moves(game.usual)[state, m]}
        assert dict(rows) == pytest.approx({
            words.move_words(game.usual.moves[m])[0] if m else "anything else": (
                game.learned.q[layout, t, state, m]
            )
            for m in moves
        }, abs=6e-4)  # fmt: skip
        note = page.locator(".phone-note").inner_text()
        (visits,) = re.findall(r"makes (\d\.\d\d) actions", note)
        assert float(visits) == pytest.approx(game.visits[layout, t, state], abs=6e-3)
        assert "not on this one" in note and "This task is none of those" in note
        if move == "home":
            page.get_by_role("button", name="home").click()
        else:
            row, column = cell_of(game, layout, state, move)
            size = page.locator(".phone-screen").bounding_box()["width"] / 6
            where = {"x": (column + 0.5) * size, "y": (row + 0.5) * size}
            page.locator(".phone-screen").click(position=where)
    choose(page, task=game.tasks.index(split(game.usual.settings)[0][0]), chances=1)
    note = page.locator(".phone-note").inner_text()
    assert "This task is one of those" in note and "not on this one" not in note
    assert f"In 15 steps best play succeeds in {100 * game.success[1, 0, START, 15]:.1f} %" in note
