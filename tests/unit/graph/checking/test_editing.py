"""An edit is answered as if the whole document had been checked, and runs only what it reaches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from layerloom.graph.checking import calls, check, checked
from layerloom.graph.checking.memory import documents, forget
from layerloom.schema.document import Document
from unit.graph.checking.drawing import AUTO, Json, call, function, layer, network, parsed, ref, use

MAIN = "Net"


def drawn(groups: int = 10) -> Json:
    """A flat residual network: convolution, normalization, activation, convolution, addition, …"""
    members = [layer("stem", "Conv2d", in_channels=AUTO, out_channels=8, kernel_size=3, padding=1)]
    nodes = [call("stem", "stem", "x")]
    for index in range(groups):
        before = nodes[-1]["id"]
        members += [
            layer(f"conv{index}", "Conv2d", in_channels=8, out_channels=12, kernel_size=3, padding=1),
            layer(f"norm{index}", "BatchNorm2d", num_features=AUTO),
            layer(f"act{index}", "ReLU"),
            layer(f"proj{index}", "Conv2d", in_channels=AUTO, out_channels=8, kernel_size=1),
        ]
        for kind, previous in (("conv", before), ("norm", ""), ("act", ""), ("proj", "")):
            nodes.append(call(f"{kind}{index}", f"{kind}{index}", previous or nodes[-1]["id"]))
        other = ref(nodes[-1]["id"])
        nodes.append(function(f"add{index}", "torch.add", input=ref(before), other=other, alpha=1))
    nodes.append(function("flat", "torch.flatten", input=ref(nodes[-1]["id"]), start_dim=1))
    return network(members, nodes, inputs={"x": {"shape": [3, 12, 12]}})


def with_arguments(document: Json, name: str, **arguments: Any) -> Json:
    """A member or node with other arguments."""
    edited = orjson.loads(orjson.dumps(document))
    block = edited["blocks"][MAIN]
    for part in (*block["members"], *block["forward"]["nodes"]):
        if part.get("name", part.get("id")) == name and "target" in part and part.get("op") != "call":
            part["arguments"].update(arguments)
            return edited
    raise LookupError(name)


def whole(document: Document) -> tuple[str, str]:
    documents.forget()
    found = checked(document)
    return found.report.model_dump_json(), found.document.model_dump_json()


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    forget()
    yield
    forget()


BASE = drawn()
EDITS: dict[str, Json] = {
    "nothing": BASE,
    "a weight more or less": with_arguments(BASE, "conv3", bias=False),
    "another window": with_arguments(BASE, "conv3", kernel_size=1, padding=0),
    "an automatic size behind it": with_arguments(BASE, "conv3", out_channels=20),
    "an automatic size that becomes a number": with_arguments(BASE, "proj3", in_channels=12),
    "the first layer": with_arguments(BASE, "stem", out_channels=8, kernel_size=5, padding=2),
    "an operation's number": with_arguments(BASE, "add4", alpha=2),
    "an operation's axis": with_arguments(BASE, "flat", start_dim=2),
    "two at once": with_arguments(with_arguments(BASE, "conv3", out_channels=20), "norm7", eps=0.1),
    "a size that does not fit": with_arguments(BASE, "conv3", out_channels=20, in_channels=9),
    "true for a number": with_arguments(BASE, "conv3", padding=True),
    "a fraction for a number": with_arguments(BASE, "conv3", padding=1.0),
    "an unknown argument": with_arguments(BASE, "conv3", paddding=2),
    "a layer without its input's size": with_arguments(BASE, "norm3", num_features=13),
    "one too large": with_arguments(BASE, "proj3", out_channels=2**40),
    "a connection": with_arguments(BASE, "add4", other=ref("stem")),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_answered_as_if_checked_whole(name: str) -> None:
    """There and back, twice: each state is built upon the one before."""
    base, document = parsed(BASE), parsed(EDITS[name])
    expected, before = whole(document), whole(base)
    for one, answer in ((document, expected), (base, before), (document, expected), (base, before)):
        found = checked(one)
        assert (found.report.model_dump_json(), found.document.model_dump_json()) == answer


def test_any_edits_in_a_row() -> None:
    draw = random.Random(0)
    document = BASE
    check(parsed(document))
    for _ in range(40):
        index = draw.randrange(10)
        name, arguments = draw.choice(
            [
                (f"conv{index}", {"out_channels": draw.choice([4, 12, 20])}),
                (f"conv{index}", {"kernel_size": 3, "padding": draw.choice([1, 1, 1, 0])}),
                (f"conv{index}", {"bias": draw.choice([True, False])}),
                (f"norm{index}", {"momentum": draw.choice([0.1, 0.2]), "affine": draw.choice([True, False])}),
                (f"act{index}", {"inplace": draw.choice([True, False])}),
                (f"add{index}", {"alpha": draw.choice([1, 2, 0.5])}),
                (f"proj{index}", {"in_channels": draw.choice([{"$auto": True}, 12])}),
            ]
        )
        document = with_arguments(document, name, **arguments)
        found = checked(parsed(document))
        kept = documents._kept  # the edits go on from what was kept, and not from what is checked whole beside them
        answer = whole(parsed(document))
        documents._kept = kept
        assert (found.report.model_dump_json(), found.document.model_dump_json()) == answer


def test_only_what_an_edit_reaches_is_called() -> None:
    check(parsed(BASE))
    made = calls.call_layer.cache_info().misses
    check(parsed(with_arguments(BASE, "conv3", bias=False)))
    assert calls.call_layer.cache_info().misses <= made + 2  # a kind of its own is asked at two batches
    first = documents._kept[-1]
    changed = parsed(with_arguments(BASE, "conv3", padding=0, kernel_size=1))
    found = check(changed)
    untouched = [key for key in found.nodes if found.nodes[key] is first.report.nodes[key]]
    assert len(untouched) >= len(found.nodes) - 2


def test_a_mere_move_is_answered_with_the_same_report() -> None:
    first = checked(parsed(BASE))
    moved = parsed({**BASE, "ui": {"blocks": {MAIN: {"positions": {"stem": {"x": 1, "y": 2}}}}}})
    second = checked(moved)
    assert second.report.nodes == first.report.nodes
    assert second.document.ui == moved.ui


def nested() -> Json:
    """Forty instances of one block, and a layer behind them."""
    body = {"members": [layer("fc", "Linear", in_features=8, out_features=8)], "arguments": [],
            "forward": {"inputs": [{"name": "x"}], "nodes": [call("a", "fc", "x")], "output": ref("a")}}  # fmt: skip
    members = [
        *(use(f"b{index}", "Body") for index in range(40)),
        layer("head", "Linear", in_features=8, out_features=4),
    ]
    nodes = [call(f"n{index}", f"b{index}", x=ref(f"n{index - 1}" if index else "x")) for index in range(40)]
    return network(members, [*nodes, call("head", "head", "n39")], blocks={"Body": body})


def test_a_layer_beside_blocks_is_a_simple_edit() -> None:
    document = nested()
    check(parsed(document))
    before = documents._kept[-1].network
    document = with_arguments(document, "head", out_features=5, bias=False)
    found = checked(parsed(document))
    assert documents._kept[-1].network is before
    assert (found.report.model_dump_json(), found.document.model_dump_json()) == whole(parsed(document))


def test_a_block_below_is_no_simple_edit() -> None:
    """Its instances are many: the document is checked whole, and rightly."""
    document = nested()
    check(parsed(document))
    document["blocks"]["Body"]["members"][0]["arguments"]["bias"] = False
    answer = check(parsed(document)).model_dump_json()
    assert answer == whole(parsed(document))[0]


def test_what_is_kept_is_bounded_and_may_be_used_by_many_threads() -> None:
    edits = [
        parsed(with_arguments(BASE, f"conv{index}", out_channels=width)) for index in range(10) for width in (4, 20)
    ]
    expected = [whole(document)[0] for document in edits]
    forget()
    check(parsed(BASE))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda document: check(document).model_dump_json(), edits)) == expected
    for groups in range(7, 20):
        check(parsed(drawn(groups)))
    assert len(documents._kept) == documents.KEPT
