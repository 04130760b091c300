"""A folder of tables as one file: what Hugging Face's ``save_to_disk`` leaves, or Parquet and Arrow files.

Only the command line comes here, with a folder that whoever runs it has named. The file that is made is then read as
any upload is, in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from layerloom.data.parse import refuse
from layerloom.data.parse_parquet import reading_of

SPLITS, STATE = "dataset_dict.json", "state.json"


def gather(folder: Path, split: str, target: Path) -> list[str]:
    """Write the rows of a folder's files into ``target`` as an Arrow stream; gives the splits that are left out.

    Raises:
        DataError: there is no data set, no such split, or its files differ in their columns.
    """
    splits = _splits(folder)
    if splits:
        chosen = split or ("train" if "train" in splits else splits[0])
        if chosen not in splits:
            raise refuse(f"The folder has no split {chosen!r}; it has {', '.join(splits)}.")
        folder = folder / chosen
        splits.remove(chosen)
    elif split:
        raise refuse(f"The folder is not divided, so that there is no split {split!r}.")
    with reading_of("data set"):
        _write(_files(folder), target)
    return splits


def _splits(folder: Path) -> list[str]:
    if not (folder / SPLITS).is_file():
        return []
    with reading_of("data set"):
        names = json.loads((folder / SPLITS).read_text(encoding="utf-8"))["splits"]
        return [name for name in names if isinstance(name, str) and Path(name).name == name]


def _files(folder: Path) -> list[Path]:
    """The folder's tables in the order of their rows."""
    if (folder / STATE).is_file():
        listed = json.loads((folder / STATE).read_text(encoding="utf-8"))["_data_files"]
        # Names alone: nothing leads out of the folder.
        return [folder / Path(item["filename"]).name for item in listed]
    found = sorted(folder.glob("*.parquet")) or sorted(folder.glob("*.arrow"))
    if not found:
        raise refuse(
            "The folder holds no data set. Give what save_to_disk wrote, or a folder of .parquet or .arrow files."
        )
    return found


def _write(files: list[Path], target: Path) -> None:
    schema: pa.Schema | None = None
    with target.open("wb") as out:
        writer = None
        for file in files:
            for batch in _batches(file):
                if schema is None or writer is None:
                    schema = batch.schema
                    writer = pa.ipc.new_stream(out, schema)
                if not batch.schema.equals(schema):
                    raise refuse(f"{file.name} has other columns than {files[0].name}.")
                writer.write_batch(batch)
        if writer is None:
            raise refuse("The folder's files have no rows.")
        writer.close()


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as parquet:
            yield from parquet.iter_batches()
        return
    with file.open("rb") as raw, pa.ipc.open_stream(raw) as reader:
        for batch in reader:
            # Offsets of a damaged file may point anywhere.
            batch.validate(full=True)
            yield batch
