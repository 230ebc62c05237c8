"""The experiment of policy extraction: what the arms do with exact values."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device.extraction import divergence
from qlearn_core.experiments.device_extraction import ARMS, extracted, extraction

BETA = np.array([[0.4, 0.1, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]])
Q = np.array([[0.1, 0.9, 0.5, 0.2], [0.3, 0.1, 0.0, 0.0]])
ADVANTAGES = Q - (BETA * Q).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_a_policy_that_is_better_than_the_behaviour_where_values_are_exact(arm):
    for value in ARMS[arm]:
        pi = extracted(arm, value, Q, ADVANTAGES, BETA)
        assert pi.sum(axis=1) == pytest.approx(1.0) and (pi >= 0).all()
        if (arm, value) == ("reranked", 1):
            assert pi == pytest.approx(BETA)
        else:
            assert ((pi * Q).sum(axis=1) > (BETA * Q).sum(axis=1)).all()
            assert (divergence(pi, BETA) > 0).all()


def test_the_arms_go_further_from_the_behaviour_as_their_values_say():
    for arm, values in ARMS.items():
        reached = [divergence(extracted(arm, v, Q, ADVANTAGES, BETA), BETA).sum() for v in values]
        assert (np.diff(reached) * (-1 if arm == "AWR" else 1) > 0).all()


def test_an_arm_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="arm must be one of reranked, Best-of-N"):
        extracted("greedy", 1, Q, ADVANTAGES, BETA)


def test_a_run_holds_every_arm_with_learned_and_with_exact_values(small_experiments):
    record = extraction(num_episodes=4, encoder="untrained", seed=3)
    assert record.success.shape == record.divergence.shape == (2, len(record.arms))
    one = record.arms.index("reranked")
    assert record.values[one] == 1
    assert record.success[:, one] == pytest.approx(record.behaviour)
    assert record.divergence[:, one] == pytest.approx(0.0, abs=1e-9)
    assert ((record.success >= 0) & (record.success <= 1)).all()
    assert (record.divergence > -1e-9).all()
    assert (record.success[1] >= record.behaviour - 1e-9).all()
    assert ((record.kept >= 0) & (record.kept <= 1)).all() and (np.diff(record.kept[1]) > 0).all()
