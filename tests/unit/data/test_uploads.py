"""A user's own tables and arrays: read in a process of their own, and kept whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from layerloom.data import DataError, accept, entries, load, preview, uploads
from layerloom.data.isolation import Limits
from layerloom.schema.problems import ProblemCode
from unit.data.support import MIB, bomb, peak_growth, reading, savez
from waiting import wait_for


def table(folder: Path, content: str | bytes, name: str = "mine", suffix: str = ".csv", **how: object):  # type: ignore[no-untyped-def]
    file = folder / "incoming"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return uploads.accept(folder / "data", name, suffix, file, **how)  # type: ignore[arg-type]


def rows(count: int = 30) -> str:
    return "a,b,label\n" + "".join(f"{i % 7},{i / 3},{'yes' if i % 2 else 'no'}\n" for i in range(count))


def kept(folder: Path) -> list[str]:
    """Everything that lies below the uploads."""
    return sorted(path.name for path in (folder / "data" / "uploads").iterdir())


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A file whose reading never begins, because nobody writes it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def importers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "layerloom.data.importer" in command(child)]


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return []


def test_what_a_file_manager_leaves_is_no_data_set(tmp_path: Path) -> None:
    table(tmp_path, rows())
    (tmp_path / "data" / "uploads" / ".DS_Store").touch()
    assert [entry.name for entry in uploads.entries(tmp_path / "data")] == ["mine"]


def test_a_table_is_kept_and_shown(tmp_path: Path) -> None:
    entry = table(tmp_path, rows())
    assert (entry.task, entry.shape, entry.classes, entry.samples) == ("classification", [2], ["no", "yes"], 30)
    data = load("mine", tmp_path / "data")
    assert data.entry == entry
    assert data.inputs["x"][4].tolist() == pytest.approx([4, 4 / 3])
    assert data.targets[:4].tolist() == [0, 1, 0, 1]
    assert preview("mine", tmp_path / "data").counts == {"no": 15, "yes": 15}
    assert "mine" in [entry.name for entry in entries(tmp_path / "data")]


def test_arrays_are_kept(tmp_path: Path) -> None:
    left = np.random.default_rng(0).normal(size=(9, 2))
    table(tmp_path, savez(left=left, right=np.arange(9), y=np.arange(9) % 2), suffix=".NPZ")
    data = load("mine", tmp_path / "data")
    assert torch.equal(data.inputs["left"], torch.from_numpy(left).float())
    assert torch.equal(data.inputs["right"], torch.arange(9))


def test_a_preview_holds_only_so_many_numbers(tmp_path: Path) -> None:
    table(tmp_path, savez(x=np.zeros((4, 300_000), bool), y=[0, 0, 1, 1]), suffix=".npz")
    shown = preview("mine", tmp_path / "data", count=4)
    assert (shown.targets, shown.counts) == ([0], {"0": 2, "1": 2})
    table(tmp_path, savez(x=np.zeros((2, 600_000), bool), y=[0, 1]), suffix=".npz")
    shown = preview("mine", tmp_path / "data")
    assert (shown.inputs, shown.counts) == ([], {"0": 1, "1": 1})


def test_what_is_refused_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Row 3") as caught:
        table(tmp_path, "a,b,label\n1,2,x\n1,2\n")
    assert caught.value.problem.code == ProblemCode.UPLOAD_INVALID
    assert caught.value.problem.data == {"row": 3}
    table(tmp_path, rows())
    before = kept(tmp_path)
    with pytest.raises(DataError, match="NaN"):
        table(tmp_path, savez(x=[[1.0], [np.nan]], y=[0, 1]), suffix=".npz")
    assert kept(tmp_path) == before
    assert [entry.samples for entry in uploads.entries(tmp_path / "data")] == [30]


def test_an_upload_is_read_anew_as_its_owner_says(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = table(tmp_path, rows())
    found = uploads.details("mine", folder)
    assert found is not None
    assert found.editable
    made = uploads.reread(folder, "mine", reading(a="category feature"))
    assert made is not None
    assert (before.shape, made.shape) == ([2], [8])
    assert load("mine", folder).inputs["x"][1, :7].tolist() == [0, 1, 0, 0, 0, 0, 0]
    again = uploads.details("mine", folder)
    assert again is not None
    # What was said stays said: the columns come back as they are read.
    assert uploads.reread(folder, "mine", again.reading) == made
    there = kept(tmp_path)
    with pytest.raises(DataError, match="No column is the target"):
        uploads.reread(folder, "mine", reading(label="category ignored"))
    assert kept(tmp_path) == there
    assert uploads.reread(folder, "other", again.reading) is None
    (upload,) = (folder / "uploads").iterdir()
    (upload / "source.csv").unlink()
    with pytest.raises(DataError, match="Upload it again"):
        uploads.reread(folder, "mine", again.reading)


def test_a_name_may_be_of_any_script(tmp_path: Path) -> None:
    for name in ("训练-数据", "é_1", "данные"):
        assert table(tmp_path, rows(), name=name).name == name
    assert [entry.name for entry in uploads.entries(tmp_path / "data")] == sorted(["训练-数据", "é_1", "данные"])


def test_names_types_and_replacement(tmp_path: Path) -> None:
    for name in ("../x", "A", "", "x" * 64, "a/b", "a b", "-a", "e\u0301", "数据\u202e", "a\0"):
        with pytest.raises(DataError) as caught:
            table(tmp_path, rows(), name=name)
        assert caught.value.problem.code == ProblemCode.NAME_INVALID
    with pytest.raises(DataError) as caught:
        table(tmp_path, b"", suffix=".pkl")
    assert caught.value.problem.code == ProblemCode.UPLOAD_TYPE
    table(tmp_path, rows())
    table(tmp_path, rows(10))
    assert [entry.samples for entry in uploads.entries(tmp_path / "data")] == [10]
    assert len(kept(tmp_path)) == 1
    assert uploads.remove("mine", tmp_path / "data")
    assert not uploads.remove("mine", tmp_path / "data")
    assert kept(tmp_path) == []


def test_a_built_in_name_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="built in") as caught:
        accept(tmp_path, "digits", ".csv", tmp_path / "absent")
    assert caught.value.problem.code == ProblemCode.NAME_RESERVED


def test_of_two_uploads_of_one_name_one_stays(tmp_path: Path) -> None:
    def upload(count: int) -> None:
        (tmp_path / str(count)).mkdir()
        (tmp_path / str(count) / "data").symlink_to(tmp_path / "data")
        table(tmp_path / str(count), rows(count))

    (tmp_path / "data").mkdir()
    threads = [threading.Thread(target=upload, args=(count,)) for count in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept(tmp_path)) == 1
    assert uploads.entries(tmp_path / "data")[0].samples in (10, 20, 30)


def test_after_a_crash_the_later_upload_counts_and_drafts_are_swept(tmp_path: Path) -> None:
    root = tmp_path / "data" / "uploads"
    table(tmp_path, rows(10))
    (earlier,) = root.iterdir()
    # As if the server had been killed between the rename and the removal of what it replaces.
    earlier.rename(tmp_path / "earlier")
    table(tmp_path, rows(20))
    (tmp_path / "earlier").rename(root / "0")
    assert [entry.samples for entry in uploads.entries(tmp_path / "data")] == [20]
    assert len(load("mine", tmp_path / "data")) == 20
    old, young = root / "tmp-old", root / "tmp-young"
    for draft in (old, young):
        draft.mkdir()
        (draft / "set").mkdir()
    long_ago = time.time() - 48 * 3_600
    os.utime(old, (long_ago, long_ago))
    table(tmp_path, rows(30))
    assert len(kept(tmp_path)) == 2
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", None),
        (b"\xff\xfe\0", None),
        (b"[" * 100_000, None),
        (b"[]", None),
        (b'{"name":"../x","label":"x"}', None),
        (b'{"name":"hurt","label":"hu', "hurt"),
        (b'{"name": "hurt", "shape": -1}', "hurt"),
        (None, None),
    ],
)
def test_one_unreadable_description_hides_no_other(tmp_path: Path, content: bytes | None, name: str | None) -> None:
    folder = tmp_path / "data"
    table(tmp_path, rows(), "hurt")
    (path,) = (folder / "uploads").iterdir()
    whole = table(tmp_path, rows(), "whole")
    meta = path / "meta.json"
    if content is None:
        meta.unlink()
    else:
        meta.write_bytes(content)
    name = name or path.name
    damaged, other = sorted(uploads.entries(folder), key=lambda entry: entry.available)
    assert other == whole
    assert (damaged.name, damaged.label, damaged.uploaded) == (name, name, True)
    assert damaged.missing is not None
    assert damaged.missing.code == ProblemCode.DATASET_DAMAGED
    assert damaged.missing.data == {"dataset": name, "file": str(meta)}
    assert all(part in damaged.missing.message for part in (str(meta), "Upload", "delete", str(path / "source.csv")))
    assert {"digits", name, "whole"} <= {entry.name for entry in entries(folder)}
    for ask in (load, preview, lambda which, where: uploads.details(which, where)):
        with pytest.raises(DataError) as caught:
            ask(name, folder)
        assert caught.value.problem == damaged.missing
    assert uploads.remove(name, folder)
    assert uploads.entries(folder) == [whole]


def test_a_damaged_data_set_is_mended_by_another_upload(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    table(tmp_path, rows())
    (path,) = (folder / "uploads").iterdir()
    (path / "meta.json").write_bytes(b'{"name":"mine"')
    entry = table(tmp_path, rows(20))
    assert uploads.entries(folder) == [entry]
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("file", ["data.safetensors", "details.json"])
def test_a_damaged_file_is_told_as_such(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "data"
    table(tmp_path, rows())
    (path,) = (folder / "uploads").iterdir()
    (path / file).write_bytes(b"{")
    with pytest.raises(DataError) as caught:
        load("mine", folder) if file == "data.safetensors" else uploads.details("mine", folder)
    assert caught.value.problem.code == ProblemCode.DATASET_DAMAGED
    assert str(path / file) in caught.value.problem.message


def test_the_reader_is_apart_and_ends_when_told(tmp_path: Path, pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERLOOM_DATABASE", "postgresql://secret")
    stop = threading.Event()
    seen: dict[str, object] = {}

    def watch() -> None:
        (child,) = wait_for(importers)
        seen.update(environment=child.environ(), leader=os.getsid(child.pid) == child.pid, child=child)
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(DataError):
        uploads.accept(tmp_path / "data", "mine", ".csv", pipe, stop)
    watcher.join()
    assert seen["leader"]
    assert "LAYERLOOM_DATABASE" not in seen["environment"]  # type: ignore[operator]
    assert not seen["child"].is_running()  # type: ignore[attr-defined]
    assert kept(tmp_path) == []


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, pipe: Path) -> None:
    with pytest.raises(DataError) as caught:
        uploads.accept(tmp_path / "data", "mine", ".npz", pipe, limits=Limits(wall_s=1))
    assert caught.value.problem.code == ProblemCode.PAYLOAD_TOO_LARGE
    with pytest.raises(DataError) as caught:
        table(tmp_path, "1,2\n" + "\n" * 6_000_000, limits=Limits(cpu_s=1))
    assert caught.value.problem.code == ProblemCode.PAYLOAD_TOO_LARGE
    assert kept(tmp_path) == []
    assert importers() == []


def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path: Path) -> None:
    turned = savez(x=np.zeros((8, MIB), order="F"), y=np.arange(8) % 2)
    with pytest.raises(DataError) as caught:
        table(tmp_path, turned, suffix=".npz", limits=Limits(memory=200 * MIB))
    assert caught.value.problem.code == ProblemCode.PAYLOAD_TOO_LARGE
    assert table(tmp_path, turned, suffix=".npz").samples == 8


def test_the_reader_ends_with_the_service(tmp_path: Path, pipe: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from layerloom.data.uploads import accept;"
        "accept(Path(sys.argv[1]), 'mine', '.csv', Path(sys.argv[2]))"
    )
    service = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "data"), str(pipe)])
    (reader,) = wait_for(lambda: [child for child in importers() if child.ppid() != service.pid])
    service.kill()
    service.wait()
    assert wait_for(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    from layerloom.data.isolation import read_apart

    (tmp_path / "set-scratch-x").symlink_to("/dev/full")
    (tmp_path / "incoming").write_text(rows(), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_apart(tmp_path / "set", "mine", ".csv", tmp_path / "incoming")
    assert caught.value.problem.code == ProblemCode.DISK_FULL


def test_bombs_do_not_reach_this_process(tmp_path: Path) -> None:
    def refused(content: bytes, suffix: str) -> None:
        with pytest.raises(DataError) as caught:
            table(tmp_path, content, suffix=suffix)
        assert caught.value.problem.code == ProblemCode.PAYLOAD_TOO_LARGE

    archive = bomb()
    cells = b"".join(b"%c,%c,%c,%d\n" % ((64 + i % 62,) * 3 + (i % 2,)) for i in range(400_000))
    assert peak_growth(lambda: refused(archive, ".npz")) < 64 * MIB
    assert peak_growth(lambda: refused(b"a,b,c,y\n" + cells, ".csv")) < 64 * MIB
    assert kept(tmp_path) == []
    # As many cells are no bomb when they are numbers.
    numbers = b"a,b,y\n" + b"1,0,1\n2,3,0\n" * 300_000
    assert peak_growth(lambda: table(tmp_path, numbers)) < 64 * MIB
    assert peak_growth(lambda: preview("mine", tmp_path / "data")) < 64 * MIB
