"""A document made of a tree of entities by key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from layerloom.graph.comparing.tree import Leaf


@dataclass
class Decoder:
    """Makes a document of a tree. What cannot be said is given to ``note``: block, what refers, and why."""

    tree: dict[str, Any]
    ids: Callable[[str, str], str]
    """The id of a node, by the keys of its block and its own."""
    note: Callable[[str, str, str], None]

    def __post_init__(self) -> None:
        self._names = self._distinct(self.tree["blocks"], "", "blocks")
        self._held: dict[int, dict[str, str]] = {}

    def document(self) -> dict[str, Any]:
        """As JSON, without the canvas."""
        tree = self.tree
        return {
            "format": tree["format"],
            "name": tree["name"],
            "main": self.block_name(tree["main"], "", "main"),
            "blocks": {self._names[key]: self._block(key) for key in tree["blocks"]},
            "init": [it.value for it in tree["init"].values()],
            "frozen": [it.value for it in tree["frozen"].values()],
            "inputs": {name: it.value for name, it in tree["inputs"].items()},
            "code": {name: it.value for name, it in tree["code"].items()},
        }

    def block_name(self, key: str, block: str, what: str) -> str:
        """What a block is called."""
        if key.startswith("="):
            return key[1:]
        if key in self._names:
            return self._names[key]
        self.note(block, what, f"the block {key.lstrip('+')} is no longer there")
        return key.lstrip("+")

    def node_ids(self, key: str) -> dict[str, str]:
        """Ids of a block's nodes by key, each of its own."""
        block = self.tree["blocks"][key]
        taken = {it.value["name"] for it in block["given"].values()} | _dangling(block)
        found: dict[str, str] = {}
        for node in block["nodes"]:
            own, number = self.ids(key, node), 1
            name = own
            while name in taken:
                number += 1
                name = f"{own}_{number}"
            taken.add(name)
            found[node] = name
        return found

    def _distinct(self, entities: dict[str, Any], block: str, what: str) -> dict[str, str]:
        """Names by key; one that another entity has, too, gets a number and is noted."""
        found: dict[str, str] = {}
        for key, it in entities.items():
            name, number = it["name"], 1
            while name in found.values() and "~" not in key:
                number += 1
                name = f"{it['name']}_{number}"
            if number > 1:
                self.note(block, it["name"], f"two {what} would have this name; one is called {name} now")
            found[key] = name
        return found

    def _block(self, key: str) -> dict[str, Any]:
        block = self.tree["blocks"][key]
        name = self._names[key]
        ids = self.node_ids(key)
        given = {f"input {it.value['name']}" for it in block["given"].values()}

        def refer(value: Any, what: str) -> Any:
            def by_id(ref: dict[str, Any]) -> Any:
                to = ref["$ref"]
                if to.startswith("="):
                    return {**ref, "$ref": to[1:]}
                if to in given:
                    return {**ref, "$ref": to.removeprefix("input ")}
                if to in ids:
                    return {**ref, "$ref": ids[to]}
                self.note(name, what, "what it is connected to is no longer there")
                return None

            return rewired(value, by_id)

        nodes = []
        for node, it in block["nodes"].items():
            label = it["name"] or it["target"]
            made = {**it, "id": ids[node]}
            if it["op"] != "function":
                made["target"] = self.path(key, it["target"], label)
            if "arguments" in it:
                made["arguments"] = {port: refer(value.value, label) for port, value in it["arguments"].items()}
            if "key" in it:
                made["key"] = refer(it["key"].value, label)
            nodes.append(made)
        return {
            **{field: it.value for field, it in block["fields"].items()},
            "arguments": [it.value for it in block["arguments"].values()],
            "members": [self._member(key, it) for it in self._named(block["members"], key)],
            "forward": {
                "inputs": [it.value for it in block["given"].values()],
                "nodes": nodes,
                "output": refer(block["output"].value, "the output"),
            },
        }

    def _called(self, members: dict[str, Any], block: str) -> dict[str, str]:
        """Names by key of what a block or container holds."""
        if id(members) not in self._held:
            named = {key: it for key, it in members.items() if "name" in it}
            self._held[id(members)] = self._distinct(named, self._names[block], "members")
        return self._held[id(members)]

    def _named(self, members: dict[str, Any], block: str) -> list[Any]:
        names = self._called(members, block)
        return [{**it, "name": names[key]} if key in names else it for key, it in members.items()]

    def _member(self, block: str, member: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field, value in member.items():
            match field:
                case "arguments":
                    made[field] = {name: it.value for name, it in value.items()}
                case "items":
                    inner = list(value.values()) if _numbered(member) else self._named(value, block)
                    made[field] = [
                        self._member(block, _by_place(it, at) if _numbered(member) or "name" not in it else it)
                        for at, it in enumerate(inner)
                    ]
                case "numbered":
                    continue
                case "item":
                    made[field] = self._member(block, value)
                case "block":
                    made[field] = self.block_name(value, self._names[block], member["name"])
                case "of":
                    made[field] = self.path(block, value, member["name"])
                case "name" if member["kind"] == "alias" and "/" in value:
                    made[field] = self.path(block, value, value)
                case _:
                    made[field] = value.value if isinstance(value, Leaf) else value
        return made

    def path(self, block: str, keys: str, what: str) -> str:
        """A path of keys as names; ``block`` is the key of the block in which it begins, ``what`` names what has it."""
        parts: list[str] = []
        holder: Any = self.tree["blocks"].get(block)
        for key in keys.split("/"):
            holder = self._opened(holder, block)
            if key.startswith("="):
                parts.append(key[1:])
                holder = _repeated(holder)
                continue
            inside = _inside(holder)
            if key not in inside:
                self.note(self._names[block], what, "the member that it means is no longer there")
                parts.append(key.lstrip("+"))
                holder = None
                continue
            place = str(list(inside).index(key))
            parts.append(place if _numbered(holder) else self._called(inside, block).get(key, place))
            holder = inside[key]
        return ".".join(parts)

    def _opened(self, holder: Any, block: str, depth: int = 0) -> Any:
        """What can be looked into: behind aliases, the block that an instance is of."""
        if not isinstance(holder, dict) or depth > 16:
            return holder
        if holder.get("kind") == "alias":
            return self._opened(self._at(block, holder["of"]), block, depth + 1)
        if holder.get("kind") == "block":
            return self.tree["blocks"].get(holder["block"])
        return holder

    def _at(self, block: str, keys: str) -> Any:
        holder: Any = self.tree["blocks"].get(block)
        for index, key in enumerate(keys.split("/")):
            holder = self._opened(holder, block) if index else holder
            holder = _repeated(holder) if key.startswith("=") else _inside(holder).get(key)
        return holder


def rewired(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """A value as JSON with its references changed. (The keys of a ``$dict`` are texts, whatever they look like.)"""
    match value:
        case {"$ref": str(), "path": list()}:
            return change(value)
        case {"$dict": dict(entries)}:
            return {"$dict": {key: rewired(item, change) for key, item in entries.items()}}
        case {"$layer": {"arguments": dict(entries)} as call}:
            return {"$layer": {**call, "arguments": {key: rewired(it, change) for key, it in entries.items()}}}
        case dict():
            return {key: rewired(item, change) for key, item in value.items()}
        case list():
            return [rewired(item, change) for item in value]
    return value


def _dangling(block: dict[str, Any]) -> set[str]:
    """Ids that references of a block mean though no node had them: none may get them now."""
    found: set[str] = set()

    def note(ref: dict[str, Any]) -> Any:
        if ref["$ref"].startswith("="):
            found.add(ref["$ref"][1:])

    leaves = [block["output"]]
    for node in block["nodes"].values():
        leaves += [*node.get("arguments", {}).values(), *([node["key"]] if "key" in node else [])]
    for it in leaves:
        if '"$ref": "=' in it.text:
            rewired(it.value, note)
    return found


def _by_place(item: dict[str, Any], at: int) -> dict[str, Any]:
    """An item of a list with the name that its place gives it; of a repeat, whose copies are counted, ``0``."""
    return item if item["kind"] == "repeat" else {**item, "name": str(at)}


def _inside(holder: Any) -> dict[str, Any]:
    if not isinstance(holder, dict):
        return {}
    found = holder.get("members", holder.get("items", {}))
    return found if isinstance(found, dict) else {}


def _repeated(holder: Any) -> Any:
    """The item that the copies of a repeat are made from."""
    found = next((it for it in _inside(holder).values() if it.get("kind") == "repeat"), None)
    while isinstance(found, dict) and found.get("kind") == "repeat":
        found = found["item"]
    return found


def _numbered(holder: Any) -> bool:
    return isinstance(holder, dict) and holder.get("numbered") is True
