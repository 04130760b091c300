"""What two passes at two batch sizes say together: a result has reasons to be missing, and holds for any size."""

from __future__ import annotations

from layerloom.graph.checking.findings import Findings, Place, pointer
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.values import Frozen
from layerloom.graph.walk import pointer_of
from layerloom.schema.problems import ProblemCode


def check_outcome(findings: Findings, first: Inference, second: Inference, output: Frozen, grown: Frozen) -> None:
    """Report a network that has no result although nothing was wrong, or that runs at one batch size alone."""
    if not findings.ok or (output is not None and grown is not None):
        return
    if output is None:
        message = "the check cannot follow the network beyond here. Connect what this needs, or give its sizes."
        findings.add(ProblemCode.LAYER_FAILED, message, _where(first, first))
        return
    message = (
        "this runs at one batch size only: a size in it is that of the example batch. Write -1, or take the size from "
        "the tensor, as in x.shape[0]."
    )
    findings.add(ProblemCode.BATCH_FIXED, message, _where(first, second))


def _where(network: Inference, stopped: Inference) -> Place:
    """The first node that a pass did not get beyond, innermost first; the output where there is none."""
    document = network.network.document
    for name, instance in reversed(list(network.network.instances.items())):
        for step in network.network.steps(instance.block):
            node, key = step.node, f"{name}#{step.node.id}"
            mine, other = network.nodes.get(key), stopped.nodes.get(key)
            if mine is not None and other is not None and not other.reached and (mine is other or mine.reached):
                return Place(instance.block, node.id, None, name, None, step.where)
    base = pointer(pointer_of(document.main), "forward", "output")
    return Place(document.main, None, None, "", "output", base)
