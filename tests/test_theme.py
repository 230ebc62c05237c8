"""The palette: contrast on both pages, and colours that stay apart for colour-blind readers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qlearn_book.theme import DARK, PALETTE, SCALE_DARK, SCALE_LIGHT, shade, tint

LINES = ("blue", "orange", "green", "purple", "red", "grey")
PAGES = (0, 1)  # light, dark

# Viénot, Brettel & Mollon (1999), "Digital video colourmaps for checking the legibility of displays
# by dichromats": linear RGB as a protanope and as a deuteranope sees it.
PROTAN = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTAN = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear sRGB (D65)."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.clip(matrix @ rgb, 0, None) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", LINES)
def test_lines_have_three_to_one_contrast_with_the_page(role, page):
    assert contrast(PALETTE[role][page], PALETTE["page"][page]) >= 3


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [*LINES, "ink", "muted"])
def test_labels_have_the_contrast_of_text(role, page):
    assert contrast(PALETTE[role][page], PALETTE["page"][page]) >= 4.5


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "eye", [np.eye(3), PROTAN, DEUTAN], ids=["trichromat", "protanope", "deuteranope"]
)
def test_any_two_line_colours_differ_for_every_kind_of_eye(eye, page):
    """Five units of L*a*b* are about twice what side-by-side patches need to be told apart."""
    for one, other in itertools.combinations(("blue", "orange", "green", "purple"), 2):
        apart = lab(eye @ linear(PALETTE[one][page])) - lab(eye @ linear(PALETTE[other][page]))
        assert np.linalg.norm(apart) > 5, (one, other)


@pytest.mark.parametrize("scale", [SCALE_LIGHT, SCALE_DARK])
def test_the_scale_is_monotone_in_luminance(scale):
    steps = np.diff([luminance(colour) for colour in scale])
    assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize(("scale", "page"), [(SCALE_LIGHT, 0), (SCALE_DARK, 1)])
def test_text_on_the_scale_is_readable(scale, page):
    for colour in scale:
        assert contrast(colour, PALETTE["ink"][page]) >= 4.5


def test_shades_are_clipped_to_the_scale():
    assert shade(-1) == shade(0) == SCALE_LIGHT[0]
    assert shade(2) == shade(1) == SCALE_LIGHT[-1]


def test_every_colour_that_a_mark_uses_has_a_dark_partner():
    for light, _ in PALETTE.values():
        assert light in DARK and tint(light, 0.16) in DARK
    assert set(SCALE_LIGHT) <= set(DARK)
