"""The algorithms of *Challenges in Scaling Q-Learning*: functions of arrays, frozen records."""

from __future__ import annotations

from .behaviours import Cyclic, EpsilonGreedy, FixedPolicy, UniformPairs
from .bellman import bellman_evaluation, bellman_optimality, greedy, state_values, td_error
from .environments import chain, from_gymnasium, garnet
from .mdp import TabularMDP
from .noise import (
    MartingaleSample,
    PairStatistics,
    autocorrelation,
    broken_conditional_mean,
    broken_noise,
    conditional_mean,
    confidence_band,
    martingale_differences,
    pair_statistics,
    predictable_variance,
)
from .planning import (
    PolicyIterationResult,
    ValueIterationResult,
    evaluate_policy,
    iterate,
    optimal_q,
    policy_iteration,
    value_iteration,
)
from .step_sizes import (
    StepSize,
    constant,
    harmonic,
    harmonic_global,
    polynomial,
    rescaled,
)
from .tabular import QLearningResult, QLearningTrace, q_learning, trace_q_learning

__all__ = [
    "Cyclic",
    "EpsilonGreedy",
    "FixedPolicy",
    "MartingaleSample",
    "PairStatistics",
    "PolicyIterationResult",
    "QLearningResult",
    "QLearningTrace",
    "StepSize",
    "TabularMDP",
    "UniformPairs",
    "ValueIterationResult",
    "autocorrelation",
    "bellman_evaluation",
    "bellman_optimality",
    "broken_conditional_mean",
    "broken_noise",
    "chain",
    "conditional_mean",
    "confidence_band",
    "constant",
    "evaluate_policy",
    "from_gymnasium",
    "garnet",
    "greedy",
    "harmonic",
    "harmonic_global",
    "iterate",
    "martingale_differences",
    "optimal_q",
    "pair_statistics",
    "policy_iteration",
    "polynomial",
    "predictable_variance",
    "q_learning",
    "rescaled",
    "state_values",
    "td_error",
    "trace_q_learning",
    "value_iteration",
]
