"""Real arguments for every layer: those with which torch's own tests build and call it."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import nn

from catalogue.harness import calls
from catalogue.proof import Case, Given, UnsayableError, network
from layerloom.catalogue import layers, resolve
from layerloom.schema.catalogue import Entry, ParameterSpec
from layerloom.schema.document import CallNode, Layer
from layerloom.schema.values import Ref
from sameness import seed

PLACEMENT = ("device", "dtype", "_random_samples")
# Layers of which torch's tests keep no samples, with arguments that depend on each other as no form can tell.
OWN: dict[str, list[tuple[dict[str, Any], tuple[torch.Tensor, ...]]]] = {
    "torch.nn.AdaptiveLogSoftmaxWithLoss": [
        ({"in_features": 8, "n_classes": 10, "cutoffs": [3, 6]}, (torch.randn(5, 8), torch.tensor([0, 3, 5, 9, 2])))
    ],
    # Batch first, as the importer takes its inputs.
    **{
        f"torch.nn.{name}": [({"input_size": 5, "hidden_size": 3, "batch_first": True}, (torch.randn(2, 4, 5),))]
        for name in ("GRU", "LSTM", "RNN")
    },
    **{
        f"torch.nn.{name}Cell": [({"input_size": 5, "hidden_size": 3}, (torch.randn(2, 5),))]
        for name in ("GRU", "LSTM", "RNN")
    },
    "torch.nn.Fold": [({"output_size": [4, 5], "kernel_size": [2, 2]}, (torch.randn(2, 12, 12),))],
}


class ByHand(nn.Module):
    """What a person writes around one layer to call it."""

    def __init__(self, layer: nn.Module, given: Given) -> None:
        super().__init__()
        self.layer = layer
        self._given = given

    def forward(self, *tensors: torch.Tensor) -> Any:
        return self._given.call(self.layer, *tensors)


def cases(name: str) -> Iterator[Case]:
    """Every sample of a layer that a document can carry, each different one once."""
    entry, seen = layers()[name], set()
    for arguments, given in _samples(name):
        try:
            case = _case(entry, arguments, given)
        except UnsayableError:
            continue
        text = case.document.model_dump_json()
        if text not in seen:
            seen.add(text)
            yield case


def _case(entry: Entry, arguments: Given, given: Given) -> Case:
    if arguments.inputs:
        raise UnsayableError("a tensor for a constructor")
    specs = [ParameterSpec(name=port.name, kinds=["tensor"], required=port.required) for port in entry.inputs]
    node = CallNode(id="n", target="layer", arguments=given.written([*specs, *entry.options]))
    member = Layer(name="layer", target=entry.name, arguments=arguments.written(entry.parameters))
    document = network([member], [node], Ref(ref="n"), given.inputs)
    seed(0)
    return Case(entry.name, document, given.inputs, ByHand(arguments.call(resolve(entry.name)), given).eval())


def _samples(name: str) -> Iterator[tuple[Given, Given]]:
    """Constructor's and forward's arguments."""
    cls = resolve(name)
    for arguments, inputs in OWN.get(name, []):
        yield Given((), arguments), Given(inputs, {})
    for constructor, forward in module_samples().get(cls, []):
        plain = {key: value for key, value in constructor.kwargs.items() if key not in PLACEMENT}
        yield _bound(cls, constructor.args, plain), _bound(cls.forward, (None, *forward.args), forward.kwargs)
    if name not in OWN and cls not in module_samples():
        for call in calls(layers()[name]):
            yield Given((), call.arguments), Given(call.tensors(), {})


def _bound(function: Any, args: Any, kwargs: Any) -> Given:
    """By name, without what equals a default, as far as a signature tells names (a recurrent layer's does not)."""
    parameters = inspect.signature(function).parameters
    bound = inspect.signature(function).bind(*args, **kwargs).arguments
    if {parameters[name].kind for name in bound} & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return Given(args, kwargs)
    return Given(
        (), {key: value for key, value in bound.items() if key != "self" and value is not parameters[key].default}
    )


@cache
def module_samples() -> Mapping[type[nn.Module], list[tuple[Any, Any]]]:
    """What torch's tests give to constructors and forwards, by class."""
    with warnings.catch_warnings(action="ignore"):
        from torch.testing._internal.common_modules import module_db

        found = defaultdict(list)
        for info in module_db:
            seed(0)
            for sample in info.module_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=False):
                if sample.forward_input is not None:
                    found[info.module_cls].append((sample.constructor_input, sample.forward_input))
    return found
