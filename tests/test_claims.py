"""The ledger of claims: every verdict and number that it prints, and what it refuses to print."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from urllib.parse import parse_qsl

import nbformat
import numpy as np
import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.errors import ExtensionError

from qlearn_book import Axis, Explorer, sphinx_claims, store
from qlearn_book.address import address
from qlearn_book.claims import claim as claims
from qlearn_book.claims import ledger, markup
from qlearn_book.claims.claim import Claim, Finding, Verdict, judge
from qlearn_book.notebooks import BOOK
from qlearn_book.theme import PALETTE
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
    "large-discounts-avoided": (UNDER, "0.1 0.3 0.6 1.0 5 5"),
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


# --- what stops the build -------------------------------------------------------------------------


def make(**more) -> Claim:
    return Claim("flat", "Tabular case", "It is flat.", **more)


def figure() -> dict[str, tuple[str, Explorer]]:
    axes = {"gamma": Axis((0.5, 0.9), "γ", start=0.9), "goal": Axis(("a", "b"), "goal", start="a")}
    return {"curve": ("here", Explorer("curve", print, print, title="A curve", **axes))}


@pytest.mark.parametrize("verdict", [HOLDS, UNDER, FAILS])
def test_a_verdict_without_a_test_is_named(verdict):
    finding = Finding(verdict, "", (), "sometimes" if verdict is UNDER else "")
    assert ledger.problems_of_claims({"flat": finding}, {}) == [
        f"claim 'flat' {verdict}, but no test is marked with it"
    ]


def test_a_claim_that_is_not_measured_needs_no_test_and_may_have_none():
    for verdict in (Verdict.OPEN, Verdict.REPORTED):
        found = {"flat": Finding(verdict, "", ())}
        assert ledger.problems_of_claims(found, {}) == []
        mark = ledger.Backing("tests/test_it.py", "test_it", 1)
        (problem,) = ledger.problems_of_claims(found, {"flat": (mark,)})
        assert "test_it is marked with 'flat'" in problem


def test_a_mark_of_a_claim_that_is_not_there_is_named():
    mark = ledger.Backing("tests/test_it.py", "test_it", 1)
    assert ledger.problems_of_claims({}, {"flta": (mark,)}) == [
        "tests/test_it.py::test_it is marked with 'flta', which is no measured claim"
    ]


def test_a_citation_without_a_claim_is_named(tmp_path):
    (tmp_path / "page.md").write_text("It is so `claim:falt`, and `code`.", encoding="utf-8")
    cited = ledger.citations(tmp_path)
    assert cited == {"page.md": {"falt"}}
    assert ledger.problems_of_citations({}, cited) == [
        "page.md cites the claim 'falt', which is not in the ledger"
    ]


@pytest.mark.parametrize(
    ("name", "at", "message"),
    [
        ("curvy", {}, "links to figure 'curvy'"),
        ("curve", {"depth": 2}, "links to depth = 2"),
        ("curve", {"gamma": 0.7}, "links to gamma = 0.7"),
        ("curve", {"goal": "c"}, "links to goal = 'c'"),
    ],
)
def test_a_figure_state_that_does_not_exist_is_named(name, at, message):
    (problem,) = ledger.problems_of_links([make(figure=name, at=at)], figure())
    assert problem.startswith("claim 'flat' ") and message in problem


def test_a_figure_state_that_exists_is_no_problem():
    at = {"gamma": 0.5, "goal": "b"}
    assert ledger.problems_of_links([make(figure="curve", at=at), make()], figure()) == []


def test_all_problems_stop_the_ledger_with_their_names(monkeypatch):
    monkeypatch.setattr(ledger, "backings", lambda folder: {})
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.Ledger()
    assert all(repr(id) in str(caught.value) for id in FOUND)


def test_the_build_of_the_book_ends_where_the_ledger_cannot_be_made(monkeypatch):
    monkeypatch.setattr(ledger, "backings", lambda folder: {})
    with pytest.raises(ExtensionError, match="claim 'staircase' holds, but no test is marked"):
        sphinx_claims.pages_to_renew(SimpleNamespace(), SimpleNamespace(), [], [], [])


def test_an_id_given_twice_is_refused(monkeypatch):
    monkeypatch.setattr(ledger, "claims_of", lambda module: [make()])
    with pytest.raises(ledger.LedgerError, match="'flat' is there twice"):
        ledger.registered()


# --- claims and findings --------------------------------------------------------------------------


def test_a_claim_holds_in_all_cases_in_some_or_in_none():
    assert judge(True, True) is HOLDS
    assert judge(True, False) is UNDER
    assert judge(False, False) is FAILS


def test_a_condition_stands_where_a_claim_holds_under_conditions_and_only_there():
    for verdict, condition in ((UNDER, ""), (HOLDS, "sometimes")):
        with pytest.raises(ValueError, match="condition must be given"):
            Finding(verdict, "", (), condition)


def test_a_section_that_the_essay_does_not_have_is_refused():
    with pytest.raises(ValueError, match="section of claim 'flat' .* 'Summary'"):
        Claim("flat", "Summary", "It is flat.")


CALLS = []


def measure() -> Finding:
    CALLS.append(1)
    return Finding(UNDER, "{:.0f} of {}", (4.2, 10), "sometimes")


def test_a_finding_is_computed_once_and_then_read_from_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    CALLS.clear()
    first, second = (claims.findings([make(find=measure)])["flat"] for _ in range(2))
    assert first == second == Finding(UNDER, "{:.0f} of {}", (4.2, 10), "sometimes")
    assert second.sentence == "4 of 10"
    assert len(CALLS) == 1
    assert [path.name for path in store.folder().iterdir()] == ["claims-test_claims.json"]


def test_marked_tests_are_found_by_reading_the_files(tmp_path):
    source = (
        "import pytest\n\n@pytest.mark.claim('a', 'b')\n@pytest.mark.slow\ndef test_one(): ...\n"
    )
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    (tmp_path / "tests" / "browser" / "test_it.py").write_text(source, encoding="utf-8")
    mark = ledger.Backing("tests/browser/test_it.py", "test_one", 5)
    assert ledger.backings(tmp_path / "tests") == {"a": (mark,), "b": (mark,)}


# --- on the site ----------------------------------------------------------------------------------


def test_pages_that_show_a_verdict_are_renewed_when_the_ledger_changes(book, monkeypatch):
    monkeypatch.setattr(ledger, "Ledger", lambda: book)
    env = SimpleNamespace(found_docs={"book/claims", "book/intro", "book/notation"})
    app = SimpleNamespace()
    changes = ([], [], [])
    assert sphinx_claims.pages_to_renew(app, env, *changes) == ["book/claims", "book/intro"]
    assert sphinx_claims.pages_to_renew(app, env, *changes) == []
    monkeypatch.setattr(type(book), "_repr_html_", lambda self: "another verdict")
    assert sphinx_claims.pages_to_renew(app, env, *changes) == ["book/claims", "book/intro"]


def test_a_citation_becomes_a_badge_and_other_code_stays(book):
    builder = SimpleNamespace(format="html", get_relative_uri=lambda *names: "claims.html")
    page = new_document("page")
    page += nodes.paragraph("", "", nodes.literal(text="claim:staircase"), nodes.literal(text="x"))
    sphinx_claims.show(SimpleNamespace(builder=builder, claims=book), page, "book/q_learning")
    badge, code = page[0].children
    assert badge.astext() == markup.badge(book.by_id["staircase"], "claims.html")
    assert isinstance(code, nodes.literal)


def test_the_ledgers_page_shows_the_ledger_as_it_is_now(book, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    builder = SimpleNamespace(format="html", get_relative_uri=lambda *names: "")
    page = new_document("page")
    page += nodes.raw("", '<div class="ledger">of an earlier build</div>', format="html")
    sphinx_claims.show(SimpleNamespace(builder=builder, claims=book), page, sphinx_claims.PAGE)
    assert page.astext() == book._repr_html_()


def test_the_colours_of_the_verdicts_are_those_of_the_palette():
    roles = {"holds": "green", "conditions": "orange", "fails": "red", "quiet": "muted"}
    colours = re.findall(r"--claim-(\w+): (#\w+);", markup.STYLE.read_text(encoding="utf-8"))
    light, dark = dict(colours[:4]), dict(colours[4:])
    assert {key: (light[key], dark[key]) for key in roles} == {
        key: PALETTE[role] for key, role in roles.items()
    }


# --- addresses and the page -----------------------------------------------------------------------


def test_an_address_holds_every_control_in_its_shortest_form():
    values = {"gamma": 0.9, "depth": 8, "alpha": 1.0, "tolerance": 1e-6, "goal": "loop"}
    assert address("curve", values) == "#curve?gamma=0.9&depth=8&alpha=1&tolerance=1e-06&goal=loop"


def test_words_of_an_address_survive_the_way_through_a_browser():
    values = {"behaviour": "ε-greedy, ε = 0.3", "walk": "65 % back & forth"}
    fragment = address("curve", values)
    assert re.fullmatch(r"[#\w?=&%.-]+", fragment) and fragment.isascii()
    assert dict(parse_qsl(fragment.partition("?")[2])) == values


def test_every_link_of_the_ledger_leads_to_a_chapter_and_an_anchor_of_its_own(book):
    html = markup.ledger(book.entries, ".ipynb")
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {f"claim-{entry.claim.id}" for entry in book.entries} <= set(ids)
    for target in re.findall(r'href="([^"]+)"', html):
        page, _, fragment = target.partition("#")
        assert (BOOK / page).is_file() if page else fragment in ids, target


def test_each_verdict_has_a_shape_and_words():
    marks = {verdict: markup.mark(verdict) for verdict in Verdict}
    assert len({re.search(r'<path d="([^"]+)"', mark)[1] for mark in marks.values()}) == 5
    assert all(str(verdict) in mark for verdict, mark in marks.items())


def test_tests_are_linked_where_the_repository_is_known_and_named_everywhere(book, monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_REPOSITORY", raising=False)
    name = "the share of flat updates at alpha one tenth is 89 percent"
    plain = markup.ledger(book.entries, ".html")
    assert name in plain and "://" not in plain
    monkeypatch.setenv("QLEARN_BOOK_REPOSITORY", "https://github.com/owner/name")
    pattern = (
        rf'<a href="https://github.com/owner/name/blob/main/(tests/\w+\.py)#L(\d+)">{name}</a>'
    )
    path, line = re.search(pattern, markup.ledger(book.entries, ".html")).groups()
    source = (Path(__file__).parent.parent / path).read_text(encoding="utf-8").splitlines()
    assert source[int(line) - 1].startswith("def test_the_share_of_flat_updates")


def test_markup_in_a_claim_is_text():
    entry = ledger.Entry(make(), Finding(HOLDS, "<b>", ()), "", None, ())
    html = markup.ledger([entry], ".html")
    assert "<b>" not in html.partition("claim-contents")[2] and "&lt;b&gt;" in html


def test_a_badge_shows_the_verdict_and_leads_to_the_claim(book):
    badge = markup.badge(book.by_id["staircase"], "claims.html")
    assert 'href="claims.html#claim-staircase"' in badge
    assert re.sub(r"<[^>]+>", "", badge) == "The ledger says: holds"


def test_in_a_kernel_the_ledger_brings_its_style_and_links_to_notebooks(book, monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_MODE", raising=False)
    html = book._repr_html_()
    assert html.startswith("<style>") and "q_learning.ipynb#staircase?" in html
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    assert (
        "<style>" not in book._repr_html_() and "q_learning.html#staircase?" in book._repr_html_()
    )
