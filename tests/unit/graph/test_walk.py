"""Paths, orders, places: what the check and the writer both go by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerloom.graph.build import load
from layerloom.graph.errors import GraphError
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import evaluate, instances
from layerloom.graph.source import write
from layerloom.graph.walk import block_order, join, order, references, steps
from layerloom.schema.document import Document, Graph
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Expr

RELU = {"kind": "layer", "name": "0", "target": "torch.nn.ReLU"}


def linear(width: Any, name: str = "0") -> dict[str, Any]:
    arguments = {"in_features": width, "out_features": width}
    return {"kind": "layer", "name": name, "target": "torch.nn.Linear", "arguments": arguments}


def repeat(variables: str, over: str, item: Any) -> dict[str, Any]:
    return {"kind": "repeat", "variables": variables.split(), "over": {"$expr": over}, "item": item}


def container(kind: str, name: str, *items: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "items": list(items)}


def document(*members: Any, blocks: dict[str, Any] | None = None, arguments: Any = ()) -> Document:
    forward = {"inputs": [{"name": "x"}], "nodes": [], "output": {"$ref": "x"}}
    main = {"members": list(members), "forward": forward, "arguments": list(arguments)}
    return Document.model_validate({"main": "Net", "blocks": {"Net": main, **(blocks or {})}})


def graph(**reads: str) -> Graph:
    nodes = [
        {
            "op": "function",
            "id": name,
            "target": "torch.cat",
            "arguments": {"tensors": [{"$ref": other} for other in read]},
        }
        for name, read in reads.items()
    ]
    return Graph.model_validate({"nodes": nodes})


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        ({"a": "", "b": "a", "c": "b"}, "abc"),
        ({"a": "c", "b": "", "c": ""}, "cab"),
        ({"a": "", "b": "d", "c": "", "d": "a"}, "adbc"),
        ({"a": "x", "b": "?"}, "ab"),
        ({"c": "ab", "b": "a", "a": ""}, "abc"),
    ],
)
def test_nodes_run_in_list_order_moved_as_far_as_needed(reads: dict[str, str], expected: str) -> None:
    assert "".join(node.id for node in order(graph(**reads))) == expected


@given(st.permutations(range(30)), st.data())
def test_order_is_a_stable_topological_sort(shuffled: list[int], data: st.DataObject) -> None:
    reads = {i: data.draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set() for i in range(30)}
    drawn = graph(**{chr(200 + i): "".join(chr(200 + j) for j in sorted(reads[i])) for i in shuffled})
    ordered = order(drawn)
    placed: set[str] = set()
    for node in ordered:
        assert set(references(node)) <= placed
        placed.add(node.id)
    assert len(placed) == 30
    assert order(drawn.model_copy(update={"nodes": ordered})) == ordered, "an order that fits is kept"


@pytest.mark.parametrize("reads", [{"a": "a"}, {"a": "b", "b": "a"}, {"x": "a", "a": "b", "b": "c", "c": "a"}])
def test_cycles_are_named(reads: dict[str, str]) -> None:
    with pytest.raises(GraphError, match=r"wait for each other: (a|b)") as raised:
        order(graph(**reads))
    assert raised.value.problems[0].code is ProblemCode.CYCLE


def test_a_long_chain_needs_no_recursion() -> None:
    nodes = [
        {"op": "function", "id": f"n{i}", "target": "torch.relu", "arguments": {"input": {"$ref": f"n{i + 1}"}}}
        for i in range(4_999)
    ]
    assert order(Graph.model_validate({"nodes": nodes}))[0].id == "n4998"


NESTED = document(
    container(
        "module_list",
        "stages",
        RELU,
        repeat(
            "i w",
            "enumerate(widths)",
            container("sequential", "", linear({"$expr": "w"}), repeat("_", "range(i)", RELU)),
        ),
        RELU,
    ),
    container("module_dict", "heads", repeat("name", "names", linear(3, "name")), linear(2, "last")),
    container("sequential", "named", {**RELU, "name": "act"}, linear(4, "fc")),
    {"kind": "alias", "name": "again", "of": "named"},
    {"kind": "block", "name": "part", "block": "Part", "arguments": {"n": {"$expr": "len(widths)"}}},
    blocks={
        "Part": {
            "arguments": [{"name": "n", "required": True}],
            "members": [
                container(
                    "parameter_list",
                    "p",
                    repeat("i", "range(n)", {"kind": "parameter", "name": "", "shape": [{"$expr": "i + 1"}]}),
                )
            ],
        }
    },
    arguments=[
        {"name": "widths", "type": "list[int]", "default": [4, 5]},
        {"name": "names", "type": "list[str]", "default": ["a", "b"]},
    ],
)


def test_places_are_the_modules_that_torch_makes() -> None:
    found = instances(NESTED)
    module = load(write(with_forward(NESTED)))
    made = {name for name, _ in module.Net().named_modules() if name}
    paths = {".".join(filter(None, (name, path))) for name, instance in found.items() for path in instance.places}
    parameters = {"part.p.0", "part.p.1"}
    assert paths - {"again"} - parameters == made
    assert parameters <= set(module.Net().state_dict())


def with_forward(drawn: Document) -> Document:
    """Part has no forward of its own, because no test calls it."""
    part = drawn.blocks["Part"]
    forward = Graph.model_validate({"inputs": [{"name": "x"}], "output": {"$ref": "x"}})
    return drawn.model_copy(update={"blocks": {**drawn.blocks, "Part": part.model_copy(update={"forward": forward})}})


def test_places_know_their_scope() -> None:
    places = instances(NESTED)[""].places
    fifth = places["stages.2.0"]
    assert evaluate(fifth.member.arguments["in_features"], fifth.environment) == 5
    assert fifth.pointer == "/blocks/Net/members/0/items/1/item/items/0"
    assert dict(instances(NESTED)["part"].environment) == {"training": False, "n": 2}
    assert list(places)[:4] == ["stages", "stages.0", "stages.1", "stages.1.0"]


@pytest.mark.parametrize(
    ("path", "kinds", "last"),
    [
        ("stages.0", ["attribute", "index"], "layer"),
        ("stages.7.0", ["attribute", "index", "index"], "layer"),
        ("heads.a", ["attribute", "key"], "layer"),
        ("heads.last", ["attribute", "key"], "layer"),
        ("named.fc.weight", ["attribute", "attribute", "attribute"], None),
        ("again.fc", ["attribute", "attribute"], "layer"),
        ("part.p.3", ["attribute", "attribute", "index"], "parameter"),
    ],
)
def test_paths_lead_through_everything(path: str, kinds: list[str], last: str | None) -> None:
    found = steps(NESTED, "Net", path)
    assert [step.kind for step in found] == kinds
    assert (found[-1].member.kind if found[-1].member else None) == last


def test_an_index_behind_a_repeat_of_known_length_means_what_stands_there() -> None:
    held = container("module_list", "s", repeat("i", "range(2)", linear(3)), RELU, repeat("i", "range(n)", linear(4)))
    drawn = document(held, arguments=[{"name": "n", "default": 2}])
    sizes = [getattr(steps(drawn, "Net", f"s.{index}")[-1].member, "arguments", {}) for index in range(4)]
    assert [it.get("in_features") for it in sizes] == [3, 3, None, 4]
    assert [place.member.arguments.get("in_features") for place in list(instances(drawn)[""].places.values())[1:5]] == [
        it.get("in_features") for it in sizes
    ]


@pytest.mark.parametrize(
    "path", ["gone", "named.gone", "named.fc.scale", "stages.x", "part.gone", "named.fc.weight.x", ""]
)
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(GraphError) as raised:
        steps(NESTED, "Net", path)
    assert raised.value.problems[0].code is ProblemCode.UNKNOWN_MEMBER


def test_blocks_stand_before_those_that_use_them() -> None:
    use = {"kind": "block", "name": "u"}
    blocks = {"A": {}, "B": {"members": [{**use, "block": "A"}]}, "Unused": {}}
    main = container("sequential", "s", repeat("i", "range(2)", {**use, "block": "B"}))
    assert block_order(document(main, {**use, "block": "A"}, blocks=blocks)) == ["A", "B", "Net"]


@pytest.mark.parametrize(
    ("members", "blocks", "code"),
    [
        ([{"kind": "block", "name": "b", "block": "Net"}], {}, "recursion"),
        ([{"kind": "block", "name": "b", "block": "Gone"}], {}, "unknown_block"),
        (
            [
                container(
                    "module_list",
                    "m",
                    repeat("i", "range(10_000)", container("sequential", "", repeat("j", "range(10_000)", RELU))),
                )
            ],
            {},
            "too_many_nodes",
        ),
        ([container("module_list", "m", repeat("i", "range(10**9)", RELU))], {}, "expression_invalid"),
        ([container("module_list", "m", repeat("i", "3", RELU))], {}, "expression_invalid"),
        ([container("module_list", "m", repeat("i j", "range(3)", RELU))], {}, "expression_invalid"),
        ([container("module_dict", "m", repeat("i", "range(3)", linear(1, "i")))], {}, "expression_invalid"),
        (
            [{"kind": "block", "name": "b", "block": "P"}],
            {"P": {"arguments": [{"name": "n", "required": True}]}},
            "expression_invalid",
        ),
    ],
)
def test_what_cannot_be_expanded(members: list[Any], blocks: dict[str, Any], code: str) -> None:
    with pytest.raises(GraphError) as raised:
        instances(document(*members, blocks=blocks))
    assert raised.value.problems[0].code == code
    assert raised.value.problems[0].pointer


def test_containers_nest_sixteen_deep() -> None:
    def nested(depth: int) -> dict[str, Any]:
        inner: dict[str, Any] = RELU
        for _ in range(depth - 1):
            inner = container("sequential", "0", inner)
        return {**inner, "name": "s"}

    assert len(instances(document(nested(16)))[""].places) == 16
    with pytest.raises(GraphError, match="16 deep"):
        instances(document(nested(17)))


def test_references_and_automatic_sizes_have_no_value() -> None:
    for value in ({"$ref": "x"}, {"$auto": True}, {"$dtype": "float33"}, {"$function": "torch.os.system"}):
        with pytest.raises(ExpressionError):
            evaluate(
                Document.model_validate({"main": "", "blocks": {"": {"forward": {"output": value}}}})
                .blocks[""]
                .forward.output,
                {},
            )
    assert evaluate(Expr(expr="zip(a, a)"), {"a": [1]}) == [(1, 1)]


json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20).filter(lambda text: text.isprintable()),
        st.sampled_from(
            [
                {"$ref": "a", "path": [0, "b"]},
                {"$expr": "1 + 1"},
                {"$auto": True},
                {"$dtype": "int64"},
                {"$float": "-inf"},
                {"$ellipsis": True},
                {"$function": "torch.relu"},
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(lambda items: {"$tuple": items}),
        st.lists(inner, min_size=3, max_size=3).map(lambda items: {"$slice": items}),
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda items: {"$dict": items}),
        inner.map(lambda value: {"$layer": {"target": "torch.nn.ReLU", "arguments": {"inplace": value}}}),
    ),
    max_leaves=10,
)


@given(json)
def test_values_round_trip_through_json(value: Any) -> None:
    arguments = {"a": value}
    layer = {"kind": "layer", "name": "l", "target": "torch.nn.ReLU", "arguments": arguments}
    drawn = document(layer)
    again = Document.model_validate_json(drawn.model_dump_json(by_alias=True))
    assert again == drawn
    assert again.model_dump(mode="json", by_alias=True) == drawn.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize(
    ("around", "path", "whole"),
    [("", "", ""), ("", "conv.weight", "conv.weight"), ("stem", "", "stem"), ("stem.0", "conv", "stem.0.conv")],
)
def test_paths_are_joined_as_keys_are(around: str, path: str, whole: str) -> None:
    assert join(around, path) == whole
