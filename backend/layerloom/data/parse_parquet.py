"""Tables in columns: Parquet, and Arrow's own files and streams.

Arrow's reader is told to hold a batch at a time and to use no threads. What it does with a hostile file, it does in the
importer's process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from layerloom.data.cells import BATCH_CELLS, Cells
from layerloom.data.dataset import DataError
from layerloom.data.parse import MAX_BYTES, Parsed, refuse, too_large
from layerloom.data.table import check_names, parse_table
from layerloom.schema.datasets import Reading
from layerloom.schema.problems import ProblemCode

MAX_CELLS = MAX_BYTES // 4
_THRIFT_BYTES = 16 * 2**20
"""Of texts and lists in a Parquet file's description of itself."""
_DAY_S = 86_400
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def parse_parquet(file: Path, scratch: Path, reading: Reading | None = None) -> Parsed:
    """Read a Parquet file. See ``ArrowSource`` for what its types become.

    Raises:
        DataError: with the column at fault.
    """
    with file.open("rb") as raw:
        start = raw.read(4)
    if start != b"PAR1":
        raise _other(file, "Parquet")
    return parse_table(ParquetSource(file), file, scratch, reading)


def parse_arrow(file: Path, scratch: Path, reading: Reading | None = None) -> Parsed:
    """Read an Arrow file or stream, as Hugging Face's ``save_to_disk`` leaves them.

    Raises:
        DataError: with the column at fault.
    """
    return parse_table(StreamSource(file), file, scratch, reading)


class ArrowSource:
    """Whole numbers, floats, decimals and booleans are numbers; texts and dictionaries of them are texts; dates and
    times are days since 1970, times of day and durations seconds. Lists, structures, maps and bytes are not read."""

    def __init__(self, schema: pa.Schema) -> None:
        self.names = list(schema.names)
        check_names(self.names, "The file")
        self.stored = [str(field.type)[:100] for field in schema]
        self.nested = frozenset(place for place, field in enumerate(schema) if not _is_read(field.type))
        self.days = frozenset(
            place for place, field in enumerate(schema) if types.is_timestamp(field.type) or types.is_date(field.type)
        )
        self._labels = _class_labels(schema)
        if len(self.nested) == len(self.names):
            raise refuse("The file has no column of numbers or texts: lists and structures are not read.")

    def _require_room(self, count: int) -> None:
        if count * len(self.names) > MAX_CELLS:
            raise too_large(
                f"The table has {count:,} rows of {len(self.names):,} columns; at most {MAX_CELLS:,} cells are read.",
                allowed=MAX_CELLS,
            )

    def _cells(self, batch: pa.RecordBatch) -> Iterator[list[Cells]]:
        """A batch in pieces of no more cells than others give."""
        most = max(1, BATCH_CELLS // len(self.names))
        at = {name: place for place, name in enumerate(batch.schema.names)}
        for start in range(0, batch.num_rows, most):
            piece = batch.slice(start, most)
            yield [
                np.zeros(0) if place in self.nested else self._column(name, piece.column(at[name]))
                for place, name in enumerate(self.names)
            ]

    def _column(self, name: str, column: pa.Array) -> Cells:
        cells = _plain(column)
        labels = self._labels.get(name)
        if labels is None or not isinstance(cells, np.ndarray):
            return cells
        return [labels[int(value)] if 0 <= value < len(labels) else "" for value in cells.tolist()]


class ParquetSource(ArrowSource):
    """The table in a Parquet file."""

    def __init__(self, file: Path) -> None:
        """Raise DataError: it is damaged, or too much."""
        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        self._file = file
        with self._open() as parquet, reading_of("Parquet"):
            super().__init__(parquet.schema_arrow)
            self._require_room(parquet.metadata.num_rows)

    def batches(self) -> Iterator[list[Cells]]:
        """Raise DataError: a page is damaged."""
        wanted = [name for place, name in enumerate(self.names) if place not in self.nested]
        most = max(1, BATCH_CELLS // len(self.names))
        with self._open() as parquet:
            batches = parquet.iter_batches(batch_size=most, columns=wanted, use_threads=False)
            while True:
                with reading_of("Parquet"):
                    batch = next(batches, None)
                    pieces = list(self._cells(batch)) if batch is not None else []
                if batch is None:
                    return
                yield from pieces

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        with ExitStack() as stack:
            with reading_of("Parquet"):
                raw = stack.enter_context(self._file.open("rb"))
                parquet = pq.ParquetFile(
                    raw,
                    buffer_size=2**16,
                    pre_buffer=False,
                    thrift_string_size_limit=_THRIFT_BYTES,
                    thrift_container_size_limit=_THRIFT_BYTES // 16,
                )
                stack.callback(parquet.close)
            yield parquet


class StreamSource(ArrowSource):
    """The table in an Arrow file or stream."""

    def __init__(self, file: Path) -> None:
        """Raise DataError: it is none, or damaged."""
        pa.set_cpu_count(1)
        self._file = file
        with self._open() as batches, reading_of("Arrow"):
            super().__init__(batches.schema)

    def batches(self) -> Iterator[list[Cells]]:
        """Raise DataError: a batch is damaged."""
        count = 0
        with self._open() as batches:
            while True:
                with reading_of("Arrow"):
                    batch = next(batches, None)
                    if batch is not None:
                        # Offsets of a hostile file may point anywhere.
                        batch.validate(full=True)
                if batch is None:
                    return
                count += batch.num_rows
                self._require_room(count)
                with reading_of("Arrow"):
                    pieces = list(self._cells(batch))
                yield from pieces

    @contextmanager
    def _open(self) -> Iterator[Any]:
        with ExitStack() as stack:
            with reading_of("Arrow"):
                raw = stack.enter_context(self._file.open("rb"))
                start = raw.read(6)
                raw.seek(0)
                if start == b"ARROW1":
                    reader = stack.enter_context(pa.ipc.open_file(raw))
                    batches = _Batches(reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches)))
                elif start[:4] == b"\xff\xff\xff\xff":
                    reader = stack.enter_context(pa.ipc.open_stream(raw))
                    batches = _Batches(reader.schema, iter(reader))
                else:
                    raise _other(self._file, "Arrow")
            yield batches


class _Batches:
    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.schema, self._batches = schema, batches

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)


@contextmanager
def reading_of(what: str) -> Iterator[None]:
    """Every way in which Arrow is known to fail on a file, as one refusal."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError, TypeError) as error:
        told = (str(error).splitlines() or [""])[0][:200]
        raise refuse(f"The file is no {what} that can be read: {told or type(error).__name__}") from error


def _other(file: Path, what: str) -> DataError:
    if file.stat().st_size == 0:
        return refuse("The file is empty.")
    return DataError(ProblemCode.UPLOAD_TYPE, f"The file is no {what} file, whatever its name says.")


def _is_read(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        return _is_text(kind.value_type) or _is_number(kind.value_type)
    return _is_number(kind) or _is_text(kind) or (types.is_temporal(kind) and not types.is_interval(kind))


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (types.is_string, types.is_large_string, types.is_string_view))


def _is_number(kind: pa.DataType) -> bool:
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    return any(test(kind) for test in tests)


def _plain(column: pa.Array) -> Cells:
    kind = column.type
    if types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if _is_text(kind):
        texts: list[str] = column.cast(pa.large_string()).fill_null("").to_pylist()
        return texts
    scale = 1.0
    if types.is_temporal(kind):
        scale = _scale(kind)
        column = column.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    elif types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif types.is_float16(kind):
        column = column.cast(pa.float32())
    values = column.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float64) / scale


def _scale(kind: pa.DataType) -> float:
    """Units of a time in a day, of a time of day or duration in a second."""
    if types.is_date32(kind):
        return 1.0
    if types.is_date64(kind):
        return _DAY_S * 1e3
    units = _UNITS[kind.unit]
    return float(units * _DAY_S if types.is_timestamp(kind) else units)


def _class_labels(schema: pa.Schema) -> dict[str, list[str]]:
    """Names of the classes of columns that hold their numbers, where Hugging Face's ``datasets`` left them.

    https://huggingface.co/docs/datasets/about_dataset_features
    """
    raw = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(raw)["info"]["features"] if raw else {}
        found = {
            name: feature["names"]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {
        name: names
        for name, names in found.items()
        if isinstance(names, list) and all(isinstance(n, str) for n in names)
    }
