"""The claims of the essay: every verdict and number that the ledger prints, and its citations."""

from __future__ import annotations

import re
from string import Formatter

import nbformat
import numpy as np
import pytest

from qlearn_book.claims import claim as claims
from qlearn_book.claims import ledger
from qlearn_book.claims.claim import Finding, Verdict
from qlearn_book.notebooks import BOOK
from qlearn_core.behaviours import FixedPolicy, UniformPairs
from qlearn_core.environments import chain
from qlearn_core.planning import iterate, optimal_q
from qlearn_core.step_sizes import rescaled
from qlearn_core.tabular import q_learning

HOLDS, UNDER, FAILS = Verdict.HOLDS, Verdict.UNDER_CONDITIONS, Verdict.FAILS
TABULAR = ("intro", "value_iteration", "q_learning", "step_sizes", "martingale_noise")


@pytest.fixture(scope="module")
def book() -> ledger.Ledger:
    return ledger.Ledger()


# --- what is found --------------------------------------------------------------------------------

#: id -> verdict, and the numbers as the ledger prints them
FOUND = {
    "device-control-is-hard": (UNDER, "0.36 37 37"),
    "depth-harder": (UNDER, "3.8 2.0 2.0 2.1"),
    "contraction": (HOLDS, "909 1.000"),
    "error-bound": (HOLDS, "1.000"),
    "bias-shrinks": (HOLDS, "1.000"),
    "smooth-decay": (UNDER, "0.889 0.900 9"),
    "depth-sweeps": (UNDER, "3 17 47"),
    "effective-horizon": (HOLDS, "100 1,000 10,000"),
    "larger-discount-slower": (UNDER, "152 1,815 24 31 9 9"),
    "sweep-on-average": (HOLDS, "10 12"),
    "staircase": (HOLDS, "89"),
    "only-the-worst-moves": (FAILS, "5 20 40"),
    "steps-down": (FAILS, "11 45"),
    "staircase-from-single-updates": (UNDER, "14 100"),
    "every-pair-visited": (HOLDS, "0 102"),
    "balance": (FAILS, "0.3 0.3"),
    "off-policy-limit": (UNDER, "0.3 100"),
    "step-size-trade-off": (HOLDS, "79 13 0.56"),
    "convergence": (HOLDS, "10 0.9 0.3"),
    "finite-sum-stalls": (HOLDS, "77 84"),
    "square-sum-bounds-noise": (HOLDS, "151 4 34"),
    "harmonic-choice": (FAILS, "88 99"),
    "martingale-difference": (HOLDS, "12"),
    "any-behaviour": (HOLDS, "95.5 96.0 96.0"),
    "off-policy-reason": (UNDER, "12 0"),
    "independence-not-needed": (HOLDS, "0.19 11"),
    "up-or-down": (FAILS, "90 10"),
    "only-the-transition-is-random": (UNDER, "1.02 1.62"),
    "tabular-gradients-equal": (UNDER, "0.8 43 50 20"),
    "extra-entry-harmless": (FAILS, "0.78 0.22"),
    "gradient-bias": (HOLDS, "142 90"),
    "semi-gradient-not-to-blame": (UNDER, "101 7,404 0.76 0.0002 0.16"),
    "target-biased-either-way": (HOLDS, "88 30 52 18"),
    "contraction-lost": (UNDER, "4 2 5"),
    "update-is-projected": (UNDER, "0.11 0.53 2.3 0.76"),
    "projection-floor": (HOLDS, "1.4 30"),
    "error-above-floor": (UNDER, "70 0 13"),
    "triad-oscillates": (UNDER, "2 2 1"),
    "no-guarantee-at-scale": (UNDER, "4 7,404"),
    "capacity-no-cure": (UNDER, "0.040 0.001 1.44 1.67 0.90 16 0"),
    "error-inherited": (UNDER, "1.00 0.21 0"),
    "accumulation": (UNDER, "100 18 143"),
    "bias-compounds": (UNDER, "1.1 15.5 0.8 1.1 0"),
    "enough-capacity": (HOLDS, "0.0 0.2 1.2 2.5"),
    "deeper-chains-harder": (UNDER, "18 57 18,680 328 230 1.2"),
    "bias-grows-with-distance": (UNDER, "+1.0 -0.5"),
    "bias-grows-with-discount": (UNDER, "0.1 0.3 0.4 0.02"),
    "variance-decides": (
        UNDER,
        "0.15 0.11 0.20 0.15 0.10 0.05 -0.02 0.11 0.77 0.97 0.84 0.98",
    ),
    "target-networks": (UNDER, "+0.042 +0.030 +0.055 +0.043 +0.016 +0.070 0.22 0.07"),
    "separate-value-critic": (UNDER, "+0.013 +0.000 +0.026 +0.021 -0.001 +0.045 0.22 0.08"),
    "more-candidates-better": (UNDER, "0.31 0.98 0.984 0.985 0.39 0.37 0.18 -0.19 -0.23 -0.15"),
    "extraction-stable": (
        UNDER,
        "0.985 0.970 0.975 0.39 0.49 0.59 -0.10 -0.18 -0.03 -0.19 -0.26 -0.14 "
        "-0.14 -0.21 -0.08 0.30 0.25 0.35",
    ),
    "action-ignored": (UNDER, "0.014 0.227 0.673 0.290"),
    "fine-tuning-lowers-floor": (
        UNDER,
        "0.22 0.05 0.09 0.014 -0.016 0.041 0.03 -0.02 0.08 -0.12 -0.18 -0.05",
    ),
    "large-discounts-avoided": (UNDER, "0.1 0.3 0.6 1.0 5 5"),
    "end-to-end-unstable": (FAILS, "0 24 1.43 1.36 53 58 -0.051 -0.091 -0.011"),
    "frozen-is-stable": (FAILS, "0.237 0.248 0.222 0.200"),
    "divergence-3-28": (UNDER, "1.08 3.60 1.39"),
    "distribution-shift": (HOLDS, "0.23 0.34 0.78 0.98 0.28"),
    "components-controlled": (
        UNDER,
        "-0.051 -0.091 -0.011 +0.031 -0.015 +0.080 +0.154 +0.107 +0.196 -0.100 -0.180 -0.034 "
        "+0.029 +0.005 +0.061",
    ),
    "online-needs-recollection": (
        UNDER,
        "4 1 1 0.029 0.005 0.061 0.027 -0.005 0.071 -0.014 -0.067 0.023 37",
    ),
}


def printed(finding: Finding) -> str:
    """The numbers of a finding as they stand in its sentence."""
    specs = [spec for _, _, spec, _ in Formatter().parse(finding.measured) if spec is not None]
    return " ".join(map(format, finding.numbers, specs))


def test_every_measured_claim_is_in_the_table_of_this_test(book):
    measured = {entry.claim.id for entry in book.entries if entry.claim.find}
    assert measured == FOUND.keys()


@pytest.mark.parametrize("id", FOUND)
def test_the_ledger_prints_the_verdict_and_the_numbers_that_were_reviewed(book, id):
    finding = book.by_id[id].finding
    assert (finding.verdict, printed(finding)) == FOUND[id]


def test_what_is_not_measured_has_neither_verdict_nor_number(book):
    rest = [entry for entry in book.entries if not entry.claim.find]
    assert rest
    for entry in rest:
        quoted = bool(entry.claim.source)
        assert entry.finding.verdict is (Verdict.REPORTED if quoted else Verdict.OPEN)
        assert entry.finding.sentence == entry.claim.source
        assert not entry.tests and not entry.fragment


def test_every_section_of_the_essay_has_claims(book):
    sections = list(dict.fromkeys(entry.claim.section for entry in book.entries))
    assert sections == list(claims.SECTIONS)


# --- measured again, where no chapter's own test does ---------------------------------------------


@pytest.mark.claim("effective-horizon")
@pytest.mark.parametrize(("gamma", "horizon"), [(0.99, 100), (0.999, 1_000), (0.9999, 10_000)])
def test_the_bound_falls_by_the_factor_e_in_one_horizon(gamma, horizon):
    assert -1 / np.log(gamma) == pytest.approx(horizon, rel=0.01)
    mdp = chain(1, goal="loop")  # without slips the bound is attained
    history = iterate(mdp, gamma=gamma, num_sweeps=horizon)
    error = np.abs(history[[0, -1]] - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
    assert error[1] / error[0] == pytest.approx(1 / np.e, rel=0.01)


@pytest.mark.claim("balance")
@pytest.mark.parametrize("behaviour", [UniformPairs(), FixedPolicy(np.full((5, 2), 0.5))])
def test_behaviours_that_exploit_nothing_learn_the_optimum(behaviour):
    mdp = chain(4, slip=0.1)
    learned = []
    for seed in range(10, 30):
        run = q_learning(
            mdp, gamma=0.9, alpha=rescaled(0.9), num_updates=50_000, behaviour=behaviour,
            rng=np.random.default_rng(seed),
        )  # fmt: skip
        learned.append(run.q[0].max() / optimal_q(mdp, gamma=0.9)[0].max())
    standard_error = np.std(learned, ddof=1) / np.sqrt(len(learned))
    assert abs(np.mean(learned) - 1) < 0.01 + 4 * standard_error


@pytest.mark.claim("step-size-trade-off")
def test_larger_steps_forget_the_start_sooner():
    for seed in range(5):
        errors = []
        for alpha in (0.05, 0.1, 0.2, 0.5):
            run = q_learning(
                chain(5, slip=0.1, goal="loop"), gamma=0.9, alpha=alpha, num_updates=500,
                behaviour=UniformPairs(), rng=np.random.default_rng(seed),
            )  # fmt: skip
            errors.append(run.errors[-1])
        assert (np.diff(errors) < 0).all()


@pytest.mark.claim("only-the-transition-is-random")
def test_a_random_reward_adds_its_own_variance_to_the_noise():
    mdp, rng = chain(5, slip=0.1, goal="loop"), np.random.default_rng(7)
    r, P = mdp.r[4, 1], mdp.P[4, 1]
    v = optimal_q(mdp, gamma=0.9).max(axis=1)
    next_states = rng.choice(5, 50_000, p=P)
    noise = 0.9 * (v[next_states] - P @ v)
    transition = 0.9**2 * (P @ v**2 - (P @ v) ** 2)
    coin = r * rng.choice([-1.0, 1.0], noise.size)
    for sample, variance in ((noise, transition), (noise + coin, transition + r**2)):
        squares = sample**2
        assert abs(squares.mean() - variance) < 4 * squares.std() / np.sqrt(squares.size)
        assert abs(sample.mean()) < 4 * sample.std() / np.sqrt(sample.size)


# --- the chapters ---------------------------------------------------------------------------------


def bullets(stem: str) -> list[str]:
    cells = nbformat.read(BOOK / f"{stem}.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    part = text.partition("## What holds and what does not")[2].partition("\n## ")[0]
    return re.findall(r"^- (.*)$", part, re.MULTILINE)


@pytest.mark.parametrize("stem", TABULAR)
def test_the_bold_words_of_a_chapter_are_the_verdicts_of_the_ledger(book, stem):
    assert bullets(stem)
    for bullet in bullets(stem):
        ids = ledger.CITATION.findall(bullet)
        if not ids:
            assert "(The essay does not say this.)" in bullet, bullet
            continue
        bold = re.findall(r"\*\*((?:holds|does not hold)[^*]*?)\.?\*\*", bullet, re.IGNORECASE)
        assert bold, bullet
        for id in ids:
            verdict = book.by_id[id].finding.verdict
            assert {words.lower() for words in bold} == {str(verdict)}, bullet


def test_every_measured_claim_is_cited_by_a_chapter(book):
    cited = set().union(*ledger.citations(BOOK).values())
    assert [id for id in FOUND if id not in cited] == []
