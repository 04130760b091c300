"""Image folders as zip, good and bad: each bad file is told, and the rest is usable."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from layerloom.data import load, prepare, preview, uploads
from layerloom.schema.datasets import ImageReading, Reading
from layerloom.schema.document import InputExample
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from unit.data.support import npz as packed
from unit.data.support import peak_growth, read, refusal

RANDOM = np.random.default_rng(0)
MIB = 2**20


def encoded(array: Any, format: str = "PNG", mode: str | None = None, **how: Any) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(np.asarray(array))
    (image.convert(mode) if mode else image).save(out, format, **how)
    return out.getvalue()


def grey(height: int = 6, width: int = 6, value: int | None = None) -> np.ndarray[Any, Any]:
    shape = (height, width)
    return np.full(shape, value, np.uint8) if value is not None else RANDOM.integers(0, 256, shape, dtype=np.uint8)


def colour(height: int = 6, width: int = 6) -> np.ndarray[Any, Any]:
    return RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8)


def reasons(content: bytes, tmp_path: Path) -> tuple[dict[str, str], int]:
    """Why files were left out, and how many samples stayed."""
    file = tmp_path / "incoming"
    file.write_bytes(content)
    entry = uploads.accept(tmp_path / "data", "mine", ".zip", file)
    details = uploads.details("mine", tmp_path / "data")
    assert details is not None
    return {one.file: one.reason for one in details.files}, entry.samples


def test_images_of_one_size_are_kept_as_they_are() -> None:
    images = {f"{name}/{place}.png": colour() for name in ("cat", "dog") for place in range(3)}
    entry, tensors = read(packed({name: encoded(image) for name, image in images.items()}), ".zip")
    assert (entry.shape, entry.dtype, entry.classes, entry.samples) == ([3, 6, 6], "float32", ["cat", "dog"], 6)
    assert tensors["targets"].tolist() == [0, 0, 0, 1, 1, 1]
    assert tensors["inputs.x"].dtype == torch.uint8
    expected = np.stack([image.transpose(2, 0, 1) for image in images.values()])
    assert np.array_equal(tensors["inputs.x"].numpy(), expected)


def test_folders_for_parts_are_the_split() -> None:
    places = ["train/a/1", "train/b/1", "train/b/2", "val/a/1", "test/b/1", "test/b/2"]
    entry, tensors = read(packed({f"set/{name}.png": encoded(grey()) for name in places}), ".zip")
    assert entry.split == {"training": 3, "validation": 1, "test": 2}
    assert tensors["targets"].tolist() == [0, 1, 1, 0, 1, 1]
    entry, _ = read(packed({f"{name}.png": encoded(grey()) for name in places if "val" not in name}), ".zip")
    assert entry.split == {"training": 3, "validation": 2}
    entry, _ = read(packed({f"train/{name}.png": encoded(grey()) for name in ("a/1", "b/1")}), ".zip")
    assert (entry.split, entry.classes) == ({}, ["a", "b"])


def test_modes_are_brought_to_one() -> None:
    palette = Image.fromarray(colour(4, 4)).quantize(8)
    kept = io.BytesIO()
    palette.save(kept, "PNG")
    clear = np.zeros((4, 4, 4), np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    turned = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "a/1-grey.png": encoded(grey(4, 4, 7)),
        "a/2-deep.png": encoded(np.full((4, 4), 65_535 // 5, np.uint16)),
        "a/3-clear.png": encoded(clear),
        "a/4-palette.png": kept.getvalue(),
        "b/1-cmyk.jpg": encoded(colour(4, 4), "JPEG", "CMYK"),
        "b/2-turned.png": encoded(turned, exif=exif),
        "b/3-film.gif": encoded(grey(4, 4, 200), "GIF", save_all=True, append_images=[Image.new("L", (4, 4))]),
    }
    _, tensors = read(packed(files), ".zip")
    one, deep, transparent, quantized, _, rotated, film = tensors["inputs.x"]
    assert one.unique().tolist() == [7]
    assert deep.unique().tolist() == [51], "16 bits are scaled, not cut off"
    assert transparent[:, 0, 0].tolist() == [10, 20, 30]
    assert transparent[:, 1:].unique().tolist() == [255]
    assert np.array_equal(quantized.numpy(), np.asarray(palette.convert("RGB")).transpose(2, 0, 1))
    assert np.array_equal(rotated[0].numpy(), np.rot90(turned, -1))
    assert film.unique().tolist() == [200]
    only_grey, values = read(packed({"a/1.png": files["a/1-grey.png"], "b/1.png": files["a/2-deep.png"]}), ".zip")
    assert only_grey.shape == [1, 4, 4]
    assert values["inputs.x"].flatten(1).tolist() == [[7] * 16, [51] * 16]


def test_sizes_are_brought_to_one_and_their_owner_may_say_how(tmp_path: Path) -> None:
    wide = np.zeros((10, 20), np.uint8)
    wide[:, 5:15] = 255
    content = packed({"a/1.png": encoded(wide), "a/2.png": encoded(grey(12, 12)), "b/1.png": encoded(grey(16, 9))})
    assert reasons(content, tmp_path) == ({}, 3)
    x = load("mine", tmp_path / "data").inputs["x"]
    assert list(x.shape) == [3, 1, 10, 10]
    assert x[0].unique().tolist() == [255], "the middle is what stays"
    padded = Reading(images=ImageReading(height=8, width=8, fit="pad", grey=True))
    assert uploads.reread(tmp_path / "data", "mine", padded) is not None
    x = load("mine", tmp_path / "data").inputs["x"]
    assert list(x.shape) == [3, 1, 8, 8]
    assert x[0, 0, :2].unique().tolist() == [0]
    details = uploads.details("mine", tmp_path / "data")
    assert details is not None
    assert details.sizes == {"10×20": 1, "12×12": 1, "16×9": 1}
    assert details.reading.images == padded.images


def test_bad_files_are_told_and_the_rest_is_used(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 65_500, 65_500, 8, 2, 0, 0, 0)
    members: list[tuple[str | zipfile.ZipInfo, bytes]] = [
        ("a/1.png", encoded(grey())),
        ("b/1.png", encoded(grey())),
        ("../x/2.png", encoded(grey())),
        ("/abs/2.png", encoded(grey())),
        ("C:\\x\\2.png", encoded(grey())),
        (link, b"/etc/passwd"),
        ("top.png", encoded(grey())),
        ("a/inner.zip", packed({"a/1.png": encoded(grey())})),
        ("a/page.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a/print.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("a/cut.jpg", encoded(colour(64, 64), "JPEG")[:-400]),
        ("a/huge.png", head + struct.pack(">I", 0) + b"\0" * 20),
        ("b/empty.png", b""),
        ("__MACOSX/a/._1.png", b"junk"),
        ("a/.DS_Store", b"junk"),
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    found, samples = reasons(out.getvalue(), tmp_path)
    assert samples == 2
    assert found == {
        "../x/2.png": "unsafe_name",
        "/abs/2.png": "unsafe_name",
        "C:\\x\\2.png": "unsafe_name",
        "a/link.png": "link",
        "top.png": "no_class",
        "a/inner.zip": "no_image",
        "a/page.svg": "no_image",
        "a/print.png": "no_image",
        "a/cut.jpg": "broken",
        "a/huge.png": found["a/huge.png"],
        "b/empty.png": "no_image",
    }
    assert found["a/huge.png"] in ("too_many_pixels", "no_image")
    shown = preview("mine", tmp_path / "data", count=2)
    assert (shown.counts, [picture.shape for picture in shown.pictures]) == ({"a": 1, "b": 1}, [[3, 8, 8]] * 2)
    # Of a class with one image none can be set apart.
    assert shown.division.parts == {}
    assert shown.division.problem is not None
    assert shown.division.problem.code == ProblemCode.PLAN_INVALID


def test_the_parts_that_folders_make_are_told(tmp_path: Path) -> None:
    places = ["train/a/1", "train/b/1", "train/b/2", "val/a/1", "test/b/1", "test/b/2"]
    (tmp_path / "set.zip").write_bytes(packed({f"{name}.png": encoded(grey()) for name in places}))
    uploads.accept(tmp_path / "data", "mine", ".zip", tmp_path / "set.zip")
    division = preview("mine", tmp_path / "data").division
    assert division.own
    assert {name: (part.samples, part.counts) for name, part in division.parts.items()} == {
        "training": (3, {"a": 1, "b": 2}),
        "validation": (1, {"a": 1}),
        "test": (2, {"b": 2}),
    }


def test_bombs_are_refused_whole(tmp_path: Path) -> None:
    blank = b"BM" + b"\0" * (60 * MIB)
    bomb = packed({f"a/{place}.bmp": blank for place in range(6)})
    many = bytearray(packed({"a/1.png": encoded(grey())}))
    place = many.rfind(b"PK\x05\x06")
    many[place + 8 : place + 12] = struct.pack("<HH", 65_535, 65_535)
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**6, 10**6, 46 * 10**6, 0)
    double = bytearray(packed({"a/1.png": encoded(grey()), "a/2.png": encoded(grey())}))
    first, second = (double.find(b"PK\x01\x02"), double.rfind(b"PK\x01\x02"))
    double[second + 42 : second + 46] = double[first + 42 : first + 46]
    newer = bytearray(packed({"a/1.png": encoded(grey())}))
    newer[newer.find(b"PK\x01\x02") + 6] = 255

    def refused() -> list[str]:
        return [
            refusal(bomb, ".zip").code,
            refusal(bytes(many[:place]) + wide + bytes(many[place:]), ".zip").code,
            refusal(bytes(double), ".zip").message,
            refusal(packed({"a/1.png": b"nothing"}), ".zip").code,
            refusal(b"PK nothing", ".zip").code,
            refusal(packed({}), ".zip").message,
            refusal(bytes(newer), ".zip").message,
            refusal(b"\x89PNG", ".zip").code,
        ]

    found: list[str] = []
    assert peak_growth(lambda: found.extend(refused())) < 64 * MIB
    assert found == [
        ProblemCode.PAYLOAD_TOO_LARGE,
        ProblemCode.PAYLOAD_TOO_LARGE,
        "The archive's entries overlap.",
        ProblemCode.UPLOAD_INVALID,
        ProblemCode.UPLOAD_INVALID,
        "The archive holds no image that can be read, in a folder that names its class.",
        "The file is no readable .zip archive: zip file version 25.5.",
        ProblemCode.UPLOAD_TYPE,
    ]


def test_a_split_of_folders_is_what_is_trained_on_and_larger_data_stay_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [f"{part}/{label}/{place}" for part in ("train", "val", "test") for label in "ab" for place in range(4)]
    file = tmp_path / "incoming"
    file.write_bytes(packed({f"{name}.png": encoded(colour()) for name in places}))
    uploads.accept(tmp_path / "data", "mine", ".zip", file)
    inputs = {"x": InputExample(shape=[3, 6, 6])}
    resident = prepare(Plan(dataset="mine"), inputs, tmp_path / "data")
    assert (len(resident.train), len(resident.validation)) == (8, 8)
    assert resident.preparation is not None
    compile(resident.preparation.code, "prepare.py", "exec")
    monkeypatch.setattr("layerloom.data.memory.budget", lambda: 100)
    stored = prepare(Plan(dataset="mine"), inputs, tmp_path / "data")
    assert not isinstance(stored.train.inputs["x"], torch.Tensor)
    assert torch.equal(stored.train.inputs["x"][torch.tensor([5, 0])], resident.train.inputs["x"][[5, 0]])
    assert "read from disk" in stored.notes[-1]
