"""Before anything is timed: the answers of the variants are equal, and a wrong one is refused."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from benchmarks import (
    compiled,
    growth,
    network,
    network_peers,
    peers,
    planning,
    planning_peers,
    q_learning_peers,
    start,
)
from benchmarks.planning_peers import Problem, Solver
from qlearn_core import (
    bellman_optimality,
    bootstrapped_targets,
    chain,
    from_gymnasium,
    garnet,
    optimal_q,
    value_iteration,
)


def random_mdp(num_states=30, *, sparse=False):
    return garnet(num_states, 4, 5, rng=np.random.default_rng(0), sparse=sparse)


def libraries(source, folder, *options):
    """One library for every compiler; without a compiler the benchmark says so."""
    found = {
        name: compiled.build(source, command, folder, *options)
        for name, command in compiled.compilers().items()
    }
    assert found or "neither gcc nor clang" in compiled.NO_COMPILER
    return found.values()


# --- peers ---------------------------------------------------------------------------------------


def test_a_peer_that_is_not_installed_gives_one_sentence():
    assert peers.versions("numpy", "no-such-package") == {"numpy": np.__version__}
    assert peers.absent("numpy", "no-such-package") == [
        "no-such-package: left out, because it is not installed; `make bench` installs it."
    ]


def test_a_solver_is_left_out_where_it_is_missing_or_the_problem_too_large():
    problem = Problem(random_mdp(), 0.9, 1e-6, False)
    solvers = [Solver(name, None, None, size) for name, size in
               (("numpy", 30), ("numpy", 29), ("no-such-package", 30))]  # fmt: skip
    assert [solver.takes(problem) for solver in solvers] == [True, False, False]


# --- planning ------------------------------------------------------------------------------------


def test_the_values_that_errors_are_measured_from_are_those_of_policy_iteration():
    mdp = random_mdp()
    found = planning.exact_values(Problem(mdp, 0.9, 1e-6, False))
    assert found == pytest.approx(optimal_q(mdp, gamma=0.9).max(axis=1), abs=1e-8)


@pytest.mark.parametrize("mdp", [random_mdp(), random_mdp(sparse=True), chain(9, slip=0.1)])
def test_the_peers_get_the_transitions_of_the_mdp_without_zeros(mdp):
    problem = Problem(mdp, 0.9, 1e-6, False)
    v = np.random.default_rng(1).random(mdp.num_states)
    assert (problem.transitions @ v).reshape(mdp.r.shape) == pytest.approx(mdp.expectation(v))
    assert (problem.transitions.data > 0).all()
    by_action = np.stack([P @ v for P in problem.by_action], axis=1)
    assert by_action == pytest.approx(mdp.expectation(v))


def test_a_peer_without_a_stop_is_told_the_fewest_sweeps_that_suffice():
    mdp, gamma, tolerance = random_mdp(), 0.9, 1e-6
    v_star = optimal_q(mdp, gamma=gamma).max(axis=1)

    def error(num_sweeps):
        found = value_iteration(mdp, gamma=gamma, tol=1e-12, max_sweeps=num_sweeps)
        return np.abs(found.q.max(axis=1) - v_star).max()

    num_sweeps = Problem(mdp, gamma, tolerance, False).num_sweeps
    assert error(num_sweeps) <= tolerance
    assert error(num_sweeps - 1) > 0.99 * tolerance  # the search keeps a thousandth for itself


def test_a_solver_with_a_wrong_answer_is_refused_by_the_name_of_the_problem(monkeypatch):
    problem = Problem(random_mdp(), 0.9, 1e-6, False)
    right = optimal_q(problem.mdp, gamma=0.9).max(axis=1)

    def solver(answer):
        return {"peer": Solver("numpy", lambda _: lambda: lambda: answer, lambda _: 1.0, 100)}

    monkeypatch.setattr(planning, "SOLVERS", solver(right + 5e-7))
    assert [row.variant for row in planning.solver_rows("case", problem)] == ["qlearn_core", "peer"]
    monkeypatch.setattr(planning, "SOLVERS", solver(right + 2e-6))
    with pytest.raises(RuntimeError, match="case: a solver ends 2.0e-06 from v"):
        planning.solver_rows("case", problem)


def test_sweeps_in_c_are_those_of_the_package(tmp_path):
    mdp = random_mdp()
    problem, q = Problem(mdp, 0.9, 1e-6, False), np.random.default_rng(1).random(mdp.r.shape)
    twice = bellman_optimality(mdp, bellman_optimality(mdp, q, gamma=0.9), gamma=0.9)
    for library in libraries("planning.c", tmp_path):
        sweep = planning.CSweeps(library, mdp, problem.transitions, gamma=0.9)
        assert sweep(q, 2) == pytest.approx(twice, abs=1e-13)


# --- Q-learning ----------------------------------------------------------------------------------


def test_the_tutorial_and_the_package_both_learn_and_a_table_of_zeros_does_not():
    lake = from_gymnasium("FrozenLake-v1")
    env = gymnasium.make("FrozenLake-v1")
    q_learning_peers.check("tutorial", lake, partial(q_learning_peers.tutorial, env, 1.0))
    q_learning_peers.check("ours", lake, q_learning_peers.ours(lake, 10_000, 1.0))
    with pytest.raises(RuntimeError, match="nothing leaves 100% of the error"):
        q_learning_peers.check("nothing", lake, lambda: np.zeros(lake.num_states))


def test_in_the_lecture_high_wages_are_taken_and_low_ones_refused():
    waits, takes = optimal_q(q_learning_peers.job_search(), gamma=0.9).T
    accepted = takes > waits
    assert accepted[-1] and not accepted[0]
    assert (np.diff(accepted.astype(int)) >= 0).all()


# --- the network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", network.SETTINGS, ids=lambda setting: setting.name)
def test_c_and_pytorch_end_with_the_parameters_of_the_package(setting, tmp_path):
    targets = bootstrapped_targets(chain(network.DEPTH), gamma=network.GAMMA)
    expected = setting.train(targets, 100)[0]
    assert np.abs(expected - setting.train(targets, 1)[0]).max() > 10 * network.TOLERANCE
    for library in libraries("network.c", tmp_path, "-ffast-math"):
        network.check("case", "C", network.in_c(library, targets, setting, 100)(), expected)
    found = network_peers.minimal(targets, setting.arguments, 100)()
    network.check("case", "PyTorch", found, expected)


def test_pytorch_batched_over_the_networks_trains_each_as_the_package_does():
    setting = network.SETTINGS[0]
    targets = bootstrapped_targets(chain(8), gamma=network.GAMMA)
    found = network_peers.batched(targets, setting.arguments, 50, 3)()
    network.check("case", "PyTorch", found, setting.train(targets, 50, 3))
    assert np.ptp(found, axis=0).max() > 0.1


def test_other_parameters_are_refused():
    with pytest.raises(RuntimeError, match="case: the parameters of C differ by 1.0e-03"):
        network.check("case", "C", np.full(3, 1e-3), np.zeros(3))


# --- growth and start ----------------------------------------------------------------------------


def test_the_slope_of_a_power_law_is_its_exponent():
    assert growth.slope((2, 8, 32), [3 * size**1.5 for size in (2, 8, 32)]) == pytest.approx(1.5)


def test_the_largest_memory_of_arrays_grows_in_proportion():
    def build(size):
        return lambda: np.ones(size)

    series = growth.Series("arrays", (10**5, 10**6, 10**7), build, None, 1.01)
    time, memory = growth.slopes(series)
    assert (time.met, memory.met) == (None, True)
    assert memory.median == pytest.approx(1, abs=0.01)


def test_a_fresh_process_imports_the_package_without_what_is_only_used_later():
    seconds, *megabytes = start.fresh(start.IMPORT)
    assert 0 < seconds < 60 and all(10 < value < 1_000 for value in megabytes)
    with pytest.raises(subprocess.CalledProcessError):
        start.fresh("import gymnasium; " + start.IMPORT)


def test_the_peers_that_are_pinned_are_those_that_are_compared():
    pins = Path(peers.__file__).with_name("requirements.txt").read_text(encoding="utf-8")
    named = {line.partition("==")[0] for line in pins.splitlines() if "==" in line}
    packages = {*planning_peers.PACKAGES, *q_learning_peers.PACKAGES, "stable-baselines3", "panel"}
    assert named - {"ziglang"} == packages


def test_a_compiled_library_leaves_the_arithmetic_of_the_process_alone(tmp_path):
    smallest = np.nextafter(0.0, 1.0)
    for command in compiled.compilers().values():
        compiled.build("network.c", command, tmp_path, "-ffast-math")
        assert smallest * 1.0 > 0
