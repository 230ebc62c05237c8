"""What the chapter on TD against Monte Carlo states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.experiments import critic as experiment
from qlearn_core.experiments.device_orderings import interval
from qlearn_core.experiments.device_verdicts import judged, lead
from qlearn_core.experiments.results import load


def test_the_usual_settings_are_the_same_runs_in_three_experiments():
    usual = experiment.measured(num_episodes=64, chance=1.0)
    horizon = experiment.by_horizon(gamma=0.95, limit=15)
    assert horizon.td == pytest.approx(usual.td) and horizon.mc == pytest.approx(usual.mc)
    assert (horizon.lead, *horizon.lead_interval) == (usual.lead, *usual.lead_interval)
    record = experiment.trained(tau=0.02, alpha=1e-3)
    assert record.success == pytest.approx(usual.td) and record.usual == pytest.approx(usual.td)
    assert record.ranking == pytest.approx(usual.ranking[0])


@pytest.mark.claim("variance-decides")
def test_td_is_ahead_with_little_data_and_less_with_more():
    few, more = (
        experiment.measured(num_episodes=n, chance=1.0) for n in (64, 512)
    )  # fmt: skip
    assert few.td[1] == pytest.approx(0.548, abs=5e-4)
    assert few.mc[1] == pytest.approx(0.395, abs=5e-4)
    assert (few.lead, *few.lead_interval) == pytest.approx((0.154, 0.107, 0.196), abs=5e-4)
    assert (more.lead, *more.lead_interval) == pytest.approx((0.049, 0.025, 0.071), abs=5e-4)
    assert few.lead == pytest.approx(few.td[1] - few.mc[1])
    others = [experiment.measured(num_episodes=n, chance=1.0) for n in (16, 256)]
    assert [one.lead for one in others] == pytest.approx([0.131, 0.079], abs=6e-4)
    less = judged(1)
    assert (less.mean, less.low, less.high) == pytest.approx((0.105, 0.046, 0.160), abs=5e-4)
    assert [judged(k).verdict for k in (0, 1, 3)] == ["reproduced"] * 3


@pytest.mark.claim("variance-decides")
def test_that_chance_in_the_phone_makes_the_lead_is_not_reproduced():
    calm = experiment.measured(num_episodes=64, chance=0.0)
    assert calm.lead == pytest.approx(0.106, abs=5e-4) and calm.lead_interval[0] > 0.05
    rough = experiment.measured(num_episodes=64, chance=2.0)
    assert rough.lead == pytest.approx(0.160, abs=5e-4) and rough.lead_interval[0] > 0.05
    judgement = judged(2)
    assert judgement.verdict == "not reproduced"
    assert (judgement.mean, judgement.low, judgement.high) == pytest.approx(
        (0.048, -0.018, 0.108), abs=5e-4
    )
    assert judgement.mean == pytest.approx(np.mean(lead() - lead(chance=0.0)))


def test_sixteen_candidates_are_worse_than_one_and_exact_values_are_not():
    record = experiment.measured(num_episodes=64, chance=1.0)
    assert record.td[[0, 2]] == pytest.approx([0.310, 0.210], abs=5e-4)
    assert record.mc[2] == pytest.approx(0.049, abs=5e-4)
    assert record.td_interval[1, 2] < record.td[0]
    assert record.exact[1:] == pytest.approx([0.978, 0.984], abs=6e-4)


def test_on_untrained_features_td_is_behind_and_on_all_others_ahead():
    found = {
        name: experiment.leads(features=name, measure="success")
        for name in ("places", "pages", "oracle", "untrained")
    }
    assert [one.lead for one in found.values()] == pytest.approx(
        [0.154, 0.074, 0.149, -0.189], abs=5e-4
    )
    for name, one in found.items():
        low, high = one.lead_interval
        assert high < 0 if name == "untrained" else low > 0
    assert found["untrained"].td.mean() == pytest.approx(0.170, abs=5e-4)
    assert found["untrained"].mc.mean() == pytest.approx(0.359, abs=5e-4)
    assert found["oracle"].td.mean() == pytest.approx(0.553, abs=5e-4)
    ranking = experiment.leads(features="untrained", measure="ranking")
    assert ranking.td.mean() == pytest.approx(0.467, abs=5e-4) and (ranking.td < 0.5).all()
    cell = load("td_against_mc").cell(num_episodes=64, chance=1.0, encoder="pages")
    assert experiment.leads(features="pages", measure="rms error").mc == pytest.approx(
        cell["rmse"][:, 1]
    )


def ranking_lead(gamma: float, limit: int) -> np.ndarray:
    td, mc = load("horizon").cell(gamma=gamma, limit=limit)["ranking"].T
    return td - mc


def test_the_length_of_the_episodes_is_not_what_makes_the_lead():
    assert judged(13).verdict == "not reproduced"
    found = (judged(13).mean, judged(13).low, judged(13).high)
    assert found == pytest.approx((-0.017, -0.045, 0.022), abs=6e-4)
    assert [ranking_lead(0.95, limit).mean() for limit in (8, 30)] == pytest.approx(
        [0.145, 0.162], abs=6e-4
    )
    short, long = (experiment.by_horizon(gamma=0.95, limit=limit) for limit in (8, 30))
    assert 100 * np.array([short.td[1], long.td[1]]) == pytest.approx([47, 57], abs=0.5)
    assert 100 * np.array([short.mc[1], long.mc[1]]) == pytest.approx([36, 40], abs=0.5)
    share = [load("horizon").cell(gamma=0.95, limit=n)["data_success"].mean() for n in (8, 15, 30)]
    assert 100 * np.array(share) == pytest.approx([7, 34, 66], abs=0.5)


def test_the_critic_with_the_smaller_error_ranks_worse():
    cell = load("horizon").cell(gamma=0.95, limit=30)
    assert interval(cell["rmse"][:, 0] - cell["rmse"][:, 1])[0] > 0
    assert cell["rmse"].mean(axis=0) == pytest.approx([0.229, 0.189], abs=6e-4)
    assert interval(ranking_lead(0.95, 30))[0] > 0
    assert cell["ranking"].mean(axis=0) == pytest.approx([0.783, 0.621], abs=6e-4)


def test_the_nearer_the_horizon_the_smaller_the_lead():
    records = [experiment.by_horizon(gamma=gamma, limit=30) for gamma in (0.99, 0.95, 0.8, 0.5)]
    leads = [record.lead for record in records]
    assert leads == pytest.approx([0.263, 0.168, 0.089, 0.040], abs=6e-4)
    assert all(record.lead_interval[0] > 0 for record in records)
    short, long = (ranking_lead(0.5, limit) for limit in (8, 30))
    assert (short.mean(), long.mean()) == pytest.approx((0.071, 0.028), abs=6e-4)
    assert interval(short - long)[0] > 0
    near, usual = (experiment.by_horizon(gamma=gamma, limit=15) for gamma in (0.8, 0.95))
    assert 100 * np.array([near.mc[1], usual.mc[1]]) == pytest.approx([45, 40], abs=0.6)
    assert 100 * np.array([near.td[1], usual.td[1]]) == pytest.approx([56, 55], abs=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiment.measured(num_episodes=65, chance=1.0), "settings must name one cell"),
        (
            lambda: experiment.leads(features="places", measure="speed"),
            "measure must be one of success, ranking, rms error, but is 'speed'",
        ),
        (lambda: experiment.by_horizon(gamma=0.6, limit=15), "settings must name one cell"),
    ],
)
def test_what_was_not_measured_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
