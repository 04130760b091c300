"""Places of one structure: found, and made instances of one class."""

from __future__ import annotations

from typing import Any

import pytest

from layerloom.graph import build, to_python
from layerloom.graph.editing import Alike, Offer, alike, dissolve, make_block
from layerloom.graph.errors import GraphError
from layerloom.schema.document import Block, Document
from unit.graph.checking.drawing import Json, argument, block, call, expr, function, layer, network, parsed, ref, use
from unit.graph.editing.short import alias, chained, linear, names, same

STAGES = [(8, 16, 0.1), (16, 4, 0.2), (4, 8, 0.2)]


def stages(*given: tuple[int, int, float]) -> Document:
    """A Linear, a norm and an activation for each, one behind the other, by nodes ``a1 b1 c1 a2 …``."""
    members: list[Json] = []
    nodes: list[Json] = []
    at = "x"
    for number, (before, after, slope) in enumerate(given, 1):
        members += [
            layer(f"fc{number}", "Linear", in_features=before, out_features=after),
            layer(f"norm{number}", "LayerNorm", normalized_shape=[after]),
            layer(f"act{number}", "LeakyReLU", negative_slope=slope),
        ]
        for node, member in zip("abc", members[-3:], strict=True):
            nodes.append(call(f"{node}{number}", member["name"], at))
            at = f"{node}{number}"
    return parsed(network(members, nodes, frozen=["fc2.*"]))


def arguments(offer: Offer) -> list[tuple[str, str, bool]]:
    return [(it.name, it.type, it.required) for it in offer.arguments]


def test_other_places_are_offered_with_the_numbers_that_differ() -> None:
    document = stages(*STAGES)
    untouched = document.model_copy(deep=True)
    offer = alike(document, "Net", ["b1", "a1", "c1"])
    assert document == untouched
    assert arguments(offer) == [
        ("in_features", "int", True),
        ("out_features", "int", True),
        ("negative_slope", "float", True),
    ]
    assert offer.own == {"in_features": 8, "out_features": 16, "negative_slope": 0.1}
    assert offer.places == (
        Alike("Net", ("a2", "b2", "c2"), {"in_features": 16, "out_features": 4, "negative_slope": 0.2}),
        Alike("Net", ("a3", "b3", "c3"), {"in_features": 4, "out_features": 8, "negative_slope": 0.2}),
    )


def test_all_places_become_instances_of_one_class() -> None:
    document = stages(*STAGES)
    offer = alike(document, "Net", ["a1", "b1", "c1"])
    made = make_block(document, "Net", ["a1", "b1", "c1"], "Stage", offer.places)
    assert set(made.document.blocks) == {"Net", "Stage"}
    assert names(made.document.blocks["Stage"]) == ["fc1", "norm1", "act1"]
    given = [(it.name, it.block, it.arguments) for it in uses(made.document.blocks["Net"])]
    values = [offer.own, *(place.arguments for place in offer.places)]
    assert given == [(name, "Stage", it) for name, it in zip(["stage", "stage2", "stage3"], values, strict=True)]
    assert made.moved["fc2"] == "stage2.fc1"
    assert made.document.frozen == ["stage2.fc1.*"]
    assert to_python(made.document).count("nn.Linear(in_features, out_features)") == 1
    same(document, made)
    back = made
    for _, name in zip(values, ["stage", "stage2", "stage3"], strict=True):
        back = back.then(dissolve(back.document, "Net", name))
    same(document, back)
    assert set(back.document.blocks) == {"Net"}


def uses(it: Block) -> list[Any]:
    return [member for member in it.members if member.kind == "block"]


def test_some_places_are_taken_and_what_does_not_differ_is_no_argument() -> None:
    document = stages((8, 8, 0.1), (8, 8, 0.2), (8, 8, 0.3))
    offer = alike(document, "Net", ["a1", "b1", "c1"])
    assert arguments(offer) == [("negative_slope", "float", True)]
    made = make_block(document, "Net", ["a1", "b1", "c1"], "Stage", offer.places[1:])
    assert [it.arguments for it in uses(made.document.blocks["Net"])] == [
        {"negative_slope": 0.1},
        {"negative_slope": 0.3},
    ]
    assert names(made.document.blocks["Net"]) == ["stage", "fc2", "norm2", "act2", "stage2"]
    same(document, made)
    plain = stages((8, 8, 0.1), (8, 8, 0.1))
    assert alike(plain, "Net", ["a1", "b1", "c1"]).arguments == ()


def test_numbers_that_one_place_leaves_to_torch_are_named_where_another_gives_them() -> None:
    members = [layer("a", "LeakyReLU"), layer("b", "LeakyReLU", negative_slope=0.5, inplace=False)]
    document = parsed(network(members, [call("n1", "a", "x"), call("n2", "b", "n1")]))
    assert alike(document, "Net", ["n1"]).places == ()  # a flag is no number
    members = [layer("a", "LeakyReLU"), layer("b", "LeakyReLU", negative_slope=0.5), layer("c", "LeakyReLU")]
    nodes = [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2")]
    document = parsed(network(members, nodes))
    offer = alike(document, "Net", ["n1"])
    assert offer.own == {"negative_slope": 0.01}
    assert [place.arguments for place in offer.places] == [{"negative_slope": 0.5}, {"negative_slope": 0.01}]
    same(document, make_block(document, "Net", ["n1"], "Act", offer.places))
    two = make_block(document, "Net", ["n1"], "Act", offer.places[1:]).document
    assert two.blocks["Act"].members[0].arguments == {}  # type: ignore[union-attr]


def test_places_of_other_blocks_and_of_operations_are_found() -> None:
    def residual(first: int, size: str = "8") -> list[Json]:
        return [
            call(f"n{first}", f"fc{first}", "x" if first == 1 else "n3"),
            function(f"n{first + 1}", "torch.mul", input=ref(f"n{first}"), other=0.1 * first),
            function(f"n{first + 2}", "torch.add", input=ref(f"n{first + 1}"), other=ref("x" if first == 1 else "n3")),
        ]

    wide = {"in_features": expr("width"), "out_features": expr("width")}
    inner = block(
        [layer("fc1", "Linear", **wide), layer("fc4", "Linear", **wide)],
        [*residual(1), *residual(4)],
        ref("n6"),
        arguments=[argument("width", required=True)],
    )
    outer = block([layer("fc1", "Linear", **wide)], residual(1), ref("n3"), arguments=[argument("width", default=8)])
    uses_of = [use("b", "B", width=8), use("c", "C")]
    nodes = [call("n1", "b", x=ref("x")), call("n2", "c", x=ref("n1"))]
    document = parsed(network(uses_of, nodes, blocks={"B": inner, "C": outer}))
    offer = alike(document, "B", ["n1", "n2", "n3"])
    assert [(place.block, place.nodes) for place in offer.places] == [
        ("B", ("n4", "n5", "n6")),
        ("C", ("n1", "n2", "n3")),
    ]
    assert arguments(offer) == [("other", "float", True)]
    made = make_block(document, "B", ["n1", "n2", "n3"], "Residual", offer.places)
    assert [it.name for it in made.document.blocks["Residual"].arguments] == ["width", "other"]
    assert set(made.document.blocks) == {"Net", "B", "C", "Residual"}
    same(document, made)


def test_what_is_used_elsewhere_or_differs_in_more_than_numbers_is_not_offered() -> None:
    shared = parsed(
        network(
            [linear("a"), linear("b"), linear("c")],
            [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2"), call("n4", "b", "n3")],
        )
    )
    assert [place.nodes for place in alike(shared, "Net", ["n1"]).places] == [("n3",)]
    tied = chained(linear("a"), linear("b"), alias("b.weight", "a.weight"), linear("c"))
    assert [place.nodes for place in alike(tied, "Net", ["n3"]).places] == []
    free = chained(linear("a"), layer("b", "Linear", in_features=8, out_features=8, bias=False), layer("c", "Tanh"))
    assert alike(free, "Net", ["n1"]).places == ()
    read = parsed(
        network(
            [linear("a"), linear("b"), linear("c"), linear("d")],
            [*(call(f"n{at}", name, "x" if at == 1 else f"n{at - 1}") for at, name in enumerate("abcd", 1))],
            {"$tuple": [ref("n4"), ref("n3")]},
        )
    )
    assert alike(read, "Net", ["n1", "n2"]).places == ()  # c gives its result to two


def test_two_places_that_wait_for_each_other_are_not_both_offered() -> None:
    # a1 → b1 and b2 → a2: either pair may be one block, and both at once would wait for each other.
    members = [linear("a1"), linear("a2"), linear("b1"), linear("b2")]
    nodes = [
        call("n1", "a1", "x"),
        call("n2", "b2", "x"),
        function("n3", "torch.tanh", input=ref("n2")),
        call("n4", "a2", "n3"),
        function("n5", "torch.tanh", input=ref("n1")),
        call("n6", "b1", "n5"),
        function("n7", "torch.add", input=ref("n4"), other=ref("n6")),
    ]
    document = parsed(network(members, nodes))
    offer = alike(document, "Net", ["n1", "n4"])
    assert all(set(place.nodes) != {"n2", "n6"} for place in offer.places)
    same(document, make_block(document, "Net", ["n1", "n4"], "Pair", offer.places))


def test_a_place_that_is_not_alike_is_refused_whole() -> None:
    document = stages(*STAGES)
    for place, reason in (
        (Alike("Net", ("a2", "b2")), "do not do what the selected nodes do"),
        (Alike("Net", ("a2", "c2", "b2")), "do not do what the selected nodes do"),
        (Alike("Net", ("a1", "b1", "c1")), "has no node"),
        (Alike("Net", ("gone",)), "has no node"),
        (Alike("Gone", ("a1",)), "no block named"),
    ):
        with pytest.raises(GraphError, match=reason):
            make_block(document, "Net", ["a1", "b1", "c1"], "Stage", [place])


def test_initializers_are_numbers_too() -> None:
    def with_gain(name: str, gain: float) -> Json:
        statement = {"parameter": "weight", "function": "torch.nn.init.xavier_uniform_", "arguments": {"gain": gain}}
        return {**linear(name), "init": [statement]}

    document = chained(with_gain("a", 0.5), with_gain("b", 2.0))
    offer = alike(document, "Net", ["n1"])
    assert arguments(offer) == [("gain", "float", True)]
    made = make_block(document, "Net", ["n1"], "Part", offer.places)
    same(document, made)
    old, new = build(document, seed=3), build(made.document, seed=3)
    carried = made.carry(old.state_dict())
    assert all((new.state_dict()[key] == it).all() for key, it in carried.items())
