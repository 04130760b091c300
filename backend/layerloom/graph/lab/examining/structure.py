"""What is drawn: initializers and activations that do not fit, and what must not stand at the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerloom.catalogue.advice import (
    APPLIED_BY_LOSS,
    DEFAULT_LOSS,
    GATES,
    GLOROT_INITIALIZERS,
    RECTIFIERS,
    TOO_SMALL_GAIN,
    activation,
    category,
    short,
    weighing,
)
from layerloom.graph.checking.findings import Findings
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.lab.examining.mends import changed, initialized, removed, retargeted
from layerloom.graph.lab.examining.patient import Applied, Patient, label_of, member_place
from layerloom.graph.lab.flow import Step
from layerloom.graph.lab.recommend import activation_of, advised, argument, weighs
from layerloom.graph.places import evaluate
from layerloom.schema.problems import ProblemCode

DEEP = 3
"""Saturating activations in a row, from which on gradients through them vanish (Glorot and Bengio, 2010)."""


def check_initializers_fit(patient: Patient, findings: Findings) -> None:
    """Glorot's initializers before a rectifier, which halves the variance in every layer (He and others, 2015)."""
    for step in patient.layers.values():
        follower = activation_of(patient.flow, step) if step.target in weighing() else None
        known = activation(follower.target) if follower else None
        if follower is None or known is None or known.family != "rectifier":
            continue
        for item in patient.applied(step):
            if item.statement.function not in GLOROT_INITIALIZERS or _gain(item) >= TOO_SMALL_GAIN:
                continue
            label = item.statement.function.rpartition(".")[2]
            message = (
                f"{label_of(step)} is initialized by {label}, and {label_of(follower)} behind it lets half of its "
                "variance through: in a deep network the numbers fade. Use a Kaiming initializer (He and others, 2015)."
            )
            better = next(iter(advised(patient.flow, step)))
            statements = changed(patient.applied(step), item.statement, better)
            findings.add(
                ProblemCode.INITIALIZER_UNFIT,
                message,
                member_place(step),
                severity="warning",
                data={"initializer": item.statement.function, "activation": follower.target},
                fixes=[initialized(f"Use {better.function.rpartition('.')[2]}", step, statements)],
            )


def check_saturation(patient: Patient, findings: Findings) -> None:
    """Sigmoid and tanh inside deep networks; as gates, behind normalization and at the output they are in place."""
    depths: dict[int, int] = {}
    rows: dict[int, int] = {}
    flow = patient.flow
    for step in flow.steps:
        above = max((depths[source] for source in step.sources), default=0)
        saturates = _saturates(patient, step)
        depths[step.index] = above + saturates
        if saturates:
            rows[step.index] = depths[step.index]
    if max(rows.values(), default=0) < DEEP:
        return
    for index in rows:
        step = flow.steps[index]
        message = (
            f"{label_of(step)} is one of {max(rows.values())} activations that saturate, one behind the other: each "
            "shrinks the gradient on its way back. Use a rectifier inside the network, or normalization in front."
        )
        rectifier = RECTIFIERS["operation" if step.located is None else "layer"]
        fixes = []
        if step.place.pointer is not None:
            title = f"Use {rectifier.rpartition('.')[2]}"
            fixes = [retargeted(title, step.place.pointer, rectifier, {} if step.located is not None else None)]
        findings.add(ProblemCode.ACTIVATION_SATURATES, message, step.place, severity="warning", fixes=fixes)


def check_loss(patient: Patient, findings: Findings) -> None:
    """Activations at the output that the loss applies itself: twice, they flatten the gradient.

    Without a plan nobody knows the loss: probabilities at the output are told with the condition that they depend on.
    """
    plan = patient.plan
    loss = plan.loss.name if plan and plan.loss else DEFAULT_LOSS
    label = loss.rpartition(".")[2]
    twice = APPLIED_BY_LOSS.get(loss, ())
    for step in _at_output(patient, lambda step: activation(step.target) is not None):
        known = activation(step.target)
        sure = (plan and plan.loss) or (known is not None and known.family == "probabilities")
        if short(step.target) not in twice or not sure:
            continue
        if plan is None:
            code = ProblemCode.ACTIVATION_AT_OUTPUT
            message = (
                f"{label_of(step)} stands at the output. If the network is trained with {label}, which applies its "
                "own, it learns slowly: return the numbers as they are (logits). With a loss of probabilities it is in "
                "place."
            )
        else:
            code = ProblemCode.ACTIVATION_BEFORE_LOSS
            message = (
                f"{label_of(step)} stands at the output, and {label} applies its own to what it is given: the network "
                "learns slowly. Return the numbers as they are (logits)."
            )
        findings.add(
            code,
            message,
            step.place,
            severity="warning",
            data={"loss": loss, "activation": step.target},
            fixes=removed(f"Remove {label_of(step)}", patient.document, step),
        )


def check_dropout(patient: Patient, findings: Findings) -> None:
    """Dropout behind the last weights: it sets predictions to zero, which no later layer can make good."""
    for step in _at_output(patient, lambda step: category(step.target) == "dropout"):
        if argument(patient.flow, step, "p") in (0, 0.0):
            continue
        message = (
            f"{label_of(step)} stands behind the last layer: it sets predictions to zero and scales the others while "
            "training. Put it in front of that layer."
        )
        fixes = removed(f"Remove {label_of(step)}", patient.document, step)
        findings.add(ProblemCode.DROPOUT_AT_OUTPUT, message, step.place, severity="warning", fixes=fixes)


def _at_output(patient: Patient, wanted: Callable[[Step], bool]) -> Iterator[Step]:
    """Calls of the wanted kind between the last weights and the output, seen through shapes and probabilities."""

    def lets_through(step: Step) -> bool:
        known = activation(step.target)
        return category(step.target) == "shape" or (known is not None and known.family == "probabilities")

    seen: set[int] = set()
    for index in sorted(patient.flow.outputs):
        last = patient.flow.steps[index]
        for step in (last, *(patient.flow.before(last, lets_through) if lets_through(last) else ())):
            if step.index not in seen and wanted(step):
                seen.add(step.index)
                yield step


def _saturates(patient: Patient, step: Step) -> bool:
    """Whether a call is a hidden activation that saturates, and is not meant to."""
    known = activation(step.target)
    flow = patient.flow
    if known is None or known.family != "saturating":
        return False
    if any(short(other.target) in GATES for other in flow.consumers(step)):
        return False
    if any(category(other.target) == "normalization" for other in flow.sources(step)):
        return False
    behind = any(map(weighs, flow.behind(step, lambda _: True)))
    return behind and any(map(weighs, flow.before(step)))


def _gain(item: Applied) -> float:
    value = item.statement.arguments.get("gain", 1.0)
    try:
        found = evaluate(value, item.environment)
    except ExpressionError:
        return 1.0
    return float(found) if isinstance(found, int | float) else 1.0
