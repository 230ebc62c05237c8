"""The one option of the tests."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-chapter",
        action="store_true",
        help="move all chapters where tests move examples, in which every kind of thing occurs",
    )
