"""Parameters that stand under two names must be one tensor: ``self.decoder.weight = self.embed.weight``."""

from __future__ import annotations

from layerloom.graph.checking.findings import Findings, Place
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network
from layerloom.graph.checking.records import Stopped
from layerloom.schema.document import Alias, Buffer, Layer, Parameter
from layerloom.schema.problems import ProblemCode


def check_sharing(network: Network, inference: Inference, findings: Findings) -> None:
    """Report aliases that would put a tensor of one shape in the place of one of another."""
    for instance in network.instances.values():
        for place in instance.places.values():
            member = place.member
            if not isinstance(member, Alias) or "." not in place.path:
                continue
            layer, _, name = place.path.rpartition(".")
            owner = network.locate(instance, layer)
            replaced = _shape(inference, owner, name) if owner else None
            source = network.locate(instance, member.of)
            shared = _shape(inference, source, source.tensor) if source else None
            if replaced is None or shared is None or replaced == shared:
                continue
            message = (
                f"{place.path} has shape {list(replaced)} and {member.of} has {list(shared)}; only tensors of one "
                "shape can be shared. Change the sizes of one of the two layers."
            )
            data = {"expected": list(replaced), "got": list(shared)}
            at = Place(instance.block, None, place.path, instance.name, None, place.pointer)
            findings.add(ProblemCode.SHAPE_MISMATCH, message, at, data=data)


def _shape(inference: Inference, located: Located, name: str) -> tuple[int, ...] | None:
    try:
        if isinstance(located.place.member, Parameter | Buffer):
            return inference.tensor(located).shape
        if not isinstance(located.place.member, Layer) or located.name in inference.layers.automatic:
            return None
        module = built(inference.config(located)).module
    except Stopped:
        return None
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())} if module else {}
    return tuple(tensors[name].shape) if name in tensors else None
