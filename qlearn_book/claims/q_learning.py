"""Claims of the essay that the chapter on Q-learning examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.behaviours import UniformPairs
from qlearn_core.environments import chain
from qlearn_core.experiments import q_learning as experiment
from qlearn_core.noise import conditional_mean
from qlearn_core.tabular import QLearningTrace, trace_q_learning

SEEDS = range(20)
#: A share above this is not "never".
NEVER = 0.01
COMPARISON = "Tabular case: comparison with value iteration"


def _trace(alpha: float) -> QLearningTrace:
    """2,000 updates on the loop chain of depth 5."""
    return trace_q_learning(
        chain(5, slip=experiment.SLIP, goal="loop"),
        gamma=0.9,
        alpha=alpha,
        num_updates=2_000,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(0),
    )


def _staircases(alpha: float) -> list[experiment.Staircase]:
    """Twenty runs of 2,000 updates at γ = 0.9 and D = 5."""
    return [experiment.staircase(0.9, 5, alpha, updates_per_pair=200, seed=k) for k in SEEDS]


@claim(
    "sweep-on-average",
    section="Tabular case",
    says="On average an update does to its pair what a sweep of value iteration would do: the "
    "sampled target is an unbiased estimate.",
    figure="against_value_iteration",
)
def sweep_on_average() -> Finding:
    """Holds if signal plus noise is the TD error and the noise has mean zero, to rounding."""
    mdp, trace = chain(5, slip=experiment.SLIP, goal="loop"), _trace(0.3)
    split = np.abs(trace.td_errors - trace.signals - trace.noises).max()
    mean = np.abs(conditional_mean(mdp, trace.q, gamma=0.9)).max()
    return Finding(
        judge(split < 1e-12, mean < 1e-12),
        "The TD errors of 2,000 updates are signal plus noise, and the noise has mean zero at "
        "all {} pairs, to within 10^−{}.",
        (mdp.num_pairs, int(-np.log10(max(split, mean, 1e-12)))),
    )


@claim(
    "staircase",
    section=COMPARISON,
    says="The largest error falls like a staircase: an update of a pair that is not the worst "
    "leaves it as it is.",
    figure="staircase",
    at={"gamma": 0.9, "depth": 5, "alpha": 0.1},
)
def staircase() -> Finding:
    """A staircase: at least three updates out of four are flat."""
    flat = float(np.mean([run.flat_share for run in _staircases(0.1)]))
    return Finding(
        judge(flat > 0.75),
        "{:.0f} % of the updates are flat (γ = 0.9, D = 5, α = 0.1, uniform pairs).",
        (100 * flat,),
    )


@claim(
    "only-the-worst-moves",
    section=COMPARISON,
    says="The curve moves only when the worst pair itself is updated.",
    figure="staircase",
    at={"gamma": 0.9, "depth": 5, "alpha": 1.0},
)
def only_the_worst_moves() -> Finding:
    """Holds where at most one change in a hundred comes from another pair."""
    other = [
        float(np.mean([(~run.by_worst).mean() for run in _staircases(alpha)]))
        for alpha in (0.1, 0.3, 1.0)
    ]
    return Finding(
        judge(*(share <= NEVER for share in other)),
        "Another pair makes {:.0f} % of the changes at α = 0.1, {:.0f} % at 0.3 and {:.0f} % at 1.",
        tuple(100 * share for share in other),
    )


@claim(
    "steps-down",
    section=COMPARISON,
    says="The steps of the staircase go down.",
    figure="staircase",
    at={"gamma": 0.9, "depth": 5, "alpha": 1.0},
)
def steps_down() -> Finding:
    """Holds where at most one change in a hundred goes up."""
    up = [float(np.mean([run.rises.mean() for run in _staircases(alpha)])) for alpha in (0.1, 1.0)]
    return Finding(
        judge(*(share <= NEVER for share in up)),
        "{:.0f} % of the changes go up at α = 0.1 and {:.0f} % at α = 1.",
        tuple(100 * share for share in up),
    )


@claim(
    "staircase-from-single-updates",
    section=COMPARISON,
    says="The staircase is a direct consequence of updating one entry at a time.",
    figure="staircase",
)
def staircase_from_single_updates() -> Finding:
    """Cases: three updates out of four are flat in the maximum norm, and in the 2-norm."""
    trace = _trace(0.3)
    visible = np.abs(trace.td_errors) > 1e-9
    sup, two = (
        float((np.diff(errors)[visible] != 0).mean())
        for errors in (trace.sup_errors, trace.l2_errors)
    )
    return Finding(
        judge(sup < 0.25, two < 0.25),
        "Of the updates with a TD error {:.0f} % change the maximum norm and {:.0f} % the 2-norm.",
        (100 * sup, 100 * two),
        "the error is measured in the maximum norm",
    )


@claim(
    "every-pair-visited",
    section=COMPARISON,
    says="Since one entry changes per step, every pair must be visited again and again.",
    figure="off_policy",
    at={"gamma": 0.9, "depth": 16, "epsilon": 0.5},
)
def every_pair_visited() -> Finding:
    """Holds if the behaviour that misses pairs stays far away and full coverage does not."""
    record = experiment.off_policy(0.9, 16, 0.5)
    uniform, _, back = record.start_values / record.optimal_value
    return Finding(
        judge(back < 0.5, uniform > 0.95),
        "At D = 16 the walker that mostly goes back values the start at {:.0f} % of the optimum "
        "after 50,000 updates; uniform pairs give {:.0f} %.",
        (100 * float(back), 100 * float(uniform)),
    )


@claim(
    "balance",
    section=COMPARISON,
    says="Actions must be selected by a behaviour that balances exploration and exploitation.",
    figure="off_policy",
    at={"gamma": 0.9, "depth": 4, "epsilon": 1.0},
)
def balance() -> Finding:
    """Holds unless behaviours that exploit nothing come within 1 % of the optimum."""
    record = experiment.off_policy(0.9, 4, 1.0)
    # uniform pairs, and the walker whose every action is random
    pairs, _, walker = np.abs(record.start_values / record.optimal_value - 1)
    return Finding(
        judge(pairs > 0.01, walker > 0.01),
        "Without any exploitation the start value is {:.1f} % off the optimum with uniform pairs "
        "and {:.1f} % with a random walk (γ = 0.9, D = 4).",
        (100 * float(pairs), 100 * float(walker)),
    )


@claim(
    "off-policy-limit",
    section=COMPARISON,
    says="The table converges to the optimal values whatever the behaviour.",
    figure="off_policy",
    at={"gamma": 0.9, "depth": 4, "epsilon": 0.5},
)
def off_policy_limit() -> Finding:
    """Cases: all three behaviours end within 1 % of the optimum at D = 4, and at D = 16."""
    shallow, deep = (experiment.off_policy(0.9, depth, 0.5) for depth in (4, 16))
    off = [
        float(np.abs(record.start_values / record.optimal_value - 1).max())
        for record in (shallow, deep)
    ]
    return Finding(
        judge(*(share <= 0.01 for share in off)),
        "Of three behaviours the worst start value is {:.1f} % off the optimum at D = 4 and "
        "{:.0f} % at D = 16.",
        tuple(100 * share for share in off),
        "the behaviour keeps visiting every pair",
    )
