"""What differences and merges say of edits that people make."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from layerloom.graph import build
from layerloom.graph.checking import check
from layerloom.graph.comparing import Merged, diff, merge
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    Json,
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


def base() -> Json:
    """A stem, a block used twice, a Sequential and a head with a skip."""
    part = block(
        [layer("fc", "Linear", in_features=expr("width"), out_features=expr("width")), layer("act", "ReLU")],
        [call("a", "fc", "x"), call("b", "act", "a")],
        ref("b"),
        arguments=[argument("width", default=8)],
    )
    members = [
        layer("stem", "Linear", in_features=8, out_features=8),
        use("one", "Part", width=8),
        use("two", "Part", width=8),
        sequential("body", layer("0", "Linear", in_features=8, out_features=8), layer("1", "Tanh")),
        layer("head", "Linear", in_features=8, out_features=3),
    ]
    nodes = [
        call("n1", "stem", "x"),
        call("n2", "one", x=ref("n1")),
        call("n3", "two", x=ref("n2")),
        call("n4", "body", "n3"),
        function("n5", "operator.add", input=ref("n4"), other=ref("n1")),
        call("n6", "head", "n5"),
    ]
    return network(members, nodes, blocks={"Part": part}, frozen=["stem.*"])


def net(document: Json) -> Json:
    return document["blocks"]["Net"]


def member(document: Json, name: str) -> Json:
    return next(it for it in net(document)["members"] if it["name"] == name)


def node(document: Json, name: str) -> Json:
    return next(it for it in net(document)["forward"]["nodes"] if it["id"] == name)


def wider(document: Json) -> None:
    member(document, "head")["arguments"]["out_features"] = 5


def renamed(document: Json) -> None:
    member(document, "head")["name"] = "classifier"
    node(document, "n6")["target"] = "classifier"


def longer(document: Json) -> None:
    """An item in front of those of a list: their numbers change, and so does what calls them."""
    items = member(document, "body")["items"]
    items.insert(0, layer("0", "LayerNorm", normalized_shape=8))
    items[1]["name"], items[2]["name"] = "1", "2"


def calls_an_item(document: Json) -> None:
    net(document)["forward"]["nodes"].append(call("n7", "body.1", "n6"))
    net(document)["forward"]["output"] = ref("n7")


def inserted(document: Json) -> None:
    """A layer between the stem and the first block."""
    net(document)["members"].insert(1, layer("norm", "LayerNorm", normalized_shape=8))
    net(document)["forward"]["nodes"].insert(1, call("n9", "norm", "n1"))
    node(document, "n2")["arguments"]["x"] = ref("n9")


def without_head(document: Json) -> None:
    net(document)["members"].pop()
    net(document)["forward"]["nodes"].pop()
    net(document)["forward"]["output"] = ref("n5")


def class_renamed(document: Json) -> None:
    document["blocks"]["Stage"] = document["blocks"].pop("Part")
    for name in ("one", "two"):
        member(document, name)["block"] = "Stage"


def other_function(document: Json) -> None:
    node(document, "n5")["target"] = "operator.sub"


def deeper(document: Json) -> None:
    document["blocks"]["Part"]["arguments"].append(argument("depth", default=2))


def thawed(document: Json) -> None:
    document["frozen"] = []


def moved(document: Json) -> None:
    """The head into the Sequential."""
    net(document)["members"].pop()
    member(document, "body")["items"].append(layer("2", "Linear", in_features=8, out_features=3))
    net(document)["forward"]["nodes"].pop()
    node(document, "n5")["arguments"]["other"] = 0
    net(document)["forward"]["output"] = ref("n5")


def reordered(document: Json) -> None:
    net(document)["members"].insert(0, net(document)["members"].pop(3))


def after(*edits: Any) -> Document:
    document = copy.deepcopy(base())
    for edit in edits:
        edit(document)
    return parsed(document)


SENTENCES = {
    wider: ["Net: out_features of the member head was 3, and is 5."],
    renamed: ["Net: member head is now called classifier."],
    class_renamed: ["block Part is now called Stage."],
    thawed: ["the frozen stem.* was removed."],
    reordered: ["Net: the member body was moved."],
    other_function: ['Net: target of the node sub was "operator.add", and is "operator.sub".'],
}


@pytest.mark.parametrize("edit", SENTENCES)
def test_an_edit_is_told_in_a_sentence(edit: Any) -> None:
    assert [str(change) for change in diff(after(), after(edit))] == SENTENCES[edit]


def test_what_is_inserted_is_two_additions_and_a_wire() -> None:
    found = diff(after(), after(inserted))
    assert [(it.kind, it.what, it.name, it.field) for it in found] == [
        ("added", "member", "norm", ""),
        ("added", "node", "norm", ""),
        ("changed", "wire", "one", "x"),
    ]
    wire = list(found)[-1]
    assert (wire.before, wire.after) == ('"stem"', '"norm"')
    assert str(wire) == "Net: x of one came from stem, and comes from norm."
    back = diff(after(inserted), after())
    assert [(it.kind, it.what) for it in back] == [("removed", "member"), ("changed", "wire"), ("removed", "node")]


def test_an_item_in_front_of_others_is_one_addition() -> None:
    assert [(it.kind, it.what, it.name) for it in diff(after(calls_an_item), after(longer, calls_an_item))] == [
        ("added", "member", "body.0"),
        # It goes on to call ``body.1``, which is another item now.
        ("changed", "node", "body.1"),
    ]


def test_a_member_that_stands_elsewhere_has_moved() -> None:
    found = [it for it in diff(after(), after(moved)) if it.what == "member"]
    assert [(it.kind, it.name, it.after) for it in found] == [("moved", "head", '"body.2"')]


def test_nothing_is_false() -> None:
    assert not diff(after(), after())
    assert diff(after(), after(wider))
    assert str(diff(after(), after())) == ""


# --- merging

EDITS = [wider, renamed, longer, inserted, class_renamed, other_function, deeper, thawed]


def joined(ours: Any, theirs: Any) -> Merged:
    return merge(after(), after(ours), after(theirs))


@pytest.mark.parametrize("theirs", EDITS)
@pytest.mark.parametrize("ours", EDITS)
def test_edits_of_different_things_merge(ours: Any, theirs: Any) -> None:
    merged = joined(ours, theirs)
    assert not merged.conflicts
    edits = [ours] if ours is theirs else sorted([ours, theirs], key=lambda it: it in (renamed, class_renamed))
    assert not diff(after(*edits), merged.document)
    assert not errors(check(merged.document))
    build(merged.document)(torch.randn(2, 8))


def test_paths_into_a_list_that_grew_follow() -> None:
    merged = joined(longer, calls_an_item)
    assert not merged.conflicts
    assert merged.document.blocks["Net"].forward.nodes[-1].target == "body.2"


def test_a_renamed_member_is_called_once_more() -> None:
    def again(document: Json) -> None:
        net(document)["forward"]["nodes"].insert(1, call("n8", "stem", "n1"))
        node(document, "n2")["arguments"]["x"] = ref("n8")

    def stem_renamed(document: Json) -> None:
        member(document, "stem")["name"] = "first"
        node(document, "n1")["target"] = "first"

    merged = joined(stem_renamed, again)
    assert not merged.conflicts
    assert [it.target for it in merged.document.blocks["Net"].forward.nodes][:2] == ["first", "first"]
    assert not errors(check(merged.document))


def to(size: int) -> Any:
    def edit(document: Json) -> None:
        member(document, "head")["arguments"]["out_features"] = size

    return edit


def test_one_thing_changed_in_two_ways_is_a_conflict() -> None:
    merged = joined(to(5), to(7))
    [conflict] = merged.conflicts
    assert conflict.where == "blocks / Net / members / head / arguments / out_features"
    assert (conflict.base, conflict.ours, conflict.theirs) == ("3", "5", "7")
    assert not diff(merged.document, after(to(5)))


def test_a_conflict_tells_of_nodes_and_members_by_their_names() -> None:
    def behind_the_stem(name: str) -> Any:
        def edit(document: Json) -> None:
            net(document)["members"].append(layer(name, "Tanh"))
            net(document)["forward"]["nodes"].append(call(f"own_{name}", name, "n1"))
            node(document, "n2")["arguments"]["x"] = ref(f"own_{name}")

        return edit

    def calling(name: str) -> Any:
        def edit(document: Json) -> None:
            node(document, "n6")["target"] = name

        return edit

    [wire] = joined(behind_the_stem("left"), behind_the_stem("right")).conflicts
    assert wire.where == "blocks / Net / nodes / one / arguments / x"
    assert (wire.base, wire.ours, wire.theirs) == ('"stem"', '"left"', '"right"')
    [target] = joined(calling("body.0"), calling("stem")).conflicts
    assert (target.base, target.ours, target.theirs) == ('"head"', '"body.0"', '"stem"')


def test_what_one_removes_and_the_other_changes_is_a_conflict() -> None:
    for ours, theirs in ((without_head, wider), (wider, without_head)):
        merged = joined(ours, theirs)
        assert any("removed" in it.message for it in merged.conflicts)
        check(merged.document)


def test_what_one_removes_and_the_other_uses_once_more_is_a_conflict() -> None:
    def uses(document: Json) -> None:
        net(document)["forward"]["nodes"].append(function("n7", "torch.relu", input=ref("n6")))
        net(document)["forward"]["output"] = {"$tuple": [ref("n6"), ref("n7")]}

    merged = joined(without_head, uses)
    assert merged.conflicts
    check(merged.document)


def test_two_additions_of_one_name_are_a_conflict_and_equal_ones_are_one() -> None:
    def added(size: int) -> Any:
        def edit(document: Json) -> None:
            net(document)["members"].append(layer("aux", "Linear", in_features=8, out_features=size))
            net(document)["forward"]["nodes"].append(call("n7", "aux", "n5"))
            net(document)["forward"]["output"] = {"$tuple": [ref("n6"), ref("n7")]}

        return edit

    assert joined(added(2), added(2)).conflicts == []
    assert len(joined(added(2), added(2)).document.blocks["Net"].members) == 6
    [conflict] = joined(added(2), added(4)).conflicts
    assert "both added" in conflict.message


def test_names_that_meet_are_kept_apart() -> None:
    def adds(document: Json) -> None:
        net(document)["members"].append(layer("classifier", "Tanh"))
        net(document)["forward"]["nodes"].append(call("n7", "classifier", "n6"))
        net(document)["forward"]["output"] = ref("n7")

    merged = joined(renamed, adds)
    [conflict] = merged.conflicts
    assert "have this name" in conflict.message
    assert [it.name for it in merged.document.blocks["Net"].members][-2:] == ["classifier", "classifier_2"]
    assert not errors(check(merged.document))


def test_places_on_the_canvas_are_never_in_conflict() -> None:
    def at(x: int, name: str = "n1") -> Any:
        def edit(document: Json) -> None:
            document["ui"] = {"blocks": {"Net": {"positions": {name: {"x": x, "y": 0}}}}}

        return edit

    assert not diff(after(), after(at(1)))
    merged = joined(at(1), at(2, "n2"))
    assert not merged.conflicts
    assert {name: it.x for name, it in merged.document.ui.blocks["Net"].positions.items()} == {"n1": 1, "n2": 2}


def test_repeats_and_rules_merge_by_their_parts() -> None:
    def stages(document: Json) -> None:
        net(document)["members"].append(sequential("more", repeat("range(2)", layer("0", "Tanh"))))

    def rule(document: Json) -> None:
        document["init"] = [{"types": ["torch.nn.Linear"], "statements": [{"function": "torch.nn.init.ones_"}]}]

    merged = joined(stages, rule)
    assert not merged.conflicts
    assert not diff(after(stages, rule), merged.document)
