"""A sweep that is interrupted, killed, or that loses a worker goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent

# A study of somebody else; its experiment notes the process and the seed of every run.
STUDY = """
import os, time
from dataclasses import dataclass
import numpy as np
import joblib
from qlearn_core.sweeps import sweep

@dataclass(frozen=True)
class Walk:
    path: np.ndarray

def walk(gamma, *, seed):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{os.getpid()} {gamma} {seed}\\n")
    time.sleep(0.02)
    return Walk(gamma ** np.random.default_rng(seed).random(3))

def main(engine):
    with joblib.parallel_config(engine, n_jobs=2):
        found = sweep(walk, over={"gamma": (0.5, 0.9)}, seeds=range(40), folder="kept")
    np.save("paths", found.stack(lambda record: record.path))
"""
NUM_RUNS = 80
EXPECTED = np.array(
    [[gamma ** np.random.default_rng(seed).random(3) for gamma in (0.5, 0.9)] for seed in range(40)]
)


class Study:
    """A folder with the study, where sweeps run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen] = []
        (folder / "study.py").write_text(STUDY, encoding="utf-8")

    def start(self, engine: str) -> subprocess.Popen:
        return self.python("-c", f"import study; study.main({engine!r})")

    def python(self, *arguments: str) -> subprocess.Popen:
        notes = self.folder / f"notes{len(self.started)}"
        notes.touch()
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        with open(self.folder / "said", "a") as said:
            sweep = subprocess.Popen(
                [sys.executable, "-W", "error", *arguments],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": path, "NOTES": str(notes)},
                stderr=said,
                start_new_session=True,
            )
        self.started.append(sweep)
        return sweep

    def end(self, sweep: subprocess.Popen) -> tuple[int, str]:
        """Wait for it; its exit status, and what has been said since the last time."""
        status = sweep.wait(timeout=60)
        said = (self.folder / "said").read_text()
        (self.folder / "said").write_text("")
        return status, said

    def runs(self) -> list[list[str]]:
        """Process, gamma and seed of every run of the sweep that was started last."""
        notes = self.folder / f"notes{len(self.started) - 1}"
        lines = notes.read_text().splitlines(keepends=True)
        return [line.split() for line in lines if line.endswith("\n")]

    def kept(self) -> int:
        return len(list((self.folder / "kept").glob("*.npz")))

    def wait_for_kept(self, number: int) -> None:
        end = time.monotonic() + 60
        while self.kept() < number:
            assert time.monotonic() < end, "the sweep does not get on"
            time.sleep(0.005)

    def finish(self) -> None:
        """Run to the end, and compare what was found with what is right."""
        kept = self.kept()
        assert self.end(self.start("threading")) == (0, "")
        assert len(self.runs()) == NUM_RUNS - kept
        assert self.kept() == NUM_RUNS
        np.testing.assert_array_equal(np.load(self.folder / "paths.npy"), EXPECTED)


@pytest.fixture
def study(tmp_path) -> Iterator[Study]:
    study = Study(tmp_path)
    yield study
    for sweep in study.started:
        with suppress(ProcessLookupError):
            # Workers outlive a parent that was killed, until they have been idle for a while.
            os.killpg(sweep.pid, signal.SIGKILL)
        sweep.wait()


@pytest.mark.parametrize("engine", ["threading", "loky"])
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_stopped_goes_on_where_it_was(study, engine, blow):
    sweep = study.start(engine)
    study.wait_for_kept(10)
    os.killpg(sweep.pid, blow) if blow == signal.SIGINT else sweep.kill()
    status, said = study.end(sweep)
    assert status == -signal.SIGKILL if blow == signal.SIGKILL else "KeyboardInterrupt" in said
    assert 10 <= study.kept() < NUM_RUNS
    study.finish()


def test_a_sweep_that_loses_a_worker_keeps_what_was_finished(study):
    sweep = study.start("loky")
    study.wait_for_kept(10)
    os.kill(int(study.runs()[-1][0]), signal.SIGKILL)
    status, said = study.end(sweep)
    assert status == 1
    assert "TerminatedWorkerError" in said
    study.finish()


def test_two_processes_may_run_the_same_sweep_at_once(study):
    sweeps = [study.start("threading") for _ in range(2)]
    assert [study.end(sweep) for sweep in sweeps] == [(0, ""), (0, "")]
    assert sorted(path.suffix for path in (study.folder / "kept").iterdir()) == [".npz"] * NUM_RUNS
    study.finish()
    assert study.runs() == []


def test_an_experiment_may_stand_in_the_script_that_is_run(study):
    script = STUDY + '\nif __name__ == "__main__":\n    main("loky")\n'
    (study.folder / "script.py").write_text(script, encoding="utf-8")
    for num_runs in (NUM_RUNS, 0):
        assert study.end(study.python("script.py")) == (0, "")
        assert len(study.runs()) == num_runs
        np.testing.assert_array_equal(np.load(study.folder / "paths.npy"), EXPECTED)
