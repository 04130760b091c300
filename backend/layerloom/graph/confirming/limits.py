"""What is too large to be run for the sake of a question."""

from __future__ import annotations

from layerloom.graph.walk import pointer_of
from layerloom.schema.document import Document
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.report import Totals

MEMORY = 3 * 2**29
"""Bytes of weights, gradients and activations."""
FLOPS = 2 * 10**11
"""Of one forward at the example batch; a backward costs twice that. Some seconds on one core."""


def refusal(document: Document, totals: Totals) -> Problem | None:
    """Why a network is not run, where its costs say so."""
    needed = 2 * totals.parameter_bytes + 3 * totals.activation_bytes
    if needed > MEMORY:
        reason = f"running it once takes about {needed / 2**30:.1f} GiB, and there are {MEMORY / 2**30:g} for this"
        return not_confirmed(document, reason)
    if totals.flops > FLOPS:
        reason = f"one forward takes {totals.flops / 1e9:,.0f} GFLOP, and the limit for this is {FLOPS / 1e9:,.0f}"
        return not_confirmed(document, reason)
    return None


def not_confirmed(document: Document, reason: str) -> Problem:
    """No error: the check found none, and that is all that is known."""
    return Problem(
        code=ProblemCode.NOT_CONFIRMED,
        severity="warning",
        message=f"The network checks, but it was not confirmed by a real run, because {reason}. Training tells.",
        block=document.main,
        instance="",
        pointer=pointer_of(document.main),
        data={"reason": reason},
    )
