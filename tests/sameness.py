"""Whether two modules are the same: keys in order, loading both ways, outputs, gradients and buffers, bit for bit."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from layerloom.graph.importing.proof import Call, equal
from layerloom.graph.walk import members
from layerloom.schema.document import Document, Opaque


def seed(number: int) -> None:
    """Torch's numbers on the CPU, without a note, stack and all, for each kind of device that is not there."""
    torch.random.default_generator.manual_seed(number)


def left_closed(document: Document) -> list[str]:
    """The members of a document that were not opened, with the reasons."""
    found = (member for block in document.blocks.values() for member in members(block) if isinstance(member, Opaque))
    return [f"{member.name} ({member.type.rpartition('.')[2]}): {member.note}" for member in found]


def differences(one: nn.Module, other: nn.Module, inputs: Any) -> list[str]:
    """What differs, in words; nothing where all is the same. Both modules are used up."""
    call = Call(named=inputs) if isinstance(inputs, Mapping) else Call(tuple(inputs))
    found = []
    if list(one.state_dict()) != list(other.state_dict()):
        found.append("keys")
    one.load_state_dict(other.state_dict(), strict=True)
    other.load_state_dict(one.state_dict(), strict=True)
    if _trainable(one) != _trainable(other):
        found.append("trainable parameters")
    for what, given in (("outputs", call), ("outputs at another batch size", call.larger())):
        expected, got = (_evaluated(module, given) for module in (one, other))
        if not equal(expected, got):
            found.append(what)
    expected, got = (_trained(module, call) for module in (one, other))
    found += [f"in training: {what}" for what in expected if not equal(expected[what], got[what])]
    return found


def _trainable(module: nn.Module) -> list[tuple[str, bool]]:
    return [(name, parameter.requires_grad) for name, parameter in module.named_parameters(remove_duplicate=False)]


def _evaluated(module: nn.Module, call: Call) -> Any:
    module.eval()
    seed(1)
    with torch.no_grad():
        return module(*copy.deepcopy(call.positional), **copy.deepcopy(dict(call.named)))


def _trained(module: nn.Module, call: Call) -> dict[str, Any]:
    """Outputs, gradients and buffers of one step in training, or the error that both should raise."""
    module.train()
    module.zero_grad(set_to_none=True)
    seed(1)
    try:
        result = module(*copy.deepcopy(call.positional), **copy.deepcopy(dict(call.named)))
    except (ValueError, RuntimeError, AssertionError) as error:
        return {"error": type(error).__name__}
    loss = sum(tensor.float().square().mean() for tensor in _tensors(result) if tensor.requires_grad)
    if isinstance(loss, torch.Tensor):
        loss.backward()
    return {
        "outputs": result,
        "gradients": {name: parameter.grad for name, parameter in module.named_parameters()},
        "buffers": {name: buffer for name, buffer in module.named_buffers() if name in module.state_dict()},
    }


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item)
