"""The n-step operator as an MDP of its own, and SHARSA on tables, against slow oracles."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.bellman import bellman_optimality, state_values
from qlearn_core.environments import chain, garnet
from qlearn_core.mdp import TabularMDP
from qlearn_core.n_step import n_step_mdp
from qlearn_core.planning import evaluate_policy, optimal_q
from qlearn_core.targets import bootstrapped_targets

GAMMAS = (0.5, 0.9, 0.99)


def problem(seed: int = 0) -> tuple[TabularMDP, np.ndarray]:
    rng = np.random.default_rng(seed)
    mdp = garnet(7, 3, 3, rng=rng)
    return mdp, rng.dirichlet(np.ones(3), size=7)


@pytest.mark.parametrize("num_steps", [1, 2, 5])
@pytest.mark.parametrize("mdp", [chain(5, slip=0.2), problem()[0]], ids=["chain", "garnet"])
def test_one_sweep_is_a_backup_of_n_steps_one_by_one(mdp, num_steps):
    rng = np.random.default_rng(1)
    q = np.where(mdp.terminal[:, None], 0, rng.normal(size=mdp.r.shape))
    pi = rng.dirichlet(np.ones(mdp.num_actions), size=mdp.num_states)
    v = state_values(mdp, q)
    for _ in range(num_steps - 1):  # from the last step of the segment to its second
        v = (pi * (mdp.r + 0.9 * np.einsum("sat,t->sa", mdp.P, v))).sum(axis=1)
    slow = mdp.r + 0.9 * np.einsum("sat,t->sa", mdp.P, v)
    macro = n_step_mdp(mdp, pi, gamma=0.9, num_steps=num_steps)
    assert bellman_optimality(macro, q, gamma=0.9**num_steps) == pytest.approx(slow)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_targets_of_the_network_are_those_of_the_same_mdp(gamma):
    mdp, pi = problem()
    targets = bootstrapped_targets(mdp, gamma=gamma, num_steps=4, pi=pi)
    macro = n_step_mdp(mdp, pi, gamma=gamma, num_steps=4)
    assert targets.rewards == pytest.approx(macro.r.ravel())
    assert targets.weights.sum(axis=1) == pytest.approx(np.full(21, gamma**4))


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("num_steps", [1, 2, 8])
def test_the_fixed_point_lies_between_the_values_of_the_data_and_the_optimum(gamma, num_steps):
    for seed in range(5):
        mdp, pi = problem(seed)
        macro = n_step_mdp(mdp, pi, gamma=gamma, num_steps=num_steps)
        q = optimal_q(macro, gamma=gamma**num_steps)
        assert (q >= evaluate_policy(mdp, pi, gamma=gamma) - 1e-9).all()
        assert (q <= optimal_q(mdp, gamma=gamma) + 1e-9).all()


@pytest.mark.parametrize("num_steps", [1, 3, 10])
def test_optimal_data_leave_no_bias(num_steps):
    mdp, _ = problem()
    exact = optimal_q(mdp, gamma=0.9)
    best = np.eye(3)[exact.argmax(axis=1)]
    macro = n_step_mdp(mdp, best, gamma=0.9, num_steps=num_steps)
    assert optimal_q(macro, gamma=0.9**num_steps) == pytest.approx(exact)


@pytest.mark.parametrize("num_steps", [1, 2, 8])
def test_n_steps_contract_by_the_power_n_and_bound_the_errors_of_backups(num_steps):
    mdp, pi = problem()
    discount = 0.9**num_steps
    macro, rng = n_step_mdp(mdp, pi, gamma=0.9, num_steps=num_steps), np.random.default_rng(2)
    one, two = rng.normal(size=(2, 7, 3))
    change = bellman_optimality(macro, one, gamma=discount)
    change = change - bellman_optimality(macro, two, gamma=discount)
    assert np.abs(change).max() <= discount * np.abs(one - two).max() * (1 + 1e-12)
    exact, q = optimal_q(macro, gamma=discount), np.zeros((7, 3))
    for _ in range(400):
        q = bellman_optimality(macro, q, gamma=discount) + rng.uniform(-0.1, 0.1, size=q.shape)
    assert np.abs(q - exact).max() <= 0.1 / (1 - discount) * (1 + 1e-12)


def test_bad_arguments_are_named():
    mdp, pi = problem()
    with pytest.raises(ValueError, match="num_steps must be an integer >= 1, but is 0"):
        n_step_mdp(mdp, pi, gamma=0.9, num_steps=0)
    with pytest.raises(ValueError, match=r"pi\[s=0, :\] must sum to 1"):
        n_step_mdp(mdp, 2 * pi, gamma=0.9, num_steps=2)
