"""The layers that a bare state_dict implies: a document whose module takes it with ``strict=True``.

Keys tell the tree of modules, shapes tell the layers (``layerloom.catalogue.states``). What no key tells is proposed:
layers without parameters are missing, and the forward calls what there is in the order of the keys, where that fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from layerloom.catalogue import find
from layerloom.catalogue.states import Proposal, Shapes, proposals
from layerloom.graph.build import build
from layerloom.graph.checking import check
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.importing.guessing import guess
from layerloom.graph.names import CLASSES, attributes, is_identifier, is_key
from layerloom.schema.document import Document
from layerloom.schema.problems import ProblemCode

DEPTH_LIMIT = 16
_TRIES = 40
_TABLES = ("wte", "wpe")
"""What GPT and its children call their tables of tokens and positions."""
_TOLD = 20
"""Notes about single layers."""

Tensors = Sequence[tuple[str, Sequence[int], str]]
"""Name, shape and dtype, in the order of the state_dict."""


@dataclass
class _Node:
    """A module or tensor by its place in the tree of names."""

    children: dict[str, _Node] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    dtype: str = "float32"

    def tensors(self, prefix: str = "") -> Iterator[tuple[str, _Node]]:
        for name, child in self.children.items():
            if child.shape is not None:
                yield f"{prefix}{name}", child
            yield from child.tensors(f"{prefix}{name}.")


def propose(tensors: Tensors, name: str = "Network") -> tuple[Document, list[str]]:
    """The document that the tensors of a state_dict imply, and what was assumed.

    Its module has the same keys in the same order, with the same shapes.

    Raises:
        GraphError: there is no such module; the problem says why.
    """
    notes: list[str] = []
    tensors = list(_keyed(tensors, notes))
    builder = _Builder(_tree(tensors), notes)
    document = builder.document(name)
    found = guess(document, _TRIES)
    if found is None:
        notes.append("The order of the keys does not make a network: connect the layers yourself.")
        found = _unconnected(document)
    _prove(found, tensors, notes)
    return found, notes


def _keyed(tensors: Tensors, notes: list[str]) -> Iterator[tuple[str, Sequence[int], str]]:
    """The tensors with the keys that they have in a class: what a wrapper adds left out, what a class needs put in."""
    names = [name for name, _, _ in tensors]
    before = ""
    if names and all(name.startswith("module.") for name in names):
        notes.append("The prefix 'module.' of a model that was trained in parallel was left out.")
        names = [name.removeprefix("module.") for name in names]
    single = bool(proposals({name: tuple(shape) for name, (_, shape, _) in zip(names, tensors, strict=True)}))
    if single or any(name.partition(".")[0].isdecimal() for name in names):
        before = "layer." if single else "layers."
        notes.append(f"These are the keys of no class: in this network they begin with '{before}'.")
    for name, (_, shape, dtype) in zip(names, tensors, strict=True):
        yield before + name, shape, dtype


def _tree(tensors: Tensors) -> _Node:
    root = _Node()
    for name, shape, dtype in tensors:
        parts = name.split(".")
        if len(parts) > DEPTH_LIMIT or not all(map(is_key, parts)):
            raise refuse(ProblemCode.UPLOAD_INVALID, f"{name[:80]!r} is no key of a module.")
        node = root
        for part in parts:
            if node.shape is not None:
                raise refuse(ProblemCode.UPLOAD_INVALID, f"{name[:80]!r} is a key below a tensor.")
            node = node.children.setdefault(part, _Node())
        node.shape, node.dtype = tuple(shape), dtype
    return root


class _Builder:
    def __init__(self, root: _Node, notes: list[str]) -> None:
        self._root, self._notes = root, notes
        self._blocks: dict[str, dict[str, Any]] = {}
        self._known: dict[str, str] = {}
        self._told = 0
        self._rank = ""
        """Dimensions in the name of the last layer, ``2d``: the next one of several is likely to have them, too."""

    def document(self, name: str) -> Document:
        self._blocks[name] = self._block("", self._root)
        blocks = {key: self._blocks[key] for key in [name, *(key for key in self._blocks if key != name)]}
        return Document.model_validate({"name": name, "main": name, "blocks": blocks})

    def _block(self, path: str, node: _Node) -> dict[str, Any]:
        members = [self._member(f"{path}.{name}".lstrip("."), name, child) for name, child in node.children.items()]
        for member in members:
            if not is_identifier(member["name"]) or member["name"] in attributes():
                raise refuse(ProblemCode.NAME_INVALID, f"{member['name'][:80]!r} is no name for a member.")
        return {"members": members, "forward": _chain(members)}

    def _member(self, path: str, name: str, node: _Node) -> dict[str, Any]:
        if node.shape is not None:
            return _tensor(name, node)
        proposal = self._layer(path, node)
        if proposal is not None:
            return {
                "kind": "layer",
                "name": name,
                "target": proposal.layer,
                "arguments": {key: _value(value) for key, value in proposal.arguments.items()},
            }
        inner = node.children
        if all(key.isdecimal() for key in inner):
            return self._numbered(path, name, node)
        if any(not is_identifier(key) for key in inner):
            items = [self._member(f"{path}.{key}", key, child) for key, child in inner.items()]
            return {"kind": "module_dict", "name": name, "items": items}
        signature = json.dumps([(key, tensor.shape, tensor.dtype) for key, tensor in node.tensors()])
        if signature not in self._known:
            block = self._block(path, node)
            label = self._label(name, path)
            self._known[signature] = label
            self._blocks[label] = block
        return {"kind": "block", "name": name, "block": self._known[signature]}

    def _numbered(self, path: str, name: str, node: _Node) -> dict[str, Any]:
        keys = list(node.children)
        tensors = all(child.shape is not None for child in node.children.values())
        items = [self._member(f"{path}.{key}", key, child) for key, child in node.children.items()]
        if tensors and keys == [str(index) for index in range(len(keys))]:
            return {"kind": "parameter_list", "name": name, "items": items}
        if keys != [str(index) for index in range(len(keys))]:
            self._tell(f"{path} has no tensors between {keys}: layers without parameters may be missing there.")
        return {"kind": "sequential", "name": name, "items": items}

    def _label(self, name: str, path: str) -> str:
        """A class's name, after what it is called: ``layer1.0`` gives ``Layer1``."""
        words = [word for word in re.split(r"\W|_", name if not name.isdecimal() else path.rpartition(".")[0]) if word]
        stem = "".join(word[:1].upper() + word[1:] for word in words[-2:]) or "Block"
        stem = stem if is_identifier(stem) and stem not in CLASSES else f"{stem}Block"[:60]
        stem = stem if is_identifier(stem) else "Block"
        label, number = stem, 1
        while label in self._blocks or label in CLASSES or label == "Network":
            number += 1
            label = f"{stem}{number}"
        return label

    def _layer(self, path: str, node: _Node) -> Proposal | None:
        shapes: Shapes = {key: tensor.shape or () for key, tensor in node.tensors()}
        found = proposals(shapes)
        if not found:
            return None
        chosen = min(found, key=lambda proposal: self._fit(path, proposal))
        label = _label(chosen)
        rank = re.search(r"\dd$", label)
        self._rank = rank[0] if rank else self._rank
        others = sorted({_label(proposal) for proposal in found} - {label})
        if chosen.guessed:
            self._tell(f"{path}: {', '.join(chosen.guessed)} of {label} is not told by any shape; it is a guess.")
        elif others and not rank:
            self._tell(f"{path} may also be {', '.join(others[:3])}.")
        return chosen

    def _fit(self, path: str, proposal: Proposal) -> tuple[bool, bool, bool]:
        """What speaks for one of several layers, the strongest first: its name, its rank, its kind of input."""
        label, last = _label(proposal), path.rpartition(".")[2]
        entry = find(proposal.layer)
        table = entry is not None and entry.category == "embedding"
        named = label[:3].lower() in path.lower() or (table and last in _TABLES)
        return not named, not label.endswith(self._rank or "1d"), table

    def _tell(self, note: str) -> None:
        self._told += 1
        if self._told <= _TOLD:
            self._notes.append(note)


def _label(proposal: Proposal) -> str:
    return proposal.layer.rpartition(".")[2]


def _tensor(name: str, node: _Node) -> dict[str, Any]:
    shape = list(node.shape or ())
    if node.dtype.startswith(("float", "bfloat", "complex")):
        return {"kind": "parameter", "name": name, "shape": shape, "dtype": node.dtype}
    return {"kind": "buffer", "name": name, "shape": shape, "dtype": node.dtype}


def _value(value: Any) -> Any:
    return {"$tuple": list(value)} if isinstance(value, tuple) else value


def _chain(members: list[dict[str, Any]]) -> dict[str, Any]:
    """A forward that calls what can be called, one after the other."""
    nodes: list[dict[str, Any]] = []
    last: dict[str, Any] = {"$ref": "x"}
    for member in members:
        if member["kind"] not in ("layer", "block", "sequential"):
            continue
        entry = find(member.get("target", ""))
        ports = (
            [port.name for port in entry.inputs if port.required]
            if entry
            else ["x" if member["kind"] == "block" else "input"]
        )
        identity = f"call_{member['name']}"[:64]
        nodes.append({"op": "call", "id": identity, "target": member["name"], "arguments": dict.fromkeys(ports, last)})
        outputs = entry.outputs if entry else []
        last = {"$ref": identity, "path": outputs[0].path} if outputs and outputs[0].path else {"$ref": identity}
    return {"inputs": [{"name": "x"}], "nodes": nodes, "output": last}


def _unconnected(document: Document) -> Document:
    """The same with forwards that give back what they get."""
    whole = document.model_dump(mode="json", by_alias=True)
    for block in whole["blocks"].values():
        block["forward"] = {"inputs": [{"name": "x"}], "nodes": [], "output": {"$ref": "x"}}
    whole["inputs"] = {"x": {"shape": [1]}}
    return Document.model_validate(whole)


def _prove(document: Document, tensors: Tensors, notes: list[str]) -> None:
    """Hold the built module's keys and shapes against the tensors', in order. Nothing is allocated."""
    problems = [problem for problem in check(document).problems if problem.severity == "error"]
    if problems:
        raise GraphError(problems)
    with torch.device("meta"):
        module = build(document)
    own: Mapping[str, torch.Tensor] = module.state_dict()
    given = {name: tuple(shape) for name, shape, _ in tensors}
    if {name: tuple(tensor.shape) for name, tensor in own.items()} != given:
        odd = sorted(set(own) ^ set(given))[:5]
        raise refuse(ProblemCode.IMPORT_CLOSED, f"The proposed layers have other keys or shapes: {', '.join(odd)}.")
    module.load_state_dict({name: torch.empty(shape, device="meta") for name, shape in given.items()}, assign=True)
    if list(own) != list(given):
        notes.append("The order of the keys differs from that of the file.")
