"""What has to change in a network so that it takes a data set's samples and gives as many numbers as its targets need.

No layer is known here: a size is changed where the check says so, and the number of outputs where a change of one
argument, tried on the whole network, is seen to give the wanted shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from layerloom.graph.checking import check
from layerloom.graph.checking.findings import pointer
from layerloom.graph.checking.trials import edited
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.document import Block, BlockUse, Document, InputExample, Item, Layer, Member, Repeat
from layerloom.schema.fitting import Fitting, FittingChange
from layerloom.schema.problems import Edit
from layerloom.schema.report import Report, TensorType
from layerloom.schema.values import Arguments

_MENDS = 12
"""Sizes that may follow from another input."""
_TRIED = 32
"""Arguments that may be the number of outputs."""


def fitting(document: Document, entry: DatasetEntry) -> Fitting:
    """The changes that make a document fit the samples and targets of an entry, in the order in which they apply."""
    before = check(document)
    given = _given(document, entry)
    if given is None:
        return Fitting()
    changes, edits, changed = given
    changes, edits, changed, report = _mended(changes, edits, changed)
    wanted = _wanted(before, report, entry, document)
    if wanted is not None:
        found = _sized(changed, report, wanted)
        if found is not None:
            change, edit, changed, report = found
            changes, edits = [*changes, change], [*edits, edit]
    left = [problem for problem in report.problems if problem.severity == "error"] if edits else []
    return Fitting(changes=changes, edits=edits, problems=left)


# --- what goes in

Changed = tuple[list[FittingChange], list[Edit], Document]


def _given(document: Document, entry: DatasetEntry) -> Changed | None:
    """The document with the one input that the samples feed; None where it has another number of inputs."""
    block = document.blocks[document.main]
    names = [given.name for given in block.forward.inputs if not given.optional]
    if len(names) != 1 or names[0] not in document.inputs:
        return None
    (name,) = names
    old = document.inputs[name]
    new = _example(old, entry)
    if new == old:
        return [], [], document
    edits = [Edit(op="replace", path=pointer("", "inputs", name), value=new.model_dump(mode="json"))]
    changes = [FittingChange(kind="input", name=name, before=_said(old), after=_said(new))]
    if old.high and new.high and new.high > old.high:
        # Tables of so many rows, and outputs that score every token. Ids are values, of which no shape tells.
        for path, label in _candidates(document, old.high):
            edits.append(Edit(op="replace", path=path, value=new.high))
            changes.append(FittingChange(kind="size", name=label, before=str(old.high), after=str(new.high)))
    return changes, edits, edited(document, edits)


def _example(old: InputExample, entry: DatasetEntry) -> InputExample:
    """What the samples are. One that is flat, stays flat."""
    flat = len(old.shape) <= 1 or len(entry.shape) <= 1
    same = old.shape == entry.shape or (flat and math.prod(old.shape) == math.prod(entry.shape))
    shape = old.shape if same else [math.prod(entry.shape)] if len(old.shape) == 1 < len(entry.shape) else entry.shape
    dtype = old.dtype if _is_whole(old.dtype) == _is_whole(entry.dtype) else entry.dtype
    ids = _ids(entry) if _is_whole(dtype) else 0
    high = max(ids, old.high or 0) if ids and (old.high or 0) < ids else old.high if _is_whole(dtype) else None
    return old.model_copy(update={"shape": shape, "dtype": dtype, "high": high})


def _is_whole(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


def _ids(entry: DatasetEntry) -> int:
    return entry.vocabulary or (len(entry.classes) if entry.task == "tokens" else 0)


def _said(example: InputExample) -> str:
    shape = "×".join(map(str, example.shape)) or "1"
    return f"{shape} {example.dtype}" + (f" below {example.high}" if example.high is not None else "")


def _mended(
    changes: list[FittingChange], edits: list[Edit], document: Document
) -> tuple[list[FittingChange], list[Edit], Document, Report]:
    """The same with the sizes that follow, as the check's own mends set them."""
    report = check(document)
    for _ in range(_MENDS if edits else 0):
        fix = next(
            (problem.fixes[0] for problem in report.problems if problem.severity == "error" and problem.fixes), None
        )
        if fix is None:
            break
        try:
            after = edited(document, fix.edits)
        except (ValueError, LookupError, TypeError):
            break
        if all(edit.op == "replace" for edit in fix.edits):
            changes = [*changes, *(_of(edit, document) for edit in fix.edits)]
        else:
            changes = [*changes, FittingChange(kind="size", name=fix.title, before="", after="")]
        edits, document = [*edits, *fix.edits], after
        report = check(document)
    return changes, edits, document, report


def _of(edit: Edit, document: Document) -> FittingChange:
    *_, argument = edit.path.split("/")
    owner, before = _at(document, edit.path)
    return FittingChange(kind="size", name=f"{owner}.{argument}".lstrip("."), before=str(before), after=str(edit.value))


def _at(document: Document, path: str) -> tuple[str, object]:
    """The attribute path of what a pointer stands in, and what stands there."""
    value: object = document.model_dump(mode="json", by_alias=True)
    names: list[str] = []
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]  # type: ignore[index]
        except (LookupError, ValueError, TypeError):
            return ".".join(names), ""
        if isinstance(value, dict) and isinstance(value.get("name"), str) and "kind" in value:
            names.append(value["name"])
    return ".".join(names), value


# --- what comes out


def _wanted(before: Report, now: Report, entry: DatasetEntry, document: Document) -> list[int] | None:
    """The shape that the output has to have per sample; None where it is right, or nothing is known of it."""
    old, new = before.outputs, now.outputs
    if not isinstance(new, TensorType) or not new.shape:
        return None
    shape = list(new.shape[1:])
    if isinstance(old, TensorType) and list(old.shape[1:]) in _samples(document):
        return None  # it gives what it is given: its targets are its inputs
    match entry.task:
        case "classification" if entry.classes and len(shape) == 1:
            fits = shape[-1] == len(entry.classes) or (len(entry.classes) == 2 and shape[-1] == 1)
            return None if fits else [len(entry.classes)]
        case "regression" if shape:
            size = math.prod(entry.target_shape)
            return None if math.prod(shape) == size else [size]
        case "tokens" if shape and shape[-1] < _ids(entry):
            return [*shape[:-1], _ids(entry)]
    return None


def _samples(document: Document) -> list[list[int]]:
    return [example.shape for example in document.inputs.values()]


def _sized(
    document: Document, report: Report, wanted: Sequence[int]
) -> tuple[FittingChange, Edit, Document, Report] | None:
    """One argument that gives the output its shape: the last that can, as it is found by trying."""
    assert isinstance(report.outputs, TensorType)
    size = report.outputs.shape[-1]
    for path, name in list(_candidates(document, size))[:_TRIED]:
        edit = Edit(op="replace", path=path, value=wanted[-1])
        after = edited(document, [edit])
        found = check(after)
        right = isinstance(found.outputs, TensorType) and list(found.outputs.shape[1:]) == list(wanted)
        if right and found.ok == report.ok:
            change = FittingChange(kind="output", name=name, before=str(size), after=str(wanted[-1]))
            return change, edit, after, found
    return None


def _candidates(document: Document, size: int) -> Iterator[tuple[str, str]]:
    """Pointers to arguments of this value, and what they are called: from the end of the main block backwards."""
    main = document.blocks[document.main]
    yield from reversed(list(_in_block(document.main, main, size)))
    for number, argument in reversed(list(enumerate(main.arguments))):
        if _is(argument.default, size):
            yield pointer("", "blocks", document.main, "arguments", str(number), "default"), argument.name
    for name, block in reversed(document.blocks.items()):
        if name != document.main:
            yield from reversed(list(_in_block(name, block, size)))


def _in_block(name: str, block: Block, size: int) -> Iterator[tuple[str, str]]:
    for number, member in enumerate(block.members):
        yield from _in_member(member, pointer("", "blocks", name, "members", str(number)), "", size)


def _in_member(member: Member | Item, where: str, around: str, size: int) -> Iterator[tuple[str, str]]:
    if isinstance(member, Repeat):
        yield from _in_member(member.item, f"{where}/item", around, size)
        return
    path = f"{around}.{member.name}".lstrip(".")
    for number, item in enumerate(getattr(member, "items", [])):
        yield from _in_member(item, f"{where}/items/{number}", path, size)
    arguments: Arguments = member.arguments if isinstance(member, Layer | BlockUse) else {}
    for key, value in arguments.items():
        if _is(value, size):
            yield pointer(where, "arguments", key), f"{path}.{key}"


def _is(value: object, size: int) -> bool:
    return value == size and isinstance(value, int) and not isinstance(value, bool)
