"""The table of the phone: its rules, its chances, its tasks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from qlearn_core.device.phone import START, make_phone
from qlearn_core.device.rules import FAILED, HOME, POPUPS, HiddenState, outcomes
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import VOCABULARY, Task, all_tasks, split
from tests.device.tiny import CERTAIN, SETTINGS, TASK, tiny

WAY = ("open market", "bar", "type hat", "search", "pick plain", "buy")


def walk(settings: PhoneSettings, *moves: str, start: HiddenState = HOME) -> HiddenState:
    """Where moves lead on a phone on which nothing goes wrong."""
    state = start
    for move in moves:
        (state,) = outcomes(settings, state, move)
    return state


def certain(**changes) -> PhoneSettings:
    return PhoneSettings(**{**SETTINGS.__dict__, **CERTAIN, **changes})


def test_six_moves_buy_an_item_and_five_do_not():
    assert TASK.fulfilled(walk(certain(), *WAY))
    assert walk(certain(), *WAY[:-1]) == HiddenState("item", "market", "hat", "plain")


def test_the_number_of_states_is_that_of_the_pages_and_their_overlays():
    for settings in (SETTINGS, PhoneSettings(), PhoneSettings(num_shops=1, num_words=3)):
        words, patterns = settings.num_words, settings.num_patterns
        items = words * patterns
        front = 1 + 3 + (1 + words + 1)  # as it is, with an overlay, with the keyboard
        shop = front + 4 * (words + 1) + 4 * items + 1 + items  # results, items, advert, orders
        phone = make_phone(settings)
        assert phone.num_states == len(set(phone.states)) == 3 + settings.num_shops * shop
        assert phone.states[START] == HOME


@pytest.mark.parametrize("settings", [SETTINGS, PhoneSettings()])
def test_every_row_of_the_table_holds_the_outcomes_of_its_move(settings):
    phone = make_phone(settings)
    for s, state in enumerate(phone.states):
        for m, move in enumerate(phone.moves):
            following = outcomes(settings, state, move)
            assert sum(following.values()) == pytest.approx(1)
            row = phone.dynamics.P[s, m]
            assert np.count_nonzero(row) == len(following)
            for s_next, chance in following.items():
                assert row[phone.states.index(s_next)] == chance


def test_the_chances_of_opening_a_page_are_products_of_the_settings():
    s = PhoneSettings(miss=0.1, load_failure=0.2, popup=0.3, crash=0.05)
    results = HiddenState("results", "market", "hat")
    item = HiddenState("item", "market", "hat", "solid")
    chances = outcomes(s, results, "pick solid")
    done = 0.95 * 0.9
    assert chances[HOME] == pytest.approx(0.05)
    assert chances[results] == pytest.approx(0.95 * 0.1)
    assert chances[item._replace(overlay=FAILED)] == pytest.approx(done * 0.2)
    assert chances[item._replace(overlay=POPUPS[0])] == pytest.approx(done * 0.8 * 0.15)
    assert chances[item] == pytest.approx(done * 0.8 * 0.7)


def test_a_mistyped_word_is_seen_finds_nothing_and_can_be_cleared():
    settings = certain(mistype=0.25)
    focused = HiddenState("front", "market", focused=True)
    chances = outcomes(settings, focused, "type hat")
    wrong = focused._replace(word="xyz")
    assert chances == {wrong: 0.25, focused._replace(word="hat"): 0.75}
    nothing = walk(settings, "search", start=wrong)
    assert nothing == HiddenState("results", "market", "xyz")
    assert walk(settings, "pick plain", start=nothing) == nothing
    assert walk(settings, "bar", start=nothing) == focused
    assert walk(settings, "type hat", start=wrong._replace(word="hat")) == wrong


@pytest.mark.parametrize("overlay", [*POPUPS, FAILED])
def test_an_overlay_blocks_the_page_until_it_is_gone(overlay):
    page = HiddenState("item", "market", "hat", "plain")
    covered = page._replace(overlay=overlay)
    assert walk(certain(), "buy", start=covered) == covered
    assert walk(certain(), "reload" if overlay == FAILED else "close", start=covered) == page
    assert walk(certain(), "home", start=covered) == HOME


def test_back_and_the_advert_lead_where_they_should():
    item = walk(certain(), *WAY[:-1])
    pages = [walk(certain(), *["back"] * k, start=item).page for k in range(5)]
    assert pages == ["item", "results", "front", "front", "home"]
    advert = walk(certain(), "advert", start=item)
    assert advert == HiddenState("advert", "market")
    assert walk(certain(), "close", start=advert) == HiddenState("front", "market")


def test_nothing_ends_an_episode_but_an_order():
    phone = tiny()[0].phone
    ends = [state.page == "ordered" for state in phone.states]
    assert phone.dynamics.terminal.tolist() == ends and sum(ends) == 2


def test_the_tasks_of_training_and_testing_are_apart_and_share_all_pairs_of_words():
    train, test = split(PhoneSettings())
    assert (len(train), len(test)) == (12, 6)
    assert sorted(train + test) == sorted(all_tasks(PhoneSettings()))
    for task in test:
        for field in range(3):
            others = task[:field] + task[field + 1 :]
            assert any(known[:field] + known[field + 1 :] == others for known in train)


def test_an_instruction_is_seven_words_of_the_vocabulary():
    task = Task("bazaar", "cup", "striped")
    words = [VOCABULARY[token] for token in task.tokens]
    assert " ".join(words) == task.instruction == "buy the striped cup in the bazaar"
    assert task.tokens.shape == (7,)


def test_a_task_that_the_phone_does_not_have_is_refused():
    phone = tiny()[0].phone
    with pytest.raises(ValueError, match="task must be one of 'buy the plain hat in the market'"):
        phone.mdp(Task("bazaar", "hat", "plain"))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"num_shops": 3}, "num_shops must be at most 2, but is 3"),
        ({"num_patterns": 1}, "num_patterns must be an integer >= 2, but is 1"),
        ({"miss": 1.0}, r"miss must be a number in \[0, 1\), but is 1.0"),
        ({"horizon": 0}, "horizon must be an integer >= 1, but is 0"),
        ({"noise": -1.0}, r"noise must be a number in \[0, 64\], but is -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        PhoneSettings(**changes)


def test_only_the_networks_need_torch_and_only_the_environment_gymnasium():
    program = (
        "import sys\n"
        "import qlearn_core; print('qlearn_core.device' in sys.modules)\n"
        "import qlearn_core.device.script, qlearn_core.device.trajectories\n"
        "print([name for name in ('torch', 'gymnasium') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["False", "[]"]
