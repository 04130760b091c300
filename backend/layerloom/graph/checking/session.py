"""The stages of a check, in order: document as written, members as built, two passes of inference, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod

import torch

from layerloom.catalogue import dtype
from layerloom.graph.checking import editing, filling, memory, report, trials
from layerloom.graph.checking.building import check_layers
from layerloom.graph.checking.code import check_code
from layerloom.graph.checking.editing import PARAMETERS_LIMIT
from layerloom.graph.checking.filling import Completed
from layerloom.graph.checking.findings import Findings, Place, hint, near, pointer, replacing, shown
from layerloom.graph.checking.forward import check_graphs
from layerloom.graph.checking.holdings import Holdings
from layerloom.graph.checking.inference import Inference, at_batch
from layerloom.graph.checking.initializers import check_initializers
from layerloom.graph.checking.members import check_members
from layerloom.graph.checking.naming import check_names
from layerloom.graph.checking.network import Network
from layerloom.graph.checking.outcome import check_outcome
from layerloom.graph.checking.records import Given, Stopped
from layerloom.graph.checking.sequences import check_time_axes
from layerloom.graph.checking.sharing import check_sharing
from layerloom.graph.checking.steps import does_other_things, steps_of
from layerloom.graph.checking.training import check_batch_of_one
from layerloom.graph.checking.unrolling import unrolled
from layerloom.graph.checking.values import Frozen, TensorSpec
from layerloom.graph.checking.wording import check_dtype
from layerloom.graph.places import TRAINING
from layerloom.graph.walk import pointer_of
from layerloom.schema.document import FORMAT, Document, InputExample
from layerloom.schema.problems import ProblemCode
from layerloom.schema.report import Report

NODES_LIMIT = 5_000
"""Nodes of a document, and layers and operations that one forward runs."""
WHOLE = frozenset(getattr(torch, f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64))
"""Dtypes of whole numbers."""

Examples = Mapping[str, tuple[TensorSpec, bool]]
"""Per forward input: its type without the batch axis, and whether it has one."""


@dataclass(frozen=True)
class CheckedGraph:
    """A document and what the check found in it."""

    completed: Completed
    report: Report

    @property
    def document(self) -> Document:
        """The document with every automatic size filled in that could be determined; when ``report.ok`` there is none
        left, and the source writer may rely on every name, reference and argument.
        """
        return self.completed.document


def check(document: Document, batch: int = 2) -> Report:
    """The report of ``checked`` alone: shapes, costs and problems."""
    return checked(document, batch).report


def checked(document: Document, batch: int = 2) -> CheckedGraph:
    """Judge a document at an example batch of ``batch`` samples. Never raises; thread-safe.

    Every size, FLOP count and byte count of the report is at that batch.
    """
    with memory.collector_at_rest():
        known = None if document.code else memory.documents.after_an_edit(document, batch)
        return CheckedGraph(known.completed, known.report) if known else _checked(document, batch)


def _checked(document: Document, batch: int, *, mending: bool = True) -> CheckedGraph:
    findings = Findings(mending=mending)
    if _refused(document, findings) or not check_code(document, findings):
        return CheckedGraph(Completed(document, {}), Report(ok=False, problems=findings.problems()))
    check_names(document, findings)
    plain = check_members(document, findings)
    nodes = steps_of(document)
    check_graphs(document, findings, nodes)
    examples = _examples(document, findings, batch + 1)
    network = unrolled(document, findings, nodes)
    if network is None or _too_many(network, findings):
        return CheckedGraph(Completed(document, {}), Report(ok=False, problems=findings.problems()))
    return _inferred(document, network, findings, examples, batch, plain=plain)


def _inferred(
    document: Document, network: Network, findings: Findings, examples: Examples, batch: int, *, plain: bool
) -> CheckedGraph:
    layers = Holdings(network)
    first = Inference(network, layers, findings, batch=batch)
    second = Inference(network, layers, None, batch=batch + 1)
    depends = does_other_things(document, network.nodes, TRAINING)
    output = grown = None
    if check_layers(network, first, findings, PARAMETERS_LIMIT):
        first, output = _first_pass(first, at_batch(examples, batch))
        second.before = first
        grown = _pass(second, at_batch(examples, batch + 1))
        if depends:
            other = None
            for inference, samples in ((first, batch), (second, batch + 1)):
                other = Inference(network, layers, inference.findings, training=True, batch=samples, before=other)
                _pass(other, at_batch(examples, samples))
                inference.also(other)
        check_outcome(findings, first, second, output, grown)
    check_batch_of_one(findings, first, second, batch)
    check_time_axes(findings, first, second)
    if document.init or not plain:
        check_initializers(network, first, findings)
    check_sharing(network, first, findings)
    completed, sizes = filling.filled(document, network, first, findings)
    if findings.mending:
        recheck = partial(_rechecked, batch=batch)
        trials.keep_what_mends(findings, document, first.nodes, network.cost(), recheck)
    inventory = report.Inventory(network, first)
    _check_total(network, inventory, findings)
    found = Report.model_construct(
        ok=findings.ok,
        problems=findings.problems(),
        nodes=report.nodes(first, second),
        modules=inventory.modules(second),
        outputs=None if output is None else report.described(output, grown),
        autos=sizes,
        totals=report.totals(inventory, first, batch),
    )
    kept = findings.mending and output is not None and grown is not None and not depends and not document.code
    if kept and editing.keepable(document, found, first):
        inputs = at_batch(examples, batch), at_batch(examples, batch + 1)
        memory.documents.keep(editing.Kept(document, batch, completed, found, network, first, second, inputs))
    return CheckedGraph(completed, found)


def _rechecked(document: Document, batch: int) -> Report:
    """The report of a document that a mend leads to."""
    return _checked(document, batch, mending=False).report


def _first_pass(inference: Inference, inputs: Given) -> tuple[Inference, Frozen]:
    """A pass, and another one for as long as each makes sizes known that one before it had to wait for.

    A weight may be read before the call that determines its size, as in ``self.embed.weight`` above ``self.embed(x)``.
    """
    assert inference.findings is not None
    while True:
        waiting = len(inference.layers.automatic)
        output = _pass(inference, inputs)
        if output is not None or not inference.findings.ok or len(inference.layers.automatic) == waiting:
            return inference, output
        inference = Inference(inference.network, inference.layers, inference.findings, batch=inference.batch)


def _pass(inference: Inference, inputs: Given) -> Frozen:
    try:
        return inference.run(inputs)
    except Stopped:
        return None


def _refused(document: Document, findings: Findings) -> bool:
    """What makes it pointless to look further."""
    if document.format > FORMAT:
        message = f"this document has format {document.format}, and this LayerLoom knows formats up to {FORMAT}."
        message += " Open it with a newer version."
        data = {"format": document.format, "known": FORMAT}
        findings.add(ProblemCode.FORMAT_UNSUPPORTED, message, Place(pointer="/format"), data=data)
    elif document.main not in document.blocks:
        close = near(document.main, document.blocks) or list(document.blocks)[:3]
        fixes = [replacing(f"Make {shown(name)} the main block", "/main", name) for name in close]
        message = f"there is no block {shown(document.main)}, which is named as the main one.{hint(close)}"
        findings.add(ProblemCode.MAIN_MISSING, message, Place(pointer="/main"), data={"nearest": close}, fixes=fixes)
    elif (count := sum(len(block.forward.nodes) for block in document.blocks.values())) > NODES_LIMIT:
        message = f"the document has {count:,} nodes; the limit is {NODES_LIMIT:,}."
        findings.add(ProblemCode.TOO_MANY_NODES, message, Place(pointer="/blocks"), data={"nodes": count})
    return not findings.ok


def _too_many(network: Network, findings: Findings) -> bool:
    count = network.cost()
    if count <= NODES_LIMIT:
        return False
    message = f"one forward would run {count:,} layers and operations; the limit is {NODES_LIMIT:,}."
    place = Place(block=network.document.main, pointer=pointer_of(network.document.main))
    findings.add(ProblemCode.TOO_MANY_NODES, message, place, data={"nodes": min(count, 2**53)})
    return True


def _examples(document: Document, findings: Findings, most: int) -> dict[str, tuple[TensorSpec, bool]]:
    """The example inputs of the main block, of up to ``most`` samples."""
    block = document.main
    inputs = document.blocks[block].forward.inputs
    if not inputs:
        place = Place(block=block, pointer=pointer(pointer_of(block), "forward", "inputs"))
        findings.add(ProblemCode.NO_INPUT, "the network has no input. Add one and connect it.", place)
    found: dict[str, tuple[TensorSpec, bool]] = {}
    for index, item in enumerate(inputs):
        example = document.inputs.get(item.name)
        if example is None:
            if not item.optional:
                where = pointer(pointer_of(block), "forward", "inputs", index)
                message = f"no example shape is given for the input {shown(item.name)}."
                findings.add(ProblemCode.MISSING_INPUT, message, Place(block, None, None, "", item.name, where))
            continue
        place = Place(block, None, None, "", item.name, pointer("/inputs", item.name))
        well = check_dtype(findings, example.dtype, place.below("dtype"))
        for axis, size in enumerate(example.shape):
            if not 0 < size < 2**63:
                code = ProblemCode.ARGUMENT_RANGE if size <= 0 else ProblemCode.OVERFLOW
                message = f"an axis of the input {shown(item.name)} must be at least 1 and below 2**63, not {size}."
                findings.add(code, message, place.below("shape", axis))
                well = False
        if well and _possible(example, item.name, findings, place, most):
            spec = TensorSpec(tuple(example.shape), dtype(example.dtype), high=example.high)
            found[item.name] = (spec, example.batch)
    return found


def _possible(example: InputExample, name: str, findings: Findings, place: Place, samples: int) -> bool:
    """Whether torch can count the bytes of so many samples, and their dtype holds the whole numbers that may come."""
    kind = dtype(example.dtype)
    if prod(example.shape) * (samples if example.batch else 1) * kind.itemsize >= 2**63:
        message = f"the input {shown(name)} would have more bytes than torch can count. Make an axis shorter."
        findings.add(ProblemCode.OVERFLOW, message, place.below("shape"))
        return False
    if example.high is None or kind not in WHOLE:
        return True
    most = min(torch.iinfo(kind).max + 1, 2**63 - 1)  # what torch.randint takes
    if not 0 <= example.high <= most:
        message = (
            f"high of the input {shown(name)} must be between 0 and {most:,}: {example.dtype} holds no larger number."
        )
        findings.add(ProblemCode.ARGUMENT_RANGE, message, place.below("high"))
        return False
    return True


def _check_total(network: Network, inventory: report.Inventory, findings: Findings) -> None:
    count = inventory.total(inventory.parameters)
    if count <= PARAMETERS_LIMIT or not findings.ok:
        return
    message = f"the network has {count:,} parameters; the limit is {PARAMETERS_LIMIT:,}."
    place = Place(block=network.document.main, pointer=pointer_of(network.document.main))
    data = {"parameters": count, "limit": PARAMETERS_LIMIT}
    findings.add(ProblemCode.TOO_LARGE, message, place, data=data)
