"""One palette and one type scale for every figure, in light and in dark.

Figures are drawn with the *light* colours; ``DARK`` says what each becomes on a dark page, where
the browser code swaps them.  The line colours are Okabe & Ito's (2008) colour-blind-safe set,
darkened or lightened until each has a contrast of at least 3:1 with its background (WCAG 2.2,
1.4.11); the text colours reach 4.5:1.  ``tests/test_theme.py`` computes both.
"""

from __future__ import annotations

#: role -> (on a light page, on a dark page)
PALETTE = {
    "blue": ("#0072b2", "#56b4e9"),
    "orange": ("#b35a00", "#e69f00"),
    "green": ("#00795c", "#2fc79c"),
    "purple": ("#a2457e", "#e08fc0"),
    "red": ("#c0392b", "#ff8a6b"),
    "grey": ("#6e6e6e", "#9a9a9a"),
    "ink": ("#1f2430", "#e8e6e1"),
    "muted": ("#5b6170", "#aab0bd"),
    "grid": ("#e6e8ec", "#2c313b"),
    "axis": ("#9aa1ad", "#5f6775"),
    "page": ("#ffffff", "#14181f"),
}
INK, MUTED, GRID, AXIS, PAGE = (
    PALETTE[role][0] for role in ("ink", "muted", "grid", "axis", "page")
)
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = (
    PALETTE[role][0] for role in ("blue", "orange", "green", "purple", "red", "grey")
)

FONT = "'Source Sans 3', 'Source Sans Pro', system-ui, sans-serif"
FONT_SIZE = 14
HEIGHT = 400


def mix(low: str, high: str, share: float) -> str:
    """The colour `share` of the way from `low` to `high`, as #rrggbb."""
    pairs = [(int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


#: A scale of one hue for values in [0, 1], from near the page's background to the strongest colour
#: on which the page's ink still has the contrast of text.
SCALE_STEPS = 33
SCALE_LIGHT = [mix("#f3f6f9", "#5b9fd0", i / (SCALE_STEPS - 1)) for i in range(SCALE_STEPS)]
SCALE_DARK = [mix("#1d242d", "#22659a", i / (SCALE_STEPS - 1)) for i in range(SCALE_STEPS)]

#: What each light colour becomes on a dark page.
DARK = dict(PALETTE.values()) | dict(zip(SCALE_LIGHT, SCALE_DARK, strict=True))


def shade(value: float) -> str:
    """The colour of a value in [0, 1] (clipped) on the one-hue scale."""
    return SCALE_LIGHT[round(min(max(float(value), 0.0), 1.0) * (SCALE_STEPS - 1))]


def tint(colour: str, opacity: float) -> str:
    """`colour` as rgba() with an opacity, for bands."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


BAND_OPACITY = 0.16
DARK |= {tint(light, BAND_OPACITY): tint(dark, 0.24) for light, dark in PALETTE.values()}
