"""Networks from anywhere as documents: a library's by name, a text, a file. The service's side; code runs elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from layerloom.graph import sandbox
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.importing.guessing import guess
from layerloom.graph.importing.proposals import propose
from layerloom.graph.importing.python import NoPythonError, NotPlainError, read
from layerloom.graph.importing.python.file import TEXT_LIMIT
from layerloom.graph.importing.sources import LIBRARIES, is_named
from layerloom.graph.library import kept
from layerloom.graph.walk import members
from layerloom.schema.document import Document, InputExample, Opaque
from layerloom.schema.problems import ProblemCode

WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
"""Files of a state_dict."""
PROGRAM = ".pt2"
FILES = (".py", PROGRAM, *WEIGHTS)
LIMITS = sandbox.Limits(memory=4 * 2**30, wall_s=180, answer=16 * 2**20)
LIBRARY_LIMITS = sandbox.Limits(memory=8 * 2**30, wall_s=600, answer=16 * 2**20)
"""Of a library's networks, which nobody made to do harm and which may be large. Whoever cannot wait cancels."""
_NOTES, _LONGEST_NOTE = 20, 1_000
"""Of what a process says that ran code of others."""
UNTRAINED = "The weights are those of an untrained network."
_SWITCH = "Start the server with `layerloom serve --allow-python`."
_REMEDY = f"{_SWITCH} Or write the code more simply."
_LESS = "State smaller inputs, or open a part of it."
_SENTENCES: dict[str, tuple[ProblemCode, str]] = {
    "memory": (ProblemCode.IMPORT_EXHAUSTED, f"Opening this takes more memory than an import may. {_LESS}"),
    "time": (ProblemCode.IMPORT_EXHAUSTED, f"Opening this takes more time than an import may. {_LESS}"),
    "processes": (ProblemCode.IMPORT_EXHAUSTED, "This starts more processes than an import may."),
    "answer": (ProblemCode.IMPORT_EXHAUSTED, "What this opens as is larger than a document may be."),
    "died": (ProblemCode.IMPORT_CLOSED, "The process that opened this ended early."),
    "stopped": (ProblemCode.IMPORT_CLOSED, "The import was stopped."),
}


@dataclass(frozen=True)
class Opened:
    """A document, and what its reader should know of how it came about."""

    document: Document
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    """What an import may do."""

    python: bool = False
    """Run code that is not LayerLoom's or a library's."""
    hide: tuple[Path, ...] = ()
    """Folders that such code must not see."""
    limits: sandbox.Limits = LIMITS
    stop: threading.Event | None = None


def from_python(
    source: str | Path,
    name: str = "",
    arguments: Mapping[str, Any] | None = None,
    inputs: Mapping[str, InputExample] | Sequence[InputExample | Sequence[int]] | None = None,
) -> Document:
    """A class of a Python file, or of its text, as a document.

    The last class that is an ``nn.Module`` is opened, or the one of that ``name``. Classes in the plain shape are read
    as text, with their arguments, expressions and loops; the others are run in a process of limited means and
    recorded, as ``from_module`` does. ``inputs`` are examples by name, or in order, when shapes without the batch axis
    will do; they are found by trying when absent. Either way the document is proven to be the same module as the class.

    Raises:
        GraphError: the code cannot be opened; the problems say why.
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    given = inputs if isinstance(inputs, Mapping) else in_order(inputs or [])
    return open_text(text, name, arguments or {}, given, Rules(python=True)).document


def in_order(inputs: Sequence[InputExample | Sequence[int]]) -> dict[str, InputExample]:
    """Example inputs whose names are not known: they are called by their places."""
    examples = (item if isinstance(item, InputExample) else InputExample(shape=list(item)) for item in inputs)
    return {str(index): example for index, example in enumerate(examples)}


def open_source(
    source: str,
    name: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, InputExample],
    rules: Rules,
    part: str = "",
) -> Opened:
    """A library's network by its name, or a text; or a part of it. Raises GraphError."""
    if is_named(source):
        return open_named(source, inputs, rules, part)
    return open_text(source, name, arguments, inputs, rules, part)


def open_named(source: str, inputs: Mapping[str, InputExample], rules: Rules, part: str = "") -> Opened:
    """``torchvision:resnet50``, made without trained weights, or its part ``layer4``. Raises GraphError."""
    if not is_named(source):
        known = ", ".join(f"{library}:NAME" for library in LIBRARIES)
        raise refuse(ProblemCode.UNKNOWN_SOURCE, f"{source[:80]!r} is no file and none of {known}.")
    if not inputs and (document := kept(source, part)) is not None:
        return Opened(document, [UNTRAINED])
    payload = {"source": source, "inputs": _written(inputs), "part": part}
    answer = ask("open_named", payload, replace(rules, limits=LIBRARY_LIMITS))
    # Its class has the same name in many sizes.
    document = _document(answer).model_copy(update={"name": source.partition(":")[2]})
    return _recorded(document, UNTRAINED, *_notes(answer))


def open_file(file: Path, suffix: str, name: str, inputs: Mapping[str, InputExample], rules: Rules) -> Opened:
    """A Python file, or the layers that a file of weights implies. Raises GraphError."""
    suffix = suffix.lower()
    if suffix == ".py":
        return open_text(_text(file), name, {}, inputs, rules)
    if suffix in WEIGHTS:
        answer = ask("read_state", {"suffix": suffix}, rules, file)
        document, notes = propose([(str(key), list(shape), str(kind)) for key, shape, kind in answer["tensors"]])
        return Opened(document, [*map(str, answer["notes"]), *notes])
    if suffix == PROGRAM:
        if not rules.python:
            message = f"Loading a {PROGRAM} file can run code that it holds, which is switched off. {_SWITCH}"
            raise refuse(ProblemCode.PYTHON_DISABLED, message)
        return _recorded(run("open_program", {"inputs": _written(inputs)}, rules, file))
    raise refuse(ProblemCode.UPLOAD_TYPE, f"Open one of {', '.join(FILES)}.")


def _text(file: Path) -> str:
    try:
        if file.stat().st_size <= 4 * TEXT_LIMIT:
            return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise refuse(ProblemCode.UPLOAD_INVALID, "The file is no UTF-8 text.") from None
    raise refuse(ProblemCode.PAYLOAD_TOO_LARGE, f"A Python file has at most {TEXT_LIMIT:,} characters.")


def open_text(
    text: str,
    name: str,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, InputExample],
    rules: Rules,
    part: str = "",
) -> Opened:
    """A class of a text, or a part of it. Only where the rules allow it is anything run. Raises GraphError."""
    payload = _payload(text, name, arguments, inputs, part)
    if part:
        return _run_text(payload, rules, "what a part is given is seen when the whole runs")
    try:
        document, notes = read(text, name or None, arguments)
    except NoPythonError as error:
        raise refuse(ProblemCode.IMPORT_CLOSED, f"The text cannot be opened: {error}.", line=error.line) from None
    except NotPlainError as error:
        return _run_text(payload, rules, error)
    try:
        document = _with_inputs(document, inputs)
    except GraphError as error:
        if not rules.python:
            raise
        return _run_text(payload, rules, error)
    if not rules.python:
        return Opened(document, [*notes, "The classes were read as text; nothing was run."])
    payload = _payload(text, document.main, arguments, document.inputs)
    payload["document"] = document.model_dump(mode="json", by_alias=True)
    answer = ask("open_python", payload, rules)
    if "unproven" in answer:
        reason = str(answer["unproven"])[:300]
        notes = [f"What the text says could not be proven ({reason}): the classes were run and recorded."]
    return _recorded(_document(answer), *notes)


def _run_text(payload: Mapping[str, Any], rules: Rules, reason: Exception | str) -> Opened:
    if not rules.python:
        raise refuse(
            ProblemCode.PYTHON_DISABLED,
            f"This code can only be opened by running it, which is switched off ({reason}). {_REMEDY}",
            line=getattr(reason, "line", None),
        )
    answer = ask("open_python", payload, rules)
    return _recorded(_document(answer), f"The classes were run and recorded: {reason}.", *_notes(answer))


def _recorded(document: Document, *notes: str) -> Opened:
    """What was recorded, and which parts of it stay closed."""
    found = (
        f"{member.name} in {name}, a {member.type}, could not be opened: {member.note}. Put a block of your own in its "
        "place, or remove it."
        for name, block in document.blocks.items()
        for member in members(block)
        if isinstance(member, Opaque)
    )
    return Opened(document, [*notes, *found])


def _notes(answer: Mapping[str, Any]) -> list[str]:
    notes = answer.get("notes")
    return [str(note)[:_LONGEST_NOTE] for note in notes[:_NOTES]] if isinstance(notes, list) else []


def _payload(
    text: str, name: str, arguments: Mapping[str, Any], inputs: Mapping[str, InputExample], part: str = ""
) -> dict[str, Any]:
    settings = {"text": text, "name": name, "arguments": dict(arguments), "inputs": _written(inputs)}
    return {**settings, "part": part, "document": None}


def _written(inputs: Mapping[str, InputExample]) -> dict[str, Any]:
    return {key: example.model_dump(mode="json") for key, example in inputs.items()}


def _with_inputs(document: Document, inputs: Mapping[str, InputExample]) -> Document:
    """The document with its example inputs: given, or found by trying."""
    document = Document.model_validate(document.model_dump(mode="json", by_alias=True))
    if inputs and all(name.isdecimal() for name in inputs):
        names = [given.name for given in document.blocks[document.main].forward.inputs]
        inputs = dict(zip(names, inputs.values(), strict=False))
    if inputs:
        return document.model_copy(update={"inputs": dict(inputs)})
    found = guess(document)
    if found is None:
        raise refuse(ProblemCode.INPUTS_UNKNOWN, _first_problem(document) + "State the shape of every input.")
    return found


def _first_problem(document: Document) -> str:
    """What is wrong however the inputs may look, if anything is."""
    names = [given.name for given in document.blocks[document.main].forward.inputs]
    tried = document.model_copy(update={"inputs": {name: InputExample(shape=[3, 32, 32]) for name in names}})
    problems = [problem.message for problem in check(tried).problems if problem.severity == "error"]
    return (
        f"No inputs were found that this network takes (of images of 32 by 32: {problems[0].rstrip('.')}). "
        if problems
        else ""
    )


def run(task: str, payload: Any, rules: Rules, file: Path | None = None) -> Document:
    """The document that a sandboxed task gives. Raises GraphError."""
    return _document(ask(task, payload, rules, file))


def _document(answer: Mapping[str, Any]) -> Document:
    """What code that is not trusted may have made is read as strictly as what a client sends."""
    try:
        return Document.model_validate(answer.get("document"))
    except ValidationError:
        raise refuse(ProblemCode.IMPORT_CLOSED, "What came back is no network.") from None


def ask(task: str, payload: Any, rules: Rules, file: Path | None = None) -> dict[str, Any]:
    """What a sandboxed task answers; its own failures and the sandbox's are problems. Raises GraphError."""
    try:
        answer = sandbox.run(task, payload, limits=rules.limits, hide=rules.hide, stop=rules.stop, file=file)
    except sandbox.SandboxError as error:
        code, message = _SENTENCES[error.reason]
        raise refuse(code, message) from None
    except sandbox.TaskError as error:
        said = str(error).splitlines()[0][:300] if str(error) else ""
        raise refuse(ProblemCode.IMPORT_CLOSED, f"It cannot be opened: {error.kind}: {said}.") from None
    return answer if isinstance(answer, dict) else {}
