"""The playable phone by itself: screens, steps, values and chance are those of Python."""

from __future__ import annotations

import base64
import itertools

import numpy as np
import pytest

from qlearn_book.playable import words
from qlearn_book.playable.data import UNIT
from qlearn_core.device.layouts import COLUMNS, NUM_PIXELS
from qlearn_core.device.phone import START
from qlearn_core.experiments import phone_game
from tests.browser.phone import mulberry32

FAR = 0.51 / UNIT  # exact values are rounded to steps of 1/UNIT

SHEET = """const { Game, unpack, payloadOf } = window.qlearn;
const sheet = await unpack(await payloadOf(document.querySelector("figure.phone")));"""
# Every screen of a layout in every frame, a byte for each pixel.
SCREENS = f"""async (layout) => {{ {SHEET}
  const game = new Game(sheet, {{ chances: 1, layout, task: 0 }}, () => 0);
  const frames = [...Array(sheet.clocks.shape[0]).keys()];
  return sheet.states.flatMap((_, state) => frames.map((frame) => {{
    Object.assign(game, {{ state, frame }});
    return btoa(String.fromCharCode(...game.pixels()));
  }}));
}}"""
# Episodes of given clicks and keys with given numbers as chance.
REPLAY = f"""async ([episodes]) => {{ {SHEET}
  return episodes.map(({{ chances, layout, task, touches, uniforms }}) => {{
    const game = new Game(sheet, {{ chances, layout, task }}, () => uniforms.shift());
    const seen = [];
    for (const touch of touches) {{
      const {{ state, frame, offered, over, success, visits }} = game;
      const told = [game.exact(0), game.exact(1), game.learned()];
      const worth = told.map(({{ v, q }}) => [v, offered.map(q)]);
      seen.push({{ state, frame, offered, over, success, visits, worth }});
      game.play(touch < 0 ? sheet.buttons[-touch - 1] : game.moveAt(touch));
      Object.assign(seen.at(-1), {{ next: game.state, reward: game.reward, event: game.event }});
      if (game.over) break;
    }}
    return seen;
  }});
}}"""
DRAWS = "([seed, count]) => { const next = window.qlearn.generator(seed);" \
    " return Array.from({ length: count }, next); }"  # fmt: skip


def test_every_screen_is_drawn_pixel_by_pixel_as_in_python(phone, game):
    page = phone().page
    for layout, screens in enumerate(game.screens):
        drawn = b"".join(map(base64.b64decode, page.evaluate(SCREENS, layout)))
        assert len(drawn) == 145 * 8 * 1200
        assert drawn == screens.images.tobytes()


def test_the_same_numbers_lead_to_the_same_states_rewards_and_values(phone, game):
    page = phone().page
    rng = np.random.default_rng(0)
    episodes = []
    for index in range(600):
        # Mostly on the way, so that all pages are seen; the rest anywhere.
        touches = rng.integers(-5, 48, size=15)
        episodes.append({
            "chances": index % 3, "layout": index // 3 % 3, "task": int(rng.integers(18)),
            "touches": touches.tolist(), "uniforms": rng.random(31).tolist(),
        })  # fmt: skip
    for episode in episodes[::2]:
        episode["touches"] = on_the_way(game, episode)
    played = page.evaluate(REPLAY, [episodes])
    visited, events = set(), set()
    for episode, seen in zip(episodes, played, strict=True):
        assert_same_episode(game, episode, seen)
        visited |= {(episode["chances"], step["next"]) for step in seen}
        events |= {step["event"] for step in seen}
    assert len(visited) > 200 and events == set(range(len(words.EVENTS)))
    assert sum(seen[-1]["reward"] for seen in played) > 30


def on_the_way(game: phone_game.Game, episode: dict) -> list[int]:
    """Touches that best play makes with the numbers of an episode."""
    usual, uniforms = game.usual, episode["uniforms"]
    c, screens = episode["chances"], game.screens[episode["layout"]]
    phone, place = game.phones[c], game.places[c].tolist()
    q, state, touches = game.exact[0].q[c, 0, episode["task"]], START, []
    for step in range(15):
        move = int(q[state].round(9).argmax())
        action = int(np.flatnonzero(screens.moves[state] == move)[0])
        if action < NUM_PIXELS:
            touches.append(action // 30 // 5 * COLUMNS + action % 30 // 5)
        else:
            touches.append(NUM_PIXELS - action - 1)
        state = place[int(phone.follow(place.index(state), move, uniforms[1 + 2 * step]))]
        if usual.dynamics.terminal[state]:
            break
    return touches


def assert_same_episode(game: phone_game.Game, episode: dict, seen: list[dict]) -> None:
    usual, c = game.usual, episode["chances"]
    phone, place = game.phones[c], game.places[c].tolist()
    screens, task = game.screens[episode["layout"]], episode["task"]
    goal = usual.ordered(game.tasks[task])
    uniforms, state = iter(episode["uniforms"]), START
    frame = int(next(uniforms) * 8)
    for time, (touch, step) in enumerate(zip(episode["touches"], seen, strict=False)):
        assert (step["state"], step["frame"], step["over"]) == (state, frame, False)
        assert step["offered"] == sorted(set(screens.moves[state].tolist()))
        for values, (v, q) in zip(game.exact, step["worth"], strict=False):
            at = (c, episode["layout"], task, state)
            np.testing.assert_allclose(q, values.q[at][step["offered"]], rtol=0, atol=FAR)
            assert abs(v - values.v[at]) < FAR
        at, (v, q) = (episode["layout"], task, state), step["worth"][-1]
        np.testing.assert_allclose(q, game.learned.q[at][step["offered"]], rtol=0, atol=1e-9)
        assert v == pytest.approx(game.learned.v[at])
        assert abs(step["visits"] - game.visits[at]) < 6e-4
        assert abs(step["success"] - game.success[c, task, state, 15 - time]) < FAR
        pixel = touch // COLUMNS * 5 * 30 + touch % COLUMNS * 5 + 62 if touch >= 0 else None
        move = int(screens.moves[state, NUM_PIXELS - touch - 1 if touch < 0 else pixel])
        after = place[int(phone.follow(place.index(state), move, next(uniforms)))]
        happened = words.event(usual.states[state], usual.moves[move], usual.states[after])
        assert (step["next"], step["reward"]) == (after, int(after == goal))
        assert step["event"] == happened
        state, frame = after, int(next(uniforms) * 8)
    ended = bool(usual.dynamics.terminal[state]) or len(seen) == 15
    assert ended or len(seen) == len(episode["touches"])


def test_the_numbers_are_those_of_mulberry32_and_even(phone):
    drawn = phone().page.evaluate(DRAWS, [12345, 20_000])
    assert drawn[:500] == list(itertools.islice(mulberry32(12345), 500))
    counts, _ = np.histogram(drawn, bins=20, range=(0, 1))
    assert np.square(counts - 1000).sum() / 1000 < 50  # χ² with 19 degrees: 1 in 10,000 is above
