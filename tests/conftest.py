"""Fixtures for every suite, and the order of its files."""

from __future__ import annotations

import os
from collections import Counter

import pytest

import serving
from postgres import postgres
from rows import pytest_terminal_summary
from stores import database_url, store

__all__ = ["database_url", "postgres", "pytest_terminal_summary", "store"]

LONG = (
    "test_fresh_install.py",
    "test_two_processes.py",
    "test_endurance.py",
    "test_train_alone.py",
    "test_python_allowed.py",
)
"""Files of few tests that take minutes: begun last, they would be waited for by all other workers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, then those of most tests; each file stays together."""
    counts = Counter(item.path for item in items)

    def rank(item: pytest.Item) -> tuple[int, int, str]:
        place = LONG.index(item.path.name) if item.path.name in LONG else len(LONG)
        return (place, -counts[item.path], str(item.path))

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Shared by the workers of one run; a lone process has a folder of its own, and keeps it there."""
    base = tmp_path_factory.getbasetemp()
    serving.catalogues = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "catalogues"
