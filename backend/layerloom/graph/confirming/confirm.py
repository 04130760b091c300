"""Running a network once, in evaluation and in training, and finding the node at which that fails."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from layerloom.catalogue import dtype
from layerloom.graph.build import load
from layerloom.graph.checking import checked
from layerloom.graph.confirming.limits import not_confirmed, refusal
from layerloom.graph.confirming.places import Finder
from layerloom.graph.confirming.plain import PlainSource
from layerloom.graph.confirming.wording import Mode, told
from layerloom.graph.source import write
from layerloom.schema.document import Document, InputExample
from layerloom.schema.problems import Problem

BATCH = 2
SEED = 0


def confirm(document: Document) -> list[Problem]:
    """Build the module from its very source and run it: in evaluation, then a forward and a backward in training.

    A batch holds two samples of the document's example inputs: normal numbers, and whole numbers up to the largest that
    may come. Errors of the check are given back as they are, and then nothing is run; a network that is too large is
    answered with a warning, ``not_confirmed``. Never raises; leaves torch's random state as it was.
    """
    graph = checked(document, BATCH)
    if not graph.report.ok:
        return [problem for problem in graph.report.problems if problem.severity == "error"]
    too_large = refusal(document, graph.report.totals)
    if too_large is not None:
        return [too_large]
    found: dict[tuple[object, ...], Problem] = {}
    modes: tuple[Mode, ...] = ("evaluation", "training")
    for mode in modes:
        problem = _failure(graph.document, mode)
        if problem is not None:
            found.setdefault((problem.code, problem.block, problem.node), problem)
    return list(found.values())


def _failure(document: Document, mode: Mode) -> Problem | None:
    """What the module that is exported and trained fails with in a mode."""
    try:
        with _apart():
            _run(_made(document, write(document)), document, mode)
    except Exception as error:
        return _placed(document, mode, error)
    return None


def _placed(document: Document, mode: Mode, first: Exception) -> Problem:
    """The same run once more, from a source in which every line is a node's."""
    source = PlainSource(document)
    module, notes = None, list[str]()
    try:
        with _apart(notes):
            module = _made(document, source.text)
            with torch.autograd.detect_anomaly(check_nan=False):
                _run(module, document, mode)
    except Exception as error:
        if module is None:
            return not_confirmed(document, f"making it failed: {first}")
        finder = Finder(document, source, module)
        return told(document, mode, error, finder.of_error(error) or finder.of_notes(notes))
    return not_confirmed(document, f"a run failed that did not when it was repeated: {first}")


@contextmanager
def _apart(notes: list[str] | None = None) -> Iterator[None]:
    """A run that leaves nothing behind; what torch warns of goes to ``notes``."""
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(record=True, action="always") as caught,
        torch.enable_grad(),
    ):
        torch.manual_seed(SEED)
        try:
            yield
        finally:
            if notes is not None:
                notes.extend(str(warning.message) for warning in caught)


def _made(document: Document, source: str) -> nn.Module:
    made = getattr(load(source), document.main)()
    assert isinstance(made, nn.Module)
    return made


def _run(module: nn.Module, document: Document, mode: Mode) -> None:
    """One forward, and in training a backward through every number that has a gradient."""
    inputs = {name: _example(example) for name, example in document.inputs.items() if name in _given(document)}
    module.train(mode == "training")
    with nullcontext() if mode == "training" else torch.no_grad():
        result = module(**inputs)
    losses = [_scalar(tensor) for tensor in _tensors(result) if tensor.requires_grad]
    if mode == "training" and losses:
        torch.autograd.backward(torch.stack(losses).sum())


def _given(document: Document) -> set[str]:
    return {item.name for item in document.blocks[document.main].forward.inputs}


def _example(example: InputExample) -> Tensor:
    """Two samples. Whole numbers are below ``high``, and the largest among them; without it they are zeros, which
    every index and every label may be."""
    kind = dtype(example.dtype)
    shape = [BATCH, *example.shape] if example.batch else list(example.shape)
    if kind.is_floating_point or kind.is_complex:
        return torch.randn(shape, dtype=torch.complex64 if kind.is_complex else torch.float32).to(kind)
    if not example.high:
        return torch.zeros(shape, dtype=kind)
    numbers = torch.randint(0, example.high, shape)
    numbers.view(-1)[-1:] = example.high - 1
    return numbers.to(kind)


def _tensors(result: object) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, list | tuple):
        for item in result:
            yield from _tensors(item)
    elif isinstance(result, dict):
        yield from _tensors(list(result.values()))


def _scalar(tensor: Tensor) -> Tensor:
    whole = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    return whole.float().sum()
