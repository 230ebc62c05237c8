"""Claims of the essay that the chapter on the simulated phone examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import device as experiment


@claim(
    "device-control-is-hard",
    section="Digi-Q: the setting",
    says="Controlling a phone has the long horizon and the large spaces in which Q-learning "
    "struggles.",
    figure="device_success",
    at={"skill": 0.6, "chances": 1.0, "slips": 0.05},
)
def device_control_is_hard() -> Finding:
    """Hard: fewer than 1 in 100 episodes of 15 actions ever see a reward to learn from.

    Cases: random clicks, random moves (a widget is one move), and someone who knows the way.
    """
    blind = experiment.blind(chances=1.0, horizon=15)
    shown = experiment.success(skill=0.6, chances=1.0, slips=0.05).script[15]
    return Finding(
        judge(blind.clicks < 0.01, blind.moves < 0.01, shown < 0.01),
        "On the simulated phone {:.2f} in a million episodes of random clicks succeed, {:.0f} in "
        "a million of random moves, and {:.0f} in a hundred of someone who knows the way but "
        "fumbles.",
        (1e6 * blind.clicks, 1e6 * blind.moves, 100 * shown),
        "where the data were not made by someone who knows the way",
    )
