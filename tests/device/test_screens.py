"""Screens and layouts: what can be seen tells the state, and what can be touched is seen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qlearn_core.device.glyphs import CELL
from qlearn_core.device.layouts import (
    COLUMNS,
    HEIGHT,
    NUM_PIXELS,
    ROWS,
    WIDTH,
    make_layouts,
    widgets,
)
from qlearn_core.device.phone import make_phone
from qlearn_core.device.rules import POPUPS
from qlearn_core.device.screens import actions, draw, make_screens
from qlearn_core.device.settings import PhoneSettings

SETTINGS = PhoneSettings()
LAYOUTS = make_layouts(SETTINGS, 6, seed=5)


@pytest.fixture(scope="module")
def screens():
    return make_screens(make_phone(SETTINGS), LAYOUTS[0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_two_hidden_states_look_alike(layout):
    pages = {draw(SETTINGS, layout, state).tobytes() for state in make_phone(SETTINGS).states}
    assert len(pages) == make_phone(SETTINGS).num_states


@pytest.mark.parametrize("layout", LAYOUTS)
def test_widgets_lie_on_the_screen_and_apart_from_each_other(layout):
    for state in make_phone(SETTINGS).states:
        taken = np.zeros((ROWS, COLUMNS), dtype=int)
        shown = widgets(SETTINGS, layout, state)
        for _, row, column, height, width in shown:
            assert 0 <= row < row + height <= ROWS and 0 <= column < column + width <= COLUMNS
            taken[row : row + height, column : column + width] += 1
        assert taken.max(initial=0) <= (2 if state.overlay in POPUPS else 1)  # its own cross


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whatever_changes_the_state_can_be_done(layout):
    phone = make_phone(SETTINGS)
    offered = make_screens(phone, layout).moves
    nothing = phone.moves.index("nothing")
    for s, state in enumerate(phone.states):
        idle = phone.dynamics.P[s, nothing]
        useful = {
            move
            for move, row in zip(phone.moves, phone.dynamics.P[s], strict=True)
            if not np.allclose(row, idle)
        }
        assert useful <= {phone.moves[m] for m in set(offered[s].tolist())}, state


def test_a_frame_adds_the_same_nuisances_to_every_state(screens):
    """Below the status bar, where no advert is: grey level of the page plus that of the frame."""
    bare = [s for s, state in enumerate(screens.phone.states) if state.page in ("home", "results")]
    levels = np.array([draw(SETTINGS, LAYOUTS[0], screens.phone.states[s]) for s in bare])
    for row, column in itertools.product(range(CELL, HEIGHT), range(WIDTH)):
        for level in range(4):
            same = np.flatnonzero(levels[:, row, column] == level)
            values = screens.images[np.array(bare)[same], :, row, column]
            assert (values == values[:1]).all()


def test_no_state_looks_the_same_in_two_frames(screens):
    for frames in screens.images:
        assert len({image.tobytes() for image in frames}) == SETTINGS.num_frames


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_threshold_tells_what_happened_from_nuisances_in_99_of_100_cases(layout):
    """By the mean square of the change of pixels, for all pairs of states that can follow."""
    phone, images = make_phone(SETTINGS), make_screens(make_phone(SETTINGS), layout).images
    images = images.astype(float)
    steps = np.argwhere(phone.dynamics.P.max(axis=1) > 0)
    steps = steps[(steps[:, 0] != steps[:, 1]) & ~phone.dynamics.terminal[steps[:, 0]]]
    frames = np.random.default_rng(0).integers(SETTINGS.num_frames, size=steps.shape)
    before, after = (images[steps[:, k], frames[:, k]] for k in (0, 1))
    changes = np.square(before - after).mean(axis=(1, 2))
    nuisances = [
        np.square(images[:, f] - images[:, g]).mean(axis=(1, 2))
        for f, g in itertools.combinations(range(SETTINGS.num_frames), 2)
    ]
    assert np.percentile(nuisances, 99) < np.percentile(changes, 1)


def test_an_action_is_a_pixel_a_word_or_a_key():
    names = actions(SETTINGS)
    assert names[WIDTH + 2] == "click 1,2"
    assert names[NUM_PIXELS:] == ("type hat", "type cup", "type pot", "back", "home")


def test_layouts_are_different_and_the_first_ones_stay_the_same():
    many = make_layouts(SETTINGS, 60, seed=5)
    assert len(set(many)) == 60 and many[:6] == LAYOUTS
    assert {layout.theme for layout in many} == {0, 1, 2}
    assert len({layout.slots for layout in many}) > 50
    with pytest.raises(ValueError, match="num_layouts must be an integer >= 1, but is 0"):
        make_layouts(SETTINGS, 0, seed=5)
    small = PhoneSettings(num_shops=1, num_words=1, num_patterns=2)
    with pytest.raises(ValueError, match="num_layouts must be at most 5760, but is 5761"):
        make_layouts(small, 5761, seed=5)
