"""The command line: ``layerloom serve|open|check|export|import|runs``. Torch comes with the commands that need it."""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    import httpx

    from layerloom.schema.document import Document, InputExample
    from layerloom.schema.export import ExportReport
    from layerloom.schema.problems import Problem
    from layerloom.schema.report import Report

cli = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Draw a PyTorch network, train it, keep its weights."
)
Home = Annotated[Path | None, typer.Option(help="Folder of runs, data and token; LAYERLOOM_HOME, or ~/.layerloom.")]
AllowPython = Annotated[bool, typer.Option("--allow-python", help="Run the Python code that the network carries.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A network as JSON.")]


@cli.command()
def serve(
    home: Home = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="0: any free one. Default: 7878 or next.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_host: Annotated[list[str] | None, typer.Option(help="A name under which the server is reached.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page where there is a display.")] = True,
    database: Annotated[str | None, typer.Option(help="SQLAlchemy URL; LAYERLOOM_DATABASE, or a file.")] = None,
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Run Python code that users bring, in a sandbox.")
    ] = False,
) -> None:
    """Start the server."""
    from layerloom import app

    def ready(address: str, code: str) -> None:
        entrance = f"{address}/?code={code}"
        print(f"LayerLoom is ready: {entrance}", flush=True)
        if browser and _has_display():
            webbrowser.open(entrance)

    try:
        settings = app.Settings(
            home=(home or app.default_home()).expanduser().resolve(),
            host=host,
            port=port,
            allow_hosts=tuple(allow_host or ()),
            database=database or app.database_from_environment(),
            allow_python=allow_python,
        )
        app.serve(settings, ready)
    except app.CannotStartError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@cli.command("open")
def open_page(home: Home = None) -> None:
    """Open the page of a running server, signed in; without a display, print its address."""
    with _client(home) as client:
        code = client.post("/api/session/code").raise_for_status().json()["code"]
        entrance = f"{client.base_url}/?code={code}"
    if not (_has_display() and webbrowser.open(entrance)):
        print(entrance)


@cli.command()
def check(
    file: File,
    confirm: Annotated[bool, typer.Option(help="Run it once, too, in a process of its own.")] = True,
    allow_python: AllowPython = False,
) -> None:
    """Check a network and run it once: its size, or what is wrong. Exit status 1 when it has errors."""
    from layerloom.graph import check as check_document
    from layerloom.graph.confirming import confirmed

    document = _document(file)
    if allow_python and document.code:
        report, found = _checked_apart(document, confirm)
    else:
        report = check_document(document)
        found = confirmed(document) if report.ok and confirm else []
    _print_problems([*report.problems, *found])
    totals = report.totals
    print(
        f"{totals.parameters:,} parameters, {totals.flops:,} FLOPs and {totals.nodes:,} nodes at batch {totals.batch}."
    )
    if not report.ok or any(problem.severity == "error" for problem in found):
        sys.exit(1)


def _checked_apart(document: Document, confirm: bool) -> tuple[Report, list[Problem]]:
    """The same of a network that carries code, which is run in a sandbox."""
    from layerloom.graph import GraphError
    from layerloom.graph.custom import CHECK, CONFIRM, ask
    from layerloom.schema.report import Report

    try:
        report = ask(CHECK, document)
        return report, ask(CONFIRM, document).problems if report.ok and confirm else []
    except GraphError as error:
        return Report(ok=False), error.problems


@cli.command()
def export(
    file: File,
    format: Annotated[
        str, typer.Option(help="python, pt, safetensors, pt2, onnx, torchscript, int8_pt…; an unknown one lists all.")
    ] = "python",
    weights: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A state_dict, .pt or .safetensors.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; Python goes to standard output without.")] = None,
    allow_python: AllowPython = False,
) -> None:
    """Write a network as Python, weights, a program (torch.export, ONNX) or a quantized one, held against torch."""
    from layerloom.graph import GraphError, to_python
    from layerloom.graph import allow_python as allow
    from layerloom.graph.exporting import FORMATS, load_state, write

    if format not in FORMATS:
        lines = (f"  {name:<18}{form.summary}" for name, form in FORMATS.items())
        _fail("\n".join([f"There is no format {format!r}. There are:", *lines]))
    if out is None and format != "python":
        _fail(f"Say where to write it: --out {file.stem}{FORMATS[format].suffix}")
    if out is not None and not out.parent.is_dir():
        _fail(f"There is no folder {out.parent}.")
    document = _document(file)
    if allow_python:
        allow()
    try:
        state = None if weights is None else load_state(weights)
        if out is None:
            print(to_python(document), end="")
        else:
            _print_report(write(document, state, format, out))
    except GraphError as error:
        _print_problems(error.problems)
        sys.exit(1)
    except OSError as error:
        _fail(f"{out} cannot be written: {error.strerror}.")


def _print_report(report: ExportReport) -> None:
    for found in report.verified:
        where = "" if found.batch is None else f" at batch {found.batch}"
        print(f"Agrees with torch{where}: largest error {found.max_absolute:.1e}.", file=sys.stderr)
    if (saved := report.quantization) is not None:
        print(
            f"Weights: {saved.bytes_before:,} bytes, now {saved.bytes_after:,} ({saved.ratio:.0%}). "
            f"Error: at most {saved.error.max_absolute:.2e} ({saved.error.max_relative:.2%} of the largest output), "
            f"{saved.error.mean_absolute:.2e} ({saved.error.mean_relative:.2%}) on average.",
            file=sys.stderr,
        )
    print("\n".join([*report.notes, f"{report.bytes:,} bytes."]), file=sys.stderr)


@cli.command("import")
def import_module(
    name: Annotated[
        str, typer.Argument(help="torchvision:NAME, timm:NAME, FILE.py[:CLASS], which is run, or a file of weights.")
    ],
    shape: Annotated[
        list[str] | None, typer.Option(help="One input without its batch axis: 3,224,224, or int64:128. Repeatable.")
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option(help="An argument of the class, as JSON: width=64. Repeatable.")
    ] = None,
) -> None:
    """Write any nn.Module as an editable network (JSON) to standard output, and notes to standard error."""
    from layerloom.graph.errors import GraphError
    from layerloom.graph.importing import opening

    try:
        inputs = opening.in_order([_example(text) for text in shape or []])
        arguments = dict(_argument(text) for text in argument or [])
    except ValueError as error:
        _fail(f"Bad --shape or --argument: {error}")
    file, _, label = name.rpartition(":") if ".py:" in name else (name, "", "")
    try:
        if Path(file).suffix == ".py" and Path(file).is_file():
            text = Path(file).read_text(encoding="utf-8")
            found = opening.open_text(text, label, arguments, inputs, opening.Rules(python=True))
        elif Path(file).is_file():
            found = opening.open_file(Path(file), Path(file).suffix, "", inputs, opening.Rules())
        else:
            found = opening.open_named(name, inputs, opening.Rules())
    except GraphError as error:
        _print_problems(error.problems)
        _fail(f"{name} stays closed.")
    for note in found.notes:
        print(note, file=sys.stderr)
    print(found.document.model_dump_json(by_alias=True))


def _example(text: str) -> InputExample:
    """A shape as it is typed: ``3,224,224``, ``int64:128``. Raises ValueError."""
    from layerloom.schema.document import InputExample

    kind, _, sizes = text.rpartition(":")
    return InputExample(shape=[int(size) for size in sizes.split(",") if size.strip()], dtype=kind or "float32")


def _argument(text: str) -> tuple[str, Any]:
    """``width=64``; what is no JSON is a text. Raises ValueError."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


@cli.command()
def runs(home: Home = None, limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50) -> None:
    """List the runs of a running server, newest first."""
    with _client(home) as client:
        page = client.get("/api/runs", params={"limit": limit}).raise_for_status().json()
    print(f"{'id':<24}{'state':<13}{'epoch':>11}  {'created':<17}{'data':<18}name")
    for run in page["items"]:
        print(_row(run))


def _row(run: dict[str, Any]) -> str:
    created = datetime.fromtimestamp(run["created_at"]).astimezone().strftime("%Y-%m-%d %H:%M")
    epochs = f"{run['epoch']}/{run['epochs']}"
    return f"{run['id']:<24}{run['state']:<13}{epochs:>11}  {created:<17}{run['dataset']:<18}{run['name']}"


def _client(home: Path | None) -> httpx.Client:
    """A client of the server that serves this home directory."""
    import httpx

    from layerloom.app import default_home

    folder = (home or default_home()).expanduser()
    try:
        address = (folder / "address").read_text(encoding="ascii").strip()
        token = (folder / "token").read_text(encoding="ascii").strip()
        httpx.get(f"{address}/health", timeout=10).raise_for_status()
    except (OSError, httpx.HTTPError):
        _fail(f"No server answers for {folder}. Start one with `layerloom serve`.")
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _document(file: Path) -> Document:
    from pydantic import ValidationError

    from layerloom.schema.document import Document

    try:
        return Document.model_validate_json(file.read_bytes())
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False)[:20]:
            print(f"/{'/'.join(map(str, detail['loc']))}: {detail['msg']}", file=sys.stderr)
        _fail(f"{file} is no LayerLoom network.")


def _print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        place = "/".join(part for part in (problem.block, problem.node or problem.member, problem.port) if part)
        print(
            f"{problem.severity}: {problem.code}{f' at {place}' if place else ''}: {problem.message}", file=sys.stderr
        )


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(1)


def main() -> None:
    """Entry point of the ``layerloom`` command."""
    cli()


if __name__ == "__main__":
    main()
