"""Every number and every ordering that the chapter on Q-learning states, measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import q_learning as figure
from qlearn_core.behaviours import UniformPairs
from qlearn_core.bellman import greedy
from qlearn_core.environments import chain, from_gymnasium
from qlearn_core.experiments import q_learning as experiment
from qlearn_core.experiments.frozen_lake import learn_frozen_lake, play_frozen_lake
from qlearn_core.planning import evaluate_policy, optimal_q
from qlearn_core.tabular import trace_q_learning

SEEDS = range(20)


def _trace(mdp, *, gamma, alpha, seed, num_updates=2000):
    return trace_q_learning(
        mdp,
        gamma=gamma,
        alpha=alpha,
        num_updates=num_updates,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(seed),
    )


def _staircases(alpha):
    return [experiment.staircase(0.9, 5, alpha, updates_per_pair=200, seed=k) for k in SEEDS]


def _mean_and_error(values):
    values = np.asarray(values, dtype=float)
    return values.mean(), values.std(ddof=1) / np.sqrt(values.size)


# --- signal and noise, and the norm ---------------------------------------------------------------


@pytest.mark.claim("sweep-on-average")
def test_the_td_error_is_signal_plus_noise():
    trace = _trace(chain(5, slip=0.1, goal="loop"), gamma=0.9, alpha=0.3, seed=0)
    np.testing.assert_allclose(trace.td_errors, trace.signals + trace.noises, atol=1e-12)


@pytest.mark.parametrize("depth", [2, 5, 20])
def test_uniform_pairs_visit_the_worst_pair_once_in_two_depth_updates(depth):
    share = 1 / (2 * depth)
    record = experiment.flat_share(0.9, depth, 0.1, num_seeds=20)
    # the draw is independent of which pair is worst, so visits are Bernoulli(1 / 2D)
    standard_error = np.sqrt(share * (1 - share) / (20 * 2000))
    assert abs(record.rule[0] - (1 - share)) < 4 * standard_error


def test_about_180_of_the_first_200_updates_are_flat():
    flat = [200 * experiment.staircase(0.9, 5, 0.3, seed=k).flat_share for k in SEEDS]
    mean, error = _mean_and_error(flat)
    assert 160 < mean - 4 * error and mean + 4 * error < 190


@pytest.mark.claim("staircase")
def test_the_share_of_flat_updates_at_alpha_one_tenth_is_89_percent():
    mean, error = _mean_and_error([run.flat_share for run in _staircases(0.1)])
    assert abs(mean - 0.89) < 0.005 + 4 * error


def test_flat_updates_are_visits_elsewhere_less_overtaking_plus_visits_without_effect():
    for run in _staircases(0.3)[:5]:
        changes = run.num_updates * (1 - run.flat_share)
        assert run.by_worst.sum() + (~run.by_worst).sum() == pytest.approx(changes)
        assert run.rises[~run.by_worst].all()  # overtaking is a step up


@pytest.mark.claim("only-the-worst-moves", "steps-down")
def test_overtaking_and_upward_steps_grow_with_the_step_size():
    stated = {0.1: (0.05, 0.11), 0.3: (0.20, 0.30), 1.0: (0.40, 0.45)}
    for alpha, (other_stated, up_stated) in stated.items():
        runs = _staircases(alpha)
        other, other_error = _mean_and_error([(~run.by_worst).mean() for run in runs])
        up, up_error = _mean_and_error([run.rises.mean() for run in runs])
        assert abs(other - other_stated) < 0.005 + 4 * other_error
        assert abs(up - up_stated) < 0.005 + 4 * up_error


@pytest.mark.parametrize("goal", ["terminal", "loop"])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
def test_in_a_deterministic_mdp_no_update_raises_the_error_and_no_pair_overtakes(goal, alpha):
    mdp = chain(5, goal=goal)
    for gamma, seed in itertools.product((0.5, 0.9, 0.99), range(5)):
        trace = _trace(mdp, gamma=gamma, alpha=alpha, seed=seed)
        change = np.diff(trace.sup_errors)
        elsewhere = trace.states * 2 + trace.actions != trace.bottlenecks[:-1]
        rounding = 1e-12 * trace.sup_errors[0]
        assert change.max() <= rounding
        assert np.abs(change[elsewhere]).max() <= rounding


@pytest.mark.claim("staircase-from-single-updates")
def test_every_update_with_a_td_error_changes_the_two_norm_but_few_change_the_sup_norm():
    trace = _trace(chain(5, slip=0.1, goal="loop"), gamma=0.9, alpha=0.3, seed=1)
    visible = np.abs(trace.td_errors) > 1e-9
    assert (np.diff(trace.l2_errors)[visible] != 0).all()
    assert (np.diff(trace.sup_errors)[visible] != 0).mean() < 0.2


def test_under_epsilon_greedy_nearly_every_update_is_flat_at_the_starting_position():
    uniform, _, wide, narrow = experiment.flat_share(0.9, 5, 0.3).shares
    assert min(wide.min(), narrow.min()) > uniform.max()
    assert min(wide.min(), narrow.min()) > 0.97


def test_small_steps_on_the_small_chain_go_down_by_the_worst_pair_only():
    gentle = experiment.staircase(0.5, 2, 0.05)
    assert gentle.by_worst.all() and not gentle.rises.any()
    rough = experiment.staircase(0.5, 2, 1.0)
    assert (~rough.by_worst).any() and rough.rises.any()


# --- beside value iteration -----------------------------------------------------------------------


def test_thirty_sweeps_leave_4_percent_to_value_iteration_and_28_to_q_learning():
    record = experiment.against_value_iteration(0.9, 5, 0.1)
    at = list(record.sweeps).index(30)
    assert record.planning[at] == pytest.approx(0.04, abs=0.005)
    assert np.median(record.learning[:, at]) == pytest.approx(0.28, abs=0.005)
    many = experiment.against_value_iteration(0.9, 5, 0.1, num_seeds=40, seed=1)
    mean, error = _mean_and_error(many.learning[:, at])
    assert abs(mean - 0.28) < 0.05 + 4 * error


def test_value_iteration_falls_geometrically_and_q_learning_about_like_one_over_k():
    record = experiment.against_value_iteration(0.9, 5, 0.1, num_seeds=40)
    assert (record.planning <= 0.9**record.sweeps * (1 + 1e-9)).all()
    late = record.sweeps >= 30
    slopes = [
        np.polyfit(np.log(record.sweeps[late]), np.log(run[late]), 1)[0] for run in record.learning
    ]
    mean, error = _mean_and_error(slopes)
    assert abs(mean + 1) < 0.15 + 4 * error


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_value_iteration_is_ahead_after_300_sweeps(gamma):
    for depth, slip in itertools.product((2, 5, 20), (0.0, 0.1, 0.4)):
        record = experiment.against_value_iteration(gamma, depth, slip)
        assert record.planning[-1] < np.median(record.learning[:, -1])


def test_q_learning_is_ahead_for_a_while_with_much_slip_and_a_long_horizon():
    record = experiment.against_value_iteration(0.99, 5, 0.4, num_seeds=20)
    at = list(record.sweeps).index(50)
    assert np.median(record.learning[:, at]) < record.planning[at]


# --- any behaviour, one limit ---------------------------------------------------------------------


@pytest.mark.claim("off-policy-limit")
def test_three_behaviours_learn_the_same_start_value_within_one_percent():
    record = experiment.off_policy(0.9, 4, 0.5)
    np.testing.assert_allclose(record.start_values, record.optimal_value, rtol=0.01)
    assert record.mostly_back_value / record.optimal_value == pytest.approx(0.09, abs=0.005)


@pytest.mark.claim("every-pair-visited", "off-policy-limit", "off-policy-reason")
def test_on_a_deep_chain_the_walker_that_mostly_goes_back_learns_nothing():
    record = experiment.off_policy(0.9, 16, 0.5)
    assert record.start_values[2] == 0
    assert record.start_values[:2] == pytest.approx(record.optimal_value, rel=0.05)


def test_the_walker_needs_about_3_5_to_the_depth_steps_to_reach_the_end():
    for depth in (5, 8):
        mdp = chain(depth, slip=0.1)
        P = 0.85 * mdp.P[:depth, 0, :depth] + 0.15 * mdp.P[:depth, 1, :depth]
        steps = np.linalg.solve(np.eye(depth) - P, np.ones(depth))[0]
        assert 1 < steps / (0.78 / 0.22) ** depth < 4


def test_the_walker_at_epsilon_0_3_fades_near_depth_8():
    assert experiment.off_policy(0.9, 6, 0.3).errors[2, -1] < 0.5
    assert experiment.off_policy(0.9, 10, 0.3).errors[2, -1] == 1


# --- FrozenLake -----------------------------------------------------------------------------------


def test_frozen_lake_is_learned_and_the_real_environment_pays_what_the_table_says():
    gamma, mdp = 0.95, from_gymnasium("FrozenLake-v1", is_slippery=True)
    q_star = optimal_q(mdp, gamma=gamma)
    for seed in (0, 1, 2):
        lake = learn_frozen_lake(gamma=gamma, num_updates=1_000_000, seed=seed)
        assert lake.error < 0.05
        pi = np.eye(4)[greedy(lake.q)]
        exact = (pi[0] @ evaluate_policy(mdp, pi, gamma=gamma)[0]).item()
        assert exact == pytest.approx(q_star[0].max(), rel=0.01)
        played = play_frozen_lake(lake.q, gamma=gamma, num_episodes=1000, seed=seed)
        assert abs(played.mean - exact) < 4 * played.standard_error


# --- drawings -------------------------------------------------------------------------------------

CORNERS = {
    "staircase": {"gamma": (0.5, 0.99), "depth": (2, 20), "alpha": (0.05, 1.0)},
    "flat_share": {"gamma": (0.5, 0.99), "depth": (2, 20), "alpha": (0.05, 1.0)},
    "against_value_iteration": {"gamma": (0.5, 0.99), "depth": (2, 20), "slip": (0.0, 0.4)},
    "off_policy": {"gamma": (0.5, 0.99), "depth": (2, 16), "epsilon": (0.1, 1.0)},
}


@pytest.mark.parametrize("name", CORNERS)
def test_the_corners_of_the_grid_can_be_drawn_on_fixed_axes_with_labels_in_the_plot(name):
    axes = CORNERS[name]
    draw, compute = getattr(figure, name), getattr(experiment, name)
    start = {axis: values[0] for axis, values in axes.items()}
    sampled = grid.sample(name, compute, draw, axes, start)
    assert sampled.num_states == 8
    for values in grid.states(axes):
        drawing = draw(compute(**values))
        layout = drawing["layout"]
        for trace in drawing["data"]:
            for letter in "xy" if trace.get("mode") == "text" else "":
                axis = layout[letter + "axis"]
                place = np.log10(trace[letter]) if axis["type"] == "log" else trace[letter]
                assert (axis["range"][0] <= place).all() and (place <= axis["range"][1]).all()
        assert "nan" not in layout["meta"]["summary"]
