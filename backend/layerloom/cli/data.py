"""``layerloom data``: data sets of one's own, without a server or beside one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from layerloom.cli.terminal import Home, fail

if TYPE_CHECKING:
    from layerloom.schema.catalogue import DatasetEntry
    from layerloom.schema.datasets import ColumnFacts, DatasetDetails, Reading

data = typer.Typer(no_args_is_help=True, help="Data sets of your own: add them, look at them, say what they hold.")
Name = Annotated[str, typer.Option(help="What it is called; the file's name when left out.")]
Replace = Annotated[bool, typer.Option("--replace", help="In place of a data set of that name.")]
Split = Annotated[str, typer.Option(help="The part to take; train when left out.")]


@data.command("list")
def list_sets(home: Home = None) -> None:
    """List the data sets of a home folder."""
    from layerloom.data import uploads

    print(f"{'name':<32}{'samples':>10}  {'task':<16}{'sample':<16}")
    for entry in uploads.entries(_folder(home)):
        if entry.missing is not None:
            print(f"{entry.name:<32}{entry.missing.message}")
            continue
        print(f"{entry.name:<32}{entry.samples:>10,}  {entry.task:<16}{'×'.join(map(str, entry.shape)):<16}")


@data.command()
def add(
    path: Annotated[
        Path, typer.Argument(exists=True, help="A file of any format that is uploaded, or a folder of save_to_disk.")
    ],
    name: Name = "",
    split: Split = "",
    replace: Replace = False,
    home: Home = None,
) -> None:
    """Add a file, or a folder that Hugging Face's save_to_disk wrote or that holds Parquet or Arrow files."""
    if split and not path.is_dir():
        fail("A file is not divided; leave --split out.")

    def file(work: Path) -> Path:
        if not path.is_dir():
            return path
        from layerloom.data.folders import gather

        gathered = work / "gathered.arrow"
        if left := gather(path, split, gathered):
            print(f"Other splits are left out: {', '.join(left)}. Take one by --split.")
        return gathered

    _accept(home, name or _named(path.resolve().stem), file, replace, told=f"{path}: ")


@data.command()
def hub(
    dataset: Annotated[str, typer.Argument(help="Its name on the Hugging Face Hub: stanfordnlp/imdb.")],
    config: Annotated[str, typer.Option(help="One of the data set's configurations.")] = "",
    split: Split = "train",
    name: Name = "",
    replace: Replace = False,
    home: Home = None,
) -> None:
    """Download a data set of the Hugging Face Hub and add it. Needs `pip install 'layerloom[hub]'` and a network."""
    from layerloom import app
    from layerloom.data.hub import download

    if not app.downloads_from_environment():
        fail("Downloads are switched off: LAYERLOOM_NO_DOWNLOADS is set. Unset it, or bring the files and add them.")

    def file(work: Path) -> Path:
        downloaded = work / "downloaded.parquet"
        download(dataset, config, split, downloaded)
        return downloaded

    _accept(home, name or _named(dataset.rpartition("/")[2]), file, replace)


@data.command()
def show(name: str, home: Home = None) -> None:
    """Show an upload's columns, what they are read as, and rows with problems."""
    _print(_details(name, home))


@data.command("set")
def set_columns(
    name: str,
    columns: Annotated[
        list[str] | None, typer.Argument(help="age=number, city=ignored, price=number,target; as many as you like.")
    ] = None,
    missing: Annotated[str, typer.Option(help="Rows that lack a value: drop, or mean to fill it.")] = "",
    unit: Annotated[str, typer.Option(help="Tokens of text: character or word.")] = "",
    length: Annotated[int | None, typer.Option(help="Tokens of a sample.")] = None,
    most: Annotated[int | None, typer.Option(help="Tokens of the vocabulary, at most.")] = None,
    min_count: Annotated[int | None, typer.Option(help="Occurrences of a token, at least.")] = None,
    home: Home = None,
) -> None:
    """Say what columns are, how missing values are treated, and how text is read; the file is then read anew."""
    from layerloom.data import DataError, uploads

    before = _details(name, home)
    text = {"unit": unit or None, "length": length, "most": most, "min_count": min_count}
    reading = _changed(before.reading, columns or [], missing, {key: value for key, value in text.items() if value})
    try:
        made = uploads.reread(_folder(home), name, reading)
    except DataError as error:
        fail(f"{name} stays as it was. {error}")
    if made is not None:
        print(made.summary)
    _print(_details(name, home))


def _changed(reading: Reading, columns: list[str], missing: str, text: dict[str, object]) -> Reading:
    """Ends here where that is no reading."""
    from pydantic import ValidationError

    from layerloom.schema.datasets import ColumnKind, ColumnRole, Reading

    found = {column.name: column.model_dump() for column in reading.columns}
    for given in columns:
        column, equals, words = given.rpartition("=")
        if not equals or column not in found:
            fail(f"{given!r} is not COLUMN=KIND, COLUMN=ROLE or COLUMN=KIND,ROLE of {', '.join(found) or 'a table'}.")
        for word in words.split(","):
            if word in get_args(ColumnKind):
                found[column]["kind"] = word
            elif word in get_args(ColumnRole):
                found[column]["role"] = word
            else:
                fail(f"{word!r} is neither a kind ({', '.join(get_args(ColumnKind))}) nor a role.")
    before = reading.model_dump()
    values = {**before, "columns": list(found.values()), "missing": missing or reading.missing}
    if text:
        values["text"] = {**(before["text"] or {}), **text}
    try:
        return Reading.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        fail(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}")


def _accept(
    home: Path | None, name: str, file: Callable[[Path], Path], replace: bool, *, told: str = ""
) -> DatasetEntry:
    """Add what ``file`` makes, in a folder that is there for so long. Ends here, with what it was ``told`` of in front,
    where that is no data set."""
    from layerloom.data import DataError, accept, find

    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    if not replace and (there := find(name, folder)) and there.uploaded:
        fail(f"There is a data set {name!r} already. Give another --name, or --replace it.")
    with TemporaryDirectory(prefix="layerloom-") as work:
        try:
            made = file(Path(work))
            entry = accept(folder, name, made.suffix, made)
        except DataError as error:
            fail(f"{told}{error}")
    print(f"{entry.name}: {entry.summary}")
    return entry


def _details(name: str, home: Path | None) -> DatasetDetails:
    from layerloom.data import DataError, uploads

    try:
        found = uploads.details(name, _folder(home))
    except DataError as error:
        fail(str(error))
    if found is None:
        fail(f"There is no data set {name!r} of your own; `layerloom data list` lists them.")
    return found


def _print(details: DatasetDetails) -> None:
    width = max([6, *(len(column.name) for column in details.columns)])
    print(f"{'column':<{width}}  {'kind':<9}{'role':<9}{'missing':>8}{'distinct':>9}  values")
    for column in details.columns:
        distinct = "many" if column.distinct is None else column.distinct
        row = f"{column.name:<{width}}  {column.kind:<9}{column.role:<9}{column.missing:>8}{distinct:>9}"
        print(f"{row}  {_values(column)}".rstrip())
    for problem in details.problems:
        rows = ", ".join(map(str, problem.rows[:8]))
        what = problem.reason.replace("_", " ")
        more = " …" if problem.count > 8 else ""
        print(f"{problem.column}: {what} in {problem.count:,} rows ({rows}{more}), {problem.treated}")


def _values(column: ColumnFacts) -> str:
    if column.common:
        return ", ".join(f"{value} {count}" for value, count in list(column.common.items())[:4])
    if column.mean is None or column.deviation is None:
        return column.note or ""
    return f"{column.minimum:g} … {column.maximum:g}, mean {column.mean:.4g} ± {column.deviation:.4g}"


def _folder(home: Path | None) -> Path:
    from layerloom import app

    return app.Settings(home=(home or app.default_home()).expanduser().resolve()).data


def _named(stem: str) -> str:
    """A file's name as that of a data set."""
    plain = unicodedata.normalize("NFC", stem.lower())
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:63] or "data"
