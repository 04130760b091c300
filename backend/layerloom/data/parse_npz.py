"""NumPy archives: arrays with samples first, one of them the target."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layerloom.data.archives import require_apart, unpacking
from layerloom.data.dataset import DataError
from layerloom.data.npy_header import Header, read_header
from layerloom.data.parse import (
    BLOCK_BYTES,
    INPUT_NAMES,
    MAX_CLASSES,
    MAX_FLOAT,
    SAME_LABEL,
    TARGET_NAMES,
    Block,
    Parsed,
    Values,
    refuse,
    require_room,
    too_large,
)
from layerloom.data.profile import Figures, Histogram
from layerloom.schema.datasets import Column, ColumnFacts, ColumnKind, ColumnRole, DatasetDetails, InputFacts, Reading
from layerloom.schema.problems import ProblemCode

MAX_ARRAYS = 64
MAX_NAME = 100
MAX_FORTRAN_BYTES = 128 * 2**20
"""An array whose first axis varies fastest is turned in memory; all others are read in blocks."""
HISTOGRAM_BYTES = 64 * 2**20
"""A larger array is read once: its histogram is of elements that are drawn by lot meanwhile."""
SAMPLED = 1_000_000


@dataclass(frozen=True)
class _Array:
    """An array whose elements are still packed."""

    file: Path
    member: str
    name: str
    header: Header


def parse_npz(file: Path, _scratch: Path, reading: Reading | None = None) -> Parsed:
    """Read an ``.npz``. The target is the array named ``y``, ``target`` or ``label``; all others are inputs.

    Every array's header is held against its size before a byte of it is unpacked, and objects are never loaded.
    Unless the ``reading`` says otherwise, 8-bit pixels are scaled to 0…1, other whole numbers stay (token ids), and
    numbers become float32.

    Raises:
        DataError: with the array at fault.
    """
    every = _arrays(file)
    columns = _columns(every, reading)
    roles = {role: [array for array in every if columns[array.name].role == role] for role in ("feature", "target")}
    _require_roles(roles["feature"], roles["target"])
    (target,) = roles["target"]
    _same_samples([*roles["feature"], target])
    features = {_input_name(array.name, len(roles["feature"])): array for array in roles["feature"]}
    inputs = {name: _input(array, columns[array.name].kind) for name, array in features.items()}
    number = columns[target.name].kind == "number"
    targets = _target(target, number=number)
    require_room([*inputs.values(), targets], file)
    present = set() if number else _labels(target)
    samples = target.header.shape[0]
    summary = f"{samples:,} samples; inputs {', '.join(inputs)}; predicts {target.name!r}."
    facts = {array.name: facts_of(columns[array.name], array) for array in every}
    first = next(iter(inputs.values()))
    return Parsed(
        inputs=inputs,
        targets=targets,
        task="regression" if number else "classification",
        classes=[] if number else [str(label) for label in range(max(present) + 1)],
        summary=summary + SAME_LABEL * (len(present) == 1),
        category="tables" if len(first.shape) == 2 and first.dtype == "float32" else "arrays",
        details=DatasetDetails(
            reading=Reading(columns=list(columns.values())),
            columns=list(facts.values()),
            rows=samples,
            inputs={
                name: InputFacts(
                    shape=list(values.shape[1:]), dtype=values.dtype, ids=_ids(values, facts[features[name].name])
                )
                for name, values in inputs.items()
            },
        ),
    )


def _ids(values: Values, facts: ColumnFacts) -> int | None:
    return None if values.dtype == "float32" or facts.maximum is None else int(facts.maximum) + 1


def _columns(arrays: list[_Array], reading: Reading | None) -> dict[str, Column]:
    """What each array is: as its owner says, or as its name and type tell."""
    names = [array.name for array in arrays]
    wanted = {column.name: column for column in reading.columns} if reading is not None else {}
    if strange := next((name for name in wanted if name not in names), None):
        raise refuse(f"The archive has no array {strange!r}.", column=strange)
    found = {}
    for array in arrays:
        role: ColumnRole = "target" if array.name.lower() in TARGET_NAMES else "feature"
        column = Column(name=array.name, kind=possible_kinds(array, role)[0], role=role)
        column = wanted.get(array.name, column)
        if column.role != "ignored" and column.kind not in (possible := possible_kinds(array, column.role)):
            raise refuse(
                f"Array {array.name!r} cannot be read as {column.kind}. It can be {' or '.join(possible)}.",
                column=array.name,
            )
        found[array.name] = column
    return found


def _require_roles(features: list[_Array], targets: list[_Array]) -> None:
    if len(targets) != 1:
        raise refuse(
            f"Exactly one array must be the target, named one of {', '.join(TARGET_NAMES)}; "
            f"found {[array.name for array in targets]}."
        )
    if not features:
        raise refuse("No array is a feature. Choose what to predict the target from.")


def _arrays(file: Path) -> list[_Array]:
    with file.open("rb") as raw:
        start = raw.read(2)
    if not start:
        raise refuse("The file is empty.")
    if start != b"PK":
        raise DataError(ProblemCode.UPLOAD_TYPE, "The file is no .npz archive, whatever its name says.")
    with ExitStack() as stack:
        with unpacking("The file is no readable .npz archive"):
            archive = stack.enter_context(zipfile.ZipFile(file))
            members = archive.infolist()
        _require_plain(members, archive.start_dir)
        return [_array(file, archive, member) for member in members]


def _require_plain(members: list[zipfile.ZipInfo], end: int) -> None:
    """What ``numpy.savez`` writes is a small part of what a zip archive can be; the rest is refused."""
    if len(members) > MAX_ARRAYS:
        raise too_large(f"The archive holds {len(members):,} files; at most {MAX_ARRAYS} arrays are read.")
    if not all(member.filename.endswith(".npy") for member in members):
        raise DataError(ProblemCode.UPLOAD_TYPE, "The archive holds something else than .npy arrays.")
    if len(members) < 2:
        raise refuse(f"The archive holds {len(members)} arrays; inputs and a target are needed.")
    names = [member.filename.removesuffix(".npy") for member in members]
    if len(set(names)) != len(names):
        raise refuse("The archive holds two arrays of one name.")
    for member, name in zip(members, names, strict=True):
        if not name.isprintable() or not 0 < len(name) <= MAX_NAME or name[0] == "." or set(name) & set("/\\:"):
            raise refuse(f"An array's name has up to {MAX_NAME} characters and none of / \\ :, and begins with no dot.")
        if member.flag_bits & 1:
            raise refuse(f"Array {name!r} is encrypted; save it without a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refuse(f"Array {name!r} is packed in another way than numpy does.")
    require_apart(members, end)


def _array(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Array:
    name = member.filename.removesuffix(".npy")
    with unpacking(f"Array {name!r} cannot be read"), archive.open(member) as stream:
        header = read_header(stream, name)
    has = member.file_size - header.length
    if header.bytes != has:
        raise refuse(f"Array {name!r} claims {header.bytes:,} bytes and has {has:,}.")
    if header.fortran and len(header.shape) > 1 and header.bytes > MAX_FORTRAN_BYTES:
        raise too_large(
            f"Array {name!r} has {header.bytes:,} bytes in Fortran order, of which at most {MAX_FORTRAN_BYTES:,} are "
            "read. Save it as numpy.ascontiguousarray gives it.",
            bytes=header.bytes,
            allowed=MAX_FORTRAN_BYTES,
        )
    return _Array(file, member.filename, name, header)


def _same_samples(arrays: list[_Array]) -> None:
    samples = {array.name: array.header.shape[0] if array.header.shape else 0 for array in arrays}
    if len(set(samples.values())) != 1 or 0 in samples.values():
        listed = ", ".join(f"{name}: {count:,}" for name, count in samples.items())
        raise refuse(f"All arrays need the same number of samples on their first axis; they have {listed}.")
    for array in arrays:
        if 0 in array.header.shape:
            raise refuse(f"The samples of array {array.name!r} hold no values; its shape is {array.header.shape}.")


def _input_name(name: str, count: int) -> str:
    return "x" if count == 1 and name.lower() in INPUT_NAMES else name


def _input(array: _Array, kind: ColumnKind) -> Values:
    dtype, shape = array.header.dtype, array.header.shape
    if kind == "id":
        return Values("int64", shape, lambda: (_whole(array.name, block) for block in _raw(array)))
    if dtype == np.uint8:
        return Values("float32", shape, lambda: (block.astype(np.float32) / np.float32(255) for block in _raw(array)))
    return Values("float32", shape, lambda: (_numbers(array.name, block) for block in _raw(array)))


def _target(array: _Array, *, number: bool) -> Values:
    shape = array.header.shape
    if number:
        # One number per sample is a column, as a Linear layer of one feature gives it.
        shape = (*shape, 1) if len(shape) == 1 else shape
        return Values("float32", shape, lambda: (_numbers(array.name, block) for block in _raw(array)))
    if len(shape) != 1:
        raise refuse(f"Class numbers come one per sample; array {array.name!r} has the shape {shape}.")
    return Values("int64", shape, lambda: (block.astype(np.int64) for block in _raw(array)))


def _labels(array: _Array) -> set[int]:
    """The class numbers that occur."""
    found: set[int] = set()
    for block in _raw(array):
        low, high = int(block.min()), int(block.max())
        if low < 0 or high >= MAX_CLASSES:
            raise refuse(f"Class numbers go from 0 to {MAX_CLASSES - 1}; array {array.name!r} has {low} to {high}.")
        found.update(np.unique(block).astype(np.int64).tolist())
    return found


def _numbers(name: str, block: Block) -> Block:
    with np.errstate(over="ignore"):
        numbers = block.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise refuse(f"Array {name!r} holds NaN, infinite values or such as are beyond a float32.")
    return numbers


def _whole(name: str, block: Block) -> Block:
    if block.dtype.kind == "u" and int(block.max()) > np.iinfo(np.int64).max:
        raise refuse(f"Array {name!r} holds whole numbers beyond an int64.")
    return block.astype(np.int64)


def _raw(array: _Array) -> Iterator[Block]:
    """The elements in C order and the archive's own type."""
    turned = array.header.fortran and len(array.header.shape) > 1
    left, size = array.header.bytes, array.header.dtype.itemsize
    most = left if turned else size * (BLOCK_BYTES // size)
    with ExitStack() as stack:
        with unpacking(f"Array {array.name!r} cannot be read"):
            archive = stack.enter_context(zipfile.ZipFile(array.file))
            stream = stack.enter_context(archive.open(array.member))
            stream.read(array.header.length)
        while left:
            with unpacking(f"Array {array.name!r} cannot be read"):
                raw = stream.read(min(left, most))
            if len(raw) != min(left, most):
                raise refuse(f"Array {array.name!r} ends before its last element.")
            left -= len(raw)
            block = np.frombuffer(raw, array.header.dtype)
            yield from _turned(block, array.header.shape) if turned else (block,)


def _turned(elements: Block, shape: tuple[int, ...]) -> Iterator[Block]:
    whole = elements.reshape(shape, order="F")
    rows = max(1, BLOCK_BYTES * shape[0] // elements.nbytes)
    for start in range(0, shape[0], rows):
        yield np.ascontiguousarray(whole[start : start + rows])


def possible_kinds(array: _Array, role: ColumnRole) -> list[ColumnKind]:
    """What an array can be read as, the likeliest first."""
    kind = array.header.dtype.kind
    if role == "target":
        return ["number"] if kind == "f" else ["category", "number"]
    if kind in "fb":
        return ["number"]
    return ["number", "id"] if array.header.dtype == np.uint8 else ["id", "number"]


def facts_of(column: Column, array: _Array) -> ColumnFacts:
    """What the elements of an array say. They are read once more for a histogram where they are few."""
    figures = Figures()
    small = array.header.bytes <= HISTOGRAM_BYTES
    # Not every n-th one, which might always be of the same column.
    lot, share = np.random.default_rng(0), SAMPLED * array.header.dtype.itemsize / array.header.bytes
    drawn: list[Block] = []
    for block in _raw(array):
        finite = _finite(block)
        figures.add(finite)
        if not small and finite.size:
            drawn.append(lot.choice(finite, lot.binomial(finite.size, min(1, share)), replace=False, shuffle=False))
    histogram = Histogram(figures)
    for block in map(_finite, _raw(array)) if small else drawn:
        histogram.add(block)
    return ColumnFacts(
        **column.model_dump(),
        stored=f"{array.header.dtype.name} {'×'.join(map(str, array.header.shape[1:]))}".strip(),
        kinds=[*dict.fromkeys((*possible_kinds(array, "feature"), *possible_kinds(array, "target")))],
        minimum=figures.minimum if figures.count else None,
        maximum=figures.maximum if figures.count else None,
        mean=figures.mean if figures.count else None,
        deviation=figures.deviation if figures.count else None,
        histogram=histogram.list(),
        sampled=None if small else sum(block.size for block in drawn),
    )


def _finite(block: Block) -> Block:
    values = block.astype(np.float64)
    return values[np.abs(values) <= MAX_FLOAT]
