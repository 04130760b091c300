"""A zip of images, one folder for each class, which may lie in folders for training, validation and test.

Everything is decoded here, in the importer's process. A file that cannot be used is a row of the problems, and the rest
stays usable; what endangers the reader itself (an archive that overlaps, or unpacks to too much) is refused as a whole.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from layerloom.data.archives import BROKEN, require_apart, unpacking
from layerloom.data.dataset import DataError
from layerloom.data.fitting import ImageError, pixels_of
from layerloom.data.parse import (
    BLOCK_BYTES,
    FREE_BYTES,
    MAX_BYTES,
    MAX_CLASSES,
    MAX_GROWTH,
    SAME_LABEL,
    Block,
    Parsed,
    Part,
    Values,
    refuse,
    too_large,
)
from layerloom.schema.datasets import DatasetDetails, FileProblem, FileReason, ImageReading, InputFacts, Reading
from layerloom.schema.problems import ProblemCode

MAX_FILES = 200_000
MAX_DIRECTORY_BYTES = 64 * 2**20
"""Of the archive's list of files, which is read into memory."""
MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
MAX_SIZE = 512
"""Pixels of a side."""
LARGEST_GUESS = 224
MAX_PROBLEMS = 500
"""That are listed; all are counted."""
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
PARTS: dict[Part, tuple[str, ...]] = {
    "training": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class _File:
    member: zipfile.ZipInfo
    part: Part
    label: str

    @property
    def order(self) -> tuple[int, str, str]:
        return [*PARTS].index(self.part), self.label, self.member.filename


@dataclass
class _Problems:
    """Files that are not used, and why."""

    listed: list[FileProblem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, reason: FileReason) -> None:
        """``name`` is the archive's own, and only shown."""
        self.counts[reason] += 1
        if len(self.listed) < MAX_PROBLEMS:
            shown = "".join(letter if letter.isprintable() else "�" for letter in name[:200])
            self.listed.append(FileProblem(file=shown, reason=reason))


def parse_images(file: Path, scratch: Path, reading: Reading | None) -> Parsed:
    """Read a ``.zip`` of ``class/name.png``, below ``train/``, ``val/`` and ``test/`` where there are such.

    Images are turned as their EXIF data say, laid over white where they are transparent, scaled from 16 bits to 8, grey
    where all of them are, and brought to one size: by default their own where it is one, else a square of the median
    shorter side. Classes are in alphabetical order, as in torchvision's ``ImageFolder``.

    Raises:
        DataError: the archive is refused, or holds no image that can be used.
    """
    problems = _Problems()
    with _opened(file) as archive:
        files = _files(archive, problems)
        shapes, grey = _heads(archive, files, problems)
        files = [one for one in files if one.member.filename in shapes]
        if not files:
            raise refuse("The archive holds no image that can be read, in a folder that names its class.")
        images = _reading(reading, [shapes[one.member.filename] for one in files], grey)
        channels = 1 if images.grey else 3
        _require_room(len(files) * channels * images.height * images.width, file)
        pixels = scratch.with_name(f"{scratch.name}-pixels")
        used = _decode(archive, files, images, pixels, problems)
    if not used:
        raise refuse("None of the archive's images can be decoded.")
    classes = sorted({one.label for one in used})
    if len(classes) > MAX_CLASSES:
        raise too_large(f"The archive has {len(classes):,} classes; at most {MAX_CLASSES:,} are read.")
    numbers = np.array([classes.index(one.label) for one in used], np.int64)
    shape = (len(used), channels, images.height, images.width)
    parts = {part: count for part in PARTS if (count := sum(one.part == part for one in used))}
    return Parsed(
        inputs={"x": Values("uint8", shape, lambda: _blocks(pixels))},
        targets=Values("int64", (len(used),), lambda: iter([numbers])),
        task="classification",
        classes=classes,
        summary=_summary(len(used), classes, parts, problems),
        category="images",
        details=DatasetDetails(
            reading=Reading(images=images),
            rows=len(used) + sum(problems.counts.values()),
            dropped=sum(problems.counts.values()),
            files=problems.listed,
            sizes=dict(Counter("×".join(map(str, shapes[one.member.filename])) for one in used).most_common(12)),
            inputs={"x": InputFacts(shape=list(shape[1:]), dtype="float32")},
        ),
        split=_split(parts),
        fitting=_fitting(images, {shapes[one.member.filename] for one in used}),
    )


def _summary(count: int, classes: list[str], parts: dict[Part, int], problems: _Problems) -> str:
    told = f"{count:,} images of {len(classes)} classes."
    if len(parts) > 1:
        told += f" {', '.join(f'{number:,} images for {part}' for part, number in parts.items())}."
    left = sum(problems.counts.values())
    return told + f" {left:,} files are left out." * (left > 0) + SAME_LABEL * (len(classes) == 1)


def _split(parts: dict[Part, int]) -> dict[Part, int]:
    """The parts that the folders set apart, where there is one to train on and another to validate on. Where there is
    none for validation, the test part is."""
    if "training" not in parts or len(parts) == 1:
        return {}
    if "validation" not in parts:
        return {"training": parts["training"], "validation": parts["test"]}
    return parts


def _fitting(images: ImageReading, sizes: set[tuple[int, int]]) -> list[str]:
    """What was done, in torchvision's words, for those who load the weights elsewhere."""
    height, width = images.height, images.width
    done = [f"v2.Lambda(lambda image: image.convert({'L' if images.grey else 'RGB'!r}))"]
    if sizes != {(height, width)}:
        fit = "ImageOps.fit" if images.fit == "crop" else "ImageOps.pad"
        done.append(f"v2.Lambda(lambda image: {fit}(image, ({width}, {height}), Image.Resampling.BILINEAR))")
    return done


# --- the archive


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    with file.open("rb") as raw:
        start = raw.read(2)
        if start != b"PK":
            raise DataError(ProblemCode.UPLOAD_TYPE, "The file is no .zip archive, whatever its name says.")
        _require_short(raw)
    with unpacking("The file is no readable .zip archive"):
        archive = zipfile.ZipFile(file)
    with archive:
        _require_plain(archive)
        yield archive


def _require_short(raw: io.BufferedReader) -> None:
    """Hold the archive's own count of its files against the limit before any of them is read into memory."""
    size = raw.seek(0, io.SEEK_END)
    raw.seek(max(0, size - 65_536 - _END.size))
    tail = raw.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise refuse("The archive ends early; send it whole.")
    _, _, _, _, count, directory, _, _ = _END.unpack_from(tail, place)
    wide = tail.rfind(b"PK\x06\x06", 0, place)
    if wide >= 0 and len(tail) - wide >= 56:
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    if count > MAX_FILES or directory > MAX_DIRECTORY_BYTES:
        raise too_large(f"The archive lists {count:,} files; at most {MAX_FILES:,} are read. Send it in parts.")


def _require_plain(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise too_large(f"The archive lists {len(members):,} files; at most {MAX_FILES:,} are read. Send it in parts.")
    require_apart(members, archive.start_dir)
    declared, own = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    if declared > max(FREE_BYTES, MAX_GROWTH * own):
        raise too_large(f"The archive unpacks to {declared:,} bytes, {declared // max(1, own):,} times its size.")


def _files(archive: zipfile.ZipFile, problems: _Problems) -> list[_File]:
    """What may be images, with the class and the part that their folders name."""
    plain: list[tuple[zipfile.ZipInfo, tuple[str, ...]]] = []
    for member in archive.infolist():
        name = member.filename
        parts = PurePosixPath(name).parts
        if member.is_dir() or any(part in _JUNK or part.startswith("._") or part == ".DS_Store" for part in parts):
            continue
        reason = _unfit(member, parts)
        if reason is not None:
            problems.add(name, reason)
        else:
            plain.append((member, parts))
    # Many archives have one folder around everything.
    while len(plain) > 1 and all(len(parts) > 2 for _, parts in plain) and len({parts[0] for _, parts in plain}) == 1:
        if plain[0][1][0].lower() in sum(PARTS.values(), ()):
            break
        plain = [(member, parts[1:]) for member, parts in plain]
    named = {name: part for part, names in PARTS.items() for name in names}
    divided = bool(plain) and all(len(parts) > 2 and parts[0].lower() in named for _, parts in plain)
    found = []
    for member, parts in plain:
        part: Part = named[parts[0].lower()] if divided else "training"
        inner = parts[1:] if divided else parts
        if len(inner) < 2:
            problems.add(member.filename, "no_class")
        else:
            found.append(_File(member, part, inner[0]))
    return sorted(found, key=lambda one: one.order)


def _unfit(member: zipfile.ZipInfo, parts: tuple[str, ...]) -> FileReason | None:
    name = member.filename
    mode = member.external_attr >> 16
    if name.startswith(("/", "\\")) or ".." in parts or re.search(r"\\|^[A-Za-z]:|[\x00-\x1f]", name):
        return "unsafe_name"
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        return "link"
    if member.flag_bits & 1:
        return "encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "unreadable"
    if member.file_size > MAX_FILE_BYTES:
        return "too_large"
    return None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """At most as many bytes as it declares, whatever it unpacks to.

    Raises:
        ImageError: it cannot be unpacked.
    """
    try:
        with archive.open(member) as stream:
            content = stream.read(member.file_size + 1)
    except BROKEN:
        raise ImageError("unreadable") from None
    if len(content) != member.file_size:
        raise ImageError("unreadable")
    return content


# --- images


def _image(content: bytes) -> Image.Image:
    """An image whose head is read.

    Raises:
        ImageError: it is none, or too large.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise ImageError("too_many_pixels") from None
    except Exception:  # what a broken head makes its reader raise
        raise ImageError("no_image") from None
    if image.width * image.height > MAX_PIXELS:
        raise ImageError("too_many_pixels")
    return image


def _heads(
    archive: zipfile.ZipFile, files: list[_File], problems: _Problems
) -> tuple[dict[str, tuple[int, int]], bool]:
    """Height and width of each file that begins as an image, as it is meant to be seen, and whether all are grey."""
    shapes: dict[str, tuple[int, int]] = {}
    grey = True
    for one in files:
        try:
            image = _image(_content(archive, one.member))
        except ImageError as error:
            problems.add(one.member.filename, error.reason)
            continue
        turned = _orientation(image) in (5, 6, 7, 8)
        shapes[one.member.filename] = (image.width, image.height) if turned else (image.height, image.width)
        grey = grey and image.mode in _GREY
    return shapes, grey


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # of data that are broken
        return 1


def _reading(reading: Reading | None, shapes: list[tuple[int, int]], grey: bool) -> ImageReading:
    """What the owner wants, or what the images suggest."""
    if reading is not None and reading.images is not None:
        return reading.images
    if len(set(shapes)) == 1 and max(shapes[0]) <= MAX_SIZE:
        return ImageReading(height=shapes[0][0], width=shapes[0][1], grey=grey)
    side = int(min(LARGEST_GUESS, max(8, np.median([min(shape) for shape in shapes]))))
    return ImageReading(height=side, width=side, grey=grey)


def _require_room(size: int, file: Path) -> None:
    allowed = min(MAX_BYTES, max(FREE_BYTES, MAX_GROWTH * file.stat().st_size))
    if size > allowed:
        raise too_large(
            f"The images take {size:,} bytes in this size; at most {allowed:,} are kept of a file like this. Choose a "
            "smaller size.",
            bytes=size,
            allowed=allowed,
        )


def _decode(
    archive: zipfile.ZipFile, files: list[_File], images: ImageReading, pixels: Path, problems: _Problems
) -> list[_File]:
    """Write the pixels of each image that can be decoded, one after the other; those that were."""
    used = []
    with pixels.open("wb") as out:
        for one in files:
            try:
                out.write(pixels_of(_image(_content(archive, one.member)), images))
            except ImageError as error:
                problems.add(one.member.filename, error.reason)
            else:
                used.append(one)
    return used


def _blocks(pixels: Path) -> Iterator[Block]:
    with pixels.open("rb") as raw:
        while block := raw.read(BLOCK_BYTES):
            yield np.frombuffer(block, np.uint8)
