"""The spool numbers events, keeps whole lines and gives them back from any place."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from layerloom.schema.events import Log
from layerloom.worker import spool as spools
from layerloom.worker.spool import Spool


def test_events_are_numbered_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    for text in ("one", "two"):
        spool.append(Log(message=text))
    lines = (tmp_path / "spool.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2]
    assert json.loads(lines[1])["event"] == {"kind": "log", "level": "info", "message": "two"}
    assert spool.last == 2
    spool.close()


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    for number in range(2_500):
        spool.append(Log(message=str(number)))
    offset, seen = 0, []
    while lines := spool.read(offset):
        assert len(lines) <= spools.LINES
        seen += [json.loads(line)["event"]["message"] for line in lines]
        offset += sum(len(line) + 1 for line in lines)
    assert seen == [str(number) for number in range(2_500)]
    assert json.loads(spool.read(spool.offset_after(1_234))[0])["number"] == 1_235
    assert spool.read(spool.offset_after(2_500)) == []
    spool.close()


def test_a_line_longer_than_a_read_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "BYTES", 100)
    spool = Spool(tmp_path / "spool.jsonl")
    spool.append(Log(message="x" * 5_000))
    spool.append(Log(message="short"))
    (line, *_rest) = spool.read(0)
    assert json.loads(line)["event"]["message"] == "x" * 5_000
    spool.close()


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.jsonl")

    def write() -> None:
        for _ in range(200):
            spool.append(Log(message="y" * 300))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [json.loads(line)["number"] for line in (tmp_path / "spool.jsonl").read_text().splitlines()]
    assert numbers == list(range(1, 801))
    spool.close()


def test_one_attempt_has_one_trainer(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    with pytest.raises(FileExistsError):
        Spool(tmp_path / "spool.jsonl")
    spool.close()


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    spool.append(Log(message="kept"))
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if b"lost" in data:
            write(handle, data[:20])
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        spool.append(Log(message="lost"))
    spool.append(Log(message="later"))
    numbers = [json.loads(line) for line in (tmp_path / "spool.jsonl").read_text().splitlines()]
    assert [(item["number"], item["event"]["message"]) for item in numbers] == [(1, "kept"), (2, "later")]
    spool.close()
