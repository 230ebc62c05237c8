"""What the repository promises about itself: small, pinned, self-contained, arrows one way."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
TITLE = "Challenges in Scaling Q-Learning"
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")

# Inside qlearn_core a module imports its own layer and those before it, never a later one.
LAYERS = (
    {"_compile", "stored_records"},
    {"transitions", "source_key"},
    {"mdp", "policy_values"},
    {"environments", "bellman", "recording", "step_sizes", "behaviours", "features", "weightings"},
    {"planning", "solvers", "tabular", "noise", "n_step", "mazes"},
    {"linear_runs", "_network", "targets", "sharsa"},
    {"mean_updates", "neural"},
    {"projection", "linear", "neural_reference"},
    {"device"},
    {"sweeps"},
    {"experiments"},
)


def committed() -> list[Path]:
    """Every file that is in git or would be added to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    assert ROOT / "Makefile" in paths
    return [path for path in paths if path.is_file()]


def notebooks() -> list[Path]:
    return sorted((ROOT / "book").glob("*.ipynb"))


def pins(name: str) -> dict[str, str]:
    """The ``package==version`` lines of a requirements file; any other kind of line is an error."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        line = line.partition("#")[0].strip()
        if line in ("", "-c constraints.txt", "-e ."):
            continue
        pin = PIN.fullmatch(line)
        assert pin, f"{name}: {line!r} is not an exact pin"
        found[pin[1].lower().replace("_", "-")] = pin[2]
    return found


def imports(path: Path) -> set[str]:
    """Full dotted names of the modules that a file imports, those inside functions too."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            # `from package import name`: name may be a module, so both are listed.
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def layer(stem: str) -> int:
    for rank, stems in enumerate(LAYERS):
        if stem in stems:
            return rank
    raise AssertionError(f"qlearn_core.{stem} has no place in LAYERS: give it one")


def test_no_file_is_larger_than_500_kB():
    large = [path for path in committed() if path.stat().st_size > 500_000]
    assert large == []


def test_no_minified_code_of_others_is_committed():
    for path in committed():
        if path.suffix in {".js", ".mjs", ".css"}:
            assert ".min." not in path.name, path
            longest = max(map(len, path.read_text(encoding="utf-8").splitlines()), default=0)
            assert longest < 500, f"{path} has a line of {longest} characters"


def test_the_lock_file_names_no_registry_and_checks_every_package():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name


def test_the_lock_file_holds_the_versions_of_package_json():
    manifest = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for name, version in (manifest["dependencies"] | manifest["devDependencies"]).items():
        assert re.fullmatch(r"[0-9.]+", version), f"{name} is not pinned exactly"
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize(
    "name",
    ["Makefile", ".ci/run", "requirements.txt", "constraints.txt", ".npmrc", "pyproject.toml"],
)
def test_how_packages_are_reached_is_left_to_the_machine(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    text = text.replace("http://localhost", "")
    for setting in ("index-url", "find-links", "trusted-host", "registry=", "proxy", "://"):
        assert setting not in text, f"{name} sets {setting}"


def test_requirements_are_exact_and_agree_with_the_constraints():
    constraints = pins("constraints.txt")
    requirements = pins("requirements.txt")
    assert requirements
    for package, version in requirements.items():
        assert constraints.get(package) == version, package


def test_the_citation_file_parses_and_agrees_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"] and citation["type"]
    assert citation["title"] == TITLE
    assert citation["version"] == project["version"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in project["authors"]
    ]
    assert (ROOT / "README.md").read_text(encoding="utf-8").startswith(f"# {TITLE}\n")
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_relative_links_of_the_documents_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / target).exists(), f"{name} links to {target}"


def test_notebooks_are_small_and_hold_no_widget_state():
    assert notebooks()
    for path in notebooks():
        assert path.stat().st_size < 200_000, path
        assert "widgets" not in nbformat.read(path, as_version=4).metadata, path


def test_notebooks_hold_only_the_outputs_that_are_compared():
    assert notebooks()
    for path in notebooks():
        for index, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type != "code":
                continue
            where = f"{path.name}, cell {index}"
            if "NBVAL_CHECK_OUTPUT" not in cell.source:
                assert cell.outputs == [], f"{where}: run qlearn_book.notebooks"
            for output in cell.outputs:
                kinds = set(output.get("data", {})) or {output.output_type}
                assert kinds <= {"text/plain", "stream"}, f"{where} holds {kinds}"


def test_the_algorithms_know_nothing_of_the_presentation():
    modules = sorted((ROOT / "qlearn_core").rglob("*.py"))
    assert modules
    for path in modules:
        tops = {name.partition(".")[0] for name in imports(path)}
        presentation = {"qlearn_book", "plotly", "ipywidgets", "anywidget", "IPython", "sphinx"}
        assert tops.isdisjoint(presentation), path


def test_imports_inside_the_core_point_one_way():
    for path in sorted((ROOT / "qlearn_core").rglob("*.py")):
        stem = path.relative_to(ROOT / "qlearn_core").with_suffix("").parts[0]
        if stem == "__init__":
            continue
        inside = [name.split(".") for name in imports(path) if name.startswith("qlearn_core.")]
        for parts in inside:
            if not is_module(parts[1]):
                raise AssertionError(f"{path} imports {parts[1]} from the package's front page")
            assert layer(parts[1]) <= layer(stem), f"{path} imports the later {parts[1]}"


def is_module(stem: str) -> bool:
    folder = ROOT / "qlearn_core"
    return (folder / f"{stem}.py").is_file() or (folder / stem).is_dir()


def test_the_explorer_knows_no_word_of_reinforcement_learning():
    modules = sorted((ROOT / "qlearn_book").glob("explorer*.py"))
    assert modules
    for path in modules:
        assert not any(name.split(".")[0] == "qlearn_core" for name in imports(path)), path
