"""Claims of the essay that the chapter on bootstrapping examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.bellman import bellman_optimality
from qlearn_core.environments import chain, garnet
from qlearn_core.experiments import bootstrapping as experiment
from qlearn_core.mdp import TabularMDP


@claim(
    "error-inherited",
    section="Cumulative bootstrapping error",
    says="An error ε of the next state's value enters the target as γε.",
    figure="accumulation",
    at={"kind": "all the same", "depth": 2},
)
def error_inherited() -> Finding:
    """Cases: the largest entry on a certain step, on one of four steps, and a smaller entry."""
    certain, branching = chain(4), garnet(5, 2, 4, rng=np.random.default_rng(0))
    best, worse = (_inherited(certain, best=best) for best in (True, False))
    shared = _inherited(branching, best=True)
    return Finding(
        judge(*(abs(share - 1) < 1e-9 for share in (best, shared, worse))),
        "Of an error of the largest entry the target takes {:.2f} γ if the step leads there for "
        "certain, and {:.2f} γ on average over four possible steps; of a smaller entry {:.0f}.",
        (best, shared, worse),
        "for the largest entry of a state that surely comes next",
    )


def _inherited(mdp: TabularMDP, *, best: bool) -> float:
    """The mean share of γε that the targets of the pairs leading to state 1 take over."""
    gamma, epsilon = 0.9, 1e-3
    q = np.tile([0.5, 1.0], (mdp.num_states, 1))
    wrong = q.copy()
    wrong[1, int(best)] += epsilon
    change = np.subtract(*(bellman_optimality(mdp, table, gamma=gamma) for table in (wrong, q)))
    return float(change[mdp.P[:, :, 1] > 0].mean() / (gamma * epsilon))


@claim(
    "accumulation",
    section="Cumulative bootstrapping error",
    says="After D steps of bootstrapping, errors per state add up roughly as the sum of γ^k ε.",
    figure="accumulation",
    at={"kind": "normal", "num_actions": 8},
)
def accumulation() -> Finding:
    """Roughly: within a factor of two of the sum."""
    shares = []
    for kind, num_actions in (("all the same", 1), ("normal", 1), ("normal", 8)):
        typical, linear, _ = experiment.accumulation(
            gamma=0.99, depth=32, num_actions=num_actions, kind=kind
        ).at_depth
        shares.append(typical / linear)
    return Finding(
        judge(*(0.5 < share < 2 for share in shares)),
        "At γ = 0.99 and D = 32 equal errors give {:.0f} % of the sum, independent ones {:.0f} % "
        "with one action and {:.0f} % with a maximum over eight.",
        tuple(100 * share for share in shares),
        "if the errors have one sign, which a maximum over noisy entries gives them",
    )


@claim(
    "bias-compounds",
    section="Contraction in TD learning",
    says="On long tasks the bias of bootstrapped targets compounds along the chain.",
    figure="accumulation",
    at={"kind": "normal", "num_actions": 2},
)
def bias_compounds() -> Finding:
    """Compounds: from depth 2 to 32 the mean error grows at least fourfold."""
    noisy, calm, short = (
        [
            experiment.moments("normal", num_actions)[0] * np.sum(gamma ** np.arange(depth))
            for depth in (2, 32)
        ]
        for num_actions, gamma in ((2, 0.99), (1, 0.99), (2, 0.5))
    )
    grows = (after > 4 * before > 1e-9 for before, after in (noisy, calm, short))
    return Finding(
        judge(*grows),
        "With noisy backups and two actions the mean error grows from {:.1f} σ at D = 2 to "
        "{:.1f} σ at D = 32 for γ = 0.99, and from {:.1f} to {:.1f} σ for γ = 0.5; with one action "
        "it is {:.0f}.",
        (*noisy, *short, abs(round(calm[1], 9))),
        "if the errors have one sign and γ is near 1",
    )
