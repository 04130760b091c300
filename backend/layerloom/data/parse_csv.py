"""A table of comma, semicolon or tab separated values: feature columns and one target column.

The lines are read once, in batches, into a file of numbers that has one row per sample; when the last line is known,
the tensors are made of that. Neither the table nor a tensor is ever in memory as a whole.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

import numpy as np

from layerloom.data.columns import MAX_NAME, Categories, Numbers, Table, Target, number
from layerloom.data.parse import (
    BLOCK_BYTES,
    MAX_BYTES,
    SAME_LABEL,
    TARGET_NAMES,
    Block,
    Parsed,
    Values,
    refuse,
    require_room,
    too_large,
)

MAX_COLUMNS = 10_000
MAX_LINE = 4 * 2**20
"""Characters; ten thousand columns of long numbers take a tenth of it."""
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}
_BATCH_CELLS = 65_536
_Row = tuple[int, list[str]]


def parse_csv(file: Path, scratch: Path) -> Parsed:
    """Read a table with or without a header line.

    The target is the column named ``target``, ``label``, ``class`` or ``y``, else the last one. Numeric columns are
    features as they stand, text columns of few values become one feature per value. A text target, or one of few whole
    numbers, is a class; any other number is a quantity to predict.

    Raises:
        DataError: with the row or column at fault.
    """
    encoding = _encoding(file)
    with file.open(encoding=encoding, newline="") as stream:
        table = _read(_rows(stream, _delimiter(file, encoding)), scratch)
    classes = table.target.finish(table.samples)
    width = sum(column.width for column in table.features)
    inputs = Values("float32", (table.samples, width), partial(_inputs, table, scratch))
    if classes:
        targets = Values("int64", (table.samples,), partial(_classes, table, classes, scratch))
    else:
        targets = Values("float32", (table.samples, 1), partial(_quantities, table, scratch))
    require_room([inputs, targets], file)
    kind = "classes" if classes else "numbers"
    summary = f"{table.samples:,} rows, {width} features; predicts {kind} in column {table.target.name!r}."
    return Parsed(
        inputs={"x": inputs},
        targets=targets,
        task="classification" if classes else "regression",
        classes=classes,
        summary=summary + SAME_LABEL * (len(classes) == 1),
    )


def _encoding(file: Path) -> str:
    with file.open("rb") as raw:
        start = raw.read(3)
    if not start:
        raise refuse("The file is empty.")
    marked = next((name for mark, name in BOMS.items() if start.startswith(mark)), None)
    # Spreadsheets of Western Europe write Windows-1252. Every byte is a Latin-1 character, so the last cannot fail.
    for encoding in (marked,) if marked else ("utf-8", "cp1252", "latin-1"):
        if _decodes(file, encoding):
            return encoding
    raise refuse(f"The file begins as {marked} and goes on otherwise. Save it as UTF-8.")


def _decodes(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with file.open("rb") as raw:
        try:
            while block := raw.read(BLOCK_BYTES):
                if "\0" in decoder.decode(block):
                    raise refuse("The file contains NUL bytes: it is not a text table. Save it as UTF-8.")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _lines(stream: TextIO) -> Iterator[str]:
    """Bounded, because a file may be one line."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise too_large(f"The table has a line of more than {MAX_LINE:,} characters.", allowed=MAX_LINE)
        yield line


def _delimiter(file: Path, encoding: str) -> str:
    with file.open(encoding=encoding, newline="") as stream:
        first = next((line for line in _lines(stream) if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(",;\t", key=unquoted.count)


def _rows(stream: TextIO, delimiter: str) -> Iterator[_Row]:
    """Cells of every line that is not blank, with the line's number."""
    # csv finds the ends of lines; str.splitlines would also break at characters that cells may hold.
    reader = csv.reader(_lines(stream), delimiter=delimiter)
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield reader.line_num, cells
    except csv.Error as error:
        raise refuse(f"Row {reader.line_num} cannot be read: {error}.", row=reader.line_num) from error


def _read(rows: Iterator[_Row], scratch: Path) -> Table:
    first = next(rows, None)
    if first is None:
        raise refuse("The file is empty.")
    header, samples = _header(first, rows)
    names = [name.lower() for name in header]
    at = next((i for i, name in enumerate(names) if name in TARGET_NAMES), len(header) - 1)
    if len(header) < 2:
        raise refuse("A table needs at least one feature column beside the target.")
    second = next(samples, None)
    if second is None:
        raise refuse("The file has a header and no rows.")
    pairs = zip(header, second[1], strict=False)
    columns = [(Categories if number(cell) is None else Numbers)(name) for name, cell in pairs]
    target = Target(header[at])
    count = 0
    with scratch.open("wb") as out:
        for batch in _batches(chain([second], samples), len(header)):
            cells = list(zip(*batch, strict=True))
            numbers = [column.read(cells[i], count + 1) for i, column in enumerate(columns) if i != at]
            block = np.stack([*numbers, *target.read(cells[at], count + 1)], axis=1).astype(np.float32)
            count += len(batch)
            out.write(block.data)
            if out.tell() > MAX_BYTES:
                raise too_large(f"The table holds more than {MAX_BYTES // 4:,} numbers.", allowed=MAX_BYTES)
    return Table([column for i, column in enumerate(columns) if i != at], target, count)


def _header(first: _Row, rows: Iterator[_Row]) -> tuple[list[str], Iterator[_Row]]:
    """The columns' names, and the rows that are samples."""
    line, cells = first
    width = len(cells)
    if width > MAX_COLUMNS:
        raise too_large(f"The table has {width:,} columns; at most {MAX_COLUMNS:,} are read.", columns=width)
    if all(number(cell) is not None for cell in cells):
        return [f"column {i + 1}" for i in range(width)], chain([first], rows)
    header = [cell.strip() for cell in cells]
    if any(len(name) > MAX_NAME for name in header):
        raise refuse(f"Row {line} names a column with more than {MAX_NAME} characters.", row=line)
    repeated = sorted(repr(name) for name, count in Counter(header).items() if count > 1)
    if repeated:
        raise refuse(f"The header names {', '.join(repeated[:5])} more than once.")
    return header, rows


def _batches(rows: Iterator[_Row], width: int) -> Iterator[list[list[str]]]:
    batch: list[list[str]] = []
    most = max(1, _BATCH_CELLS // width)
    for line, cells in rows:
        if len(cells) != width:
            raise refuse(f"Row {line} has {len(cells)} cells where the first has {width}.", row=line)
        batch.append(cells)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


def _scratch_blocks(table: Table, scratch: Path, width: int) -> Iterator[Block]:
    """Rows as they were read: features, the target's number, the number of its label. ``width`` is made of a row."""
    row = len(table.features) + 2
    most = max(1, BLOCK_BYTES // (4 * max(row, width)))
    with scratch.open("rb") as raw:
        while len(block := np.fromfile(raw, np.float32, most * row)):
            yield block.reshape(-1, row)


def _inputs(table: Table, scratch: Path) -> Iterator[Block]:
    width = sum(column.width for column in table.features)
    for block in _scratch_blocks(table, scratch, width):
        out = np.zeros((len(block), width), np.float32)
        begin = 0
        for i, column in enumerate(table.features):
            column.expand(block[:, i], out[:, begin : begin + column.width])
            begin += column.width
        yield out


def _classes(table: Table, classes: list[str], scratch: Path) -> Iterator[Block]:
    for block in _scratch_blocks(table, scratch, 1):
        yield table.target.class_numbers(classes, block[:, -1])


def _quantities(table: Table, scratch: Path) -> Iterator[Block]:
    for block in _scratch_blocks(table, scratch, 1):
        yield block[:, -2:-1]
