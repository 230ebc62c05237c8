"""Tasks in words: what to buy, and in which shop.

A task is fulfilled by one order, and any order ends the episode, with reward 1 or 0. Tasks for
testing are combinations of words that training has not seen together, each word of which it has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .rules import HiddenState
from .settings import PATTERNS, SHOPS, WORDS, PhoneSettings

#: All words of all instructions; a token is a position in it.
VOCABULARY = ("buy", "the", "in", *PATTERNS, *WORDS, *SHOPS)
#: The words of an instruction.
LENGTH = 7


class Task(NamedTuple):
    """Buy the `pattern` `word` in the `shop`."""

    shop: str
    word: str
    pattern: str

    @property
    def instruction(self) -> str:
        return f"buy the {self.pattern} {self.word} in the {self.shop}"

    @property
    def tokens(self) -> np.ndarray:
        """(LENGTH,) int64 positions in the vocabulary."""
        return np.array([VOCABULARY.index(word) for word in self.instruction.split()])

    def fulfilled(self, state: HiddenState) -> bool:
        """Whether this is the state in which the right item is ordered."""
        return state == HiddenState("ordered", self.shop, self.word, self.pattern)


def all_tasks(settings: PhoneSettings) -> tuple[Task, ...]:
    return tuple(
        Task(shop, word, pattern)
        for shop in settings.shops
        for word in settings.words
        for pattern in settings.patterns
    )


def split(settings: PhoneSettings) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """Training and test tasks: a task is for testing where the positions of its three words sum
    to a multiple of the number of patterns.

    With the default sizes that is every third task, once for every pair of two words.
    """
    tasks = all_tasks(settings)
    names = (settings.shops, settings.words, settings.patterns)
    held_out = [
        sum(words.index(word) for words, word in zip(names, task, strict=True))
        % settings.num_patterns
        == 0
        for task in tasks
    ]
    train = tuple(task for task, test in zip(tasks, held_out, strict=True) if not test)
    return train, tuple(task for task, test in zip(tasks, held_out, strict=True) if test)
