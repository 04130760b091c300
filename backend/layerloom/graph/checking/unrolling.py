"""From a document with problems to a network that can still be run as far as it goes."""

from __future__ import annotations

from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.network import Network
from layerloom.graph.checking.steps import Steps, steps_of
from layerloom.graph.errors import GraphError
from layerloom.graph.places import instances
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import Block, Document, Layer
from layerloom.schema.problems import Problem, ProblemCode

ATTEMPTS = 50
"""Members that may be set aside, one after the other."""
_GIVES_UP = (ProblemCode.TOO_MANY_NODES, ProblemCode.MAIN_MISSING)


def unrolled(document: Document, findings: Findings, nodes: Steps | None = None) -> Network | None:
    """The network of a document. A member that cannot be unrolled is reported and set aside, so that the shapes of
    everything that does not need it stay visible; None where too much is wrong for that.
    """
    nodes = nodes or steps_of(document)
    usable = document.model_copy(update={"blocks": _without(document, findings.broken)})
    for _ in range(ATTEMPTS):
        try:
            return Network(usable, instances(usable), nodes, findings.broken)
        except GraphError as error:
            problem = error.problems[0]
            _report(findings, problem)
            top = _top(problem.pointer)
            if problem.code in _GIVES_UP or top is None or top in findings.broken:
                return None
            findings.breaks(top)
            usable = document.model_copy(update={"blocks": _without(document, findings.broken)})
    return None


def _report(findings: Findings, problem: Problem) -> None:
    place = Place(problem.block, None, problem.member, None, problem.port, problem.pointer)
    text = problem.message.rstrip(".")
    findings.add(problem.code, f"{text}.", place)


def _top(where: str | None) -> str | None:
    """The member of a block in which a pointer lies: ``/blocks/B/members/3``."""
    steps = (where or "").split("/")
    return "/".join(steps[:5]) if len(steps) >= 5 and steps[3] == "members" else None


def _without(document: Document, broken: set[str]) -> dict[str, Block]:
    """The blocks with broken members replaced by a layer that does not exist, so that all pointers stay right."""
    aside: dict[str, set[int]] = {}
    for where in broken:
        top = _top(where)
        if top is not None:
            base, _, index = top.partition("/members/")
            aside.setdefault(base, set()).add(int(index))
    blocks = {}
    for name, block in document.blocks.items():
        indices = aside.get(pointer_of(name), set())
        members = [
            Layer(name=member.name, target="") if index in indices else member
            for index, member in enumerate(block.members)
        ]
        blocks[name] = block.model_copy(update={"members": members}) if indices else block
    return blocks
