"""No text of a document becomes syntax: the writer is given documents that no check has seen."""

from __future__ import annotations

import ast
import copy
from typing import Any

import pytest

from layerloom.graph.build import load
from layerloom.graph.errors import GraphError
from layerloom.graph.source import write
from layerloom.schema.document import Document

BOOM = "BOOM_WAS_HERE"
PAYLOADS = [
    f'"""\nimport builtins; builtins.{BOOM} = 1\n"""',
    f"'); import builtins; builtins.{BOOM} = 1; ('",
    f'\\"""; import builtins; builtins.{BOOM} = 1 #',
    f"\\\nimport builtins\nbuiltins.{BOOM} = 1",
    f"\r\nimport builtins; builtins.{BOOM} = 1\x0c\u2028builtins.{BOOM} = 1",
    f"{{{BOOM}!r}} %s \\N{{BULLET}} \\x22 \x00 \u202e \ud800",
    f"x): pass\n    import builtins; builtins.{BOOM} = 1\n    def y(self",
    '"' * 7,
    "\\",
]
DOCUMENT: dict[str, Any] = {
    "main": "Net",
    "name": "net",
    "blocks": {
        "Net": {
            "doc": "Documented.",
            "arguments": [{"name": "mode", "type": "str", "default": "linear"}],
            "members": [
                {
                    "kind": "module_dict",
                    "name": "heads",
                    "items": [{"kind": "layer", "name": "a", "target": "torch.nn.ReLU"}],
                },
                {
                    "kind": "sequential",
                    "name": "body",
                    "items": [{"kind": "layer", "name": "first", "target": "torch.nn.Tanh"}],
                },
                {
                    "kind": "layer",
                    "name": "up",
                    "target": "torch.nn.Upsample",
                    "arguments": {"mode": "nearest", "scale_factor": 2.0},
                },
                {"kind": "buffer", "name": "mask", "shape": [2]},
                {"kind": "parameter", "name": "scale", "shape": [1], "init": [{"function": "torch.nn.init.normal_"}]},
                {
                    "kind": "module_list",
                    "name": "many",
                    "items": [
                        {
                            "kind": "repeat",
                            "variables": ["i"],
                            "over": {"$expr": "range(2)"},
                            "item": {"kind": "layer", "name": "0", "target": "torch.nn.ReLU"},
                        }
                    ],
                },
            ],
            "forward": {
                "inputs": [{"name": "x"}],
                "nodes": [
                    {
                        "op": "choose",
                        "id": "n1",
                        "name": "picked",
                        "target": "heads",
                        "key": "a",
                        "arguments": {"input": {"$ref": "x"}},
                    },
                    {"op": "call", "id": "n2", "target": "body", "arguments": {"input": {"$ref": "n1"}}},
                    {
                        "op": "function",
                        "id": "n3",
                        "target": "torch.nn.functional.interpolate",
                        "arguments": {"input": {"$ref": "n2"}, "mode": {"$expr": "mode"}, "scale_factor": 2.0},
                    },
                    {"op": "get", "id": "n4", "target": "scale"},
                    {
                        "op": "function",
                        "id": "n5",
                        "target": "operator.mul",
                        "arguments": {"input": {"$ref": "n3"}, "other": {"$ref": "n4"}},
                    },
                ],
                "output": {"$dict": {"out": {"$ref": "n5"}}},
            },
        }
    },
    "init": [
        {
            "types": ["torch.nn.Linear"],
            "name": "heads.*",
            "statements": [{"parameter": "weight", "function": "torch.nn.init.constant_", "arguments": {"val": 1.0}}],
        }
    ],
    "frozen": ["body.*"],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all texts in the document, keys of dicts excepted."""
    if isinstance(value, str):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [found for key, item in items for found in places(item, (*path, key))]


def test_the_document_itself_runs() -> None:
    assert load(write(Document.model_validate(DOCUMENT))).Net


@pytest.mark.parametrize("place", places(DOCUMENT), ids=lambda place: ".".join(map(str, place)))
def test_no_text_runs_as_code(place: tuple[Any, ...]) -> None:
    import builtins

    for payload in PAYLOADS:
        changed = copy.deepcopy(DOCUMENT)
        target = changed
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = payload
        try:
            source = write(Document.model_validate(changed))
        except (ValueError, TypeError, KeyError, AttributeError, AssertionError, GraphError):
            continue  # refused
        tree = ast.parse(source)
        assert BOOM not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert BOOM not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert {type(node) for node in tree.body} <= {ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef}
        assert all(line.isprintable() for line in source.split("\n"))
        load(source)
    assert not hasattr(builtins, BOOM)


@pytest.mark.parametrize("key", ["$dict", "arguments", "block", "member arguments"])
def test_keys_are_quoted_or_names(key: str) -> None:
    for payload in PAYLOADS:
        changed = copy.deepcopy(DOCUMENT)
        block = changed["blocks"]["Net"]
        match key:
            case "$dict":
                block["forward"]["output"] = {"$dict": {payload: {"$ref": "n5"}}}
            case "arguments":
                block["forward"]["nodes"][2]["arguments"][payload] = 1
            case "member arguments":
                block["members"][2]["arguments"][payload] = 1
            case "block":
                changed["blocks"][payload] = changed["blocks"].pop("Net")
                changed["main"] = payload
        if key == "$dict":
            tree = ast.parse(write(Document.model_validate(changed)))
            assert payload in {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        else:
            with pytest.raises((ValueError, GraphError)):
                write(Document.model_validate(changed))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *[
            ("class", name)
            for name in (
                "nn",
                "torch",
                "F",
                "print",
                "list",
                "class",
                "a b",
                "1a",
                "",
                "__x",
                "Å",
                "init_weights",
                "module",
                "names",
            )
        ],
        *[("argument", name) for name in ("self", "len", "torch", "nn", "Net", "lambda", "__x", "a.b", "super")],
        *[("input", name) for name in ("self", "F", "range", "def", "", "x y")],
        *[
            ("member", name)
            for name in ("forward", "training", "_modules", "parameters", "a.b", "__x", "", "a-b", "x" * 65)
        ],
        *[("variable", name) for name in ("self", "nn", "Net", "zip", "a,b")],
    ],
)
def test_unusable_names_are_refused(kind: str, name: str) -> None:
    changed = copy.deepcopy(DOCUMENT)
    block = changed["blocks"]["Net"]
    match kind:
        case "class":
            changed["blocks"][name] = changed["blocks"].pop("Net")
            changed["main"] = name
        case "argument":
            block["arguments"][0]["name"] = name
        case "input":
            block["forward"]["inputs"][0]["name"] = name
        case "member":
            block["members"][2]["name"] = name
        case "variable":
            block["members"][5]["items"][0]["variables"] = [name]
    with pytest.raises(GraphError):
        write(Document.model_validate(changed))


@pytest.mark.parametrize(
    "target",
    ["torch.os.system", "os.system", "torch.Tensor.__reduce__", "builtins.eval", "torch.load", "torch.hub.load"],
)
def test_only_the_catalogue_is_called(target: str) -> None:
    changed = copy.deepcopy(DOCUMENT)
    changed["blocks"]["Net"]["forward"]["nodes"][2]["target"] = target
    with pytest.raises((ValueError, KeyError)):
        write(Document.model_validate(changed))
    changed = copy.deepcopy(DOCUMENT)
    changed["blocks"]["Net"]["members"][2]["target"] = target
    with pytest.raises((ValueError, KeyError)):
        write(Document.model_validate(changed))
