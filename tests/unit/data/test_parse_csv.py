"""Tables: read as they are meant, or refused with the row at fault."""

from __future__ import annotations

import pytest
import torch

from layerloom.schema.problems import ProblemCode
from unit.data.support import examine, read, refusal


def told(content: str) -> list[tuple[str, str, str, int, list[int]]]:
    """Rows with problems."""
    problems = examine(content, ".csv")[2].problems
    return [(one.column, one.reason, one.treated, one.count, one.rows) for one in problems]


def test_features_and_classes_in_the_order_of_the_columns() -> None:
    text = "size,label,colour\n" + "".join(f"{i / 3},{'no' if i % 2 else 'yes'},{'rgb'[i % 3]}\n" for i in range(30))
    entry, tensors = read(text, ".csv")
    assert (entry.task, entry.shape, entry.classes, entry.samples) == ("classification", [4], ["no", "yes"], 30)
    assert entry.category == "tables"
    # The colours become columns in the order of the alphabet: b, g, r.
    assert tensors["inputs.x"][4].tolist() == pytest.approx([4 / 3, 0, 1, 0])
    assert tensors["targets"][:4].tolist() == [1, 0, 1, 0]


def test_without_a_header_the_last_column_is_the_target() -> None:
    entry, tensors = read("".join(f"{i},{i * 0.37}\n" for i in range(30)), ".csv")
    assert (entry.task, entry.target_shape, entry.classes) == ("regression", [1], [])
    assert torch.equal(tensors["targets"], torch.tensor([[i * 0.37] for i in range(30)]))
    assert tensors["inputs.x"].tolist() == [[float(i)] for i in range(30)]


def test_many_batches_make_one_table() -> None:
    count = 70_000
    text = "a,kind,y\n" + "".join(f"{i},{'qp'[i % 2]},{i % 7}\n" for i in range(count))
    entry, tensors = read(text, ".csv")
    assert (entry.samples, entry.classes) == (count, [str(i) for i in range(7)])
    assert torch.equal(tensors["inputs.x"][:, 0], torch.arange(count).float())
    assert torch.equal(tensors["inputs.x"][:, 1], (torch.arange(count) % 2).float())
    assert torch.equal(tensors["targets"], torch.arange(count) % 7)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
def test_encodings(encoding: str) -> None:
    raw = "größe,label\n1,é\n2,b\n3,é\n4,b\n".encode(encoding)
    entry, _ = read(b"\xff\xfe" + raw if encoding == "utf-16-le" else raw, ".csv")
    assert entry.classes == ["b", "é"]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_only_ends_of_lines_end_a_line(ends: str) -> None:
    marks = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    text = ends.join(["a,label", *(f"{i},w{mark}w" for i, mark in enumerate(marks)), "8,'x", '9,"two\nlines"'])
    entry, _ = read(text, ".csv")
    assert entry.samples == 10
    assert {"w\u2028w", "w\x85w", "two\nlines"} <= set(entry.classes)
    assert read("a,label\n1,wait…\n2,go\n".encode("cp1252"), ".csv")[0].classes == ["go", "wait…"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_found_outside_quotes(delimiter: str) -> None:
    rows = [['"a,;\t;,\t"', "label"], ["1", "x"], ["2", "y"]]
    entry, _ = read("\n" + "\n".join(delimiter.join(row) for row in rows), ".tsv")
    assert entry.shape == [1]


@pytest.mark.parametrize("cell", ["1_000", "１２", "٣", "0x10", "1e", "--1", "=cmd()", "=1+1", "infinit"])
def test_what_only_looks_like_a_number_is_text(cell: str) -> None:
    entry, _ = read(f"a,label\n1,{cell}\n2,ok\n", ".csv")
    assert sorted(entry.classes) == sorted([cell, "ok"])
    assert cell not in read("a,label\n" + "1,x\n2,y\n" * 20 + f"{cell},z\n", ".csv")[0].classes
    assert told("a,label\n" + "1,x\n2,y\n" * 20 + f"{cell},y\n") == [("a", "no_number", "dropped", 1, [41])]


@pytest.mark.parametrize("cell", ["nan", "NA", "", " ", "null", "inf", "-Infinity", "infinity", "1e999", "1e39"])
def test_rows_without_finite_numbers_are_left_out_and_told(cell: str) -> None:
    finite = "too_large" if "inf" in cell.lower() or "1e" in cell else "missing"
    assert told(f"a,label\n1,x\n{cell},y\n2,x\n") == [("a", finite, "dropped", 1, [2])]
    wanting = finite if finite == "too_large" else "no_target"
    assert told(f"a,y\n1,0.5\n2,{cell}\n3,0.7\n") == [("y", wanting, "dropped", 1, [2])]


def test_signs_spaces_and_exponents_make_numbers() -> None:
    _, tensors = read("a,label\n +1.5e1 ,x\n-.5,y\n5.,x\n", ".csv")
    assert tensors["inputs.x"].flatten().tolist() == [15, -0.5, 5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n\r\n,\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b,label\n1,2,x\n1,2\n", "Row 3 has 2 cells"),
        (b"a,b,label\n1,2,x\n1,2,x,4\n", "Row 3 has 4 cells"),
        (b"a,b,label\n1,2\n", "Row 2 has 2 cells"),
        (b"a,a,label\n1,2,x\n1,2,y\n", "'a' more than once"),
        (b"a,label\n,x\n,y\n", "No column is a feature"),
        (b"a,b,label\n1,,x\n,2,y\n", "No row can be used"),
        (b"a\0b,label\n1,x\n", "NUL"),
        ("a,label\n1,x\n".encode("utf-16-le"), "NUL"),
        (b"\xff\xfea,label\n1,x\n2", "goes on otherwise"),
        (b"label\nx\ny\n", "at least one feature"),
        (b"a,label\n" + b"".join(b"%d,t%d\n" % (i, i) for i in range(1_200)), "more than 1,000 classes"),
        (b"a,label\n1," + b"x" * 201 + b"\n2,y\n", "more than 200 characters"),
        (b"a" * 201 + b",label\n1,x\n2,y\n", "more than 200 characters"),
        (b'a,label\n1,"' + b"x" * 140_000 + b'"\n2,y\n', "cannot be read"),
    ],
)
def test_bad_tables(content: bytes, words: str) -> None:
    problem = refusal(content, ".csv")
    assert words in problem.message
    assert problem.code == ProblemCode.UPLOAD_INVALID


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b",".join(b"c%d" % i for i in range(100_000)) + b"\n", "100,000 columns"),
        (b"1," * 10_000 + b"1\n", "10,001 columns"),
        (b"x" * (4 * 2**20 + 1), "line of more than"),
    ],
)
def test_tables_that_are_too_large(content: bytes, words: str) -> None:
    problem = refusal(content, ".csv")
    assert words in problem.message
    assert problem.code == ProblemCode.PAYLOAD_TOO_LARGE


def test_data_of_one_class_are_kept_with_a_warning() -> None:
    entry, _ = read("a,label\n1,x\n2,x\n", ".csv")
    assert entry.classes == ["x"]
    assert "same label" in entry.summary
    assert "same label" not in read("a,label\n1,x\n2,y\n", ".csv")[0].summary
