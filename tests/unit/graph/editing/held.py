"""Documents whose blocks hold instances of a class in containers, one in another, repeated, called in every way."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from layerloom.schema.document import Document
from unit.graph.checking.drawing import Json, argument, block, call, expr, function, layer, network, parsed, ref
from unit.graph.checking.drawing import repeat as repeated
from unit.graph.checking.drawing import use as used

WIDTH = 8

INNER = block(
    [layer("fc", "Linear", in_features=expr("width"), out_features=expr("width"))],
    [call("n1", "fc", "h")],
    ref("n1"),
    inputs="h",
    arguments=[argument("width")],
)
"""What the classes use."""


def some_class(draw: st.DrawFn) -> Json:
    """A class that gives what is as wide as what it takes: a chain of layers, or one with more in it."""
    plain = draw(st.booleans())
    members: list[Json] = []
    nodes: list[Json] = []
    at: Json = ref("x")
    kinds = ["linear", "act", "norm", "part"] + ([] if plain else ["add", "relu", "again", "scale"])
    for index, kind in enumerate(draw(st.lists(st.sampled_from(kinds), max_size=4))):
        name, node = f"m{index}", f"n{index}"
        match kind:
            case "linear":
                members.append(layer(name, "Linear", in_features=expr("width"), out_features=expr("width")))
            case "act":
                members.append(layer(name, "LeakyReLU", negative_slope=expr("1 / (depth + 2)")))
            case "norm":
                members.append(layer(name, "LayerNorm", normalized_shape=[expr("width")]))
            case "part":
                members.append(used(name, "Inner", width=expr("width")))
            case "scale":
                members.append({"kind": "parameter", "name": name, "shape": [expr("width")]})
        if kind in ("linear", "act", "norm"):
            nodes.append(call(node, name, input=at))
        elif kind == "part":
            nodes.append(call(node, name, h=at))
        elif kind == "again" and members and nodes and nodes[-1]["op"] == "call":
            nodes.append({**nodes[-1], "id": node, "arguments": dict.fromkeys(nodes[-1]["arguments"], at)})
        elif kind == "scale":
            nodes += [{"op": "get", "id": f"g{index}", "target": name}]
            nodes.append(function(node, "torch.mul", input=at, other=ref(f"g{index}")))
        else:
            other = expr("0.5 * depth") if kind == "again" else ref("x")
            target = "torch.relu" if kind == "relu" else "torch.add"
            nodes.append(function(node, target, input=at, **({} if kind == "relu" else {"other": other})))
        at = ref(node)
    return block(members, nodes, at, arguments=[argument("width", required=True), argument("depth", default=1)])


def _over(draw: st.DrawFn) -> tuple[str, list[str]]:
    texts = ["range(3)", "[2, 3]", "depths", "range(count)", "range(1, count + 1)", "enumerate(depths)"]
    text = draw(st.sampled_from([*texts, "zip(depths, range(5))"]))
    return text, ["i", "d"] if "(depths" in text else ["i"]


def _item(draw: st.DrawFn, name: str, variable: str | None) -> Json:
    return used(name, "B", width=expr("width"), **({"depth": expr(variable)} if variable else {}))


def _items(draw: st.DrawFn, depth: int) -> list[Json]:
    """Items of a list or Sequential, one behind the other."""
    items: list[Json] = []
    for index in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["use", "use", "repeat", "layer", *(["nested"] if depth else [])]))
        if kind == "layer":
            items.append(layer(str(index), "Tanh"))
        elif kind == "nested":
            items.append({"kind": "sequential", "name": str(index), "items": _items(draw, depth - 1)})
        else:
            text, variables = _over(draw)
            item = _item(draw, str(index), variables[-1] if kind == "repeat" else None)
            items.append(repeated(text, item, *variables) if kind == "repeat" else item)
    return items


@st.composite
def held(draw: st.DrawFn) -> Document:
    """A document that checks. The containers lie in ``Outer``, of which there are one or two instances."""
    members: list[Json] = []
    nodes: list[Json] = []
    at: Json = ref("x")
    for index in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["sequential", "module_list", "module_dict"]))
        name, node = f"c{index}", f"n{index}"
        if kind == "module_dict":
            keys = ["one", "two"] if draw(st.booleans()) else ["a b", "1"]
            items: list[Json] = [_item(draw, key, None) for key in keys]
            if draw(st.booleans()):
                items = [repeated("['one', 'two']", _item(draw, "key", None), "key")]
                keys = ["one", "two"]
            members.append({"kind": kind, "name": name, "items": items})
            every = draw(st.booleans())
            chosen: dict[str, Any] = {"op": "choose", "id": node, "target": name, "arguments": {"x": at}}
            nodes.append({**chosen, "key": None if every else keys[0]})
            at = ref(node, keys[-1]) if every else ref(node)
            continue
        members.append({"kind": kind, "name": name, "items": _items(draw, 1)})
        if kind == "sequential" and draw(st.booleans()):
            nodes.append(call(node, name, input=at))
        else:
            nodes.append({"op": "loop", "id": node, "target": name, "arguments": {"input": at}})
        at = ref(node)
    arguments = [argument("width", required=True), argument("count", default=2)]
    arguments.append(argument("depths", "list[int]", default=[1, 3]))
    blocks = {"Inner": INNER, "B": some_class(draw), "Outer": block(members, nodes, at, arguments=arguments)}
    counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    uses = [used(f"o{index}", "Outer", width=WIDTH, count=count) for index, count in enumerate(counts)]
    calls = [call(f"n{index}", f"o{index}", x=ref(f"n{index - 1}" if index else "x")) for index in range(len(uses))]
    frozen = draw(st.sampled_from([[], ["*.m0.*"], ["o0.*"]]))
    return parsed(network(uses, calls, blocks=blocks, frozen=frozen))


@st.composite
def in_a_row(draw: st.DrawFn) -> tuple[Document, int]:
    """A document with several instances of a class, ``b0``, ``b1``, …, one behind the other."""
    count = draw(st.integers(2, 4))
    uses = [used(f"b{index}", "B", width=WIDTH, depth=draw(st.integers(1, 3))) for index in range(count)]
    calls = [call(f"c{index}", f"b{index}", x=ref(f"c{index - 1}" if index else "x")) for index in range(count)]
    frozen = draw(st.sampled_from([[], ["b1.*"], ["*.m0.*"]]))
    return parsed(network(uses, calls, blocks={"B": some_class(draw), "Inner": INNER}, frozen=frozen)), count
