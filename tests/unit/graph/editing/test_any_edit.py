"""Edits of any document: the module computes what it computed, with its weights under the keys that the edit says."""

from __future__ import annotations

import os

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import nn

from layerloom.graph import places
from layerloom.graph.checking import checked
from layerloom.graph.editing import Edited, alike, detach, dissolve, make_block
from layerloom.graph.errors import GraphError
from layerloom.graph.walk import block_order
from layerloom.schema.document import Document
from unit.graph.checking.arbitrary import documents, parse
from unit.graph.checking.drawing import errors
from unit.graph.checking.interpreter import equal
from unit.graph.checking.test_any_document import example, made
from unit.graph.editing.held import held, in_a_row

ANY = settings(
    max_examples=int(os.environ.get("LAYERLOOM_PROPERTIES", "150")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def network(document: Document) -> nn.Module:
    graph = checked(document)
    assert graph.report.ok, [problem.message for problem in errors(graph.report)]
    return made(graph)


def agree(before: Document, edited: Edited) -> tuple[nn.Module, nn.Module]:
    """The modules before and after.

    Equal outputs in evaluation and gradients on the same parameters, after the weights were carried over.
    """
    old, new = network(before).eval(), network(edited.document).eval()
    new.load_state_dict(edited.carry(old.state_dict()), strict=True)
    inputs = example(checked(before).document, 3)
    with torch.no_grad():
        assert equal(old(*inputs), new(*inputs))
    trains = {edited.carry({name: 0}).popitem()[0]: it.requires_grad for name, it in old.named_parameters()}
    assert {name: it.requires_grad for name, it in new.named_parameters()} == trains
    return old, new


def selection(draw: st.DrawFn, document: Document) -> tuple[str, list[str]]:
    """A block that is used, and neighbours among its nodes."""
    name = draw(st.sampled_from([it for it in block_order(document) if document.blocks[it].forward.nodes]))
    nodes = document.blocks[name].forward.nodes
    first = draw(st.integers(0, len(nodes) - 1))
    return name, [node.id for node in nodes[first : first + draw(st.integers(1, len(nodes)))]]


@st.composite
def selections(draw: st.DrawFn) -> tuple[Document, str, list[str]]:
    document = parse(draw(documents()))
    return document, *selection(draw, document)


@ANY
@given(selections())
def test_a_block_made_of_nodes_computes_what_they_did_and_dissolves_into_them(
    drawn: tuple[Document, str, list[str]],
) -> None:
    document, block, nodes = drawn
    untouched = document.model_copy(deep=True)
    try:
        edited = make_block(document, block, nodes, "Selected")
    except GraphError:
        return
    assert document == untouched
    agree(document, edited)
    [use] = [it.name for it in edited.document.blocks[block].members if it.kind == "block" and it.block == "Selected"]
    again = dissolve(edited.document, block, use)
    agree(edited.document, again)
    both = {key: again.carry(edited.carry({key: key})).popitem()[0] for key in network(document).state_dict()}
    assert both == {key: key for key in both}
    assert set(again.document.blocks) == set(document.blocks)


@ANY
@given(in_a_row())
def test_instances_that_were_dissolved_become_instances_of_one_class_again(drawn: tuple[Document, int]) -> None:
    document, count = drawn
    flat = dissolve(document, "Net", "b0")
    first = [node.id for node in flat.document.blocks["Net"].forward.nodes if node.id not in {"c1", "c2", "c3"}]
    for index in range(1, count):
        flat = flat.then(dissolve(flat.document, "Net", f"b{index}"))
    agree(document, flat)
    if not first:
        return
    untouched = flat.document.model_copy(deep=True)
    offer = alike(flat.document, "Net", first)
    assert len(offer.places) == count - 1
    edited = make_block(flat.document, "Net", first, "Again", offer.places)
    assert flat.document == untouched
    [*members] = edited.document.blocks["Net"].members
    assert [it.block for it in members if it.kind == "block"] == ["Again"] * count
    agree(flat.document, edited)
    agree(document, flat.then(edited))


@ANY
@given(selections())
def test_every_place_that_is_offered_can_be_taken(drawn: tuple[Document, str, list[str]]) -> None:
    document, block, nodes = drawn
    try:
        offer = alike(document, block, nodes)
    except GraphError:
        return
    agree(document, make_block(document, block, nodes, "Selected", offer.places))


@st.composite
def instances(draw: st.DrawFn, *, items: bool = False) -> tuple[Document, str, str]:
    """A document with an instance of a block as a member of a block that is used, or as an item of a container."""
    document = draw(held()) if items and draw(st.integers(0, 4)) else parse(draw(documents()))
    found = {
        (it.block, path): None
        for it in places.instances(document).values()
        for path, place in it.places.items()
        if place.member.kind == "block" and ("." in path) == items
    }
    return document, *(draw(st.sampled_from(list(found))) if found else ("", ""))


@ANY
@given(instances())
def test_a_dissolved_instance_leaves_what_it_computed(drawn: tuple[Document, str, str]) -> None:
    document, block, member = drawn
    if not member:
        return
    agree(document, dissolve(document, block, member))


def assert_reason(error: GraphError, *reasons: str) -> None:
    [problem] = error.problems
    assert problem.code == "argument_invalid"
    assert any(words in problem.message for words in reasons), problem.message


def keys_stay(document: Document, edited: Edited) -> None:
    assert not edited.moved
    old, new = agree(document, edited)
    assert list(old.state_dict()) == list(new.state_dict())


@ANY
@given(instances(items=True))
def test_a_dissolved_item_leaves_what_it_computed_and_its_keys(drawn: tuple[Document, str, str]) -> None:
    document, block, member = drawn
    if not member:
        return
    untouched = document.model_copy(deep=True)
    try:
        edited = dissolve(document, block, member)
    except GraphError as error:
        assert_reason(error, "holds layers only", "another copy", "another number of items")
        return
    assert document == untouched
    keys_stay(document, edited)


@ANY
@given(st.one_of(instances(), instances(items=True)), st.booleans())
def test_a_detached_instance_is_its_own_class(drawn: tuple[Document, str, str], copies: bool) -> None:
    document, block, member = drawn
    if not member:
        return
    try:
        edited = detach(document, block, member, copies=copies)
    except GraphError as error:
        assert_reason(error, "another copy")
        return
    keys_stay(document, edited)
