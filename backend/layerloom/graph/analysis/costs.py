"""Costs per node, module and block, from the check; memory of training, from torch itself."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from layerloom.graph.analysis.optimizer import optimizer_bytes
from layerloom.graph.analysis.saved import saved_bytes, without_memory
from layerloom.graph.checking import checked
from layerloom.graph.errors import GraphError
from layerloom.graph.places import instances
from layerloom.schema.analysis import Analysis, Cost, ModuleCost, TrainingMemory
from layerloom.schema.document import Document
from layerloom.schema.plan import Choice, Precision
from layerloom.schema.report import ModuleReport, Report

ADAMW = Choice(name="torch.optim.AdamW")


def analyse(
    document: Document, batch: int = 64, *, optimizer: Choice = ADAMW, precision: Precision = "fp32"
) -> Analysis:
    """Parameters, operations and memory of a network at ``batch`` samples.

    Where the memory of training cannot be told (an optimizer that does not take these parameters) a problem says why.

    Raises:
        GraphError: the document has errors.
    """
    graph = checked(document, batch)
    report = graph.report
    if not report.ok:
        raise GraphError([problem for problem in report.problems if problem.severity == "error"])
    training, problems = None, []
    try:
        training = _training(graph.document, batch, optimizer, precision)
    except GraphError as error:
        problems = error.problems
    return Analysis(
        totals=report.totals,
        nodes={
            key: Cost(parameters=node.parameters, flops=node.flops, activation_bytes=node.activation_bytes)
            for key, node in report.nodes.items()
        },
        modules={name: _summed([module]) for name, module in report.modules.items()},
        blocks=_blocks(graph.document, report),
        training=training,
        problems=problems,
    )


def _blocks(document: Document, report: Report) -> dict[str, ModuleCost]:
    found: dict[str, list[ModuleReport]] = {}
    totals = report.totals
    main = ModuleReport(
        parameters=totals.parameters,
        trainable=totals.trainable,
        flops=totals.flops,
        activation_bytes=totals.activation_bytes,
        calls=1,
    )
    for name, instance in instances(document).items():
        found.setdefault(instance.block, []).append(report.modules.get(name, ModuleReport()) if name else main)
    return {block: _summed(modules) for block, modules in found.items()}


def _summed(modules: Iterable[ModuleReport]) -> ModuleCost:
    modules = list(modules)
    return ModuleCost(
        parameters=sum(module.parameters for module in modules),
        trainable=sum(module.trainable for module in modules),
        flops=sum(module.flops for module in modules),
        activation_bytes=sum(module.activation_bytes for module in modules),
        calls=sum(module.calls for module in modules),
    )


def _training(document: Document, batch: int, optimizer: Choice, precision: Precision) -> TrainingMemory:
    module = without_memory(document)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    state = optimizer_bytes(optimizer, trained)
    activations, inputs = saved_bytes(document, module, batch, precision)
    weights = _bytes(module)
    gradients = sum(parameter.nbytes for parameter in trained)
    return TrainingMemory(
        weights=weights,
        gradients=gradients,
        optimizer=state,
        activations=activations,
        inputs=inputs,
        total=weights + gradients + state + activations + inputs,
    )


def _bytes(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
