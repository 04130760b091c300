"""Members that go to other places, and everything that spells out their paths: other blocks, and patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from glob import escape
from typing import TypeAlias, TypeVar

from layerloom.catalogue import find
from layerloom.graph.errors import GraphError
from layerloom.graph.places import instances
from layerloom.graph.walk import join, steps
from layerloom.schema.document import Alias, Block, BlockUse, Buffer, Document, InitRule, Layer, Member, Node, Parameter

T = TypeVar("T")
Move: TypeAlias = Callable[[str], str]
"""Where a path inside a block goes."""


@dataclass(frozen=True)
class Edited:
    """A document after an edit, and what its members are called now."""

    document: Document
    moved: Mapping[str, str] = field(default_factory=dict)
    """Qualified names of modules and tensors of the whole network, before → after. What lies below them moves along."""

    def carry(self, state: Mapping[str, T]) -> dict[str, T]:
        """A state_dict of the module before as one of the module after: the same tensors under their new keys."""
        return {renamed(key, self.moved): tensor for key, tensor in state.items()}

    def then(self, later: Edited) -> Edited:
        """This edit and one of the document that it gave, as one."""
        before = {to: name for name, to in self.moved.items()}
        moved = {name: renamed(to, later.moved) for name, to in self.moved.items()}
        return Edited(later.document, moved | {renamed(name, before): to for name, to in later.moved.items()})


def renamed(name: str, moved: Mapping[str, str]) -> str:
    """A qualified name where it or something around it has moved."""
    stem, rest = name, ""
    while stem:
        if stem in moved:
            return moved[stem] + rest
        stem, _, last = stem.rpartition(".")
        rest = f".{last}{rest}"
    return name


def head(path: str) -> str:
    """The block's own member that a path begins with."""
    return path.partition(".")[0]


def rearranged(document: Document, name: str, block: Block, move: Move, heads: Iterable[str]) -> Edited:
    """The document with a block whose members were arranged anew, whose own nodes and aliases follow already.

    ``move`` is where paths inside it go, ``heads`` are the paths of what moves. Paths of other blocks that lead through
    the block follow, and so do the patterns of ``init`` and ``frozen``: one that would mean other tensors than before
    is written out. Raises GraphError where the members of the document cannot be unrolled.
    """
    heads = list(heads)
    found = instances(document)
    moved = {
        join(instance.name, path): join(instance.name, move(path))
        for instance in found.values()
        if instance.block == name
        for path in heads
    }
    blocks = {
        other: block if other == name else _following(document, other, its, name, move)
        for other, its in document.blocks.items()
    }
    around = [instance.name for instance in found.values() if instance.block == name]
    patterns = _Patterns(list(_tensors(document)), moved, around, move)
    changed = {
        "blocks": blocks,
        "frozen": [it for pattern in document.frozen for it in patterns.tensors(pattern)],
        "init": [it for rule in document.init for it in patterns.rules(rule)],
    }
    return Edited(document.model_copy(update=changed), moved)


def through(document: Document, around: str, path: str, name: str) -> tuple[str, str] | None:
    """A path of another block in two parts: to an instance of the named block, and on from there."""
    if "." not in path:
        return None
    try:
        found = steps(document, around, path)
    except GraphError:
        return None
    parts = path.split(".")
    for index, step in enumerate(found[:-1], start=1):
        if isinstance(step.member, BlockUse) and step.member.block == name:
            return ".".join(parts[:index]), ".".join(parts[index:])
    return None


def _following(document: Document, around: str, block: Block, name: str, move: Move) -> Block:
    """Another block whose paths lead through the one that is arranged anew."""

    def follow(path: str) -> str:
        parts = through(document, around, path, name)
        return f"{parts[0]}.{move(parts[1])}" if parts else path

    nodes = [retargeted(node, follow) for node in block.forward.nodes]
    members = [followed(member, follow) for member in block.members]
    return block.model_copy(update={"members": members, "forward": block.forward.model_copy(update={"nodes": nodes})})


def retargeted(node: Node, move: Move) -> Node:
    """A node whose member has moved."""
    if node.op == "function":
        return node
    target = move(node.target)
    return node if target == node.target else node.model_copy(update={"target": target})


def followed(member: Member, move: Move) -> Member:
    """An alias whose ends have moved; a plain name is its own."""
    if not isinstance(member, Alias):
        return member
    name = move(member.name) if "." in member.name else member.name
    return member.model_copy(update={"of": move(member.of), "name": name})


def _tensors(document: Document) -> Iterator[str]:
    """Qualified names of the parameters and buffers, those of one module behind each other."""
    for instance in instances(document).values():
        for path, place in instance.places.items():
            name = join(instance.name, path)
            member = place.member
            if isinstance(member, Alias):  # a pattern may mean a tensor by its second name
                behind = instance.places.get(member.of)
                member = behind.member if behind else Parameter(name=name)
            match member:
                case Layer(target=target):
                    entry = find(target)
                    # A layer made of layers has tensors further below; one stands for them.
                    yield from (f"{name}.{tensor}" for tensor in (entry.tensors if entry else ()) or ("weight",))
                case Parameter() | Buffer():
                    yield name


@dataclass
class _Patterns:
    """Globs on qualified names, rewritten so that they go on to mean the same tensors."""

    names: list[str]
    moved: Mapping[str, str]
    around: list[str]
    """The instances of the block whose members have moved."""
    move: Move

    def tensors(self, pattern: str) -> list[str]:
        """Of a pattern on parameter names."""
        meant = {renamed(name, self.moved) for name in self.names if fnmatchcase(name, pattern)}
        after = [renamed(name, self.moved) for name in self.names]
        for candidate in (pattern, self._moved(pattern)):
            if {name for name in after if fnmatchcase(name, candidate)} == meant:
                return [candidate]
        return list(_spelled(meant, after))

    def rules(self, rule: InitRule) -> list[InitRule]:
        """Of a rule for modules: several where one pattern cannot say which are meant."""
        meant = {name for name in self.names if fnmatchcase(_owner(name), rule.name)}
        after = {name: _owner(renamed(name, self.moved)) for name in self.names}
        for candidate in (rule.name, self._moved(rule.name)):
            if {name for name, owner in after.items() if fnmatchcase(owner, candidate)} == meant:
                return [rule.model_copy(update={"name": candidate})]
        return [rule.model_copy(update={"name": escape(owner)}) for owner in sorted({after[name] for name in meant})]

    def _moved(self, pattern: str) -> str:
        """The pattern with the path behind an instance of the block moved, as a person would change it."""
        parts = pattern.split(".")
        for name in self.around:
            prefix = name.split(".") if name else []
            rest = parts[len(prefix) :]
            if rest and all(fnmatchcase(own, part) for own, part in zip(prefix, parts, strict=False)):
                to = self.move(".".join(rest))
                if to != ".".join(rest):
                    return ".".join([*parts[: len(prefix)], to])
        return pattern


def _spelled(meant: set[str], names: list[str]) -> Iterator[str]:
    """Patterns for just these names: ``stem.*`` where all below is meant, else the name itself."""
    left = set(meant)
    for name in sorted(meant):
        parts = name.split(".") if name in left else []
        for count in range(1, len(parts) + 1):
            around = escape(".".join(parts[:count]))
            pattern = f"{around}.*" if count < len(parts) else around
            found = {other for other in names if fnmatchcase(other, pattern)}
            if found <= meant:
                yield pattern
                left -= found
                break


def _owner(tensor: str) -> str:
    return tensor.rpartition(".")[0]
