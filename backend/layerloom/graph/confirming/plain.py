"""The source of a network with a statement for each node, so that a line of it leads back to its node."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from layerloom.graph.source import write
from layerloom.graph.source.forward import ForwardWriter
from layerloom.schema.document import Document, LoopNode, Node

_MARK = re.compile(r"\s*# node (\d+)$")


class _PlainWriter(ForwardWriter):
    """Folds nothing, and writes above each statement which node of its block it is."""

    def _stays_pending(self, written: object) -> bool:  # noqa: ARG002  nothing is folded
        return False

    def _statement(self, node: Node, before: str, value: object) -> None:
        self._under(node.when)
        self._mark(node)
        super()._statement(node, before, value)  # type: ignore[arg-type]

    def _loop(self, node: LoopNode, at: int) -> None:
        self._mark(node)
        super()._loop(node, at)

    def _mark(self, node: Node) -> None:
        index = next(index for index, other in enumerate(self._graph.nodes) if other is node)
        self._line(f"# node {index}")


class PlainSource:
    """The text, and what its lines are."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.text = write(document, _PlainWriter)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def _classes(self) -> list[tuple[int, int, str]]:
        found = [node for node in ast.parse(self.text).body if isinstance(node, ast.ClassDef)]
        return [(node.lineno, node.end_lineno or node.lineno, node.name) for node in found]

    def node_at(self, line: int) -> tuple[str, int] | None:
        """The block and the index of the node to which a line belongs, counted from 1; None where there is none."""
        block = next((name for first, last, name in self._classes if first <= line <= last), None)
        if block is None or block not in self._document.blocks:
            return None
        for text in reversed(self._lines[:line]):
            if text.lstrip().startswith(("def ", "class ")):
                return None
            found = _MARK.match(text)
            if found:
                return block, int(found[1])
        return None
