"""From a critic to a policy on the phone: stored results, and what noise does to Best-of-N."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.device.extraction import best_of_n
from qlearn_core.planning import evaluate_policy

from .critic_table import scripted, success
from .device import TASK
from .device_orderings import SIDES, intervals
from .results import Cell, load

SCORES = ("learned", "exact")
#: The critics that were trained, by their data.
CRITICS = {
    "64 episodes": {"num_episodes": 64, "encoder": "places"},
    "256 episodes": {"num_episodes": 256, "encoder": "places"},
    "64, state told": {"num_episodes": 64, "encoder": "oracle"},
}
#: Arms that are varied over the number of candidates.
CHOOSING = ("reranked", "Best-of-N", "as released")
NOISY_CANDIDATES = (1, 2, 4, 8, 16, 32, 64)
NUM_DRAWS = 12  # of the noise


@dataclass(frozen=True)
class Arm:
    """One way of extraction, at each of the values it is varied over."""

    name: str
    values: tuple[float, ...]
    success: np.ndarray  # (len(values),) means over the seeds
    interval: np.ndarray  # (2, len(values)) of these means, 95%
    divergence: np.ndarray  # (len(values),) KL to the behaviour policy in nats


@dataclass(frozen=True)
class Arms:
    """All ways from one critic."""

    critic: str
    scores: str
    behaviour: float  # success of the behaviour policy
    arms: tuple[Arm, ...]

    def __getitem__(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)


def arms(*, critic: str, scores: str) -> Arms:
    """From the stored results. Raises ValueError for a critic or scores that are not there."""
    results, cell = load("extraction"), _cell(critic)
    if scores not in SCORES:
        raise ValueError(f"scores must be one of {', '.join(SCORES)}, but is {scores!r}")
    k = SCORES.index(scores)
    reached, distance = cell["success"][:, k], cell["divergence"][:, k]  # (seed, rows)
    names = results.same["arms"]
    found = []
    for name in dict.fromkeys(names):
        rows = [row for row, other in enumerate(names) if other == name]
        values = tuple(results.same["values"][row] for row in rows)
        here = reached[:, rows]
        found.append(
            Arm(name, values, here.mean(axis=0), intervals(here), distance[:, rows].mean(axis=0))
        )
    return Arms(critic, scores, float(cell["behaviour"].mean()), tuple(found))


@dataclass(frozen=True)
class Kept:
    """How often the best of N candidates has a positive advantage, for N = 1, 2, 4, 8, 16."""

    candidates: tuple[int, ...]
    learned: np.ndarray  # (5,) means over the seeds
    learned_interval: np.ndarray  # (2, 5)
    exact: np.ndarray  # (5,)
    exact_interval: np.ndarray  # (2, 5)
    noise: np.ndarray  # (5,) of N different actions whose scores are nothing but noise


def kept(*, critic: str) -> Kept:
    """From the stored results; of pure noise it is 1 − 2^−N. ValueError for another critic."""
    candidates = arms(critic=critic, scores="learned")["reranked"].values
    shares = _cell(critic)["kept"]  # (seed, 2, 5)
    return Kept(
        candidates, shares[:, 0].mean(axis=0), intervals(shares[:, 0]),
        shares[:, 1].mean(axis=0), intervals(shares[:, 1]), 1 - 0.5 ** np.array(candidates),
    )  # fmt: skip


def _cell(critic: str) -> Cell:
    if critic not in CRITICS:
        raise ValueError(f"critic must be one of {', '.join(CRITICS)}, but is {critic!r}")
    return load("extraction").cell(**CRITICS[critic])


@dataclass(frozen=True)
class TablesAndNetworks:
    """Tables at the optimum of their objective, and networks that learned it, on some tasks."""

    tasks: str
    names: tuple[str, ...]  # (R,) of the arms, with their values
    behaviour: float  # success of β
    means: np.ndarray  # (2, R) success, tables first
    ends: np.ndarray  # (2, 2, R) of the 95% interval of the mean
    divergence: np.ndarray  # (2, R) mean KL to β in nats, on test tasks
    num_diverged: int  # networks


def tables_and_networks(*, tasks: str) -> TablesAndNetworks:
    """From the stored results. Raises ValueError for tasks that are none of `SIDES`."""
    if tasks not in SIDES:
        raise ValueError(f"tasks must be one of {', '.join(SIDES)}, but is {tasks!r}")
    side, results = SIDES.index(tasks), load("networks")
    (cell,) = results.cells
    reached = cell["success"][:, :, side]  # (seed, 2, R)
    symbols = {"Best-of-N": "N = {:g}", "AWR": "T = {:g}"}
    names = tuple(
        f"{arm}, {symbols[arm].format(value)}" if arm in symbols else arm
        for arm, value in zip(results.same["arms"], results.same["values"], strict=True)
    )
    return TablesAndNetworks(
        tasks, names, float(cell["behaviour"][:, side].mean()), reached.mean(axis=0),
        np.stack([intervals(reached[:, k]) for k in range(2)], axis=1),
        cell["divergence"].mean(axis=0), int(cell["diverged"].sum()),
    )  # fmt: skip


@dataclass(frozen=True)
class Noisy:
    """Success of the best of N where each score is the exact value and noise of its own."""

    gamma: float
    noise: float
    success: np.ndarray  # (draws, len(NOISY_CANDIDATES))
    exact: np.ndarray  # (len(NOISY_CANDIDATES),) without noise


def noisy(*, gamma: float, noise: float) -> Noisy:
    """The hidden states are known and a script proposes; the noise of a pair is drawn once.

    It is normal with standard deviation `noise`, and the same numbers serve every γ and every size.
    """
    phone, pi = scripted(1.0)
    q = evaluate_policy(phone.mdp(TASK), pi, gamma=gamma)
    scores = np.concatenate([q + noise * _draws(q.shape), q[None]])
    beta = np.broadcast_to(pi, scores.shape)
    reached = np.stack([
        success(phone, best_of_n(scores, beta, n)) for n in NOISY_CANDIDATES
    ], axis=1)  # fmt: skip
    return Noisy(gamma, noise, reached[:-1], reached[-1])


@lru_cache(maxsize=1)
def _draws(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(NUM_DRAWS, *shape))
