"""Edits of any document: the module computes what it computed, with its weights under the keys that the edit says."""

from __future__ import annotations

import os

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import nn

from layerloom.graph.checking import checked
from layerloom.graph.editing import Edited, detach, dissolve, make_block
from layerloom.graph.errors import GraphError
from layerloom.graph.walk import block_order
from layerloom.schema.document import Document
from unit.graph.checking.arbitrary import documents, parse
from unit.graph.checking.drawing import errors
from unit.graph.checking.interpreter import equal
from unit.graph.checking.test_any_document import example, made

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


def agree(before: Document, edited: Edited) -> None:
    """Equal outputs in evaluation and gradients on the same parameters, after the weights were carried over."""
    old, new = network(before).eval(), network(edited.document).eval()
    new.load_state_dict(edited.carry(old.state_dict()), strict=True)
    inputs = example(checked(before).document, 3)
    with torch.no_grad():
        assert equal(old(*inputs), new(*inputs))
    trains = {edited.carry({name: 0}).popitem()[0]: it.requires_grad for name, it in old.named_parameters()}
    assert {name: it.requires_grad for name, it in new.named_parameters()} == trains


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


@st.composite
def instances(draw: st.DrawFn) -> tuple[Document, str, str]:
    """A document with an instance of a block as a member of a block that is used."""
    document = parse(draw(documents()))
    found = [
        (name, it.name) for name in block_order(document) for it in document.blocks[name].members if it.kind == "block"
    ]
    if not found:
        return document, "", ""
    return document, *draw(st.sampled_from(found))


@ANY
@given(instances())
def test_a_dissolved_instance_leaves_what_it_computed(drawn: tuple[Document, str, str]) -> None:
    document, block, member = drawn
    if not member:
        return
    agree(document, dissolve(document, block, member))


@ANY
@given(instances())
def test_a_detached_instance_is_its_own_class(drawn: tuple[Document, str, str]) -> None:
    document, block, member = drawn
    if not member:
        return
    edited = detach(document, block, member)
    assert not edited.moved
    agree(document, edited)
