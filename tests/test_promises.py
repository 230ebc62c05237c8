"""The page of promises: each names a test that is there."""

from __future__ import annotations

import re

import pytest

from tests.test_repository import ROOT

PAGE = (ROOT / "book" / "promises.md").read_text(encoding="utf-8")
PROMISES = [line for line in PAGE.splitlines() if line.startswith("- **")]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda line: line[4:40])
def test_a_promise_that_is_kept_names_the_test_that_holds_it(promise):
    _, said, verdict = promise.split("**", 2)
    if verdict.strip().startswith("No."):
        return
    assert verdict.strip().startswith("Yes"), said
    file, name = re.search(r"`(tests/[\w/]+\.py)::(test_\w+)`$", promise).groups()
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.M), promise


def test_at_most_one_thing_is_not_promised():
    assert sum("** No." in promise for promise in PROMISES) <= 1 < 20 < len(PROMISES)
