"""What each edit makes of a document, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from layerloom.graph import build
from layerloom.graph.checking import check
from layerloom.graph.editing import detach, dissolve, make_block
from layerloom.graph.errors import GraphError
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    argument,
    block,
    call,
    errors,
    expr,
    function,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)
from unit.graph.editing.short import B, alias, chained, forward, items, linear, names, same, same_keys


def refused(code: str, *given: Any) -> str:
    with pytest.raises(GraphError) as caught:
        make_block(*given)
    [problem] = caught.value.problems
    assert problem.code == code
    return problem.message


# --- a block of selected nodes


def test_nodes_and_members_move_into_a_class_and_back() -> None:
    document = chained(linear("a"), linear("b"), linear("c"), frozen=["a.weight", "c.*"])
    made = make_block(document, "Net", ["n1", "n2"], "ConvBlock")
    assert names(made.document.blocks["Net"]) == ["conv_block", "c"]
    assert names(made.document.blocks["ConvBlock"]) == ["a", "b"]
    assert made.document.frozen == ["conv_block.a.weight", "c.*"]
    assert made.moved == {"a": "conv_block.a", "b": "conv_block.b"}
    assert [node["op"] for node in forward(made.document)["nodes"]] == ["call", "call"]
    same(document, made)
    back = dissolve(made.document, "Net", "conv_block")
    assert back.document == document


def test_each_value_that_comes_in_is_an_input_and_each_that_is_used_outside_an_output() -> None:
    nodes = [
        function("n1", "torch.chunk", input=ref("x"), chunks=2, dim=1),
        call("n2", "b", ref("n1", 0)),
        function("n3", "torch.add", input=ref("n1", 1), other=ref("n2")),
        function("n4", "torch.relu", input=ref("n3")),
    ]
    document = parsed(network([linear("b", 4)], nodes, {"$tuple": [ref("n2"), ref("n4")]}))
    made = make_block(document, "Net", ["n2", "n3"], "Part").document
    inner = forward(made, "Part")
    assert [item["name"] for item in inner["inputs"]] == ["x", "x2"]
    assert inner["output"] == {"$tuple": [{"$ref": "n2", "path": []}, {"$ref": "n3", "path": []}]}
    called = next(node for node in made.blocks["Net"].forward.nodes if node.op == "call")
    assert called.arguments == {
        "x": document.blocks["Net"].forward.nodes[1].arguments["input"],
        "x2": nodes_ref(document),
    }  # type: ignore[union-attr]
    assert dissolve(made, "Net", "part").document == document


def nodes_ref(document: Document) -> Any:
    return document.blocks["Net"].forward.nodes[2].arguments["input"]  # type: ignore[union-attr]


def test_arguments_that_expressions_read_are_handed_on() -> None:
    inner = block(
        [layer("a", "Linear", in_features=expr("width"), out_features=expr("2 * width"))],
        [call("n1", "a", "x")],
        ref("n1"),
        arguments=[argument("width", required=True), argument("idle", default=3)],
    )
    document = parsed(network([use("b", "B", width=8)], [call("n1", "b", x=ref("x"))], blocks={"B": inner}))
    made = make_block(document, "B", ["n1"], "Part")
    assert [it.name for it in made.document.blocks["Part"].arguments] == ["width"]
    assert made.moved == {"b.a": "b.part.a"}
    same(document, made)
    assert dissolve(made.document, "B", "part").document == document
    [member] = dissolve(document, "Net", "b").document.blocks["Net"].members
    assert member.arguments == {"in_features": 8, "out_features": 16}  # type: ignore[union-attr]


def test_what_would_lie_in_two_classes_is_refused() -> None:
    chain = [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2"), call("n4", "a", "n3")]
    document = parsed(network([linear("a"), linear("b"), linear("c")], chain))
    assert "a is used by other nodes" in refused("argument_invalid", document, "Net", ["n1"], "Part")
    assert "come back" in refused("cycle", document, "Net", ["n1", "n4"], "Part")
    same(document, make_block(document, "Net", ["n2", "n3"], "Part"))
    tied = chained(linear("a"), linear("b"), alias("b.weight", "a.weight"))
    assert "are one" in refused("argument_invalid", tied, "Net", ["n2"], "Part")
    both = make_block(tied, "Net", ["n1", "n2"], "Part")
    assert names(both.document.blocks["Part"]) == ["a", "b", "b.weight"]
    same(tied, both)
    held = {"kind": "module_list", "name": "l", "items": [linear("0"), linear("1")]}
    listed = parsed(network([held], [call("n1", "l.0", "x"), call("n2", "l.1", "n1")]))
    refused("argument_invalid", listed, "Net", ["n1"], "Part")
    same(listed, make_block(listed, "Net", ["n1", "n2"], "Part"))


@pytest.mark.parametrize(
    ("nodes", "name", "code"),
    [([], "Part", "missing_argument"), (["gone"], "Part", "unknown_reference"), (["n1"], "no name", "name_invalid")],
)
def test_a_selection_or_a_name_that_is_none(nodes: list[str], name: str, code: str) -> None:
    refused(code, chained(linear("a")), "Net", nodes, name)
    refused("unknown_block", chained(linear("a")), "Gone", nodes, name)


def test_names_that_are_taken_get_a_number() -> None:
    document = chained(linear("part"), linear("b"))
    made = make_block(document, "Net", ["n2"], "Net").document
    assert set(made.blocks) == {"Net", "Net2"}
    assert names(made.blocks["Net"]) == ["part", "net2"]
    forward_like = make_block(document, "Net", ["n2"], "Forward").document
    assert names(forward_like.blocks["Net"]) == ["part", "forward2"]
    assert not errors(check(forward_like))


def test_what_runs_in_training_only_goes_as_one_or_not_at_all() -> None:
    nodes = [
        call("n1", "a", "x"),
        {**function("n2", "torch.relu", input=ref("n1")), "when": "training"},
        {**function("n3", "torch.tanh", input=ref("n2")), "when": "training"},
    ]
    chosen = {"$if": "training", "then": ref("n3"), "else": ref("n1")}
    document = parsed(network([linear("a")], nodes, chosen))
    assert not errors(check(document))
    refused("argument_invalid", document, "Net", ["n1", "n2"], "Part")
    made = make_block(document, "Net", ["n2", "n3"], "Part")
    assert not errors(check(made.document))
    for training in (True, False):
        old, new = build(document, seed=0).train(training), build(made.document, seed=0).train(training)
        x = torch.randn(3, 8)
        assert torch.equal(old(x), new(x))
    assert dissolve(made.document, "Net", "part").document == document


# --- patterns


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a.*"], ["part.a.*"]),
        (["*.bias"], ["*.bias"]),
        (["*"], ["*"]),
        (["a*"], ["part.a.*"]),
        (["?.weight"], ["c.weight", "part.a.weight", "part.b.weight"]),
    ],
)
def test_patterns_go_on_to_mean_the_same(before: list[str], after: list[str]) -> None:
    document = chained(linear("a"), linear("b"), linear("c"), frozen=before)
    made = make_block(document, "Net", ["n1", "n2"], "Part")
    assert made.document.frozen == after
    old = {name for name, it in build(document).named_parameters() if not it.requires_grad}
    new = {name for name, it in build(made.document).named_parameters() if not it.requires_grad}
    assert new == set(made.carry(dict.fromkeys(old)))


def test_rules_go_on_to_mean_the_same_in_every_instance() -> None:
    inner = block([linear("a"), linear("b")], [call("n1", "a", "x"), call("n2", "b", "n1")], ref("n2"))
    ones = [{"parameter": "weight", "function": "torch.nn.init.ones_"}]
    document = parsed(
        network(
            [{"kind": "module_list", "name": "parts", "items": [repeat("range(2)", use("0", "B"))]}],
            [{"op": "loop", "id": "n", "target": "parts", "arguments": {"input": ref("x")}}],
            blocks={"B": inner},
            init=[{"name": "parts.1.a", "statements": ones}, {"name": "parts.*.b", "statements": ones}],
        )
    )
    made = make_block(document, "B", ["n1"], "Part")
    assert [rule.name for rule in made.document.init] == ["parts.1.part.a", "parts.*.b"]
    assert made.moved == {"parts.0.a": "parts.0.part.a", "parts.1.a": "parts.1.part.a"}
    same(document, made)


# --- dissolving


def test_names_and_ids_that_are_taken_get_a_number_and_the_class_stays_for_others() -> None:
    nodes = [call("n1", "one", x=ref("x")), call("n2", "two", x=ref("n1")), call("n3", "fc", "n2")]
    document = parsed(
        network(
            [use("one", "B"), use("two", "B"), linear("fc")], nodes, blocks={"B": B}, frozen=["one.*", "two.fc.bias"]
        )
    )
    done = dissolve(document, "Net", "one")
    assert names(done.document.blocks["Net"]) == ["fc2", "two", "fc"]
    assert set(done.document.blocks) == {"Net", "B"}
    assert done.document.frozen == ["fc2.*", "two.fc.bias"]
    assert done.moved == {"one.fc": "fc2"}
    same(document, done)
    last = dissolve(done.document, "Net", "two")
    assert set(last.document.blocks) == {"Net"}
    same(done.document, last)


def test_an_instance_that_is_called_twice_and_from_inside_shares_what_it_holds() -> None:
    nodes = [call("n1", "b", x=ref("x")), call("n2", "b", x=ref("n1")), call("n3", "b.fc", "n2")]
    document = parsed(network([use("b", "B")], nodes, blocks={"B": B}))
    done = dissolve(document, "Net", "b")
    assert [node.target for node in done.document.blocks["Net"].forward.nodes] == ["fc", "fc", "fc"]
    same(document, done)


def test_variables_of_repeats_give_way_to_what_is_put_in() -> None:
    item = layer("0", "Linear", in_features=expr("width"), out_features=expr("width + 0 * i"))
    arguments = [argument("width"), argument("depth", default=2)]
    held = sequential("s", repeat("range(depth)", item, "i"))
    inner = block([held], [call("n1", "s", "x")], ref("n1"), arguments=arguments)
    outer = block([use("b", "B", width=expr("i"))], [call("n1", "b", x=ref("x"))], ref("n1"), arguments=[argument("i")])
    document = parsed(
        network([use("o", "Outer", i=8)], [call("n1", "o", x=ref("x"))], blocks={"B": inner, "Outer": outer})
    )
    done = dissolve(document, "Outer", "b")
    same(document, done)
    [kept] = done.document.blocks["Outer"].members
    assert kept.model_dump(mode="json", by_alias=True)["items"][0]["variables"] == ["i2"]


def test_what_is_needed_as_a_whole_is_not_dissolved() -> None:
    second = parsed(network([use("b", "B"), alias("c", "b")], [call("n1", "b", x=ref("x"))], blocks={"B": B}))
    outer = block([use("b", "B")], [call("n1", "b", x=ref("x"))], ref("n1"))
    from_outside = parsed(
        network([use("o", "Outer")], [call("n1", "o.b", x=ref("x"))], blocks={"B": B, "Outer": outer})
    )
    for document, around, member in ((second, "Net", "b"), (from_outside, "Outer", "b")):
        with pytest.raises(GraphError) as caught:
            dissolve(document, around, member)
        assert [str(problem.code) for problem in caught.value.problems] == ["argument_invalid"]


def test_paths_of_other_blocks_and_aliases_follow() -> None:
    outer = block([use("b", "B"), alias("w", "b.fc")], [call("n1", "b", x=ref("x")), call("n2", "w", "n1")], ref("n2"))
    document = parsed(
        network(
            [use("o", "Outer"), linear("d"), alias("d.weight", "o.b.fc.weight")],
            [call("n1", "o", x=ref("x")), call("n2", "o.b.fc", "n1"), call("n3", "d", "n2")],
            blocks={"B": B, "Outer": outer},
        )
    )
    done = dissolve(document, "Outer", "b")
    assert [it.of for it in done.document.blocks["Net"].members if it.kind == "alias"] == ["o.fc.weight"]
    same(document, done)


def test_conditions_are_decided_where_the_values_are_known() -> None:
    inner = block(
        [linear("a"), linear("b")],
        [
            call("n1", "a", "x"),
            {**call("n2", "b", "n1"), "when": "deep and training"},
        ],
        {"$if": "deep and training", "then": ref("n2"), "else": ref("n1")},
        arguments=[argument("deep", "bool", default=False)],
    )
    for deep, expected in ((True, ["True and training"]), (False, ["False and training"])):
        document = parsed(network([use("b", "B", deep=deep)], [call("n1", "b", x=ref("x"))], blocks={"B": inner}))
        done = dissolve(document, "Net", "b")
        assert [it.when for it in done.document.blocks["Net"].forward.nodes if it.when] == expected
        same(document, done)


def test_a_condition_of_arguments_alone_is_gone_with_them() -> None:
    inner = block(
        [linear("a"), linear("b")],
        [call("n1", "a", "x"), {**call("n2", "b", "n1"), "when": "deep"}],
        {"$if": "deep", "then": ref("n2"), "else": ref("n1")},
        arguments=[argument("deep", "bool", default=False)],
    )
    for deep, left in ((True, ["a", "b"]), (False, ["a"])):
        document = parsed(network([use("b", "B", deep=deep)], [call("n1", "b", x=ref("x"))], blocks={"B": inner}))
        done = dissolve(document, "Net", "b").document.blocks["Net"].forward
        assert [it.target for it in done.nodes if it.op == "call"] == left
        assert all(it.when is None for it in done.nodes)


def test_members_that_are_there_under_a_condition_go_with_what_calls_them() -> None:
    inner = block(
        [linear("a"), {**linear("b"), "when": "deep"}],
        [call("n1", "a", "x"), {**call("n2", "b", "n1"), "when": "deep"}],
        {"$if": "deep", "then": ref("n2"), "else": ref("n1")},
        arguments=[argument("deep", "bool", default=False)],
    )
    for deep, left in ((True, ["a", "b"]), (False, ["a"])):
        document = parsed(network([use("b", "B", deep=deep)], [call("n1", "b", x=ref("x"))], blocks={"B": inner}))
        made = make_block(document, "B", ["n2"], "Part")
        own = made.document.blocks["B"].members[-1]
        assert (own.name, own.when) == ("part", "deep")  # type: ignore[union-attr]
        assert made.document.blocks["Part"].members[0].when is None  # type: ignore[union-attr]
        same(document, made)
        assert dissolve(made.document, "B", "part").document == document
        done = dissolve(document, "Net", "b")
        assert names(done.document.blocks["Net"]) == left
        same(document, done)


# --- a class of its own


def test_an_instance_gets_a_copy_of_its_class() -> None:
    nodes = [call("n1", "s", "x"), call("n2", "two", x=ref("n1"))]
    document = parsed(
        network([sequential("s", repeat("range(2)", use("0", "B"))), use("two", "B")], nodes, blocks={"B": B})
    )
    for path in ("two", "s.0", "s.1"):
        edited = detach(document, "Net", path)
        assert edited.document.blocks["B2"] == edited.document.blocks["B"]
        own = '"block":"B2"'
        assert edited.document.model_dump_json().count(own) == 1
        same_keys(document, edited)
        alone = detach(edited.document, "Net", path)
        assert alone.document == edited.document
    with pytest.raises(GraphError):
        detach(document, "Net", "s")
    together = detach(document, "Net", "s.1", copies=True).document
    assert [item["kind"] for item in items(together)] == ["repeat"]
    assert items(together)[0]["item"]["block"] == "B2"
