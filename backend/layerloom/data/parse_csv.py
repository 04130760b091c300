"""A table of comma, semicolon or tab separated values: feature columns and one target column."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from layerloom.data.parse import MAX_CLASSES, TARGET_NAMES, Parsed, at_least_two_classes, refuse

MAX_COLUMNS = 10_000
MAX_CATEGORIES = 64
"""A text column with more values than this is no feature."""
BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def parse_csv(file: Path) -> Parsed:
    """Read a table with or without a header line.

    The target is the column named ``target``, ``label``, ``class`` or ``y``, else the last one. Numeric columns are
    features as they stand, text columns of few values become one feature per value. A text target, or one of few whole
    numbers, is a class; any other number is a quantity to predict.

    Raises:
        DataError: with the row or column at fault.
    """
    header, rows = _table(file)
    target = next((i for i, name in enumerate(header) if name.strip().lower() in TARGET_NAMES), len(header) - 1)
    columns = list(zip(*rows, strict=True))
    features = [_feature(header[i], column) for i, column in enumerate(columns) if i != target]
    if not features:
        raise refuse("A table needs at least one feature column beside the target.")
    inputs = torch.cat(features, dim=1)
    targets, classes = _target(header[target], columns[target])
    kind = "classes" if classes else "numbers"
    return Parsed(
        inputs={"x": inputs},
        targets=targets,
        task="classification" if classes else "regression",
        classes=classes,
        summary=f"{len(rows):,} rows, {inputs.shape[1]} features; predicts {kind} in column {header[target]!r}.",
    )


def _table(file: Path) -> tuple[list[str], list[list[str]]]:
    text = _text(file)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = [(row, line) for row, line in _rows(text, delimiter) if any(cell.strip() for cell in line)]
    if not lines:
        raise refuse("The file is empty.")
    width = len(lines[0][1])
    if width > MAX_COLUMNS:
        raise refuse(f"The table has {width:,} columns; at most {MAX_COLUMNS:,} are read.", columns=width)
    for row, line in lines:
        if len(line) != width:
            raise refuse(f"Row {row} has {len(line)} cells where the first has {width}.", row=row)
    cells = [line for _, line in lines]
    if all(_number(cell) is not None for cell in cells[0]):
        return [f"column {i + 1}" for i in range(width)], cells
    header = [cell.strip() for cell in cells[0]]
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        raise refuse(f"The header names {', '.join(sorted(map(repr, repeated)))} more than once.")
    if len(cells) == 1:
        raise refuse("The file has a header and no rows.")
    return header, cells[1:]


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise refuse(f"Row {reader.line_num} cannot be read: {error}.", row=reader.line_num) from error


def _text(file: Path) -> str:
    raw = file.read_bytes()
    encoding = next((name for mark, name in BOMS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        # Every byte is a Latin-1 character, so this cannot fail; spreadsheets of Western Europe write it.
        text = raw.decode("latin-1")
    if "\0" in text:
        raise refuse("The file contains NUL bytes: it is not a text table.")
    return text


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _feature(name: str, column: tuple[str, ...]) -> Tensor:
    numbers = [_number(cell) for cell in column]
    if all(number is None for number in numbers):
        return _one_hot(name, column)
    return torch.tensor(_finite(name, column, numbers), dtype=torch.float32).unsqueeze(1)


def _finite(name: str, column: tuple[str, ...], numbers: list[float | None]) -> list[float]:
    for row, (cell, number) in enumerate(zip(column, numbers, strict=True), start=1):
        if number is None or not math.isfinite(number):
            what = "is empty" if not cell.strip() else "is no finite number"
            raise refuse(f"Column {name!r}, sample {row}, {what}. Fill it in or remove the row.", column=name, row=row)
    return [number for number in numbers if number is not None]


def _one_hot(name: str, column: tuple[str, ...]) -> Tensor:
    values = sorted(set(column))
    if len(values) > MAX_CATEGORIES:
        raise refuse(
            f"Column {name!r} is text with {len(values):,} different values; at most {MAX_CATEGORIES} make a feature. "
            "Remove it, or turn it into numbers.",
            column=name,
        )
    place = {value: index for index, value in enumerate(values)}
    return torch.nn.functional.one_hot(torch.tensor([place[cell] for cell in column]), len(values)).float()


def _target(name: str, column: tuple[str, ...]) -> tuple[Tensor, list[str]]:
    """Class numbers and the classes' names, or quantities and no names."""
    numbers = [_number(cell) for cell in column]
    whole = all(number is not None and math.isfinite(number) and number == int(number) for number in numbers)
    values = {cell.strip() for cell in column}
    few = len(values) <= min(MAX_CLASSES, max(20, len(column) // 50))
    if any(number is not None for number in numbers) and not (whole and few):
        return torch.tensor(_finite(name, column, numbers), dtype=torch.float32).unsqueeze(1), []
    if "" in values:
        raise refuse(f"Column {name!r} has samples without a label.", column=name)
    if len(values) > MAX_CLASSES:
        raise refuse(f"Column {name!r} has {len(values):,} classes; at most {MAX_CLASSES:,} are read.", column=name)
    classes = sorted(values, key=lambda cell: (_number(cell) or 0.0, cell))
    at_least_two_classes(classes)
    place = {value: index for index, value in enumerate(classes)}
    return torch.tensor([place[cell.strip()] for cell in column]), classes
