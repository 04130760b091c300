"""Parts of a tree in words that a reader of the document knows: names in the place of keys."""

from __future__ import annotations

import json
from typing import Any

from layerloom.graph.comparing.decoding import Decoder, rewired
from layerloom.graph.comparing.tree import Leaf
from layerloom.graph.walk import join


class Words:
    """Says what stands in one tree."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree
        self._decoder = Decoder(tree, lambda _, node: node, lambda *_: None)

    def main(self) -> str:
        """Name of the outermost block."""
        return self._decoder.block_name(self.tree["main"], "", "")

    def label(self, block: str, node: Any) -> str:
        """What a reader knows a node by: its variable, the member that it calls, or its operation."""
        if node["name"]:
            return str(node["name"])
        if node["op"] == "function":
            return str(node["target"]).rpartition(".")[2]
        return self._decoder.path(block, node["target"], "")

    def names(self, members: dict[str, Any], around: str, block: str) -> dict[str, str]:
        """Paths of members by key, items of lists by their places."""
        found = {}
        for index, (key, member) in enumerate(members.items()):
            name = self.name(member, block) or str(index)
            found[key] = join(around, name)
        return found

    def name(self, member: dict[str, Any], block: str) -> str | None:
        """What a member is called; an alias inside another member by the path to there."""
        name = member.get("name")
        if isinstance(name, str) and member.get("kind") == "alias" and "/" in name:
            return self._decoder.path(block, name, "")
        return name

    def told(self, block: str, part: Any) -> str | None:
        """A part as JSON; None where there is nothing."""
        return None if part is None else json.dumps(self._plain(block, part))

    def entry(self, block: str, owner: dict[str, Any], key: str) -> str | None:
        """One entry of a part as JSON; None where it has none of that key."""
        if key not in owner:
            return None
        if "kind" in owner or "op" in owner:
            return json.dumps(self.field(block, owner, key))
        return self.told(block, owner[key])

    def _plain(self, block: str, part: Any) -> Any:
        match part:
            case Leaf():
                return self._value(block, part.value)
            case {"kind": _} | {"op": _}:
                return {field: self.field(block, part, field) for field in part if field != "numbered"}
            case dict():
                return {key: self._plain(block, item) for key, item in part.items()}
        return part

    def field(self, block: str, part: dict[str, Any], field: str) -> Any:
        """One field of a member or node."""
        value = part.get(field)
        match field:
            case "target" if part.get("op") not in (None, "function"):
                return self._decoder.path(block, str(value), "")
            case "of":
                return self._decoder.path(block, str(value), "")
            case "name":
                return self.name(part, block)
            case "block":
                return self._decoder.block_name(str(value), "", "")
            case "items" if isinstance(value, dict):
                return [self._plain(block, item) for item in value.values()]
        return self._plain(block, value)

    def _value(self, block: str, value: Any) -> Any:
        def by_name(ref: dict[str, Any]) -> str:
            node = self.tree["blocks"][block]["nodes"].get(ref["$ref"])
            name = self.label(block, node) if node else ref["$ref"].lstrip("=").removeprefix("input ")
            return ".".join([name, *map(str, ref["path"])])

        return rewired(value, by_name)
