"""What the chapter on the critic states about its targets: their pace, and what they go through."""

from __future__ import annotations

import pytest

from qlearn_core.experiments import critic as experiment
from qlearn_core.experiments.device_orderings import interval
from qlearn_core.experiments.device_verdicts import judged
from qlearn_core.experiments.results import load


@pytest.mark.parametrize("measure", experiment.TARGET_MEASURES)
def test_what_is_drawn_against_tau_is_what_is_stored(measure):
    record = experiment.by_tau(measure=measure)
    assert record.taus.tolist() == [0.002, 0.02, 0.2, 1.0]
    for k, through in enumerate(("V", "Q")):
        for column, tau in enumerate(record.taus):
            values = experiment.at_target(through, tau, measure)
            assert record.means[k, column] == pytest.approx(values.mean())
            assert record.ends[:, k, column] == pytest.approx(interval(values))
    if measure == "ranking":
        assert experiment.trained(tau=0.2, alpha=1e-3).ranking == pytest.approx(record.means[0, 2])


def target(measure: str, better: tuple, worse: tuple) -> tuple[float, float, float]:
    """The difference of two targets (through, τ) in a measure, and the ends of its interval."""
    lead = experiment.at_target(*better, measure) - experiment.at_target(*worse, measure)
    return (float(lead.mean()), *interval(lead))


@pytest.mark.claim("target-networks")
def test_a_slow_target_ranks_better_than_none_and_is_the_less_settled():
    slow, faster, none = ("V", 0.02), ("V", 0.2), ("V", 1.0)
    assert judged(14).verdict == "reproduced"
    assert target("ranking", slow, none) == pytest.approx((0.042, 0.030, 0.055), abs=6e-4)
    assert target("success", slow, none) == pytest.approx((0.043, 0.016, 0.070), abs=6e-4)
    assert target("distance of the two critics", slow, none)[1] > 0.05
    assert target("ranking", slow, faster) == pytest.approx((0.023, 0.013, 0.032), abs=6e-4)
    assert target("success", slow, faster) == pytest.approx((0.035, 0.010, 0.059), abs=6e-4)
    assert target("rms error", slow, faster)[1] > 0.03
    means = {
        measure: [experiment.at_target(*one, measure).mean() for one in (slow, faster, none)]
        for measure in ("success", "rms error", "distance of the two critics")
    }
    assert means["success"] == pytest.approx([0.548, 0.514, 0.506], abs=6e-4)
    assert means["rms error"] == pytest.approx([0.232, 0.151, 0.165], abs=6e-4)
    assert means["distance of the two critics"][:2] == pytest.approx([0.222, 0.041], abs=6e-4)


def test_a_target_that_has_not_arrived_ranks_like_a_coin():
    record = experiment.trained(tau=0.002, alpha=1e-3)
    assert record.ranking == pytest.approx(0.531, abs=6e-4)
    assert record.rmse == pytest.approx(0.519, abs=6e-4)
    assert record.success[:2] == pytest.approx([0.310, 0.234], abs=6e-4)
    assert 0.998**1_000 > 0.1  # so much is left of the first weights


@pytest.mark.claim("target-networks")
def test_no_run_diverges_and_the_learning_rate_hardly_matters():
    cells = load("targets").cells
    assert not any(cell["diverged"].any() for cell in cells)
    none = [c for c in cells if c.settings["tau"] == 1.0 and c.settings["through"] == "V"]
    assert sum(len(cell["diverged"]) for cell in none) == 24
    ranking = [experiment.trained(tau=0.02, alpha=alpha).ranking for alpha in (3e-4, 1e-3, 3e-3)]
    assert ranking == pytest.approx([0.756, 0.768, 0.772], abs=6e-4)


@pytest.mark.claim("separate-value-critic")
def test_a_second_network_for_v_helps_ranking_by_a_hair():
    assert judged(15).verdict == "reproduced"
    through_v, through_q = ("V", 0.02), ("Q", 0.02)
    assert target("ranking", through_v, through_q) == pytest.approx(
        (0.0132, 0.0005, 0.0255), abs=6e-5
    )
    assert target("success", through_v, through_q) == pytest.approx(
        (0.021, -0.001, 0.045), abs=6e-4
    )
    for measure, ends in (
        ("rms error", (0.23, 0.15)),
        ("distance of the two critics", (0.22, 0.08)),
    ):
        found = [experiment.at_target(*one, measure).mean() for one in (through_v, through_q)]
        assert found == pytest.approx(ends, abs=6e-3)
    faster = [experiment.at_target(one, 0.2, "ranking").mean() for one in ("V", "Q")]
    assert faster == pytest.approx([0.745, 0.744], abs=6e-4)


def test_what_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="settings must name one cell"):
        experiment.trained(tau=0.3, alpha=1e-3)
    with pytest.raises(ValueError, match="measure must be one of success; ranking; .*, but is 'sp"):
        experiment.by_tau(measure="speed")
