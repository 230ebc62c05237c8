"""A reader plays the phone in a real browser: by mouse, keys and touch, and where things fail."""

from __future__ import annotations

import itertools

import pytest

from qlearn_book.playable import words
from qlearn_core.device.phone import START
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.phone import cell_of, choose, mulberry32, read
from tests.browser.test_access import SMALL
from tests.browser.test_everywhere import WIDER

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
