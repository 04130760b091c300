"""The list of covered rows counts only what passed."""

from __future__ import annotations

from rows import FIRST_RELEASE, rows


def test_a_row_with_a_failing_test_is_not_covered() -> None:
    passed = ["e2e/test_a.py::test_row_01_one", "e2e/test_a.py::test_row_02_two", "e2e/test_a.py::test_other"]
    covered, missing = rows(passed, failed=["e2e/test_b.py::test_row_02_more"])
    assert covered == [1]
    assert missing == [row for row in FIRST_RELEASE if row != 1]


def test_the_first_release_has_twenty_four_rows() -> None:
    assert len(FIRST_RELEASE) == 24
