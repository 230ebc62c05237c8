"""Q-learning on Gymnasium's FrozenLake, and its greedy policy played in Gymnasium itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.behaviours import UniformPairs
from qlearn_core.bellman import greedy
from qlearn_core.environments import from_gymnasium
from qlearn_core.planning import optimal_q
from qlearn_core.step_sizes import rescaled
from qlearn_core.tabular import q_learning


@dataclass(frozen=True)
class FrozenLake:
    """Q-learning on the transition table of Gymnasium's FrozenLake-v1 (slippery, 4 by 4)."""

    q: np.ndarray  # (S, A) learned
    q_star: np.ndarray  # (S, A) exact
    error: float  # relative sup-norm error at the end


def learn_frozen_lake(*, gamma: float, num_updates: int, seed: int) -> FrozenLake:
    """Learn from uniformly drawn pairs with α = 1/(1+(1−γ)n)."""
    mdp = from_gymnasium("FrozenLake-v1", is_slippery=True)
    q_star = optimal_q(mdp, gamma=gamma)
    run = q_learning(
        mdp,
        gamma=gamma,
        alpha=rescaled(gamma),
        num_updates=num_updates,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(seed),
    )
    return FrozenLake(run.q, q_star, float(run.errors[-1] / np.abs(q_star).max()))


@dataclass(frozen=True)
class Rollouts:
    """Episodes played in the real environment."""

    returns: np.ndarray  # (N,) discounted return of each episode
    mean: float
    standard_error: float


def play_frozen_lake(q: np.ndarray, *, gamma: float, num_episodes: int, seed: int) -> Rollouts:
    """Play the greedy policy of `q` in Gymnasium's own FrozenLake-v1, not in our table of it."""
    import gymnasium

    actions = greedy(q)
    env = gymnasium.make("FrozenLake-v1", is_slippery=True, max_episode_steps=10_000)
    returns = np.zeros(num_episodes)
    for episode in range(num_episodes):
        # One seed at the start; later resets go on with the same random stream.
        s, _ = env.reset(seed=seed if episode == 0 else None)
        discount, over = 1.0, False
        while not over:
            s, reward, terminated, truncated, _ = env.step(int(actions[s]))
            returns[episode] += discount * reward
            discount *= gamma
            over = terminated or truncated
    env.close()
    return Rollouts(
        returns, float(returns.mean()), float(returns.std(ddof=1) / np.sqrt(num_episodes))
    )
