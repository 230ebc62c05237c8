"""The key of a function: what it covers, and what it refuses."""

from __future__ import annotations

import functools
import linecache
import sys
import types

import pytest

from qlearn_core import source_key as source_key_module
from qlearn_core.experiments import depth
from qlearn_core.source_key import digest, source_key

STUDY = """
import functools
from qlearn_core.bellman import greedy
from helper import twice
def experiment(*, seed):
    return twice(seed)
@functools.lru_cache
def remembered(*, seed):
    return seed
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A module of a user, outside the project, that imports its neighbour and the package."""
    (tmp_path / "study.py").write_text(STUDY)
    (tmp_path / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import study

    yield study
    del sys.modules["study"], sys.modules["helper"]


def edit(file):
    file.write_text(file.read_text() + "\n# edited\n")


@pytest.mark.parametrize("name", ["study.py", "helper.py"])
def test_the_key_of_a_users_function_changes_with_its_file_and_with_its_neighbours(
    study, tmp_path, name
):
    before = source_key(study.experiment)
    assert source_key(study.experiment) == before
    edit(tmp_path / name)
    assert source_key(study.experiment) != before


def test_the_key_of_a_users_function_covers_what_it_imports_of_this_package(study, monkeypatch):
    covered = []
    monkeypatch.setattr(source_key_module, "digest", lambda files, *more: covered.extend(files))
    source_key(study.experiment)
    package = {f"qlearn_core.{stem}" for stem in ("bellman", "mdp", "transitions", "_compile")}
    assert {"helper", "qlearn_core.bellman", "qlearn_core.mdp"} <= set(covered)
    assert set(covered) <= {"helper"} | package


@pytest.mark.parametrize("name", ["one.json", "one.npz"])
def test_the_data_files_of_a_package_are_part_of_it_and_others_are_not(tmp_path, name):
    files = {"data": tmp_path / "__init__.py", "beside": tmp_path / "beside.py"}
    for file in files.values():
        file.write_text("")
    empty = digest(files)
    (tmp_path / name).write_text("1")
    first = digest(files)
    (tmp_path / name).write_text("2")
    assert len({empty, first, digest(files)}) == 3
    alone = {"beside": files["beside"]}
    before = digest(alone)
    (tmp_path / name).write_text("3")
    assert digest(alone) == before


def test_two_functions_of_one_file_have_two_keys(study):
    assert source_key(study.experiment) != source_key(study.remembered)
    assert source_key(depth.front) != source_key(depth.learning_curves)


def test_what_is_installed_beside_a_module_does_not_count(tmp_path, monkeypatch):
    installed = tmp_path / "site-packages"
    for package in ("mine", "other"):
        (installed / package).mkdir(parents=True)
        (installed / package / "__init__.py").write_text("")
    (installed / "mine" / "top.py").write_text("import other\ndef f(*, seed):\n    return seed\n")
    (installed / "mine" / "part.py").write_text("")
    monkeypatch.syspath_prepend(str(installed))
    from mine import top

    before = source_key(top.f)
    edit(installed / "other" / "__init__.py")
    assert source_key(top.f) == before
    edit(installed / "mine" / "top.py")
    assert source_key(top.f) != before
    for name in ("mine.top", "mine"):
        del sys.modules[name]


def inner_function():
    def inner(*, seed):
        return seed

    return inner


@pytest.mark.parametrize(
    "function",
    [lambda seed: seed, inner_function(), functools.partial(depth.front, depth=3), len, "front"],
    ids=["lambda", "inner", "partial", "builtin", "string"],
)
def test_a_function_with_values_outside_its_text_is_refused(function):
    with pytest.raises(ValueError, match="experiment must be a function defined by `def`"):
        source_key(function)


CELLS = """
from dataclasses import dataclass
import numpy as np
from qlearn_core import greedy
from qlearn_core.planning import iterate
FACTOR = 3
@dataclass
class Result:
    x: int
def helper(x):
    return FACTOR * x
def experiment(*, seed):
    greedy, np.pi
    return Result(helper(seed))
def lone(*, seed):
    return seed
"""


def notebook(monkeypatch, text, kept=True):
    """A module without a file, the lines of which are kept the way that IPython keeps them."""
    module = types.ModuleType("a_notebook")
    monkeypatch.setitem(sys.modules, "a_notebook", module)
    exec(compile(text, "<cell>", "exec"), vars(module))
    if kept:
        lines = text.splitlines(keepends=True)
        monkeypatch.setitem(linecache.cache, "<cell>", (len(text), None, lines, "<cell>"))
    return module


@pytest.mark.parametrize(
    ("old", "new", "is_seen"),
    [
        ("return Result(helper(seed))", "return Result(helper(seed + 1))", True),
        ("return FACTOR * x", "return FACTOR + x", True),
        ("FACTOR = 3", "FACTOR = 4", True),
        ("    x: int", "    x: int\n    y: int = 0", True),
        ("    return seed\n", "    return -seed\n", False),
        ("from qlearn_core.planning import iterate", "", False),
    ],
)
def test_in_a_notebook_what_the_function_names_counts(monkeypatch, old, new, is_seen):
    before = source_key(notebook(monkeypatch, CELLS).experiment)
    assert old in CELLS
    after = source_key(notebook(monkeypatch, CELLS.replace(old, new)).experiment)
    assert (before != after) is is_seen


def test_in_a_notebook_modules_count_from_which_the_function_has_names(monkeypatch):
    assert source_key(notebook(monkeypatch, CELLS).experiment) != source_key(
        notebook(
            monkeypatch, CELLS.replace("from qlearn_core import greedy", "greedy = 0")
        ).experiment
    )


def test_a_function_whose_lines_are_lost_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="those of lone cannot: define it in a file"):
        source_key(notebook(monkeypatch, CELLS, kept=False).lone)


def test_a_value_of_a_notebook_that_cannot_be_stored_is_refused(monkeypatch):
    text = CELLS.replace("FACTOR = 3", "FACTOR = object()")
    with pytest.raises(ValueError, match="FACTOR, which experiment uses, must be None"):
        source_key(notebook(monkeypatch, text).experiment)
