"""The remembered catalogue is the introspected one, and a damaged or foreign file is never believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layerloom.catalogue import catalogue
from layerloom.catalogue.remembered import remembered


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """As in a new process."""
    remembered.cache_clear()
    yield
    remembered.cache_clear()


def test_it_is_written_once_and_read_afterwards(tmp_path: Path) -> None:
    assert remembered(tmp_path) == catalogue()
    (file,) = tmp_path.glob("catalogue-*.json")
    written = file.stat().st_mtime_ns
    remembered.cache_clear()
    assert remembered(tmp_path) == catalogue()
    assert file.stat().st_mtime_ns == written


def test_a_damaged_file_is_replaced_and_old_ones_go(tmp_path: Path) -> None:
    remembered(tmp_path)
    (file,) = tmp_path.glob("catalogue-*.json")
    file.write_bytes(file.read_bytes()[:1000])
    (tmp_path / "catalogue-of-an-older-torch.json").write_text("{}")
    remembered.cache_clear()
    assert remembered(tmp_path) == catalogue()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert remembered(blocked / "cache") == catalogue()
