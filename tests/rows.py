"""Which rows of the editor's table (UX.md) a run of the tests has covered, told at its end.

A test covers a row by its name: ``test_row_03_an_edge_that_does_not_fit_is_red``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

FIRST_RELEASE = (*range(1, 11), *range(12, 19), 20, 21, 22, 24, 26, 27, 28)
"""The rows marked M."""
_NAMED = re.compile(r"::test_row_(\d\d)_")


def rows(passed: Iterable[str], failed: Iterable[str] = ()) -> tuple[list[int], list[int]]:
    """Rows of which every test passed, and rows of the first release that are not among them."""
    covered = _rows(passed) - _rows(failed)
    return sorted(covered), [row for row in FIRST_RELEASE if row not in covered]


def _rows(tests: Iterable[str]) -> set[int]:
    return {int(found[1]) for test in tests if (found := _NAMED.search(test))}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, where browser tests were among those that ran."""
    stats = terminalreporter.stats
    bad = [report.nodeid for kind in ("failed", "error") for report in stats.get(kind, [])]
    covered, missing = rows((report.nodeid for report in stats.get("passed", [])), bad)
    if covered or _rows(bad):
        terminalreporter.write_line(
            f"rows of the editor's table covered: {' '.join(map(str, covered)) or 'none'}; "
            f"not covered: {' '.join(map(str, missing)) or 'none'}"
        )
