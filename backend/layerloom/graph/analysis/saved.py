"""What a forward pass saves for the backward pass: the network runs in training mode on fake tensors of the CPU, and
torch's own hooks tell which tensors autograd holds on to. No rule of any layer is written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode

from layerloom.graph.build import load, to_python
from layerloom.graph.checking.failures import clean
from layerloom.graph.checking.layers import quietly
from layerloom.graph.errors import refuse
from layerloom.graph.lab.samples import batch_of, tensors
from layerloom.graph.lab.schemes import plain
from layerloom.schema.document import Document
from layerloom.schema.plan import Precision
from layerloom.schema.problems import ProblemCode

_LOWERED = {"bf16": torch.bfloat16, "fp16": torch.float16}
KERNELS = 10_000
"""Of one forward pass that is imagined, half a millisecond each."""
_CELLS = 16
"""Longest sequence and largest batch on which a recurrent kernel is asked for its workspace."""
_STATES = (5, 6)
"""Arguments of that kernel that have one row per sample, besides its input."""


def without_memory(document: Document) -> nn.Module:
    """The network on the meta device, as it would be built, in training mode."""
    network = getattr(load(to_python(plain(document))), document.main)
    with quietly("meta"):
        made = network()
    assert isinstance(made, nn.Module)
    return made.train()


def saved_bytes(document: Document, module: nn.Module, batch: int, precision: Precision = "fp32") -> tuple[int, int]:
    """Bytes of what the forward pass of ``batch`` samples leaves behind, results included, and of the batch itself.

    ``module`` is changed: its parameters become fake ones.

    Raises:
        GraphError: the network cannot run without numbers.
    """
    held: dict[int, torch.UntypedStorage] = {}
    try:
        with quietly("cpu"), torch.enable_grad(), FakeTensorMode():
            _imagine(module)
            inputs = batch_of(document, batch, None)
            known = _storages([*module.parameters(), *module.buffers(), *inputs.values()])

            def hold(tensor: Tensor) -> Tensor:
                held.update(_storages([tensor]))
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor), _Kernels():
                with _autocast(precision):
                    output = module(**inputs)
                held.update(_storages(tensors(output)))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError) as error:
        message = f"the memory of training cannot be told without running the network: {clean(error)}"
        raise refuse(ProblemCode.LAYER_FAILED, message) from None
    activations = sum(storage.nbytes() for key, storage in held.items() if key not in known)
    return activations, sum(tensor.nbytes for tensor in inputs.values())


def _autocast(precision: Precision) -> AbstractContextManager[Any]:
    dtype = _LOWERED.get(precision)
    return torch.autocast("cpu", dtype) if dtype else nullcontext()


def _storages(found: Iterable[Tensor]) -> dict[int, torch.UntypedStorage]:
    """Storages by address. They are kept alive, so that no address is used twice."""
    storages = [tensor.untyped_storage() for tensor in found if tensor.layout is torch.strided]
    return {storage._cdata: storage for storage in storages}


def _imagine(module: nn.Module) -> None:
    """Put fake tensors of the CPU in the place of a module's, those that are shared once."""
    made: dict[int, Tensor] = {}
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                if id(parameter) not in made:
                    made[id(parameter)] = nn.Parameter(_fake(parameter), requires_grad=parameter.requires_grad)
                part._parameters[name] = made[id(parameter)]  # type: ignore[assignment]
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = made.setdefault(id(buffer), _fake(buffer))


def _fake(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")


class _Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts kernels, and gives recurrent ones of the CPU the workspace that they keep for their backward pass.

    Its size is the kernel's own affair, and the fake kernel makes an empty one. So the real kernel is asked, for a
    short sequence and a small batch; from there it grows in proportion.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = KERNELS

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not tensors(result):
            # A question, such as that for a tensor's device: no kernel, and where torch's C++ asks it, an exception
            # would end the process.
            return result
        self._left -= 1
        if self._left < 0:
            message = (
                f"one forward pass runs more than {KERNELS:,} kernels, and its memory is not told. "
                "Shorten a sequence, or analyse fewer layers."
            )
            raise refuse(ProblemCode.TOO_LARGE, message)
        if func.overloadpacket is torch.ops.aten.mkldnn_rnn_layer and result[-1].numel() == 0:
            return (*result[:-1], torch.empty(_workspace(func, args), dtype=torch.uint8))
        return result


def _workspace(func: Any, args: tuple[Any, ...]) -> int:
    """Bytes of a kernel's workspace; 0 where it cannot run."""
    length, batch = map(int, args[0].shape[:2])  # whatever the layer's batch_first, the kernel has the time in front
    steps, samples = min(length, _CELLS), min(batch, _CELLS)
    shapes = [list(value.shape) if isinstance(value, Tensor) else [] for value in args]
    shapes[0][:2] = steps, samples
    for state in _STATES:
        shapes[state][-2] = samples
    try:
        with unset_fake_temporarily():
            small = (
                torch.zeros(shape, dtype=value.dtype) if isinstance(value, Tensor) else value
                for value, shape in zip(args, shapes, strict=True)
            )
            workspace: Tensor = func(*small)[-1]
    except RuntimeError:
        return 0
    return int(workspace.nbytes) * length * batch // (steps * samples)
