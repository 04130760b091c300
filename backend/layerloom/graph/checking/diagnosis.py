"""From a failed call to a problem: both sides of the mismatch in words and data, and the edits that mend it."""

from __future__ import annotations

from typing import Any

from layerloom.catalogue import find
from layerloom.graph.checking import autos, fixes
from layerloom.graph.checking.calls import call_layer
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Automatic, Frozen, Group, LayerConfig, TensorSpec
from layerloom.schema.problems import ProblemCode


def layer(
    findings: Findings,
    network: Network,
    located: Located,
    config: LayerConfig,
    arguments: Arguments,
    failure: Failure,
    at: Place,
    caller: Place,
) -> None:
    """A layer refused its inputs. ``at`` is the layer, ``caller`` the node that calls it."""
    label = config.target.rpartition(".")[2]
    got = {name: text(value) for name, value in arguments}
    data: dict[str, Any] = {"layer": config.target, "got": got, "torch": failure.sentence}
    expected = _expected(config, arguments)
    if expected is not None and _is_batch(network, config, arguments, expected[0]):
        expected = None
    received = ", ".join(got.values()) or "nothing"
    if failure.code is ProblemCode.SHAPE_MISMATCH and expected:
        name, wanted, arriving = expected
        data |= {"expected": {name: wanted}, "arriving": arriving, "argument": name}
        message = f"{label} was given {received} and expects {name}={wanted}; what arrives has {arriving}."
        message += f" Set {name} to {arriving}, or change what comes before."
    elif failure.code is ProblemCode.AUTO_UNRESOLVED:
        names = ", ".join(path[-1] for path in autos.paths(config))
        message = f"{names} of {label} cannot be determined from {received}. Give a number instead."
    elif failure.code is ProblemCode.DTYPE_MISMATCH:
        message = f"{label} does not take {received}: {failure.sentence}"
    else:
        message = f"{label} cannot run on {received}: {failure.sentence}"
    call = fixes.LayerCall(network, located, config, arguments, failure, at, caller)
    mends = fixes.for_layer(call, expected) if findings.mending else []
    findings.add(failure.code, message, at, data=data, fixes=mends)


def operation(findings: Findings, call: fixes.OperationCall, failure: Failure) -> None:
    """An operation refused its arguments."""
    node, arguments, place = call.node, call.arguments, call.place
    entry = find(node.target)
    label = entry.label if entry else node.target
    got = {name: text(value) for name, value in arguments}
    tensors = [shown for (_, value), shown in zip(arguments, got.values(), strict=True) if _has_tensor(value)]
    received = " and ".join(tensors) or "its arguments"
    message = f"{label} cannot run on {received}: {failure.sentence}"
    data = {"operation": node.target, "got": got, "torch": failure.sentence}
    found = fixes.for_operation(call) if findings.mending else []
    findings.add(failure.code, message, place, data=data, fixes=found)


def _expected(config: LayerConfig, arguments: Arguments) -> tuple[str, int, int] | None:
    """The size argument that does not fit, its value and the value that would: what an automatic size would become."""
    entry = find(config.target)
    for parameter in entry.parameters if entry else []:
        given = dict(config.arguments).get(parameter.name)
        if not parameter.auto or not isinstance(given, int):
            continue
        found = autos.resolve(config.changed(parameter.name, Automatic.SIZE), arguments)
        if found.config is None or call_layer(found.config, arguments).failure is not None:
            continue
        size = found.sizes[0][1]
        if size != given:
            return parameter.name, given, size
    return None


def _is_batch(network: Network, config: LayerConfig, arguments: Arguments, name: str) -> bool:
    """Whether what arrives for a size is the number of samples: images without channels, read as channels."""
    examples = network.document.inputs.values()
    given = arguments[0][1]
    if not isinstance(given, TensorSpec) or not given.shape or not all(example.batch for example in examples):
        return False
    waiting = config.changed(name, Automatic.SIZE)
    more = ((arguments[0][0], given.sized((given.shape[0] + 1, *given.shape[1:]))), *arguments[1:])
    return autos.resolve(waiting, more).sizes != autos.resolve(waiting, arguments).sizes


def text(value: Frozen) -> str:
    """A value for a message: ``float32 [2, 64, 8, 8]``."""
    match value:
        case TensorSpec():
            return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
        case Group(kind="dict"):
            pairs = zip(value.keys, value.items, strict=True)
            return "{" + ", ".join(f"{key}: {text(item)}" for key, item in pairs)[:200] + "}"
        case Group():
            return f"({', '.join(text(item) for item in value.items[:8])}{', …' if len(value.items) > 8 else ''})"
        case LayerConfig():
            return value.target.rpartition(".")[2]
        case _ if hasattr(value, "value"):
            return str(value.value)
        case _ if callable(value):
            return str(getattr(value, "__name__", "a function"))
    return str(value)[:100]


def _has_tensor(value: Frozen) -> bool:
    return isinstance(value, TensorSpec) or (isinstance(value, Group) and any(_has_tensor(v) for v in value.items))
