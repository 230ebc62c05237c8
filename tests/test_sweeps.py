"""Sweeps: the grid, the numbers on every engine, what is kept, and what is refused."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import pytest

from qlearn_core import sweeps
from qlearn_core.experiments.semi_gradient import sampled_descent
from qlearn_core.sweeps import Sweep, sweep


@dataclass(frozen=True)
class Walk:
    gamma: float
    path: np.ndarray  # (length,)


def walk(gamma: float, length: int = 3, *, seed: int) -> Walk:
    note(seed)
    return Walk(gamma, np.random.default_rng(seed).normal(size=length) * gamma)


def note(seed: int) -> None:
    """For the tests that count runs, in whatever process these happen."""
    if "SWEEP_NOTES" in os.environ:
        with open(os.environ["SWEEP_NOTES"], "a") as notes:
            notes.write(f"{seed}\n")


def fail_at_seven(gamma: float, *, seed: int) -> Walk:
    if seed == 7:
        raise ZeroDivisionError("seven")
    return walk(gamma, seed=seed)


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def threads_inside(*, seed: int) -> list[str]:
    return [os.environ[name] for name in THREADS]


def opaque(*, seed: int) -> object:
    return object()


GAMMAS, LENGTHS = (0.5, 0.9), (2, 3, 4)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """How many runs there have been since the last time one asked."""
    notes = tmp_path / "notes"
    notes.touch()
    monkeypatch.setenv("SWEEP_NOTES", str(notes))

    def count() -> int:
        found = len(notes.read_text().split())
        notes.write_text("")
        return found

    return count


@pytest.fixture
def serial():
    with joblib.parallel_config(n_jobs=1):
        yield


def test_records_stand_in_the_order_of_seeds_and_of_the_parameters(serial):
    result = sweep(walk, over={"length": LENGTHS, "gamma": GAMMAS}, seeds=(5, 1))
    assert result.over == {"length": LENGTHS, "gamma": GAMMAS}
    assert result.seeds == (5, 1)
    assert result.records.shape == (2, 3, 2)
    for i, seed in enumerate(result.seeds):
        for j, length in enumerate(LENGTHS):
            for k, gamma in enumerate(GAMMAS):
                expected = walk(gamma, length, seed=seed)
                assert result.records[i, j, k].gamma == gamma
                np.testing.assert_array_equal(result.records[i, j, k].path, expected.path)


def test_records_are_read_into_arrays_with_the_seed_leading(serial):
    result = sweep(walk, over={"gamma": GAMMAS, "length": [4]}, seeds=range(3))
    paths = result.stack(lambda record: record.path)
    assert paths.shape == (3, 2, 1, 4)
    np.testing.assert_array_equal(paths[2, 1, 0], walk(0.9, 4, seed=2).path)
    assert result.stack(lambda record: record.gamma).tolist() == [[[0.5], [0.9]]] * 3


def test_arrays_of_different_shapes_are_refused(serial):
    result = sweep(walk, over={"gamma": [0.5], "length": LENGTHS}, seeds=[0])
    with pytest.raises(ValueError, match=r"one shape for all records, but gives \(2,\) and \(3,\)"):
        result.stack(lambda record: record.path)


def test_no_parameter_but_the_seed_is_a_grid_too(serial):
    assert sweep(partial(walk, 0.5), over={}, seeds=range(4)).records.shape == (4,)


DESCENTS = {"gamma": (0.5, 0.9), "omega": np.array([0.6, 0.8]), "num_updates": [500]}
ENGINES = [("loky", 2), ("loky", 4), ("threading", 1), ("threading", 2), ("threading", 4)]


@pytest.mark.parametrize(("engine", "num_workers"), ENGINES)
def test_every_engine_and_number_of_workers_gives_the_same_numbers(engine, num_workers):
    with joblib.parallel_config(n_jobs=1):
        expected = sweep(sampled_descent, over=DESCENTS, seeds=range(3))
    with joblib.parallel_config(engine, n_jobs=num_workers):
        found = sweep(sampled_descent, over=DESCENTS, seeds=range(3))
    assert_same_descents(found, expected)


def assert_same_descents(found: Sweep, expected: Sweep) -> None:
    """Bit for bit, and no two of them are alike."""
    for one, other in zip(found.records.flat, expected.records.flat, strict=True):
        for name, values in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), values)
    ends = expected.stack(lambda record: record.semi[0, -1])
    assert np.unique(ends).size == ends.size


def test_without_a_word_about_it_all_cores_work(monkeypatch):
    found = []

    def watched(num_jobs):
        found.append(joblib.effective_n_jobs(num_jobs))
        return found[-1]

    monkeypatch.setattr(sweeps, "effective_n_jobs", watched)
    sweep(walk, over={"gamma": GAMMAS}, seeds=[0])
    assert found == [joblib.cpu_count()]


def test_a_worker_process_computes_in_one_thread(monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "2")
    with joblib.parallel_config(n_jobs=3):  # another number than before: new processes
        result = sweep(threads_inside, over={}, seeds=range(3))
    assert result.records.tolist() == [["1", "1", "1"]] * 3


def test_short_runs_are_handed_over_together_and_long_ones_one_by_one(monkeypatch):
    """Seconds are what the clock says; here it says that each run took 10 ms, or a minute."""
    for seconds, largest in ((0.01, 64), (60.0, 1)):
        sizes = []

        def run(experiment, part, points, sizes=sizes, seconds=seconds):
            sizes.append(len(part))
            return part, [seconds] * len(part), None, seconds * len(part)

        monkeypatch.setattr(sweeps, "_run", run)
        with joblib.parallel_config(n_jobs=1):
            sweep(walk, over={"gamma": GAMMAS}, seeds=range(500))
        assert sum(sizes) == 1000
        assert max(sizes) == largest
        assert sizes[-1] == 1
        assert len(sizes) == 1000 if largest == 1 else len(sizes) < 1000 / 64 + 20


def test_what_is_kept_is_not_computed_again(tmp_path, runs, serial):
    here = tmp_path / "kept"
    first = sweep(walk, over={"gamma": GAMMAS}, seeds=range(3), folder=here)
    assert runs() == 6
    assert len(list(here.iterdir())) == 6
    again = sweep(walk, over={"gamma": GAMMAS}, seeds=range(3), folder=str(here))
    assert runs() == 0
    wider = sweep(walk, over={"length": [3], "gamma": (*GAMMAS, 0.99)}, seeds=(4, 1), folder=here)
    assert runs() == 4 + 2, "length=3 is written out, which makes other settings"
    for one, other in zip(first.records.flat, again.records.flat, strict=True):
        assert one.path.tobytes() == other.path.tobytes()
    np.testing.assert_array_equal(wider.records[1, 0, 0].path, first.records[1, 0].path)


def test_the_order_of_parameters_does_not_matter_to_what_is_kept(tmp_path, runs, serial):
    sweep(walk, over={"gamma": GAMMAS, "length": LENGTHS}, seeds=[0], folder=tmp_path / "kept")
    sweep(walk, over={"length": LENGTHS, "gamma": GAMMAS}, seeds=[0], folder=tmp_path / "kept")
    assert runs() == 6


def test_other_code_is_another_result(tmp_path, runs, serial, monkeypatch):
    for key in ("before", "after", "before"):
        monkeypatch.setattr(sweeps, "source_key", lambda experiment, key=key: key)
        sweep(walk, over={"gamma": GAMMAS}, seeds=[0], folder=tmp_path / "kept")
    assert runs() == 4


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_damaged_file_is_computed_again(tmp_path, runs, serial, damage):
    here = tmp_path / "kept"
    whole = sweep(walk, over={"gamma": GAMMAS}, seeds=range(3), folder=here)
    file = sorted(here.iterdir())[2]
    content = file.read_bytes()
    file.write_bytes(content[:-1] if damage is None else damage)
    runs()
    again = sweep(walk, over={"gamma": GAMMAS}, seeds=range(3), folder=here)
    assert runs() == 1
    assert file.read_bytes() == content
    assert [r.path.tolist() for r in again.records.flat] == [
        r.path.tolist() for r in whole.records.flat
    ]


def test_a_run_that_fails_is_named_and_what_was_finished_is_kept(tmp_path, runs):
    with joblib.parallel_config("threading", n_jobs=2):
        with pytest.raises(RuntimeError) as caught:
            sweep(fail_at_seven, over={"gamma": [0.5]}, seeds=range(20), folder=tmp_path / "kept")
    assert str(caught.value).startswith("fail_at_seven(gamma=0.5, seed=7) failed:\nTraceback")
    assert "ZeroDivisionError: seven" in str(caught.value)
    kept = len(list((tmp_path / "kept").iterdir()))
    assert kept >= 1
    runs()
    others = [seed for seed in range(20) if seed != 7]
    with joblib.parallel_config(n_jobs=1):
        sweep(fail_at_seven, over={"gamma": [0.5]}, seeds=others, folder=tmp_path / "kept")
    assert runs() == 19 - kept


def test_runs_before_a_failure_in_the_same_call_are_kept(tmp_path, serial, monkeypatch):
    monkeypatch.setattr(sweeps, "SHORTEST", 1e9)  # calls become as large as they may
    with pytest.raises(RuntimeError, match="seed=7"):
        seeds = [*range(20, 120), *range(20)]
        sweep(fail_at_seven, over={"gamma": [0.5]}, seeds=seeds, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 107


def test_an_interrupted_write_leaves_no_file(tmp_path, monkeypatch, serial):
    def interrupted(aside, file):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(walk, over={"gamma": GAMMAS}, seeds=[0], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_kept_is_named(tmp_path, serial):
    with pytest.raises(ValueError, match=r"opaque\['record'\] must be None, a number"):
        sweep(opaque, over={}, seeds=[0], folder=tmp_path)
    with pytest.raises(ValueError, match=r"settings\['gamma'\] must be None, a number"):
        sweep(walk, over={"gamma": [object()]}, seeds=[0], folder=tmp_path)
    assert isinstance(sweep(opaque, over={}, seeds=[0]).records[0], object)


class Terminal:
    def __init__(self, is_one: bool) -> None:
        self.is_one, self.written = is_one, ""

    def isatty(self) -> bool:
        return self.is_one

    def write(self, text: str) -> None:
        self.written += text

    def flush(self) -> None: ...


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_shows_in_a_terminal_and_nowhere_else(monkeypatch, serial, is_terminal):
    terminal = Terminal(is_terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    sweep(walk, over={"gamma": GAMMAS}, seeds=range(3))
    assert ("walk: 100%" in terminal.written and "6/6" in terminal.written) is is_terminal
    assert is_terminal or terminal.written == ""


def no_seed(gamma: float) -> float:
    return gamma


@pytest.mark.parametrize(
    ("experiment", "over", "seeds", "message"),
    [
        (no_seed, {"gamma": [0.5]}, [0], "experiment must have a parameter seed, .* only gamma"),
        (walk, {"gama": [0.5]}, [0], "which are gamma, length, seed, but holds 'gama'"),
        (walk, {"length": [3]}, [0], "has no default, but lacks gamma"),
        (walk, {"gamma": 0.5}, [0], r"over\['gamma'\] must be a sequence of values, but is 0.5"),
        (walk, {"gamma": "ab"}, [0], r"over\['gamma'\] must be a sequence of values, but is 'ab'"),
        (walk, {"gamma": np.array(0.5)}, [0], r"over\['gamma'\] must be a sequence of values"),
        (walk, {"gamma": []}, [0], r"over\['gamma'\] must hold at least one value, but is \[\]"),
        (walk, {"gamma": [0.5], "seed": [1]}, [0], "over must not hold seed"),
        (walk, {"gamma": [0.5]}, [], "seeds must be distinct integers"),
        (walk, {"gamma": [0.5]}, 20, "seeds must be distinct integers, .* but is 20"),
        (walk, {"gamma": [0.5]}, [1, 2, 1], r"seeds must be distinct integers, .*\[1, 2, 1\]"),
        (walk, {"gamma": [0.5]}, [1.0], r"seeds must be distinct integers, .*\[1.0\]"),
        (walk, {"gamma": [0.5]}, [True], r"seeds must be distinct integers, .*\[True\]"),
    ],
)
def test_a_grid_that_does_not_fit_is_named(experiment, over, seeds, message):
    with pytest.raises(ValueError, match=message):
        sweep(experiment, over=over, seeds=seeds)


def test_seeds_may_be_an_array(serial):
    result = sweep(walk, over={"gamma": [0.5]}, seeds=np.arange(3))
    assert result.seeds == (0, 1, 2)
    assert all(type(seed) is int for seed in result.seeds)
