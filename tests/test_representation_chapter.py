"""What the chapter on features that know actions states, measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qlearn_core.device.behaviour import SCRIPT
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import make_phone
from qlearn_core.device.rollouts import roll_out
from qlearn_core.device.screens import make_screens
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.experiments import representation as experiment
from qlearn_core.experiments.device import LAYOUT_SEED, TASK
from qlearn_core.experiments.device_orderings import interval
from qlearn_core.experiments.device_verdicts import judged, tuned
from qlearn_core.experiments.results import load


@pytest.mark.parametrize("noise", [6.0, 24.0])
def test_the_shares_of_labels_are_those_of_simulated_episodes(noise):
    """Per episode, since the actions of one episode are not independent."""
    phone = make_phone(replace(PhoneSettings(), noise=noise))
    screens = (make_screens(phone, make_layouts(phone.settings, 1, seed=LAYOUT_SEED)[0]),)
    data = roll_out(
        screens, (TASK,), SCRIPT.agent(screens, (TASK,)), num_episodes=800,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    i, t = np.nonzero(data.taken)
    before, after = (data.images[data.screens[i, t + k]].astype(float) for k in (0, 1))
    distance = np.sqrt(((after - before) ** 2).mean(axis=(1, 2)))
    changed = data.states[i, t] != data.states[i, t + 1]
    for threshold in (10, 27, 36, 50):
        record = experiment.labels(noise=noise, threshold=float(threshold))
        label = distance >= threshold
        for seen, exact in (
            (label, record.labelled[threshold]),
            (changed & ~label, record.missed[threshold]),
            (~changed & label, record.false[threshold]),
            (changed, record.changed),
        ):
            sums = np.bincount(i, seen - exact, minlength=800)  # mean zero over episodes
            error = sums.std() * np.sqrt(800) / len(seen)
            assert abs(seen.mean() - exact) < 4.5 * error + 1e-4


def test_the_numbers_on_labels():
    usual, noisy = (experiment.labels(noise=noise, threshold=27.0) for noise in (6.0, 24.0))
    wrong = [record.missed + record.false for record in (usual, noisy)]
    assert usual.changed == pytest.approx(0.754, abs=5e-4)
    assert wrong[0][27] == pytest.approx(0.0045, abs=5e-5)
    assert usual.missed[36] == pytest.approx(0.131, abs=5e-4)
    assert (wrong[1].argmin(), wrong[1].min()) == (40, pytest.approx(0.0239, abs=5e-5))
    assert wrong[1][27] == pytest.approx(0.217, abs=5e-4)
    assert usual.labelled == pytest.approx(usual.changed - usual.missed + usual.false)
    assert noisy.missed[40] > 0.98 * wrong[1][40]


def test_a_critic_off_the_shelf_is_the_same_in_two_experiments():
    td = load("td_against_mc").cell(num_episodes=64, chance=1.0, encoder="pages")
    same = load("representation").cell(encoder="pages", tuning="none")
    assert same["success"] == pytest.approx(td["success"][:, 0])
    assert same["ranking"] == pytest.approx(td["ranking"][:, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure": "speed"}, "measure must be one of share of the action, ranking"),
        ({"encoder": "oracle"}, "encoder must be one of pages, places, untrained, but is 'oracle'"),
    ],
)
def test_what_was_not_measured_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        experiment.tunings(**{"encoder": "pages", "measure": "ranking"} | change)


# --- the numbers of the prose ---------------------------------------------------------------------


def mean(metric: str, tuning: str, encoder: str = "pages") -> float:
    return float(tuned(metric, tuning, encoder).mean())


def gain(metric: str, better: str, worse: str, encoder="pages") -> tuple[float, float, float]:
    difference = tuned(metric, better, encoder) - tuned(metric, worse, encoder)
    return (float(difference.mean()), *interval(difference))


@pytest.mark.claim("action-ignored")
def test_the_critic_ignores_the_action_where_pre_training_never_asked_about_places():
    assert mean("true_share", "none") == pytest.approx(0.290, abs=6e-4)
    assert mean("action_share", "none") == pytest.approx(0.014, abs=6e-4)
    assert (tuned("action_share", "none") < 0.1 * tuned("true_share", "none")).all()
    for encoder, share in (("places", 0.227), ("untrained", 0.673)):
        assert (tuned("action_share", "none", encoder) > 0.1).all()
        assert mean("action_share", "none", encoder) == pytest.approx(share, abs=6e-4)


@pytest.mark.claim("fine-tuning-lowers-floor")
def test_fine_tuning_brings_the_action_back_and_helps():
    assert judged(4).verdict == "reproduced"
    assert mean("action_share", "change") == pytest.approx(0.235, abs=6e-4)
    assert gain("action_share", "change", "none") == pytest.approx((0.222, 0.178, 0.258), abs=6e-4)
    assert gain("ranking", "change", "none") == pytest.approx((0.046, 0.017, 0.076), abs=6e-4)
    assert gain("success", "change", "none") == pytest.approx((0.087, 0.055, 0.115), abs=6e-4)
    assert mean("success", "none") == pytest.approx(0.359, abs=6e-4)
    assert mean("success", "change") == pytest.approx(0.446, abs=6e-4)


@pytest.mark.claim("fine-tuning-lowers-floor")
def test_that_the_labels_are_what_helps_is_not_reproduced_and_the_error_hides_it():
    assert mean("action_share", "shuffled") == pytest.approx(0.257, abs=6e-4)
    assert judged(5).verdict == "not reproduced"
    found = (judged(5).mean, judged(5).low, judged(5).high)
    assert found == pytest.approx((0.031, -0.016, 0.080), abs=6e-4)
    assert gain("success", "change", "shuffled") == pytest.approx(found)
    assert gain("ranking", "change", "shuffled") == pytest.approx((0.035, -0.003, 0.073), abs=6e-4)
    assert gain("rmse", "change", "none") == pytest.approx((-0.015, -0.041, 0.016), abs=6e-4)


@pytest.mark.claim("fine-tuning-lowers-floor")
def test_features_that_knew_places_get_worse():
    assert mean("success", "none", "places") == pytest.approx(0.548, abs=6e-4)
    assert mean("success", "change", "places") == pytest.approx(0.431, abs=6e-4)
    assert gain("success", "change", "none", "places") == pytest.approx(
        (-0.118, -0.184, -0.050), abs=6e-4
    )
    assert gain("ranking", "change", "none", "places") == pytest.approx(
        (-0.129, -0.168, -0.087), abs=6e-4
    )


def test_shuffled_labels_do_the_same_harm_and_an_untrained_encoder_gains():
    assert mean("success", "shuffled", "places") == pytest.approx(0.402, abs=6e-4)
    assert gain("success", "change", "shuffled", "places") == pytest.approx(
        (0.029, -0.044, 0.095), abs=6e-4
    )
    assert mean("success", "none", "untrained") == pytest.approx(0.170, abs=6e-4)
    assert mean("success", "change", "untrained") == pytest.approx(0.305, abs=6e-4)
    assert gain("success", "change", "none", "untrained") == pytest.approx(
        (0.135, 0.093, 0.174), abs=6e-4
    )
    assert [mean("ranking", t, "untrained") for t in ("none", "change")] == pytest.approx(
        [0.467, 0.546], abs=6e-4
    )


def test_the_labels_of_the_data_are_nearly_free_of_error():
    cell = load("representation").cell(encoder="pages", tuning="change")
    assert cell["labelled"].mean() == pytest.approx(0.738, abs=6e-4)
    assert cell["wrong"].mean() == pytest.approx(0.0127, abs=6e-5)


def test_a_record_of_the_figure_has_the_means_of_the_stored_cells():
    record = experiment.tunings(encoder="pages", measure="share of the action")
    assert record.tunings == experiment.TUNINGS
    assert record.truth == pytest.approx(mean("true_share", "none"))
    for k, tuning in enumerate(record.tunings):
        assert record.values[k] == pytest.approx(tuned("action_share", tuning))
        assert record.intervals[k] == pytest.approx(interval(record.values[k]))
    assert experiment.tunings(encoder="untrained", measure="ranking").tunings == (
        "none", "change",
    )  # fmt: skip
