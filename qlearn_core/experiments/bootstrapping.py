"""How the errors of single backups add up along a chain of bootstrapped values.

With an error ε_{d,a} in every backup and A equally good actions, the error of the value at distance
d from the end is E_d = γ E_{d−1} + max_a ε_{d,a}, E_0 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

#: The distances that `accumulation` shows, and how many chains are simulated.
LONGEST = 64
NUM_CHAINS = 400
#: Where normal densities are summed: the trapezoidal rule is exact to rounding for them.
X = np.linspace(-9, 9, 361)
PHI = np.exp(-X * X / 2) / np.sqrt(2 * np.pi)
KINDS = ("all the same", "alternating", "coin flips", "normal")


@dataclass(frozen=True)
class Accumulation:
    """The error of the value at every distance from the end, in units of one backup's error."""

    gamma: float
    depth: int
    num_actions: int
    kind: str
    distance: np.ndarray  # (64,) 1 … 64
    rms: np.ndarray  # (64,) root mean square of E_d over the simulated chains
    law: np.ndarray  # (64,) the same in closed form
    linear: np.ndarray  # (64,) Σ_{k<d} γ^k
    root: np.ndarray  # (64,) √Σ_{k<d} γ^{2k}

    @property
    def at_depth(self) -> tuple[float, float, float]:
        """rms, linear and root law at the chosen depth."""
        i = self.depth - 1
        return float(self.rms[i]), float(self.linear[i]), float(self.root[i])


def accumulation(
    *, gamma: float, depth: int, num_actions: int, kind: str, seed: int = 0
) -> Accumulation:
    """NUM_CHAINS chains with errors of size 1: equal, of alternating or of random sign, or normal.

    The first two kinds are the same for all actions, so that a maximum changes nothing. Raises
    ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, but is {kind!r}")
    k = np.arange(LONGEST)
    linear, root = np.cumsum(gamma**k), np.sqrt(np.cumsum(gamma ** (2 * k)))
    worst = _largest(kind, num_actions, seed)
    rms = np.sqrt((carried(worst, gamma) ** 2).mean(axis=0))
    if kind == "alternating":
        law = np.abs(carried(worst[:1], gamma)[0])
    else:
        mean, sd = moments(kind, num_actions)
        law = np.hypot(mean * linear, sd * root)
    return Accumulation(gamma, depth, num_actions, kind, k + 1, rms, law, linear, root)


def carried(errors: np.ndarray, gamma: float) -> np.ndarray:
    """E_d = γ E_{d−1} + e_d along the last axis, E_0 = 0: errors (..., D) -> (..., D)."""
    out = np.array(errors, dtype=float)
    for d in range(1, out.shape[-1]):
        out[..., d] += gamma * out[..., d - 1]
    return out


@lru_cache(maxsize=256)
def _largest(kind: str, num_actions: int, seed: int) -> np.ndarray:
    """max_a ε_{d,a} for every chain and distance: (NUM_CHAINS, LONGEST)."""
    if kind == "all the same":
        return np.ones((NUM_CHAINS, LONGEST))
    if kind == "alternating":
        return np.tile((-1.0) ** np.arange(LONGEST), (NUM_CHAINS, 1))
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(num_actions, NUM_CHAINS, LONGEST))
    return (np.sign(errors) if kind == "coin flips" else errors).max(axis=0)


@lru_cache(maxsize=256)
def moments(kind: str, num_actions: int) -> tuple[float, float]:
    """Mean and standard deviation of the largest of A independent errors of size 1.

    For coin flips it is −1 with probability 2^−A, else 1. Not for alternating errors.
    """
    if kind == "all the same":
        return 1.0, 0.0
    if kind == "coin flips":
        mean = 1 - 2.0 ** (1 - num_actions)
        return mean, float(np.sqrt(1 - mean**2))
    # the density of the largest of A standard normal numbers
    density = num_actions * PHI * ndtr(X) ** (num_actions - 1)
    mean, square = np.trapezoid([X * density, X**2 * density], X)
    return float(mean), float(np.sqrt(square - mean**2))


#: How much worse the other actions are, in units of the error's standard deviation.
GAPS = np.linspace(0, 5, 26)


@dataclass(frozen=True)
class Gap:
    """The mean error of the first state when one action is better than all others by a gap."""

    gamma: float
    depth: int
    num_actions: int
    gap: np.ndarray  # (G,) in standard deviations of the error of one entry
    maximum: np.ndarray  # (G,) mean error with max_a
    double: np.ndarray  # (G,) with two tables: one chooses the action, the other gives its value
    single: float  # √Σ γ^2k, the typical error of either sign with one action


def action_gap(*, gamma: float, depth: int, num_actions: int) -> Gap:
    """Independent normal errors of size 1 in every entry; A − 1 of the actions pay less by g.

    All actions lead on. With the maximum, E_d = γ E_{d−1} + max(ε_0, max_{a>0} ε_a − g). With two
    tables (van Hasselt 2010), E_d = γ E'_{d−1} + ε'_b − g·1[b > 0], where b is the best-looking
    action of the other table. The means are exact: those of one backup times Σ γ^k.
    """
    powers = gamma ** np.arange(depth)
    others = num_actions - 1
    half = X[X >= 0]
    below, above = (ndtr(x) * ndtr(x + GAPS[:, None]) ** others for x in (-half, half))
    maximum = np.trapezoid(1 - above - below, half, axis=1)  # ∫_0^∞ P(E > x) − P(E < −x) dx
    best_chosen = np.trapezoid(PHI * ndtr(X + GAPS[:, None]) ** others, X, axis=1)
    double = -GAPS * (1 - best_chosen)
    single = float(np.sqrt(np.sum(powers**2)))
    linear = powers.sum()
    return Gap(gamma, depth, num_actions, GAPS, linear * maximum, linear * double, single)
