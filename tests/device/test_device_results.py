"""The stored results of the laboratory: what a file holds and how it is made."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import t

from qlearn_core.experiments import device_results, results
from qlearn_core.experiments.device_critics import td_against_mc
from qlearn_core.experiments.device_orderings import FOUR, NUM_SEEDS
from qlearn_core.experiments.device_results import EXPERIMENTS, Experiment, counted, measured
from qlearn_core.experiments.results import Cell, Results, load, save

TWO = Results(
    "pair", (0, 1), 7.0, {"arms": ("a", "b")},
    (
        Cell({"n": 1, "word": "x"}, {"success": np.array([[0.12341, 1.0], [0.5, 0.25]])}),
        Cell({"n": 2, "word": "x"}, {"success": np.array([[0.0, 0.1], [0.2, 0.3]])}),
    ),
)  # fmt: skip


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty folder in place of the stored results."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    load.cache_clear()
    yield tmp_path
    load.cache_clear()


def test_results_come_back_as_they_were_stored(folder):
    assert save(TWO) == folder / "pair.json"
    back = load("pair")
    assert (back.experiment, back.seeds, back.seconds, dict(back.same)) == (
        "pair", (0, 1), 7.0, {"arms": ("a", "b")},
    )  # fmt: skip
    for cell, stored in zip(TWO.cells, back.cells, strict=True):
        assert dict(stored.settings) == cell.settings
        assert stored["success"] == pytest.approx(cell["success"], abs=5e-5)
        with pytest.raises(ValueError, match="read-only"):
            stored["success"][0] = 0


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(folder, monkeypatch):
    before = save(TWO).read_bytes()

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        save(Results("pair", (0,), 1.0, {}, ()))
    assert [path.name for path in folder.iterdir()] == ["pair.json"]
    assert (folder / "pair.json").read_bytes() == before


def test_a_cell_is_named_by_the_settings_that_tell_it_from_the_others():
    assert TWO.cell(n=2) is TWO.cells[1]
    with pytest.raises(ValueError, match="settings must name one cell of pair, but .* is in 2"):
        TWO.cell(word="x")
    with pytest.raises(ValueError, match="is in 0"):
        TWO.cell(n=3)


def test_results_that_are_not_there_are_named(folder):
    save(TWO)
    with pytest.raises(ValueError, match="experiment must be one of pair, but is 'pears'"):
        load("pears")
    with pytest.raises(ValueError, match="name must be one of td_against_mc, extraction"):
        measured("pears")


def test_seconds_are_counted_over_all_calls(tmp_path):
    (tmp_path / "seconds").write_text("100.0")
    with counted(tmp_path / "seconds") as seconds:
        assert 100 <= seconds() < 110
    assert 100 <= float((tmp_path / "seconds").read_text()) < 110


def test_what_is_stored_is_what_the_runs_give(small_experiments, folder, monkeypatch, tmp_path):
    grid = {"num_episodes": (4,), "chance": (0.0, 1.0), "encoder": ("oracle",)}
    tiny = Experiment(td_against_mc, (grid,), ("success", "rmse"))
    monkeypatch.setitem(EXPERIMENTS, "td_against_mc", tiny)
    monkeypatch.setattr(device_results, "NUM_SEEDS", 2)
    monkeypatch.setattr(device_results, "RUNS", tmp_path / "runs")
    with parallel_config("threading", n_jobs=1):  # other processes would not know the tiny phone
        save(measured("td_against_mc"))
    stored = load("td_against_mc")
    assert len(stored.cells) == 2 and stored.seeds == (0, 1)
    alone = td_against_mc(num_episodes=4, chance=1.0, encoder="oracle", seed=1)
    assert stored.cell(chance=1.0)["success"][1] == pytest.approx(alone.success, abs=5e-5)
    assert stored.cell(chance=1.0)["rmse"][1] == pytest.approx(alone.rmse, abs=5e-5)


# --- what is stored -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_stored_cells_are_those_of_the_grids_with_every_seed(name):
    stored, what = load(name), EXPERIMENTS[name]
    expected = [
        dict(zip(grid, values, strict=True))
        for grid in what.grids
        for values in itertools.product(*grid.values())
    ]
    assert [dict(cell.settings) for cell in stored.cells] == expected
    assert stored.seeds == tuple(range(NUM_SEEDS)) and stored.seconds > 0
    for cell in stored.cells:
        assert tuple(cell.metrics) == what.metrics
        assert all(len(values) == NUM_SEEDS for values in cell.metrics.values())
        assert all(np.isfinite(values).all() for values in cell.metrics.values())


def test_a_stored_cell_is_what_the_code_gives_now():
    """Training amplifies the rounding of another machine until a run is like that of another seed:
    it must lie where 999 of 1,000 further seeds would, by the seeds that are stored.
    """
    settings = {"num_episodes": 64, "chance": 1.0, "encoder": "oracle"}
    cell = load("td_against_mc").cell(**settings)
    now = td_against_mc(**settings, seed=0)
    wide = t.ppf(0.9995, NUM_SEEDS - 1) * np.sqrt(1 + 1 / NUM_SEEDS)
    for metric, part in (
        ("data_success", ()), ("success", (..., FOUR)), ("rmse", ()), ("ranking", ()),
    ):  # fmt: skip
        seeds, found = cell[metric][part], np.asarray(getattr(now, metric))[part]
        assert (np.abs(found - seeds.mean(axis=0)) <= wide * seeds.std(axis=0, ddof=1)).all()
