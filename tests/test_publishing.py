"""Publishing: one setting for all addresses, workflows that call make, what Binder installs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from qlearn_book.axis import Axis
from qlearn_book.site import finish, publishing, settings
from qlearn_book.warm import warm
from tests.test_repository import ROOT, pins

REPOSITORY = "https://github.com/owner/name"
SITE = "https://owner.github.io/name/"
CONF = """
import json
from pathlib import Path
from qlearn_book.site import publishing, settings

extensions = ["myst_nb", "sphinx_book_theme"]
html_theme = "sphinx_book_theme"
html_title = "Book"
nb_execution_mode = "off"

def setup(app):
    app.connect("config-inited", lambda app, config: settings.apply(config))
    app.connect("build-finished", write_pages)

def write_pages(app, exception):
    Path(app.outdir, "pages.json").write_text(json.dumps(publishing.pages(app)))
"""
CHAPTER = (
    '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Chapter"}],'
    '"metadata": {"kernelspec": {"display_name": "Python 3", "language": "python",'
    '"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_REPOSITORY", raising=False)
    monkeypatch.delenv("QLEARN_BOOK_SITE", raising=False)


# --- one setting ---------------------------------------------------------------------------------


def test_without_settings_nothing_is_known():
    config = SimpleNamespace(html_theme_options={}, html_baseurl="")
    settings.apply(config)
    assert (settings.repository(), settings.site(), settings.root()) == (None, None, "/")
    assert config.html_theme_options == {} and config.html_baseurl == ""


@pytest.mark.parametrize("address", [REPOSITORY, f"{REPOSITORY}/", f"{REPOSITORY}.git"])
def test_a_repository_may_be_written_in_three_ways(monkeypatch, address):
    monkeypatch.setenv("QLEARN_BOOK_REPOSITORY", address)
    assert settings.repository() == REPOSITORY


@pytest.mark.parametrize(
    "address",
    ["owner/name", "http://github.com/a/b", f"{REPOSITORY}/tree/main", "https://example.org/a/b"],
)
def test_a_repository_that_no_button_could_open_is_refused(monkeypatch, address):
    monkeypatch.setenv("QLEARN_BOOK_REPOSITORY", address)
    with pytest.raises(ValueError, match="QLEARN_BOOK_REPOSITORY must be like") as caught:
        settings.repository()
    assert repr(address) in str(caught.value)


@pytest.mark.parametrize(
    ("address", "root"),
    [(SITE, "/name/"), (SITE[:-1], "/name/"), ("http://localhost:8000", "/")],
)
def test_the_site_lies_at_the_path_of_its_address(monkeypatch, address, root):
    monkeypatch.setenv("QLEARN_BOOK_SITE", address)
    assert settings.root() == root
    assert settings.site() == address.removesuffix("/") + "/"


@pytest.mark.parametrize("address", ["owner.github.io", 'https://a.b/"><script>', "ftp://a.b/"])
def test_an_address_of_the_site_that_is_none_is_refused(monkeypatch, address):
    monkeypatch.setenv("QLEARN_BOOK_SITE", address)
    with pytest.raises(ValueError, match="QLEARN_BOOK_SITE must be like"):
        settings.site()


def small_book(folder: Path) -> str:
    """The HTML of the chapter of a tiny book that is built with the theme and these settings."""
    source = folder / "source"
    (source / "book").mkdir(parents=True)
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text("# Book\n\n```{toctree}\nbook/chapter\n```\n")
    (source / "book" / "chapter.ipynb").write_text(CHAPTER)
    site = folder / "site"
    # A process of its own: Sphinx keeps what it has registered.
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", source, site]
    subprocess.run(command, cwd=ROOT, check=True)
    assert json.loads((site / "pages.json").read_text()) == [
        ["index.html", "Book"],
        ["book/chapter.html", "Chapter"],
    ]
    return (site / "book" / "chapter.html").read_text(encoding="utf-8")


def test_without_settings_a_page_has_no_dead_button(tmp_path):
    html = small_book(tmp_path)
    for word in ("mybinder", "issues/new", "/edit/", "canonical", "Launch", "source-buttons"):
        assert word not in html, word


def test_with_settings_the_buttons_open_the_very_chapter(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_REPOSITORY", REPOSITORY)
    monkeypatch.setenv("QLEARN_BOOK_SITE", SITE)
    html = small_book(tmp_path)
    links = set(re.findall(r'href="([^"]*)"', html))
    assert REPOSITORY in links
    assert f"{REPOSITORY}/edit/main/book/chapter.ipynb" in links
    assert any(link.startswith(f"{REPOSITORY}/issues/new?") for link in links)
    binder = "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/book/chapter.ipynb"
    assert binder in links
    assert 'title="Open in JupyterLab on Binder"' in finish.name_controls(html)
    assert f'<link rel="canonical" href="{SITE}book/chapter.html"' in html


def test_a_site_over_its_limits_fails_the_build_by_name(tmp_path, monkeypatch):
    finished = []
    monkeypatch.setattr(finish, "finish", lambda site, pages: finished.append(site))
    monkeypatch.setattr(publishing, "pages", lambda app: [])
    (tmp_path / "a.html").write_text('<a href="b.html">b</a>')
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"), statuscode=0)
    publishing.publish(app, None)
    assert app.statuscode == 1 and finished == [tmp_path]
    (tmp_path / "b.html").write_text("")
    app.statuscode = 0
    publishing.publish(app, None)
    assert app.statuscode == 0
    publishing.publish(app, KeyboardInterrupt())
    assert len(finished) == 2, "an interrupted build is not finished"


# --- workflows -----------------------------------------------------------------------------------

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
#: The commands of the workflows that are not make's, and why.
OTHERS = {
    "pip install --upgrade": "the newest releases, which make never takes",
    "gh issue create": "tells the maintainers",
}


def workflow(stem: str) -> dict:
    text = (ROOT / ".github" / "workflows" / f"{stem}.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    content["on"] = content.pop(True)  # YAML 1.1 reads the key `on` as a truth value
    return content


def steps(content: dict) -> list[dict]:
    return [step for job in content["jobs"].values() for step in job["steps"]]


def commands(content: dict) -> list[str]:
    return [step["run"] for step in steps(content) if "run" in step]


def test_there_are_two_workflows_and_both_parse():
    assert [path.stem for path in WORKFLOWS] == ["book", "weekly"]
    for path in WORKFLOWS:
        assert workflow(path.stem)["permissions"] == {"contents": "read"}


def test_the_workflows_call_make_with_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) | {".venv/.installed"}
    assert "VENV := .venv\nPY" in makefile and "INSTALLED := $(VENV)/.installed" in makefile
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in WORKFLOWS:
        for command in commands(workflow(path.stem)):
            if any(other in command for other in OTHERS):
                continue
            assert command.split()[0] == "make", command
            for target in command.split()[1:]:
                assert target in targets, command
                assert target not in {"book", "test"} or f"make {target}" in readme
    assert "make test" in commands(workflow("book"))


def test_every_action_is_pinned_to_a_commit_and_says_its_version():
    for path in WORKFLOWS:
        lines = [line for line in path.read_text().splitlines() if "uses:" in line]
        assert lines
        for line in lines:
            assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_a_job_that_publishes_runs_after_the_tests_and_only_from_main():
    book = workflow("book")
    publish = book["jobs"]["publish"]
    assert publish["needs"] == "test"
    assert "refs/heads/main" in publish["if"] and "pull_request" in publish["if"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert {"push", "pull_request"} <= set(book["on"])
    assert book["on"]["push"]["branches"] == ["main"]


def test_the_weekly_run_reports_every_job_that_can_fail():
    weekly = workflow("weekly")
    report = weekly["jobs"]["report"]
    assert set(report["needs"]) == set(weekly["jobs"]) - {"report"}
    assert "failure()" in report["if"] and report["permissions"] == {"issues": "write"}
    assert "cron" in weekly["on"]["schedule"][0]


def test_the_check_of_external_links_is_pinned_and_holds_no_token():
    (check,) = [s for s in steps(workflow("weekly")) if "lychee" in s.get("uses", "")]
    assert re.fullmatch(r"v\d+\.\d+\.\d+", check["with"]["lycheeVersion"])
    assert check["with"]["token"] == "" and check["with"]["fail"] is True


def test_no_workflow_hands_text_of_strangers_to_a_shell():
    for path in WORKFLOWS:
        for command in commands(workflow(path.stem)):
            for inserted in re.findall(r"\$\{\{(.*?)\}\}", command):
                assert re.fullmatch(r" needs\.\w+\.result ", inserted), command


# --- Binder --------------------------------------------------------------------------------------

BINDER = ROOT / ".binder"
CPU = "https://download.pytorch.org/whl/cpu"


def test_binder_and_the_workflows_run_the_oldest_python_that_the_project_supports():
    with (ROOT / "pyproject.toml").open("rb") as file:
        oldest = tomllib.load(file)["project"]["requires-python"].removeprefix(">=")
    assert (BINDER / "runtime.txt").read_text().strip() == f"python-{oldest}"
    for path in WORKFLOWS:
        for step in steps(workflow(path.stem)):
            if "setup-python" in step.get("uses", ""):
                assert step["with"]["python-version"] == oldest


def test_binder_installs_the_pins_of_the_book():
    text = (BINDER / "requirements.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == [f"--extra-index-url {CPU}", "-r ../requirements.txt"]
    assert "jupyterlab" in pins("requirements.txt")


def test_the_workflows_take_the_same_build_of_torch_as_binder():
    for path in WORKFLOWS:
        assert workflow(path.stem)["env"]["PIP_EXTRA_INDEX_URL"] == CPU


def test_binder_keeps_one_thread_and_compiles_for_any_processor():
    program = "source .binder/environment; echo $OPENBLAS_NUM_THREADS $NUMBA_CPU_NAME"
    run = subprocess.run(["bash", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == ["1", "generic"] and run.stderr == ""
    assert "OPENBLAS_NUM_THREADS := 1" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_binder_starts_what_it_is_told_in_that_environment(tmp_path):
    told = "echo $NUMBA_CPU_NAME; printf '%s|' \"$@\""
    run = subprocess.run(
        [BINDER / "start", "bash", "-c", told, "x", "two words", "γ"],
        cwd=tmp_path,
        env=os.environ | {"REPO_DIR": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.stdout == "generic\ntwo words|γ|" and run.returncode == 0


@pytest.mark.parametrize("name", ["start", "postBuild"])
def test_the_scripts_of_binder_can_be_executed_and_parse(name):
    assert os.access(BINDER / name, os.X_OK)
    subprocess.run(["bash", "-n", BINDER / name], check=True)


def test_building_the_image_draws_each_figure_at_its_start_and_at_the_ends_of_its_controls():
    drawn = []
    figure = SimpleNamespace(
        axes={"gamma": Axis((0.1, 0.5, 0.9), "γ", start=0.5), "goal": Axis(("a", "b"), "g", "a")},
        at=lambda **values: drawn.append(values),
    )
    warm(figure)
    assert drawn == [{}, {"gamma": 0.1}, {"gamma": 0.9}, {"goal": "a"}, {"goal": "b"}]
    assert "qlearn_book.warm" in (BINDER / "postBuild").read_text()
