"""The rest of the essay: what no chapter has examined yet, and numbers that it quotes.

A chapter that examines one of these takes it from here into a module of its own.
"""

from __future__ import annotations

from qlearn_book.claims.claim import Claim

BAI = "H. Bai and others, 2025, Digi-Q."


def _listed(section: str, *claims: tuple[str, str] | tuple[str, str, str]) -> tuple[Claim, ...]:
    """(id, what it says) of claims to be examined; a third entry names who reports a number."""
    return tuple(Claim(id, section, says, source="".join(source)) for id, says, *source in claims)


CONTRACTION = _listed(
    "Contraction in TD learning",
    ("bias-compounds", "On long tasks the bias of bootstrapped targets compounds along the chain."),
)

FUNCTION_APPROXIMATION = _listed(
    "Function approximation",
    (
        "contraction-lost",
        "With function approximation Q-learning is no longer a contraction: the projection can "
        "stretch distances by more than 1/γ.",
    ),
    (
        "update-is-projected",
        "The effective update is the Bellman operator followed by a projection.",
    ),
    ("projection-floor", "With 3 parameters for 10 pairs Q* cannot be represented exactly."),
    ("error-above-floor", "The actual error stays above the projection floor."),
    (
        "triad-oscillates",
        "With off-policy data, approximation and bootstrapping together the iterates may "
        "oscillate and not converge.",
    ),
    (
        "capacity-no-cure",
        "More capacity lowers the floor but does not restore the contraction.",
    ),
    (
        "no-guarantee-at-scale",
        "In real applications the projection is never the identity, so that the guarantees of "
        "the table cannot be assumed.",
    ),
)

GRADIENTS = _listed(
    "Function approximation: semi-gradient and full gradient",
    (
        "tabular-gradients-equal",
        "In a table the semi-gradient and the full gradient lead to equivalent updates.",
    ),
    (
        "extra-entry-harmless",
        "The other entry that the full gradient changes in a table does not interfere.",
    ),
    (
        "gradient-bias",
        "With shared parameters, leaving out the target's gradient is a genuine bias.",
    ),
    (
        "semi-gradient-not-to-blame",
        "The semi-gradient is not the cause of the lost contraction: both gradients face the same "
        "projection.",
    ),
    (
        "target-biased-either-way",
        "The target is biased under the semi-gradient and under the full gradient alike.",
    ),
)

HORIZON = (
    *_listed(
        "Cumulative bootstrapping error",
        ("error-inherited", "An error ε of the next state's value enters the target as γε."),
        (
            "accumulation",
            "After D steps of bootstrapping, errors per state add up roughly as the sum of γ^k ε.",
        ),
        (
            "enough-capacity",
            "A network with 64 hidden units and 257 parameters represents Q* nearly exactly.",
        ),
    ),
    *_listed(
        "Depth",
        (
            "deeper-chains-harder",
            "At γ = 0.9, of chains of depth 2, 8 and 32 the deeper is the harder for the network.",
        ),
    ),
    *_listed(
        "Per-state bias",
        ("bias-grows-with-distance", "The bias of a state grows with its distance to the end."),
    ),
    *_listed(
        "Discount factor",
        (
            "large-discounts-avoided",
            "Practitioners avoid very large discounts because errors then compound.",
        ),
        ("bias-grows-with-discount", "A larger discount lets the bias accumulate more."),
    ),
)

DIGI_Q = (
    *_listed(
        "Digi-Q: the setting",
        (
            "device-control-is-hard",
            "Controlling a phone has the long horizon and the large spaces in which Q-learning "
            "struggles.",
        ),
    ),
    *_listed(
        "Digi-Q: frozen representations",
        ("end-to-end-unstable", "Training a large model end to end by TD learning is unstable."),
        (
            "frozen-is-stable",
            "Frozen features may raise the floor, but TD learning on them is more stable.",
        ),
        (
            "one-percent-trained",
            "About 1 % of the parameters are trained.",
            "Quoted: 1 %. " + BAI,
        ),
        ("separate-value-critic", "A second critic for state values stabilises the training."),
        ("target-networks", "Slowly moving target networks reduce the instability of the target."),
    ),
    *_listed(
        "Digi-Q: fine-tuned representations",
        (
            "action-ignored",
            "On features that were not fine-tuned the critic ignores the action.",
        ),
        (
            "fine-tuning-lowers-floor",
            "Fine-tuning on whether an action changes the screen lowers the projection floor.",
        ),
    ),
    *_listed(
        "Digi-Q: TD learning and Monte Carlo",
        (
            "td-58-mc-37",
            "With Monte Carlo returns in place of TD learning, success falls from 58.0 % to "
            "37.5 %.",
            "Quoted: 58.0 % and 37.5 % on the web shopping tasks. " + BAI,
        ),
        (
            "variance-decides",
            "TD learning is ahead because its targets vary less, which matters more for ranking "
            "actions than their bias.",
        ),
    ),
    *_listed(
        "Digi-Q: Best-of-N",
        (
            "extraction-stable",
            "Imitating the best of N actions avoids the instability of policy gradients and the "
            "caution of weighted regression.",
        ),
        ("more-candidates-better", "Performance rises with every increase of N up to 16."),
    ),
    *_listed(
        "Digi-Q: going online",
        (
            "divergence-3-28",
            "The policy of Best-of-N stays close to the one that collected the data.",
            "Quoted: a KL divergence of 3.28. " + BAI,
        ),
        (
            "distribution-shift",
            "An improved policy meets states where the critic has no data and may be arbitrarily "
            "wrong.",
        ),
        (
            "online-needs-recollection",
            "Going online needs new data from the current policy, mixed with old, and a robust "
            "critic.",
        ),
        (
            "engineering-is-the-barrier",
            "What limits the method online is the engineering and the pace of experiments, more "
            "than its algorithm.",
            "The essay's own experience; it gives no number.",
        ),
    ),
    *_listed(
        "Takeaways",
        (
            "offline-21-percent",
            "Digi-Q is ahead of all earlier offline methods on Android in the Wild.",
            "Quoted: by 21.2 %. " + BAI,
        ),
        (
            "nearly-online",
            "Digi-Q nearly matches DigiRL, which learns online.",
            "Quoted without a number. " + BAI,
        ),
        (
            "components-controlled",
            "Q-learning can scale to agentic tasks if each part of the deadly triad is kept "
            "under control.",
        ),
    ),
)
