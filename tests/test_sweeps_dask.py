"""The same sweep on an engine of several processes, one of which is lost on the way."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster

from qlearn_core.experiments.semi_gradient import sampled_descent
from qlearn_core.sweeps import sweep
from tests.test_repository import ROOT
from tests.test_sweeps import DESCENTS, THREADS, assert_same_descents, threads_inside


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def slow_draw(file: str, *, seed: int) -> float:
    with open(file, "a") as notes:
        notes.write(f"{os.getpid()} {seed}\n")
    time.sleep(0.02)
    return np.random.default_rng(seed).random()


def test_dask_gives_the_same_numbers(client):
    with joblib.parallel_config(n_jobs=1):
        expected = sweep(sampled_descent, over=DESCENTS, seeds=range(5))
    with joblib.parallel_config("dask"):
        found = sweep(sampled_descent, over=DESCENTS, seeds=range(5))
    assert_same_descents(found, expected)


def test_a_worker_of_dask_computes_in_one_thread(client):
    with joblib.parallel_config("dask"):
        result = sweep(threads_inside, over={}, seeds=range(3))
    assert result.records.tolist() == [["1"] * len(THREADS)] * 3


def test_a_lost_worker_costs_no_result(client, tmp_path):
    """The engine starts its unfinished calls again elsewhere; each result counts once."""
    notes, killed = tmp_path / "notes", []

    def kill_a_worker_in_the_middle():
        end = time.monotonic() + 30
        while not notes.exists() or len(notes.read_text().splitlines()) < 40:
            assert time.monotonic() < end, "the sweep does not get on"
            time.sleep(0.005)
        killed.append(int(notes.read_text().splitlines()[-1].split()[0]))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_a_worker_in_the_middle)
    killer.start()
    with joblib.parallel_config("dask"):
        over, folder = {"file": [str(notes)]}, tmp_path / "kept"
        result = sweep(slow_draw, over=over, seeds=range(120), folder=folder)
    killer.join()
    assert killed and killed[0] != os.getpid()
    expected = [np.random.default_rng(seed).random() for seed in range(120)]
    assert result.stack(float)[:, 0].tolist() == expected
    assert len(list(folder.iterdir())) == 120
    runs = [line.split()[1] for line in notes.read_text().splitlines()]
    assert set(runs) == set(map(str, range(120))) and len(runs) > 120


def test_the_code_of_the_page_runs(client, tmp_path, monkeypatch):
    """Its three pieces in turn, on a small grid and with the address of this engine."""
    page = (ROOT / "book" / "sweeps.md").read_text(encoding="utf-8")
    pieces = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(pieces) == 3
    smaller = {
        "(4, 8, 16)": "(2, 3)",
        "(100,)": "(4,)",
        "(8,)": "(2,)",
        "range(20)": "range(2)",
        "range(40)": "range(3)",
        "scheduler-address:8786": client.scheduler.address,
    }
    code = "\n".join(pieces)
    for old, new in smaller.items():
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(code, found)
    assert found["errors"].shape == (2, 2, 2, 1, 1)
    assert found["mean"].shape == found["spread"].shape == (2, 2, 1, 1)
    assert found["result"].seeds == (0, 1, 2)
    assert len(list((tmp_path / "runs" / "front").iterdir())) == 12
