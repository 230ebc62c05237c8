"""Every rate, sum and level that the chapter on step sizes states, measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import zeta

from qlearn_book import grid
from qlearn_book.figures import labels
from qlearn_book.figures import step_sizes as figure
from qlearn_core.behaviours import UniformPairs
from qlearn_core.experiments import step_sizes as experiment
from qlearn_core.mdp import TabularMDP
from qlearn_core.step_sizes import constant, harmonic, harmonic_global, polynomial, rescaled
from qlearn_core.tabular import q_learning

MARKS = experiment.MARKS


def _mean_and_error(values):
    values = np.asarray(values, dtype=float)
    return values.mean(), values.std(ddof=1) / np.sqrt(values.size)


# --- one state ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_the_closed_forms_are_what_q_learning_does_on_one_state(gamma):
    record = experiment.one_state(gamma, alpha=0.3, omega=0.7)
    mdp = TabularMDP(P=[[[1.0]]], r=[[0.0]])
    marks = experiment.VISITS[experiment.VISITS <= 10_000]
    for name, step in {
        "harmonic": harmonic(),
        "rescaled": rescaled(gamma),
        "constant": constant(0.3),
        "polynomial": polynomial(0.7),
    }.items():
        run = q_learning(
            mdp,
            gamma=gamma,
            alpha=step,
            num_updates=10_000,
            behaviour=UniformPairs(),
            rng=np.random.default_rng(0),
            q0=np.ones((1, 1)),
            record_at=marks,
        )
        exact = getattr(record, name)[: marks.size]
        np.testing.assert_allclose(run.errors, exact, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize(("omega", "stated"), [(1.5, 0.77), (2.0, 0.84)])
@pytest.mark.claim("finite-sum-stalls")
def test_powers_above_one_stall_where_the_infinite_product_does(omega, stated):
    record = experiment.one_state(0.9, 0.1, omega)
    k = np.arange(1, 20_000_001, dtype=float)
    product = np.exp(np.log1p(-0.1 * k**-omega).sum())
    assert record.stalls_at == pytest.approx(product, rel=1e-4)
    assert record.stalls_at == pytest.approx(stated, abs=0.005)
    assert (record.polynomial > record.stalls_at).all()


def test_powers_up_to_one_do_not_stall():
    for omega in (0.5, 0.7, 1.0):
        assert experiment.one_state(0.9, 0.1, omega).stalls_at == 0


def test_without_noise_smaller_powers_are_faster():
    for gamma in (0.9, 0.99):
        left = [experiment.one_state(gamma, 0.1, w).polynomial[-1] for w in (0.5, 0.7, 0.9, 1.0)]
        assert (np.diff(left) > 0).all()


def test_the_harmonic_step_needs_five_thousand_million_updates_at_gamma_nine_tenths():
    assert experiment.harmonic_updates(0.1, 0.9) == pytest.approx(5.1e9, rel=0.02)
    for gamma in (0.5, 0.8):  # within reach of the exact product
        updates = experiment.harmonic_updates(0.1, gamma)
        record = experiment.one_state(gamma, 0.1, 1.0)
        left = np.exp(np.interp(np.log(updates), np.log(record.visits), np.log(record.harmonic)))
        assert left == pytest.approx(0.1, rel=0.02)


def test_the_rescaled_step_leaves_gamma_over_one_minus_gamma_n():
    record = experiment.one_state(0.9, 0.1, 0.7)
    late = record.visits > 10_000
    predicted = 0.9 / (0.1 * record.visits[late])
    np.testing.assert_allclose(record.rescaled[late], predicted, rtol=1e-2)


def test_the_harmonic_step_is_the_plain_average_of_the_targets():
    targets = np.random.default_rng(0).normal(size=50)
    q = 7.0
    for n, target in enumerate(targets):
        q += harmonic().at(n) * (target - q)
    assert q == pytest.approx(targets.mean())


# --- five schedules on the chain ------------------------------------------------------------------


@pytest.mark.claim("convergence", "harmonic-choice")
def test_the_errors_left_after_100_000_updates_are_those_stated():
    for gamma, step, stated in (
        (0.9, harmonic_global(), 0.88),
        (0.99, harmonic_global(), 0.99),
        (0.9, harmonic(), 0.36),
        (0.9, rescaled(0.9), 0.004),
    ):
        runs = [experiment.median_errors(gamma, 5, step, "loop", 1, k)[-1] for k in range(40)]
        error = np.sqrt(np.pi / 2) * np.std(runs, ddof=1) / np.sqrt(len(runs))  # of the median
        assert abs(np.median(runs) - stated) < 0.005 + 4 * error
        if stated == 0.88:
            assert (np.round([min(runs), max(runs)], 2) == [0.75, 0.92]).all()
        if stated == 0.004:
            assert np.median(runs) < 0.005


@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_of_the_shrinking_schedules_the_rescaled_one_is_best(gamma):
    left = [
        experiment.median_errors(gamma, 5, step, "loop", 9, 5)[-1]
        for step in (rescaled(gamma), polynomial(0.7), harmonic(), harmonic_global())
    ]
    assert (np.diff(left) > 0).all()


def test_at_gamma_0_99_a_constant_step_is_as_good_for_this_budget():
    steps = (constant(0.1), rescaled(0.99))
    fixed, shrinking = (experiment.median_errors(0.99, 5, s, "loop", 9, 0)[-1] for s in steps)
    assert fixed < 2 * shrinking


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_with_a_loop_the_harmonic_error_falls_with_slope_one_minus_gamma(gamma):
    slopes = [experiment.harmonic_slope(gamma, 5, "loop", num_seeds=1, seed=k) for k in range(10)]
    mean, error = _mean_and_error(slopes)
    # the exact one-state product over the same two decades of n = t / 10, not only its limit
    record = experiment.one_state(gamma, 0.1, 1.0)
    late = (record.visits >= 100) & (record.visits <= 10_000)
    predicted = experiment.log_slope(record.visits[late], record.harmonic[late])
    assert predicted == pytest.approx(-(1 - gamma), rel=0.01)
    assert abs(mean - predicted) < 4 * error + 0.01 * (1 - gamma)


def test_on_the_terminal_chain_the_discount_does_not_set_the_slope():
    slopes = [experiment.harmonic_slope(g, 5, "terminal") for g in (0.5, 0.9, 0.99)]
    assert slopes == pytest.approx([-0.6] * 3, abs=0.05)


@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_the_global_clock_divides_the_exponent_by_the_number_of_pairs(gamma):
    errors = experiment.median_errors(gamma, 5, harmonic_global(), "loop", 9, 0)
    slope = experiment.log_slope(MARKS[6:], errors[6:])
    assert slope == pytest.approx(-(1 - gamma) / 10, rel=0.1)


def test_the_theory_line_is_close_to_the_measured_harmonic_error():
    for gamma in (0.8, 0.9, 0.99):
        record = experiment.schedules(gamma, 5, 0.1)
        late = MARKS >= 1000
        assert np.abs(np.log(record.harmonic[late] / record.guide[late])).max() < 0.15


# --- sums and floors ------------------------------------------------------------------------------


@pytest.mark.claim("square-sum-bounds-noise")
def test_a_constant_step_collects_noise_in_proportion_to_time_and_the_others_level_off():
    def growth(step):
        few, many = (
            experiment.budget(0.9, 5, step, num_updates=n, seed=0).noise for n in (1000, 100_000)
        )
        return many / few

    assert 100 < growth(constant(0.1)) < 200
    assert growth(harmonic()) == pytest.approx(1.04, abs=0.01)
    for step in (polynomial(0.7), rescaled(0.9)):
        assert growth(step) < 1.5


def test_the_power_one_and_a_half_can_travel_no_further_than_26():
    spent = experiment.budget(0.9, 5, polynomial(1.5), num_updates=100_000, seed=0)
    assert 25.5 < spent.steps < 10 * zeta(1.5) == pytest.approx(26.1, abs=0.1)


@pytest.mark.parametrize(("gamma", "slip"), [(0.5, 0.1), (0.9, 0.1), (0.9, 0.02)])
@pytest.mark.claim("step-size-trade-off")
def test_the_noise_floor_grows_like_the_square_root_of_the_step_size(gamma, slip):
    slopes = [experiment.noise_floor(gamma, 5, slip, seed=k).slope for k in range(10)]
    mean, error = _mean_and_error(slopes)
    assert abs(mean - 0.5) < 0.05 + 4 * error


def test_for_large_steps_high_discount_and_much_slip_the_floor_rises_above_the_root():
    record = experiment.noise_floor(0.95, 12, 0.4)
    assert record.floors[-1] > 2 * record.floors[0] * np.sqrt(1 / record.alphas[0])


def test_for_large_steps_low_discount_and_little_slip_the_floor_bends_below_the_root():
    record = experiment.noise_floor(0.5, 2, 0.01)
    assert record.floors[-1] < 0.7 * record.floors[0] * np.sqrt(1 / record.alphas[0])


def test_the_stationary_variance_of_the_one_state_picture():
    alpha, gamma, rng = 0.2, 0.9, np.random.default_rng(0)
    e = np.zeros(2000)
    for _ in range(1500):  # the start is forgotten to (1 - 0.02)^1500 < 1e-12
        e = (1 - alpha * (1 - gamma)) * e + alpha * rng.normal(size=e.size)
    predicted = alpha / ((1 - gamma) * (2 - alpha * (1 - gamma)))
    assert abs(e.var() - predicted) < 4 * predicted * np.sqrt(2 / e.size)


# --- drawings -------------------------------------------------------------------------------------

CORNERS = {
    "schedules": {"gamma": (0.5, 0.99), "depth": (2, 20), "alpha": (0.05, 1.0)},
    "one_state": {"gamma": (0.5, 0.99), "alpha": (0.01, 1.0), "omega": (0.5, 2.0)},
    "noise_floor": {"gamma": (0.5, 0.95), "depth": (2, 12), "slip": (0.01, 0.4)},
}


@pytest.mark.parametrize("name", CORNERS)
def test_the_corners_of_the_grid_can_be_drawn_on_fixed_axes_with_labels_in_the_plot(name):
    axes = CORNERS[name]
    draw, compute = getattr(figure, name), getattr(experiment, name)
    start = {axis: values[0] for axis, values in axes.items()}
    assert grid.sample(name, compute, draw, axes, start).num_states == 8
    for values in grid.states(axes):
        drawing = draw(compute(**values))
        layout = drawing["layout"]
        words = [trace for trace in drawing["data"] if trace["mode"] == "text"]
        for trace, letter in itertools.product(words, "xy"):
            axis = layout[letter + "axis"]
            place = np.log10(trace[letter])
            assert (axis["range"][0] <= place).all() and (place <= axis["range"][1]).all()
        assert "nan" not in layout["meta"]["summary"]


def test_labels_at_equal_heights_are_moved_apart_within_the_plot():
    moved = labels.apart([0.9, 0.9, 0.9, 0.1], 0.1, 0.0, 1.0)
    assert np.diff(np.sort(moved)).min() >= 0.1 - 1e-12
    assert moved.min() >= 0 and moved.max() <= 1
    assert list(np.argsort(moved, kind="stable"))[0] == 3
