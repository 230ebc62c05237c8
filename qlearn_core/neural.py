"""The 257-parameter network: two inputs, one hidden layer of 64 rectified units, one value.

    Q(s, a; θ) = w₂ · max(0, W₁ x(s, a) + b₁) + b₂,   x(s, a) = (s / (D−1), a)

An update is one step of SGD or Adam on the mean of ½ (Q(x_i; θ) − y_i)² over a batch of the
state-action pairs. The targets y_i count as constants: the semi-gradient. `neural_reference`
holds the same training as a few lines of PyTorch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from . import _network
from .mdp import check_integer, check_real, check_rng
from .recording import record_steps
from .targets import Targets

HIDDEN, NUM_PARAMETERS = _network.HIDDEN, _network.NUM_PARAMETERS
DIVERGENCE = 1_000.0  # a run ends when |Q| is beyond this multiple of max(1, ‖q*‖_∞)


@dataclass(frozen=True)
class Sgd:
    """θ ← θ − α ∇loss."""

    alpha: float

    def __post_init__(self) -> None:
        check_real(self.alpha, "alpha", "> 0", lambda x: x > 0)


@dataclass(frozen=True)
class Adam:
    """Adam with β = (0.9, 0.999) and ε = 1e-8 (Kingma & Ba 2015, algorithm 1)."""

    alpha: float

    def __post_init__(self) -> None:
        check_real(self.alpha, "alpha", "> 0", lambda x: x > 0)


@dataclass(frozen=True)
class CopyEvery:
    """The target network is a copy of the network, renewed every `period` updates."""

    period: int

    def __post_init__(self) -> None:
        check_integer(self.period, "period", 1)


@dataclass(frozen=True)
class MovingAverage:
    """θ⁻ ← (1−τ) θ⁻ + τ θ after every update."""

    tau: float

    def __post_init__(self) -> None:
        check_real(self.tau, "tau", "in (0, 1]", lambda x: 0 < x <= 1)


@dataclass(frozen=True, eq=False)
class NetworkRuns:
    """One run per seed, seen at K update counts; "diverged" and "converged" in `status`.

    A run ends when |Q| is beyond 1000·max(1, ‖q*‖_∞) or is no number: from then on its tables and
    errors are infinite.
    """

    steps: np.ndarray  # (K,) int, update counts at which the runs were recorded
    tables: np.ndarray  # (seed, K, S, A) Q_t, 0 at terminal states
    errors: np.ndarray  # (seed, K) ‖Q_t − q*‖_∞
    bias: np.ndarray  # (seed, S, A) Q − q* at the last record
    theta: np.ndarray  # (seed, 257) the last parameters
    diverged_at: np.ndarray  # (seed,) int, updates after which |Q| was beyond the bound, or -1
    status: tuple[Literal["converged", "running", "diverged"], ...]  # of every seed

    def hitting_times(self, threshold: float) -> np.ndarray:
        """(seed,) the first recorded update count with an error below threshold, inf if none."""
        below = self.errors < threshold
        return np.where(below.any(axis=1), self.steps[below.argmax(axis=1)], np.inf)


def initial_parameters(rng: np.random.Generator) -> np.ndarray:
    """θ (257,) float32, distributed as in a new pair of PyTorch layers.

    Uniform within ±1/√(number of inputs of the layer), for weights and biases alike. Order:
    the weights of the first input, of the second, the biases, the output weights, their bias.
    """
    bounds = np.repeat([2**-0.5, HIDDEN**-0.5], [3 * HIDDEN, HIDDEN + 1])
    return (bounds * rng.uniform(-1, 1, NUM_PARAMETERS)).astype(np.float32)


def train_network(
    targets: Sequence[Targets],
    *,
    optimiser: Sgd | Adam,
    num_updates: int,
    rng: np.random.Generator,
    target_network: CopyEvery | MovingAverage | None = None,
    double: bool = False,
    batch_size: int | None = None,
    record_at: np.ndarray | None = None,
    tol: float = 0.01,
) -> NetworkRuns:
    """Train one network for each of the `targets`, each with its own child of `rng`.

    Many seeds of one problem are `[bootstrapped_targets(...)] * num_seeds`; they share the
    processors, and two calls with the same `rng` are one call with the seeds of both.
    max_a' Q(s', a') is taken from the target network, or without one from the network itself; with
    double=True the network chooses a' and the target network values it (van Hasselt, Guez & Silver
    2016, eq. 4). A batch is all N pairs, or `batch_size` distinct ones drawn anew for every update.
    `record_at` holds increasing update counts, by default about 200 on a log scale. A run has
    converged when its last recorded error is at most tol·‖q*‖_∞.
    Raises ValueError for arguments out of range; each message names the argument.
    """
    num_updates = check_integer(num_updates, "num_updates", 1)
    tol = check_real(tol, "tol", ">= 0", lambda x: x >= 0)
    targets = _check_alike(targets)
    settings = _settings(optimiser, target_network, double, batch_size, targets[0].pairs.size)
    steps = record_steps(record_at, num_updates)
    marks = np.append(steps, num_updates)  # the last parameters are those after num_updates

    def run(one: Targets, child: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
        theta = initial_parameters(child)
        history = np.full((marks.size, one.pairs.size), np.inf, np.float32)
        bound = DIVERGENCE * max(1.0, np.abs(one.q_star).max())
        with np.errstate(all="ignore"):  # where the loop is interpreted, a diverging run overflows
            diverged_at = _network.train(
                theta, _samples(one), settings, bound, marks, history, child
            )
        return theta, history[: steps.size], diverged_at

    children = check_rng(rng).spawn(len(targets))
    with ThreadPoolExecutor(min(len(targets), os.cpu_count() or 1)) as pool:
        runs = list(pool.map(run, targets, children))
    theta, histories, diverged_at = map(np.array, zip(*runs, strict=True))

    q_star = np.array([one.q_star for one in targets])  # (seed, S, A)
    num_seeds, num_states, num_actions = q_star.shape
    tables = np.zeros((num_seeds, steps.size, num_states * num_actions))
    tables[:, :, targets[0].pairs] = histories
    tables = tables.reshape(num_seeds, steps.size, num_states, num_actions)
    errors = np.abs(tables - q_star[:, None]).max(axis=(2, 3))
    close = errors[:, -1] <= tol * np.abs(q_star).max(axis=(1, 2))
    ends = np.where(diverged_at >= 0, "diverged", np.where(close, "converged", "running"))
    return NetworkRuns(
        steps=steps,
        tables=tables,
        errors=errors,
        bias=tables[:, -1] - q_star,
        theta=theta,
        diverged_at=diverged_at,
        status=tuple(ends.tolist()),
    )


def _check_alike(targets: Sequence[Targets]) -> list[Targets]:
    listed = list(targets) if isinstance(targets, Sequence) else []
    if not listed or not all(isinstance(one, Targets) for one in listed):
        raise ValueError(f"targets must be a sequence of Targets, at least one, but is {targets!r}")
    for seed, one in enumerate(listed):
        alike = one.q_star.shape == listed[0].q_star.shape
        if not alike or not np.array_equal(one.pairs, listed[0].pairs):
            raise ValueError(
                f"targets must all have the pairs of targets[0], whose q* has shape "
                f"{listed[0].q_star.shape}, but targets[{seed}] has other ones"
            )
    return listed


def _settings(optimiser, target_network, double, batch_size, num_samples) -> _network.Settings:
    if not isinstance(optimiser, Sgd | Adam):
        raise ValueError(f"optimiser must be Sgd(alpha) or Adam(alpha), but is {optimiser!r}")
    if not isinstance(target_network, CopyEvery | MovingAverage | None):
        raise ValueError(
            "target_network must be CopyEvery(period), MovingAverage(tau) or None, "
            f"but is {target_network!r}"
        )
    if double and target_network is None:
        raise ValueError("double needs a target network, but target_network is None")
    batch_size = num_samples if batch_size is None else check_integer(batch_size, "batch_size", 1)
    if batch_size > num_samples:
        raise ValueError(
            f"batch_size must be at most the {num_samples} pairs of the non-terminal states, "
            f"but is {batch_size}"
        )
    return _network.Settings(
        alpha=float(optimiser.alpha),
        adam=isinstance(optimiser, Adam),
        period=target_network.period if isinstance(target_network, CopyEvery) else 0,
        tau=np.float32(getattr(target_network, "tau", 0.0)),
        double=bool(double),
        batch_size=batch_size,
    )


def _samples(targets: Targets) -> _network.Samples:
    return _network.Samples(
        inputs=targets.inputs.astype(np.float32),
        rewards=targets.rewards.astype(np.float32),
        successors=targets.successors,
        weights=targets.weights.astype(np.float32),
        num_actions=targets.q_star.shape[1],
    )
