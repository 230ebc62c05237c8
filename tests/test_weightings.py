"""Weightings of the pairs: the uniform one and the share of visits of a policy."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core import TabularMDP, chain, stationary_weighting, uniform_weighting
from qlearn_core.weightings import check_weighting

from .oracles import random_mdp_arrays


def random_policy(mdp, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(mdp.num_actions), mdp.num_states)


def test_the_uniform_weighting_leaves_terminal_states_out():
    assert uniform_weighting(chain(4)).tolist() == [1 / 8] * 8 + [0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_a_stationary_weighting_is_reproduced_by_one_step(seed):
    mdp = TabularMDP(*random_mdp_arrays(seed, 6, 3, with_terminal=False))
    pi = random_policy(mdp, seed)
    mu = stationary_weighting(mdp, pi)
    states = mu.reshape(6, 3).sum(axis=1)
    assert np.einsum("i,ij->j", mu, mdp.P.reshape(18, 6)) == pytest.approx(states, abs=1e-12)
    assert mu == pytest.approx((states[:, None] * pi).ravel(), abs=1e-12)


def test_the_random_walk_on_the_loop_chain_visits_all_pairs_alike():
    mdp = chain(5, slip=0.2, goal="loop")
    mu = stationary_weighting(mdp, np.full((5, 2), 0.5))
    assert mu == pytest.approx(uniform_weighting(mdp), abs=1e-12)


def test_a_walk_with_drift_is_geometric():
    mdp = chain(6, goal="loop")
    mu = stationary_weighting(mdp, np.tile([0.75, 0.25], (6, 1))).reshape(6, 2).sum(axis=1)
    assert mu[1:] / mu[:-1] == pytest.approx(np.full(5, 1 / 3), rel=1e-10)


def test_a_trajectory_begins_again_after_the_terminal_state():
    forward = np.tile([0.0, 1.0], (5, 1))
    assert stationary_weighting(chain(4), forward).reshape(5, 2)[:, 1] == pytest.approx(
        [1 / 4, 1 / 4, 1 / 4, 1 / 4, 0], abs=1e-12
    )
    restart = np.array([0, 0, 0.5, 0.5, 0])  # on average one state further at the start: 3 of 2
    shares = stationary_weighting(chain(4), forward, restart=restart).reshape(5, 2)[:, 1]
    assert shares == pytest.approx([0, 0, 1 / 3, 2 / 3, 0], abs=1e-12)


def test_where_the_trajectory_begins_decides_among_closed_parts():
    mdp = TabularMDP(P=np.eye(3)[:, None, :], r=np.zeros((3, 1)))
    assert stationary_weighting(mdp, np.ones((3, 1))).tolist() == [1, 0, 0]
    restart = np.array([0.2, 0.3, 0.5])
    assert stationary_weighting(mdp, np.ones((3, 1)), restart=restart) == pytest.approx(restart)


@pytest.mark.parametrize(
    ("mu", "message"),
    [
        ([0.5, 0.5], r"mu must have shape \(S\*A,\) = \(3,\), but has \(2,\)"),
        ([0.5, 0.7, -0.2], r"mu must be >= 0, but mu\[2\] is -0.2"),
        ([0.5, np.nan, 0.5], r"mu must be >= 0, but mu\[1\] is nan"),
        ([0.5, 0.5, 0.5], "mu must sum to 1, but sums to 1.5"),
    ],
)
def test_what_is_no_weighting_is_named(mu, message):
    with pytest.raises(ValueError, match=message):
        check_weighting(mu, 3)


@pytest.mark.parametrize("restart", [[1.0], [0, 0, 1.0], [0.5, 0.4, 0], [2.0, -1.0, 0]])
def test_a_restart_is_a_distribution_over_states_that_go_on(restart):
    with pytest.raises(ValueError, match="restart must be a distribution over the non-terminal"):
        stationary_weighting(chain(2), np.full((3, 2), 0.5), restart=restart)
