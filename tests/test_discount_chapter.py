"""Every number and every ordering that the chapter on the discount states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import discount as figure
from qlearn_core import Adam, CopyEvery, Sgd, bootstrapped_targets, optimal_q, train_network
from qlearn_core.experiments import discount as experiment
from qlearn_core.experiments import per_state_bias
from qlearn_core.planning import iterate

HORIZONS = list(experiment.HORIZONS)
NUM_SEEDS = 20
SGD = {"depth": 16, "period": 100, "optimiser": "SGD 0.1"}
ADAM = SGD | {"optimiser": "Adam 0.001"}


def at(values, gamma):
    return values[HORIZONS.index(round(1 / (1 - gamma)))]


def signed_errors(goal, gamma, optimiser, num_updates, num_seeds=5):
    """(seed, pair) Q − q* in the corridor of 16 states with a copy every 100 updates."""
    mdp = experiment.corridor(goal, 16, gamma)
    runs = train_network(
        [bootstrapped_targets(mdp, gamma=gamma)] * num_seeds,
        optimiser=optimiser,
        num_updates=num_updates,
        target_network=CopyEvery(100),
        rng=np.random.default_rng(0),
    )
    return runs.bias.reshape(num_seeds, -1)


def diverged(gamma, optimiser, period, depth=8):
    """How many of 20 networks on the loop diverge within 3,000 updates, and the final errors."""
    mdp = experiment.corridor("loop", depth, gamma)
    runs = train_network(
        [bootstrapped_targets(mdp, gamma=gamma)] * NUM_SEEDS,
        optimiser=optimiser,
        num_updates=3_000,
        target_network=CopyEvery(period) if period > 1 else None,
        rng=np.random.default_rng(0),
    )
    return int((runs.diverged_at >= 0).sum()), runs.errors[:, -1]


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("goal", ["terminal", "loop"])
@pytest.mark.parametrize("gamma", [0.5, 0.99, 0.9999])
def test_the_largest_true_value_is_1_at_every_discount(goal, gamma):
    q_star = optimal_q(experiment.corridor(goal, 8, gamma), gamma=gamma)
    assert np.abs(q_star).max() == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("depth", [2, 8, 32])
@pytest.mark.parametrize("tolerance", [0.01, 0.1, 0.5])
@pytest.mark.claim("effective-horizon", "larger-discount-slower")
def test_sweeps_grow_with_the_horizon_on_the_loop_and_with_the_depth_elsewhere(depth, tolerance):
    record = experiment.reach(depth=depth, tolerance=tolerance)
    gammas = 1 - 1 / record.horizons
    expected = np.ceil(np.log(tolerance) / np.log(gammas) - 1e-9)
    assert record.loop.tolist() == expected.tolist()
    assert record.terminal.max() == depth + 1
    assert (record.terminal <= np.minimum(expected, depth + 1)).all()


@pytest.mark.claim("effective-horizon")
def test_a_tenth_of_the_error_takes_22_230_and_23_025_sweeps():
    record = experiment.reach(depth=8, tolerance=0.1)
    assert [at(record.loop, g) for g in (0.9, 0.99, 0.9999)] == [22, 230, 23_025]
    assert [at(record.terminal, g) for g in (0.9, 0.9999)] == [9, 9]
    assert np.log(0.1) / np.log(0.999) == pytest.approx(2_302, abs=1)  # exercise 2


@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.999])
def test_staying_keeps_a_share_gamma_of_every_value_and_so_an_excess_for_a_share_of_the_horizon(
    gamma,
):
    mdp = experiment.corridor("terminal", 16, gamma)
    q_star = optimal_q(mdp, gamma=gamma)
    too_high = q_star + 0.15 * ~mdp.terminal[:, None]
    history = iterate(mdp, gamma=gamma, num_sweeps=300, q0=too_high)
    kept = gamma ** np.arange(301)[:, None] * too_high.max(axis=1)
    assert (history.max(axis=2) >= kept * (1 - 1e-12)).all()
    # Hence the excess over the value v of a state is there for ln(1 + 0.15 / v) horizons or more.
    v = q_star.max(axis=1)[0]
    least = np.log(1 + 0.15 / v) / -np.log(gamma)
    over = history[:, 0].max(axis=1) > v + 1e-12
    assert over[: int(least)].all()


# --- networks with a fixed budget -----------------------------------------------------------------


@pytest.mark.claim("larger-discount-slower", "bias-grows-with-discount")
def test_the_terminal_corridor_gives_a_u_with_sgd():
    record = experiment.budget(updates=3_000, **SGD)
    errors = [at(record.terminal, g) for g in (0.5, 0.95, 0.9999)]
    assert errors == pytest.approx([0.42, 0.02, 0.12], abs=0.006)
    assert record.terminal.argmin() == HORIZONS.index(20)
    valley = record.terminal.argmin()
    assert (np.diff(record.terminal[: valley + 1]) < 0).all()
    assert (np.diff(record.terminal[valley:]) > 0).all()


@pytest.mark.claim("bias-grows-with-discount")
def test_the_left_arm_is_a_matter_of_fitting():
    sgd, adam = (experiment.budget(updates=3_000, **s) for s in (SGD, ADAM))
    assert at(sgd.terminal_control, 0.5) > 0.5 * at(sgd.terminal, 0.5)
    assert at(sgd.terminal_control, 0.5) > 10 * at(sgd.terminal_control, 0.9999)
    assert at(sgd.terminal_control, 0.9999) < 0.1 * at(sgd.terminal, 0.9999)
    assert at(adam.terminal, 0.5) == pytest.approx(0.004, abs=0.001)


@pytest.mark.parametrize("optimiser", [Sgd(0.1), Adam(1e-3)])
def test_the_right_arm_is_overestimates_that_stay(optimiser):
    for num_updates in (3_000, 10_000):
        errors = signed_errors("terminal", 0.9999, optimiser, num_updates)
        over, under = errors.max(axis=1), -errors.min(axis=1)
        assert np.median(over) > 0.1
        assert np.median(under) < 0.01


@pytest.mark.claim("large-discounts-avoided")
def test_the_loop_gives_a_rising_curve_with_adam_of_values_that_are_too_low():
    record = experiment.budget(updates=3_000, **ADAM)
    errors = [at(record.loop, g) for g in (0.5, 0.9999)]
    assert errors == pytest.approx([0.02, 0.56], abs=0.006)
    assert (np.diff(record.loop) > -0.01).all()
    assert at(record.table, 0.9999) == pytest.approx(0.997, abs=5e-4)
    signed = signed_errors("loop", 0.9999, Adam(1e-3), 3_000)
    assert np.median((signed < 0).mean(axis=1)) > 0.95
    # Late news is not more than the table would have left at large horizons.
    far = np.array(HORIZONS) >= 20
    assert (record.loop[far] < 1.05 * record.table[far]).all()


def test_with_sgd_the_curve_of_the_loop_is_not_rising_and_its_end_gets_worse():
    record = experiment.budget(updates=3_000, **SGD)
    errors = [at(record.loop, g) for g in (0.5, 0.98, 0.9999)]
    assert errors == pytest.approx([0.62, 0.31, 0.35], abs=0.006)
    late = experiment.budget(updates=10_000, **SGD)
    assert at(late.loop, 0.9999) == pytest.approx(1.1, abs=0.05)


def test_with_time_the_left_arm_falls_and_the_right_end_does_not():
    """Exercise 1."""
    early, news, middle, late = (
        experiment.budget(updates=updates, **SGD).terminal
        for updates in (1_500, 2_000, 3_000, 10_000)
    )
    assert at(late, 0.5) < 0.6 * at(middle, 0.5)
    known = slice(HORIZONS.index(20), HORIZONS.index(300))
    assert (news[known] < 0.6 * early[known]).all()
    assert [at(middle, 0.9999), at(late, 0.9999)] == pytest.approx([0.12, 0.19], abs=0.006)
    assert 0.9999**100 == pytest.approx(0.99, abs=1e-4)


# --- values that run away -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimiser", "stated"), [(Adam(1e-3), (0, 5, 19, 20)), (Sgd(0.1), (0, 0, 19, 20))]
)
@pytest.mark.claim("large-discounts-avoided")
def test_without_a_target_network_there_is_a_threshold(optimiser, stated):
    """Whether a network diverges is chaotic near the threshold; two of 20 may fall otherwise."""
    counts = [diverged(gamma, optimiser, 1)[0] for gamma in (0.9, 0.95, 0.97, 0.99)]
    assert counts == pytest.approx(stated, abs=2)
    assert counts[0] == 0 and counts[-1] == NUM_SEEDS


@pytest.mark.parametrize("optimiser", [Adam(1e-3), Sgd(0.1)])
@pytest.mark.claim("large-discounts-avoided")
def test_a_copy_every_10_updates_stops_it(optimiser):
    assert [diverged(gamma, optimiser, 10)[0] for gamma in (0.9, 0.95, 0.97, 0.99)] == [0] * 4


def test_a_long_period_is_safer_and_slow():
    short, long = (diverged(0.99, Adam(1e-3), period)[1] for period in (10, 100))
    assert np.median(short) == pytest.approx(0.04, abs=0.01)
    assert np.median(long) == pytest.approx(0.62, abs=0.05)


def test_a_copy_every_10_updates_is_no_guarantee():
    count, _ = diverged(0.999, Adam(1e-3), 10)
    assert count > 0
    count, errors = diverged(0.99, Adam(5e-4), 10)
    assert count > 0
    assert diverged(0.99, Adam(5e-4), 100)[0] == 0


def test_depth_helps_against_divergence():
    counts = [
        int(
            (
                experiment.divergence(gamma=0.97, depth=d, alpha=1e-3, period=1).diverged_at >= 0
            ).sum()
        )
        for d in (2, 4, 8, 16, 32)
    ]
    assert counts == [5, 5, 5, 2, 0]


def test_a_small_rate_delays_the_divergence():
    """Exercise 3."""
    slow = experiment.divergence(gamma=0.99, depth=8, alpha=3e-4, period=1)
    assert slow.status == ("running",) * 5
    assert slow.errors[:, -1].min() > 300
    assert (slow.errors[:, -1] > 5 * slow.errors[:, -8]).all()
    for alpha in (1e-3, 2e-3, 3e-3):
        assert "diverged" not in experiment.divergence(
            gamma=0.99, depth=8, alpha=alpha, period=10
        ).status  # fmt: skip
    assert np.median(
        experiment.divergence(gamma=0.99, depth=8, alpha=3e-4, period=10).errors[:, -1]
    ) > 100  # fmt: skip
    assert experiment.divergence(gamma=0.99, depth=8, alpha=3e-4, period=100).errors.max() < 5


# --- where a larger discount does accumulate bias -------------------------------------------------


@pytest.mark.claim("bias-grows-with-discount", "large-discounts-avoided")
def test_in_the_lock_a_larger_discount_leaves_more_bias():
    medians, controls = [], []
    for gamma in (0.9, 0.97, 0.99):
        biases, control = (
            per_state_bias.lock_biases(
                "lock", gamma=gamma, depth=32, num_steps=num_steps, num_seeds=10
            )[:, -1].max(axis=1)
            for num_steps in (1, None)
        )
        medians.append(np.median(biases))
        controls.append(np.median(control))
    assert medians == pytest.approx([0.1, 0.22, 0.32], abs=0.01)
    assert max(controls) < 0.05


# --- drawings -------------------------------------------------------------------------------------


def test_what_diverged_is_a_diamond_at_the_bound_and_a_word_in_the_sentence():
    record = experiment.divergence(gamma=0.99, depth=8, alpha=1e-3, period=1)
    drawing = figure.divergence(record)
    diamonds = drawing["data"][-2]
    assert diamonds["y"].tolist() == [1_000.0] * 5
    assert diamonds["x"].tolist() == record.diverged_at.tolist()
    assert "5 of 5 networks diverged, the first after 1," in drawing["layout"]["meta"]["summary"]
    assert "others" not in drawing["layout"]["meta"]["summary"]
    safe = figure.divergence(experiment.divergence(gamma=0.5, depth=8, alpha=1e-3, period=100))
    assert "0 of 5 networks diverged; the others" in safe["layout"]["meta"]["summary"]


def test_a_budget_with_divergent_networks_draws_them_apart():
    drawing = figure.budget(
        experiment.budget(updates=10_000, depth=8, period=1, optimiser="SGD 0.1")
    )
    diamonds = next(t for t in drawing["data"] if t.get("name") == "loop, diverged")
    assert diamonds["marker"]["symbol"] == "diamond"
    lost = np.isfinite(diamonds["y"])
    assert lost[-1] and not lost[0]
    loop = next(t for t in drawing["data"] if t.get("name") == "loop")
    assert np.isnan(loop["y"][lost]).all() and np.isfinite(loop["y"][~lost]).all()
    assert "loop 0" in drawing["layout"]["meta"]["summary"]
    drawn = grid.plain(drawing)
    assert all(y is None or y > 0 for trace in drawn["data"] for y in trace["y"])
