"""The rules of the phone: what every move does to its hidden state, and what can go wrong.

A move is what an action amounts to: a click on any pixel of the "buy" button is the move "buy".
`outcomes` is the only place that knows the rules. The table made of it is what the environment
samples from, what dynamic programming sums over, and what a page can follow.
"""

from __future__ import annotations

from typing import NamedTuple

from .settings import MISTYPED, PhoneSettings

#: Moves that are no clicks are never missed.
KEYS = ("back", "home")
POPUPS = ("pop-up above", "pop-up below")
FAILED = "load failed"


class HiddenState(NamedTuple):
    """All that decides what happens next; the fields that a page has no use for are empty."""

    page: str  # home, clock, mail, front, results, item, advert, ordered
    shop: str = ""
    word: str = ""  # in the search bar
    pattern: str = ""  # of the item
    focused: bool = False  # the search bar takes letters
    overlay: str = ""  # a pop-up, or the page that did not load


HOME = HiddenState("home")


def moves(settings: PhoneSettings) -> tuple[str, ...]:
    """Every move there is; one that is not on the screen does nothing."""
    return (
        "nothing",
        *(f"open {icon}" for icon in settings.icons),
        "bar",
        "search",
        *(f"pick {pattern}" for pattern in settings.patterns),
        "buy",
        "advert",
        "close",
        "reload",
        *(f"type {word}" for word in settings.words),
        *KEYS,
    )


def outcomes(settings: PhoneSettings, state: HiddenState, move: str) -> dict[HiddenState, float]:
    """The possible next states and their probabilities; an ordered item ends the episode.

    In this order: in a shop the phone crashes, a click is missed, a word is mistyped, a page does
    not load, a loaded page brings a pop-up in one of two places.
    """
    if state.page == "ordered":
        return {state: 1.0}
    target = intended(state, move)
    results: dict[HiddenState, float] = {}

    def add(result: HiddenState, chance: float) -> None:
        if chance > 0:
            results[result] = results.get(result, 0.0) + chance

    remaining = 1.0
    if state.shop:
        add(HOME, settings.crash)
        remaining -= settings.crash
    if target != state and move not in KEYS and not move.startswith("type "):
        add(state, remaining * settings.miss)
        remaining *= 1 - settings.miss
    if move.startswith("type ") and target != state:
        add(target._replace(word=MISTYPED), remaining * settings.mistype)
        remaining *= 1 - settings.mistype
    if loads(state, move, target):
        add(target._replace(overlay=FAILED), remaining * settings.load_failure)
        remaining *= 1 - settings.load_failure
        for popup in POPUPS:
            add(target._replace(overlay=popup), remaining * settings.popup / 2)
        remaining *= 1 - settings.popup
    add(target, remaining)
    return results


def loads(state: HiddenState, move: str, target: HiddenState) -> bool:
    """Whether a page of a shop is fetched; going back or closing shows one that is there."""
    fetched = target.page in ("front", "results", "item") and target != state
    return fetched and (move in ("search", "reload") or move.startswith(("open ", "pick ")))


def intended(state: HiddenState, move: str) -> HiddenState:
    """The next state if nothing goes wrong."""
    if move == "home":
        return HOME
    if state.overlay in POPUPS:
        return _behind_popup(state, move)
    if move == "back":
        return _before(state)
    verb, _, word = move.partition(" ")
    if verb == "open" and state.page == "home":
        return HiddenState("front", word) if word not in ("clock", "mail") else HiddenState(word)
    if verb == "bar" and state.page in ("front", "results", "item"):
        return HiddenState("front", state.shop, focused=True)
    if state.overlay == FAILED:
        return state._replace(overlay="") if verb == "reload" else state
    if verb == "type" and state.focused:
        return state._replace(word=MISTYPED if state.word else word)
    if verb == "search" and state.word and state.page in ("front", "results", "item"):
        return HiddenState("results", state.shop, state.word)
    if verb == "pick" and state.page == "results" and state.word != MISTYPED:
        return HiddenState("item", state.shop, state.word, word)
    if verb == "buy" and state.page == "item":
        return HiddenState("ordered", state.shop, state.word, state.pattern)
    if verb == "advert" and (state.page == "item" or state.page == "front" and not state.focused):
        return HiddenState("advert", state.shop)
    if verb == "close" and state.page == "advert":
        return HiddenState("front", state.shop)
    return state


def _behind_popup(state: HiddenState, move: str) -> HiddenState:
    if move in ("close", "back"):
        return state._replace(overlay="")
    return HiddenState("advert", state.shop) if move == "advert" else state


def _before(state: HiddenState) -> HiddenState:
    """What "back" shows: a page that was loaded before, without an overlay."""
    if state.page == "item":
        return HiddenState("results", state.shop, state.word)
    if state.page == "results":
        return HiddenState("front", state.shop, state.word, focused=True)
    if state.focused or state.page == "advert":
        return HiddenState("front", state.shop)
    return HOME
