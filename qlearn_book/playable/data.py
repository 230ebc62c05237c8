"""The game as one JSON object: words as they are, numbers in one compressed block.

`unpack` is the inverse of `pack`, and ``browser/phone.js`` has its twin. The arrays of the block
stand one after the other, in C order; of numbers with two bytes first all low ones, then all high:

    pages    (L, S, PIXELS) uint8    levels of the screens without the nuisances of a frame
    banners  (L, S) uint8            row of cells of the advert, 0 for none
    cells    (L, S, CELLS) uint8     the move that a click on a cell is
    clocks   (F, CELL·5·CELL) uint8, adverts (F, CELL·WIDTH) uint8, light (F, PIXELS) int8
    next     (C, S, M, K) uint8      the K successors, as `Phone.follow` draws them
    happened (C, S, M, K) uint8      what went wrong, a position in the list of events
    ladder   (C, S, M) uint8         which of `ladders` holds their cumulative probabilities
    v        (V, C, L, T, S) uint16  exact values of V policies in units of 1/UNIT
    success  (C, T, S, H + 1) uint16  of best play
    learned_q (S, M, L, T) int16     what the critic says, in units of 1/LEARNED
    learned_v (S, L, T) int16
    visits   (S, L, T) uint16        actions of the behaviour policy, in units of 1/LEARNED

for L layouts, S states, F frames, C levels of chance, M moves, T tasks. The exact values of moves
are not in it: they follow from v, q(s, m) = Σ_k P(next_k) (r + γ v(next_k)).
"""

from __future__ import annotations

import base64
import gzip
import math

import numpy as np

from qlearn_book.playable import words
from qlearn_core.device import glyphs
from qlearn_core.device.glyphs import CELL
from qlearn_core.device.layouts import COLUMNS, NUM_PIXELS, ROWS, WIDTH
from qlearn_core.device.phone import START
from qlearn_core.device.screens import THEMES, actions, advert_row, draw, make_frames
from qlearn_core.device.tasks import split
from qlearn_core.experiments.phone_game import GAMMA, LEVELS, NUM_EPISODES, Game

UNIT = 65_000  # exact values are right to half of a 65,000th
LEARNED = 1_000  # and learned ones to half of a thousandth, as they are stored


def payload(name: str, game: Game) -> dict:
    """All that the page needs."""
    usual = game.usual
    arrays, ladders = _arrays(game)
    specs, block = pack(arrays)
    return {
        "name": name,
        "axes": {
            "chances": list(LEVELS),
            "layout": [str(number + 1) for number in range(len(game.screens))],
            "task": [task.instruction for task in game.tasks],
        },
        "grid": [ROWS, COLUMNS, CELL],
        "horizon": usual.settings.horizon,
        "gamma": GAMMA,
        "start": START,
        "states": [words.state_words(state) for state in usual.states],
        "moves": [words.move_words(move) for move in usual.moves],
        "buttons": [usual.moves.index(move) for move in actions(usual.settings)[NUM_PIXELS:]],
        "events": words.EVENTS,
        "goals": [usual.ordered(task) for task in game.tasks],
        "terminal": np.flatnonzero(usual.dynamics.terminal).tolist(),
        "themes": [THEMES[screens.layout.theme].tolist() for screens in game.screens],
        "ladders": ladders,
        "exact": [values.label for values in game.exact],
        "unit": UNIT,
        "learned": {
            "unit": LEARNED,
            "episodes": NUM_EPISODES,
            "chances": list(LEVELS).index("usual"),
            "tasks": [game.tasks.index(task) for task in split(usual.settings)[0]],
        },
        "arrays": specs,
        "block": base64.b64encode(block).decode(),
    }


def _arrays(game: Game) -> tuple[dict[str, np.ndarray], list[list[float]]]:
    """The arrays of the block, and the lists of cumulative probabilities."""
    usual, settings = game.usual, game.usual.settings
    layouts = [screens.layout for screens in game.screens]
    frames = make_frames(settings)
    corner = np.add.outer(np.arange(ROWS) * CELL * WIDTH, np.arange(COLUMNS) * CELL).ravel()
    following, happened, ladder, ladders = _dynamics(game)
    arrays = {
        "pages": [[draw(settings, one, s) for s in usual.states] for one in layouts],
        "banners": [[advert_row(one, s) for s in usual.states] for one in layouts],
        "cells": [screens.moves[:, corner] for screens in game.screens],
        # Nothing but the background is behind the clock.
        "clocks": [np.where(frame.clock == glyphs.CLEAR, 0, frame.clock) for frame in frames],
        "adverts": [frame.advert for frame in frames],
        "light": [np.rint(frame.light).astype(np.int8) for frame in frames],
        "next": following,
        "happened": happened,
        "ladder": ladder,
        "v": [np.rint(values.v * UNIT) for values in game.exact],
        "success": np.rint(game.success * UNIT),
        # What is alike side by side, and so are the zeros of moves that a screen does not offer.
        "learned_q": np.rint(game.learned.q.transpose(2, 3, 0, 1) * LEARNED),
        "learned_v": np.rint(game.learned.v.transpose(2, 0, 1) * LEARNED),
        "visits": np.rint(game.visits.transpose(2, 0, 1) * LEARNED),
    }
    types = {"light": np.int8, "v": np.uint16, "success": np.uint16, "visits": np.uint16}
    types |= {"learned_q": np.int16, "learned_v": np.int16}
    packed = {
        name: np.array(values).astype(types.get(name, np.uint8)) for name, values in arrays.items()
    }
    return packed, ladders


def _dynamics(game: Game) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[float]]]:
    """`next`, `happened`, `ladder` and the ladders."""
    S, M = game.usual.num_states, game.usual.num_moves
    K = max(phone.dynamics.successors.states.shape[1] for phone in game.phones)
    shape = (len(game.phones), S, M, K)
    following, happened = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    ladder, known = np.zeros(shape[:3], np.uint8), {}
    for c, (phone, place) in enumerate(zip(game.phones, game.places, strict=True)):
        events = words.events(phone)
        states, _, cumulative = phone.dynamics.successors
        for pair, (found, sums) in enumerate(zip(states, cumulative, strict=True)):
            s, m = divmod(pair, M)
            rungs = tuple(sums[: int(sums.argmax()) + 1].tolist())  # the last one is 1
            ladder[c, place[s], m] = known.setdefault(rungs, len(known))
            for k in range(len(rungs)):
                following[c, place[s], m, k] = place[found[k]]
                happened[c, place[s], m, k] = events[s, m, int(found[k])]
    return following, happened, ladder, [list(rungs) for rungs in known]


def pack(arrays: dict[str, np.ndarray]) -> tuple[list[dict], bytes]:
    """(specs, block): a name, a type and a shape for each array, and the gzip of all."""
    specs = [
        {"name": name, "type": values.dtype.name, "shape": list(values.shape)}
        for name, values in arrays.items()
    ]
    content = b"".join(_planes(values) for values in arrays.values())
    return specs, gzip.compress(content, 9, mtime=0)


def unpack(specs: list[dict], block: bytes) -> dict[str, np.ndarray]:
    """The arrays by name."""
    content, found, position = gzip.decompress(block), {}, 0
    for spec in specs:
        kind, size = np.dtype(spec["type"]), math.prod(spec["shape"])
        planes = np.frombuffer(content, np.uint8, size * kind.itemsize, position)
        values = planes.reshape(kind.itemsize, size).T.copy().view(kind.newbyteorder("<"))
        found[spec["name"]] = values.reshape(spec["shape"])
        position += size * kind.itemsize
    return found


def _planes(values: np.ndarray) -> bytes:
    """All low bytes, then all high bytes: similar bytes side by side compress better."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.reshape(-1, 1).view(np.uint8).T.tobytes()
