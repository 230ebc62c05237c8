"""The package without numba: the same numbers, bit for bit; and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

RUN = """
import hashlib
import numpy as np
import qlearn_core as core

mdp = core.chain(5, slip=0.1)
pi = np.tile([0.3, 0.7], (6, 1))
digests = []
for behaviour in (
    core.UniformPairs(), core.Cyclic(), core.EpsilonGreedy(0.2), core.FixedPolicy(pi)
):
    for alpha in (0.1, core.rescaled(0.9), core.polynomial(0.7), core.harmonic_global()):
        arguments = dict(gamma=0.9, behaviour=behaviour)
        run = dict(alpha=alpha, num_updates=500, **arguments)
        records = (
            core.q_learning(mdp, **run, rng=np.random.default_rng(1)),
            core.trace_q_learning(mdp, **run, rng=np.random.default_rng(1)),
            core.martingale_differences(
                mdp, np.arange(12.0).reshape(6, 2), num_samples=500,
                rng=np.random.default_rng(1), **arguments,
            ),
        )
        for record in records:
            for name, values in vars(record).items():
                digests.append(hashlib.sha256(np.ascontiguousarray(values)).hexdigest())
for mdp in (core.garnet(30, 3, 4, rng=np.random.default_rng(1), sparse=True), mdp):
    for solution in (
        core.solve(mdp, gamma=0.9), core.modified_policy_iteration(mdp, gamma=0.9, max_sweeps=9)
    ):
        for values in (solution.q, solution.spans, solution.num_sweeps, mdp.r, mdp.rows.states):
            digests.append(hashlib.sha256(np.ascontiguousarray(values)).hexdigest())
print(len(digests), hashlib.sha256("".join(digests).encode()).hexdigest())
"""

NO_NUMBA = "import sys\nsys.modules['numba'] = None\n"


def python(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_numba_the_same_seed_gives_the_same_bits():
    check = "\nassert hasattr(core.tabular._q_learning, 'py_func') is "
    compiled = python(RUN + check + "True")
    interpreted = python(NO_NUMBA + RUN + check + "False")
    assert compiled == interpreted
    assert compiled.startswith("372 ")


def test_importing_the_package_imports_no_environment_plot_or_network_library():
    heavy = ["gymnasium", "plotly", "torch", "ipywidgets", "scipy.sparse"]
    program = f"import sys, qlearn_core\nprint([m for m in {heavy} if m in sys.modules])"
    assert python(program) == "[]"


def test_the_package_adds_less_to_the_import_time_than_numba_takes():
    program = (
        "import time; begin = time.process_time(); import numba; middle = time.process_time()\n"
        "import qlearn_core; end = time.process_time(); print((end - middle) / (middle - begin))"
    )
    assert min(float(python(program)) for _ in range(3)) < 0.5
