"""What was measured: numbers or gradients that grow or fade with every layer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import exp, inf, isfinite, log
from typing import Literal

from layerloom.graph.checking.findings import Findings
from layerloom.graph.errors import GraphError
from layerloom.graph.lab.examining.mends import with_rules
from layerloom.graph.lab.examining.patient import BATCH, SEEDS, Patient, member_place
from layerloom.graph.lab.measure import FACTORS, SECONDS, Pass, measured
from layerloom.graph.lab.recommend import rules, weighs
from layerloom.graph.lab.schemes import with_scheme
from layerloom.schema.lab import Scheme
from layerloom.schema.problems import Fix, ProblemCode

LAYERS = 3
"""With weights, at least: in fewer nothing adds up."""

Direction = Literal["forward", "backward"]
Crossing = tuple[int, float]
"""Index of a call, and the variance there divided by that at the beginning of the way."""


def check_signals(patient: Patient, findings: Findings) -> None:
    """Variances that leave the range in which a network learns. Told once per direction, at the first such layer."""
    for direction in ("forward", "backward"):
        crossing = _crossing(patient, patient.passes, direction)
        if crossing is not None:
            _tell(patient, findings, direction, crossing)


def _tell(patient: Patient, findings: Findings, direction: Direction, crossing: Crossing) -> None:
    index, ratio = crossing
    name, _ = patient.passes[0].calls[index]
    grows = ratio > 1
    what = "the numbers" if direction == "forward" else "the gradients"
    how = "grow" if grows else "fade"
    end = "are no longer finite" if not isfinite(ratio) else f"have {ratio:.1e} times the variance"
    way = "the first layer" if direction == "forward" else "the last layer"
    message = (
        f"before any training {what} {how} from layer to layer: at {name} they {end} (of those at {way}). Use "
        "initializers that fit the activations, normalization, or residual connections."
    )
    code = ProblemCode.VARIANCE_EXPLODES if grows else ProblemCode.VARIANCE_VANISHES
    findings.add(
        code,
        message,
        member_place(patient.layers[name]),
        severity="warning",
        data={"direction": direction, "ratio": ratio if isfinite(ratio) else None},
        fixes=_fixes(patient, direction),
    )


def _fixes(patient: Patient, direction: Direction) -> list[Fix]:
    """The recommended initializers, if the network is well under them: they are tried before they are offered."""
    recommended = rules(patient.flow)
    other = with_scheme(patient.document, Scheme(name="recommended", rules=recommended))
    try:
        passes = measured(other, patient.layers, SEEDS, BATCH, time.monotonic() + SECONDS)
    except GraphError:
        return []
    if not recommended or _crossing(patient, passes, direction) is not None:
        return []
    return [with_rules("Initialize all layers as the literature recommends", patient.document, recommended)]


def _crossing(patient: Patient, passes: Sequence[Pass], direction: Direction) -> Crossing | None:
    """The call on the way from which on all have left the range; None where the last is within.

    A branch may be weak and meant to be, as one that is scaled by 10⁻⁶ at the beginning; the end of the way may not.
    """
    way = [index for index, (name, _) in enumerate(passes[0].calls) if weighs(patient.layers[name])]
    strengths = {index: _strength(passes, index, direction) for index in way}
    # Where nothing arrives something else is wrong, and told elsewhere: zero weights, a dead end.
    way = [index for index in way if strengths[index] > 0]
    if len(way) < LAYERS:
        return None
    if direction == "backward":
        way.reverse()
    start, factor = strengths[way[0]], FACTORS[direction]
    crossing: Crossing | None = None
    for index in way:
        ratio = strengths[index] / start if isfinite(start) else inf
        if 1 / factor <= ratio <= factor:
            crossing = None
        elif crossing is None:
            crossing = index, ratio
    return crossing


def _strength(passes: Sequence[Pass], index: int, direction: Direction) -> float:
    """Geometric mean over the seeds of a variance; of gradients times the count of numbers, because pooling spreads
    a gradient over many without making it weaker. 0 where there is none, infinite where it is not finite.
    """
    logs = []
    for one in passes:
        found = one.outputs[index] if direction == "forward" else one.gradients.get(index)
        if found is None or found.numbers < 2:
            return 0.0
        value = found.variance * (found.numbers if direction == "backward" else 1)
        if value == 0:
            return 0.0
        if not isfinite(value):
            return inf
        logs.append(log(value))
    return exp(sum(logs) / len(logs))
