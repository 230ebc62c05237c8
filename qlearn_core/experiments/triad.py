"""Where bootstrapping diverges, and what each leg of the deadly triad has to do with it.

Two counter-examples, in each of which q* is 0 and can be represented, and the chain of the chapter
on projection with each leg taken away in turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.environments import Counterexample, star, two_state
from qlearn_core.experiments.projection import FEATURES, MAIN, after, problem
from qlearn_core.mdp import TabularMDP
from qlearn_core.mean_updates import expected_residual_gradient_q, expected_semi_gradient_q
from qlearn_core.planning import optimal_q
from qlearn_core.projection import projected_value_iteration

NUM_RECORDS = 100


@dataclass(frozen=True)
class Growth:
    """The size of the table, from 1, in the iterations of a counter-example."""

    steps: np.ndarray  # (K,) int
    swept: np.ndarray  # (K,) Q ← Π T Q; each ‖Q‖_∞ relative to the first
    semi: np.ndarray  # (K,) expected semi-gradient
    full: np.ndarray  # (K,) expected residual gradient


def two_states(gamma: float, epsilon: float = 0.0, *, num_steps: int = 60) -> Growth:
    """Tsitsiklis & Van Roy's example.

    With α = 0.4, the inverse of the curvature, a semi-gradient step is a sweep of least squares.
    """
    return _growth(two_state(epsilon), gamma, 0.4, np.arange(num_steps + 1))


def baird(gamma: float, alpha: float = 0.01, *, num_steps: int = 3_000) -> Growth:
    """Baird's star, from the weights of the literature."""
    return _growth(star(), gamma, alpha, np.linspace(0, num_steps, NUM_RECORDS + 1).astype(int))


def _growth(example: Counterexample, gamma: float, alpha: float, steps: np.ndarray) -> Growth:
    mdp, phi, mu, w0, _ = example
    arguments = {"gamma": gamma, "w0": w0, "record_at": steps}
    num_steps = int(steps[-1])
    runs = (
        projected_value_iteration(mdp, phi, mu, **arguments, num_sweeps=num_steps),
        expected_semi_gradient_q(mdp, phi, mu, **arguments, alpha=alpha, num_updates=num_steps),
        expected_residual_gradient_q(mdp, phi, mu, **arguments, alpha=alpha, num_updates=num_steps),
    )
    return Growth(steps, *(after(run, steps) / run.errors[0] for run in runs))


@dataclass(frozen=True)
class Legs:
    """Relative errors with all three legs of the triad and with each of them taken away."""

    all_three: float  # inf where the run diverged, as in all four
    tables: float  # no approximation
    on_policy: float  # weighted by a policy that goes forward 99 times of 100
    no_bootstrap: float  # fitted to q* itself


def legs(gamma: float, *, slip: float = 0.0, features: str = MAIN) -> Legs:
    """Sweeps of least squares on the loop chain, uniformly weighted unless on-policy."""
    mdp, uniform = problem(0.5, slip)
    _, on_policy = problem(0.01, slip)
    phi, q_star = FEATURES[features](mdp), optimal_q(mdp, gamma=gamma)
    supervised = TabularMDP(P=mdp.P, r=q_star)  # with γ = 0 the target is the reward
    runs = (
        projected_value_iteration(mdp, phi, uniform, gamma=gamma),
        projected_value_iteration(mdp, np.eye(mdp.num_pairs), uniform, gamma=gamma),
        projected_value_iteration(mdp, phi, on_policy, gamma=gamma),
        projected_value_iteration(supervised, phi, uniform, gamma=0.0),
    )
    return Legs(
        *(
            np.inf if run.status == "diverged" else float(run.errors[-1] / q_star.max())
            for run in runs
        )
    )
