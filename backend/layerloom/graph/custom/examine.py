"""A layer of one's own, tried as torch's layers are by our own tests: shapes, dtypes, state_dict, gradient, export."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from layerloom.catalogue import find, own
from layerloom.graph.build import build
from layerloom.graph.checking import check
from layerloom.graph.confirming import confirm
from layerloom.graph.errors import GraphError
from layerloom.graph.exporting.exporter import write
from layerloom.graph.exporting.subject import Subject, outputs
from layerloom.schema.catalogue import Entry
from layerloom.schema.document import (
    Block,
    CallNode,
    Document,
    FunctionNode,
    Graph,
    GraphInput,
    Layer,
    Node,
    PythonLayer,
)
from layerloom.schema.own import Examination, OwnLayerRequest
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.values import Ref

BATCH = 2
NUMBERS = 256
"""Up to so many inputs and parameters the gradient is computed number by number; beyond, along random directions."""
_MEMBER = "layer"


def examine(asked: OwnLayerRequest) -> Examination:
    """Try a layer in a network of its own, and say what it turned out to be.

    It is checked at two batch sizes and run for real, forward and backward, in evaluation and in training; another
    instance must give the same after loading its state_dict strictly; the gradient is held against differences in
    float64; and it is exported by ``torch.export`` for any batch size. What the last two find are warnings, because a
    layer may do without: a straight-through estimator has a gradient that is no derivative.

    Runs the code: for sandboxed processes. Raises GraphError where there is no such class.
    """
    bare = Document(main="Trial", blocks={"Trial": Block()}, code={asked.name: PythonLayer(source=asked.source)})
    entry = _entry(asked.name, bare)
    document = _trial(asked, entry, bare)
    report = check(document)
    problems = list(report.problems)
    if report.ok:
        problems += confirm(document)
    if not any(problem.severity == "error" for problem in problems):
        with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):
            problems += [*_state_problems(document), *_gradient_problems(document), *_export_problems(document)]
    kind = "operation" if entry.name in own.entries(torch.autograd.Function) else "layer"
    return Examination(kind=kind, entry=entry, outputs=report.outputs, problems=problems)


def _entry(name: str, bare: Document) -> Entry:
    """The form of the class, or the problems of its text."""
    code = [problem for problem in check(bare).problems if (problem.pointer or "").startswith("/code")]
    entry = find(own.PREFIX + name)
    if code or entry is None:
        raise GraphError(code or [_problem(ProblemCode.PYTHON_INVALID, f"{name[:80]} cannot be used.", "error")])
    return entry


def _trial(asked: OwnLayerRequest, entry: Entry, bare: Document) -> Document:
    """A network of this layer alone."""
    inputs = [GraphInput(name=port.name) for port in entry.inputs if port.required or port.name in asked.inputs]
    given = {item.name: Ref(ref=item.name) for item in inputs}
    is_function = entry.name in own.entries(torch.autograd.Function)
    members = [] if is_function else [Layer(name=_MEMBER, target=entry.name, arguments=asked.arguments)]
    node: Node
    if is_function:
        node = FunctionNode(id="made", target=entry.name, arguments={**asked.arguments, **given})
    else:
        node = CallNode(id="made", target=_MEMBER, arguments={**given})
    forward = Graph(inputs=inputs, nodes=[node], output=Ref(ref="made"))
    block = Block.model_validate(
        {"members": [item.model_dump() for item in members], "forward": forward.model_dump(by_alias=True)}
    )
    return bare.model_copy(update={"blocks": {"Trial": block}, "inputs": dict(asked.inputs)})


def _state_problems(document: Document) -> Iterator[Problem]:
    """Whether a state_dict is all that one instance differs from another by."""
    first, second = build(document, seed=0).eval(), build(document, seed=1).eval()
    arguments = Subject(document).arguments(BATCH)
    try:
        second.load_state_dict(first.state_dict(), strict=True)
    except RuntimeError as error:
        message = f"another instance does not load its state_dict: {_first(error)}."
        yield _problem(ProblemCode.STATE_INCOMPLETE, message, "error")
        return
    if not _same(outputs(first, arguments), outputs(second, arguments)):
        message = (
            "another instance gives other numbers after loading its state_dict: something that it computes with is "
            "neither a parameter nor a buffer. Make it one, with register_buffer."
        )
        yield _problem(ProblemCode.STATE_INCOMPLETE, message, "error")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(one == other)


def _gradient_problems(document: Document) -> Iterator[Problem]:
    """Whether the backward is the derivative of the forward, in float64 and in evaluation."""
    module = build(document, seed=0).double().eval()
    arguments = [_double(value) for value in Subject(document).arguments(BATCH)]
    names = [name for name, value in module.named_parameters() if value.requires_grad and value.is_floating_point()]
    parameters = [module.get_parameter(name).detach().clone().requires_grad_() for name in names]
    moving = [index for index, value in enumerate(arguments) if value is not None and value.is_floating_point()]
    varied = [*(arguments[index].requires_grad_() for index in moving if arguments[index] is not None), *parameters]  # type: ignore[union-attr]

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        given = list(arguments)
        for index, value in zip(moving, values, strict=False):
            given[index] = value
        state = dict(zip(names, values[len(moving) :], strict=True))
        torch.manual_seed(0)
        found = torch.func.functional_call(module, state, tuple(given))
        return tuple(value for value in _tensors(found) if value.is_floating_point())

    try:
        results = run(*varied)
    except Exception as error:
        message = f"it cannot run in float64: {_first(error)}. Make tensors with the dtype of what comes in."
        yield _problem(ProblemCode.DTYPE_MISMATCH, message)
        return
    if any(value.dtype is not torch.float64 for value in results):
        yield _problem(ProblemCode.DTYPE_MISMATCH, "what comes in as float64 goes out with less precision.")
        return
    if not varied or not any(value.requires_grad for value in results):
        return
    try:
        torch.autograd.gradcheck(run, varied, fast_mode=sum(value.numel() for value in varied) > NUMBERS)
    except (GradcheckError, RuntimeError) as error:
        message = (
            "its gradient is not the derivative of what it computes. That is right for a straight-through estimator, "
            f"and a mistake in backward otherwise: {_first(error)}."
        )
        yield _problem(ProblemCode.GRADIENT_WRONG, message)


def _double(value: Tensor | None) -> Tensor | None:
    return value.double() if value is not None and value.is_floating_point() else value


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, tuple | list):
        for item in result:
            yield from _tensors(item)
    elif isinstance(result, dict):
        yield from _tensors(list(result.values()))


def _export_problems(document: Document) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            write(document, None, "pt2", Path(folder, "file"))
        except GraphError as error:
            for problem in error.problems:
                yield problem.model_copy(update={"severity": "warning"})


def _problem(code: ProblemCode, message: str, severity: Any = "warning") -> Problem:
    return Problem(code=code, severity=severity, message=message, pointer="/source")


def _first(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300].rstrip(".,") if lines else type(error).__name__
