"""What torch says when a run fails, as a problem with a remedy."""

from __future__ import annotations

import re
from typing import Literal

from layerloom.catalogue import find
from layerloom.graph.checking.failures import clean, explain
from layerloom.graph.confirming.culprits import culprits, mend
from layerloom.graph.confirming.places import NodePlace
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import Document, FunctionNode, Node
from layerloom.schema.problems import Problem, ProblemCode

Mode = Literal["evaluation", "training"]

_KINDS: tuple[tuple[str, ProblemCode, str], ...] = (
    (
        r"a (leaf|view of a leaf) Variable that requires grad",
        ProblemCode.IN_PLACE,
        "A parameter cannot be changed in place while it trains. Work on a copy (Tensor.clone in front of it), or use "
        "the operation that gives a new tensor: the one without _ at its end.",
    ),
    (
        r"modified by an (inplace|in-place) operation",
        ProblemCode.IN_PLACE,
        "Its gradient needs the numbers that it had here, and something changes them in place afterwards. Turn off "
        "inplace of the layer behind it, or use the operation without _ at its end.",
    ),
    (r"in-place operation|inplace", ProblemCode.IN_PLACE, "Use the operation that gives a new tensor instead."),
    (
        r"more than 1 (value per channel|spatial element)",
        ProblemCode.BATCH_OF_ONE,
        "Normalize before the axes become 1, or use LayerNorm or GroupNorm here.",
    ),
    (
        r"out of range|out of (\w+ )?bounds|must be smaller than num_classes",
        ProblemCode.ARGUMENT_RANGE,
        "Make the axis that is indexed at least as long as the numbers are large, or lower the largest number of the "
        "example input.",
    ),
)
_REMEDIES = {
    ProblemCode.DTYPE_MISMATCH: "Convert what arrives (Tensor.float, Tensor.long, Tensor.to) to a dtype that it takes.",
    ProblemCode.SHAPE_MISMATCH: "Change the sizes, or reshape what arrives.",
}


_NOISE = re.compile(r"\s*(Hint:|\(Could this error message).*$", re.DOTALL)


def told(document: Document, mode: Mode, error: Exception, place: NodePlace | None) -> Problem:
    """The problem that an exception of a run amounts to; without a place it stands at the main block."""
    sentence = _NOISE.sub("", clean(error)).rstrip(".… ")
    code, remedy = _kind(error, sentence)
    label = "The network" if place is None else _label(place, place.node)
    when = "when it is evaluated" if mode == "evaluation" else "when it trains"
    by = culprits(document, place) if place and code is ProblemCode.IN_PLACE else []
    if by and place:
        remedy += f" It is {_label(place, by[0])} that does so here."
    fixes = [fix for node in by if place and (fix := mend(document, place, node))]
    return Problem(
        code=code,
        severity="warning" if _depends_on_numbers(error, code) else "error",
        message=f"{label} passes the check and fails {when}: {sentence}. {remedy}",
        block=place.block if place else document.main,
        node=place.node.id if place else None,
        member=place.member if place else None,
        instance=place.instance if place else "",
        pointer=place.pointer if place else pointer_of(document.main),
        data={"torch": sentence, "mode": mode, "by": [node.id for node in by]},
        fixes=fixes,
    )


def _depends_on_numbers(error: Exception, code: ProblemCode) -> bool:
    """Whether other numbers than ours may do: a probability above 1, a singular matrix."""
    return code is ProblemCode.LAYER_FAILED and not isinstance(error, TypeError | NotImplementedError)


def _kind(error: Exception, sentence: str) -> tuple[ProblemCode, str]:
    for pattern, code, remedy in _KINDS:
        if re.search(pattern, sentence, re.IGNORECASE):
            return code, remedy
    failure = explain(error)
    return failure.code, _REMEDIES.get(failure.code, "Use another here, or give it other numbers.")


def _label(place: NodePlace, node: Node) -> str:
    if isinstance(node, FunctionNode):
        entry = find(node.target)
        return entry.label if entry else node.target
    return (place.member if node is place.node else None) or node.target
