"""Step sizes: the formula, its closed forms on a one-state loop, and the measured rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from qlearn_core import (
    Cyclic,
    StepSize,
    TabularMDP,
    UniformPairs,
    chain,
    constant,
    harmonic,
    harmonic_global,
    polynomial,
    q_learning,
    rescaled,
)
from qlearn_core.step_sizes import as_step_size, step_size

SCHEDULES = [
    constant(0.1),
    harmonic(),
    harmonic_global(),
    polynomial(0.7),
    rescaled(0.9),
    StepSize(scale=0.5, slope=2.0, power=0.8, clock="global"),
]
LOOP = TabularMDP(P=[[[1.0]]], r=[[0.0]])  # one state, one action, reward 0: q* = 0


def loop_errors(alpha, gamma, steps):
    """‖Q_t − q*‖ on the one-state loop started from 1."""
    result = q_learning(
        LOOP,
        gamma=gamma,
        alpha=alpha,
        num_updates=int(steps[-1]),
        behaviour=Cyclic(),
        rng=np.random.default_rng(0),
        q0=[[1.0]],
        record_at=steps,
    )
    return result.errors


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (constant(0.3), lambda c: 0.3 + 0 * c),
        (harmonic(), lambda c: 1 / (c + 1)),
        (harmonic_global(), lambda c: 1 / (c + 1)),
        (polynomial(0.7), lambda c: (c + 1) ** -0.7),
        (rescaled(0.9), lambda c: 1 / (1 + (1 - 0.9) * c)),
    ],
)
def test_every_named_schedule_is_its_formula(schedule, formula):
    c = np.arange(1000.0)
    assert schedule.at(c) == pytest.approx(formula(c), rel=1e-14)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.name)
def test_the_loops_use_the_same_formula_on_their_own_clock(schedule):
    for n, t in [(0, 0), (3, 40), (1000, 20_000)]:
        count = n if schedule.clock == "pair" else t
        assert step_size(schedule.schedule, n, t) == pytest.approx(schedule.at(count), rel=1e-14)


def test_the_names_are_the_formulas():
    assert [schedule.name for schedule in SCHEDULES] == [
        "0.1",
        "1/(1+n)",
        "1/(1+t)",
        "(1+n)^-0.7",
        "1/(1+0.1n)",
        "0.5(1+2t)^-0.8",
    ]


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_harmonic_steps_leave_a_ratio_of_gamma_functions_on_a_loop(gamma):
    steps = np.array([1, 2, 10, 100, 1000, 10_000])
    # Π_{j<=k} (1 − (1−γ)/j) = Γ(k+γ) / (Γ(γ) Γ(k+1)) after k updates.
    closed = np.exp(gammaln(steps + gamma) - gammaln(gamma) - gammaln(steps + 1.0))
    assert loop_errors(harmonic(), gamma, steps) == pytest.approx(closed, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_rescaled_steps_telescope_on_a_loop(gamma):
    # The first update has α = 1 and leaves γ; with k counted from 1 the product telescopes.
    steps = np.array([1, 2, 10, 100, 1000, 10_000])
    closed = gamma / (1 + (1 - gamma) * (steps - 1))
    assert loop_errors(rescaled(gamma), gamma, steps) == pytest.approx(closed, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.3, 0.8, 0.95])
def test_the_error_of_harmonic_steps_has_slope_minus_one_minus_gamma(gamma):
    steps = np.array([1000, 100_000])
    errors = loop_errors(harmonic(), gamma, steps)
    slope = np.diff(np.log(errors)) / np.diff(np.log(steps))
    # Γ(t+γ)/Γ(t+1) = t^−(1−γ) (1 + O(1/t)).
    assert slope[0] == pytest.approx(-(1 - gamma), abs=1 / steps[0])


def test_the_global_clock_is_slower_by_the_number_of_pairs():
    gamma, steps = 0.5, np.array([10_000, 1_000_000])
    mdp = chain(5, slip=0.1, goal="loop")
    slopes = []
    for alpha in (harmonic(), harmonic_global()):
        result = q_learning(
            mdp,
            gamma=gamma,
            alpha=alpha,
            num_updates=int(steps[-1]),
            behaviour=Cyclic(),
            rng=np.random.default_rng(0),
            record_at=steps,
        )
        slopes.append(np.diff(np.log(result.errors))[0] / np.diff(np.log(steps))[0])
    assert slopes[1] == pytest.approx(-(1 - gamma) / mdp.num_pairs, rel=0.05)
    assert slopes[0] < 5 * slopes[1]


def test_the_rescaled_schedule_beats_the_harmonic_one_on_the_chain():
    mdp = chain(5, slip=0.1, goal="loop")
    errors = {}
    for alpha in (harmonic(), rescaled(0.9)):
        runs = [
            q_learning(
                mdp,
                gamma=0.9,
                alpha=alpha,
                num_updates=100_000,
                behaviour=UniformPairs(),
                rng=rng,
            ).errors[-1]
            for rng in np.random.default_rng(0).spawn(10)
        ]
        errors[alpha.name] = np.median(runs)
    assert errors["1/(1+0.1n)"] < errors["1/(1+n)"] / 20


@pytest.mark.parametrize("alpha", [0, -0.1, 1.0001, np.nan, np.inf, None, "0.1 per step"])
def test_an_alpha_outside_the_unit_interval_is_refused(alpha):
    for make in (constant, as_step_size):
        with pytest.raises(ValueError, match=r"alpha must be a number in \(0, 1\], but is "):
            make(alpha)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(0, 1, exclude_min=True), st.floats(0, 100), st.floats(0, 5))
def test_every_step_size_lies_between_zero_and_its_scale(scale, slope, power):
    values = StepSize(scale=scale, slope=slope, power=power, clock="pair").at(np.arange(100))
    assert (values >= 0).all() and (values <= scale).all()
    assert (np.diff(values) <= 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polynomial(0), "omega must be a number > 0, but is 0"),
        (lambda: polynomial(np.nan), "omega must be a number > 0, but is nan"),
        (lambda: rescaled(1), r"gamma must be a number in \[0, 1\), but is 1"),
        (lambda: StepSize(2, 1, 1, "pair"), r"scale must be a number in \(0, 1\], but is 2"),
        (lambda: StepSize(1, -1, 1, "pair"), "slope must be a number >= 0, but is -1"),
        (lambda: StepSize(1, 1, -1, "pair"), "power must be a number >= 0, but is -1"),
        (lambda: StepSize(1, 1, 1, "wall"), "clock must be 'pair' or 'global', but is 'wall'"),
    ],
)
def test_impossible_schedules_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_number_is_a_constant_step_size_and_a_step_size_is_itself():
    assert as_step_size(0.25) == constant(0.25)
    schedule = harmonic()
    assert as_step_size(schedule) is schedule
