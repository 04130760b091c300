"""The remembered catalogue is the introspected one, and a damaged or foreign file is never believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layerloom.catalogue import catalogue
from layerloom.catalogue import remembered as module
from layerloom.catalogue.remembered import _read_or_made, remembered
from layerloom.schema.catalogue import Catalogue


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """As in a new process."""
    _read_or_made.cache_clear()
    yield
    _read_or_made.cache_clear()


def test_it_is_written_once_and_read_afterwards(tmp_path: Path) -> None:
    assert remembered(tmp_path) == catalogue()
    (file,) = tmp_path.glob("catalogue-*.json")
    written = file.stat().st_mtime_ns
    _read_or_made.cache_clear()
    assert remembered(tmp_path) == catalogue()
    assert file.stat().st_mtime_ns == written


def test_whoever_asks_while_it_is_made_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    def slowly() -> Catalogue:
        made.append(time.monotonic())
        time.sleep(0.2)
        return catalogue(metrics=False)

    monkeypatch.setattr(module, "catalogue", slowly)
    with ThreadPoolExecutor(4) as asking:
        answers = list(asking.map(remembered, [tmp_path] * 4))
    assert len(made) == 1
    assert all(answer is answers[0] for answer in answers)


def test_a_damaged_file_is_replaced_and_old_ones_go(tmp_path: Path) -> None:
    remembered(tmp_path)
    (file,) = tmp_path.glob("catalogue-*.json")
    file.write_bytes(file.read_bytes()[:1000])
    (tmp_path / "catalogue-of-an-older-torch.json").write_text("{}")
    _read_or_made.cache_clear()
    assert remembered(tmp_path) == catalogue()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert remembered(blocked / "cache") == catalogue()
