"""A Python file as a document: its classes, their arguments, and the function that initializes them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from layerloom.graph.importing.python.errors import NoPythonError, not_plain
from layerloom.graph.importing.python.forward import ForwardReader
from layerloom.graph.importing.python.initializers import InitializerReader
from layerloom.graph.importing.python.members import MemberReader
from layerloom.graph.importing.python.names import Imports, Names
from layerloom.graph.importing.python.shortcuts import without_identities
from layerloom.schema.document import Block, BlockArgument, Document, Graph
from layerloom.schema.values import Ref, Tuple, Value

TEXT_LIMIT = 1_000_000
"""Characters of a file."""
DEPTH_LIMIT = 100
"""Nesting of its syntax tree."""
_TYPES = {
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "list[int]": "list[int]",
    "list[float]": "list[float]",
    "list[str]": "list[str]",
    "tuple[int]": "list[int]",
    "tuple[float]": "list[float]",
    "tuple[str]": "list[str]",
    "Sequence[int]": "list[int]",
    "Sequence[str]": "list[str]",
}


def read(
    source: str, name: str | None = None, arguments: Mapping[str, Any] | None = None
) -> tuple[Document, list[str]]:
    """The document of a class, the last one that is an ``nn.Module`` or the one of that name, and notes.

    ``arguments`` are values for the constructor. Nothing is run; the time is linear in the length of the text.

    Raises:
        NotPlainError: the text is no Python, or says what cannot be known without running it.
    """
    return _File(parsed(source)).document(name, arguments or {})


def parsed(source: str) -> ast.Module:
    """The syntax tree of a text of bounded size and depth. Raises NotPlainError."""
    if len(source) > TEXT_LIMIT:
        raise NoPythonError(f"a file has at most {TEXT_LIMIT:,} characters")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise NoPythonError(f"this is no Python: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError):
        raise NoPythonError("this is no Python that can be read") from None
    level: list[ast.AST] = [tree]
    for _ in range(DEPTH_LIMIT):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise not_plain(level[0], f"code is nested at most {DEPTH_LIMIT} deep")
    return tree


class _File:
    def __init__(self, tree: ast.Module) -> None:
        self.imports = Imports()
        self.classes: dict[str, ast.ClassDef] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        self.notes: list[str] = []
        for statement in tree.body:
            match statement:
                case ast.Import() | ast.ImportFrom():
                    self.imports.take(statement)
                case ast.ClassDef(name=name):
                    self.classes[name] = statement
                case ast.FunctionDef(name=name):
                    self.functions[name] = statement

    def document(self, name: str | None, given: Mapping[str, Any]) -> tuple[Document, list[str]]:
        modules = [label for label, found in self.classes.items() if self._is_module(found)]
        main = name or next(reversed(modules), None)
        if not self.classes:
            raise NoPythonError("there is no class in it, and a network is a class that is an nn.Module")
        if main is None:
            raise not_plain(None, "there is no class that is an nn.Module")
        if main not in modules:
            raise not_plain(None, f"there is no class {main} that is an nn.Module")
        order = self._order(main)
        signatures = {label: self._arguments(self.classes[label]) for label in order}
        document = Document(name=main, main=main, blocks={})
        readers: dict[str, MemberReader] = {}
        unpacked: dict[str, list[str]] = {}
        for label in order:
            readers[label] = self._members(label, signatures)
            self._block(label, document, readers[label], signatures[label], unpacked)
        for label, parts in unpacked.items():
            document.blocks[label] = _with_parts(document.blocks[label], parts)
        document.blocks[main] = _given(document.blocks[main], given)
        initializers = InitializerReader(document, self.imports, self.functions, self.notes)
        for label in order:
            initializers.statements(label, self.classes[label], readers[label])
        return document, self.notes

    def _order(self, main: str) -> list[str]:
        """The classes that one needs, each behind those that it uses."""
        placed: list[str] = []
        around: list[str] = []

        def place(name: str) -> None:
            if name in around:
                raise not_plain(self.classes[name], f"class {name} contains itself")
            if name in placed:
                return
            if not self._is_module(self.classes[name]):
                raise not_plain(self.classes[name], f"class {name} is no plain nn.Module")
            around.append(name)
            init = method(self.classes[name], "__init__")
            for node in ast.walk(init) if init is not None else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.classes:
                    place(node.func.id)
            around.pop()
            placed.append(name)

        place(main)
        return placed

    def _is_module(self, found: ast.ClassDef) -> bool:
        return [self.imports.dotted(base) for base in found.bases] == ["torch.nn.Module"]

    def _arguments(self, found: ast.ClassDef) -> list[BlockArgument]:
        if found.decorator_list or found.keywords:
            raise not_plain(found, f"what is written around class {found.name} cannot be read without running it")
        for statement in found.body:
            plain = isinstance(statement, ast.FunctionDef) and not statement.decorator_list
            if (
                not plain
                and _version(statement) is None
                and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            ):
                raise not_plain(statement, f"what class {found.name} holds beside methods cannot be read")
        init = method(found, "__init__")
        if init is None:
            return []
        given = init.args
        if given.vararg or given.kwarg or given.posonlyargs:
            raise not_plain(init, "a constructor of any number of arguments cannot be read")
        positional = given.args[1:]
        defaults: list[ast.expr | None] = [*[None] * (len(positional) - len(given.defaults)), *given.defaults]
        pairs = [*zip(positional, defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
        return [self._argument(argument, default) for argument, default in pairs]

    def _argument(self, argument: ast.arg, default: ast.expr | None) -> BlockArgument:
        value = None if default is None else Names(self.imports).value(default)
        kind = kind_of(argument.annotation, value)
        if kind is None or isinstance(value, Ref):
            raise not_plain(argument, f"an argument like {argument.arg} is none of a block")
        return BlockArgument.model_validate(
            {"name": argument.arg, "type": kind, "default": value, "required": default is None}
        )

    def _members(self, name: str, signatures: dict[str, list[BlockArgument]]) -> MemberReader:
        names = Names(self.imports, {argument.name for argument in signatures[name]})
        reader = MemberReader(names, {label: signatures[label] for label in signatures if label != name}, self.notes)
        init = method(self.classes[name], "__init__")
        forward = method(self.classes[name], "forward")
        if init is not None and forward is not None:
            for left in without_identities(init, forward, self.imports.dotted):
                self.notes.append(f"{name}.{left} is left out where it is an identity: it passes on what it is given.")
        reader.statements(init.body if init is not None else [])
        return reader

    def _block(
        self,
        name: str,
        document: Document,
        reader: MemberReader,
        arguments: list[BlockArgument],
        unpacked: dict[str, list[str]],
    ) -> None:
        found = self.classes[name]
        document.blocks[name] = Block(
            doc=inspect.cleandoc(ast.get_docstring(found) or ""),
            arguments=arguments,
            members=list(reader.members.values()),
            version=next(filter(None, map(_version, found.body)), 1),
        )
        forward = method(found, "forward")
        if forward is None:
            raise not_plain(found, f"class {name} has no forward")
        kept = {key: tree for key, tree in reader.names.constants.items() if key.startswith("self.")}
        names = Names(self.imports, set(reader.names.arguments), kept, reader.names.present)
        reading = ForwardReader(document, name, names, reader.functions, self.notes)
        graph = reading.read(forward)
        unpacked.update(reading.unpacked)
        document.blocks[name] = document.blocks[name].model_copy(update={"forward": graph})


def method(found: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The method of that name that a class defines itself."""
    return next((part for part in found.body if isinstance(part, ast.FunctionDef) and part.name == name), None)


def _version(statement: ast.stmt) -> int | None:
    """What ``_version = 2`` in a class says of the layout of its state."""
    match statement:
        case ast.Assign(targets=[ast.Name(id="_version")], value=ast.Constant(value=int() as number)):
            return number
    return None


def kind_of(annotation: ast.expr | None, default: Value) -> str | None:
    """The type of a block's argument; None where it has none of those."""
    if annotation is None:
        return _type_of(default)
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return kind_of(left, default)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return kind_of(inner, default)
        case ast.Subscript(value=ast.Name(id="tuple" | "Tuple" | "List" | "list" | "Sequence"), slice=inner):
            first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
            return _TYPES.get(f"list[{ast.unparse(first)}]")
        case ast.Constant(value=str() as text):
            return _TYPES.get(text)
    return _TYPES.get(ast.unparse(annotation))


def _type_of(default: Value) -> str | None:
    items = default.items if isinstance(default, Tuple) else default
    if isinstance(items, list):
        inner = {_type_of(item) for item in items}
        return _TYPES.get(f"list[{inner.pop()}]") if len(inner) == 1 else None
    kinds = {bool: "bool", int: "int", float: "float", str: "str", type(None): "int"}
    return kinds.get(type(items))


def _with_parts(block: Block, parts: list[str]) -> Block:
    """The block with the nodes of its result called as its callers call them, so that they go on to do so."""
    output = block.forward.output
    taken = {node.id for node in block.forward.nodes} | {given.name for given in block.forward.inputs}
    if not isinstance(output, Tuple) or len(output.items) != len(parts):
        return block
    renamed: dict[str, str] = {}
    for item, part in zip(output.items, parts, strict=True):
        known = isinstance(item, Ref) and any(node.id == item.ref and node.name is None for node in block.forward.nodes)
        if known and part not in taken and part != "_":
            renamed[item.ref] = part  # type: ignore[union-attr]
            taken.add(part)
    text = block.forward.model_dump(mode="json", by_alias=True)
    return block.model_copy(update={"forward": Graph.model_validate(_renamed(text, renamed))})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {key: _renamed(item, names) for key, item in value.items()}
    for key in ("$ref", "id"):
        if changed.get(key) in names:
            changed[key] = names[changed[key]]
    return changed


def _given(block: Block, values: Mapping[str, Any]) -> Block:
    """The main block with values for its constructor: they are the arguments' defaults from now on."""
    unknown = set(values) - {argument.name for argument in block.arguments}
    if unknown:
        raise not_plain(None, f"the constructor takes no {min(unknown)}")
    arguments = [
        argument.model_copy(update={"default": values[argument.name], "required": False})
        if argument.name in values
        else argument
        for argument in block.arguments
    ]
    missing = [argument.name for argument in arguments if argument.required]
    if missing:
        raise not_plain(None, f"the constructor needs a value for {missing[0]}")
    return block.model_copy(update={"arguments": arguments})
