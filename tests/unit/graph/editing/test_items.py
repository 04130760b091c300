"""Instances inside containers, dissolved and detached: what becomes of them, and what is refused."""

from __future__ import annotations

import pytest

from layerloom.graph import build
from layerloom.graph.editing import detach, dissolve
from layerloom.graph.errors import GraphError
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    Json,
    argument,
    block,
    call,
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
from unit.graph.editing.short import B, alias, items, linear, loop, module_dict, module_list, same_keys, targets

TWICE = block(
    [linear("fc"), linear("out")],
    [call("n1", "fc", "x"), function("n2", "torch.add", input=ref("n1"), other=ref("x")), call("n3", "out", "n2")],
    ref("n3"),
)
"""A class that is no chain."""


def test_a_chain_in_a_container_becomes_a_sequential() -> None:
    for held, node in (
        (sequential("s", use("0", "B"), linear("1")), call("n1", "s", "x")),
        (module_list("s", use("0", "B"), linear("1")), loop("n1", "s", "x")),
    ):
        document = parsed(network([held], [node], blocks={"B": B}))
        done = dissolve(document, "Net", "s.0")
        assert [(item["kind"], item["name"]) for item in items(done.document)] == [("sequential", "0"), ("layer", "1")]
        assert targets(done.document) == ["s"]
        assert set(done.document.blocks) == {"Net"}
        same_keys(document, done)


def test_what_is_no_chain_becomes_a_dict_and_the_calls_are_written_out() -> None:
    for held, node in (
        (sequential("s", linear("0"), use("1", "B")), call("n1", "s", "x")),
        (module_list("s", linear("0"), use("1", "B")), loop("n1", "s", "x")),
    ):
        document = parsed(network([held], [node], blocks={"B": TWICE}))
        done = dissolve(document, "Net", "s.1")
        assert [item["kind"] for item in items(done.document)] == ["layer", "module_dict"]
        assert targets(done.document) == ["s.0", "s.1.fc", "torch.add", "s.1.out"]
        same_keys(document, done)


def test_an_item_that_is_called_by_itself_and_from_inside_is_written_out_where_it_is_called() -> None:
    nodes = [
        call("n1", "s.0", x=ref("x")),
        call("n2", "s.0.fc", "n1"),
        call("n3", "s.0", x=ref("n2")),
        call("n4", "s.1", x=ref("n3")),
    ]
    document = parsed(network([module_list("s", use("0", "B"), use("1", "B"))], nodes, blocks={"B": TWICE}))
    done = dissolve(document, "Net", "s.0")
    inside = ["s.0.fc", "torch.add", "s.0.out"]
    assert targets(done.document) == [*inside, "s.0.fc", *inside, "s.1"]
    assert set(done.document.blocks) == {"Net", "B"}
    same_keys(document, done)


def test_one_of_a_repeat_is_dissolved_alone() -> None:
    inner = block(
        [layer("fc", "Linear", in_features=expr("size"), out_features=expr("size"))], [call("n1", "fc", "x")], ref("n1")
    )
    held = sequential("s", repeat("range(4)", use("0", "B", size=expr("8 + 0 * i")), "i"))
    document = parsed(
        network([held], [call("n1", "s", "x")], blocks={"B": {**inner, "arguments": [argument("size", default=8)]}})
    )
    done = dissolve(document, "Net", "s.2")
    first, middle, last = items(done.document)
    assert first["over"] == expr("range(2)")
    assert middle["items"][0]["arguments"] == {"in_features": 8, "out_features": 8}
    assert (last["kind"], last["name"], last["arguments"]) == ("block", "0", {"size": 8})
    same_keys(document, done)
    beside = detach(done.document, "Net", "s.0")
    assert [item.get("block", item["kind"]) for item in items(beside.document)] == ["B2", "B", "sequential", "B"]
    same_keys(document, beside)


def test_a_repeat_over_arguments_is_cut_and_goes_on_to_depend_on_them() -> None:
    outer = block(
        [module_list("s", repeat("enumerate(sizes)", use("0", "B", size=expr("size")), "i", "size"))],
        [loop("n1", "s", "x")],
        ref("n1"),
        arguments=[argument("sizes", "list[int]", required=True)],
    )
    inner = block([linear("fc", expr("size"))], [call("n1", "fc", "x")], ref("n1"), arguments=[argument("size")])
    uses = [use("one", "Outer", sizes=[8, 8, 8]), use("two", "Outer", sizes=[8, 8, 8, 8])]
    nodes = [call("n1", "one", x=ref("x")), call("n2", "two", x=ref("n1"))]
    document = parsed(network(uses, nodes, blocks={"B": inner, "Outer": outer}))
    own = detach(document, "Outer", "s.1")
    [held] = own.document.blocks["Outer"].members
    first, second, rest = held.model_dump(mode="json", by_alias=True)["items"]
    assert first["arguments"] == {"size": expr("sizes[0]")}
    assert (second["block"], second["arguments"]) == ("B2", {"size": expr("sizes[1]")})
    assert rest["over"] == expr("enumerate(sizes[2:], 2)")
    same_keys(document, own)
    with pytest.raises(GraphError, match="another copy of its repeat in some instances of Outer, or is not there"):
        detach(document, "Outer", "s.3")


def test_items_of_a_dict_are_dissolved_under_their_keys() -> None:
    choose: Json = {"op": "choose", "id": "n1", "target": "h", "arguments": {"x": ref("x")}}
    several: list[Json] = [
        module_dict("h", use("one", "B"), use("two", "B")),
        module_dict("h", repeat("['one', 'two']", use("key", "B"), "key")),
    ]
    for inner in (B, TWICE):
        for held in several:
            for key, output in (("one", ref("n1")), ("two", ref("n1")), (None, ref("n1", "two"))):
                document = parsed(network([held], [{**choose, "key": key}], output, blocks={"B": inner}))
                for path in ("h.one", "h.two"):
                    same_keys(document, dissolve(document, "Net", path))


def test_tensors_of_a_class_become_a_dict_of_them() -> None:
    inner = block(
        [{"kind": "parameter", "name": "scale", "shape": [8]}],
        [{"op": "get", "id": "n1", "target": "scale"}, function("n2", "torch.mul", input=ref("x"), other=ref("n1"))],
        ref("n2"),
    )
    document = parsed(
        network([module_list("s", use("0", "B"), use("1", "B"))], [loop("n1", "s", "x")], blocks={"B": inner})
    )
    done = dissolve(document, "Net", "s.1")
    assert items(done.document)[1]["kind"] == "parameter_dict"
    assert targets(done.document) == ["s.0", "s.1.scale", "torch.mul"]
    same_keys(document, done)


def test_tied_weights_inside_a_dissolved_item_stay_tied() -> None:
    inner = {**TWICE, "members": [*TWICE["members"], alias("out.weight", "fc.weight")]}
    document = parsed(network([module_list("s", use("0", "B"))], [loop("n1", "s", "x")], blocks={"B": inner}))
    done = dissolve(document, "Net", "s.0")
    module = build(done.document)
    weights = dict(module.named_parameters(remove_duplicate=False))
    assert weights["s.0.fc.weight"] is weights["s.0.out.weight"]
    same_keys(document, done)


def not_dissolved(document: Document, path: str, reason: str) -> None:
    untouched = document.model_copy(deep=True)
    with pytest.raises(GraphError) as caught:
        dissolve(document, "Net", path)
    [problem] = caught.value.problems
    assert problem.code == "argument_invalid"
    assert reason in problem.message
    assert document == untouched


def test_an_item_whose_keys_could_not_stay_is_not_dissolved() -> None:
    def with_member(*more: Json) -> Document:
        inner = {**TWICE, "members": [*TWICE["members"], *more]}
        return parsed(network([module_list("s", use("0", "B"))], [loop("n1", "s", "x")], blocks={"B": inner}))

    not_dissolved(with_member({"kind": "buffer", "name": "b", "shape": [2]}), "s.0", "a ModuleDict holds layers only")
    not_dissolved(
        with_member({"kind": "parameter", "name": "p", "shape": [2]}), "s.0", "a ModuleDict holds layers only"
    )
    not_dissolved(with_member(alias("again", "fc")), "s.0", "has again as a second name of fc")
    not_dissolved(with_member(linear("keys")), "s.0", "a ModuleDict has a method keys")


def test_an_item_that_is_needed_as_a_whole_is_not_dissolved() -> None:
    held = module_list("s", use("0", "B"), linear("1"))
    document = parsed(network([held, alias("t", "s.0")], [loop("n1", "s", "x")], blocks={"B": TWICE}))
    not_dissolved(document, "s.0", "t is a second name of s.0")
    document = parsed(network([held, alias("t", "s")], [loop("n1", "t", "x")], blocks={"B": TWICE}))
    not_dissolved(document, "s.0", "t is a second name of s")
    chosen: Json = {"op": "choose", "id": "n1", "target": "h", "key": expr("which"), "arguments": {"x": ref("x")}}
    outer = block(
        [module_dict("h", use("a", "B"))], [chosen], ref("n1"), arguments=[argument("which", "str", default="a")]
    )
    document = parsed(network([use("o", "Outer")], [call("n1", "o", x=ref("x"))], blocks={"B": TWICE, "Outer": outer}))
    with pytest.raises(GraphError, match="depends on a value"):
        dissolve(document, "Outer", "h.a")
    not_dissolved(parsed(network([held], [loop("n1", "s", "x")], blocks={"B": TWICE})), "s.1", "no instance of a block")
