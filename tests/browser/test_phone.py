"""The playable phone in a real browser: what it does and shows is what the table in Python says."""

from __future__ import annotations

import base64
import itertools
import re

import numpy as np
import pytest

from qlearn_book.playable import words
from qlearn_book.playable.data import UNIT
from qlearn_core.device.layouts import COLUMNS, NUM_PIXELS
from qlearn_core.device.phone import START
from qlearn_core.device.tasks import split
from qlearn_core.experiments import phone_game
from qlearn_core.experiments.phone_critic import idle_moves
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_access import SMALL
from tests.browser.test_everywhere import WIDER

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


@pytest.fixture(scope="module")
def game() -> phone_game.Game:
    return phone_game.game()


@pytest.fixture
def phone(visit, address):
    """open(**context settings) -> a visit to the chapter with the phone ready."""

    def open_page(**settings):
        here = visit(f"{address}/book/device.html", **settings)
        here.page.locator("figure.phone").scroll_into_view_if_needed()
        here.page.wait_for_selector("figure.phone[data-ready=true]", timeout=30_000)
        return here

    return open_page


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


def mulberry32(seed: int):
    """The generator with integers of any length, cut to 32 bits."""
    mask, state = 2**32 - 1, seed
    while True:
        state = (state + 0x6D2B79F5) & mask
        mixed = (state ^ state >> 15) * (state | 1) & mask
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & mask
        yield (mixed ^ mixed >> 14) / 2**32


def read(page) -> dict:
    return page.evaluate(
        """() => { const root = document.querySelector("figure.phone");
        return { ...root.dataset, said: root.querySelector(".phone-said").textContent,
                 rows: [...root.querySelectorAll(".phone-values tbody tr")].map(
                   (row) => [...row.children].map(
                     (cell) => cell.textContent.replace("−", "-"))) }; }"""
    )


def choose(page, **positions: int) -> None:
    for axis, value in positions.items():
        control = page.locator(f"figure.phone [data-axis={axis}]")
        if axis == "task":
            control.locator("select").select_option(str(value))
        elif axis == "seed":
            control.locator("input").fill(str(value))
        else:
            control.locator("input").nth(value).check()


def cell_of(game: phone_game.Game, layout: int, state: int, move: str) -> tuple[int, int]:
    """(row, column) of a cell that is this move."""
    action = int((game.screens[layout].moves[state] == game.usual.moves.index(move)).argmax())
    return action // 30 // 5, action % 30 // 5


WAY = ("open bazaar", "bar", "type cup", "search", "pick striped", "buy")


@pytest.mark.parametrize("by", ["mouse", "keyboard", "touch"])
def test_a_reader_without_a_kernel_fulfils_a_task(phone, game, by):
    here = phone(**(PHONE if by == "touch" else DESKTOP))
    page, layout = here.page, 2
    task = [one.instruction for one in game.tasks].index("buy the striped cup in the bazaar")
    choose(page, task=task, layout=layout, chances=0, seed=5)
    assert page.locator(".phone-task").inner_text() == "“buy the striped cup in the bazaar”"
    screen, at = page.locator(".phone-screen"), [0, 0]
    for step, move in enumerate(WAY, start=1):
        state = int(read(page)["state"])
        if move.startswith("type "):
            button = page.get_by_role("button", name="type “cup”")
            if by == "keyboard":
                button.focus()
                page.keyboard.press("Enter")
            else:
                button.click()
        else:
            row, column = cell_of(game, layout, state, move)
            if by == "keyboard":
                screen.focus()
                for key, way, now in (("Down", row, at[0]), ("Right", column, at[1])):
                    other = {"Down": "Up", "Right": "Left"}[key]
                    for _ in range(abs(way - now)):
                        page.keyboard.press(f"Arrow{key if way > now else other}")
                if (row, column) != tuple(at):
                    name = game.usual.moves.index(move)
                    place = page.locator(".phone-place").text_content()
                    assert place == (
                        f"Row {row + 1}, column {column + 1}: "
                        f"{words.move_words(game.usual.moves[name])[0]}."
                    )
                at = [row, column]
                page.keyboard.press("Enter")
            else:
                box = screen.bounding_box()
                size = box["width"] / 6
                where = {"x": (column + 0.4) * size, "y": (row + 0.7) * size}
                screen.tap(position=where) if by == "touch" else screen.click(position=where)
        seen = read(page)
        assert seen["step"] == str(step)
        assert words.move_words(move)[1] in seen["said"]
        assert f"Step {step} of 15, reward {int(step == 6)}." in seen["said"]
    assert seen["said"].endswith("The task is fulfilled.")
    page.get_by_role("button", name="back").click()
    assert "The episode is over" in read(page)["said"]
    page.get_by_role("button", name="Start again").click()
    assert read(page)["step"] == "0" and read(page)["state"] == str(START)
    assert here.errors == []
    assert [url for url in here.requests if not url.startswith(("http://127.0.0.1", "data:"))] == []


def test_the_sentence_says_what_chance_did_and_what_is_shown(phone, game):
    page, c = phone().page, 2
    choose(page, chances=c)
    table, place = game.phones[c], game.places[c].tolist()
    row, column = cell_of(game, 0, START, "open market")
    size = page.locator(".phone-screen").bounding_box()["width"] / 6
    where = {"x": (column + 0.5) * size, "y": (row + 0.5) * size}
    move, seen = game.usual.moves.index("open market"), set()
    for seed in range(30):
        choose(page, seed=seed)
        page.locator(".phone-screen").click(position=where)
        _, uniform, _ = itertools.islice(mulberry32(seed), 3)
        after = game.usual.states[place[int(table.follow(place.index(START), move, uniform))]]
        happened = words.event(game.usual.states[START], "open market", after)
        sentences = (
            "You clicked the icon of the market.", words.EVENTS[happened],
            words.state_words(after), "Step 1 of 15, reward 0.",
        )  # fmt: skip
        assert read(page)["said"] == " ".join(filter(None, sentences))
        seen.add(happened)
    assert seen == {words.AS_MEANT, words.MISSED, words.NOT_LOADED, words.POPUP}


def test_an_episode_is_cut_off_and_the_same_seed_gives_the_same_luck(phone):
    page = phone().page
    choose(page, chances=2, seed=3)
    courses = []
    for _ in range(2):
        page.get_by_role("button", name="Start again").click()
        course = []
        for _ in range(15):
            page.locator(".phone-screen").click(position={"x": 75, "y": 75})
            course.append((read(page)["state"], read(page)["frame"], read(page)["said"]))
            if "The time is over" in course[-1][2]:
                break
        courses.append(course)
    assert courses[0] == courses[1]
    assert "Step 15 of 15, reward 0. The time is over." in courses[0][-1][2]
    page.get_by_role("button", name="Next seed").click()
    assert page.get_by_label("seed").input_value() == "4" and read(page)["step"] == "0"


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


@pytest.mark.parametrize("where", ["folder", "cut off"])
def test_the_phone_plays_from_a_folder_and_with_the_network_cut(visit, site, address, where):
    home = site.as_uri() if where == "folder" else address
    here = visit(f"{home}/book/device.html")
    here.page.locator("figure.phone").scroll_into_view_if_needed()
    here.page.wait_for_selector("figure.phone[data-ready=true]")
    here.context.set_offline(True)
    choose(here.page, chances=0)
    here.page.locator(".phone-screen").click(position={"x": 20, "y": 60})
    assert read(here.page)["step"] == "1" and here.errors == []


def test_without_scripts_there_is_a_picture_and_a_sentence_and_no_dead_control(visit, address):
    here = visit(f"{address}/book/device.html", java_script_enabled=False, **PHONE)
    picture = here.page.locator("figure.phone img")
    assert picture.is_visible() and "home screen" in picture.get_attribute("alt")
    assert "The home screen is shown." in here.page.locator(".phone-said").inner_text()
    assert "needs JavaScript" in here.page.locator("figure.phone").inner_text()
    dead = here.page.locator("figure.phone").locator("button, input, select, table")
    assert not any(dead.nth(k).is_visible() for k in range(dead.count()))


def test_data_that_fail_to_load_are_named_and_asked_for_again(visit, address):
    failing = {"on": True}
    here = visit("about:blank")
    here.page.route(
        "**/figures/*.js", lambda route: route.abort() if failing["on"] else route.continue_()
    )
    here.page.goto(f"{address}/book/device.html")
    notice = here.page.locator("figure.phone .qx-failure")
    notice.wait_for(timeout=10_000)
    assert "could not be loaded" in notice.inner_text()
    failing["on"] = False
    notice.get_by_role("button", name="Try again").click()
    here.page.wait_for_selector("figure.phone[data-ready=true]", timeout=10_000)
    assert not notice.is_visible()


def test_all_targets_of_the_phone_are_large_and_fit_a_small_screen(phone):
    page = phone(**PHONE).page
    small = SMALL.replace("figure.qx", "figure.phone").replace("input[type=range]", "input, select")
    inner = small.replace("input, select", "input[type=number], select")
    assert page.evaluate(inner) == []
    box = page.locator(".phone-screen").bounding_box()
    assert box["width"] / 6 >= 44 and box["height"] / 8 >= 44
    assert page.evaluate(WIDER) == 0
