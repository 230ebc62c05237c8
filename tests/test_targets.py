"""The targets of the network: the Bellman operator, n steps, the supervised control, the inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qlearn_core import bellman_optimality, chain, combination_lock, optimal_q
from qlearn_core.neural import (
    CopyEvery,
    Sgd,
    train_network,
)
from qlearn_core.targets import bootstrapped_targets, scaled_inputs, supervised_targets

GAMMA = 0.9
STAY = chain(8, second="stay")
torch.set_num_threads(1)


def rng(seed=0):
    return np.random.default_rng(seed)


def same(first, second):
    return np.array_equal(first.theta, second.theta) and np.array_equal(first.tables, second.tables)


# --- targets --------------------------------------------------------------------------------------


def applied(targets, table):
    """The targets of a table (S, A), by the definition in `Targets`."""
    values = table.ravel()[targets.pairs].reshape(-1, table.shape[1]).max(axis=1)  # non-terminal
    states = targets.successors // table.shape[1]
    return targets.rewards + (targets.weights * values[states]).sum(axis=1)


MDPS = {
    "stay": STAY,
    "slip": chain(5, slip=0.1),
    "loop": chain(5, slip=0.2, goal="loop"),
    "lock": combination_lock(6, 3, wrong="reset", step_reward=-1.0, rng=rng(1)),
    "depth 1": chain(1, second="stay"),
}


@pytest.mark.parametrize("name", MDPS)
def test_one_step_targets_are_the_bellman_operator(name):
    mdp = MDPS[name]
    targets = bootstrapped_targets(mdp, gamma=GAMMA)
    for seed in range(3):
        table = rng(seed).normal(size=mdp.r.shape)
        expected = bellman_optimality(mdp, table, gamma=GAMMA).ravel()[mdp.active_pairs]
        assert applied(targets, table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MDPS)
def test_one_step_targets_ignore_the_policy(name):
    mdp = MDPS[name]
    uniform = np.full(mdp.r.shape, 1 / mdp.num_actions)
    table = rng().normal(size=mdp.r.shape)
    plain = bootstrapped_targets(mdp, gamma=GAMMA)
    other = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=1, pi=uniform)
    assert np.array_equal(applied(plain, table), applied(other, table))


@pytest.mark.parametrize("num_steps", [1, 2, 4, 16])
@pytest.mark.parametrize("name", MDPS)
def test_q_star_is_the_fixed_point_of_n_step_targets_on_optimal_data(name, num_steps):
    mdp = MDPS[name]
    targets = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=num_steps)
    q_star = optimal_q(mdp, gamma=GAMMA)
    assert np.array_equal(targets.q_star, q_star)
    assert applied(targets, q_star) == pytest.approx(q_star.ravel()[mdp.active_pairs], abs=1e-12)


@pytest.mark.parametrize("name", ["slip", "loop", "lock"])
def test_n_step_targets_are_the_sum_over_all_paths(name):
    mdp, num_steps = MDPS[name], 3
    pi = rng(5).dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    table = rng(6).normal(size=mdp.r.shape)

    def expected(s, a, left):
        total = mdp.r[s, a]
        for t in np.flatnonzero(mdp.P[s, a]):
            if left > 1:
                later = sum(pi[t, b] * expected(t, b, left - 1) for b in range(mdp.num_actions))
            else:
                later = 0.0 if mdp.terminal[t] else table[t].max()
            total += GAMMA * mdp.P[s, a, t] * later
        return total

    targets = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=num_steps, pi=pi)
    paths = [expected(*divmod(int(pair), mdp.num_actions), num_steps) for pair in targets.pairs]
    assert applied(targets, table) == pytest.approx(paths, abs=1e-12)


def test_uncorrected_n_step_targets_of_a_poor_policy_are_biased_downwards():
    q_star = optimal_q(STAY, gamma=GAMMA)
    targets = bootstrapped_targets(STAY, gamma=GAMMA, num_steps=4, pi=np.full((9, 2), 0.5))
    bias = applied(targets, q_star) - q_star.ravel()[targets.pairs]
    assert bias.max() <= 1e-12 and bias.min() < -0.1


def test_supervised_targets_are_q_star_whatever_the_network_says():
    targets = supervised_targets(STAY, gamma=GAMMA)
    q_star = optimal_q(STAY, gamma=GAMMA)
    assert applied(targets, rng().normal(size=STAY.r.shape)) == pytest.approx(
        q_star.ravel()[STAY.active_pairs]
    )
    plain, lagging = (
        train_network(
            [targets], optimiser=Sgd(0.1), num_updates=50, target_network=network, rng=rng()
        )
        for network in (None, CopyEvery(7))
    )
    assert same(plain, lagging)


def test_the_inputs_are_the_state_over_the_last_one_and_the_action():
    inputs = scaled_inputs(chain(5))
    assert inputs[:5, :, 0].tolist() == [[x, x] for x in (0, 0.25, 0.5, 0.75, 1)]
    assert inputs[:, :, 1].tolist() == [[0, 1]] * 6
    assert scaled_inputs(chain(1))[0].tolist() == [[0, 0], [0, 1]]
    lock = combination_lock(3, 1, rng=rng())
    assert scaled_inputs(lock)[:3, 0].tolist() == [[0, 0], [0.5, 0], [1, 0]]
