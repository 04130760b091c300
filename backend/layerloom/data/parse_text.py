"""Plain text, to learn what comes next: windows of tokens, and the same windows one token later."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from layerloom.data.lexicon import Lexicon
from layerloom.data.parse import BLOCK_BYTES, Block, Parsed, Values, refuse, require_room
from layerloom.data.parse_csv import encoding_of
from layerloom.data.profile import SHOWN
from layerloom.schema.datasets import ColumnFacts, DatasetDetails, InputFacts, Reading, TextReading

GUESS = TextReading(unit="character", lowercase=False, length=64)
TEXT = "text"
"""What stands for the column of a file that has none."""
_PIECE = 2**18
"""Characters that are read at a time, and at most as many more up to the end of a line."""


def parse_text(file: Path, scratch: Path, reading: Reading | None = None) -> Parsed:
    """Read a text. Windows do not overlap, so that nothing of the validation part is seen in training.

    Raises:
        DataError: it is no text, or shorter than two windows.
    """
    chosen = (reading and reading.text) or GUESS
    lexicon = Lexicon(chosen)
    encoding = encoding_of(file)
    path = scratch.with_name(f"{scratch.name}-text")
    count = 0
    with file.open(encoding=encoding, newline=None) as text, path.open("wb") as out:
        while piece := text.read(_PIECE):
            # A word may go on, and a line ends it.
            ids = lexicon.encode(piece + text.readline(_PIECE))
            out.write(np.array(ids, np.int32).data)
            count += len(ids)
    windows = (count - 1) // chosen.length
    if windows < 2:
        raise refuse(
            f"The text has {count:,} tokens, which is less than two samples of {chosen.length}. "
            "Shorten the samples, or send more text."
        )
    inputs = _windows(path, windows, chosen.length, 0)
    targets = _windows(path, windows, chosen.length, 1)
    require_room([inputs, targets], file)
    unit = {"character": "characters", "word": "words"}[chosen.unit]
    column = ColumnFacts(
        name=TEXT,
        kind="text",
        role="feature",
        stored=encoding,
        kinds=["text"],
        distinct=lexicon.distinct,
        common=lexicon.common(SHOWN),
    )
    return Parsed(
        inputs={"x": inputs},
        targets=targets,
        task="tokens",
        classes=[],
        summary=f"{count:,} {unit} in windows of {chosen.length}; every position is to predict the next one.",
        category="texts",
        details=DatasetDetails(
            reading=Reading(text=chosen),
            columns=[column],
            rows=windows,
            inputs={"x": InputFacts(shape=[chosen.length], dtype="int64", ids=lexicon.vocabulary)},
        ),
        lexicon=lexicon.tokens,
        vocabulary=lexicon.vocabulary,
    )


def _windows(path: Path, count: int, length: int, shift: int, dtype: Literal["int64"] = "int64") -> Values:
    return Values(dtype, (count, length), partial(_blocks, path, count * length, shift))


def _blocks(path: Path, count: int, shift: int) -> Iterator[Block]:
    with path.open("rb") as file:
        file.seek(4 * shift)
        while count and (block := np.fromfile(file, np.int32, min(count, BLOCK_BYTES // 8))).size:
            count -= block.size
            yield block.astype(np.int64)
