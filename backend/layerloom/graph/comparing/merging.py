"""Three-way merge: what two people made of one document, together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from layerloom.graph.comparing.decoding import Decoder
from layerloom.graph.comparing.keys import Keys, matched_keys, own_keys
from layerloom.graph.comparing.tree import Ordered, encoded
from layerloom.graph.comparing.words import Words
from layerloom.schema.document import BlockView, Document, Position

_GONE = object()
"""Stands where one version has nothing."""


@dataclass(frozen=True)
class Conflict:
    """Something that both changed, each in another way. The merged document has what ``ours`` says."""

    where: str
    """Path of names: ``Net / members / fc / out_features``."""
    message: str
    base: str | None = None
    """As JSON, with names where the documents have ids; None where the version has nothing there."""
    ours: str | None = None
    theirs: str | None = None


@dataclass(frozen=True)
class Merged:
    """A merged document, and what could not be decided."""

    document: Document
    conflicts: list[Conflict] = field(default_factory=list)


def merge(base: Document, ours: Document, theirs: Document) -> Merged:
    """What ``ours`` and ``theirs`` changed in ``base``, in one document.

    What only one changed is taken from that one; what both changed alike is taken once; where they changed it in
    different ways, ``ours`` is taken and a conflict is noted. Things are matched as in ``diff``: a member that one
    renames and the other changes is renamed and changed. The document is always one that can be checked, but its sense
    is for ``layerloom.check`` to judge: two edits that are right may not be right together. Places on the canvas are
    taken from whoever moved them and are never in conflict.
    """
    if theirs in (base, ours):
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    known = own_keys(base)
    mine, its = matched_keys(base, known, ours), matched_keys(base, known, theirs)
    trees = [encoded(base, known), encoded(ours, mine), encoded(theirs, its)]
    merging = _Merging([Words(tree) for tree in trees])
    tree = merging.entries(trees, ())
    views = _Views(tree, [_Version(base, known), _Version(ours, mine), _Version(theirs, its)])
    decoder = Decoder(tree, views.id, merging.lost)
    plain = {**decoder.document(), "ui": {"blocks": views.blocks(decoder)}}
    return Merged(Document.model_validate_json(json.dumps(plain)), merging.conflicts)


@dataclass
class _Merging:
    words: list[Words]
    """Of base, ours and theirs, as every list of three here."""
    conflicts: list[Conflict] = field(default_factory=list)

    def lost(self, block: str, what: str, why: str) -> None:
        """Note that something refers to what the other version has removed."""
        self.conflicts.append(Conflict(f"{block} / {what}" if block else what, why))

    def entries(self, owners: Sequence[dict[str, Any]], place: tuple[str, ...], block: str = "") -> dict[str, Any]:
        """The entries of one part of the tree; ``block`` is the key of the block that it is in."""
        base, ours, theirs = owners
        keys = self._order(base, ours, theirs, place) if isinstance(ours, Ordered) else [*ours, *theirs]
        made: dict[str, Any] = Ordered() if isinstance(ours, Ordered) else {}
        for key in dict.fromkeys(keys):
            found = self._entry(owners, key, place, key if place == ("blocks",) else block)
            if found is not _GONE:
                made[key] = found
        return made

    def _entry(self, owners: Sequence[dict[str, Any]], key: str, place: tuple[str, ...], block: str) -> Any:
        base, ours, theirs = versions = [owner.get(key, _GONE) for owner in owners]
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        inside = (*place, _label(key, *versions))
        if isinstance(ours, dict) and isinstance(theirs, dict) and (isinstance(base, dict) or base is _GONE):
            former = base if isinstance(base, dict) else {}
            if ours.get("kind") == theirs.get("kind") and ours.get("op") == theirs.get("op"):
                return self.entries([former, ours, theirs], inside, block)
        told = [words.entry(block, owner, key) for words, owner in zip(self.words, owners, strict=True)]
        self.conflicts.append(Conflict(" / ".join(inside), _clash(base, ours, theirs), *told))
        return ours

    def _order(
        self, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], place: tuple[str, ...]
    ) -> list[str]:
        """The order of whoever changed it, the other's additions behind what they stand behind there."""
        common = [key for key in base if key in ours and key in theirs]
        mine = [key for key in ours if key in common and key in base]
        its = [key for key in theirs if key in common and key in base]
        if mine != common and its not in (common, mine):
            self.conflicts.append(Conflict(" / ".join(place), "both put this into another order"))
        first, second = (theirs, ours) if mine == common else (ours, theirs)
        order = list(first)
        before: str | None = None
        for key in second:
            if key not in first:
                order.insert(order.index(before) + 1 if before is not None else 0, key)
            before = key
        return order


def _clash(base: Any, ours: Any, theirs: Any) -> str:
    """What happened to a part that both changed."""
    if ours is _GONE:
        return "this was removed in ours and changed in theirs"
    if theirs is _GONE:
        return "this was changed in ours and removed in theirs"
    if base is _GONE:
        return "both added this, each in another way"
    return "both changed this, each in another way"


def _label(key: str, *versions: Any) -> str:
    """What a reader knows a part by."""
    for it in versions:
        if isinstance(it, dict) and it.get("op"):
            return str(it["name"] or it["target"]).lstrip("+")
        if isinstance(it, dict) and isinstance(it.get("name"), str):
            return str(it["name"])
    return key.lstrip("+")


# --- ids and places


@dataclass(frozen=True)
class _Version:
    document: Document
    keys: Keys

    def block(self, key: str) -> str | None:
        """Name of a block by its key."""
        return next((name for name, own in self.keys.blocks.items() if own == key), None)


@dataclass
class _Views:
    """Ids of nodes and places on the canvas, by the keys of what they belong to."""

    tree: dict[str, Any]
    versions: list[_Version]
    """Base, ours, theirs."""

    def __post_init__(self) -> None:
        self._ids: list[dict[tuple[str, str], str]] = []
        self._places: list[dict[tuple[str, str], Position]] = []
        self._folded: list[set[tuple[str, str]]] = []
        for version in self.versions:
            ids: dict[tuple[str, str], str] = {}
            places: dict[tuple[str, str], Position] = {}
            folded: set[tuple[str, str]] = set()
            for name, key in version.keys.blocks.items():
                graph = version.document.blocks[name].forward
                pairs = zip(version.keys.nodes[name], graph.nodes, strict=True)
                ids |= {(key, node): it.id for node, it in pairs}
                own = version.keys.of_nodes(name, graph)
                view = version.document.ui.blocks.get(name, BlockView())
                places |= {(key, own.get(at, f"={at}")): spot for at, spot in view.positions.items()}
                folded |= {(key, own.get(at, f"={at}")) for at in view.collapsed}
            self._ids.append(ids)
            self._places.append(places)
            self._folded.append(folded)

    def id(self, block: str, node: str) -> str:
        """The id of a node: as whoever changed it has it."""
        base, ours, theirs = (ids.get((block, node)) for ids in self._ids)
        return (theirs if ours is None or ours == base else ours) or ours or base or node

    def blocks(self, decoder: Decoder) -> dict[str, Any]:
        """How the blocks of the merged document are laid out."""
        found: dict[str, Any] = {}
        base, ours, theirs = self._places
        for key in self.tree["blocks"]:
            ids = decoder.node_ids(key)
            positions: dict[str, Any] = {}
            for place in dict.fromkeys([*ours, *theirs]):
                at = ours.get(place) or theirs[place]
                if place in ours and place in theirs and ours[place] == base.get(place):
                    at = theirs[place]
                name = self._shown(place, key, ids)
                if name is not None:
                    positions[name] = at.model_dump()
            folded = [self._shown(place, key, ids) for place in sorted(self._folded[1] | self._folded[2])]
            if positions or any(folded):
                found[decoder.block_name(key, "", "")] = {
                    "positions": positions,
                    "collapsed": [it for it in folded if it],
                }
        return found

    def _shown(self, place: tuple[str, str], block: str, ids: Mapping[str, str]) -> str | None:
        if place[0] != block:
            return None
        return place[1][1:] if place[1].startswith("=") else ids.get(place[1])
