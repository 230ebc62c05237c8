"""The online loop on the phone: what new data, mixing and pessimism do, measured exactly.

Four rounds from the same offline data. Every number is a sum over the hidden states; chance is only
in the layouts, the data and the training. The critic's errors are those against q of the policy
that it was trained to evaluate, weighted by where β goes and what it does there ("familiar"), and
by where the policy extracted from it goes and what that does ("novel").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.device.critic import Critic, Transitions, train_critic, transitions
from qlearn_core.device.encoder import Features
from qlearn_core.device.extraction import divergence
from qlearn_core.device.online import PROPOSALS, acting, allowed, improved, pessimistic
from qlearn_core.device.rollouts import roll_out

from .device_bench import GAMMA, Bench, critic_features, episodes, make_bench

NUM_ROUNDS = 4
ENCODER = "places"
#: The settings of an arm beside what it collects, and what may be changed about them.
USUAL = {"proposals": "latest", "kappa": 0.0, "num_candidates": 4, "num_episodes": 64}
CHANGES = {
    "κ = 1": {"kappa": 1.0},
    "κ = 2": {"kappa": 2.0},
    "N = 2": {"num_candidates": 2},
    "N = 16": {"num_candidates": 16},
    "16 episodes": {"num_episodes": 16},
    "256 episodes": {"num_episodes": 256},
    "candidates of β": {"proposals": "behaviour"},
    "β and κ = 1": {"proposals": "behaviour", "kappa": 1.0},
}


@dataclass(frozen=True)
class Online:
    """One run of the loop. Entry 0 of what has R + 1 entries is β; sides are train and test."""

    collection: str
    proposals: str
    kappa: float
    num_candidates: int
    num_episodes: int  # offline, and again in every round that collects
    collected: np.ndarray  # (R + 1,) actions taken on the phone up to each round, β's among them
    success: np.ndarray  # (2, R + 1)
    divergence: np.ndarray  # (R + 1,) KL to β in nats where π_k goes, on test tasks
    shift: np.ndarray  # (R + 1,) total variation of where π_k and β go, on test tasks
    error: np.ndarray  # (2, R) rms of the mean Q, familiar and novel, on test tasks
    bias: np.ndarray  # (2, R) mean of Q − q, likewise
    largest: np.ndarray  # (R,) the greatest |Q| anywhere on test tasks; q is in [0, 1]


def online(
    *,
    collection: str,
    proposals: str,
    kappa: float,
    num_candidates: int,
    num_episodes: int,
    seed: int,
) -> Online:
    """The seed draws the layouts, the data and the heads, alike for all arms.

    Raises ValueError for another collection or other proposals, num_episodes < 1, a κ < 0,
    num_candidates < 1 or a seed < 0.
    """
    if proposals not in PROPOSALS:
        raise ValueError(f"proposals must be one of {', '.join(PROPOSALS)}, but is {proposals!r}")
    bench, seen, offline, critic = start(num_episodes, seed)
    settings = bench.screens[0].phone.settings
    parts, collected = [offline], [len(offline.screens)]
    beta = policy = bench.beta.astype(float)
    home = known = _values(bench, beta)
    success, moved, errors, largest = [bench.successes(policy)], [np.zeros(2)], [], []
    for k in range(1, NUM_ROUNDS + 1):
        if k > 1:
            steps = allowed(collection, parts)
            critic = train_critic(seen, steps, policy, method="td", gamma=GAMMA, seed=seed)
        source = policy if proposals == "latest" else beta
        latest, q = np.empty_like(policy), np.empty_like(policy)
        for g in range(len(bench.tasks)):
            copies, v = critic.table(seen, g)
            q[:, g] = copies.mean(axis=0)
            scores = pessimistic(copies, kappa)
            latest[:, g] = improved(
                policy[:, g], source[:, g], scores, v.mean(axis=0), num_candidates
            )
        wrong = [q[:, g] - truth for g, (truth, _) in zip(bench.tests, known, strict=True)]
        policy, known = latest, _values(bench, latest)
        success.append(bench.successes(policy))
        errors.append([_errors(bench, wrong, *side) for side in ((beta, home), (policy, known))])
        largest.append(np.abs(q[:, bench.tests]).max())
        moved.append(_moved(bench, policy, known, home))
        collects = collection != "none" and k < NUM_ROUNDS
        if collects:
            new = roll_out(
                bench.screens, bench.tasks[: bench.num_training], acting(policy, settings),
                num_episodes=num_episodes, rng=np.random.default_rng([seed, 9, k]),
            )  # fmt: skip
            parts.append(transitions(new, settings, gamma=GAMMA))
        collected.append(collected[-1] + (len(parts[-1].screens) if collects else 0))
    error, bias = np.moveaxis(errors, [2, 1, 0], [0, 1, 2])
    return Online(
        collection, proposals, kappa, num_candidates, num_episodes, np.array(collected),
        np.array(success).T, *np.array(moved).T, error, bias, np.array(largest),
    )  # fmt: skip


@lru_cache(maxsize=1)
def start(num_episodes: int, seed: int) -> tuple[Bench, Features, Transitions, Critic]:
    """What all arms share: the bench, the features, the offline data and the first critic."""
    bench = make_bench(1.0, seed)
    seen = critic_features(bench, ENCODER)
    data = episodes(bench, num_episodes=num_episodes, seed=seed)
    steps = transitions(data, bench.screens[0].phone.settings, gamma=GAMMA)
    critic = train_critic(seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed)
    return bench, seen, steps, critic


def _values(bench: Bench, policy: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """q (K, n) and visits (K,) of every test task."""
    return [bench.values(policy[:, g], g) for g in bench.tests]


def _moved(bench: Bench, policy: np.ndarray, known: list, home: list) -> np.ndarray:
    """(2,) KL to β where the policy goes, and the total variation of where both go."""
    total = np.zeros(2)
    for g, (_, there), (_, here) in zip(bench.tests, known, home, strict=True):
        here, there = here / here.sum(), there / there.sum()
        distance = divergence(policy[:, g], bench.beta[:, g].astype(float))
        total += there @ distance, np.abs(here - there).sum() / 2
    return total / len(bench.tests)


def _errors(
    bench: Bench, wrong: list[np.ndarray], policy: np.ndarray, known: list
) -> tuple[float, float]:
    """rms and mean of Q − q where a policy goes, weighted by what it does there."""
    square = mean = 0.0
    for g, error, (_, visits) in zip(bench.tests, wrong, known, strict=True):
        weights = visits[:, None] * policy[:, g]
        weights = weights / weights.sum() / len(bench.tests)
        square += (weights * error**2).sum()
        mean += (weights * error).sum()
    return float(np.sqrt(square)), float(mean)
