"""Two tensors that do not go together: a shortcut of another shape, lengths that differ by one, the wrong axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from layerloom.catalogue import find
from layerloom.graph.checking.calls import call_layer, call_operation
from layerloom.graph.checking.findings import pointer
from layerloom.graph.checking.fixes.calls import Inserted, OperationCall, in_front, operands
from layerloom.graph.checking.network import Located
from layerloom.graph.checking.reading import layer_config
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Frozen, Group, TensorSpec, tensors
from layerloom.graph.walk import members, references
from layerloom.schema.document import CallNode, GetNode, Layer, Node, Sequential
from layerloom.schema.problems import Edit, Fix
from layerloom.schema.values import Expr, Ref, Tuple

ADDITIONS = frozenset(
    f"{module}.{name}" for module in ("torch", "torch.Tensor", "operator") for name in ("add", "add_", "sub", "iadd")
)
CONCATENATIONS = frozenset({"torch.cat", "torch.concat", "torch.concatenate"})
PRODUCTS = frozenset(
    f"{module}.{name}"
    for module in ("torch", "torch.Tensor", "torch.linalg", "operator")
    for name in ("matmul", "mm", "bmm")
)
MISSED = 3
"""Elements by which two lengths may differ and still be meant to be equal."""


@dataclass(frozen=True, slots=True)
class _Operand:
    """A tensor that is joined with another."""

    where: str
    """JSON pointer of the connection."""
    ref: Ref
    spec: TensorSpec


def _pair(call: OperationCall) -> tuple[_Operand, _Operand] | None:
    """The operands of an operation on two tensors, that with the longer way through the block first."""
    ports = ("tensors",) if call.node.target in CONCATENATIONS else tuple(call.node.arguments)[:2]
    connected = [found for port in ports for found in operands(call.node, port)]
    specs = [spec for name, value in call.arguments if name in ports for spec in tensors(value)]
    if len(connected) != 2 or len(specs) != 2:
        return None
    first, second = (
        _Operand(f"{call.place.pointer}{where}", ref, spec) for (where, ref), spec in zip(connected, specs, strict=True)
    )
    depths = _depths(call)
    return (second, first) if depths.get(first.ref.ref, 0) < depths.get(second.ref.ref, 0) else (first, second)


def _depths(call: OperationCall) -> dict[str, int]:
    """How many nodes stand one behind the other in front of each result."""
    found: dict[str, int] = {}
    for step in call.network.steps(call.place.block or ""):
        found[step.node.id] = 1 + max((found.get(ref, 0) for ref in references(step.node)), default=0)
    return found


# --- a shortcut whose shape differs


def shortcuts(call: OperationCall) -> Iterator[Fix]:
    """A projection on the shorter of two ways that are added: a convolution of one pixel, or a Linear."""
    pair = _pair(call) if call.node.target in ADDITIONS else None
    if pair is None:
        return
    longer, shorter = pair
    for target, arguments in _projections(call, shorter.spec, longer.spec):
        config = layer_config(target, arguments, {})
        result = call_layer(config, (("input", shorter.spec),)).result
        if not isinstance(result, TensorSpec) or result.shape != longer.spec.shape:
            continue
        for written in (_by_arguments(call, arguments), arguments):
            plain = {name: _json(value) for name, value in written.items()}
            inserted = Inserted("shortcut", target, "input", plain, layer=True)
            edits = in_front(call.network, call.place, shorter.where, shorter.ref, inserted)
            yield Fix(title=f"Project the shortcut with a {target.rpartition('.')[2]}", edits=edits)
        return


def _projections(call: OperationCall, given: TensorSpec, wanted: TensorSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Layers that may turn one shape into another, the likelier first."""
    rank = len(given.shape)
    if rank != len(wanted.shape) or given.shape[0] != wanted.shape[0]:
        return
    linear = {"in_features": given.shape[-1], "out_features": wanted.shape[-1]}
    if rank < 4 and not _convolves(call, rank - 2):
        yield "torch.nn.Linear", linear
    if 3 <= rank <= 5:
        strides = [-(-size // max(less, 1)) for size, less in zip(given.shape[2:], wanted.shape[2:], strict=True)]
        arguments: dict[str, Any] = {"in_channels": given.shape[1], "out_channels": wanted.shape[1], "kernel_size": 1}
        if any(stride != 1 for stride in strides):
            arguments["stride"] = strides[0] if len(set(strides)) == 1 else Tuple.model_validate({"$tuple": strides})
        yield f"torch.nn.Conv{rank - 2}d", arguments


def _by_arguments(call: OperationCall, arguments: dict[str, Any]) -> dict[str, Any]:
    """Sizes that are those of the block's own arguments, by the names of these: so they fit its other instances."""
    environment = call.network.instances[call.place.instance or ""].environment
    named = [argument.name for argument in call.block.arguments]
    found = {}
    for name, value in arguments.items():
        equal = [other for other in named if type(environment[other]) is int and environment[other] == value]
        found[name] = Expr(expr=equal[0]) if len(equal) == 1 and name != "kernel_size" else value
    return found


def _json(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, Tuple | Expr) else value


def _convolves(call: OperationCall, axes: int) -> bool:
    """Whether a block has convolutions along so many axes, so that a tensor's first is of channels."""
    return any(isinstance(member, Layer) and member.target.endswith(f"Conv{axes}d") for member in members(call.block))


# --- lengths that miss each other by one


def lengths(call: OperationCall) -> Iterator[Fix]:
    """Bring what was upsampled to the length of what it is joined with."""
    pair = _pair(call) if call.node.target in ADDITIONS | CONCATENATIONS else None
    if pair is None or len(pair[0].spec.shape) != len(pair[1].spec.shape):
        return
    longer, shorter = pair
    wanted, given = shorter.spec.shape[2:], longer.spec.shape[2:]
    missing = [size - other for size, other in zip(wanted, given, strict=True)]
    if not any(missing) or max(map(abs, missing)) > MISSED or not _joined(call, longer, wanted):
        return
    yield from _output_padding(call, longer, missing)
    pad = [number for size in reversed(missing) for number in (0, size)]
    padded = Inserted("fitted", "torch.nn.functional.pad", "input", {"pad": pad})
    size = " × ".join(map(str, wanted))
    title = f"Crop it to {size}" if max(missing) <= 0 else f"Pad it to {size}"
    yield Fix(title=title, edits=in_front(call.network, call.place, longer.where, longer.ref, padded))
    if call.place.block != call.network.document.main:
        steps = (
            Inserted("sizes", "torch.Tensor.shape", "input", {}, source=shorter.ref),
            Inserted("lengths", "operator.getitem", "input", {"index": {"$slice": [2, None, None]}}),
            Inserted("fitted", "torch.nn.functional.interpolate", "input", {"size": {"$ref": "lengths"}},
                     source=longer.ref),
        )  # fmt: skip
        edits = in_front(call.network, call.place, longer.where, longer.ref, *steps)
        yield Fix(title="Resize it to the size of the other", edits=edits)


def _joined(call: OperationCall, operand: _Operand, lengths: Sequence[int]) -> bool:
    """Whether the operation accepts a tensor of other lengths in an operand's place."""
    fitted = TensorSpec((*operand.spec.shape[:2], *lengths), operand.spec.dtype)

    def changed(value: Frozen) -> Frozen:
        if isinstance(value, Group):
            return Group(value.kind, tuple(changed(item) for item in value.items), value.keys)
        return fitted if value == operand.spec else value

    arguments: Arguments = tuple((name, changed(value)) for name, value in call.arguments)
    return call_operation(call.node.target, arguments).failure is None


def _output_padding(call: OperationCall, operand: _Operand, missing: list[int]) -> Iterator[Fix]:
    """Let the transposed convolution that made a tensor make it longer."""
    located = _upsampled(call, operand)
    if located is None or min(missing) < 0:
        return
    member = located.place.member
    assert isinstance(member, Layer)
    old = member.arguments.get("output_padding", 0)
    items = old.items if isinstance(old, Tuple) else old if isinstance(old, list) else [old] * len(missing)
    if len(items) != len(missing) or not all(isinstance(item, int) for item in items):
        return
    new = [item + more for item, more in zip(items, missing, strict=True) if isinstance(item, int)]
    value = new[0] if len(set(new)) == 1 else {"$tuple": new}
    shown = new[0] if len(set(new)) == 1 else tuple(new)
    where = pointer(located.place.pointer, "arguments", "output_padding")
    yield Fix(title=f"Set output_padding to {shown}", edits=[Edit(op="add", path=where, value=value)])


def _upsampled(call: OperationCall, operand: _Operand) -> Located | None:
    """The transposed convolution from which on a tensor has kept its lengths."""
    nodes = {node.id: node for node in call.block.forward.nodes}
    instance = call.network.instances[call.place.instance or ""]
    wanted, node = operand.spec.shape[2:], nodes.get(operand.ref.ref)
    while node is not None and not isinstance(node, GetNode):
        record = call.records.get(f"{instance.name}#{node.id}")
        if record is None or not isinstance(record.output, TensorSpec) or record.output.shape[2:] != wanted:
            return None
        if isinstance(node, CallNode):
            located = call.network.locate(instance, node.target)
            for item in reversed(_layers(call, located) if located else []):
                if getattr(item.place.member, "target", "").startswith("torch.nn.ConvTranspose"):
                    return item
        node = _before(node, nodes)
    return None


def _layers(call: OperationCall, located: Located) -> list[Located]:
    if not isinstance(located.place.member, Sequential):
        return [located]
    return [inner for item in call.network.items(located) for inner in _layers(call, item)]


def _before(node: Node, nodes: dict[str, Node]) -> Node | None:
    given = references(node)
    return nodes.get(given[0]) if given else None


# --- the wrong axis


def axes(call: OperationCall) -> Iterator[Fix]:
    """Join tensors along the axis in which they differ."""
    given = dict(call.arguments)
    if call.node.target not in CONCATENATIONS or not isinstance(given.get("dim", 0), int):
        return
    specs = list(tensors(given.get("tensors")))
    ranks = {len(spec.shape) for spec in specs}
    if len(ranks) != 1 or hasattr(call.node.arguments.get("dim"), "expr"):
        return
    differing = [axis for axis in range(1, ranks.pop()) if len({spec.shape[axis] for spec in specs}) > 1]
    for axis in differing:
        if call_operation(call.node.target, tuple({**given, "dim": axis}.items())).failure is None:
            where = pointer(call.place.pointer or "", "arguments", "dim")
            yield Fix(title=f"Join along axis {axis}", edits=[Edit(op="add", path=where, value=axis)])


def transposed(call: OperationCall) -> Iterator[Fix]:
    """Swap the last axes of one factor of a matrix product."""
    entry = find(call.node.target) if call.node.target in PRODUCTS else None
    given = dict(call.arguments)
    names = [parameter.name for parameter in entry.parameters[:2]] if entry else []
    for name, which in reversed(list(zip(names, ("first", "second"), strict=False))):
        spec = given.get(name)
        connected = list(operands(call.node, name))
        if not isinstance(spec, TensorSpec) or len(spec.shape) < 2 or len(connected) != 1:
            continue
        swapped = call_operation("torch.transpose", (("input", spec), ("dim0", -2), ("dim1", -1))).result
        if call_operation(call.node.target, tuple({**given, name: swapped}.items())).failure is None:
            where, ref = connected[0]
            node = Inserted("transposed", "torch.transpose", "input", {"dim0": -2, "dim1": -1})
            edits = in_front(call.network, call.place, f"{call.place.pointer}{where}", ref, node)
            yield Fix(title=f"Transpose the {which} factor", edits=edits)
            return
