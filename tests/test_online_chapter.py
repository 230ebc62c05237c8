"""What the chapter on going online states, measured."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from qlearn_core.device.phone import START
from qlearn_core.experiments import online as experiment
from qlearn_core.experiments import results
from qlearn_core.experiments.device import TASK, screens_at, script_policy
from qlearn_core.experiments.online import COLLECTIONS, of_arm
from qlearn_core.planning import evaluate_policy

# --- the loop with made errors --------------------------------------------------------------------


def test_without_errors_one_round_is_enough_and_no_round_is_worse():
    for num_candidates in (1, 4, 16):
        record = experiment.loop(sigma=0.0, num_candidates=num_candidates)
        assert record.exact[0] == pytest.approx(0.442, abs=5e-4)
        assert record.exact[1:] == pytest.approx(0.985, abs=5e-4)
        assert (np.diff(record.exact) >= -1e-12).all()
        assert record.means == pytest.approx(np.stack([record.exact] * 2))


def test_a_round_is_what_loops_over_all_pairs_of_candidates_give(monkeypatch):
    """The first round of one repetition with N = 2, without the formulas of the package."""
    sigma = 0.1
    monkeypatch.setattr(experiment, "NUM_DRAWS", 2)
    screens = screens_at(1.0)
    phone, mdp = screens.phone, screens.phone.mdp(TASK)
    script = script_policy(screens, TASK, experiment.SCRIPT)
    q = evaluate_policy(mdp, script, gamma=0.95)
    found = []
    for seed in range(2):
        scores = q + sigma * np.random.default_rng(seed).standard_normal(q.shape)
        pi = np.zeros_like(script)
        for s in range(phone.num_states):
            value = script[s] @ scores[s]
            offered = np.flatnonzero(script[s])
            for a, b in itertools.product(offered, offered):
                best = a if scores[s, a] >= scores[s, b] else b
                if scores[s, best] > value:
                    pi[s, best] += script[s, a] * script[s, b]
            pi[s] = pi[s] / pi[s].sum() if pi[s].any() else script[s]
        step = np.einsum("sm,smt->st", pi, mdp.P)
        reached = np.linalg.matrix_power(step, phone.settings.horizon)
        found.append(reached[START, phone.ordered(TASK)])
    record = experiment.loop(sigma=sigma, num_candidates=2)
    assert record.means[:, 1] == pytest.approx(np.mean(found), abs=1e-9)


def test_the_errors_are_the_same_for_every_size_and_number_of_candidates():
    one, other = (experiment.loop(sigma=1e-9, num_candidates=n) for n in (4, 4))
    assert (one.means == other.means).all()
    with pytest.raises(ValueError, match="sigma must be a number >= 0"):
        experiment.loop(sigma=-0.1, num_candidates=4)
    with pytest.raises(ValueError, match="num_candidates must be an integer >= 1"):
        experiment.loop(sigma=0.1, num_candidates=0)


# --- what is stored -------------------------------------------------------------------------------


def raw(collection: str, metric: str) -> np.ndarray:
    """(seed, ...) straight from the file."""
    stored = json.loads((results.FOLDER / "online.json").read_text(encoding="utf-8"))
    (cell,) = [c for c in stored["cells"] if c["settings"]["collection"] == collection]
    assert cell["settings"] == {
        "collection": collection, "proposals": "latest", "kappa": 0.0, "num_candidates": 4,
        "num_episodes": 64,
    }  # fmt: skip
    return np.array(cell["metrics"][metric])


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_records_hold_the_means_of_the_file(collection):
    k = COLLECTIONS.index(collection)
    for side, tasks in enumerate(experiment.SIDES):
        record = experiment.success(tasks=tasks)
        assert record.means[k] == pytest.approx(raw(collection, "success")[:, side].mean(axis=0))
        assert (record.ends[0] <= record.means).all() and (record.means <= record.ends[1]).all()
    errors, drift = experiment.errors(collection=collection), experiment.drift(
        collection=collection
    )  # fmt: skip
    assert errors.rms == pytest.approx(raw(collection, "error").mean(axis=0))
    assert errors.bias == pytest.approx(raw(collection, "bias").mean(axis=0))
    assert drift.divergence == pytest.approx(raw(collection, "divergence").mean(axis=0))
    assert drift.shift == pytest.approx(raw(collection, "shift").mean(axis=0))
    assert drift.most == pytest.approx(np.arange(5) * np.log(4))


def test_all_arms_share_the_first_round_and_the_start():
    for metric in ("success", "divergence", "shift"):
        first = [raw(name, metric)[..., :2] for name in COLLECTIONS]
        assert (first[0] == first[1]).all() and (first[0] == first[2]).all()
    assert (raw("none", "divergence")[:, 0] == 0).all()


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match="tasks must be one of training tasks, test tasks"):
        experiment.success(tasks="all tasks")
    with pytest.raises(ValueError, match="collection must be one of none, fresh, mixed"):
        of_arm("all", "success")
