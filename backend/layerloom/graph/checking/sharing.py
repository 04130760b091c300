"""Tensors that stand under two names must be one tensor: ``self.decoder.weight = self.embed.weight``."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network, placed
from layerloom.graph.checking.records import Stopped
from layerloom.graph.places import Instance
from layerloom.schema.document import Alias, BlockUse, Buffer, Layer, Parameter
from layerloom.schema.problems import ProblemCode


@dataclass(frozen=True, slots=True)
class _Tensor:
    """What has to agree."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    kind: str
    """``parameter`` or ``buffer``."""


def check_sharing(network: Network, inference: Inference, findings: Findings) -> None:
    """Report aliases that would put something else in the place of a tensor than a tensor of its kind and shape."""
    for instance in network.instances.values():
        for place in instance.places.values():
            alias = place.member
            if not isinstance(alias, Alias) or place.pointer in network.broken:
                continue
            at = Place(instance.block, None, place.path, instance.name, None, place.pointer)
            if "." in place.path:
                _check_replaced(network, inference, findings, instance, alias, network.locate(instance, alias.of), at)


def _check_replaced(
    network: Network,
    inference: Inference,
    findings: Findings,
    instance: Instance,
    alias: Alias,
    source: Located | None,
    at: Place,
) -> None:
    owner, _, name = alias.name.rpartition(".")
    if source is not None and not source.tensor and not isinstance(source.place.member, Parameter | Buffer):
        message = f"{alias.name} is a tensor and {alias.of} is none, so it cannot take its place."
        findings.add(ProblemCode.ARGUMENT_INVALID, message, at)
        return
    try:
        replaced = _member_tensor(network, inference, network.locate(instance, owner), name)
        shared = _tensor(inference, source, source.tensor) if source else None
    except LookupError:
        message = f"{alias.name} is no parameter or buffer of a member, and only those can be replaced by another."
        findings.add(ProblemCode.UNKNOWN_MEMBER, message, at)
        return
    if replaced is None or shared is None or replaced == shared:
        return
    if replaced.shape != shared.shape:
        message = (
            f"{alias.name} has shape {list(replaced.shape)} and {alias.of} has {list(shared.shape)}; only tensors of "
            "one shape can be shared. Change the sizes of one of the two layers."
        )
        data = {"expected": list(replaced.shape), "got": list(shared.shape)}
        findings.add(ProblemCode.SHAPE_MISMATCH, message, at, data=data)
    elif replaced.dtype is not shared.dtype:
        expected, got = (str(tensor.dtype).removeprefix("torch.") for tensor in (replaced, shared))
        message = f"{alias.name} is {expected} and {alias.of} is {got}; only tensors of one dtype can be shared."
        findings.add(ProblemCode.DTYPE_MISMATCH, message, at, data={"expected": expected, "got": got})
    else:
        message = f"{alias.name} is a {replaced.kind} and {alias.of} is a {shared.kind}; torch refuses to share them."
        findings.add(ProblemCode.ARGUMENT_INVALID, message, at)


def _member_tensor(network: Network, inference: Inference, owner: Located | None, name: str) -> _Tensor | None:
    """A tensor by its name inside a layer or block; None where it is not known. Raises LookupError."""
    if owner is None:
        raise LookupError(name)
    if isinstance(owner.place.member, BlockUse):
        inner = network.instances.get(owner.name)
        place = inner.places.get(name) if inner else None
        if inner is None or place is None or not isinstance(place.member, Parameter | Buffer):
            raise LookupError(name)
        return _tensor(inference, placed(inner, place), "")
    items = {item.place.path.rpartition(".")[2]: item for item in network.items(owner)}
    return _tensor(inference, items.get(name, owner), name)


def _tensor(inference: Inference, located: Located, name: str) -> _Tensor | None:
    """What is known of a tensor. Raises LookupError where there is none of that name."""
    member = located.place.member
    try:
        if isinstance(member, Parameter | Buffer):
            spec = inference.layers.tensor(located)
            return _Tensor(spec.shape, spec.dtype, member.kind)
        if not isinstance(member, Layer):
            raise LookupError(name)  # noqa: TRY004 - no such tensor, whatever type its owner has
        if located.name in inference.layers.automatic:
            return None
        module = built(inference.layers.config(located)).module
    except Stopped:
        return None
    if module is None:
        return None
    for kind, tensors in (("parameter", module.named_parameters()), ("buffer", module.named_buffers())):
        for own, tensor in tensors:
            if own == name:
                return _Tensor(tuple(tensor.shape), tensor.dtype, kind)
    raise LookupError(name)
