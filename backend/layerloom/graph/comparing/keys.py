"""Which entity of one document is which of another.

Every block, member and node gets a key. The keys of a document by itself are names and places in lists; those of a
later version are the keys of what they were matched with, and for the rest new keys made of their content alone, so
that the same addition in two versions has the same key in both.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, TypeAlias, TypeVar

from layerloom.graph.comparing.paths import items, numbered, path_key
from layerloom.graph.errors import GraphError
from layerloom.graph.walk import argument_values, order
from layerloom.schema.document import Block, BlockUse, Document, Graph, Node
from layerloom.schema.values import Ref, refs, replace

T = TypeVar("T")
_Held: TypeAlias = "list[tuple[str, str, Any]]"
"""Members with the paths and the names by which they are held."""
ALIKE = 0.6
"""Share of members and nodes that two blocks of different names must have in common to be one that was renamed."""


@dataclass
class Keys:
    """Keys of one document's entities."""

    blocks: dict[str, str] = field(default_factory=dict)
    """By name."""
    members: dict[tuple[str, str], str] = field(default_factory=dict)
    """By block and path as written: ``stages.0``; an item of a repeat is ``stages.0.*``."""
    nodes: dict[str, list[str]] = field(default_factory=dict)
    """By block, in the order of the list."""

    def of_nodes(self, name: str, graph: Graph) -> dict[str, str]:
        """Keys by id. Of several nodes with one id references mean the first."""
        pairs = zip((node.id for node in graph.nodes), self.nodes[name], strict=True)
        return dict(reversed(list(pairs)))


def dumped(value: Any, leave: Iterable[str] = ()) -> str:
    """A part of a document as text, equal where it is equal."""
    plain = value.model_dump(mode="json", by_alias=True, exclude=set(leave)) if hasattr(value, "model_dump") else value
    return json.dumps(plain, sort_keys=True)


def digest(*parts: object) -> str:
    """A short name for content."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def own_keys(document: Document) -> Keys:
    """Keys of a document by itself."""
    keys = Keys(blocks={name: name for name in document.blocks})
    for name, block in document.blocks.items():
        keys.nodes[name] = [f"n{index}" for index in range(len(block.forward.nodes))]
        for path, own, _ in walked(block):
            keys.members[name, path] = own
    return keys


def walked(block: Block) -> Iterator[tuple[str, str, Any]]:
    """Every member of a block and all inside it: path as written, name, member."""
    pending = [(member.name, member.name, member) for member in block.members]
    while pending:
        path, name, member = pending.pop(0)
        yield path, name, member
        pending.extend(items(member, path))


def matched_keys(base: Document, known: Keys, other: Document) -> Keys:
    """Keys of another version of a document whose keys are known."""
    keys = Keys(blocks=_blocks(base, known, other))
    names = {key: name for name, key in known.blocks.items()}
    for name, block in other.blocks.items():
        former = names.get(keys.blocks[name])
        before = base.blocks[former] if former is not None else Block()
        pairs = _Members(known, former or "", keys, name)
        pairs.match(_named(before), _named(block))
    for name in other.blocks:
        former = names.get(keys.blocks[name])
        keys.nodes[name] = _nodes(base, known, former, other, keys, name)
    return keys


# --- blocks


def _blocks(base: Document, known: Keys, other: Document) -> dict[str, str]:
    found = {name: known.blocks[name] for name in other.blocks if name in base.blocks}
    gone = [name for name in base.blocks if name not in other.blocks]
    new = [name for name in other.blocks if name not in base.blocks]
    if base.main in gone and other.main in new:
        found[other.main] = known.blocks[base.main]
        gone.remove(base.main)
        new.remove(other.main)
    scores = [(_alike(base.blocks[was], other.blocks[now]), was, now) for was in gone for now in new]
    for score, was, now in sorted(scores, key=lambda it: -it[0]):
        if score >= ALIKE and was in gone and now in new:
            found[now] = known.blocks[was]
            gone.remove(was)
            new.remove(now)
    for name in new:
        found[name] = f"+{name}"
    return found


def _alike(one: Block, other: Block) -> float:
    """Share of what two blocks have in common, of all that they have."""
    mine, its = _features(one), _features(other)
    return (mine & its).total() / max((mine | its).total(), 1)


def _features(block: Block) -> Counter[Hashable]:
    members = [(path, member.kind, getattr(member, "target", "")) for path, _, member in walked(block)]
    nodes = [(node.op, node.target) for node in block.forward.nodes]
    return Counter([*members, *nodes])


# --- members


@dataclass
class _Members:
    """Matches the members of one block."""

    known: Keys
    before: str
    keys: Keys
    name: str

    def match(self, old: _Held, new: _Held) -> None:
        """Members by their names, then those of other names that are otherwise equal; items the same way."""
        mine, its = [it[2] for it in old], [it[2] for it in new]
        pairs = _by([it[1] for it in old], [it[1] for it in new])
        gone, more = _rest(len(old), pairs.values()), _rest(len(new), pairs)
        pairs |= _paired(
            gone, more, lambda at: self._plain(mine[at], self.known), lambda at: self._plain(its[at], self.keys)
        )
        self._take(pairs, old, new)

    def match_numbered(self, old: _Held, new: _Held) -> None:
        """Items of a list, whose names are their places: as the longest equal runs have it, then what lies between."""
        mine = [self._plain(item, self.known) for _, _, item in old]
        its = [self._plain(item, self.keys) for _, _, item in new]
        pairs: dict[int, int] = {}
        for tag, low, high, start, end in SequenceMatcher(None, mine, its, autojunk=False).get_opcodes():
            if tag in ("equal", "replace"):
                pairs |= dict(zip(range(start, end), range(low, high), strict=False))
        self._take(pairs, old, new, by_place=True)

    def _take(self, pairs: Mapping[int, int], old: _Held, new: _Held, by_place: bool = False) -> None:
        used: Counter[str] = Counter()
        for at, (path, name, member) in enumerate(new):
            if at in pairs:
                former, _, was = old[pairs[at]]
                self.keys.members[self.name, path] = self.known.members[self.before, former]
                self._inside(was, member, former, path)
                continue
            fresh = f"+{digest(self._plain(member, self.keys))}" if by_place else f"+{name}"
            used[fresh] += 1
            self.keys.members[self.name, path] = f"{fresh}~{used[fresh]}" if used[fresh] > 1 else fresh
            self._fresh(member, path)

    def _inside(self, old: Any, new: Any, above: str, here: str) -> None:
        if numbered(old) and numbered(new):
            self.match_numbered(list(items(old, above)), list(items(new, here)))
        elif numbered(old) or numbered(new):
            self._fresh(new, here)
        else:
            self.match(list(items(old, above)), list(items(new, here)))

    def _fresh(self, member: Any, path: str) -> None:
        for inner, name, item in items(member, path):
            self.keys.members[self.name, inner] = f"+{name}"
            self._fresh(item, inner)

    def _plain(self, member: Any, keys: Keys) -> str:
        """A member without its name, and with keys in the place of the blocks' names."""
        plain = member.model_dump(mode="json", by_alias=True)
        plain.pop("name", None)
        if isinstance(member, BlockUse):
            plain["block"] = keys.blocks.get(member.block, member.block)
        return json.dumps(plain, sort_keys=True)


def _named(block: Block) -> _Held:
    return [(member.name, member.name, member) for member in block.members]


def _by(old: Sequence[T], new: Sequence[T]) -> dict[int, int]:
    """Places in ``new`` with the places in ``old`` of what is equal, the first with the first."""
    places: dict[T, list[int]] = defaultdict(list)
    for index, it in enumerate(old):
        places[it].append(index)
    return {index: places[it].pop(0) for index, it in enumerate(new) if places[it]}


def _rest(count: int, taken: Iterable[int]) -> list[int]:
    known = set(taken)
    return [index for index in range(count) if index not in known]


def _paired(
    old: list[int], new: list[int], mine: Callable[[int], Hashable], its: Callable[[int], Hashable]
) -> dict[int, int]:
    """The same of some places, by what functions say of them."""
    found = _by([mine(at) for at in old], [its(at) for at in new])
    return {new[at]: old[was] for at, was in found.items()}


# --- nodes


@dataclass
class _Graph:
    """A graph as its nodes are compared."""

    nodes: list[Node]
    targets: list[str]
    refs: list[list[Ref]]
    ids: dict[str, int]
    whole: list[str]
    """Digest of each node and all before it."""


def _read(document: Document, keys: Keys, name: str) -> _Graph:
    nodes = document.blocks[name].forward.nodes
    targets = [it.target if it.op == "function" else path_key(document, keys.members, name, it.target) for it in nodes]
    ids = {node.id: index for index, node in reversed(list(enumerate(nodes)))}
    found = [[ref for _, value in argument_values(node) for ref in refs(value)] for node in nodes]
    graph = _Graph(nodes, targets, found, ids, [""] * len(nodes))
    for index in _running(document.blocks[name].forward, ids):
        graph.whole[index] = digest(targets[index], described(nodes[index], lambda ref: _upstream(graph, ref)))
    return graph


def _running(graph: Graph, ids: Mapping[str, int]) -> list[int]:
    try:
        return [ids[node.id] for node in order(graph)]
    except GraphError:
        return list(range(len(graph.nodes)))


def _upstream(graph: _Graph, ref: Ref) -> str:
    return graph.whole[graph.ids[ref.ref]] if ref.ref in graph.ids else f"={ref.ref}"


def described(node: Node, name: Callable[[Ref], str]) -> str:
    """A node without its own id and target, what it refers to being told by a function."""

    def renamed(value: Any) -> Any:
        return replace(value, lambda it: Ref(ref=name(it), path=it.path) if isinstance(it, Ref) else it)

    values = {key: dumped(_plain_value(renamed(value))) for key, value in argument_values(node)}
    return json.dumps([node.op, node.when, values], sort_keys=True)


def _plain_value(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return [_plain_value(item) for item in value] if isinstance(value, list) else value


def _nodes(base: Document, known: Keys, former: str | None, other: Document, keys: Keys, name: str) -> list[str]:
    new = _read(other, keys, name)
    pairs: dict[int, int] = {}
    if former is not None:
        pairs = _node_pairs(_read(base, known, former), new)
    found: list[str] = []
    used: Counter[str] = Counter()
    for index in range(len(new.nodes)):
        if index in pairs and former is not None:
            found.append(known.nodes[former][pairs[index]])
            continue
        fresh = f"+{new.whole[index]}"
        used[fresh] += 1
        found.append(f"{fresh}~{used[fresh]}" if used[fresh] > 1 else fresh)
    return found


def _ports(node: Node) -> tuple[str, ...]:
    return tuple(sorted(port for port, _ in argument_values(node)))


def _node_pairs(old: _Graph, new: _Graph) -> dict[int, int]:
    """Nodes that are one: equal with all before them, then by what is alike, from the most to the least."""
    pairs = _by(old.whole, new.whole)

    def more(mine: Callable[[int], Hashable], its: Callable[[int], Hashable]) -> None:
        gone, left = _rest(len(old.nodes), pairs.values()), _rest(len(new.nodes), pairs)
        for at, was in _paired(gone, left, mine, its).items():
            if mine(was) is not None and new.nodes[at].op == old.nodes[was].op:
                pairs[at] = was

    def near(graph: _Graph, at: int, partner: Callable[[int], Hashable]) -> list[Hashable]:
        return [
            (partner(graph.ids[ref.ref]), *ref.path) if ref.ref in graph.ids else (f"={ref.ref}", *ref.path)
            for ref in graph.refs[at]
        ]

    def before(at: int) -> Hashable:
        matched = set(pairs.values())
        return tuple(near(old, at, lambda it: it if it in matched else -1))

    def after(at: int) -> Hashable:
        return tuple(near(new, at, lambda it: pairs.get(it, -1)))

    for _ in range(2):  # what is matched in the first round helps to match its neighbours in the second
        more(lambda at: (old.targets[at], before(at)), lambda at: (new.targets[at], after(at)))
        more(lambda at: (old.targets[at], old.nodes[at].name), lambda at: (new.targets[at], new.nodes[at].name))
    more(lambda at: old.targets[at], lambda at: new.targets[at])
    # Another operation in the same place: with the same things before it, at ports of the same names.
    more(
        lambda at: (old.nodes[at].op, _ports(old.nodes[at]), before(at)),
        lambda at: (new.nodes[at].op, _ports(new.nodes[at]), after(at)),
    )
    return pairs
