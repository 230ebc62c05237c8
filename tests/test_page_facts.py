"""When a page last changed: the date of the last commit that touched it, or none."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest

from qlearn_book.site import page_facts

# --- when a page last changed --------------------------------------------------------------------


def git(folder: Path, *arguments: str, date: str = "2025-03-09T12:00:00+00:00") -> None:
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_AUTHOR_DATE": date}
    who |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b", "GIT_COMMITTER_DATE": date}
    subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        env=os.environ | who,
    )


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository in which page.md changed on the 9th of March, and the rest on the 10th."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "page.md").write_text("# Page\n")
    git(folder, "init", "-q")
    git(folder, "add", "page.md")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "other.md").write_text("# Other\n")
    git(folder, "add", "other.md")
    git(folder, "commit", "-q", "-m", "two", date="2025-03-10T12:00:00+00:00")
    return folder


def test_a_page_last_changed_when_a_commit_last_touched_it(repository):
    assert page_facts.last_changed(repository / "page.md") == datetime.date(2025, 3, 9)
    assert page_facts.last_changed(repository / "other.md") == datetime.date(2025, 3, 10)


def test_a_page_changed_since_its_last_commit_has_no_date(repository):
    (repository / "page.md").write_text("# Another page\n")
    assert page_facts.last_changed(repository / "page.md") is None


def test_a_page_that_was_never_committed_has_no_date(repository):
    (repository / "new.md").write_text("# New\n")
    assert page_facts.last_changed(repository / "new.md") is None


def test_without_a_repository_no_page_has_a_date(tmp_path):
    (tmp_path / "page.md").write_text("# Page\n")
    assert page_facts.last_changed(tmp_path / "page.md") is None


def test_without_git_no_page_has_a_date(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert page_facts.last_changed(repository / "page.md") is None


def test_in_a_shallow_clone_no_page_has_a_date(repository):
    clone = repository.parent / "clone"
    git(repository, "clone", "-q", "--depth", "1", repository.as_uri(), str(clone))
    assert page_facts.last_changed(clone / "page.md") is None
