"""Real arguments for every operation: those with which torch's own tests call it, or else invented ones."""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from catalogue import invented, torch_samples
from catalogue.proof import Case, Given, UnsayableError, network
from layerloom.catalogue import layers, operations, resolve
from layerloom.schema.catalogue import Entry
from layerloom.schema.document import FunctionNode
from layerloom.schema.values import Ref, Tuple
from sameness import seed

DTYPES = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.float64, torch.int32, torch.bfloat16)
PREFIXES = {
    "torch.nn.functional": "nn.functional.",
    "torch.fft": "fft.",
    "torch.linalg": "linalg.",
    "torch.special": "special.",
}
# What signs are called among Tensor's methods, where that is not their name in ``operator``.
SIGNS = {
    "and_": "and",
    "or_": "or",
    "pos": "positive",
    "invert": "bitwise_not",
    "truediv": "div",
    "floordiv": "floor_divide",
}
# Of which torch's tests keep no samples that fit.
OWN: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "torch.adaptive_max_pool1d": [((torch.randn(2, 3, 6), 4), {})],
    "torch.batch_norm": [
        (
            (torch.randn(4, 3), torch.rand(3), torch.rand(3), torch.rand(3), torch.rand(3)),
            {"training": True, "momentum": 0.1, "eps": 1e-5, "cudnn_enabled": False},
        )
    ],
    "torch.cosine_embedding_loss": [((torch.randn(3, 4), torch.randn(3, 4), torch.tensor([1.0, -1.0, 1.0])), {})],
    "torch.ctc_loss": [
        (
            (torch.randn(6, 2, 5).log_softmax(2), torch.tensor([[1, 2, 3], [2, 4, 1]]), [6, 6], [3, 2]),
            {},
        )
    ],
    "torch.instance_norm": [
        (
            (torch.randn(2, 3, 4), torch.rand(3), torch.rand(3), torch.rand(3), torch.rand(3)),
            {"use_input_stats": True, "momentum": 0.1, "eps": 1e-5, "cudnn_enabled": False},
        )
    ],
    "torch.conv_tbc": [((torch.randn(5, 2, 3), torch.randn(3, 3, 4), torch.randn(4)), {"pad": 1})],
    "torch.embedding_bag": [((torch.randn(9, 3), torch.tensor([1, 4, 8]), torch.tensor([0, 2])), {})],
    "torch.is_nonzero": [((torch.tensor(2.0),), {})],
    "torch.Tensor.is_nonzero": [((torch.tensor(2.0),), {})],
    "torch.nn.functional.grouped_mm": [
        ((torch.randn(2, 4, 16, dtype=torch.bfloat16), torch.randn(2, 16, 8, dtype=torch.bfloat16)), {})
    ],
    "torch.empty_permuted": [(((2, 3), (1, 0)), {})],
    "torch.nn.functional.adaptive_max_pool1d_with_indices": [((torch.randn(2, 3, 6), 4), {})],
    "torch.nn.functional.affine_grid": [((torch.randn(2, 2, 3), [2, 3, 4, 5]), {"align_corners": False})],
    "torch.nn.functional.conv_tbc": [((torch.randn(5, 2, 3), torch.randn(3, 3, 4), torch.randn(4)), {"pad": 1})],
    "torch.nn.functional.triplet_margin_with_distance_loss": [(tuple(torch.randn(3, 4) for _ in range(3)), {})],
    "torch.Tensor.float_power_": [((torch.rand(3, dtype=torch.float64), 2), {})],
    "operator.setitem": [((torch.randn(3, 4), 1, torch.randn(4)), {})],
}
LARGEST = 200_000
"""Numbers in the arguments of a sample."""


STRANGER = torch.ones(2)
"""What goes in and out beside the call of an operation that takes no tensors: a network has an input."""


def cases(name: str) -> Iterator[Case]:
    """Every sample of an operation that torch takes and a document can carry, each different one once."""
    entry, seen = operations()[name], set()
    for given in _samples(name, entry):
        sizes = [tensor.numel() for tensor in given.inputs.values()]
        if sum(sizes) > LARGEST or 0 in sizes or not _works(entry, given):
            continue
        try:
            document = _document(entry, given)
        except UnsayableError:
            continue
        text = document.model_dump_json()
        if text not in seen:
            seen.add(text)
            yield Case(name, document, given.inputs or {"x": STRANGER}, _by_hand(entry, given))


def _document(entry: Entry, given: Given) -> Any:
    node = FunctionNode(id="n", target=entry.name, arguments=given.written(entry.parameters))
    if not given.inputs:
        return network([], [node], Tuple(items=[Ref(ref="n"), Ref(ref="x")]), {"x": STRANGER})
    return network([], [node], Ref(ref="n"), given.inputs)


def _by_hand(entry: Entry, given: Given) -> Callable[..., Any]:
    target = resolve(entry.name)
    function = target if callable(target) else target.__get__
    if not given.inputs:
        return lambda x: (given.call(function), x)
    return lambda *tensors: given.call(function, *tensors)


def _works(entry: Entry, given: Given) -> bool:
    with warnings.catch_warnings(action="ignore"):
        try:
            tensors = (given.inputs or {"x": STRANGER}).values()
            _by_hand(entry, given)(*(tensor.detach().clone() for tensor in tensors))
        except Exception:
            return False
    return True


def _samples(name: str, entry: Entry) -> Iterator[Given]:
    known = {spec.name for spec in entry.parameters}
    for args, kwargs in OWN.get(name, []):
        yield Given(args, kwargs)
    for info in infos(name):
        for args, kwargs in _arguments(info, 60):
            yield Given(args, {key: value for key, value in kwargs.items() if key in known})
    for args, kwargs in heard().get(resolve(name), []):
        yield Given(args, kwargs)
    for tensor in invented.TENSORS:
        for second in (False, True):
            yield Given(*invented.placed(entry, invented.arguments(entry, tensor.clone(), second)))


def _arguments(info: Any, most: int) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    dtype = next((dtype for dtype in DTYPES if dtype in info.dtypes), None)
    if dtype is None:
        return []
    seed(0)
    random.seed(0)
    np.random.seed(0)
    with warnings.catch_warnings(action="ignore"):
        # As `info.sample_inputs` does it; that also looks through the stack of its callers for a test, for 50 ms.
        samples = islice(info.sample_inputs_func(info, "cpu", dtype, False), most)
        return [((sample.input, *sample.args), dict(sample.kwargs)) for sample in samples]


def infos(name: str) -> list[Any]:
    """What torch's tests know of a name, its alias, or the function that a method or sign stands for."""
    place, _, label = name.rpartition(".")
    label = label.removesuffix("_with_indices")
    plain = label.rstrip("_") if place == "torch.Tensor" else SIGNS.get(label, label)
    known = op_samples()
    keys = (
        f"{PREFIXES.get(place, '')}{plain}",
        plain,
        f"__{label}__",
        f"__r{label.rstrip('_')}__",
        f"nn.functional.{plain}",
    )
    return next((known[key] for key in keys if key in known), [])


@cache
def op_samples() -> Mapping[str, list[Any]]:
    """torch's database of operations and their samples, by name and alias."""
    with warnings.catch_warnings(action="ignore"):
        from torch.testing._internal.common_methods_invocations import op_db

        found: dict[str, list[Any]] = defaultdict(list)
        for info in op_db:
            for name in (info.name, *(alias.name for alias in info.aliases)):
                found[name].append(info)
    return dict(found)


@cache
def heard() -> Mapping[Any, list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """What torch's functions are called with while torch's tests call something else: a lambda around them, a layer."""
    found: dict[Any, list[Any]] = defaultdict(list)

    class Listener(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if len(found[func]) < 4:
                found[func].append((args, dict(kwargs or {})))
            return func(*args, **(kwargs or {}))

    def listen(function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        with warnings.catch_warnings(action="ignore"), torch.no_grad(), Listener():
            try:
                function(*args, **kwargs)
            except Exception:
                return  # samples of which torch's tests expect an error

    for infos_ in op_samples().values():
        for info in infos_:
            if getattr(info.op, "__name__", "") == "<lambda>" or getattr(info.op, "__module__", "").startswith(
                "torch.testing"
            ):
                for args, kwargs in _arguments(info, 2):
                    listen(info.op, args, kwargs)
    for name in layers():
        for case in islice(torch_samples.cases(name), 1):
            listen(case.by_hand, tuple(case.inputs.values()), {})
    return dict(found)
