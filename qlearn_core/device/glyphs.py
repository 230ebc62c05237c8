"""The pictures of the phone, drawn with the four levels of a theme.

A picture is rows of characters: "." the background of the theme, "-" and "+" two shades, "#" ink.
A space is see-through. In the picture of an item "o" is the cloth, which takes a pattern.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LEVELS = {".": 0, "-": 1, "+": 2, "#": 3, " ": -1, "o": -2}
CELL = 5  # pixels; everything stands on a grid of square cells
INK, CLEAR, CLOTH = LEVELS["#"], LEVELS[" "], LEVELS["o"]

#: Letters and digits, 3 x 4.
LETTERS = {
    "A": "### #.# ### #.#",
    "C": "### #.. #.. ###",
    "G": "### #.. #.# ###",
    "H": "#.# ### #.# #.#",
    "L": "#.. #.. #.. ###",
    "O": "### #.# #.# ###",
    "P": "### #.# ### #..",
    "S": ".## ##. .## ##.",
    "T": "### .#. .#. .#.",
    "U": "#.# #.# #.# ###",
    "X": "#.# .#. .#. #.#",
    "Y": "#.# #.# .#. .#.",
    "Z": "### ..# #.. ###",
    "0": "### #.# #.# ###",
    "1": ".#. ##. .#. ###",
    "2": "##. ..# #.. ###",
    "3": "### .## ..# ###",
    "4": "#.# #.# ### ..#",
    "5": "### ##. ..# ##.",
    "6": "#.. ### #.# ###",
    "7": "### ..# .#. .#.",
    "8": "### #.# ### ###",
    "9": "### #.# ### ..#",
    ":": "... .#. ... .#.",
    " ": "... ... ... ...",
}

#: Pictures of one cell.
CELLS = {
    "battery": "     |#### |#++##|#### |     ",
    "search": " ### |#   #|#   #| ####|    #",
    "close": "#...#|.#.#.|..#..|.#.#.|#...#",
    "cursor": " #   | #   | #   | #   |     ",
    "market": "#    | ####| ####| ####| #  #",
    "bazaar": "#####|# # #|#####| # # | ### ",
    "key": "     | +++ | +++ | +++ |     ",
    "heart": " # # |#####|#####| ### |  #  ",
}

#: Pictures of 8 x 8, shown with a margin on 2 x 2 cells.
PICTURES = {
    "market": """
##......
.#......
.#######
.#.#.#.#
.#######
..#.....
..######
...#..#.""",
    "bazaar": """
........
#######.
#+#+#+#.
#+#+#+#.
#######.
.#...#..
.#.#.#..
.#####..""",
    "clock": """
........
..###...
.#...#..
#..#..#.
#..##.#.
#.....#.
.#...#..
..###...""",
    "mail": """
........
........
#######.
##...##.
#.#.#.#.
#..#..#.
#.....#.
#######.""",
    "reload": """
..###.#.
.#...##.
#...###.
#.......
#......#
#......#
.#....#.
..####..""",
    "failed": """
..####..
.#....#.
#.#..#.#
#......#
#..##..#
#.#..#.#
.#....#.
..####..""",
    "tick": """
........
.......#
......##
#....##.
##..##..
.####...
..##....
........""",
    "gift": """
.##..##.
#..##..#
########
#..##..#
########
#..##..#
#..##..#
########""",
}

#: Items, likewise.
ITEMS = {
    "hat": """
........
..####..
.#oooo#.
.#oooo#.
.#oooo#.
########
#oooooo#
########""",
    "cup": """
........
######..
#oooo###
#oooo#.#
#oooo#.#
#oooo###
#oooo#..
######..""",
    "pot": """
...##...
########
#oooooo#
########
#oooooo#
#oooooo#
#oooooo#
.######.""",
}

#: What covers the cloth of an item, by row and column.
CLOTHS = {
    "plain": lambda row, column: 0 * (row + column),
    "striped": lambda row, column: INK * (row % 2) + 0 * column,
    "solid": lambda row, column: INK + 0 * (row + column),
}


@lru_cache
def text(words: str) -> np.ndarray:
    """(CELL, CELL·letters) levels: see-through but for the ink of the letters."""
    letters = [np.pad(levels(LETTERS[letter].split()), ((0, 1), (1, 1))) for letter in words]
    return np.where(np.hstack(letters) == INK, INK, CLEAR)


@lru_cache
def cell(name: str) -> np.ndarray:
    """(CELL, CELL) levels."""
    return levels(CELLS[name].split("|"))


@lru_cache
def picture(name: str) -> np.ndarray:
    """(2·CELL, 2·CELL) levels."""
    return _with_margin(levels(PICTURES[name].strip("\n").split("\n")))


@lru_cache
def item(word: str, pattern: str) -> np.ndarray:
    """(2·CELL, 2·CELL) levels of an item in a pattern."""
    drawn = levels(ITEMS[word].strip("\n").split("\n"))
    return _with_margin(np.where(drawn == CLOTH, CLOTHS[pattern](*np.indices(drawn.shape)), drawn))


def _with_margin(drawn: np.ndarray) -> np.ndarray:
    return np.pad(drawn, 1, constant_values=CLEAR)


@lru_cache
def swatch(pattern: str) -> np.ndarray:
    """(CELL, CELL) levels: a framed piece of the cloth."""
    cloth = CLOTHS[pattern](*np.indices((CELL - 2, CELL - 2)))
    return np.pad(cloth, 1, constant_values=INK)


def large(drawn: np.ndarray) -> np.ndarray:
    """Twice as high and wide."""
    return drawn.repeat(2, axis=0).repeat(2, axis=1)


def levels(rows: list[str]) -> np.ndarray:
    """Levels of rows of characters."""
    return np.array([[LEVELS[mark] for mark in row] for row in rows])
