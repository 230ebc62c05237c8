"""The declaration of a figure: what it accepts, what it says, and its two faces."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from qlearn_book import Axis, Explorer, explorer, store
from qlearn_book.grid import GridError, unpack
from qlearn_book.marks import axes, describe, line

CALLS = []


def compute(gamma: float, depth: int, goal: str = "loop") -> np.ndarray:
    CALLS.append((gamma, depth, goal))
    return gamma ** np.arange(depth)


def draw(curve: np.ndarray) -> dict:
    result = axes(x=("k", 0, 10), y=("error", 0.0, 1.0))
    line(result, np.arange(len(curve)), curve, "error", "#0072b2")
    describe(result, f"{len(curve)} values, the last is {curve[-1]:.3g} <b>")
    return result


def make(**more) -> Explorer:
    settings = {
        "gamma": Axis((0.5, 0.9, 0.99), "discount γ", start=0.9),
        "depth": Axis((2, 8), "depth D", start=8, play=True),
        "goal": Axis(("terminal", "loop"), "goal", start="loop"),
    }
    return Explorer("curve", compute, draw, title="A < curve", **(settings | more))


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    CALLS.clear()


@pytest.mark.parametrize(
    ("values", "start", "message"),
    [
        ((1,), 1, "two or more"),
        ((1, "a"), 1, "two or more"),
        ((2, 1), 1, "must increase"),
        ((1, 1), 1, "must increase"),
        ((1, 2), 3, "must be one of its values"),
    ],
)
def test_an_axis_refuses_bad_values_by_its_label(values, start, message):
    with pytest.raises(ValueError, match=message) as caught:
        Axis(values, "depth D", start=start)
    assert "'depth D'" in str(caught.value)


@pytest.mark.parametrize("name", ["", "Two words", "2d", "<script>"])
def test_a_figure_needs_a_name_that_is_an_identifier(name):
    with pytest.raises(ValueError, match="name of a figure must be like"):
        Explorer(name, compute, draw, title="t", gamma=Axis((0, 1), "γ", start=0))


def test_a_figure_needs_an_axis():
    with pytest.raises(ValueError, match="at least one axis"):
        Explorer("curve", compute, draw, title="t")


def test_a_grid_over_the_cap_is_refused_by_name():
    wide = Axis(tuple(range(2000)), "depth D", start=0)
    with pytest.raises(GridError, match="'curve' has 24000 states, cap") as caught:
        make(depth=wide, gamma=Axis(tuple(i / 10 for i in range(6)), "γ", start=0.1))
    assert str(explorer.MAX_STATES) in str(caught.value)


@pytest.mark.parametrize(
    ("cap", "message"), [("MAX_BYTES", "bytes, cap 10"), ("MAX_SECONDS", "s to compute")]
)
def test_a_figure_over_its_bytes_or_seconds_is_refused_by_name(monkeypatch, cap, message):
    monkeypatch.setattr(explorer, cap, 10 if cap == "MAX_BYTES" else 0.0)
    with pytest.raises(GridError, match=message) as caught:
        make().payload()
    assert "'curve'" in str(caught.value)


def test_the_page_and_the_kernel_get_the_same_drawing_at_every_state():
    figure = make()
    payload = figure.payload()
    import base64

    values = unpack(payload["moving"], base64.b64decode(payload["block"]))
    paths = [tuple(spec["path"]) for spec in payload["moving"]]
    y = values[paths.index(("data", 0, "y"))]
    sentence = values[paths.index(("layout", "meta", "summary"))]
    state = 0
    for gamma in (0.5, 0.9, 0.99):
        for depth in (2, 8):
            for goal in ("terminal", "loop"):
                live = figure.at(gamma=gamma, depth=depth, goal=goal)
                wanted = live["data"][0]["y"]
                np.testing.assert_allclose(y[state, : len(wanted)], wanted, atol=1 / 8192)
                assert np.isnan(y[state, len(wanted) :]).all()
                assert sentence[state, 0] == live["layout"]["meta"]["summary"]
                state += 1


def test_an_unchanged_figure_is_not_computed_again():
    first = make().payload()
    CALLS.clear()
    assert make().payload() == first
    assert CALLS == []


def test_other_values_of_an_axis_are_computed_again():
    make().payload()
    CALLS.clear()
    make(depth=Axis((2, 9), "depth D", start=9)).payload()
    assert CALLS


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": "x"', b"\xff\xfe"])
def test_a_damaged_grid_file_is_computed_again(damage, tmp_path):
    first = make().payload()
    (tmp_path / "curve.json").write_bytes(damage)
    CALLS.clear()
    assert make().payload() == first
    assert CALLS
    stored = json.loads((tmp_path / "curve.json").read_text())["payload"]
    assert stored and first == first | stored


def test_an_interrupted_computation_leaves_the_old_grid(tmp_path, monkeypatch):
    make().payload()
    before = (tmp_path / "curve.json").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(depth=Axis((2, 9), "depth D", start=9)).payload()
    assert (tmp_path / "curve.json").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["curve.json"]


def test_a_function_from_a_notebook_is_refused_when_the_book_is_built():
    def local(gamma):
        return np.ones(2)

    local.__module__ = "__main__"
    with pytest.raises(ValueError, match="defined in the notebook"):
        Explorer("curve", local, draw, title="t", gamma=Axis((0, 1), "γ", start=0)).payload()


def test_the_page_has_native_named_controls_and_escapes_what_it_shows(monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    html = make()._repr_mimebundle_()["text/html"]
    assert "A &lt; curve" in html and "A < curve" not in html
    assert "&lt;b&gt;" in html and "<b>" not in html
    for axis, label in (("gamma", "discount γ"), ("depth", "depth D")):
        assert f'<label for="curve-{axis}">{label}</label>' in html
        assert re.search(rf'<input type="range" id="curve-{axis}" min="0" max="\d"', html)
    assert "<legend>goal</legend>" in html and html.count('type="radio"') == 2
    assert 'aria-label="Play depth D"' in html
    assert 'aria-valuetext="0.9"' in html


def test_the_text_form_is_the_same_in_both_modes(monkeypatch):
    live = make()._repr_mimebundle_()
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    static = make()._repr_mimebundle_()
    assert (
        live["text/plain"]
        == static["text/plain"]
        == "Explorer(curve: gamma=0.9, depth=8, goal=loop)"
    )
    assert "text/html" not in live


def test_the_key_changes_with_code_that_is_imported_indirectly(tmp_path, monkeypatch):
    package = tmp_path / "lab"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("BASE = 1\n")
    (package / "middle.py").write_text("from . import deep\nfrom .deep import BASE\n")
    (package / "top.py").write_text("from lab.middle import BASE\nimport numpy\n")
    monkeypatch.setattr(store, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    files = store.source_files("lab.top")
    assert set(files.values()) == {package / "top.py", package / "middle.py", package / "deep.py"}
    before = store.digest(files)
    (package / "deep.py").write_text("BASE = 2\n")
    assert store.digest(store.source_files("lab.top")) != before
