"""Differences and merges of any documents."""

from __future__ import annotations

import copy
import json
import os
import random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from layerloom.graph.comparing import diff, merge
from layerloom.graph.comparing.decoding import Decoder
from layerloom.graph.comparing.keys import own_keys
from layerloom.graph.comparing.tree import encoded
from layerloom.schema.document import Document
from unit.graph.checking.arbitrary import documents, parse
from unit.graph.checking.drawing import Json
from unit.graph.checking.test_any_document import mutated

ANY = settings(
    max_examples=int(os.environ.get("LAYERLOOM_PROPERTIES", "100")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Document, Document]:
    """A document, and what became of it: some mutations, or another document altogether."""
    base = draw(documents())
    other = mutated(draw, copy.deepcopy(base)) if draw(st.integers(0, 5)) else draw(documents())
    return parse(base), parse(other)


def with_other_ids(document: Json, seed: int) -> Json:
    """Every node called otherwise, and the canvas forgotten."""
    changed = copy.deepcopy(document)
    for block in changed["blocks"].values():
        nodes = block["forward"]["nodes"]
        numbers = random.Random(seed).sample(range(1000), len(nodes))
        ids = {node["id"]: f"other{number}" for node, number in zip(nodes, numbers, strict=True)}
        for node in nodes:
            node["id"] = ids[node["id"]]
        _redirect(block["forward"], ids)
    changed["ui"] = {"blocks": {}}
    return changed


def _redirect(value: Any, ids: dict[str, str]) -> None:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _redirect(item, ids)
    if isinstance(value, dict) and value.get("$ref") in ids:
        value["$ref"] = ids[value["$ref"]]


def same(one: Document, other: Document) -> bool:
    return not diff(one, other) and not diff(other, one)


@ANY
@given(versions())
def test_a_document_does_not_differ_from_itself_and_does_from_others(drawn: tuple[Document, Document]) -> None:
    one, other = drawn
    assert not diff(one, one)
    plain = [json.loads(it.model_dump_json(by_alias=True)) for it in drawn]
    assert all(str(change).endswith(".") and str(change).isprintable() for change in diff(one, other))
    if plain[0]["blocks"].keys() == plain[1]["blocks"].keys() and not diff(one, other):
        # Then the difference lies in ids alone.
        assert _without_ids(plain[0]) == _without_ids(plain[1])


def _without_ids(document: Json) -> Any:
    changed = copy.deepcopy(document)
    changed.pop("ui")
    for block in changed["blocks"].values():
        nodes = block["forward"]["nodes"]
        ids = {node["id"]: f"#{at}" for at, node in reversed(list(enumerate(nodes)))}
        _redirect(block["forward"], ids)
        for at, node in enumerate(nodes):
            node["id"] = f"#{at}"
        for member in block["members"]:
            _forget_numbers(member)
    return changed


def _forget_numbers(member: Any) -> None:
    """Names of items that go by their places are no part of what a container is."""
    inner = member.get("items", [member["item"]] if "item" in member else [])
    for item in inner:
        _forget_numbers(item)
        if member["kind"] in ("module_list", "parameter_list", "sequential", "repeat"):
            item["name"] = ""


@ANY
@given(documents(), st.integers(0, 999))
def test_ids_make_no_difference(document: Json, number: int) -> None:
    one, other = parse(document), parse(with_other_ids(document, number))
    assert same(one, other)


@ANY
@given(versions())
def test_a_tree_is_the_document(drawn: tuple[Document, Document]) -> None:
    document = drawn[1]
    keys = own_keys(document)
    notes: list[Any] = []
    decoder = Decoder(encoded(document, keys), lambda _, node: node, lambda *it: notes.append(it))
    again = Document.model_validate_json(json.dumps(decoder.document()))
    assert same(document, again), str(diff(document, again))


@ANY
@given(versions())
def test_merging_with_what_did_not_change_is_what_did(drawn: tuple[Document, Document]) -> None:
    base, other = drawn
    for ours, theirs in ((base, other), (other, base), (other, other)):
        merged = merge(base, ours, theirs)
        assert merged.document == other
        assert not merged.conflicts


@st.composite
def twice_edited(draw: st.DrawFn) -> tuple[Json, Json, Json]:
    """A document, and two versions that differ from it in different blocks."""
    base = draw(documents().filter(lambda it: len(it["blocks"]) > 1))
    first, second = draw(st.permutations(sorted(base["blocks"])))[:2]
    made = []
    for name in (first, second):
        changed = copy.deepcopy(base)
        alone = {**base, "blocks": {name: base["blocks"][name]}}
        changed["blocks"][name] = mutated(draw, alone)["blocks"].get(name, base["blocks"][name])
        made.append(changed)
    return base, *made


@ANY
@given(twice_edited())
def test_edits_of_different_blocks_merge_without_a_conflict(drawn: tuple[Json, Json, Json]) -> None:
    base, ours, theirs = drawn
    expected = copy.deepcopy(ours)
    for name, block in theirs["blocks"].items():
        if block != base["blocks"][name]:
            expected["blocks"][name] = block
    merged = merge(parse(base), parse(ours), parse(theirs))
    # A reference that leads nowhere stays one, and what both sides leave broken is no conflict of theirs.
    assert not merged.conflicts, merged.conflicts
    assert same(merged.document, parse(expected)), str(diff(parse(expected), merged.document))


@ANY
@given(versions(), st.data())
def test_any_three_versions_merge_into_a_document(drawn: tuple[Document, Document], data: st.DataObject) -> None:
    base, ours = drawn
    plain = json.loads(base.model_dump_json(by_alias=True))
    theirs = Document.model_validate(mutated(data.draw, plain))
    merged = merge(base, ours, theirs)
    swapped = merge(base, theirs, ours)
    assert bool(merged.conflicts) == bool(swapped.conflicts)
    if not merged.conflicts:
        # Of two additions in one place ours stands first.
        assert {change.kind for change in diff(merged.document, swapped.document)} <= {"moved"}
