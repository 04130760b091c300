"""Data sets that a user brings: files that are parsed, and kept as tensors beside what was sent.

A file is read whole, in a process of its own, before anything is kept; what cannot be read leaves no trace. The name
that the client gives is kept inside ``meta.json`` and is never a path: folders have names of their own.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
import time
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory

from layerloom.data.damage import NAME, damaged_entry, undamaged
from layerloom.data.dataset import DataError, Dataset, Tokens
from layerloom.data.importer import DETAILS, LEXICON, META, PARSERS, TENSORS
from layerloom.data.isolation import Limits, read_apart
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.datasets import DatasetDetails, Reading
from layerloom.schema.problems import ProblemCode

_DRAFT = "tmp-"
_SOURCE = "source"
"""The file as it was sent, with its suffix."""
_STALE_S = 24 * 3_600
"""A draft that old was left by a server that was killed."""
_replacing = threading.Lock()


def accept(
    folder: Path,
    name: str,
    suffix: str,
    file: Path,
    stop: threading.Event | None = None,
    limits: Limits = Limits(),  # noqa: B008  a frozen value
) -> DatasetEntry:
    """Parse an uploaded file and keep it under ``name``, in place of an earlier upload of that name.

    Raises:
        DataError: the name is malformed, the type is not accepted, or the content is bad or too much. When ``stop`` is
            set meanwhile, nothing is kept either.
    """
    if not NAME.fullmatch(name) or name != unicodedata.normalize("NFC", name.lower()):
        raise DataError(
            ProblemCode.NAME_INVALID,
            "A data set's name is made of small letters, digits, hyphens and underscores, at most 63.",
        )
    if suffix.lower() not in PARSERS:
        raise DataError(ProblemCode.UPLOAD_TYPE, f"Upload one of {', '.join(PARSERS)}.")
    root = folder / "uploads"
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    with TemporaryDirectory(prefix=_DRAFT, dir=root, ignore_cleanup_errors=True) as work:
        draft = Path(work) / "set"
        read_apart(draft, name, suffix.lower(), file, stop, limits)
        _keep(file, draft / f"{_SOURCE}{suffix.lower()}")
        return _publish(draft, folder)


def reread(
    folder: Path,
    name: str,
    reading: Reading,
    stop: threading.Event | None = None,
    limits: Limits = Limits(),  # noqa: B008  a frozen value
) -> DatasetEntry | None:
    """Make the data set anew from the file that was uploaded, read as its owner says; None for an unknown name.

    What is there stays until all of the new is.

    Raises:
        DataError: the file cannot be read so, or was not kept.
    """
    path = _path(name, folder)
    if path is None:
        return None
    source = _source(path)
    if source is None:
        raise DataError(
            ProblemCode.UPLOAD_INVALID,
            "The file of this data set was not kept, so that it cannot be read anew. Upload it again.",
        )
    with TemporaryDirectory(prefix=_DRAFT, dir=path.parent, ignore_cleanup_errors=True) as work:
        held = Path(work) / source.name
        draft = Path(work) / "set"
        _keep(source, held)
        read_apart(draft, name, source.suffix, held, stop, limits, reading)
        held.rename(draft / source.name)
        return _publish(draft, folder)


def details(name: str, folder: Path) -> DatasetDetails | None:
    """What was found in an upload; None when there is none of that name.

    Raises:
        DataError: it is damaged.
    """
    path = _path(name, folder)
    if path is None:
        return None
    try:
        found = _details(name, path)
    except FileNotFoundError:
        # Of an earlier version, or of a format that has no columns.
        return DatasetDetails(reading=Reading(), editable=False)
    return found.model_copy(update={"editable": _source(path) is not None})


def entries(folder: Path) -> list[DatasetEntry]:
    """Every upload, by name; one that cannot be read says so by ``missing``."""
    found = {entry.name: entry for _, entry in _found(folder)}
    return [found[name] for name in sorted(found)]


def find(name: str, folder: Path) -> DatasetEntry | None:
    """The upload of that name."""
    return next((entry for entry in entries(folder) if entry.name == name), None)


def load(name: str, folder: Path) -> Dataset | None:
    """The tensors of an upload, whose pages are read from disk as they are used; None when there is none of that name.

    Raises:
        DataError: it was deleted or replaced just now, or is damaged.
    """
    from safetensors.torch import load_file

    found = {entry.name: (path, entry) for path, entry in _found(folder)}
    if name not in found:
        return None
    path, entry = found[name]
    _require_whole(entry)
    try:
        tensors = undamaged(name, path / TENSORS, _source(path), load_file)
    except FileNotFoundError:
        raise DataError(
            ProblemCode.DATASET_UNAVAILABLE, "The data set was deleted or replaced just now; try again.", dataset=name
        ) from None
    targets = tensors.pop("targets")
    inputs = {key.removeprefix("inputs."): value for key, value in tensors.items()}
    return Dataset(
        entry,
        inputs,
        targets,
        training=entry.split.get("training"),
        validation=entry.split.get("validation"),
        tokens=_tokens(name, path),
        file=path / TENSORS,
    )


def _require_whole(entry: DatasetEntry) -> None:
    if entry.missing is not None:
        raise DataError(entry.missing.code, entry.missing.message, **entry.missing.data)


def _details(name: str, path: Path) -> DatasetDetails:
    return undamaged(
        name, path / DETAILS, _source(path), lambda file: DatasetDetails.model_validate_json(file.read_bytes())
    )


def _tokens(name: str, path: Path) -> Tokens | None:
    try:
        tokens = undamaged(name, path / LEXICON, _source(path), lambda file: json.loads(file.read_bytes()))
        found = _details(name, path)
    except FileNotFoundError:
        return None
    reading = found.reading.text
    return None if reading is None else Tokens(tokens, reading, "text" if "text" in found.inputs else "x")


def remove(name: str, folder: Path) -> bool:
    """Delete an upload; False when there is none of that name."""
    with _replacing:
        gone = [path for path, entry in _found(folder) if entry.name == name]
        for path in gone:
            _discard(path)
    return bool(gone)


def _publish(draft: Path, folder: Path) -> DatasetEntry:
    """A rename, so that a reader sees it whole or not at all; one at a time, so that of two equal names one stays."""
    target = folder / "uploads" / secrets.token_hex(8)
    with _replacing:
        before = _found(folder)
        draft.rename(target)
        _sync(target.parent)
        entry = _meta(target)
        for path, other in before:
            if other.name == entry.name:
                _discard(path)
    return entry


def _keep(file: Path, kept: Path) -> None:
    """A second name for the file, or a copy where that cannot be."""
    try:
        os.link(file, kept)
    except OSError:
        shutil.copyfile(file, kept)
    with kept.open("rb") as opened:
        os.fsync(opened.fileno())


def _path(name: str, folder: Path) -> Path | None:
    """The folder of an upload. Raises DataError where its description cannot be read."""
    found = {entry.name: (path, entry) for path, entry in _found(folder)}
    if name not in found:
        return None
    path, entry = found[name]
    _require_whole(entry)
    return path


def _source(path: Path) -> Path | None:
    return next(path.glob(f"{_SOURCE}.*"), None)


def _discard(path: Path) -> None:
    """Renamed first, because a folder is not removed at once."""
    gone = path.with_name(f"{_DRAFT}{path.name}")
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _sweep(root: Path) -> None:
    for path in root.glob(f"{_DRAFT}*"):
        try:
            stale = time.time() - path.stat().st_mtime > _STALE_S
        except FileNotFoundError:
            continue
        if stale:
            shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _found(folder: Path) -> list[tuple[Path, DatasetEntry]]:
    """Every upload, oldest first: of two of one name, which a crash may leave, the later one counts, and one that can
    be read before one that cannot."""
    root = folder / "uploads"
    found = []
    for path in root.iterdir() if root.is_dir() else ():
        if not path.name.startswith(_DRAFT):
            try:
                entry = _entry(path)
                found.append((entry.missing is None, path.stat().st_mtime_ns, path, entry))
            except (FileNotFoundError, NotADirectoryError):
                continue  # deleted meanwhile, or a file that a file manager has left
    return [(path, entry) for _, _, path, entry in sorted(found, key=lambda item: item[:2])]


def _entry(path: Path) -> DatasetEntry:
    """What an upload says of itself, or that it cannot be made out. Raises FileNotFoundError where there is none."""
    try:
        entry = _meta(path)
    except NotADirectoryError:
        raise
    except FileNotFoundError:
        if not (path / TENSORS).exists():
            raise
    except (OSError, ValueError):
        pass
    else:
        if NAME.fullmatch(entry.name):
            return entry
    return damaged_entry(path, _source(path))


def _meta(path: Path) -> DatasetEntry:
    return DatasetEntry.model_validate_json((path / META).read_bytes())
