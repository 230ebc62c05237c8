"""MDPs with a sparse P: the same refusals, the same numbers, memory for the transitions only."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_matrix, csr_array

from qlearn_core import (
    TabularMDP,
    UniformPairs,
    bellman_evaluation,
    bellman_optimality,
    bootstrapped_targets,
    chain,
    conditional_mean,
    evaluate_policy,
    garnet,
    iterate,
    lipschitz_constant,
    martingale_differences,
    n_step_mdp,
    optimal_q,
    pair_transitions,
    policy_iteration,
    predictable_variance,
    q_learning,
    solve,
    stationary_weighting,
    tabular_features,
    uniform_weighting,
    value_iteration,
)

from .oracles import as_sparse, random_mdp_arrays

random_cases = settings(max_examples=40, deadline=None, derandomize=True)
sizes = st.tuples(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 4), st.booleans())


def thinned(seed, num_states, num_actions, with_terminal) -> TabularMDP:
    """A random MDP in which about a third of the transitions cannot happen."""
    P, r, terminal = random_mdp_arrays(seed, num_states, num_actions, with_terminal)
    P[P < 0.1] = 0
    return TabularMDP(P=P / P.sum(axis=-1, keepdims=True), r=r, terminal=terminal)


def numbers(mdp, q, pi, gamma):
    """What the functions of the package compute from an MDP, a table and a policy."""
    rng = np.random.default_rng
    run = {"gamma": gamma, "behaviour": UniformPairs(), "rng": rng(0)}
    sample = martingale_differences(mdp, q, num_samples=50, **run)
    targets = bootstrapped_targets(mdp, gamma=gamma, num_steps=3, pi=pi)
    macro = n_step_mdp(mdp, pi, gamma=gamma, num_steps=3)
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    return {
        "optimality": bellman_optimality(mdp, q, gamma=gamma),
        "evaluation": bellman_evaluation(mdp, q, pi, gamma=gamma),
        "optimal": optimal_q(mdp, gamma=gamma),
        "solved": solve(mdp, gamma=gamma, tol=1e-10).q,
        "policy": evaluate_policy(mdp, pi, gamma=gamma),
        "P_pi": np.asarray(mdp.policy_transitions(pi) @ np.eye(mdp.num_states)),
        "sweeps": value_iteration(mdp, gamma=gamma, q0=q).q,
        "history": iterate(mdp, gamma=gamma, num_sweeps=4, q0=q),
        "learned": q_learning(mdp, alpha=0.1, num_updates=50, **run).tables,
        "noise": sample.noises,
        "variances": sample.variances,
        "variance": predictable_variance(mdp, q, gamma=gamma),
        "mean": conditional_mean(mdp, q, gamma=gamma),
        "rewards": targets.rewards,
        "weights": targets.weights,
        "n steps": optimal_q(macro, gamma=gamma**3),
        "shares": stationary_weighting(mdp, pi),
        "pairs": pair_transitions(mdp, pi),
        "lipschitz": lipschitz_constant(mdp, phi, mu, gamma=gamma),
    }


@random_cases
@given(sizes, st.floats(0, 0.99))
def test_dense_and_sparse_give_the_same_numbers(arguments, gamma):
    mdp, rng = thinned(*arguments), np.random.default_rng(arguments[0])
    q = rng.normal(size=mdp.r.shape)
    pi = rng.dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    dense, sparse = (numbers(form, q, pi, gamma) for form in (mdp, as_sparse(mdp)))
    for name, values in dense.items():
        assert sparse[name] == pytest.approx(values, rel=1e-9, abs=1e-9), name


@random_cases
@given(sizes)
def test_the_lists_of_successors_and_pairs_are_the_same_arrays(arguments):
    mdp = thinned(*arguments)
    sparse = as_sparse(mdp)
    for one, other in zip(mdp.successors, sparse.successors, strict=True):
        assert np.array_equal(one, other) and one.dtype == other.dtype
    for one, other in zip(mdp.rows, sparse.rows, strict=True):
        assert np.array_equal(one, other) and one.dtype == other.dtype
    assert np.array_equal(mdp.active_pairs, sparse.active_pairs)
    assert (mdp.num_states, mdp.num_actions) == (sparse.num_states, sparse.num_actions)
    assert np.array_equal(sparse.dense_transitions(), mdp.P)


@pytest.mark.parametrize("form", [coo_array, csr_array, csc_matrix])
def test_every_sparse_form_is_kept_as_a_read_only_copy_without_zeros(form):
    rows = coo_array(
        ([0.5, 0.25, 0.25, 0.0, 1.0], ([0, 0, 0, 1, 1], [1, 0, 1, 1, 0])), shape=(2, 2)
    )
    given_rows = form(rows)
    P = TabularMDP(P=given_rows, r=np.zeros((2, 1))).P
    assert P.toarray().tolist() == [[0.25, 0.75], [1.0, 0.0]]
    assert P.indices.tolist() == [0, 1, 0] and P.indices.dtype == np.int32
    assert P.nnz == 3
    for array in (P.data, P.indices, P.indptr):
        assert not np.shares_memory(array, given_rows.data)
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


@random_cases
@given(sizes, st.sampled_from(["sum", "negative", "nan", "inf", "leaves", "pays"]), st.data())
def test_a_sparse_mdp_is_refused_with_the_words_for_a_dense_one(arguments, defect, data):
    P, r, terminal = random_mdp_arrays(*arguments[:3], True)
    s, a, s_next = (data.draw(st.integers(0, n - 1)) for n in P.shape)
    if defect in ("leaves", "pays"):
        s = len(r) - 1
    if defect == "leaves":
        P[s, a] = 1 / len(r)
    elif defect == "pays":
        r[s, a] = -1
    else:
        P[s, a, s_next] = {"sum": 1.5, "negative": -0.5}.get(defect) or float(defect)
    rows = csr_array(P.reshape(-1, len(r)))
    sentences = []
    for form in (P, rows):
        with pytest.raises(ValueError) as refusal:
            TabularMDP(P=form, r=r, terminal=terminal)
        sentences.append(str(refusal.value))
    assert sentences[0] == sentences[1]


@pytest.mark.parametrize("shape", [(3, 2), (0, 2), (2, 0)])
def test_a_sparse_array_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"a sparse P must have shape \(S\*A, S\).* but has "):
        TabularMDP(P=csr_array(shape), r=np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"r must have shape \(2, 2\), but has \(2, 1\)"):
        TabularMDP(P=chain(1, sparse=True).P, r=np.zeros((2, 1)))


def test_a_sparse_mdp_that_is_too_large_for_a_method_says_what_to_use_instead():
    mdp = garnet(6_000, 2, 3, rng=np.random.default_rng(0), sparse=True)
    pi = np.full(mdp.r.shape, 0.5)
    for call in (
        lambda: optimal_q(mdp, gamma=0.9),
        lambda: evaluate_policy(mdp, pi, gamma=0.9),
    ):
        with pytest.raises(ValueError, match="at most 5,000 states .* but has 6,000: use solve"):
            call()
    with pytest.raises(ValueError, match=r"P must be small enough for an \(S, A, S\) array"):
        stationary_weighting(mdp, pi)


def test_a_sparse_mdp_off_the_diagonal_is_still_solved_exactly():
    mdp = garnet(40, 3, 4, rng=np.random.default_rng(0))
    sparse = as_sparse(mdp)
    exact, found = (policy_iteration(form, gamma=0.99) for form in (mdp, sparse))
    assert np.array_equal(exact.greedy, found.greedy)
    assert found.q == pytest.approx(exact.q, rel=1e-12)


def nbytes(mdp) -> int:
    P = mdp.P
    return P.data.nbytes + P.indices.nbytes + P.indptr.nbytes + mdp.r.nbytes + mdp.terminal.nbytes


def with_peak(build, size: int):
    """The most bytes that Python and NumPy held while build(size) ran, and what it returned."""
    tracemalloc.start()
    built = build(size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, built


@pytest.mark.parametrize("name", ["garnet", "chain"])
def test_memory_grows_like_the_number_of_transitions(name):
    def build_and_solve(num_states):
        if name == "garnet":
            mdp = garnet(num_states, 4, 5, rng=np.random.default_rng(0), sparse=True)
        else:
            mdp = chain(num_states, slip=0.1, sparse=True)
        assert solve(mdp, gamma=0.9).converged
        return mdp

    build_and_solve(50)  # what is compiled or imported once does not count
    counts = np.array([2_000, 8_000, 32_000])
    peaks, sizes = [], []
    for count in counts:
        peak, mdp = with_peak(build_and_solve, int(count))
        peaks.append(peak / mdp.P.nnz)
        sizes.append(nbytes(mdp) / mdp.P.nnz)
    # A dense P would take 8 S bytes for a transition, sixteen times as many at the end.
    assert max(sizes) <= 12 * 1.5 + 8 and max(sizes) / min(sizes) < 1.02
    assert peaks[-1] <= 1.1 * peaks[0]
    assert peaks[-1] <= 150


def test_fifty_thousand_states_are_solved_to_a_millionth():
    mdp = garnet(50_000, 4, 5, rng=np.random.default_rng(0), sparse=True)
    solution = solve(mdp, gamma=0.99, tol=1e-6)
    assert solution.converged
    swept = value_iteration(mdp, gamma=0.99, tol=1e-9, stop="span")
    assert swept.converged
    assert np.abs(solution.q - swept.q).max() <= 1e-6 + 1e-9
    learned = q_learning(
        mdp, gamma=0.99, alpha=0.5, num_updates=1_000, behaviour=UniformPairs(),
        rng=np.random.default_rng(1), record_at=[1_000], q_star=solution.q,
    )  # fmt: skip
    assert learned.counts.sum() == 1_000
