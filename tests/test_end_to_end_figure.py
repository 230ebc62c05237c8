"""Frozen features against an encoder that learns: the record and the drawing of what is stored."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from qlearn_book.figures import end_to_end as figure
from qlearn_core.experiments import end_to_end as experiment
from qlearn_core.experiments import results
from qlearn_core.experiments.device_orderings import verdict


def raw(rate: float, metric: str) -> np.ndarray:
    """(seed, ...) straight from the file."""
    stored = json.loads((results.FOLDER / "end_to_end.json").read_text(encoding="utf-8"))
    (cell,) = [cell for cell in stored["cells"] if cell["settings"]["rate"] == rate]
    return np.array(cell["metrics"][metric])


@pytest.mark.parametrize("measure", experiment.MEASURES)
def test_the_record_holds_the_numbers_of_the_file(measure):
    record = experiment.rates(measure=measure)
    for k, rate in enumerate(record.rates):
        values = raw(rate, experiment.MEASURES[measure])
        values = values[:, 1] if values.ndim == 2 else values
        assert (record.values[:, k] == values).all()
        assert record.means[k] == pytest.approx(values.mean())
        assert record.low[k] <= record.means[k] <= record.high[k]
        assert record.largest[k] == pytest.approx(raw(rate, "largest").mean())
    successes = [raw(rate, "success")[:, 1].mean() for rate in record.rates[1:]]
    assert record.best == record.rates[1 + int(np.argmax(successes))]
    best = int(np.flatnonzero(record.rates == record.best)[0])
    assert record.lead == pytest.approx((record.values[:, 0] - record.values[:, best]).mean())
    low, high = record.lead_interval
    assert low <= record.lead <= high
    ahead = raw(0.0, "success")[:, 1] - raw(record.best, "success")[:, 1]
    assert record.success_verdict == verdict(ahead)


def test_frozen_features_stay_and_others_move_the_farther_the_larger_the_rate():
    record = experiment.rates(measure="success")
    assert record.moved[0] == 0 and (np.diff(record.moved) > 0).all()
    assert record.num_diverged == sum(raw(rate, "diverged").sum() for rate in record.rates)


def test_one_candidate_is_the_behaviour_policy_whatever_the_rate():
    first = [raw(rate, "success")[:, 0] for rate in experiment.rates(measure="success").rates]
    assert all((one == first[0]).all() for one in first)


@pytest.mark.parametrize("measure", experiment.MEASURES)
def test_the_drawing_is_valid_and_says_what_it_shows(measure):
    record = experiment.rates(measure=measure)
    drawing = figure.rates(record)
    go.Figure({"data": drawing["data"], "layout": drawing["layout"]})
    summary = drawing["layout"]["meta"]["summary"]
    assert f"{record.means[0]:.2f} with frozen features" in summary
    assert f"{record.lead:+.2f}" in summary


def test_another_measure_is_named():
    with pytest.raises(ValueError, match="measure must be one of success; ranking"):
        experiment.rates(measure="speed")


# --- the numbers of the chapter on going online ---------------------------------------------------


@pytest.mark.claim("end-to-end-unstable")
def test_no_run_diverges_and_a_moving_encoder_succeeds_more_often():
    """The ordering that was written down before is reversed."""
    record = experiment.rates(measure="success")
    assert record.num_diverged == 0 and record.values[:, 1:].size == 24
    assert record.best == 1e-3 and record.success_verdict == "reversed"
    assert 100 * record.means[[0, -1]] == pytest.approx([53, 58], abs=0.6)
    assert (record.lead, *record.lead_interval) == pytest.approx((-0.051, -0.091, -0.011), abs=5e-4)
    assert record.largest[[0, -1]] == pytest.approx([1.43, 1.36], abs=0.005)


@pytest.mark.claim("frozen-is-stable")
def test_a_moving_encoder_is_no_more_exact_and_its_critics_are_closer():
    rms, ranking, spread = (
        experiment.rates(measure=name)
        for name in ("rms error", "ranking", "distance of the two critics")
    )
    assert rms.means[[0, -1]] == pytest.approx([0.237, 0.248], abs=5e-4)
    assert spread.means[[0, -1]] == pytest.approx([0.222, 0.200], abs=1e-3)
    for record in (rms, ranking):
        assert record.lead_interval[0] < 0 < record.lead_interval[1]
    assert spread.lead_interval[0] > 0
