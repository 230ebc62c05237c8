"""Claims of the essay that the chapter on martingale noise examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.behaviours import UniformPairs
from qlearn_core.environments import chain
from qlearn_core.experiments import martingale_noise as experiment
from qlearn_core.experiments import noise_tests, q_learning
from qlearn_core.noise import conditional_mean, martingale_differences, predictable_variance
from qlearn_core.planning import optimal_q

NOISE = "Tabular case: martingale differences"


@claim(
    "martingale-difference",
    section=NOISE,
    says="Given the past, the noise of an update has mean zero: it is a martingale difference.",
    figure="fair_game",
)
def martingale_difference() -> Finding:
    """Holds if enumerating the next states gives zero to rounding, at tables along three runs."""
    mdp = chain(5, slip=experiment.SLIP, goal="loop")
    largest = 0.0
    for behaviour in experiment.BEHAVIOURS:
        for num_updates in (10, 100, 1_000):
            (trace,) = experiment.runs(0.9, 5, 0.1, behaviour, num_updates, 1, seed=1)
            largest = max(largest, float(np.abs(conditional_mean(mdp, trace.q, gamma=0.9)).max()))
    return Finding(
        judge(largest < 1e-12),
        "By enumeration no conditional mean is further from zero than 10^−{}.",
        (int(-np.log10(max(largest, 1e-12))),),
    )


@claim(
    "any-behaviour",
    section=NOISE,
    says="This is so for every behaviour that chooses the action before the outcome.",
    figure="zero_mean",
)
def any_behaviour() -> Finding:
    """Holds if the share of means inside the 95 % band is 95 %, give or take chance and skew."""
    shares = []
    for behaviour in experiment.BEHAVIOURS:
        scores = noise_tests.zero_mean(0.9, behaviour).scores
        known = scores[np.isfinite(scores)]
        shares.append(float((np.abs(known) <= 1.96).mean()))
    allowed = 4 * np.sqrt(0.95 * 0.05 / known.size) + 0.02
    return Finding(
        judge(*(bool(abs(share - 0.95) <= allowed) for share in shares)),
        "{:.1f} %, {:.1f} % and {:.1f} % of the standardised means lie in the 95 % band, for "
        "uniform pairs, ε-greedy and a fixed policy.",
        tuple(100 * share for share in shares),
    )


@claim(
    "off-policy-reason",
    section=NOISE,
    says="That the noise does not depend on the behaviour is why Q-learning may learn off-policy.",
    figure="off_policy",
    at={"gamma": 0.9, "depth": 16, "epsilon": 0.5},
)
def off_policy_reason() -> Finding:
    """Cases: the noise has mean zero under a behaviour that misses pairs; it learns from it."""
    mdp = chain(16, slip=experiment.SLIP, goal="loop")
    (trace,) = experiment.runs(0.9, 16, 0.1, "65 % back", 2_000, 1, seed=1)
    mean = float(np.abs(conditional_mean(mdp, trace.q, gamma=0.9)).max())
    record = q_learning.off_policy(0.9, 16, 0.5)
    learned = float(record.start_values[2] / record.optimal_value)
    return Finding(
        judge(mean < 1e-12, learned > 0.95),
        "At D = 16 the noise is centred to 10^−{} for a walk that mostly goes back, and the walk "
        "learns {:.0f} % of the start's value in 50,000 updates.",
        (int(-np.log10(max(mean, 1e-12))), 100 * learned),
        "it is one half of the reason; the behaviour must also visit every pair again and again",
    )


@claim(
    "independence-not-needed",
    section=NOISE,
    says="The noise need not be independent across time; a conditional mean of zero is enough.",
    figure="memory",
    at={"gamma": 0.9, "behaviour": "65 % back"},
)
def independence_not_needed() -> Finding:
    """Holds if ε is uncorrelated (in its band, but for chance) and ε², which it need not, is."""
    record = experiment.memory(0.9, "65 % back")
    inside = int((np.abs(record.noise) <= record.band).sum())
    lag_2 = float(record.squares[1])
    return Finding(
        judge(inside >= 9, lag_2 > 0.1),  # P(Binomial(12, 0.95) < 9) < 3e-4
        "On a walk that goes back 65 % of the time ε² has an autocorrelation of {:.2f} at lag 2; "
        "that of ε is in its band around zero at {} of 12 lags.",
        (lag_2, inside),
    )


@claim(
    "up-or-down",
    section=NOISE,
    says="The noise is as likely to push the estimate up as down.",
    figure="not_symmetric",
    at={"gamma": 0.9, "slip": 0.1, "depth": 5, "action": "forward"},
)
def up_or_down() -> Finding:
    """Holds where the chance of a push up is within five points of one half."""
    up = [
        experiment.not_symmetric(0.9, 0.1, 5, action).share_positive
        for action in ("forward", "back")
    ]
    return Finding(
        judge(*(abs(share - 0.5) <= 0.05 for share in up)),
        "At slip 0.1 the noise is positive in {:.0f} % of the updates of forward and in {:.0f} % "
        "of those of back.",
        tuple(100 * share for share in up),
    )


@claim(
    "only-the-transition-is-random",
    section=NOISE,
    says="Once the pair is chosen, the next state is the only source of randomness.",
    figure="not_symmetric",
)
def only_the_transition_is_random() -> Finding:
    """Cases: a reward fixed by the pair, and one that is 0 or twice its mean by a coin."""
    mdp, rng = chain(5, slip=experiment.SLIP, goal="loop"), np.random.default_rng(1)
    q = optimal_q(mdp, gamma=0.9)
    sample = martingale_differences(
        mdp, q, gamma=0.9, behaviour=UniformPairs(), num_samples=20_000, rng=rng
    )
    known = predictable_variance(mdp, q, gamma=0.9)[sample.states, sample.actions].mean()
    coin = mdp.r[sample.states, sample.actions] * rng.choice([-1.0, 1.0], sample.noises.size)
    shares = [float(np.mean(noise**2) / known) for noise in (sample.noises, sample.noises + coin)]
    return Finding(
        judge(*(abs(share - 1) < 0.05 for share in shares)),
        "The transition accounts for all of the noise when the pair fixes the reward (measured "
        "variance {:.2f} times that of the transition) and not when a coin decides it ({:.2f} "
        "times).",
        tuple(shares),
        "the reward is a function of the state and the action",
    )
