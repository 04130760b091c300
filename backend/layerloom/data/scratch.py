"""Files of numbers between two passes over an upload: rows are appended, and read again in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from layerloom.data.parse import BLOCK_BYTES, Block, Values


class Rows:
    """Appends rows of one width to a file."""

    def __init__(self, path: Path, dtype: str, width: int) -> None:
        self._path, self._dtype, self._width = path, np.dtype(dtype), width
        self.count = 0

    def __enter__(self) -> Self:
        self._file = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, block: Block) -> None:
        """Rows × width."""
        self._file.write(np.ascontiguousarray(block, self._dtype).data)
        self.count += len(block)

    def values(self, dtype: Literal["float32", "int64"], shape: tuple[int, ...] | None = None) -> Values:
        """All rows as a tensor, once the file is closed; ``shape`` of a sample, one axis when None."""
        sample = (self._width,) if shape is None else shape
        return Values(dtype, (self.count, *sample), partial(self._blocks, np.dtype(dtype)))

    def _blocks(self, dtype: np.dtype[Any]) -> Iterator[Block]:
        with self._path.open("rb") as file:
            while (block := np.fromfile(file, self._dtype, max(1, BLOCK_BYTES // 8))).size:
                yield block.astype(dtype, copy=False)
