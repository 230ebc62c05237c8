"""Claims of the essay that the chapter on value iteration examines."""

from __future__ import annotations

import itertools

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.bellman import bellman_optimality
from qlearn_core.environments import chain, garnet
from qlearn_core.experiments import intro
from qlearn_core.experiments import value_iteration as experiment
from qlearn_core.planning import iterate, optimal_q

GAMMAS = (0.5, 0.9, 0.99)
DEPTHS = (2, 8, 32)
ROUNDING = 1e-12


@claim(
    "contraction",
    section="Tabular case",
    says="The Bellman optimality operator brings any two tables closer by the factor γ, in the "
    "maximum norm.",
    figure="contraction",
)
def contraction() -> Finding:
    """Holds if no pair of tables keeps more than γ of its distance."""
    rng, kept = np.random.default_rng(3), []
    for gamma, branching in itertools.product(GAMMAS, (1, 4, 20)):
        mdp = garnet(20, 3, branching, rng=rng)
        for one, two in rng.normal(size=(100, 2, 20, 3)):
            change = bellman_optimality(mdp, one, gamma=gamma)
            change -= bellman_optimality(mdp, two, gamma=gamma)
            kept.append(np.abs(change).max() / (gamma * np.abs(one - two).max()))
        constant = bellman_optimality(mdp, one + 1, gamma=gamma)
        constant -= bellman_optimality(mdp, one, gamma=gamma)
        kept.append(np.abs(constant).max() / gamma)
    return Finding(
        judge(max(kept) <= 1 + ROUNDING),
        "For {} pairs of tables the distance afterwards is at most {:.3f} γ times that before.",
        (len(kept), max(kept)),
    )


@claim(
    "error-bound",
    section="Tabular case",
    says="There is one fixed point Q*, and after k sweeps the error is at most γ^k times that at "
    "the start.",
    figure="contraction",
    at={"gamma": 0.99},
)
def error_bound() -> Finding:
    """Holds if both chains stay below the bound at every sweep."""
    worst = 0.0
    for gamma, depth in itertools.product(GAMMAS, DEPTHS):
        record = experiment.contraction(gamma=gamma, depth=depth, alpha=1.0)
        for errors in (record.loop, record.terminal):
            worst = max(worst, float(((errors - ROUNDING) / record.bound).max()))
    return Finding(
        judge(worst <= 1 + 1e-9),
        "Over two chains, three discounts and three depths the largest error is {:.3f} times the "
        "bound.",
        (worst,),
    )


@claim(
    "bias-shrinks",
    section="Contraction in TD learning",
    says="In a table the bias of the bootstrapped target shrinks from one sweep to the next.",
    figure="spreading",
    at={"goal": "loop"},
)
def bias_shrinks() -> Finding:
    """Holds if every sweep leaves less error than there was, in the targets as in the table."""
    kept = []
    for gamma, depth in itertools.product(GAMMAS, DEPTHS):
        mdp = chain(depth, slip=experiment.SLIP, goal="loop")
        history = iterate(mdp, gamma=gamma, num_sweeps=30)  # far from where rounding stops it
        # the target of a table is the table after the next sweep
        bias = np.abs(history[1:] - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
        kept.append(float((bias[1:] / bias[:-1]).max() / gamma))
    return Finding(
        judge(max(kept) <= 1 + 1e-6),
        "On the loop chain each sweep leaves at most {:.3f} γ times the largest bias.",
        (max(kept),),
    )


@claim(
    "smooth-decay",
    section="Tabular case: comparison with value iteration",
    says="The error of value iteration is a smooth exponential decay.",
    figure="contraction",
)
def smooth_decay() -> Finding:
    """Smooth: every sweep multiplies the error by nearly the same factor, which is not zero."""
    record = experiment.contraction(gamma=0.9, depth=8, alpha=1.0)
    factors = record.loop[1:] / record.loop[:-1]
    return Finding(
        judge(factors.min() > 0.95 * factors.max(), record.finished is None),
        "At γ = 0.9 and D = 8 a sweep multiplies the error of the loop chain by {:.3f} to {:.3f}; "
        "the terminal chain is exact after {} sweeps.",
        (float(factors.min()), float(factors.max()), record.finished),
        "the best policy keeps returning to paying states",
    )


@claim(
    "depth-sweeps",
    section="Depth",
    says="The signal needs exactly D full sweeps from the end of a chain of depth D to its start.",
    figure="spreading",
    at={"depth": 16, "goal": "terminal", "sweeps": 16},
)
def depth_sweeps() -> Finding:
    """Cases: the first state's forward entry, the whole table, and the state at α = 1/2."""
    histories = {d: iterate(chain(d), gamma=0.9, num_sweeps=d) for d in DEPTHS}
    forward = [bool(h[d, 0, 1] > 0 and not h[:d, 0, 1].any()) for d, h in histories.items()]
    whole = experiment.contraction(gamma=0.9, depth=16, alpha=1.0).finished
    damped = next(
        k
        for k in itertools.count()
        if intro.spread(gamma=0.9, depth=16, alpha=0.5, sweeps=k).num_close == 16
    )
    return Finding(
        judge(all(forward), whole == 16, damped == 16),
        "The forward entry of the first state needs D sweeps at each of {} depths; at D = 16 the "
        "whole table needs {}, and with α = 0.5 all states are within 1 % after {}.",
        (sum(forward), whole, damped),
        "for that entry, from a table of zeros, with α = 1 and all entries renewed at once",
    )


@claim(
    "effective-horizon",
    section="Discount factor",
    says="The discount γ looks about 1/(1−γ) steps ahead: 100 at 0.99, 1,000 at 0.999 and 10,000 "
    "at 0.9999.",
    figure="contraction",
    at={"gamma": 0.99},
)
def effective_horizon() -> Finding:
    """Holds if 1/(1−γ) sweeps leave a share 1/e of the error, to 5 % of the sweeps."""
    sweeps = []
    for gamma in (0.99, 0.999, 0.9999):
        mdp = chain(2, slip=experiment.SLIP, goal="loop")
        history = iterate(mdp, gamma=gamma, num_sweeps=round(1.1 / (1 - gamma)))
        errors = np.abs(history - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
        sweeps.append(int(np.argmax(errors <= errors[0] / np.e)))
    right = np.abs(np.array(sweeps) / [100, 1_000, 10_000] - 1) < 0.05
    return Finding(
        judge(*right.tolist()),
        "On the loop chain of depth 2 the error falls by the factor e in {:,}, {:,} and {:,} "
        "sweeps.",
        tuple(sweeps),
    )


@claim(
    "larger-discount-slower",
    section="Discount factor",
    says="The larger the discount, the slower the error falls.",
    figure="stopping",
)
def larger_discount_slower() -> Finding:
    """Slower: from γ = 0.9 to 0.99 at least twice the sweeps."""
    low, high = (
        experiment.stopping(gamma=gamma, branching=5, tolerance=1e-6) for gamma in (0.9, 0.99)
    )
    ends = [
        experiment.contraction(gamma=gamma, depth=8, alpha=1.0).finished for gamma in (0.9, 0.99)
    ]
    return Finding(
        judge(
            high.norm_sweeps >= 2 * low.norm_sweeps,
            high.span_sweeps >= 2 * low.span_sweeps,
            ends[1] >= 2 * ends[0],
        ),
        "From γ = 0.9 to 0.99 the norm rule goes from {:,} to {:,} sweeps, the span rule from {} "
        "to {}; the terminal chain of depth 8 takes {} and {}.",
        (
            low.norm_sweeps, high.norm_sweeps, low.span_sweeps, high.span_sweeps, *ends,
        ),
        "for the bound γ^k, on chains that loop, and for the norm rule of stopping",
    )  # fmt: skip
