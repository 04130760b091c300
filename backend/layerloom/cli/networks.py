"""``layerloom check|export|import``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from layerloom.cli.terminal import AllowPython, File, document_of, fail, print_problems

if TYPE_CHECKING:
    from layerloom.schema.document import Document, InputExample
    from layerloom.schema.export import ExportReport
    from layerloom.schema.problems import Problem
    from layerloom.schema.report import Report


def check(
    file: File,
    confirm: Annotated[bool, typer.Option(help="Run it once, too, in a process of its own.")] = True,
    allow_python: AllowPython = False,
) -> None:
    """Check a network and run it once: its size, or what is wrong. Exit status 1 when it has errors."""
    from layerloom.graph import check as check_document
    from layerloom.graph.confirming import confirmed

    document = document_of(file)
    if allow_python and document.code:
        report, found = _checked_apart(document, confirm)
    else:
        report = check_document(document)
        found = confirmed(document) if report.ok and confirm else []
    print_problems([*report.problems, *found])
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
        fail("\n".join([f"There is no format {format!r}. There are:", *lines]))
    if out is None and format != "python":
        fail(f"Say where to write it: --out {file.stem}{FORMATS[format].suffix}")
    if out is not None and not out.parent.is_dir():
        fail(f"There is no folder {out.parent}.")
    document = document_of(file)
    if allow_python:
        allow()
    try:
        state = None if weights is None else load_state(weights)
        if out is None:
            print(to_python(document), end="")
        else:
            _print_report(write(document, state, format, out))
    except GraphError as error:
        print_problems(error.problems)
        sys.exit(1)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.")


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


def import_module(
    name: Annotated[
        str, typer.Argument(help="torchvision:NAME, timm:NAME, FILE.py[:CLASS], which is run, FILE.pt2, or weights.")
    ],
    shape: Annotated[
        list[str] | None, typer.Option(help="One input without its batch axis: 3,224,224, or int64:128. Repeatable.")
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option(help="An argument of the class, as JSON: width=64. Repeatable.")
    ] = None,
    part: Annotated[str, typer.Option(help="A part to open alone: backbone; or several as one: backbone+head.")] = "",
    allow_python: Annotated[
        bool, typer.Option("--allow-python", help="Load a .pt2 where this system cannot shut in what it may run.")
    ] = False,
) -> None:
    """Write any nn.Module as an editable network (JSON) to standard output, and notes to standard error."""
    from layerloom.graph.errors import GraphError
    from layerloom.graph.importing import opening

    try:
        inputs = opening.in_order([_example(text) for text in shape or []])
        arguments = dict(_argument(text) for text in argument or [])
    except ValueError as error:
        fail(f"Bad --shape or --argument: {error}")
    file, _, label = name.rpartition(":") if ".py:" in name else (name, "", "")
    try:
        if Path(file).suffix == ".py" and Path(file).is_file():
            text = Path(file).read_text(encoding="utf-8")
            found = opening.open_text(text, label, arguments, inputs, opening.Rules(python=True), part)
        elif Path(file).is_file():
            if part:
                fail("A part can be opened of a network by its name, or of a Python file.")
            suffix = Path(file).suffix
            rules = opening.Rules(python=suffix.lower() == opening.PROGRAM and (allow_python or _is_shut_in(name)))
            found = opening.open_file(Path(file), suffix, "", inputs, rules)
        else:
            found = opening.open_named(name, inputs, opening.Rules(), part)
    except GraphError as error:
        print_problems(error.problems)
        fail(f"{name} stays closed.")
    for note in found.notes:
        print(note, file=sys.stderr)
    print(found.document.model_dump_json(by_alias=True))


def _is_shut_in(name: str) -> bool:
    """Whether what loading a program may run can neither write, nor reach a network, nor stay. Ends here if not."""
    from layerloom.graph import sandbox

    missing = sandbox.HOLDS - sandbox.held()
    if missing:
        fail(
            f"Loading {name} can run code that it holds, and this system does not let a sandbox hold "
            f"{', '.join(sorted(missing))}. If you trust the file: layerloom import --allow-python {name}"
        )
    return True


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
