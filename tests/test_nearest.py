"""The nearest state of a stored grid is the drawing that the page shows there."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import Axis, Explorer
from qlearn_book.grid import states
from qlearn_book.nearest import Nearest
from tests.test_explorer import compute, draw


@pytest.fixture
def explorer(tmp_path, monkeypatch) -> Explorer:
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    return Explorer(
        "curve",
        compute,
        draw,
        title="Curve",
        gamma=Axis((0.5, 0.7, 0.9), "discount γ", start=0.5),
        depth=Axis((2, 4, 8), "depth D", start=4),
        goal=Axis(("terminal", "loop"), "goal", start="loop"),
    )


def test_at_every_state_of_the_grid_it_is_what_python_computes(explorer):
    nearest = Nearest(explorer.payload())
    for values in states({name: axis.values for name, axis in explorer.axes.items()}):
        drawing, state = nearest(values)
        assert state == values
        wanted = explorer.at(**values)
        for letter in "xy":
            drawn, exact = drawing["data"][0][letter], wanted["data"][0][letter]
            np.testing.assert_allclose(drawn[: exact.size], exact, atol=1e-3)
            assert np.isnan(drawn[exact.size :]).all()  # filled up with gaps
        assert drawing["layout"] == wanted["layout"]


def test_between_the_states_the_nearest_value_of_each_axis_counts(explorer):
    nearest = Nearest(explorer.payload())
    _, state = nearest({"gamma": 0.61, "depth": 7, "goal": "terminal"})
    assert state == {"gamma": 0.7, "depth": 8, "goal": "terminal"}


def test_nothing_is_stored_before_the_book_is_built_and_for_functions_of_a_notebook(explorer):
    assert explorer.stored() is None
    payload = explorer.payload()
    assert explorer.stored()["block"] == payload["block"]

    def written_here(**values):
        return compute(**values)

    written_here.__module__ = "__main__"
    explorer.compute = written_here
    assert explorer.stored() is None
