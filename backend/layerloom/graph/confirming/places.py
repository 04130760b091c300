"""From where Python stood when a run failed to the node, the instance and the member that it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType

from torch import nn

from layerloom.graph.build import load
from layerloom.graph.confirming.plain import PlainSource
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import Document, FunctionNode, Node

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node in an instance of its block."""

    block: str
    node: Node
    pointer: str
    instance: str = ""
    member: str | None = None
    """Path of the layer below the block, where it was one that failed."""


class Finder:
    """Finds nodes of a module that was made from a plain source."""

    def __init__(self, document: Document, source: PlainSource, module: nn.Module) -> None:
        self._document, self._source = document, source
        self._file = load(source.text).__file__ or ""
        self._names = {id(part): name for name, part in module.named_modules()}

    def of_error(self, error: BaseException) -> NodePlace | None:
        """The innermost node that was running when an exception was raised."""
        frames = list(_frames(error.__traceback__))
        own = [index for index, (frame, _) in enumerate(frames) if frame.f_code.co_filename == self._file]
        if not own:
            return None
        frame, line = frames[own[-1]]
        instance = self._names.get(id(frame.f_locals.get("self")), "")
        inside = [self._names.get(id(frame.f_locals.get("self"))) for frame, _ in frames[own[-1] + 1 :]]
        layers = [name for name in inside if name is not None]
        member = layers[-1].removeprefix(f"{instance}.") if layers else None
        return self._place(line, instance, member)

    def of_notes(self, notes: Iterable[str]) -> NodePlace | None:
        """The node whose gradient could not be computed: torch's anomaly mode writes down where its forward was."""
        for note in notes:
            lines = [int(found["line"]) for found in _FRAME.finditer(note) if found["file"] == self._file]
            if lines:
                return self._place(lines[-1], None, None)
        return None

    def _place(self, line: int, instance: str | None, member: str | None) -> NodePlace | None:
        found = self._source.node_at(line)
        if found is None:
            return None
        block, index = found
        node = self._document.blocks[block].forward.nodes[index]
        if member is None and not isinstance(node, FunctionNode):
            member = node.target
        where = f"{pointer_of(block)}/forward/nodes/{index}"
        return NodePlace(block, node, where, instance or "", member)


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
