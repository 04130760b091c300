"""Documents written short, for tests."""

from __future__ import annotations

from typing import Any

import orjson

from layerloom.catalogue import find
from layerloom.schema.document import Document
from layerloom.schema.problems import Edit, Problem
from layerloom.schema.report import Report

AUTO = {"$auto": True}
Json = dict[str, Any]


def ref(node: str, *path: int | str) -> Json:
    """The result of a node or input."""
    return {"$ref": node, "path": list(path)} if path else {"$ref": node}


def expr(text: str) -> Json:
    return {"$expr": text}


def layer(name: str, target: str, **arguments: Any) -> Json:
    return {"kind": "layer", "name": name, "target": f"torch.nn.{target}", "arguments": arguments}


def use(name: str, block: str, **arguments: Any) -> Json:
    return {"kind": "block", "name": name, "block": block, "arguments": arguments}


def sequential(name: str, *items: Json) -> Json:
    return {"kind": "sequential", "name": name, "items": list(items)}


def repeat(over: str, item: Json, *variables: str) -> Json:
    return {"kind": "repeat", "variables": list(variables) or ["_"], "over": expr(over), "item": item}


def call(node: str, target: str, *args: str | Json, **arguments: Any) -> Json:
    """A call of a member; one positional argument is ``input``."""
    given = {"input": ref(args[0]) if isinstance(args[0], str) else args[0]} if args else {}
    return {"op": "call", "id": node, "target": target, "arguments": {**given, **arguments}}


def function(node: str, target: str, **arguments: Any) -> Json:
    return {"op": "function", "id": node, "target": target, "arguments": arguments}


def get(node: str, target: str) -> Json:
    return {"op": "get", "id": node, "target": target}


def block(members: list[Json], nodes: list[Json], output: Any, inputs: str = "x", arguments: Any = ()) -> Json:
    forward = {"inputs": [{"name": name} for name in inputs.split()], "nodes": nodes, "output": output}
    return {"members": members, "arguments": list(arguments), "forward": forward}


def argument(name: str, kind: str = "int", **rest: Any) -> Json:
    return {"name": name, "type": kind, **rest}


def network(
    members: list[Json],
    nodes: list[Json],
    output: Any = None,
    *,
    inputs: Json | None = None,
    blocks: Json | None = None,
    arguments: Any = (),
    **rest: Any,
) -> Json:
    """A document whose main block is ``Net``. The output is the last node unless another is given."""
    examples = {"x": {"shape": [8]}} if inputs is None else inputs
    result = output if output is not None else (ref(nodes[-1]["id"]) if nodes else None)
    main = block(members, nodes, result, " ".join(examples), arguments)
    return {"main": "Net", "blocks": {"Net": main, **(blocks or {})}, "inputs": examples, **rest}


def chain(*layers: Json, shape: list[int], dtype: str = "float32", **rest: Any) -> Json:
    """Layers called one after the other."""
    nodes = []
    previous = "x"
    for item in layers:
        entry = find(item["target"])
        port = entry.inputs[0].name if entry else "input"
        nodes.append(call(f"call_{item['name']}", item["name"], **{port: ref(previous)}))
        previous = nodes[-1]["id"]
    return network(list(layers), nodes, inputs={"x": {"shape": shape, "dtype": dtype}}, **rest)


def parsed(document: Json) -> Document:
    """Through JSON, as a client sends it."""
    return Document.model_validate_json(orjson.dumps(document))


def codes(report: Report) -> list[str]:
    return [str(problem.code) for problem in report.problems]


def errors(report: Report) -> list[Problem]:
    return [problem for problem in report.problems if problem.severity == "error"]


def edited(document: Document, edits: list[Edit]) -> Document:
    """A document with RFC 6902 edits applied."""
    whole = orjson.loads(document.model_dump_json(by_alias=True))
    for edit in edits:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in edit.path.split("/")[1:]]
        place = whole
        for step in steps[:-1]:
            place = place[int(step) if isinstance(place, list) else step]
        last = steps[-1]
        if isinstance(place, list):
            index = len(place) if last == "-" else int(last)
            if edit.op == "add":
                place.insert(index, edit.value)
            elif edit.op == "replace":
                place[index] = edit.value
            else:
                del place[index]
        elif edit.op == "remove":
            del place[last]
        else:
            assert edit.op == "add" or last in place, edit.path
            place[last] = edit.value
    return Document.model_validate_json(orjson.dumps(whole))
