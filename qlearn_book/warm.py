"""Compile what the sliders call, once and for all: ``python -m qlearn_book.warm``.

Compiled loops are kept on disk beside their source.  Drawing each figure at its start and at both
ends of each of its controls calls every loop behind it, so that the first move of a slider in a
new session answers at once.
"""

from __future__ import annotations

import time

from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import BOOK, explorers


def warm(figure: Explorer) -> None:
    """Draw a figure at its start and at the ends of each control."""
    figure.at()
    for name, axis in figure.axes.items():
        for value in (axis.values[0], axis.values[-1]):
            figure.at(**{name: value})


def main() -> None:
    for chapter in sorted(BOOK.glob("*.ipynb")):
        for figure in explorers(chapter):
            began = time.perf_counter()
            warm(figure)
            print(f"{chapter.stem}: {figure.name} in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
