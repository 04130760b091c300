"""The catalogue of an earlier start, where nothing that it was made from has changed since.

Introspecting torchmetrics means importing it, with SciPy and torch's compiler behind it: seconds of processor time that
a person who opens the page would wait for.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from layerloom.catalogue.content import catalogue
from layerloom.files import write_json
from layerloom.schema.catalogue import Catalogue

MADE_FROM = ("torch", "torchmetrics", "torchvision", "pydantic")


_one_at_a_time = threading.Lock()


def remembered(folder: Path) -> Catalogue:
    """The whole catalogue, without data sets: read from ``folder``, or introspected and written there. Thread-safe.

    A file that cannot be read or written is no error: introspection is always right.
    """
    # A page is often opened while the server still introspects: it waits for that, in place of doing it again.
    with _one_at_a_time:
        return _read_or_made(folder)


@cache
def _read_or_made(folder: Path) -> Catalogue:
    file = folder / f"catalogue-{_fingerprint()}.json"
    try:
        return Catalogue.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        content = catalogue()
        _write(file, content)
        return content


def _fingerprint() -> str:
    """Of the packages that are introspected and of the code that does it."""
    digest = hashlib.sha256("".join(f"{name} {version(name)};" for name in MADE_FROM).encode())
    package = Path(__file__).parent
    for source in sorted([*package.rglob("*.py"), *package.parent.joinpath("schema").glob("*.py")]):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:24]


def _write(file: Path, content: Catalogue) -> None:
    """Whole or not at all; files of other fingerprints are of no use to anyone any more."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, content, synced=False)
        for old in file.parent.glob("catalogue-*.json"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError:
        return
