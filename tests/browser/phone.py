"""The playable phone in a real browser: to read what it shows and to set its controls."""

from __future__ import annotations

from qlearn_core.experiments import phone_game


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


def mulberry32(seed: int):
    """The generator with integers of any length, cut to 32 bits."""
    mask, state = 2**32 - 1, seed
    while True:
        state = (state + 0x6D2B79F5) & mask
        mixed = (state ^ state >> 15) * (state | 1) & mask
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & mask
        yield (mixed ^ mixed >> 14) / 2**32
