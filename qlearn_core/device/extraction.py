"""From a critic to a policy: Best-of-N, advantage-weighted regression, REINFORCE.

All of them start from a behaviour policy β and scores Q(s, a); an advantage is A = Q − V. Sums over
actions are exact, as if every situation came with any number of samples. Four of them

    maximise E_s [ Σ_a w(a | s) log π(a | s) ]:

    Best-of-N        w = P(a is the best of N draws from β) · 1[A(s, a) > 0]   (Bai et al. 2025)
    AWR              w = β exp(A / T)                                         (Peng et al. 2019)
    logged gradient  w = β A, the negative ones too
    as released      w = P(a is the best of N draws from β) · 5 clip(A, 0, 1), which the code of
                     Bai et al. calls a policy gradient, though no weight in it is negative

For weights >= 0 the optimum is π = w / Σ w. REINFORCE (Williams 1992) draws from π itself:

    ∇ E_{a ~ π} [A] = E_{a ~ π} [ A ∇ log π(a | s) ].
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from qlearn_core.mdp import check_integer, check_real

from .behaviour import PolicyNetwork
from .encoder import action_of_spot, num_spots, spot_of_action
from .rollouts import draw_actions
from .settings import PhoneSettings
from .tasks import Task
from .training import train

NUM_UPDATES, BATCH_SIZE, LEARNING_RATE = 300, 64, 1e-3
SCREENS_AT_ONCE = 512


def best_of_n(scores: np.ndarray, beta: np.ndarray, num_candidates: int) -> np.ndarray:
    """(..., n) the chance that a spot is the best-scored of N independent draws from β (..., n).

    With F(a) and F⁻(a) the chances of a draw that scores at most, and less than, a does, it is
    (F^N − F⁻^N) β(a) / (F − F⁻): draws of equal score are equally good. Raises ValueError for
    num_candidates < 1.
    """
    num_candidates = check_integer(num_candidates, "num_candidates", 1)
    order = scores.argsort(axis=-1)
    ordered = np.take_along_axis(scores, order, axis=-1)
    sums = np.take_along_axis(beta, order, axis=-1).cumsum(axis=-1, dtype=float)
    sums /= sums[..., -1:]
    sums = np.concatenate([np.zeros_like(sums[..., :1]), sums], axis=-1)
    n = scores.shape[-1]
    starts = np.concatenate(
        [np.ones_like(ordered[..., :1], bool), np.diff(ordered, axis=-1) > 0], axis=-1
    )
    first = np.maximum.accumulate(np.where(starts, np.arange(n), 0), axis=-1)
    ends = np.concatenate([starts[..., 1:], np.ones_like(starts[..., :1])], axis=-1)
    last = np.where(ends, np.arange(n), n)
    last = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    below, upto = (np.take_along_axis(sums, k, axis=-1) for k in (first, last + 1))
    mass = np.where(upto > below, upto - below, 1.0)
    share = np.take_along_axis(beta, order, axis=-1) / mass
    out = np.empty(beta.shape)
    chances = (upto**num_candidates - below**num_candidates) * share
    np.put_along_axis(out, order, chances, axis=-1)
    return out


def positive_advantage(chances: np.ndarray, advantages: np.ndarray) -> np.ndarray:
    """(..., n) weights: the chances where the advantage is positive, 0 elsewhere."""
    return np.where(advantages > 0, chances, 0.0)


def awr_weights(beta: np.ndarray, advantages: np.ndarray, temperature: float) -> np.ndarray:
    """(..., n) β exp(A / T), up to a factor of each situation that keeps Σ_a w(a | s) = 1 there.

    Without that factor the situations of large advantages would count more; the optimum is the
    same. Raises ValueError for a temperature <= 0.
    """
    check_real(temperature, "temperature", "> 0", lambda x: x > 0)
    exponent = advantages / temperature
    weights = beta * np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def optimum(weights: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """(..., n) the policy w / Σ w, and β where all weights are 0 and nothing is to be learned.

    Raises ValueError for a negative weight: then there is no optimum.
    """
    if weights.min() < 0:
        raise ValueError(f"weights must be >= 0, but the least is {weights.min():g}")
    total = weights.sum(axis=-1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), beta)


def imitation_gradient(pi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(..., n) the gradient of Σ_a w log π with respect to the logits of π: w − π Σ w."""
    return weights - pi * weights.sum(axis=-1, keepdims=True)


def reinforce_gradient(pi: np.ndarray, advantages: np.ndarray) -> np.ndarray:
    """(..., n) the gradient of Σ_a π A with respect to the logits of π: π (A − Σ π A)."""
    return pi * (advantages - (pi * advantages).sum(axis=-1, keepdims=True))


def ascend(
    beta: np.ndarray,
    gradient: Callable[[np.ndarray], np.ndarray],
    *,
    rate: float,
    num_steps: int,
) -> np.ndarray:
    """(..., n) where the logits of log β arrive by steps along gradient(π), each situation alone.

    β must be positive. Raises ValueError for a rate <= 0 or num_steps < 0.
    """
    check_real(rate, "rate", "> 0", lambda x: x > 0)
    pi, logits = beta, np.log(beta)
    for _ in range(check_integer(num_steps, "num_steps", 0)):
        logits = logits + rate * gradient(pi)
        logits -= logits.max(axis=-1, keepdims=True)
        pi = np.exp(logits)
        pi /= pi.sum(axis=-1, keepdims=True)
    return pi


def divergence(pi: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """(...) KL(π ‖ β) = Σ_a π log(π / β) of every situation, in nats; β must be positive."""
    return (pi * (np.log(np.where(pi > 0, pi, 1.0)) - np.log(beta))).sum(axis=-1)


def spot_log_probabilities(
    network: PolicyNetwork, settings: PhoneSettings, images: Tensor, instructions: Tensor
) -> Tensor:
    """(B, n) log π of the spots; the pixels of a cell are equally likely."""
    spots = spot_of_action(settings)
    pixels = torch.from_numpy(np.bincount(spots)).float()
    logits = network(images, instructions)[:, action_of_spot(settings)]
    return torch.log_softmax(logits + pixels.log(), dim=1)


def spot_table(
    network: PolicyNetwork, settings: PhoneSettings, images: np.ndarray, tasks: tuple[Task, ...]
) -> np.ndarray:
    """(K, G, n) float32 the policy at all screens with all instructions."""
    table = np.empty((len(images), len(tasks), num_spots(settings)), dtype=np.float32)
    with torch.no_grad():
        for g, task in enumerate(tasks):
            for k in range(0, len(images), SCREENS_AT_ONCE):
                seen = torch.tensor(images[k : k + SCREENS_AT_ONCE])
                tokens = torch.tensor(task.tokens).expand(len(seen), -1)
                here = spot_log_probabilities(network, settings, seen, tokens).exp()
                table[k : k + len(seen), g] = here.numpy()
    return table


def at_pixels(settings: PhoneSettings, spots: np.ndarray) -> np.ndarray:
    """(..., A) the probabilities of actions from those of spots (..., n): a cell is clicked at any
    of its pixels alike."""
    places = spot_of_action(settings)
    return (spots / np.bincount(places))[..., places]


def imitation_loss(log_pi: Tensor, weights: Tensor) -> Tensor:
    """−Σ_a w(a | s) log π(a | s), the mean over situations: (B, n) and (B, n) -> ()."""
    return -(weights * log_pi).sum(dim=1).mean()


def reinforce_loss(log_pi: Tensor, drawn: Tensor, advantages: Tensor) -> Tensor:
    """−A(s, a) log π(a | s) for one spot drawn from π in each situation: its gradient is unbiased.

    (B, n), (B,) spots and (B, n) -> ().
    """
    spots = drawn[:, None]
    return -(advantages.gather(1, spots) * log_pi.gather(1, spots)).mean()


def extract(
    behaviour: PolicyNetwork,
    settings: PhoneSettings,
    images: np.ndarray,
    instructions: np.ndarray,
    values: np.ndarray,
    *,
    method: str,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PolicyNetwork:
    """A network that starts as the behaviour policy and learns in situations that are given.

    The situations are images (B, HEIGHT, WIDTH) and instructions (B, LENGTH), values (B, n) are
    the weights for "imitation" and the advantages for "reinforce". Raises ValueError for another
    method and as `train` does.
    """
    if method not in ("imitation", "reinforce"):
        raise ValueError(f"method must be one of imitation, reinforce, but is {method!r}")
    rng = np.random.default_rng([check_integer(seed, "seed", 0), 6])
    network = copy.deepcopy(behaviour)

    def loss(rng: np.random.Generator) -> Tensor:
        k, uniforms = rng.integers(len(images), size=BATCH_SIZE), rng.random(BATCH_SIZE)
        seen = torch.from_numpy(images[k]), torch.from_numpy(instructions[k])
        log_pi = spot_log_probabilities(network, settings, *seen)
        here = torch.from_numpy(values[k]).float()
        if method == "imitation":
            return imitation_loss(log_pi, here)
        drawn = draw_actions(log_pi.detach().exp().numpy(), uniforms)
        return reinforce_loss(log_pi, torch.from_numpy(drawn), here)

    train(
        network, torch.optim.Adam(network.parameters(), lr=LEARNING_RATE), loss,
        num_updates=NUM_UPDATES, rng=rng, checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
    return network
