"""Q-learning against dictionaries, exact enumeration, limits and its own trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    Cyclic,
    EpsilonGreedy,
    FixedPolicy,
    TabularMDP,
    UniformPairs,
    bellman_optimality,
    chain,
    constant,
    evaluate_policy,
    garnet,
    harmonic,
    harmonic_global,
    optimal_q,
    polynomial,
    predictable_variance,
    q_learning,
    rescaled,
    state_values,
    tabular,
    td_error,
    trace_q_learning,
)

from .oracles import as_sparse, dictionary_q_learning, random_mdp_arrays

SLIP_LOOP = chain(5, slip=0.1, goal="loop")
SLIP_TERMINAL = chain(5, slip=0.1)


every_form = pytest.mark.parametrize(
    "mdp",
    [SLIP_LOOP, SLIP_TERMINAL, as_sparse(SLIP_TERMINAL)],
    ids=["loop", "terminal", "sparse terminal"],
)


def behaviours(mdp):
    pi = np.random.default_rng(5).dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    return {
        "uniform pairs": UniformPairs(),
        "cyclic": Cyclic(),
        "epsilon-greedy": EpsilonGreedy(0.3),
        "fixed policy": FixedPolicy(pi),
    }


NAMES = list(behaviours(SLIP_LOOP))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", NAMES)
@every_form
@pytest.mark.parametrize("alpha", [0.2, harmonic(), harmonic_global(), polynomial(0.7)])
def test_the_trace_is_the_same_run_as_q_learning(mdp, name, alpha):
    arguments = {
        "gamma": 0.9,
        "alpha": alpha,
        "num_updates": 700,
        "behaviour": behaviours(mdp)[name],
        "q0": rng(3).normal(size=mdp.r.shape),
    }
    result = q_learning(mdp, **arguments, rng=rng(), record_at=np.arange(701))
    trace = trace_q_learning(mdp, **arguments, rng=rng())
    assert np.array_equal(result.q, trace.q)
    assert np.array_equal(result.errors, trace.sup_errors)
    distances = result.tables - optimal_q(mdp, gamma=0.9)
    assert trace.l2_errors == pytest.approx(np.sqrt((distances**2).sum(axis=(1, 2))), rel=1e-12)
    flat = np.abs(distances).reshape(701, -1)
    assert np.array_equal(trace.bottlenecks, flat.argmax(axis=1))
    visits = np.zeros(mdp.r.shape, dtype=int)
    np.add.at(visits, (trace.states, trace.actions), 1)
    assert np.array_equal(result.counts, visits)


@pytest.mark.parametrize("name", NAMES)
@every_form
def test_a_run_is_the_run_of_a_dictionary_along_the_same_transitions(mdp, name):
    trace = trace_q_learning(
        mdp, gamma=0.9, alpha=0.3, num_updates=2000, behaviour=behaviours(mdp)[name], rng=rng()
    )
    pairs = list(zip(trace.states.tolist(), trace.actions.tolist(), strict=True))
    table = dictionary_q_learning(
        mdp, 0.9, pairs, trace.next_states.tolist(), trace.alphas.tolist()
    )
    assert np.array_equal(trace.q, table)


def test_uniform_pairs_consume_one_number_for_the_pair_and_one_for_the_next_state():
    num_updates = 500
    uniform = rng(7).random((num_updates, 2))
    pairs = [(s, a) for s in range(5) for a in range(2)]
    chosen = [pairs[int(u * len(pairs))] for u in uniform[:, 0]]
    next_states = [
        next(t for t in range(6) if u < SLIP_TERMINAL.P[pair][: t + 1].sum())
        for pair, u in zip(chosen, uniform[:, 1], strict=True)
    ]
    table = dictionary_q_learning(SLIP_TERMINAL, 0.9, chosen, next_states, [0.3] * num_updates)
    result = q_learning(
        SLIP_TERMINAL,
        gamma=0.9,
        alpha=0.3,
        num_updates=num_updates,
        behaviour=UniformPairs(),
        rng=rng(7),
    )
    assert np.array_equal(result.q, table)


@pytest.mark.parametrize("name", NAMES)
@every_form
def test_every_recorded_number_is_what_the_operators_say(mdp, name):
    gamma, num_updates = 0.9, 300
    arguments = {
        "gamma": gamma,
        "alpha": rescaled(gamma),
        "num_updates": num_updates,
        "behaviour": behaviours(mdp)[name],
    }
    trace = trace_q_learning(mdp, **arguments, rng=rng())
    tables = q_learning(mdp, **arguments, rng=rng(), record_at=np.arange(num_updates)).tables
    transitions = zip(trace.states, trace.actions, trace.next_states, strict=True)
    for t, (q, (s, a, s_next)) in enumerate(zip(tables, transitions, strict=True)):
        end = mdp.terminal[s_next]
        error = td_error(q, s, a, mdp.r[s, a], s_next, gamma=gamma, terminal_next=end)
        assert trace.td_errors[t] == pytest.approx(error, abs=1e-12)
        signal = (bellman_optimality(mdp, q, gamma=gamma) - q)[s, a]
        assert trace.signals[t] == pytest.approx(signal, abs=1e-12)
        noise = gamma * (state_values(mdp, q)[s_next] - mdp.expectation(state_values(mdp, q))[s, a])
        assert trace.noises[t] == pytest.approx(noise, abs=1e-12)
        variance = predictable_variance(mdp, q, gamma=gamma)[s, a]
        assert trace.variances[t] == pytest.approx(variance, abs=1e-12)
    assert trace.td_errors == pytest.approx(trace.signals + trace.noises, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kernel", ["_q_learning", "_trace"])
@pytest.mark.parametrize("alpha", [constant(0.2), harmonic_global(), polynomial(0.7)])
def test_compiled_and_interpreted_loops_give_the_same_bits(monkeypatch, kernel, name, alpha):
    mdp = garnet(6, 3, 3, rng=rng(1))

    def run():
        function = q_learning if kernel == "_q_learning" else trace_q_learning
        result = function(
            mdp,
            gamma=0.9,
            alpha=alpha,
            num_updates=400,
            behaviour=behaviours(mdp)[name],
            rng=rng(2),
        )
        return vars(result)

    compiled = run()
    monkeypatch.setattr(tabular, kernel, getattr(tabular, kernel).py_func)
    interpreted = run()
    for field, values in compiled.items():
        assert np.array_equal(values, interpreted[field]), field


@pytest.mark.parametrize("name", ["uniform pairs", "epsilon-greedy", "fixed policy"])
def test_every_behaviour_that_visits_all_pairs_converges_to_q_star(name):
    gamma = 0.5
    mdp = garnet(4, 2, 3, rng=rng(11))
    result = q_learning(
        mdp,
        gamma=gamma,
        alpha=rescaled(gamma),
        num_updates=400_000,
        behaviour=behaviours(mdp)[name],
        rng=rng(4),
    )
    # Averaging noise of standard deviation σ over n visits: σ / ((1-γ) sqrt(n)), five of them.
    sigma = np.sqrt(predictable_variance(mdp, optimal_q(mdp, gamma=gamma), gamma=gamma).max())
    tolerance = 5 * sigma / ((1 - gamma) * np.sqrt(result.counts.min()))
    assert result.errors[-1] < tolerance < result.errors[0] / 20


def test_with_one_action_q_learning_finds_the_value_of_the_only_policy():
    mdp = TabularMDP(*random_mdp_arrays(0, 4, 1, False))
    q_pi = evaluate_policy(mdp, np.ones((4, 1)), gamma=0.5)
    result = q_learning(
        mdp, gamma=0.5, alpha=1.0, num_updates=5, behaviour=Cyclic(), rng=rng(), q0=q_pi
    )
    assert result.errors[0] < 1e-12


def test_cyclic_updates_with_alpha_one_are_in_place_value_iteration():
    mdp = chain(6)
    result = q_learning(
        mdp, gamma=0.9, alpha=1.0, num_updates=12 * 7, behaviour=Cyclic(), rng=rng()
    )
    assert result.errors[-1] < 1e-15
    assert (result.counts[:-1] == 7).all() and not result.counts[-1].any()


def test_in_a_deterministic_world_the_sup_error_never_rises():
    trace = trace_q_learning(
        chain(5, goal="loop"),
        gamma=0.9,
        alpha=0.5,
        num_updates=5000,
        behaviour=UniformPairs(),
        rng=rng(),
    )
    assert (np.diff(trace.sup_errors) <= 1e-14).all()
    assert not trace.noises.any() and not trace.variances.any()


def test_nine_updates_in_ten_leave_the_sup_error_of_ten_pairs_unchanged():
    num_updates, num_seeds = 2000, 20
    shares = []
    for child in rng(0).spawn(num_seeds):
        trace = trace_q_learning(
            SLIP_LOOP,
            gamma=0.9,
            alpha=rescaled(0.9),
            num_updates=num_updates,
            behaviour=UniformPairs(),
            rng=child,
        )
        bottleneck_hit = trace.states * 2 + trace.actions == trace.bottlenecks[:-1]
        shares.append(np.mean(~bottleneck_hit))
        # Nothing else can lower the error: another pair can only overtake the worst one.
        other = np.diff(trace.sup_errors)[~bottleneck_hit]
        assert (other >= 0).all()
    standard_error = np.sqrt(0.9 * 0.1 / (num_updates * num_seeds))
    assert abs(np.mean(shares) - 0.9) < 4 * standard_error


def test_uniform_pairs_visit_every_active_pair_equally_often():
    num_updates = 100_000
    result = q_learning(
        SLIP_TERMINAL,
        gamma=0.9,
        alpha=0.1,
        num_updates=num_updates,
        behaviour=UniformPairs(),
        rng=rng(),
    )
    assert not result.counts[-1].any()
    standard_error = np.sqrt(num_updates * 0.1 * 0.9)
    assert (np.abs(result.counts[:-1] - num_updates / 10) < 4.5 * standard_error).all()


def test_a_fixed_policy_takes_its_actions_in_the_given_proportions():
    pi = np.tile([0.2, 0.8], (5, 1))
    counts = q_learning(
        SLIP_LOOP,
        gamma=0.9,
        alpha=0.1,
        num_updates=50_000,
        behaviour=FixedPolicy(pi),
        rng=rng(),
    ).counts
    n = counts.sum(axis=1)
    assert (np.abs(counts[:, 1] - 0.8 * n) < 4.5 * np.sqrt(0.16 * n)).all()


def test_an_action_of_probability_zero_is_never_taken():
    pi = np.tile([0.0, 1.0], (6, 1))
    arguments = {"gamma": 0.9, "alpha": 0.1, "num_updates": 10_000, "rng": rng()}
    counts = q_learning(SLIP_TERMINAL, behaviour=FixedPolicy(pi), **arguments).counts
    assert not counts[:, 0].any() and counts[:, 1].any()


def test_greedy_ties_are_broken_evenly():
    mdp = TabularMDP(P=np.ones((1, 3, 1)), r=np.zeros((1, 3)))  # all actions stay equal
    num_updates = 30_000
    counts = q_learning(
        mdp,
        gamma=0.9,
        alpha=0.1,
        num_updates=num_updates,
        behaviour=EpsilonGreedy(0.0),
        rng=rng(),
    ).counts
    standard_error = np.sqrt(num_updates * 2 / 9)
    assert (np.abs(counts - num_updates / 3) < 4 * standard_error).all()


def test_epsilon_is_the_share_of_uniform_actions():
    mdp = TabularMDP(P=np.ones((1, 2, 1)), r=[[0.0, 1.0]])
    num_updates, epsilon = 40_000, 0.3
    counts = q_learning(
        mdp,
        gamma=0.5,
        alpha=0.5,
        num_updates=num_updates,
        behaviour=EpsilonGreedy(epsilon),
        rng=rng(),
        q0=[[0.0, 2.0]],
    ).counts
    expected = num_updates * epsilon / 2
    assert abs(counts[0, 0] - expected) < 4 * np.sqrt(expected)


def test_a_trajectory_is_connected_and_begins_again_at_the_start_after_the_end():
    trace = trace_q_learning(
        chain(3),
        gamma=0.9,
        alpha=0.1,
        num_updates=5000,
        behaviour=EpsilonGreedy(0.5),
        rng=rng(),
        start=1,
    )
    assert trace.states[0] == 1
    ended = trace.next_states[:-1] == 3
    assert ended.any()
    assert (trace.states[1:][ended] == 1).all()
    assert np.array_equal(trace.states[1:][~ended], trace.next_states[:-1][~ended])


def test_the_default_records_begin_at_zero_and_end_at_the_last_update():
    result = q_learning(
        SLIP_LOOP,
        gamma=0.9,
        alpha=0.1,
        num_updates=10_000,
        behaviour=UniformPairs(),
        rng=rng(),
    )
    assert (result.steps[0], result.steps[-1]) == (0, 10_000)
    assert 100 < result.steps.size <= 200 and (np.diff(result.steps) > 0).all()
    assert result.errors[0] == pytest.approx(np.abs(optimal_q(SLIP_LOOP, gamma=0.9)).max())
    assert np.array_equal(result.tables[-1], result.q)


def test_where_the_run_is_recorded_does_not_change_it():
    arguments = {"gamma": 0.9, "alpha": 0.1, "num_updates": 1000, "behaviour": UniformPairs()}
    full = q_learning(SLIP_LOOP, **arguments, rng=rng(), record_at=np.arange(1001))
    some = q_learning(SLIP_LOOP, **arguments, rng=rng(), record_at=[3, 500])
    assert np.array_equal(full.q, some.q)
    assert some.steps.tolist() == [3, 500]
    assert np.array_equal(full.errors[[3, 500]], some.errors)


def test_two_discounts_with_one_seed_visit_the_same_pairs_and_next_states():
    runs = [
        trace_q_learning(
            SLIP_LOOP,
            gamma=gamma,
            alpha=0.1,
            num_updates=500,
            behaviour=UniformPairs(),
            rng=rng(),
        )
        for gamma in (0.5, 0.99)
    ]
    assert np.array_equal(runs[0].states, runs[1].states)
    assert np.array_equal(runs[0].next_states, runs[1].next_states)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 1000), st.sampled_from(NAMES), st.floats(0, 0.99), st.booleans())
def test_the_table_stays_within_the_bound_of_the_rewards(seed, name, gamma, terminal):
    mdp = TabularMDP(*random_mdp_arrays(seed, 4, 3, terminal))
    result = q_learning(
        mdp,
        gamma=gamma,
        alpha=0.5,
        num_updates=2000,
        behaviour=behaviours(mdp)[name],
        rng=rng(seed),
    )
    assert np.abs(result.tables).max() <= np.abs(mdp.r).max() / (1 - gamma) * (1 + 1e-12)
    assert not result.q[mdp.terminal].any()


@pytest.mark.parametrize("function", [q_learning, trace_q_learning])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": 1.0}, r"gamma must be a number in \[0, 1\), but is 1.0"),
        ({"alpha": 0.0}, r"alpha must be a number in \(0, 1\], but is 0.0"),
        ({"alpha": "fast"}, r"alpha must be a number in \(0, 1\], but is 'fast'"),
        ({"num_updates": 0}, "num_updates must be an integer >= 1, but is 0"),
        ({"num_updates": 10.0}, "num_updates must be an integer >= 1, but is 10.0"),
        ({"rng": 0}, "rng must be a numpy.random.Generator, but is 0"),
        ({"q0": np.zeros((2, 2))}, r"q0 must have shape \(S, A\) = \(6, 2\)"),
        ({"q0": np.full((6, 2), np.nan)}, r"q0 must be finite, but q0\[0, 0\] is nan"),
        ({"behaviour": "greedy"}, r"UniformPairs\(\), Cyclic\(\), EpsilonGreedy\(epsilon\) or"),
        ({"behaviour": UniformPairs}, r"FixedPolicy\(pi\), but is <class"),
        ({"behaviour": FixedPolicy(np.ones((6, 2)))}, r"pi\[s=0, :\] must sum to 1"),
        ({"behaviour": FixedPolicy(np.ones((2, 2)))}, r"pi must have shape \(S, A\)"),
        ({"start": 5}, "start must be a non-terminal state below 6, but is 5"),
        ({"start": 6}, "start must be a non-terminal state below 6, but is 6"),
        ({"start": -1}, "start must be an integer >= 0, but is -1"),
    ],
)
def test_impossible_arguments_are_refused(function, change, message):
    arguments = {
        "gamma": 0.9,
        "alpha": 0.1,
        "num_updates": 10,
        "behaviour": EpsilonGreedy(0.1),
        "rng": rng(),
    }
    with pytest.raises(ValueError, match=message):
        function(SLIP_TERMINAL, **(arguments | change))


@pytest.mark.parametrize(
    "record_at", [[-1, 3], [3, 3], [5, 2], [0, 11], [0.5, 2], [], [[1, 2]], "all", [None]]
)
def test_record_counts_that_do_not_increase_within_the_run_are_refused(record_at):
    with pytest.raises(ValueError, match="record_at must be increasing integers between 0 and"):
        q_learning(
            SLIP_LOOP,
            gamma=0.9,
            alpha=0.1,
            num_updates=10,
            behaviour=UniformPairs(),
            rng=rng(),
            record_at=record_at,
        )


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, np.nan, None])
def test_an_epsilon_outside_the_unit_interval_is_refused(epsilon):
    with pytest.raises(ValueError, match=r"epsilon must be a number in \[0, 1\], but is "):
        EpsilonGreedy(epsilon)


def test_an_mdp_that_is_over_before_it_begins_is_refused():
    mdp = TabularMDP(P=np.ones((1, 1, 1)), r=np.zeros((1, 1)), terminal=[True])
    with pytest.raises(ValueError, match="mdp must have a non-terminal state"):
        q_learning(mdp, gamma=0.9, alpha=0.1, num_updates=1, behaviour=UniformPairs(), rng=rng())
