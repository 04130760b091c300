"""A user's own tables and arrays: read as they are meant, or refused with the row at fault and no trace left."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from layerloom.data import DataError, accept, entries, load, preview, uploads
from layerloom.schema.problems import ProblemCode


def table(folder: Path, content: str | bytes, name: str = "mine", suffix: str = ".csv"):  # type: ignore[no-untyped-def]
    file = folder / "incoming"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return accept(folder / "data", name, suffix, file)


def archive(folder: Path, **arrays: np.ndarray):  # type: ignore[no-untyped-def, type-arg]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return table(folder, buffer.getvalue(), suffix=".npz")


def rows(text: str, count: int = 30) -> str:
    return text + "".join(f"{i % 7},{i / 3},{'yes' if i % 2 else 'no'}\n" for i in range(count))


def test_csv_becomes_features_and_classes(tmp_path: Path) -> None:
    entry = table(tmp_path, rows("a,b,label\n"))
    assert (entry.task, entry.shape, entry.classes, entry.samples) == ("classification", [2], ["no", "yes"], 30)
    data = load("mine", tmp_path / "data")
    assert data.inputs["x"][4].tolist() == pytest.approx([4, 4 / 3])
    assert data.targets[:4].tolist() == [0, 1, 0, 1]
    assert preview("mine", tmp_path / "data").counts == {"no": 15, "yes": 15}


def test_csv_without_header_and_with_text_features(tmp_path: Path) -> None:
    entry = table(tmp_path, "".join(f"{i},{i * 0.37}\n" for i in range(30)))
    assert (entry.task, entry.target_shape) == ("regression", [1])
    coded = table(tmp_path, "colour,size,y\n" + "".join(f"{'rgb'[i % 3]},{i},{i * 1.7}\n" for i in range(40)))
    assert coded.shape == [4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_csv_encodings(encoding: str, tmp_path: Path) -> None:
    entry = table(tmp_path, "größe,label\n1,é\n2,b\n3,é\n4,b\n".encode(encoding))
    assert entry.classes == ["b", "é"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b,label\n1,2,x\n1,2\n", "Row 3"),
        (b"a,a,label\n1,2,x\n1,2,y\n", "more than once"),
        (b"a,label\nnan,x\n2,y\n", "sample 1"),
        (b"a,label\n1,x\n,y\n", "sample 2"),
        (b"a,label\n1,x\n1e999,y\n", "sample 2"),
        (b"a,label\n1,\n2,y\n", "without a label"),
        (b"a\0b,label\n1,x\n", "NUL"),
        (b"label\nx\ny\n", "at least one feature"),
        (b",".join(b"c%d" % i for i in range(10_001)) + b"\n", "10,001 columns"),
        (b"a,label\n" + b"".join(b"t%d,%d\n" % (i, i % 2) for i in range(200)), "different values"),
    ],
)
def test_bad_tables_are_refused_whole(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words) as caught:
        table(tmp_path, content)
    assert caught.value.problem.code == ProblemCode.UPLOAD_INVALID
    assert uploads.entries(tmp_path / "data") == []


def test_one_class_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        table(tmp_path, "a,label\n1,x\n2,x\n")
    assert caught.value.problem.code == ProblemCode.ONE_CLASS


def test_cells_that_look_like_formulas_are_text(tmp_path: Path) -> None:
    entry = table(tmp_path, "a,label\n1,=cmd()\n2,ok\n")
    assert entry.classes == ["=cmd()", "ok"]


def test_npz_becomes_named_inputs(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)
    entry = archive(tmp_path, x=images, y=np.arange(20) % 4)
    assert (entry.shape, entry.dtype, entry.classes) == ([3, 4, 4], "float32", ["0", "1", "2", "3"])
    assert torch.equal(load("mine", tmp_path / "data").inputs["x"], torch.from_numpy(images).float() / 255)
    both = archive(tmp_path, left=np.ones((9, 2)), right=np.arange(9), target=np.linspace(0, 1, 9))
    assert both.task == "regression"
    assert set(load("mine", tmp_path / "data").inputs) == {"left", "right"}


def claims(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


def npz(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            out.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def array(value: object, pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value, dtype=object if pickle else None), allow_pickle=pickle)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 truncated", "no readable"),
        (npz(x=array([1.0]), y=array([0, 1])), "same number of samples"),
        (npz(x=array([[1.0], [2.0]]), z=array([0, 1])), "Exactly one array must be the target"),
        (npz(x=array([{}, {}], pickle=True), y=array([0, 1])), "object"),
        (npz(x=claims("(1000000000000,)"), y=array([0, 1])), "claims 8,000,000,000,000 bytes"),
        (npz(x=array([[np.nan], [1.0]]), y=array([0, 1])), "NaN"),
        (npz(x=array([[1.0], [1.0]]), y=array([-1, 1])), "Class numbers go from 0"),
        (npz(x=array([[1j], [1j]]), y=array([0, 1])), "complex128"),
        (npz(x=b"no array", y=array([0, 1])), "cannot be read"),
    ],
)
def test_bad_archives_are_refused_whole(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        table(tmp_path, content, suffix=".npz")
    assert uploads.entries(tmp_path / "data") == []


def test_names_types_and_replacement(tmp_path: Path) -> None:
    for name in ("../x", "A", "", "x" * 64, "a/b"):
        with pytest.raises(DataError) as caught:
            table(tmp_path, rows("a,b,label\n"), name=name)
        assert caught.value.problem.code == ProblemCode.NAME_INVALID
    with pytest.raises(DataError) as caught:
        table(tmp_path, b"", suffix=".pkl")
    assert caught.value.problem.code == ProblemCode.UPLOAD_TYPE
    table(tmp_path, rows("a,b,label\n"))
    table(tmp_path, rows("a,b,label\n", count=10))
    assert [entry.samples for entry in uploads.entries(tmp_path / "data")] == [10]
    assert "mine" in [entry.name for entry in entries(tmp_path / "data")]
    assert uploads.remove("mine", tmp_path / "data")
    assert not uploads.remove("mine", tmp_path / "data")


def test_a_built_in_name_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="built in") as caught:
        table(tmp_path, rows("a,b,label\n"), name="digits")
    assert caught.value.problem.code == ProblemCode.NAME_RESERVED
