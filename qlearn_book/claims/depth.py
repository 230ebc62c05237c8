"""Claims of the essay that the chapter on depth examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import depth as experiment
from qlearn_core.experiments import per_state_bias

DEPTHS = (2, 8, 32)


@claim(
    "enough-capacity",
    section="Cumulative bootstrapping error",
    says="A network with 64 hidden units and 257 parameters represents Q* nearly exactly.",
    figure="depth_curves",
    at={"depth": 32},
)
def enough_capacity() -> Finding:
    """Nearly: fitted to q* itself, it comes to within 5 % of the largest value."""
    corridor = [
        np.median(
            experiment.learning_curves(
                gamma=0.9, depth=d, alpha=0.1, period=1, num_updates=60_000, num_seeds=10
            ).supervised[:, -1]
        )
        for d in DEPTHS
    ]
    lock = np.median(per_state_bias.lock_biases("lock", num_steps=None)[:, -1].max(axis=1))
    return Finding(
        judge(*(error < 0.05 for error in (*corridor, lock))),
        "Fitted to Q*, it ends within {:.1f} %, {:.1f} % and {:.1f} % of the largest value on "
        "corridors of depth 2, 8 and 32, and within {:.1f} % on a lock with a random code.",
        tuple(100 * float(error) for error in (*corridor, lock)),
    )


@claim(
    "deeper-chains-harder",
    section="Depth",
    says="At γ = 0.9, of chains of depth 2, 8 and 32 the deeper is the harder for the network.",
    figure="depth_curves",
    at={"depth": 32},
)
def deeper_chains_harder() -> Finding:
    """Cases: the order of the times, and whether it is bootstrapping that sets it.

    Depth is not to blame alone if the control slows down as well, tenfold or more.
    """
    times = experiment.hitting_times(
        alpha=0.1, period=1, depths=DEPTHS, gamma=0.9, num_updates=60_000, num_seeds=20
    )
    own, control = (np.median(t, axis=1) for t in (times.bootstrapped, times.supervised))
    shaped = experiment.hitting_times(alpha=0.1, period=100, num_seeds=20)
    copies = np.median(shaped.bootstrapped[-1]) / (100 * shaped.depths[-1])
    return Finding(
        judge(own[0] < own[1] < own[2], control[2] < 10 * control[1]),
        "The network takes {:,.0f}, {:,.0f} and {:,.0f} updates; from 8 to 32 it gets {:.0f} times "
        "slower, and its control, fitted to Q*, {:.0f} times. With one shape of Q* at every depth "
        "it takes {:.1f} copies of the target network per state.",
        (*map(float, own), float(own[2] / own[1]), float(control[2] / control[1]), float(copies)),
        "as an order; most of the slowdown is in the fit, and with one shape of Q* the time is in "
        "proportion to the depth",
    )
