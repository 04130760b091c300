"""The body of forward: however nodes are folded into lines, they run in the order and with the values of the graph."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from layerloom.graph.build import load
from layerloom.graph.source import write
from layerloom.graph.walk import order
from layerloom.schema.document import Document


def ref(name: str, *path: Any) -> dict[str, Any]:
    return {"$ref": name, "path": list(path)}


def function(name: str, target: str, **arguments: Any) -> dict[str, Any]:
    return {"op": "function", "id": name, "target": target, "arguments": arguments}


def call(name: str, target: str, **arguments: Any) -> dict[str, Any]:
    return {"op": "call", "id": name, "target": target, "arguments": arguments}


def document(nodes: list[Any], output: Any, inputs: str = "x", members: tuple[Any, ...] = (), **block: Any) -> Document:
    forward = {"inputs": [{"name": name} for name in inputs.split()], "nodes": nodes, "output": output}
    main = {"members": list(members), "forward": forward, **block}
    return Document.model_validate({"main": "Net", "blocks": {"Net": main}})


def body(source: str) -> list[str]:
    """The lines of main's forward."""
    return [line.strip() for line in source.rpartition("def forward")[2].splitlines()[1:]]


# --- any graph


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Any]:
    """Nodes with random numbers in them, several readers, tuple results and unused ones, in any order."""
    nodes: list[dict[str, Any]] = []
    values: list[Any] = [ref("x"), ref("y")]
    for index in range(draw(st.integers(1, 14))):
        name = f"n{index}"
        one, two = (draw(st.sampled_from(values)) for _ in range(2))
        kind = draw(st.sampled_from(["dropout", "add", "matmul", "sin", "chunk", "cat", "scaled", "neg"]))
        match kind:
            case "dropout":
                node = function(name, "torch.nn.functional.dropout", input=one, p=0.5, training=True)
            case "add" | "matmul":
                node = function(name, f"operator.{kind}", input=one, other=two)
            case "sin":
                node = function(name, "torch.Tensor.sin", input=one)
            case "chunk":
                node = function(name, "torch.Tensor.chunk", input=one, chunks=2)
            case "cat":
                node = function(name, "torch.stack", tensors=[one, two])
            case "scaled":
                node = function(name, "operator.sub", input=0.5, other=one)
            case "neg":
                node = function(name, "operator.neg", input=one)
        if draw(st.booleans()) and kind != "chunk":
            node["name"] = draw(st.sampled_from(["a", "x", "hidden"]))
        nodes.append(node)
        match kind:
            case "chunk":
                half = function(f"{name}c", "torch.cat", tensors=[ref(name, 1), ref(name, 0)])
                nodes.append(half)
                values.append(ref(f"{name}c"))
            case "cat":
                nodes.append(function(f"{name}m", "torch.Tensor.mean", input=ref(name), dim=0))
                values.append(ref(f"{name}m"))
            case _:
                values.append(ref(name))
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    output = chosen[0] if len(chosen) == 1 else {"$tuple": chosen}
    return draw(st.permutations(nodes)), output


OPERATIONS: dict[str, Any] = {
    "torch.nn.functional.dropout": F.dropout,
    "operator.add": operator.add,
    "operator.sub": operator.sub,
    "operator.matmul": operator.matmul,
    "operator.neg": operator.neg,
    "torch.Tensor.sin": torch.Tensor.sin,
    "torch.Tensor.chunk": torch.Tensor.chunk,
    "torch.Tensor.mean": torch.Tensor.mean,
    "torch.stack": torch.stack,
    "torch.cat": torch.cat,
}


def interpret(drawn: Document, inputs: dict[str, torch.Tensor]) -> Any:
    """Runs the nodes one after another, as the graph means them."""
    graph = drawn.blocks[drawn.main].forward
    results: dict[str, Any] = dict(inputs)

    def value(given: Any) -> Any:
        if isinstance(given, list):
            return [value(item) for item in given]
        if hasattr(given, "items") and not isinstance(given, dict):
            return tuple(value(item) for item in given.items)
        if not hasattr(given, "ref"):
            return given
        found = results[given.ref]
        for part in given.path:
            found = found[part]
        return found

    needed = {reference.ref for reference in _refs(graph.output)}
    ordered = order(graph)
    for node in reversed(ordered):
        if node.id in needed:
            needed |= {reference.ref for argument in node.arguments.values() for reference in _refs(argument)}
    for node in ordered:
        if node.id in needed:
            first, *rest = node.arguments.items()
            named = {key: value(argument) for key, argument in rest}
            if node.target.startswith("operator."):
                results[node.id] = OPERATIONS[node.target](value(first[1]), *named.values())
            else:
                results[node.id] = OPERATIONS[node.target](value(first[1]), **named)
    return value(graph.output)


def _refs(given: Any) -> list[Any]:
    from layerloom.schema.values import refs

    return list(refs(given))


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_any_graph_computes_what_its_nodes_say(graph: tuple[list[dict[str, Any]], Any]) -> None:
    nodes, output = graph
    drawn = document(nodes, output, inputs="x y")
    inputs = {name: torch.rand(4, 4) for name in "xy"}
    torch.manual_seed(1)
    expected = interpret(drawn, inputs)
    state = torch.get_rng_state()
    torch.manual_seed(1)
    got = load(write(drawn)).Net()(**inputs)
    for a, b in zip(
        got if isinstance(got, tuple) else [got], expected if isinstance(expected, tuple) else [expected], strict=True
    ):
        assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), state)


# --- what a person would write

LINEAR = {
    "kind": "layer",
    "name": "fc",
    "target": "torch.nn.Linear",
    "arguments": {"in_features": 4, "out_features": 4},
}
LSTM = {
    "kind": "layer",
    "name": "lstm",
    "target": "torch.nn.LSTM",
    "arguments": {"input_size": 4, "hidden_size": 4, "batch_first": True},
}


def test_a_linear_chain_reuses_its_name() -> None:
    nodes = [call("n0", "fc", input=ref("x"))]
    nodes += [call(f"n{i}", "fc", input=ref(f"n{i - 1}")) for i in range(1, 5)]
    assert body(write(document(nodes, ref("n4"), members=(LINEAR,)))) == [
        "x = self.fc(self.fc(self.fc(x)))",
        "return self.fc(self.fc(x))",
    ]


def test_a_skip_keeps_its_input() -> None:
    nodes = [call("a", "fc", input=ref("x")), function("b", "operator.add", input=ref("x"), other=ref("a"))]
    assert body(write(document(nodes, ref("b"), members=(LINEAR,)))) == ["return x + self.fc(x)"]


def test_calls_are_not_folded_against_their_order() -> None:
    nodes = [
        function("a", "torch.nn.functional.dropout", input=ref("x")),
        function("b", "torch.nn.functional.dropout", input=ref("x")),
        function("c", "operator.sub", input=ref("b"), other=ref("a")),
    ]
    assert body(write(document(nodes, ref("c")))) == [
        "out = F.dropout(x)",
        "return F.dropout(x) - out",
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((0,), "x, _ = self.lstm(x)"),
        ((1, 0), "_, (x, _) = self.lstm(x)"),
        ((1,), "_, x = self.lstm(x)"),
    ],
)
def test_parts_of_a_tuple_are_unpacked(path: tuple[int, ...], line: str) -> None:
    nodes = [call("a", "lstm", input=ref("x")), function("b", "torch.relu", input=ref("a", *path))]
    assert body(write(document(nodes, ref("b"), members=(LSTM,))))[0] == line


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ({"$tuple": [ref("r"), ref("r", 0)]}, "return x, x[0]"),
        ({"$tuple": [ref("r", -1), ref("r", 1, 0)]}, "return x[-1], x[1][0]"),
        ({"$tuple": [ref("r", 1), ref("r", 1, 0)]}, "return hidden, hidden[0]"),
    ],
)
def test_what_is_read_whole_or_from_its_end_is_not_unpacked(output: Any, line: str) -> None:
    drawn = document([call("r", "lstm", input=ref("x"))], output, members=(LSTM,))
    assert body(write(drawn))[-1] == line


def test_all_parts_have_torchs_names() -> None:
    nodes = [call("a", "lstm", input=ref("x"))]
    output = {"$tuple": [ref("a", 0), ref("a", 1, 0), ref("a", 1, 1)]}
    assert body(write(document(nodes, output, members=(LSTM,)))) == [
        "output, (hidden, cell) = self.lstm(x)",
        "return output, hidden, cell",
    ]


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        ([("add", "x", "y"), ("mul", 0, "x")], "(x + y) * x"),
        ([("mul", "x", "y"), ("add", 0, "x")], "x * y + x"),
        ([("sub", "x", "y"), ("sub", "y", 0)], "y - (x - y)"),
        ([("sub", "x", "y"), ("sub", 0, "y")], "x - y - y"),
        ([("pow", "x", 2), ("neg", 0)], "-(x**2)"),
        ([("neg", "x"), ("pow", 0, 2)], "(-x) ** 2"),
        ([("matmul", "x", "y"), ("pow", 2, 0)], "2 ** (x @ y)"),
        ([("mul", "x", -1.5)], "x * -1.5"),
        ([("pow", -2, "x")], "(-2) ** x"),
        ([("lt", "x", "y"), ("and_", 0, "x")], "(x < y) & x"),
        ([("lt", "x", "y"), ("eq", 0, "x")], "(x < y) == x"),
    ],
)
def test_operators_bind_as_in_the_graph(nodes: list[tuple[Any, ...]], line: str) -> None:
    written = []
    for index, (name, *operands) in enumerate(nodes):
        values = [
            ref(operand) if isinstance(operand, str) else ref("n0") if operand == 0 else operand for operand in operands
        ]
        keys = ("input", "other")
        written.append(function(f"n{index}", f"operator.{name}", **dict(zip(keys, values, strict=False))))
    assert body(write(document(written, ref(f"n{len(nodes) - 1}"), inputs="x y"))) == [f"return {line}"]


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (0, "x[0]"),
        ({"$tuple": [{"$slice": [None, None, None]}, -1]}, "x[:, -1]"),
        ({"$tuple": [{"$ellipsis": True}, {"$slice": [1, None, 2]}]}, "x[..., 1::2]"),
        ({"$slice": [{"$expr": "n + 1"}, None, None]}, "x[self.n + 1 :]"),
        ({"$slice": [None, {"$expr": "n"}, None]}, "x[: self.n]"),
        ({"$tuple": [0]}, "x[(0,)]"),
        (None, "x[None]"),
        ([0, 2], "x[[0, 2]]"),
    ],
)
def test_indexing_reads_like_python(index: Any, text: str) -> None:
    nodes = [function("a", "operator.getitem", input=ref("x"), index=index)]
    arguments = [{"name": "n", "type": "int", "default": 1}]
    assert body(write(document(nodes, ref("a"), arguments=arguments))) == [f"return {text}"]


def test_a_loop_carries_its_value() -> None:
    layers = {"kind": "module_list", "name": "layers", "items": [{**LINEAR, "name": str(i)} for i in range(2)]}
    nodes = [
        call("a", "layers.1", input=ref("x")),
        {"op": "loop", "id": "b", "target": "layers", "arguments": {"input": ref("a")}},
        function("c", "operator.add", input=ref("x"), other=ref("b")),
    ]
    assert body(write(document(nodes, ref("c"), members=(layers,)))) == [
        "out = self.layers[1](x)",
        "for layer in self.layers:",
        "out = layer(out)",
        "return x + out",
    ]


def test_choices_by_key_and_of_all() -> None:
    heads = {"kind": "module_dict", "name": "heads", "items": [{**LINEAR, "name": name} for name in ("one", "two")]}
    nodes = [
        {"op": "choose", "id": "a", "target": "heads", "key": "one", "arguments": {"input": ref("x")}},
        {"op": "choose", "id": "b", "target": "heads", "key": {"$expr": "which"}, "arguments": {"input": ref("a")}},
        {"op": "choose", "id": "c", "target": "heads", "arguments": {"input": ref("b")}},
    ]
    arguments = [{"name": "which", "type": "str", "default": "two"}]
    drawn = document(nodes, ref("c"), members=(heads,), arguments=arguments)
    assert body(write(drawn)) == [
        'x = self.heads[self.which](self.heads["one"](x))',
        "return {name: head(x) for name, head in self.heads.items()}",
    ]
    assert list(load(write(drawn)).Net()(torch.rand(2, 4))) == ["one", "two"]


def test_optional_parameters_stand_behind_required_ones() -> None:
    forward = {
        "inputs": [{"name": "mask", "optional": True}, {"name": "x"}],
        "nodes": [function("a", "operator.mul", input=ref("x"), other={"$expr": "b"})],
        "output": ref("a"),
    }
    arguments = [{"name": "a", "default": 1}, {"name": "b", "required": True}]
    part = {"members": [], "arguments": arguments, "forward": forward}
    use = {"kind": "block", "name": "part", "block": "Part", "arguments": {"b": 3}}
    drawn = document([call("a", "part", x=ref("x"))], ref("a"), members=(use,))
    drawn = Document.model_validate({"main": "Net", "blocks": {"Part": part, "Net": drawn.blocks["Net"]}})
    source = write(drawn)
    assert "def __init__(self, b: int, a: int = 1):" in source
    assert "def forward(self, x, mask=None):" in source
    assert load(source).Net()(torch.tensor(2)) == 6


def test_names_in_a_comprehension_hide_no_value() -> None:
    heads = {"kind": "module_dict", "name": "heads", "items": [{**LINEAR, "name": "one"}]}
    nodes = [{"op": "choose", "id": "c", "target": "heads", "arguments": {"input": ref("head")}}]
    drawn = document(nodes, ref("c"), inputs="head", members=(heads,))
    assert body(write(drawn)) == ["return {name: head_(head) for name, head_ in self.heads.items()}"]


def test_an_argument_that_a_member_is_named_after_gets_another_attribute() -> None:
    dropout = {"kind": "layer", "name": "p", "target": "torch.nn.Dropout", "arguments": {"p": {"$expr": "p"}}}
    nodes = [function("a", "operator.mul", input=ref("x"), other={"$expr": "p"}), call("b", "p", input=ref("a"))]
    drawn = document(nodes, ref("b"), members=(dropout,), arguments=[{"name": "p", "type": "float", "default": 0.5}])
    source = write(drawn)
    assert "self.p_ = p" in source
    assert body(source) == ["return self.p(x * self.p_)"]
    assert torch.equal(load(source).Net().eval()(torch.ones(2)), torch.full((2,), 0.5))
