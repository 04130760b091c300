"""Archives of arrays: read as numpy means them, or refused with the array at fault before it is unpacked."""

from __future__ import annotations

import io
import pickle
import random
import re
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from layerloom.data import DataError
from layerloom.data.parse_npz import parse_npz
from layerloom.schema.problems import ProblemCode
from unit.data.support import PLAIN, array, head, npz, read, refusal, savez

GOOD = savez(x=[[1.0], [2.0]], y=[0, 1])
Y = {"y.npy": array([0, 1])}


def test_images_are_scaled_and_classes_counted() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4), dtype=np.uint8)
    entry, tensors = read(savez(x=images, y=np.arange(20) % 4), ".npz")
    assert (entry.shape, entry.dtype, entry.classes) == ([3, 4, 4], "float32", ["0", "1", "2", "3"])
    assert torch.equal(tensors["inputs.x"], torch.from_numpy(images).float() / 255)
    assert torch.equal(tensors["targets"], torch.arange(20) % 4)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "i1", "i2", ">i4", "i8", "u2", "u4", "u8", "?"])
def test_types_orders_and_blocks(dtype: str) -> None:
    # More than a block, so that its end does not fall on an edge.
    value = (np.arange(300_007 * 3).reshape(300_007, 3) % 100).astype(dtype)
    target = np.linspace(0, 1, 300_007, dtype="f4")
    kept = torch.int64 if np.dtype(dtype).kind in "iu" else torch.float32
    for given in (value, np.asfortranarray(value)):
        buffer = io.BytesIO()
        np.savez(buffer, x=given, y=target)
        _, tensors = read(buffer.getvalue(), ".npz")
        assert torch.equal(tensors["inputs.x"], torch.from_numpy(value.astype(value.dtype.newbyteorder("="))).to(kept))
        assert torch.equal(tensors["targets"], torch.from_numpy(target).unsqueeze(1))


def test_several_inputs_keep_their_names() -> None:
    entry, tensors = read(savez(left=np.ones((9, 2)), right=np.arange(9), target=np.linspace(0, 1, 9)), ".npz")
    assert entry.task == "regression"
    assert set(tensors) == {"inputs.left", "inputs.right", "targets"}
    assert tensors["inputs.right"].dtype == torch.int64


def test_every_head_that_numpy_writes_or_reads() -> None:
    for text in (
        PLAIN,
        '{"shape": (2,), "fortran_order": False, "descr": "<f8"}',
        "{'descr':'<f8','fortran_order':False,'shape':(2L,),}   \n",
    ):
        for version in (1, 2):
            raw = head(text, version) + np.array([1.0, 2.0]).tobytes()
            assert read(npz({"x.npy": raw, **Y}), ".npz")[1]["inputs.x"].tolist() == [1, 2]


def test_data_of_one_class_are_kept_with_a_warning() -> None:
    entry, _ = read(savez(x=[[1.0], [2.0]], y=[3, 3]), ".npz")
    assert entry.classes == ["0", "1", "2", "3"]
    assert "same label" in entry.summary


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 truncated", "no readable"),
        (GOOD[: len(GOOD) // 2], "no readable"),
        (GOOD[:-10], "no readable"),
        (npz({}), "holds 0 arrays"),
        (npz(Y), "holds 1 arrays"),
        (savez(x=[1.0], y=[0, 1]), "same number of samples"),
        (savez(x=1.0, y=1.0), "same number of samples"),
        (savez(x=np.zeros((0, 3)), y=np.zeros(0)), "same number of samples"),
        (savez(x=np.zeros((2, 0)), y=[0, 1]), "hold no values"),
        (savez(x=[[1.0], [2.0]], z=[0, 1]), "Exactly one array must be the target"),
        (savez(x=[[1.0], [2.0]], y=[0, 1], label=[0, 1]), "Exactly one array must be the target"),
        (npz({"x.npy": array([{}, {}], pickle=True), **Y}), "holds object"),
        (npz({"x.npy": head(PLAIN.replace("2,", "10**12,")), **Y}), "not that of a plain array"),
        (npz({"x.npy": head(PLAIN.replace("2,", "1000000000000,")), **Y}), "claims 8,000,000,000,000 bytes"),
        (npz({"x.npy": array([1.0, 2.0])[:-1], **Y}), "claims 16 bytes and has 15"),
        (npz({"x.npy": array([1.0, 2.0]) + b"!", **Y}), "claims 16 bytes and has 17"),
        (savez(x=[[np.nan], [1.0]], y=[0, 1]), "NaN"),
        (savez(x=[[np.inf], [1.0]], y=[0, 1]), "infinite"),
        (savez(x=[[1e300], [1.0]], y=[0, 1]), "beyond a float32"),
        (savez(x=[[1.0], [1.0]], y=[0.5, -np.inf]), "infinite"),
        (savez(x=np.array([2**63, 1], np.uint64), y=[0, 1]), "beyond an int64"),
        (savez(x=[[1.0], [1.0]], y=[-1, 1]), "Class numbers go from 0"),
        (savez(x=[[1.0], [1.0]], y=np.array([0, 2**63], np.uint64)), "Class numbers go from 0"),
        (savez(x=[[1.0], [1.0]], y=[[0, 1], [1, 0]]), "has the shape (2, 2)"),
        (savez(x=[[1j], [1j]], y=[0, 1]), "complex128"),
        (savez(x=["a", "b"], y=[0, 1]), "<U1"),
        (savez(x=np.array(["2020-01-01"] * 2, "M8[D]"), y=[0, 1]), "not that of a plain array"),
        (savez(x=np.zeros(2, [("a", "f8")]), y=[0, 1]), "not that of a plain array"),
        (npz({"x.npy": b"no array", **Y}), "does not begin"),
        (npz({"x.npy": GOOD, **Y}), "does not begin"),
        (npz({"../x.npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({"/x.npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({"C:\\x.npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({"x" * 101 + ".npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({"x\u202e.npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({".npy": array([1.0, 2.0]), **Y}), "array's name"),
        (npz({"x.npy": array([1.0, 2.0]), **Y}, zipfile.ZIP_LZMA), "packed in another way"),
    ],
)
def test_bad_archives(content: bytes, words: str) -> None:
    problem = refusal(content, ".npz")
    assert words in problem.message
    assert problem.code == ProblemCode.UPLOAD_INVALID


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"x": 1}),
        b"\x89HDF\r\n\x1a\n" + bytes(100),
        b"a,b\n1,2\n",
        npz({"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
        npz({"archive/data.pkl": b"\x80\x02.", "archive/version": b"3"}),
        npz({"inner.npz": GOOD, **Y}),
    ],
    ids=["pickle", "h5", "csv", "keras", "torch", "nested"],
)
def test_other_formats_by_that_name(content: bytes) -> None:
    assert refusal(content, ".npz").code == ProblemCode.UPLOAD_TYPE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npz({f"a{i}.npy": b"" for i in range(5_000)}), "5,000 files"),
        (savez(x=np.zeros((70, 2**20), np.uint8), y=np.zeros(70)), "times the file"),
        (savez(x=np.zeros((2, 2**24 + 1)).T.copy().T, y=np.zeros(2)), "Fortran order"),
    ],
    ids=["entries", "growth", "fortran"],
)
def test_archives_that_are_too_large(content: bytes, words: str) -> None:
    problem = refusal(content, ".npz")
    assert words in problem.message
    assert problem.code == ProblemCode.PAYLOAD_TOO_LARGE


def test_the_sizes_of_all_arrays_are_added() -> None:
    # Sizes that only the headers tell: nothing of the kind exists anywhere.
    parts = {
        f"a{i}.npy": head(f"{{'descr': '|b1', 'fortran_order': False, 'shape': (2, {2**28}), }}") for i in range(3)
    }
    raw = bytearray(npz({**parts, **Y}))
    for i, match in enumerate(list(re.finditer(b"PK\x01\x02", raw))[:3]):
        struct.pack_into("<L", raw, match.start() + 24, len(parts[f"a{i}.npy"]) + 2**29)
    problem = refusal(bytes(raw), ".npz")
    assert problem.code == ProblemCode.PAYLOAD_TOO_LARGE
    assert problem.data["bytes"] == 3 * 2**31 + 16
    assert f"{problem.data['bytes']:,} bytes; at most 4,294,967,296" in problem.message


def patched(raw: bytes, signature: bytes, offset: int, layout: str, value: int, last: bool = False) -> bytes:
    """One field of a zip header overwritten."""
    changed = bytearray(raw)
    at = raw.rindex(signature) if last else raw.index(signature)
    struct.pack_into(layout, changed, at + offset, value)
    return bytes(changed)


def test_encrypted_overlapping_lying_and_damaged_archives() -> None:
    encrypted = patched(patched(GOOD, b"PK\x03\x04", 6, "<H", 1), b"PK\x01\x02", 8, "<H", 1)
    assert "encrypted" in refusal(encrypted, ".npz").message
    assert "overlap" in refusal(patched(GOOD, b"PK\x01\x02", 42, "<L", 0, last=True), ".npz").message
    assert "overlap" in refusal(patched(GOOD, b"PK\x01\x02", 20, "<L", 10_000, last=True), ".npz").message
    stored = npz({"x.npy": array([1.0, 2.0]), **Y}, zipfile.ZIP_STORED)
    assert "CRC" in refusal(stored.replace(np.array([1.0, 2.0]).tobytes(), bytes(16)), ".npz").message
    # The central directory promises what the entry does not hold.
    claim = head(PLAIN.replace("2,", "2, 9,"))
    lying = patched(npz({"x.npy": claim, **Y}), b"PK\x01\x02", 24, "<L", len(claim) + 144)
    assert refusal(lying, ".npz").code == ProblemCode.UPLOAD_INVALID


NO_SHAPES = (
    *("(True,)", "(-2,)", "(2.0,)", "(2)", "2", "[2]", "(2,,)", "(,)", "('2',)", "(None,)", "(1e3,)", "(2, *[3])"),
    *("(0b10,)", f"({'9' * 5_000},)", "(99999999999999999999,)", f"({'1, ' * 40})", "(" * 500, "()()", "(2,) + (3,)"),
)


def test_shapes_that_are_none() -> None:
    for shape in NO_SHAPES:
        problem = refusal(npz({"x.npy": head(PLAIN.replace("(2,)", shape)) + bytes(16), **Y}), ".npz")
        assert problem.code == ProblemCode.UPLOAD_INVALID, shape
        assert "'x'" in problem.message


@pytest.mark.parametrize(
    "raw",
    [
        *(
            head(text)
            for text in ("", "{", "{}", "[]", "None", "x" * 9_999, "{" * 300, PLAIN[:-2], "-" * 9_000 + "1", "\0")
        ),
        head(PLAIN.replace("'<f8'", "'O'")),
        head(PLAIN.replace("'<f8'", "'<f7'")),
        head(PLAIN.replace("'<f8'", "'V8'")),
        head(PLAIN.replace("'<f8'", "None")),
        head(PLAIN.replace("'<f8'", "[('a', '<f8')]")),
        head(PLAIN.replace("'<f8'", "'<f8', 'descr': '<f4'")),
        head(PLAIN.replace("False", "'False'")),
        head(PLAIN.replace("False", "__import__('os').abort()")),
        head(PLAIN.replace("'shape'", "'shapes'")),
        head(PLAIN.replace("}", "'more': True}")),
        head("é".encode()),
        head(PLAIN + " " * 10_000, 2),
        head(PLAIN, 3),
        head(PLAIN)[:20],
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        b"",
    ],
)
def test_heads_that_are_none(raw: bytes) -> None:
    problem = refusal(npz({"x.npy": raw + bytes(16), **Y}), ".npz")
    assert problem.code == ProblemCode.UPLOAD_INVALID


def test_flipped_and_cut_bytes_are_read_or_refused() -> None:
    chance = random.Random(0)
    stored = npz({"x.npy": array([[1.0], [2.0]]), **Y}, zipfile.ZIP_STORED)
    refused = 0
    for turn in range(300):
        raw = bytearray(GOOD if turn % 2 else stored)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if turn % 5 == 0:
            del raw[chance.randrange(len(raw)) :]
        try:
            read(bytes(raw), ".npz")
        except DataError:
            refused += 1
    assert refused > 200


def test_the_histogram_of_a_large_array_is_of_some_of_its_elements(tmp_path: Path) -> None:
    pixels = np.repeat(np.arange(72, dtype=np.uint8), 2**20).reshape(72, 2**20)
    np.savez(tmp_path / "large.npz", x=pixels, y=np.arange(72) % 2)
    parsed = parse_npz(tmp_path / "large.npz", tmp_path / "scratch")
    assert parsed.details is not None
    facts = parsed.details.columns[0]
    assert (facts.minimum, facts.maximum, facts.mean) == (0, 71, 35.5)
    assert facts.sampled == sum(facts.histogram) == pytest.approx(1_000_000, rel=0.01)
    exact = np.histogram(np.arange(72), 20)[0] / 72
    # Five deviations of a share that is counted in a million draws.
    assert np.abs(np.array(facts.histogram) / facts.sampled - exact).max() < 5 * np.sqrt(exact.max() / 1_000_000)
    assert parsed.details.columns[1].sampled is None
