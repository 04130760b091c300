"""One Python file from one document.

What is written here is what runs, and what a person downloads. The document has been checked: names are names, targets
are in the catalogue, sizes are known. The writer relies on that for sense, not for safety: whatever a document holds,
its texts reach the source as quoted literals or as names that were looked at once more (``layerloom.graph.code``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from layerloom.catalogue import own
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.errors import refuse
from layerloom.graph.expressions import parse
from layerloom.graph.names import CLASSES, LOCALS, attributes, is_identifier, is_member
from layerloom.graph.places import TRAINING
from layerloom.graph.source.forward import ForwardWriter
from layerloom.graph.source.imports import Imports
from layerloom.graph.source.initializers import write_initializers
from layerloom.graph.source.members import MemberWriter
from layerloom.graph.source.values import Values
from layerloom.graph.walk import argument_values, block_order, constructor_arguments, forward_inputs, members
from layerloom.schema.document import Alias, Block, BlockArgument, BlockUse, Document, Repeat
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import expressions

HEADER = "# Written by LayerLoom."


def write(document: Document, forward: type[ForwardWriter] = ForwardWriter) -> str:
    """The source of a checked document's classes, those that are used before those that use them.

    ``forward`` writes the bodies of ``forward``; another than the usual one may write them more plainly.

    Raises GraphError for names that Python could not take, and for recursion or unknown blocks.
    """
    imports = Imports()
    names = block_order(document)
    _check_names(document, names)
    function, calls = write_initializers(document, imports)
    classes = [_class(document, name, imports, calls if name == document.main else [], forward) for name in names]
    brought = _brought(document, imports)
    head = [HEADER, "", *imports.lines()]
    parts = ["\n".join(head), *imports.helpers, *brought, *([function] if function else []), *classes]
    return "\n\n\n".join(parts) + "\n"


def _brought(document: Document, imports: Imports) -> list[str]:
    """The texts of the layers that are Python code and are used, as they are. They are in use where they are allowed,
    and the catalogue does not know their names anywhere else."""
    texts = [own.read(name, layer.source) for name, layer in document.code.items() if name in imports.own]
    for text in texts:
        imports.text(text)
    return [text.body for text in texts]


def _class(document: Document, name: str, imports: Imports, finish: list[str], writer: type[ForwardWriter]) -> str:
    block = document.blocks[name]
    stored = _stored(block)
    init = _init(document, name, imports, stored) + finish
    rename = {TRAINING: "self.training"} | {argument: f"self.{attribute}" for argument, attribute in stored.items()}
    forward = writer(document, name, Values(imports, rename)).lines()
    lines = [f"class {code.name(name)}(nn.Module):"]
    if block.doc.strip():
        lines += [*docstring(block.doc), ""]
    if block.version != 1:
        lines += [f"    _version = {block.version}", ""]
    if init or block.arguments:
        given = [code.name("self"), *(_argument(argument) for argument in constructor_arguments(block))]
        lines += [*_definition("__init__", given), "        super().__init__()", *init, ""]
    inputs = [
        Code((f"{code.name(item.name)}=None",)) if item.optional else code.name(item.name)
        for item in forward_inputs(block)
    ]
    return "\n".join([*lines, *_definition("forward", [code.name("self"), *inputs]), *forward])


def _init(document: Document, name: str, imports: Imports, stored: dict[str, str]) -> list[str]:
    kept = [f"        self.{attribute} = {code.name(argument)}" for argument, attribute in stored.items()]
    return kept + MemberWriter(document, name, Values(imports)).lines()


def _stored(block: Block) -> dict[str, str]:
    """The arguments that forward reads, and the attributes that keep them for it."""
    texts = list(expressions(block.forward.output))
    for node in block.forward.nodes:
        for _, value in argument_values(node):
            texts.extend(expressions(value))
        texts.extend([node.when] if node.when else [])
    read = {name for text in texts for name in parse(text).names}
    taken = {member.name for member in block.members} | attributes()
    stored: dict[str, str] = {}
    for argument in block.arguments:
        if argument.name in read:
            attribute = argument.name
            while attribute in taken:
                attribute += "_"
            taken.add(attribute)
            stored[argument.name] = attribute
    return stored


def _definition(name: str, arguments: list[Code]) -> list[str]:
    inner = code.Group(code.comma_separated(arguments))
    return ["    " + code.layout((f"def {name}", code.bracketed("(", [inner], ")"), ":"), 4)]


def _argument(argument: BlockArgument) -> Code:
    written = (f"{code.name(argument.name)}: {argument.type}",)
    if argument.required:
        return Code(written)
    default = Values(Imports()).write(argument.default)
    optional = " | None" if argument.default is None else ""
    return Code((*written, optional, " = ", *default.parts))


def docstring(text: str) -> list[str]:
    """The lines of a class's docstring, in which no text can end the string or hide characters."""
    paragraphs = [line.rstrip() for line in text.strip().splitlines()]
    first, rest = paragraphs[0], textwrap.dedent("\n".join(paragraphs[1:])).split("\n")
    lines = [wrapped for line in [first, *(rest if len(paragraphs) > 1 else [])] for wrapped in _wrap(_escape(line))]
    if len(lines) == 1:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *(f"    {line}" if line else "" for line in lines[1:]), '    """']


def _escape(line: str) -> str:
    safe = line.expandtabs(4).replace("\\", "\\\\").replace('"', '\\"')
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in safe)


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, code.WIDTH - 12, break_long_words=False, break_on_hyphens=False) or [""]


def _check_names(document: Document, names: list[str]) -> None:
    """Refuse every name that would not be what it seems in the file."""
    for name in names:
        block = document.blocks[name]
        _check(name, CLASSES, "class", name)
        for argument in block.arguments:
            _check(argument.name, LOCALS | set(names), "argument", name)
        for given in block.forward.inputs:
            _check(given.name, LOCALS, "input", name)
        for member in members(block):
            if isinstance(member, Repeat):
                for variable in member.variables:
                    _check(variable, LOCALS | set(names), "variable", name)
        for top in block.members:
            if not isinstance(top, Alias) or "." not in top.name:
                _check(top.name, attributes(), "member", name, is_member)
            if isinstance(top, BlockUse):
                for argument_name in top.arguments:
                    _check(argument_name, frozenset(), "argument", name)


def _check(
    text: str,
    taken: frozenset[str] | set[str],
    kind: str,
    block: str,
    usable: Callable[[str], bool] = is_identifier,
) -> None:
    if not usable(text):
        raise refuse(ProblemCode.NAME_INVALID, f"{text[:80]!r} is no name for a {kind}", block=block)
    if text in taken:
        raise refuse(ProblemCode.NAME_RESERVED, f"{text} cannot be the name of a {kind}", block=block)
