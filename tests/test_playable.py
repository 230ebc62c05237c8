"""The playable phone before it meets a browser: its data, its words, its element, its errors."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from qlearn_book import playable
from qlearn_book.grid import GridError
from qlearn_book.playable import PlayablePhone, data, page, words
from qlearn_core.device.phone import START
from qlearn_core.device.rules import outcomes
from qlearn_core.device.tasks import split
from qlearn_core.experiments import phone_game


@pytest.fixture(scope="module")
def game() -> phone_game.Game:
    return phone_game.game()


@pytest.fixture(scope="module")
def payload(game) -> dict:
    return data.payload("phone", game)


def test_packed_arrays_come_back_as_they_were():
    rng = np.random.default_rng(0)
    arrays = {
        "small": rng.integers(256, size=(3, 4)).astype(np.uint8),
        "signed": rng.integers(-128, 128, size=7).astype(np.int8),
        "wide": rng.integers(65536, size=(2, 3, 5)).astype(np.uint16),
        "below zero": rng.integers(-300, 300, size=(2, 7)).astype(np.int16),
    }
    found = data.unpack(*data.pack(arrays))
    assert found.keys() == arrays.keys()
    for name, values in arrays.items():
        assert found[name].dtype == values.dtype and (found[name] == values).all()


def test_the_table_of_the_page_follows_the_rules(game, payload):
    """Every outcome, with its chance, by the rules and not by the table in Python."""
    arrays = data.unpack(payload["arrays"], base64.b64decode(payload["block"]))
    usual = game.usual
    for c, (phone, place) in enumerate(zip(game.phones, game.places, strict=True)):
        for s, state in zip(place, phone.states, strict=True):
            for m, move in enumerate(phone.moves):
                rungs = payload["ladders"][arrays["ladder"][c, s, m]]
                chances = np.diff([0.0, *rungs])
                found = {}
                for k, chance in enumerate(chances):
                    after = usual.states[arrays["next"][c, s, m, k]]
                    found[after] = found.get(after, 0.0) + chance
                assert found == pytest.approx(outcomes(phone.settings, state, move), abs=1e-12)


def test_the_values_of_moves_follow_from_the_data_of_the_page(game, payload):
    """One step ahead, as the browser computes them, gives what the solver does."""
    arrays = data.unpack(payload["arrays"], base64.b64decode(payload["block"]))
    ladders = np.zeros((len(payload["ladders"]), arrays["next"].shape[3]))
    for row, rungs in zip(ladders, payload["ladders"], strict=True):
        row[: len(rungs)] = np.diff([0.0, *rungs])
    alive = ~game.usual.dynamics.terminal
    for k, values in enumerate(game.exact):
        for c, place in enumerate(game.places):
            here = place[alive[place]]
            chances, after = ladders[arrays["ladder"][c, here]], arrays["next"][c, here]
            for t, goal in enumerate(payload["goals"]):
                v = payload["gamma"] * arrays["v"][k, c, :, t] / payload["unit"]
                v[:, goal] = 1.0
                q = np.einsum("smk,lsmk->lsm", chances, v[:, after])
                np.testing.assert_allclose(q, values.q[c, :, t, here].swapaxes(0, 1), atol=1e-5)


def test_the_page_has_the_learned_values_as_they_are_stored(game, payload):
    arrays = data.unpack(payload["arrays"], base64.b64decode(payload["block"]))
    learned, unit = game.learned, payload["learned"]["unit"]
    np.testing.assert_allclose(arrays["learned_q"].transpose(2, 3, 0, 1) / unit, learned.q)
    np.testing.assert_allclose(arrays["learned_v"].transpose(1, 2, 0) / unit, learned.v)
    visits = arrays["visits"].transpose(1, 2, 0) / unit
    np.testing.assert_allclose(visits, game.visits, rtol=0, atol=0.5 / unit + 1e-9)
    training, _ = split(game.usual.settings)
    assert [game.tasks[t] for t in payload["learned"]["tasks"]] == list(training)
    assert payload["axes"]["chances"][payload["learned"]["chances"]] == "usual"


def test_what_chance_did_is_named_and_only_without_mishaps_never(game):
    calm, usual, rough = (set(words.events(phone).values()) for phone in game.phones)
    assert calm == {words.AS_MEANT}
    assert usual == rough == set(range(len(words.EVENTS)))


def test_what_chance_did_adds_up_to_the_chances_of_the_settings(game):
    """A crash in a shop 2 %, then a missed click 10 %, then no page 10 %, then a pop-up 10 %."""
    usual = game.usual
    events = words.events(usual)
    state = next(
        s for s in usual.states if s.page == "results" and s.word == "hat" and not s.overlay
    )
    s, m = usual.states.index(state), usual.moves.index("pick plain")
    total = np.zeros(len(words.EVENTS))
    for s_next in usual.dynamics.P[s, m].nonzero()[0]:
        total[events[s, m, int(s_next)]] += usual.dynamics.P[s, m, s_next]
    alive, hit, loaded = 0.98, 0.98 * 0.9, 0.98 * 0.9 * 0.9
    expected = np.zeros(len(words.EVENTS))
    expected[[words.CRASH, words.MISSED, words.NOT_LOADED, words.POPUP, words.AS_MEANT]] = (
        0.02, alive * 0.1, hit * 0.1, loaded * 0.1, loaded * 0.9,
    )  # fmt: skip
    assert total == pytest.approx(expected)


def test_every_state_and_every_move_has_words_of_its_own(game):
    states = [words.state_words(state) for state in game.usual.states]
    moves = [words.move_words(move) for move in game.usual.moves]
    assert len(set(states)) == len(states) and len(set(moves)) == len(moves)
    for sentence in [*states, *(said for _, said in moves)]:
        assert re.fullmatch(r"[A-Z].*\.", sentence) and "  " not in sentence, sentence


def test_what_is_built_is_the_same_every_time(payload):
    assert data.payload("phone", phone_game.game()) == payload


def test_the_element_names_its_controls_and_carries_its_data(game, payload):
    element = page.html(payload, "A <title>", game.screens[0].images[START, 0])
    assert "A &lt;title&gt;" in element and element.count("<figure") == 1
    for ident in re.findall(r'for="([\w-]+)"', element):
        assert f'id="{ident}"' in element
    heads = re.findall(r"<th scope=col>([\w ]+)</th>", element)
    assert heads == [values.label for values in game.exact] + ["critic"]
    built = page.with_data(element, payload)
    (key,) = re.findall(r'<figure class="phone" data-qx="(\w+)"', built)
    assert f'<template class="qx-data" data-key="{key}">' in built


def test_a_bad_name_is_refused():
    with pytest.raises(ValueError, match="name of a figure must be like 'value_spread', but is"):
        PlayablePhone("my phone", phone_game.game, title="A phone")


def test_data_over_the_cap_fail_by_name(game, monkeypatch):
    monkeypatch.setattr(playable, "MAX_BYTES", 1000)
    with pytest.raises(GridError, match=r"figure 'phone' takes [\d,]+ bytes, cap 1,000"):
        PlayablePhone("phone", lambda: game, title="A phone").payload()


@pytest.fixture
def shown(game, monkeypatch) -> list:
    found: list = []
    monkeypatch.setattr("IPython.display.display", lambda value, **_: found.append(value))
    return found


def test_the_book_shows_html_and_a_kernel_the_same_element_as_a_widget(game, monkeypatch, shown):
    phone = PlayablePhone("phone", lambda: game, title="A phone")
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    phone._ipython_display_()
    monkeypatch.delenv("QLEARN_BOOK_MODE")
    phone._ipython_display_()
    bundle, widget = shown
    assert bundle["text/plain"] == "PlayablePhone(phone)"
    assert widget.element.removeprefix('<figure class="phone"') in bundle["text/html"]
    assert widget.payload == phone.payload()
    assert "window.qlearn.Phone" in widget._esm and ".phone-screen" in widget._css
