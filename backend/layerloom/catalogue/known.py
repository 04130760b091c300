"""What the catalogue keeps of one name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layerloom.schema.catalogue import Entry


@dataclass(frozen=True, slots=True)
class Known:
    """An entry and the object that it describes."""

    entry: Entry
    object: Any


Section = dict[str, Known]
"""Entries of one kind, by their full name."""
