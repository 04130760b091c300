"""Warnings of what the textbooks warn of. Each rule is a line in ``RULES``; what is known of layers and activations
stands in ``layerloom.catalogue.advice``."""

from __future__ import annotations

from collections.abc import Callable

from layerloom.graph.checking import checked
from layerloom.graph.checking.findings import Findings
from layerloom.graph.errors import GraphError
from layerloom.graph.lab.examining import signals, structure, values
from layerloom.graph.lab.examining.patient import BATCH, SEEDS, Patient
from layerloom.graph.lab.flow import flow_of
from layerloom.graph.lab.measure import refuse_too_large
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem

Rule = Callable[[Patient, Findings], None]

DRAWN: dict[str, Rule] = {
    "initializers that do not fit the activation": structure.check_initializers_fit,
    "activations that saturate in deep networks": structure.check_saturation,
    "activations that the loss applies itself": structure.check_loss,
    "dropout at the output": structure.check_dropout,
}
"""Rules about what is drawn."""
MADE: dict[str, Rule] = {
    "weights that are all equal": values.check_constant_weights,
    "forget gates that begin closed": values.check_forget_gates,
    "normalization that multiplies by zero": values.check_norm_weights,
    "variance that explodes or vanishes": signals.check_signals,
}
"""Rules about the module as it is made, for networks that are small enough to be measured."""


def doctor(document: Document, plan: Plan | None = None, *, measure: bool = True) -> list[Problem]:
    """What is worth a second look in a network, as warnings with their place, a remedy and mostly a fix.

    The check's own warnings come first: dead ends, members that are never called. A document with errors gives those
    errors and nothing else. With ``plan`` its loss is looked at, too. Without ``measure`` the module is not made: only
    ``DRAWN`` is looked at. Never raises for what a document may say.
    """
    graph = checked(document)
    if not graph.report.ok:
        return [problem for problem in graph.report.problems if problem.severity == "error"]
    findings = Findings()
    patient = Patient(graph.document, plan, flow_of(graph.document))
    for rule in DRAWN.values():
        rule(patient, findings)
    if not measure:
        return [*graph.report.problems, *findings.problems()]
    try:
        # Once as it is drawn and once as it would be mended.
        refuse_too_large(graph.document, BATCH, passes=2 * len(SEEDS))
        for rule in MADE.values():
            rule(patient, findings)
    except GraphError as error:
        refused = [problem.model_copy(update={"severity": "warning"}) for problem in error.problems]
        return [*graph.report.problems, *findings.problems(), *refused]
    return [*graph.report.problems, *findings.problems()]
