"""Tables in columns: read as they are meant, or refused; nothing of a damaged file gets out of the importer."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import random
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layerloom.data import DataError
from layerloom.schema.datasets import TextReading
from layerloom.schema.problems import ProblemCode
from unit.data.support import examine, read, reading, refusal

DAY = datetime.datetime(2020, 1, 2, 12)
TABLE = pa.table(
    {
        "size": pa.array([1.5, None, 3.5] * 10),
        "whole": pa.array(list(range(30)), pa.int32()),
        "flag": pa.array([True, False, True] * 10),
        "price": pa.array([decimal.Decimal("1.25")] * 30),
        "when": pa.array([DAY] * 30, pa.timestamp("us")),
        "day": pa.array([DAY.date()] * 30),
        "took": pa.array([datetime.timedelta(seconds=90)] * 30),
        "colour": pa.array(["red", "blue", None] * 10).dictionary_encode(),
        "tags": pa.array([["a"], [], None] * 10),
        "nested": pa.array([{"a": 1}] * 30),
        "label": pa.array(["yes", "no", "yes"] * 10),
    }
)


def parquet(table: pa.Table, **how: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **how)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def arrow(table: pa.Table, *, stream: bool) -> bytes:
    buffer = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(buffer, table.schema) as out:
        out.write_table(table, 7)
    return buffer.getvalue()


FILE = parquet(TABLE, row_group_size=11)


@pytest.mark.parametrize("suffix", [".parquet", "stream", "file"])
def test_every_plain_type(suffix: str) -> None:
    content = FILE if suffix == ".parquet" else arrow(TABLE, stream=suffix == "stream")
    how = reading("mean", colour="category feature")
    entry, tensors, details = examine(content, suffix if suffix[0] == "." else ".arrow", how)
    assert (entry.samples, entry.shape, entry.classes) == (30, [9], ["no", "yes"])
    rows = tensors["inputs.x"]
    first = [1.5, 0, 1, 1.25, 18263.5, 18263, 90, 0, 1]
    assert rows[0].tolist() == pytest.approx(first)
    assert rows[1, 0].isnan()
    assert rows[2, 7:].isnan().all(), "a missing value of a dictionary"
    facts = {one.name: one for one in details.columns}
    assert (facts["when"].note, facts["when"].stored) == ("days", "timestamp[us]")
    assert (facts["tags"].role, facts["tags"].note, facts["tags"].kinds) == ("ignored", "nested", [])
    assert (facts["size"].missing, facts["size"].minimum, facts["colour"].missing) == (10, 1.5, 10)
    assert sum(facts["size"].histogram) == 20


def test_rows_that_lack_something_are_left_out() -> None:
    entry, _, details = examine(FILE, ".parquet")
    assert (entry.samples, details.rows, details.dropped) == (10, 30, 20)
    assert {(one.column, one.count) for one in details.problems} == {("size", 10), ("colour", 10)}


def test_what_is_nested_cannot_be_chosen() -> None:
    assert "Save its parts as columns" in refusal(FILE, ".parquet", reading(tags="text feature")).message
    only = parquet(TABLE.select(["tags", "nested"]))
    assert "no column of numbers or texts" in refusal(only, ".parquet").message


def test_class_names_that_hugging_face_left() -> None:
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "x": {"dtype": "float32", "_type": "Value"}}
    table = pa.table({"x": [0.5, 1.5, 2.5], "label": [1, 0, None]})
    told = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    entry, tensors = read(parquet(told), ".parquet")
    assert (entry.classes, tensors["targets"].tolist()) == (["cat", "dog"], [1, 0])
    for bad in (b"{", b"[]", b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}'):
        entry, _ = read(parquet(table.replace_schema_metadata({"huggingface": bad})), ".parquet")
        assert entry.classes == ["0", "1"]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_other_formats_by_that_name(suffix: str) -> None:
    assert refusal(b"a,b\n1,2\n", suffix).code == ProblemCode.UPLOAD_TYPE
    assert "empty" in refusal(b"", suffix).message
    assert refusal(b"PAR1", ".parquet").code == ProblemCode.UPLOAD_INVALID


def test_damaged_files_are_refused_and_nothing_else() -> None:
    chance = random.Random(0)
    names = arrow(pa.table({"größe": [1.0, 2.0], "y": [0, 1]}), stream=True)
    assert "no Arrow" in refusal(names.replace("größe".encode(), b"gr\xf6\xf6\xdf\xdfe"), ".arrow").message
    contents = {".parquet": FILE, ".arrow": arrow(TABLE, stream=True)}
    for suffix, content in contents.items():
        for _ in range(60):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 8)):
                damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
            cut = damaged[: chance.randrange(len(damaged))] if chance.random() < 0.3 else damaged
            # What a bit less or another number makes may still be a table.
            with suppress(DataError):
                read(bytes(cut), suffix)


def test_a_table_of_few_bytes_and_endless_rows_is_refused() -> None:
    same = pa.table({"a": ["x"] * 40_000, "y": [0] * 40_000})
    content = parquet(same)
    assert len(content) < 100_000
    how = reading(text=TextReading(length=8_192), a="text feature", y="category target")
    problem = refusal(content, ".parquet", how)
    assert problem.code == ProblemCode.PAYLOAD_TOO_LARGE
