"""From a place in the generated file to the node that it was written for."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from layerloom.schema.document import Document, FunctionNode, Node

_OPERATORS = {"Mult": "mul", "Div": "truediv", "MatMult": "matmul", "USub": "neg", "UAdd": "pos"}


@dataclass(frozen=True)
class Spot:
    """A call in the forward of one module."""

    module: str
    """Qualified name of the module whose forward it is."""
    member: str = ""
    """Path of the member that is called; empty where a function is."""
    functions: frozenset[str] = frozenset()
    """Last names of the functions that it may be: one, but for a program's node, which knows no more than its line."""


def place_of(
    document: Document, root: nn.Module, layer: str, owner: str | None, span: tuple[int | None, ...]
) -> dict[str, str | None]:
    """``block``, ``node``, ``instance`` and ``member`` of a problem that was found while ``layer`` was running.

    ``owner`` is the module in whose forward the call was written that led there, at the lines and columns ``span``.
    """
    block = layer if owner is None else owner
    while block and type(root.get_submodule(block)).__name__ not in document.blocks:
        block = block.rpartition(".")[0]
    member = layer.removeprefix(f"{block}.") if layer != block else ""
    spot = Spot(block, *called(tree_of(root), span)) if block == owner else Spot(block, member) if member else None
    name, node = located(document, root, spot)
    return {"block": name, "node": node, "instance": block, "member": member or None}


def file_of(root: nn.Module) -> str:
    """The file that a module was built from."""
    return type(root).forward.__code__.co_filename


def tree_of(root: nn.Module) -> ast.Module:
    """What is written in it."""
    return ast.parse(Path(file_of(root)).read_text(encoding="utf-8"))


def called(tree: ast.Module, spanned: tuple[int | None, ...]) -> tuple[str, frozenset[str]]:
    """The member and the functions that the expression at a place calls, of which one is known."""
    loops = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            loops[node.target.id] = _path(node.iter)
        if isinstance(node, ast.expr):
            place = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
            if place == spanned:
                found = node
                break
    else:
        return "", frozenset()
    if isinstance(found, ast.Call):
        function = found.func
        member = loops.get(function.id, "") if isinstance(function, ast.Name) else _path(function)
        if member:
            return member, frozenset()
    return "", frozenset({name_of(found)})


def _path(node: ast.AST) -> str:
    """``stages.0`` of ``self.stages[0]``; empty for what is no member."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=around, attr=name):
            return f"{path}.{name}" if (path := _path(around)) else ""
        case ast.Subscript(value=around, slice=ast.Constant(value=str() | int() as key)):
            return f"{path}.{key}" if (path := _path(around)) else ""
    return ""


def name_of(node: ast.AST) -> str:
    """What the catalogue calls it, without where it lies: ``relu``, ``add``."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)) | ast.Attribute(attr=name):
            return name
        case ast.BinOp(op=op) | ast.UnaryOp(op=op):
            kind = type(op).__name__
            return _OPERATORS.get(kind, kind.lower())
        case ast.Subscript():
            return "getitem"
    return ""


def located(document: Document, root: nn.Module, spot: Spot | None) -> tuple[str | None, str | None]:
    """Block and node of a spot in the module ``root`` of a document, as far as they are certain."""
    if spot is None:
        return None, None
    block = type(root.get_submodule(spot.module)).__name__
    nodes = document.blocks[block].forward.nodes if block in document.blocks else []
    fitting = [node for node in nodes if _fits(node, spot)]
    longest = max((len(node.target) for node in fitting), default=0)
    best = [node for node in fitting if isinstance(node, FunctionNode) or len(node.target) == longest]
    return block, best[0].id if len(best) == 1 else None


def _fits(node: Node, spot: Spot) -> bool:
    if isinstance(node, FunctionNode):
        return node.target.rpartition(".")[2] in spot.functions
    return f"{spot.member}.".startswith(f"{node.target}.")
