"""A table of comma, semicolon or tab separated values, whose lines are read in batches."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from layerloom.data.cells import BATCH_CELLS, Cells, number
from layerloom.data.parse import BLOCK_BYTES, Parsed, refuse, too_large
from layerloom.data.table import check_names, parse_table
from layerloom.schema.datasets import Reading

MAX_LINE = 4 * 2**20
"""Characters; ten thousand columns of long numbers take a tenth of it."""
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}
_Row = tuple[int, list[str]]


def parse_csv(file: Path, scratch: Path, reading: Reading | None = None) -> Parsed:
    """Read a table with or without a header line.

    Unless its ``reading`` says otherwise, the target is the column named ``target``, ``label``, ``class`` or ``y``,
    else the last one. Numeric columns are features as they stand, text columns of few values become one feature per
    value. A text target, or one of few whole numbers, is a class; any other number is a quantity to predict.

    Raises:
        DataError: with the row or column at fault.
    """
    return parse_table(CsvSource(file), file, scratch, reading)


class CsvSource:
    """The table in a file of separated values."""

    nested: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()

    def __init__(self, file: Path) -> None:
        """Raise DataError: it is no text, or its header cannot be used."""
        self._file = file
        self._encoding = encoding_of(file)
        self._delimiter = _delimiter(file, self._encoding)
        with self._open() as stream:
            first = next(_rows(stream, self._delimiter), None)
        if first is None:
            raise refuse("The file is empty.")
        line, cells = first
        self._headless = all(number(cell) is not None for cell in cells)
        self.names = [f"column {i + 1}" for i in range(len(cells))] if self._headless else list(map(str.strip, cells))
        self.stored = [""] * len(cells)
        check_names(self.names, f"Row {line}")

    def batches(self) -> Iterator[list[Cells]]:
        """Cells by column.

        Raises:
            DataError: a row has another number of cells, or cannot be read.
        """
        width = len(self.names)
        most = max(1, BATCH_CELLS // width)
        with self._open() as stream:
            rows = _rows(stream, self._delimiter)
            first = next(rows)
            batch: list[list[str]] = []
            for line, cells in chain([first] if self._headless else [], rows):
                if len(cells) != width:
                    raise refuse(f"Row {line} has {len(cells)} cells where the first has {width}.", row=line)
                batch.append(cells)
                if len(batch) == most:
                    yield list(zip(*batch, strict=True))
                    batch = []
            if batch:
                yield list(zip(*batch, strict=True))

    def _open(self) -> TextIO:
        return self._file.open(encoding=self._encoding, newline="")


def encoding_of(file: Path) -> str:
    """The encoding of a text file.

    Raises:
        DataError: it is empty, or no text.
    """
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
