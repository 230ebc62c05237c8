"""A figure over a grid survives quantisation and compression, and says so when it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qlearn_book.grid import (
    LEVELS,
    GridError,
    Moving,
    Sampled,
    pack,
    plain,
    quantum,
    sample,
    states,
    unpack,
)
from qlearn_book.marks import axes, describe, line, write


def drawing(y, *, y_axis=("error", 1e-6, 1.0, "log"), text="here") -> dict:
    result = axes(x=("sweeps", 0, 10), y=y_axis)
    line(result, np.arange(len(y)), y, "error", "#0072b2")
    write(result, [1], [0.5], [text])
    describe(result, f"The last value is {y[-1]:g}.")
    return result


def test_states_run_in_c_order_with_the_last_axis_fastest():
    points = list(states({"a": (1, 2), "b": ("x", "y", "z")}))
    assert points[:4] == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 1, "b": "z"},
        {"a": 2, "b": "x"},
    ]
    assert len(points) == 6


def test_only_what_moves_is_stored_and_the_rest_is_the_template():
    sampled = sample(
        "decay",
        lambda gamma: gamma,
        lambda g: drawing(g ** np.arange(5)),
        {"gamma": (0.5, 0.9)},
        {"gamma": 0.9},
    )
    assert [m.path for m in sampled.moving] == [("data", 0, "y"), ("layout", "meta", "summary")]
    assert sampled.template == plain(drawing(0.9 ** np.arange(5)))


@pytest.mark.parametrize("gammas", [(0.5, 0.7, 0.9, 0.99)])
def test_unpacked_values_are_within_half_a_step_of_the_axis(gammas):
    curves = [g ** np.arange(10) for g in gammas]
    sampled = sample(
        "decay",
        lambda gamma: gamma,
        lambda g: drawing(g ** np.arange(10)),
        {"gamma": gammas},
        {"gamma": 0.9},
    )
    values = unpack(*pack(sampled))[0]
    half_step = 6 / LEVELS / 2  # the axis is six decades long
    assert np.abs(np.log10(values) - np.log10(curves)).max() <= half_step * (1 + 1e-9)


def test_curves_of_different_lengths_are_filled_up_with_gaps():
    sampled = sample(
        "depth",
        lambda depth: depth,
        lambda d: drawing(np.full(d, 0.1)),
        {"depth": (2, 5)},
        {"depth": 5},
    )
    x, y = unpack(*pack(sampled))[:2]
    assert np.isnan(y[0, 2:]).all() and not np.isnan(y[1]).any()
    assert np.isnan(x[0, 2:]).all()


@given(
    arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.floats(-3, 4)),
    st.data(),
)
@settings(deadline=None, max_examples=60)
def test_packing_is_lossless_up_to_the_step_for_any_numbers_and_gaps(values, data):
    gaps = data.draw(arrays(bool, values.shape))
    gaps[0, 0] = False
    values = np.where(gaps, np.nan, values)
    step = 1 / LEVELS
    packed = pack(Sampled("any", {}, (Moving(("data", 0, "y"), values, False, step),), len(values)))
    back = unpack(*packed)[0]
    assert (np.isnan(back) == gaps).all()
    assert np.nanmax(np.abs(back - values)) <= step / 2 * (1 + 1e-9)


@given(st.lists(st.lists(st.text(max_size=5), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(deadline=None, max_examples=40)
def test_packing_is_lossless_for_any_texts(rows):
    table: dict[str, int] = {}
    codes = np.array([[table.setdefault(t, len(table)) for t in row] for row in rows])
    moving = Moving(("data", 0, "text"), codes, texts=tuple(table))
    back = unpack(*pack(Sampled("any", {}, (moving,), len(rows))))[0]
    assert back.tolist() == rows


def test_packing_the_same_figure_twice_gives_the_same_bytes():
    def make():
        return pack(
            sample(
                "decay",
                lambda gamma: gamma,
                lambda g: drawing(g ** np.arange(9)),
                {"gamma": (0.5, 0.9)},
                {"gamma": 0.5},
            )
        )

    assert make() == make()


def refusal(draw, values=(0.5, 0.9)) -> str:
    with pytest.raises(GridError) as caught:
        sample("decay", lambda gamma: gamma, draw, {"gamma": values}, {"gamma": values[0]})
    return str(caught.value)


def test_a_figure_whose_axis_moves_is_refused_by_name():
    message = refusal(lambda g: drawing([1, g], y_axis=("error", g, 1.0)))
    assert "'decay'" in message and "layout.yaxis.range" in message


def test_a_figure_whose_axis_is_not_fixed_is_refused():
    def draw(g):
        result = drawing([1, g])
        del result["layout"]["yaxis"]["range"]
        return result

    assert "layout.yaxis.range is not fixed" in refusal(draw)


def test_zero_on_a_log_axis_is_refused_with_advice():
    assert "clip it to the axis" in refusal(lambda g: drawing([1, g - 0.5]))


def test_values_far_outside_the_axis_are_refused():
    message = refusal(lambda g: drawing([1, g * 1e4], y_axis=("error", 0.0, 1.0)))
    assert "too far beyond an axis of length 1" in message


def test_a_trace_that_comes_and_goes_is_refused():
    def draw(g):
        result = drawing([1, g])
        if g > 0.7:
            line(result, [0, 1], [g, g], "second", "#0072b2")
        return result

    assert "is not in every drawing" in refusal(draw)


def test_progress_counts_every_state():
    seen = []
    sample(
        "decay",
        lambda gamma: gamma,
        lambda g: drawing([1, g]),
        {"gamma": (0.5, 0.6, 0.7)},
        {"gamma": 0.5},
        lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@given(st.floats(1e-3, 1e5), st.booleans())
def test_a_step_is_small_enough_and_round(span, log):
    step = quantum(span, log)
    assert 0 < step <= span / LEVELS * (1 + 1e-6)
    if log:
        assert 1 / step == pytest.approx(round(1 / step), rel=1e-12)  # whole steps in a decade
    else:
        assert step > span / LEVELS / 1.7
        assert len(f"{step:.12g}".replace(".", "").strip("0").partition("e")[0]) <= 3


def test_round_numbers_come_back_exactly():
    """The table of a figure prints what was stored: 1 must not become 0.99945."""
    for y_axis, values in (
        (("error", 1e-6, 3.0, "log"), [1e-5, 0.01, 0.1, 1.0]),
        (("error", 0.0, 1.0), [0.0, 0.05, 0.35, 1.0]),
        (("updates", 0.0, 2000.0), [0.0, 50.0, 1435.0, 2000.0]),
    ):
        sampled = sample(
            "round",
            lambda flip: flip,
            lambda flip, y=values, axis=y_axis: drawing(y[::-1] if flip else y, y_axis=axis),
            {"flip": (0, 1)},
            {"flip": 0},
        )
        specs, block = pack(sampled)
        y = next(i for i, spec in enumerate(specs) if spec["path"][:3] == ["data", 0, "y"])
        np.testing.assert_allclose(unpack(specs, block)[y][0], values, rtol=1e-12, atol=1e-12)
