"""Training the network: PyTorch as the oracle, what must coincide, targets, records, arguments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from qlearn_core import bellman_optimality, chain, combination_lock, greedy, optimal_q
from qlearn_core import neural_reference as reference
from qlearn_core.neural import (
    DIVERGENCE,
    HIDDEN,
    NUM_PARAMETERS,
    Adam,
    CopyEvery,
    MovingAverage,
    Sgd,
    initial_parameters,
    train_network,
)
from qlearn_core.targets import bootstrapped_targets, scaled_inputs, supervised_targets

GAMMA = 0.9
STAY = chain(8, second="stay")
ONE_STEP = bootstrapped_targets(STAY, gamma=GAMMA)
# A random code: which action is greedy changes while the network learns.
LOCK = bootstrapped_targets(
    combination_lock(8, 3, step_reward=-0.1, rng=np.random.default_rng(1)), gamma=GAMMA
)
torch.set_num_threads(1)


def rng(seed=0):
    return np.random.default_rng(seed)


def same(first, second):
    return np.array_equal(first.theta, second.theta) and np.array_equal(first.tables, second.tables)


# --- PyTorch --------------------------------------------------------------------------------------

# Where the greedy action changes, or a unit passes zero, a rounding error decides which way an
# update goes, and the two runs part by about 1e-4.  So the lock gets fewer updates.
SETTINGS = {
    "semi-gradient": (ONE_STEP, 2_000, {}),
    "supervised": (supervised_targets(STAY, gamma=GAMMA), 2_000, {}),
    "copies": (ONE_STEP, 2_000, {"target_network": CopyEvery(100)}),
    "replay": (ONE_STEP, 1_000, {"batch_size": 7, "optimiser": Sgd(0.02)}),
    "online, copies": (
        ONE_STEP,
        1_000,
        {"batch_size": 1, "optimiser": Sgd(0.01), "target_network": CopyEvery(20)},
    ),
    "three actions": (LOCK, 300, {}),
    "double Q, copies": (LOCK, 300, {"target_network": CopyEvery(40), "double": True}),
    "double Q, moving average": (
        LOCK,
        300,
        {"target_network": MovingAverage(0.02), "double": True},
    ),
    "replay, double Q, moving average": (
        LOCK,
        300,
        {"batch_size": 6, "target_network": MovingAverage(0.05), "double": True},
    ),
    "n-step, stochastic": (
        bootstrapped_targets(
            chain(5, slip=0.2, goal="loop"), gamma=GAMMA, num_steps=3, pi=np.full((5, 2), 0.5)
        ),
        1_000,
        {},
    ),
    "Adam, supervised": (
        supervised_targets(STAY, gamma=GAMMA),
        1_000,
        {"optimiser": Adam(1e-3), "batch_size": 15},
    ),
    "Adam": (ONE_STEP, 200, {"optimiser": Adam(1e-3)}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_parameters_are_those_of_pytorch_to_five_digits(name):
    targets, num_updates, settings = SETTINGS[name]
    arguments = {"optimiser": Sgd(0.1), "num_updates": num_updates} | settings
    runs = train_network([targets], **arguments, rng=rng(3))
    theta = reference.train_network(targets, **arguments, rng=rng(3).spawn(1)[0])
    assert runs.diverged_at[0] == -1
    assert runs.theta[0] == pytest.approx(theta, abs=1e-5)
    assert not runs.theta[0] == pytest.approx(initial_parameters(rng(3).spawn(1)[0]), abs=1e-2)


@pytest.mark.parametrize("name", ["semi-gradient", "copies", "supervised"])
def test_single_precision_is_enough_for_three_digits_of_the_errors(name):
    targets, _, settings = SETTINGS[name]
    arguments = {"optimiser": Sgd(0.1), "num_updates": 1_000} | settings
    runs = train_network([targets], **arguments, rng=rng(3))
    theta = reference.train_network(targets, **arguments, rng=rng(3).spawn(1)[0], dtype=np.float64)
    with torch.no_grad():
        q = reference.network(theta)(torch.from_numpy(targets.inputs)).squeeze(1).numpy()
    error = np.abs(q - targets.q_star.ravel()[targets.pairs]).max()
    assert runs.errors[0, -1] == pytest.approx(error, rel=1e-3)


def test_parameters_and_network_are_inverse_to_each_other():
    theta = initial_parameters(rng())
    assert theta.dtype == np.float32 and theta.size == NUM_PARAMETERS == 257
    assert np.array_equal(reference.parameters(reference.network(theta)), theta)


def test_initial_parameters_have_the_distribution_of_new_pytorch_layers():
    """Uniform on (−b, b): the largest of n numbers is above b (1 − 10/n) with 1 − e^−10."""
    torch.manual_seed(0)
    num_draws = 400
    layers = [
        nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
        for _ in range(num_draws)
    ]
    theirs = np.array([reference.parameters(one) for one in layers])
    ours = np.array([initial_parameters(rng(seed)) for seed in range(num_draws)])
    for group, bound in (
        (slice(0, 2 * HIDDEN), 2**-0.5),
        (slice(2 * HIDDEN, 3 * HIDDEN), 2**-0.5),
        (slice(3 * HIDDEN, 4 * HIDDEN), HIDDEN**-0.5),
        (slice(4 * HIDDEN, None), HIDDEN**-0.5),
    ):
        for draws in (ours[:, group], theirs[:, group]):
            assert bound * (1 - 10 / draws.size) < np.abs(draws).max() <= bound * (1 + 1e-6)
            spread = bound / np.sqrt(3)
            assert abs(draws.mean()) < 4 * spread / np.sqrt(draws.size)
            # The variance of x² is 4 b⁴ / 45.
            deviation = np.sqrt(4 / 45 / draws.size) * bound**2
            assert abs((draws**2).mean() - spread**2) < 4 * deviation


# --- what must coincide ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("optimiser", [Sgd(0.05), Adam(1e-3)])
def test_a_target_network_that_never_lags_is_none(batch_size, optimiser):
    arguments = {"optimiser": optimiser, "num_updates": 300, "batch_size": batch_size}
    plain = train_network([ONE_STEP], **arguments, rng=rng())
    for target_network in (CopyEvery(1), MovingAverage(1.0)):
        for double in (False, True):
            lagging = train_network(
                [ONE_STEP], **arguments, target_network=target_network, double=double, rng=rng()
            )
            assert same(plain, lagging)


def test_double_q_differs_once_the_target_network_lags():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 300, "target_network": MovingAverage(0.01)}
    single = train_network([LOCK], **arguments, rng=rng())
    double = train_network([LOCK], **arguments, double=True, rng=rng())
    assert not same(single, double)


def test_until_the_first_copy_the_targets_stand_still():
    """With frozen targets the run is a regression on T Q_0, whatever the period beyond it."""
    arguments = {"optimiser": Sgd(0.1), "num_updates": 100}
    short, long = (
        train_network([ONE_STEP], **arguments, target_network=CopyEvery(period), rng=rng())
        for period in (100, 10_000)
    )
    assert same(short, long)
    longer = {"optimiser": Sgd(0.1), "num_updates": 101}
    short, long = (
        train_network([ONE_STEP], **longer, target_network=CopyEvery(period), rng=rng())
        for period in (100, 10_000)
    )
    assert not same(short, long)


def test_a_batch_of_every_pair_is_the_full_batch():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 200}
    full = train_network([ONE_STEP], **arguments, rng=rng())
    replay = train_network([ONE_STEP], **arguments, batch_size=16, rng=rng())
    assert same(full, replay)


def test_a_run_depends_on_its_own_child_alone():
    arguments = {"optimiser": Sgd(0.05), "num_updates": 200, "batch_size": 4}
    few = train_network([ONE_STEP] * 2, **arguments, rng=rng())
    many = train_network([ONE_STEP] * 5, **arguments, rng=rng())
    assert np.array_equal(few.tables, many.tables[:2])
    assert len({tuple(theta) for theta in many.theta.tolist()}) == 5


def test_two_calls_with_one_generator_are_one_call_with_all_seeds():
    """So a band over many seeds can be shown while it grows."""
    arguments = {"optimiser": Sgd(0.05), "num_updates": 100, "batch_size": 4}
    generator = rng()
    parts = [train_network([ONE_STEP] * 2, **arguments, rng=generator) for _ in range(2)]
    together = train_network([ONE_STEP] * 4, **arguments, rng=rng())
    assert np.array_equal(np.concatenate([part.tables for part in parts]), together.tables)


def test_to_first_order_an_update_is_the_tabular_one_through_the_tangent_kernel():
    """ΔQ = α K (T Q − Q) / N + O(α²) with K = ∇Q ∇Qᵀ; a table has K = I. The rate is the slope."""
    layers = reference.network(initial_parameters(rng().spawn(1)[0]))
    rows = []
    for q in layers(torch.from_numpy(ONE_STEP.inputs.astype(np.float32))).squeeze(1):
        gradients = torch.autograd.grad(q, list(layers.parameters()), retain_graph=True)
        rows.append(torch.cat([g.flatten() for g in gradients]).numpy().astype(float))
    K = np.array(rows) @ np.array(rows).T
    alphas, remainders = np.array([0.04, 0.02, 0.01]), []
    for alpha in alphas:
        runs = train_network(
            [ONE_STEP], optimiser=Sgd(alpha), num_updates=1, record_at=np.array([0, 1]), rng=rng()
        )
        q, q_next = runs.tables[0].reshape(2, -1)[:, ONE_STEP.pairs]
        target = bellman_optimality(STAY, runs.tables[0, 0], gamma=GAMMA).ravel()[ONE_STEP.pairs]
        first_order = alpha * K @ (target - q) / q.size
        remainders.append(np.abs(q_next - q - first_order).max())
        assert remainders[-1] < 0.2 * np.abs(first_order).max()
    slope = np.polyfit(np.log(alphas), np.log(remainders), 1)[0]
    assert slope == pytest.approx(2, abs=0.2)


def test_where_q_star_can_be_represented_it_is_the_limit():
    targets = bootstrapped_targets(chain(2, second="stay"), gamma=GAMMA)
    runs = train_network([targets] * 5, optimiser=Sgd(0.1), num_updates=5_000, rng=rng())
    assert runs.status == ("converged",) * 5
    assert runs.errors[:, -1].max() < 1e-4


# --- targets --------------------------------------------------------------------------------------


def applied(targets, table):
    """The targets of a table (S, A), by the definition in `Targets`."""
    values = table.ravel()[targets.pairs].reshape(-1, table.shape[1]).max(axis=1)  # non-terminal
    states = targets.successors // table.shape[1]
    return targets.rewards + (targets.weights * values[states]).sum(axis=1)


MDPS = {
    "stay": STAY,
    "slip": chain(5, slip=0.1),
    "loop": chain(5, slip=0.2, goal="loop"),
    "lock": combination_lock(6, 3, wrong="reset", step_reward=-1.0, rng=rng(1)),
    "depth 1": chain(1, second="stay"),
}


@pytest.mark.parametrize("name", MDPS)
def test_one_step_targets_are_the_bellman_operator(name):
    mdp = MDPS[name]
    targets = bootstrapped_targets(mdp, gamma=GAMMA)
    for seed in range(3):
        table = rng(seed).normal(size=mdp.r.shape)
        expected = bellman_optimality(mdp, table, gamma=GAMMA).ravel()[mdp.active_pairs]
        assert applied(targets, table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", MDPS)
def test_one_step_targets_ignore_the_policy(name):
    mdp = MDPS[name]
    uniform = np.full(mdp.r.shape, 1 / mdp.num_actions)
    table = rng().normal(size=mdp.r.shape)
    plain = bootstrapped_targets(mdp, gamma=GAMMA)
    other = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=1, pi=uniform)
    assert np.array_equal(applied(plain, table), applied(other, table))


@pytest.mark.parametrize("num_steps", [1, 2, 4, 16])
@pytest.mark.parametrize("name", MDPS)
def test_q_star_is_the_fixed_point_of_n_step_targets_on_optimal_data(name, num_steps):
    mdp = MDPS[name]
    targets = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=num_steps)
    q_star = optimal_q(mdp, gamma=GAMMA)
    assert np.array_equal(targets.q_star, q_star)
    assert applied(targets, q_star) == pytest.approx(q_star.ravel()[mdp.active_pairs], abs=1e-12)


@pytest.mark.parametrize("name", ["slip", "loop", "lock"])
def test_n_step_targets_are_the_sum_over_all_paths(name):
    mdp, num_steps = MDPS[name], 3
    pi = rng(5).dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    table = rng(6).normal(size=mdp.r.shape)

    def expected(s, a, left):
        total = mdp.r[s, a]
        for t in np.flatnonzero(mdp.P[s, a]):
            if left > 1:
                later = sum(pi[t, b] * expected(t, b, left - 1) for b in range(mdp.num_actions))
            else:
                later = 0.0 if mdp.terminal[t] else table[t].max()
            total += GAMMA * mdp.P[s, a, t] * later
        return total

    targets = bootstrapped_targets(mdp, gamma=GAMMA, num_steps=num_steps, pi=pi)
    paths = [expected(*divmod(int(pair), mdp.num_actions), num_steps) for pair in targets.pairs]
    assert applied(targets, table) == pytest.approx(paths, abs=1e-12)


def test_uncorrected_n_step_targets_of_a_poor_policy_are_biased_downwards():
    q_star = optimal_q(STAY, gamma=GAMMA)
    targets = bootstrapped_targets(STAY, gamma=GAMMA, num_steps=4, pi=np.full((9, 2), 0.5))
    bias = applied(targets, q_star) - q_star.ravel()[targets.pairs]
    assert bias.max() <= 1e-12 and bias.min() < -0.1


def test_supervised_targets_are_q_star_whatever_the_network_says():
    targets = supervised_targets(STAY, gamma=GAMMA)
    q_star = optimal_q(STAY, gamma=GAMMA)
    assert applied(targets, rng().normal(size=STAY.r.shape)) == pytest.approx(
        q_star.ravel()[STAY.active_pairs]
    )
    plain, lagging = (
        train_network(
            [targets], optimiser=Sgd(0.1), num_updates=50, target_network=network, rng=rng()
        )
        for network in (None, CopyEvery(7))
    )
    assert same(plain, lagging)


def test_the_inputs_are_the_state_over_the_last_one_and_the_action():
    inputs = scaled_inputs(chain(5))
    assert inputs[:5, :, 0].tolist() == [[x, x] for x in (0, 0.25, 0.5, 0.75, 1)]
    assert inputs[:, :, 1].tolist() == [[0, 1]] * 6
    assert scaled_inputs(chain(1))[0].tolist() == [[0, 0], [0, 1]]
    lock = combination_lock(3, 1, rng=rng())
    assert scaled_inputs(lock)[:3, 0].tolist() == [[0, 0], [0.5, 0], [1, 0]]


# --- records --------------------------------------------------------------------------------------


def test_a_record_holds_tables_errors_and_bias_that_agree():
    steps = np.array([0, 10, 400])
    runs = train_network(
        [ONE_STEP] * 3, optimiser=Sgd(0.1), num_updates=500, record_at=steps, rng=rng()
    )
    q_star = optimal_q(STAY, gamma=GAMMA)
    assert runs.tables.shape == (3, 3, 9, 2) and runs.theta.shape == (3, 257)
    assert np.array_equal(runs.steps, steps)
    assert (runs.tables[:, :, STAY.terminal] == 0).all()
    assert np.array_equal(runs.errors, np.abs(runs.tables - q_star).max(axis=(2, 3)))
    assert np.array_equal(runs.bias, runs.tables[:, -1] - q_star)
    for seed, child in enumerate(rng().spawn(3)):
        layers = reference.network(initial_parameters(child))
        with torch.no_grad():
            q = layers(torch.from_numpy(ONE_STEP.inputs.astype(np.float32))).squeeze(1).numpy()
        assert runs.tables[seed, 0].ravel()[ONE_STEP.pairs] == pytest.approx(q, abs=1e-6)


def test_the_last_parameters_are_those_after_all_updates():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 50}
    early = train_network([ONE_STEP], **arguments, record_at=np.array([0]), rng=rng())
    late = train_network([ONE_STEP], **arguments, rng=rng())
    assert np.array_equal(early.theta, late.theta)


def test_a_diverging_run_says_so_and_leaves_the_others_alone():
    """A step size for which seeds differ in their fate: every number stays a number or inf."""
    runs = train_network([ONE_STEP] * 20, optimiser=Sgd(2.0), num_updates=500, rng=rng())
    gone = runs.diverged_at >= 0
    assert 0 < gone.sum() < 20
    assert not np.isnan(runs.tables).any() and not np.isnan(runs.errors).any()
    assert np.array_equal(np.array(runs.status) == "diverged", gone)
    for seed in range(20):
        before = ~gone[seed] | (runs.steps < runs.diverged_at[seed])
        assert np.array_equal(np.isfinite(runs.errors[seed]), before)
        assert np.abs(runs.tables[seed, before]).max() <= DIVERGENCE
    slow = train_network([ONE_STEP], optimiser=Sgd(1e30), num_updates=9, rng=rng())
    assert slow.status == ("diverged",) and slow.diverged_at[0] == 1


def test_a_run_has_converged_when_its_last_error_is_within_the_tolerance():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 300, "rng": rng()}
    runs = train_network([ONE_STEP], **arguments)
    error = runs.errors[0, -1] / np.abs(ONE_STEP.q_star).max()
    for tol, status in ((error * 1.001, "converged"), (error * 0.999, "running")):
        again = train_network([ONE_STEP], **(arguments | {"rng": rng()}), tol=tol)
        assert again.status == (status,)


def test_hitting_times_are_the_first_recorded_counts_below_the_threshold():
    runs = train_network([ONE_STEP] * 3, optimiser=Sgd(0.1), num_updates=300, rng=rng())
    hits = runs.hitting_times(0.2)
    for seed in range(3):
        earlier = runs.steps < hits[seed]
        assert (runs.errors[seed, earlier] >= 0.2).all()
        assert runs.errors[seed, ~earlier][0] < 0.2
    assert np.isinf(runs.hitting_times(1e-9)).all()


def test_every_seed_may_have_targets_of_its_own():
    locks = [combination_lock(6, step_reward=-0.1, rng=rng(seed)) for seed in range(3)]
    targets = [bootstrapped_targets(lock, gamma=GAMMA) for lock in locks]
    together = train_network(targets, optimiser=Sgd(0.1), num_updates=100, rng=rng())
    for seed, lock in enumerate(locks):
        right = greedy(optimal_q(lock, gamma=GAMMA))
        assert np.array_equal(greedy(targets[seed].q_star), right)
        swapped = [targets[seed]] * 3
        alone = train_network(swapped, optimiser=Sgd(0.1), num_updates=100, rng=rng())
        assert np.array_equal(together.errors[seed], alone.errors[seed])


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        ({"optimiser": 0.1}, r"optimiser must be Sgd\(alpha\) or Adam\(alpha\), but is 0.1"),
        ({"target_network": 5}, "target_network must be CopyEvery.* or None, but is 5"),
        ({"double": True}, "double needs a target network, but target_network is None"),
        ({"batch_size": 17}, "batch_size must be at most the 16 pairs .*, but is 17"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1, but is 0"),
        ({"num_updates": 0}, "num_updates must be an integer >= 1, but is 0"),
        ({"record_at": np.array([11])}, "record_at must be increasing integers .*num_updates=10"),
        ({"tol": -1}, "tol must be a number >= 0, but is -1"),
        ({"rng": 0}, "rng must be a numpy.random.Generator, but is 0"),
    ],
)
def test_a_bad_argument_is_named(change, message):
    arguments = {"optimiser": Sgd(0.1), "num_updates": 10, "rng": rng()} | change
    with pytest.raises(ValueError, match=message):
        train_network([ONE_STEP], **arguments)


@pytest.mark.parametrize(
    "targets, message",
    [
        ([], "targets must be a sequence of Targets, at least one, but is \\[\\]"),
        ([1], "targets must be a sequence of Targets"),
        (ONE_STEP, "targets must be a sequence of Targets"),
        ([ONE_STEP, bootstrapped_targets(chain(3), gamma=0.5)], r"but targets\[1\] has other ones"),
    ],
)
def test_targets_of_another_kind_are_refused(targets, message):
    with pytest.raises(ValueError, match=message):
        train_network(targets, optimiser=Sgd(0.1), num_updates=1, rng=rng())


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Sgd(0), "alpha must be a number > 0, but is 0"),
        (lambda: Adam(-1), "alpha must be a number > 0, but is -1"),
        (lambda: CopyEvery(0), "period must be an integer >= 1, but is 0"),
        (lambda: MovingAverage(1.5), r"tau must be a number in \(0, 1\], but is 1.5"),
        (lambda: bootstrapped_targets(STAY, gamma=1.0), r"gamma must be a number in \[0, 1\)"),
        (lambda: bootstrapped_targets(STAY, gamma=0.5, num_steps=0), "num_steps must be"),
        (
            lambda: bootstrapped_targets(STAY, gamma=0.5, inputs=np.zeros((9, 2))),
            r"inputs must have shape \(S, A, 2\) = \(9, 2, 2\), but has \(9, 2\)",
        ),
        (
            lambda: supervised_targets(STAY, gamma=0.5, inputs=np.full((9, 2, 2), np.nan)),
            r"inputs must be finite, but inputs\[0, 0, 0\] is nan",
        ),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
