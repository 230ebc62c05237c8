"""The online loop on the phone: what networks did, as stored, and the loop with made errors.

The arms of `COLLECTIONS` have 64 episodes in every round that collects, the best of 4 candidates of
the latest policy, and scores by the mean of the two critics. Those of `CHANGES` collect and mix,
and differ in one thing or two. Means come with 95% intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.behaviour import SCRIPT
from qlearn_core.device.exact import success_probability
from qlearn_core.device.online import COLLECTIONS, improved
from qlearn_core.device.phone import START
from qlearn_core.mdp import check_integer, check_real
from qlearn_core.planning import evaluate_policy

from .device import TASK, screens_at, script_policy
from .device_online import CHANGES, NUM_ROUNDS, USUAL
from .device_orderings import SIDES, interval, intervals, verdict
from .results import load

ROUNDS = np.arange(NUM_ROUNDS + 1)
GAMMA, NUM_DRAWS = 0.95, 8


@dataclass(frozen=True)
class Success:
    """Of all arms in every round, in the order of `COLLECTIONS`; entry 0 is β."""

    tasks: str
    means: np.ndarray  # (3, R + 1)
    ends: np.ndarray  # (2, 3, R + 1) of the 95% interval of the mean
    lead: float  # after the last round, "mixed" minus "none"
    lead_interval: tuple[float, float]
    lead_verdict: str


def success(*, tasks: str) -> Success:
    """Raises ValueError for tasks that are none of `SIDES`."""
    if tasks not in SIDES:
        raise ValueError(f"tasks must be one of {', '.join(SIDES)}, but is {tasks!r}")
    side = SIDES.index(tasks)
    found = [of_arm(name, "success")[:, side] for name in COLLECTIONS]
    lead = lead_of("mixed", "none", side=side)
    return Success(
        tasks, np.mean(found, axis=1), np.stack([intervals(one) for one in found], axis=1),
        float(lead.mean()), interval(lead), verdict(lead),
    )  # fmt: skip


@dataclass(frozen=True)
class Errors:
    """Of the critic of each round: where β goes ("familiar") and where π_k goes ("novel")."""

    collection: str
    rms: np.ndarray  # (2, R) means over the seeds
    ends: np.ndarray  # (2, 2, R) of the 95% interval of the mean
    bias: np.ndarray  # (2, R) means of Q − q
    largest: float  # mean of the greatest |Q| of the last critic


def errors(*, collection: str) -> Errors:
    """Raises ValueError for another collection."""
    rms, bias = (of_arm(collection, metric) for metric in ("error", "bias"))
    return Errors(
        collection, rms.mean(axis=0),
        np.stack([intervals(rms[:, side]) for side in range(2)], axis=1),
        bias.mean(axis=0), float(of_arm(collection, "largest")[:, -1].mean()),
    )  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """How far the policy of each round is from β; entry 0 is β."""

    collection: str
    divergence: np.ndarray  # (R + 1,) mean KL in nats, where π_k goes
    ends: np.ndarray  # (2, R + 1) of the 95% interval of the mean
    most: np.ndarray  # (R + 1,) k log N: as far as the best of N goes in k rounds
    shift: np.ndarray  # (R + 1,) mean total variation of where π_k and β go


def drift(*, collection: str) -> Drift:
    """Raises ValueError for another collection."""
    nats, shift = (of_arm(collection, metric) for metric in ("divergence", "shift"))
    most = ROUNDS * np.log(USUAL["num_candidates"])
    return Drift(collection, nats.mean(axis=0), intervals(nats), most, shift.mean(axis=0))


@dataclass(frozen=True)
class Changed:
    """Success on test tasks with one change, beside the same without; entry 0 is β."""

    change: str
    means: np.ndarray  # (2, R + 1), the changed arm first
    ends: np.ndarray  # (2, 2, R + 1) of the 95% interval of the mean
    lead: float  # after the last round, changed minus unchanged
    lead_interval: tuple[float, float]
    lead_verdict: str
    error: float  # mean rms error of the last critic where its policy goes


def changed(*, change: str) -> Changed:
    """Raises ValueError for a change that is none of `CHANGES`."""
    found = [with_change(change, "success")[:, 1], of_arm("mixed", "success")[:, 1]]
    lead = change_of(change)
    return Changed(
        change, np.mean(found, axis=1), np.stack([intervals(one) for one in found], axis=1),
        float(lead.mean()), interval(lead), verdict(lead),
        float(with_change(change, "error")[:, 1, -1].mean()),
    )  # fmt: skip


def change_of(change: str) -> np.ndarray:
    """(seed,) what a change does to success on test tasks after the last round."""
    arms = with_change(change, "success"), of_arm("mixed", "success")
    one, other = (arm[:, 1, -1] for arm in arms)
    return one - other


def with_change(change: str, metric: str) -> np.ndarray:
    """(seed, ...) a stored metric of the arm with all data so far. ValueError as `changed`."""
    if change not in CHANGES:
        raise ValueError(f"change must be one of {', '.join(CHANGES)}, but is {change!r}")
    return load("online").cell(**USUAL | CHANGES[change], collection="mixed")[metric]


def of_arm(collection: str, metric: str) -> np.ndarray:
    """(seed, ...) a stored metric. Raises ValueError for another collection."""
    if collection not in COLLECTIONS:
        raise ValueError(
            f"collection must be one of {', '.join(COLLECTIONS)}, but is {collection!r}"
        )
    return load("online").cell(**USUAL, collection=collection)[metric]


def lead_of(better: str, worse: str, *, side: int = 1) -> np.ndarray:
    """(seed,) difference of two arms in success after the last round; side 1 is test tasks."""
    one, other = (of_arm(name, "success")[:, side, -1] for name in (better, worse))
    return one - other


@dataclass(frozen=True)
class Loop:
    """Rounds with exact values to which errors are added; entry 0 is the script."""

    sigma: float
    num_candidates: int
    exact: np.ndarray  # (R + 1,) success without errors, candidates of the latest policy
    means: np.ndarray  # (2, R + 1) with errors: candidates of the latest policy, and of the script
    ends: np.ndarray  # (2, 2, R + 1) of the 95% interval of the mean


def loop(*, sigma: float, num_candidates: int) -> Loop:
    """The loop on hidden states, where q is computed and every move gets a normal error of its own.

    In each round S(s, m) = q(s, m) + σ ε(s, m), with ε drawn anew for each round and each of
    NUM_DRAWS repetitions, and the same for all σ and N; V is the mean of S. Raises ValueError for
    a σ < 0 or num_candidates < 1.
    """
    check_real(sigma, "sigma", ">= 0", lambda x: x >= 0)
    check_integer(num_candidates, "num_candidates", 1)
    found = [
        [_loop(sigma, num_candidates, home, seed) for seed in range(NUM_DRAWS)]
        for home in (False, True)
    ]
    return Loop(
        sigma, num_candidates, _loop(0.0, num_candidates, False, 0), np.mean(found, axis=1),
        np.stack([intervals(np.array(one)) for one in found], axis=1),
    )  # fmt: skip


def _loop(sigma: float, num_candidates: int, home: bool, seed: int) -> np.ndarray:
    """(R + 1,) success within the time limit; `home` takes candidates of the script."""
    screens, rng = screens_at(1.0), np.random.default_rng(seed)
    phone, horizon = screens.phone, screens.phone.settings.horizon
    mdp, script = phone.mdp(TASK), script_policy(screens, TASK, SCRIPT)
    policy, reached = script, []
    for k in ROUNDS:
        if k:
            q = evaluate_policy(mdp, policy, gamma=GAMMA)
            scores = q + sigma * rng.standard_normal(q.shape)
            values = (policy * scores).sum(axis=1)
            source = script if home else policy
            policy = improved(policy, source, scores, values, num_candidates)
        reached.append(success_probability(phone, TASK, policy, horizon=horizon)[horizon, START])
    return np.array(reached)
