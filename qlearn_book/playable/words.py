"""The phone in words: what a move is called, what a screen shows, what chance did."""

from __future__ import annotations

from qlearn_core.device.phone import Phone
from qlearn_core.device.rules import FAILED, HOME, KEYS, POPUPS, HiddenState, intended
from qlearn_core.device.settings import MISTYPED

PLAIN = {
    "nothing": ("nothing", "You clicked where nothing is."),
    "bar": ("search bar", "You clicked the search bar."),
    "search": ("search", "You clicked “search”."),
    "buy": ("pay", "You clicked “pay”."),
    "advert": ("advert", "You clicked the advert."),
    "close": ("close", "You clicked the cross."),
    "reload": ("reload", "You clicked “reload”."),
    **{key: (f"{key} key", f"You pressed {key}.") for key in KEYS},
}
#: What went wrong, as `event` numbers it; 0 is nothing.
EVENTS = (
    "",
    "The click was missed.",
    "The word was mistyped.",
    "The page did not load.",
    "A pop-up came up.",
    "The shop crashed.",
    "Nothing changed: the click was missed, or the page failed again.",
)
AS_MEANT, MISSED, MISTYPE, NOT_LOADED, POPUP, CRASH, FAILED_AGAIN = range(len(EVENTS))


def move_words(move: str) -> tuple[str, str]:
    """The short name of a move, and the sentence that says it was made."""
    if move in PLAIN:
        return PLAIN[move]
    verb, _, word = move.partition(" ")
    if verb == "open":
        return f"open the {word}", f"You clicked the icon of the {word}."
    if verb == "type":
        return f"type “{word}”", f"You typed “{word}”."
    return f"the {word} one", f"You clicked the {word} one."


def state_words(state: HiddenState) -> str:
    """A sentence or two that say what the screen shows, which is all there is to know."""
    shop, word = f"the {state.shop}", _word(state.word)
    if state.overlay in POPUPS:
        place = "upper" if state.overlay == POPUPS[0] else "lower"
        behind = state_words(state._replace(overlay=""))
        return f"A pop-up covers the {place} half. Behind it: {behind}"
    if state.overlay == FAILED:
        return f"A page did not load: {_page(state)}."
    if state.page == "front" and state.focused:
        holds = f"holds {word}" if state.word else "is empty"
        return f"The search bar of {shop} takes letters. It {holds}."
    return {
        "home": "The home screen is shown.",
        "clock": "The clock is shown. There is nothing to do here.",
        "mail": "The mail is shown. There is nothing to do here.",
        "advert": f"An advert fills the screen of {shop}.",
    }.get(state.page) or f"{_page(state).capitalize()} is shown."


def _page(state: HiddenState) -> str:
    shop = f"the {state.shop}"
    return {
        "front": f"the front page of {shop}",
        "results": f"the list of results for {_word(state.word)} in {shop}",
        "item": f"the page of the {state.pattern} {state.word} in {shop}",
        "ordered": f"the receipt of {shop} for the {state.pattern} {state.word}",
    }[state.page]


def _word(word: str) -> str:
    return "a mistyped word" if word == MISTYPED else f"“{word}”"


def event(state: HiddenState, move: str, after: HiddenState) -> int:
    """The position in EVENTS of what happened between two states.

    One outcome may have two causes that cannot be told apart; then EVENTS names both.
    """
    target = intended(state, move)
    if after == target:
        return AS_MEANT
    if after == state:
        return FAILED_AGAIN if state.overlay == FAILED and move == "reload" else MISSED
    if after == HOME:
        return CRASH
    if after.overlay == FAILED:
        return NOT_LOADED
    return POPUP if after.overlay in POPUPS else MISTYPE


def events(phone: Phone) -> dict[tuple[int, int, int], int]:
    """(s, move, s_next) -> the event, for all transitions that have a chance."""
    found = {}
    for s, m, s_next in zip(*phone.dynamics.P.nonzero(), strict=True):
        state, after = phone.states[s], phone.states[s_next]
        happened = AS_MEANT
        if not phone.dynamics.terminal[s]:
            happened = event(state, phone.moves[m], after)
        found[int(s), int(m), int(s_next)] = happened
    return found
