"""Parameters as they are made: equal weights, closed gates, normalizations that give nothing."""

from __future__ import annotations

from torch import Tensor

from layerloom.catalogue.advice import FORGET_GATE, category, forgets
from layerloom.graph.checking.findings import Findings
from layerloom.graph.lab.examining.mends import initialized
from layerloom.graph.lab.examining.patient import Patient, label_of, member_place
from layerloom.graph.lab.flow import Step
from layerloom.graph.lab.recommend import advised, weighs
from layerloom.schema.document import ParameterInit
from layerloom.schema.problems import ProblemCode

OPEN = 0.5
"""Mean of a forget gate's bias from which on the gate counts as open."""


def check_constant_weights(patient: Patient, findings: Findings) -> None:
    """Weights that are all equal: all units of the layer compute the same, get the same gradient and stay the same."""
    for step in patient.layers.values():
        if not weighs(step) and category(step.target) != "embedding":
            continue
        frozen = patient.frozen(step)
        for name, tensor in {**patient.tensors(step), **frozen}.items():
            # What a parametrization keeps is no weight: lengths of columns may well be equal.
            if tensor.dim() < 2 or "parametrizations." in name or not _constant(tensor):
                continue
            # A frozen kernel of equal numbers may well be meant: it averages.
            if _harmless(patient, step, tensor) or (name in frozen and bool(tensor.any())):
                continue
            value = float(tensor.flatten()[0])
            message = (
                f"all weights of {label_of(step)} ({name}) are frozen at zero, so that it gives the same whatever it "
                "is given. Draw them at random."
                if name in frozen
                else f"all weights of {label_of(step)} ({name}) begin at {value:g}, so that its units compute and "
                "learn the same. Draw them at random."
            )
            statements = advised(patient.flow, step)
            fixes = [initialized("Draw them as the literature recommends", step, statements)] if statements else []
            data = {"parameter": name, "value": value}
            findings.add(
                ProblemCode.WEIGHTS_CONSTANT, message, member_place(step), severity="warning", data=data, fixes=fixes
            )


def check_forget_gates(patient: Patient, findings: Findings) -> None:
    """Forget gates that begin half closed: what a cell holds is halved at every step, and gradients with it."""
    for step in patient.layers.values():
        means = _forget_gates(patient.tensors(step)) if forgets(step.target) else []
        if not means or min(means) >= OPEN:
            continue
        message = (
            f"the forget gate of {label_of(step)} begins half closed (its bias is near zero), so that the cell forgets "
            "within a few steps. Begin with a bias of 1 (Jozefowicz and others, 2015)."
        )
        parameter, function, _ = FORGET_GATE
        opened = ParameterInit(parameter=parameter, function=function)
        statements = [*(item.statement for item in patient.applied(step)), opened]
        fix = initialized("Begin with a forget bias of 1", step, statements)
        findings.add(
            ProblemCode.FORGET_GATE_CLOSED,
            message,
            member_place(step),
            severity="warning",
            data={"bias": round(min(means), 6)},
            fixes=[fix],
        )


def check_norm_weights(patient: Patient, findings: Findings) -> None:
    """Normalizations that multiply by zero, but for those that end a residual branch, where it is wanted."""
    for step in patient.layers.values():
        weight = patient.tensors(step).get("weight") if category(step.target) == "normalization" else None
        if weight is None or bool(weight.any()) or patient.ends_residual(step):
            continue
        message = (
            f"{label_of(step)} multiplies by zero, so that nothing passes and no gradient comes back. Begin with ones; "
            "zeros are for the last normalization of a residual branch."
        )
        ones = ParameterInit(parameter="weight", function="torch.nn.init.ones_")
        fix = initialized("Begin with ones", step, [ones])
        findings.add(ProblemCode.NORM_WEIGHT_ZERO, message, member_place(step), severity="warning", fixes=[fix])


def _constant(tensor: Tensor) -> bool:
    return tensor.numel() > 1 and bool(tensor.min() == tensor.max())


def _harmless(patient: Patient, step: Step, tensor: Tensor) -> bool:
    """Zeros at the end of a residual branch are wanted, and in a network of one layer nothing has to differ."""
    if not bool(tensor.any()) and patient.ends_residual(step):
        return True
    flow = patient.flow
    alone = not any(map(weighs, flow.before(step))) and not any(map(weighs, flow.behind(step, lambda _: True)))
    return weighs(step) and alone


def _forget_gates(tensors: dict[str, Tensor]) -> list[float]:
    """Per layer and direction the mean of the forget gate's bias, which torch keeps as a sum of two."""
    means = []
    for name, tensor in tensors.items():
        if not name.startswith("bias_ih"):
            continue
        other = tensors.get(name.replace("bias_ih", "bias_hh"))
        bias = tensor if other is None else tensor + other
        quarter = len(bias) // 4
        means.append(float(bias[quarter : 2 * quarter].mean()))
    return means
