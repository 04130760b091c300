"""What happens inside the sandbox: modules made by code, opened as documents.

Nothing here is called in any other process. What comes back is data that the caller validates once more.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerloom.catalogue import dtype
from layerloom.graph.build import build
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.importing import from_module
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.parts import AND, part_of
from layerloom.graph.importing.programs import opened_program
from layerloom.graph.importing.proof import Call, prove
from layerloom.graph.importing.sources import IMAGE, named
from layerloom.graph.importing.suggesting import suggested
from layerloom.schema.document import Document, InputExample
from layerloom.schema.problems import ProblemCode

_BATCH = 2
_SIDES = (224, 64, 32, 28)
_LENGTH = 16
_TEXT = Path("network.py")
"""Where the text of a file lies while it is run."""
_NAMED = 8
"""Parts that a sentence names."""
Example = Mapping[str, InputExample]


def open_named(payload: dict[str, Any]) -> dict[str, Any]:
    """A network of a library, or a part of it: ``{"source": "torchvision:resnet50", "inputs": {…}, "part": ""}``."""
    examples = _given(payload)
    images = [example.shape for example in examples.values() if len(example.shape) == len(IMAGE)]
    with _closed():
        module = named(payload["source"], *images[:1])
    candidates: list[Example] = [examples] if examples else [{"": InputExample(shape=list(IMAGE))}, *_guesses(module)]
    return _opened(module, candidates, payload["part"])


def open_program(payload: dict[str, Any], file: Path) -> dict[str, Any]:
    """A ``torch.export`` program: ``{"inputs": {…}}``. Loading it may run code."""
    with _closed():
        module, arguments = opened_program(file)
    examples = _given(payload)
    try:
        document = from_module(module, list(_tensors(examples).values()) if examples else list(arguments))
    except ClosedError as error:
        raise refuse(ProblemCode.IMPORT_CLOSED, f"The program stays closed: {error}.") from None
    return {"document": document.model_dump(mode="json", by_alias=True)}


def open_python(payload: dict[str, Any]) -> dict[str, Any]:
    """A class of a Python file, which is run: ``{"text", "name", "arguments", "inputs", "part", "document"}``.

    ``document`` is what was read from the text, if anything: it is kept where it is proven to be the same module.
    """
    cls = _class(_loaded(payload["text"]), payload["name"])
    with _closed():
        module = cls(**payload["arguments"])
    examples = _given(payload)
    if payload["document"] is not None:
        document = Document.model_validate(payload["document"])
        try:
            prove(build(document), module, Call((), _tensors(document.inputs)))
        except (ClosedError, GraphError) as error:
            return {**_opened(module, [examples or document.inputs]), "unproven": str(error)}
        return {"document": payload["document"]}
    return _opened(module, [examples] if examples else list(_guesses(module)), payload["part"])


def _loaded(text: str) -> Any:
    path = _TEXT.absolute()
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("network", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["network"] = module  # dataclasses and pickling look their module up
    with _closed():
        spec.loader.exec_module(module)
    return module


def _class(file: Any, name: str) -> type[nn.Module]:
    own = [
        value
        for value in vars(file).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == "network"
    ]
    found = getattr(file, name, None) if name else next(reversed(own), None)
    if not isinstance(found, type) or not issubclass(found, nn.Module):
        what = f"class {name[:80]} that is an nn.Module" if name else "class that is an nn.Module"
        raise refuse(ProblemCode.IMPORT_CLOSED, f"The file has no {what}.")
    return found


class _closed:  # noqa: N801  a context manager
    """Whatever other people's code raises is a reason why the module stays closed."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        if error is None or isinstance(error, MemoryError | GraphError):
            return
        said = str(error).strip().splitlines()
        sentence = said[0][:300] if said else ""
        known = isinstance(error, ClosedError)
        message = sentence if known else f"{type(error).__name__}: {sentence}"
        raise refuse(ProblemCode.IMPORT_CLOSED, f"The module cannot be made: {message}.", line=_line(error)) from None


def _line(error: BaseException) -> int | None:
    """The last line of the text that an exception went through."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(_TEXT.absolute())
    ]
    return lines[-1] if lines else None


def _opened(module: nn.Module, candidates: list[Example], part: str = "") -> dict[str, Any]:
    """The document of a module, or of a part of it, with the first inputs that it takes; and notes."""
    for examples in candidates:
        tensors = _tensors(examples)
        positional = all(not name or name.isdecimal() for name in tensors)
        inputs: Any = list(tensors.values()) if positional else tensors
        if len(candidates) > 1 and not _takes(module, inputs):
            continue
        call = Call(tuple(inputs)) if isinstance(inputs, list) else Call(named=inputs)
        try:
            taken = part_of(module, call, part) if part else None
            document = from_module(taken.module, taken.call.positional) if taken else from_module(module, inputs)
        except ClosedError as error:
            what = f"The part {part[:200]}" if part else "The module"
            message = f"{what} stays closed: {error}."
            raise refuse(ProblemCode.IMPORT_CLOSED, message + _instead(module, call, part)) from None
        notes = list(taken.notes) if taken else []
        return {"document": document.model_dump(mode="json", by_alias=True), "notes": notes}
    raise refuse(
        ProblemCode.INPUTS_UNKNOWN,
        "What goes into the network cannot be guessed: state the shape and dtype of every input.",
    )


def _instead(module: nn.Module, call: Call, part: str) -> str:
    """The remedy for a module that stays closed: parts of it that may open."""
    if AND in part:
        return ""
    found = suggested(module, call, part)
    return f" Open a part of it instead: {', '.join(found[:_NAMED])}." if found else ""


def _takes(module: nn.Module, inputs: Any) -> bool:
    modes = {part: part.training for part in module.modules()}
    try:
        with torch.no_grad():
            module.eval()(*inputs) if isinstance(inputs, list) else module.eval()(**inputs)
    except Exception:
        return False
    finally:
        for part, mode in modes.items():
            part.training = mode
    return True


def _given(payload: dict[str, Any]) -> dict[str, InputExample]:
    return {name: InputExample.model_validate(item) for name, item in payload["inputs"].items()}


def _tensors(examples: Example) -> dict[str, torch.Tensor]:
    made = {}
    for name, example in examples.items():
        shape = [_BATCH, *example.shape] if example.batch else example.shape
        kind = dtype(example.dtype)
        if kind.is_floating_point or kind.is_complex:
            made[name] = torch.randn(shape).to(kind)
        else:
            made[name] = torch.randint(example.high or 2, shape).to(kind)
    return made


def _guesses(module: nn.Module) -> Iterator[Example]:
    """Shapes that the first parameter of a module speaks for."""
    sizes = [shape for parameter in module.parameters() if len(shape := tuple(parameter.shape)) >= 2]
    first = sizes[0] if sizes else (3, 3)
    for side in _SIDES:
        yield from ({"": InputExample(shape=[channels, side, side])} for channels in {first[1], 3, 1})
    for size in dict.fromkeys((first[1], first[0])):
        yield {"": InputExample(shape=[size])}
        yield {"": InputExample(shape=[_LENGTH, size])}
    yield {"": InputExample(shape=[_LENGTH], dtype="int64", high=first[0])}
    yield {"": InputExample(shape=[])}
