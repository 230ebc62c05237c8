"""The experiment of extraction by networks: what they are given, and the tables beside them."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device import extraction
from qlearn_core.device.extraction import imitation_gradient, optimum, reinforce_gradient
from qlearn_core.experiments.device_extraction import ARMS as ALL_ARMS
from qlearn_core.experiments.device_extraction import extracted
from qlearn_core.experiments.device_networks import ARMS, networks, values

BETA = np.array([[0.4, 0.1, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]])
Q = np.array([[0.1, 0.9, 0.5, 0.2], [0.3, 0.1, 0.0, 0.0]])
KNOWN = Q, Q - (BETA * Q).sum(axis=1, keepdims=True), BETA


@pytest.mark.parametrize(("arm", "value"), ARMS)
def test_networks_are_given_the_objectives_that_the_tables_follow(arm, value):
    assert value in ALL_ARMS[arm]
    given, table = values(arm, value, *KNOWN), extracted(arm, value, *KNOWN)
    if arm in ("Best-of-N", "AWR"):  # the table is where the gradient of the objective is 0
        assert optimum(given, BETA) == pytest.approx(table)
        assert imitation_gradient(table, given) == pytest.approx(0.0, abs=1e-12)
        return
    gradient = reinforce_gradient if arm == "REINFORCE" else imitation_gradient
    uphill = gradient(BETA, given)
    assert (np.sign(table - BETA) * uphill).sum() > 0  # the table has gone where it points


def test_a_run_holds_tables_and_networks_on_both_sides(small_experiments, monkeypatch):
    monkeypatch.setattr(extraction, "NUM_UPDATES", 0)
    still = networks(num_episodes=6, seed=3)
    assert still.success.shape == (2, 2, len(ARMS)) and still.divergence.shape == (2, len(ARMS))
    for row in range(len(ARMS)):  # networks that have not moved are β
        assert still.success[1, :, row] == pytest.approx(still.behaviour, abs=1e-6)
    assert still.divergence[1] == pytest.approx(0.0, abs=1e-6) and (still.divergence[0] > 0).all()
    assert not still.diverged.any()
    monkeypatch.setattr(extraction, "NUM_UPDATES", 3)
    moved = networks(num_episodes=6, seed=3)
    assert (moved.success[0] == still.success[0]).all()
    assert (moved.divergence[1] > 0).all() and moved.divergence[1].max() < still.divergence[0].max()


def test_a_network_that_diverged_never_succeeds_and_says_so(small_experiments, monkeypatch):
    monkeypatch.setattr(extraction, "NUM_UPDATES", 3)
    monkeypatch.setattr(extraction, "LEARNING_RATE", 1e30)
    run = networks(num_episodes=6, seed=3)
    assert run.diverged.all() and (run.success[1] == 0).all() and (run.success[0] > 0).all()
