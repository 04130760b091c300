# ruff: noqa: E501 - tables
"""Any document: one that is right builds, runs and is written down without loss; one that is damaged is answered."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import orjson
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn

from layerloom.catalogue import dtype
from layerloom.graph.checking import CheckedGraph, checked
from layerloom.graph.source import write
from layerloom.graph.walk import block_order
from layerloom.schema.document import Document
from layerloom.schema.report import TensorType
from sameness import seed
from unit.graph.checking import networks
from unit.graph.checking.arbitrary import documents
from unit.graph.checking.drawing import Json, edited
from unit.graph.checking.interpreter import Interpreter, equal

EXAMPLES = int(os.environ.get("LAYERLOOM_PROPERTIES", "400"))
"""Documents that are right, and as many mutations; ``make endure`` tries five times as many."""
ALWAYS_THE_SAME = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
NETWORKS = list(networks.every().values())
VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 7, 2**63, 1.5, 1e308, "", "x", "3", "forward", "torch.nn.Linear", "torch.os.system", "\0", "é"),
    *([], {}, [1, 2], {"$auto": True}, {"$ref": "x"}, {"$ref": "n1"}, {"$ref": "n1", "path": [0]}, {"$expr": "width"}),
    *({"$expr": "2 *"}, {"$expr": "range(5)"}, {"$tuple": [2, {"$auto": True}]}, {"$float": "nan"}, {"$dtype": "int64"}),
    *({"$slice": [0, None, 2]}, {"$ellipsis": True}, {"$function": "torch.nn.functional.gelu"}, {"$dict": {"a": 1}}),
    {"$layer": {"target": "torch.nn.ReLU"}},
]  # fmt: skip


def parse(document: Any) -> Document | None:
    try:
        return Document.model_validate_json(orjson.dumps(document))
    except (ValidationError, TypeError):
        return None


def example(document: Document, batch: int) -> list[Tensor]:
    """Inputs as the document's examples say."""
    found = []
    for item in document.blocks[document.main].forward.inputs:
        given = document.inputs[item.name]
        shape = [batch, *given.shape] if given.batch else given.shape
        kind = dtype(given.dtype)
        if kind.is_floating_point or kind.is_complex:
            found.append(torch.randn(shape, dtype=torch.float64).to(kind))
        else:
            found.append(torch.randint(0, max(min(given.high or 2, 100), 1), shape).to(kind))
    return found


def made(graph: CheckedGraph) -> nn.Module:
    """The module of a checked graph, from the very source that a person downloads."""
    source = write(graph.document)
    names: dict[str, Any] = {"__name__": "network"}
    # Not through a file, as `build` does it, because thousands are made.
    exec(compile(source, "network.py", "exec"), names)
    return names[graph.document.main]()


def shapes(value: Any) -> Any:
    """The shapes of a result, as the report tells them."""
    if isinstance(value, Tensor):
        return list(value.shape)
    if isinstance(value, TensorType):
        return value.shape
    if isinstance(value, dict):
        return {key: shapes(item) for key, item in value.items()}
    return [shapes(item) for item in value] if isinstance(value, list | tuple | range) else None


EVERY_KIND = {
    *("layer", "block", "sequential", "module_list", "module_dict", "parameter_list", "parameter_dict", "parameter"),
    *("buffer", "alias", "repeat", "call", "function", "get", "loop", "choose"),
    *("$ref", "$expr", "$auto", "$tuple", "$dict", "$slice", "$if", "when"),
    *("int", "float", "bool", "list[int]", "two inputs", "optional", "part of a result"),
}


def kinds(document: Json) -> Iterator[str]:
    """What a document has of what there is."""
    for path in leaves(document):
        value = at(document, path)
        if path[-1] in ("kind", "op", "type"):
            yield str(value)
        elif path[-1] == "path" or (path[-1] in ("optional", "when") and value):
            yield "part of a result" if path[-1] == "path" else str(path[-1])
        elif isinstance(path[-1], str) and path[-1].startswith("$"):
            yield path[-1]
    if any(len(block["forward"]["inputs"]) > 1 for block in document["blocks"].values()):
        yield "two inputs"


def test_every_kind_is_drawn() -> None:
    found: set[str] = set()

    @settings(ALWAYS_THE_SAME, max_examples=200)
    @given(documents())
    def look(document: Json) -> None:
        found.update(kinds(document))

    look()
    assert found >= EVERY_KIND, EVERY_KIND - found


@ALWAYS_THE_SAME
@given(documents())
def test_what_is_right_builds_and_runs_and_is_written_without_loss(document: Json) -> None:
    parsed = parse(document)
    assert parsed is not None
    graph = checked(parsed)
    assert graph.report.ok, [problem.message for problem in graph.report.problems]
    complete = graph.document
    assert Document.model_validate_json(complete.model_dump_json(by_alias=True)) == complete
    network = made(graph)
    assert graph.report.totals.parameters == sum(it.numel() for it in network.parameters())
    interpreter = Interpreter(complete, network)
    with torch.no_grad():
        assert shapes(network(*example(complete, 2))) == shapes(graph.report.outputs)
        inputs = example(complete, 3)
        for training in (False, True):
            network.train(training)
            seed(1)
            expected = interpreter.run(*inputs)
            seed(1)
            assert equal(network(*inputs), expected)


# --- damage


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything inside a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def damaged(document: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    """Delete, double or alter what stands at a path."""
    for key in path[:-1]:
        document = document[key]
    last = path[-1]
    if how == "delete":
        del document[last]
    elif how == "double" and isinstance(document, list):
        document.append(copy.deepcopy(document[last]))
    elif how == "rename" and isinstance(document, dict):
        document[f"{last}_"] = document.pop(last)
    else:
        document[last] = value


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def mutated(draw: st.DrawFn, document: Json) -> Json:
    """One to three mutations of a document that leave it a document: others are refused when they are parsed."""
    wanted = draw(st.integers(1, 3))
    for _ in range(12):
        changed = copy.deepcopy(document)
        every = list(leaves(changed))
        path = every[draw(st.integers(0, len(every) - 1))]
        how = draw(st.sampled_from(["delete", "double", "rename", "move", "move", "move", "alter", "alter"]))
        value = draw(st.sampled_from(VALUES))
        if how == "move":  # what stands elsewhere in the document is likelier to fit than a value from a list
            alike = [other for other in every if type(at(changed, other)) is type(at(changed, path))]
            value = at(changed, alike[draw(st.integers(0, len(alike) - 1))])
        damaged(changed, path, how, copy.deepcopy(value))
        if parse(changed) is not None:
            document = changed
            wanted -= 1
        if wanted == 0:
            break
    return document


@st.composite
def mutations(draw: st.DrawFn) -> Json:
    return mutated(draw, draw(documents() if draw(st.integers(0, 9)) else st.sampled_from(NETWORKS)))


@ALWAYS_THE_SAME
@given(document=mutations(), batch=st.sampled_from([1, 2, 3]))
def test_mutations_give_nothing_but_problems_with_a_place(document: Json, batch: int) -> None:
    found = parse(document)
    assert found is not None
    graph = checked(found, batch)
    graph.report.model_dump_json()
    assert Document.model_validate_json(graph.document.model_dump_json(by_alias=True)) == graph.document
    for problem in graph.report.problems:
        assert problem.pointer is not None, problem
        assert problem.message
        for fix in problem.fixes:
            edited(found, fix.edits)
    if graph.report.ok:
        runs_as_told(graph)


def runs_as_told(graph: CheckedGraph) -> None:
    """What checks without an error is a network: it is written, built and run, and gives what the report says."""
    used = [graph.document.blocks[name].model_dump_json(by_alias=True) for name in block_order(graph.document)]
    assert not any("$auto" in block for block in used)
    if graph.report.totals.parameters > 10**7 or graph.report.totals.activation_bytes > 10**8:
        return
    network = made(graph).eval()
    result = network(*example(graph.document, graph.report.totals.batch))
    assert shapes(result) == shapes(graph.report.outputs)
