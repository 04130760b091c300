"""One call as a document, and all that has to hold of it: check, source, module and import agree with torch itself.

Whatever is called is given by its catalogue name and by the very arguments that torch's own tests call it with. Nothing
about any layer or operation is known here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from layerloom.graph import build, check, to_python
from layerloom.graph.importing import ClosedError, from_module
from layerloom.graph.importing.leaves import function_name, layer_of, recovered
from layerloom.schema import values
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import Document, InputExample
from layerloom.schema.report import TensorType
from layerloom.schema.values import DType, Ellipsis, FunctionRef, LayerCall, LayerValue, NonFinite, Ref, Slice, Tuple
from sameness import seed

SEED = 3


class UnsayableError(Exception):
    """A document cannot carry a value with which torch's tests call something."""


@dataclass
class Case:
    """A network of one call, and the same call by hand."""

    name: str

    document: Document
    inputs: dict[str, torch.Tensor]
    by_hand: Callable[..., Any]
    """Takes the tensors in the order of ``inputs``; a module where there are weights."""


class Given:
    """Arguments of one call. Every tensor among them becomes an input of the network, though it stand twice."""

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._leaves, self._tree = tree_flatten((tuple(args), dict(kwargs)))
        tensors = {id(leaf): leaf for leaf in self._leaves if isinstance(leaf, torch.Tensor)}
        self._names = {identity: f"x{index}" for index, identity in enumerate(tensors)}
        self.inputs = {self._names[identity]: tensor for identity, tensor in tensors.items()}

    def call(self, function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
        """The call on other tensors, in the order of ``inputs``."""
        own = dict(zip(self.inputs, tensors, strict=True))
        leaves = [own[self._names[id(leaf)]] if id(leaf) in self._names else leaf for leaf in self._leaves]
        args, kwargs = tree_unflatten(leaves, self._tree)
        return function(*args, **kwargs)

    def written(self, specs: Sequence[ParameterSpec]) -> dict[str, Any]:
        """The arguments in a document, by the names of an entry's parameters. Raises UnsayableError."""
        args, kwargs = tree_unflatten(self._leaves, self._tree)
        return {name: self.value(item) for name, item in by_name(specs, args, kwargs).items()}

    def value(self, item: Any) -> Any:
        match item:
            case torch.Tensor():
                if item.layout is not torch.strided:
                    raise UnsayableError(f"a tensor of layout {item.layout}")
                if id(item) not in self._names:
                    raise UnsayableError("a tensor for a constructor")
                return Ref(ref=self._names[id(item)])
            case None | bool() | int() | str():
                return item
            case float():
                return item if item - item == 0 else NonFinite(text=str(item))
            case torch.Size() | list():
                return [self.value(part) for part in item]
            case tuple():
                return Tuple(items=[self.value(part) for part in item])
            case dict() if all(isinstance(key, str) for key in item):
                return values.Mapping(items={key: self.value(part) for key, part in item.items()})
            case slice():
                return Slice(parts=[self.value(part) for part in (item.start, item.stop, item.step)])
            case torch.dtype():
                return DType(dtype=str(item).removeprefix("torch."))
            case torch.device():
                return str(item)
            case nn.Module() if layer_of(item) is not None:
                target = layer_of(item)
                return LayerValue(layer=LayerCall(target=target, arguments=recovered(item, target)))
            case _ if item is ...:
                return Ellipsis()
            case _ if callable(item) and function_name(item) is not None:
                return FunctionRef(name=function_name(item))
        raise UnsayableError(f"a {type(item).__name__}")


def by_name(specs: Sequence[ParameterSpec], given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by the names that an entry gives its parameters."""
    try:
        bound = _by_name(specs, given, named)
    except UnsayableError:
        bound = {}
    if all(spec.name in bound for spec in specs if spec.required):
        return bound
    # torch.randint(10, size) leaves out the optional one in front.
    return _by_name([spec for spec in specs if spec.required or spec.name in named], given, named)


def _by_name(specs: Sequence[ParameterSpec], given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    rest, bound = [spec for spec in specs if not spec.keyword and spec.name not in named], {}
    for index, item in enumerate(given):
        spec = next((one for one in rest if _takes(one, item)), None)
        if spec is None:
            raise UnsayableError(f"argument {index} of type {type(item).__name__}")
        rest = rest[rest.index(spec) + 1 :]
        if spec.variadic and not isinstance(item, list | tuple):
            bound[spec.name] = list(given[index:])
            break
        bound[spec.name] = item
    known = {spec.name for spec in specs}
    for name, item in named.items():
        if name not in known:
            raise UnsayableError(f"argument {name}")
        bound[name] = item
    return bound


def _takes(spec: ParameterSpec, item: Any) -> bool:
    """Whether a value that is given by its place may be meant for a parameter."""
    kinds = set(spec.kinds)
    match item:
        case torch.Tensor():
            return bool(kinds & {"tensor", "any"})
        case list() | tuple():
            return bool(kinds & {"size", "list", "any", "tensor"})
        case bool():
            return bool(kinds & {"bool", "any", "float", "int"})
        case int():
            return bool(kinds & {"int", "float", "size", "list", "any"})
        case float():
            return bool(kinds & {"float", "any"})
        case str():
            return bool(kinds & {"str", "choice", "any"})
        case torch.dtype():
            return "dtype" in kinds
    return True


def network(members: Sequence[Any], nodes: Sequence[Any], output: Any, inputs: Mapping[str, torch.Tensor]) -> Document:
    """A document of one block."""
    return Document.model_validate(
        {
            "main": "Net",
            "blocks": {
                "Net": {
                    "members": members,
                    "forward": {"inputs": [{"name": name} for name in inputs], "nodes": nodes, "output": output},
                }
            },
            "inputs": {name: example(tensor) for name, tensor in inputs.items()},
        }
    )


def example(tensor: torch.Tensor) -> InputExample:
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype is torch.bool)
    return InputExample(
        shape=list(tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        batch=False,
        high=max(int(tensor.max()) + 1, 1) if whole and tensor.numel() else None,
    )


# --- what has to hold


def proven(case: Case, *, training: bool = True) -> None:
    """The check tells the real shapes, the source gives the real numbers and gradients. Raises AssertionError."""
    twin = build(case.document)
    if isinstance(case.by_hand, nn.Module):
        twin.train(case.by_hand.training)
        own = case.by_hand.state_dict()
        assert list(twin.state_dict()) == list(own), f"keys {list(twin.state_dict())}"
        twin.load_state_dict(own, strict=True)
    expected = run(case.by_hand, case.inputs)
    if not repeatable(case, expected):
        return told(case.document, expected)
    same(run(twin, case.inputs), expected)
    told(case.document, expected)
    fake(twin, case.inputs, expected)
    same(gradients(twin, case.inputs), gradients(case.by_hand, case.inputs))
    if training and isinstance(case.by_hand, nn.Module):
        twin.train(), case.by_hand.train()
        same(run(twin, case.inputs), run(case.by_hand, case.inputs))
        same(dict(twin.named_buffers()), dict(case.by_hand.named_buffers()))


def repeatable(case: Case, expected: Any) -> bool:
    """Whether a second call gives the same."""
    try:
        same(run(case.by_hand, case.inputs), expected)
    except AssertionError:
        return False
    return True


def imported(case: Case) -> None:
    """The built module comes back as a document that gives the same source. Raises ClosedError or AssertionError."""
    module = build(case.document).eval()
    recurrent = [part for part in module.modules() if isinstance(part, nn.RNNBase)]
    if recurrent and not (recurrent[0].batch_first and [tensor.dim() for tensor in case.inputs.values()] == [3]):
        raise ClosedError("its first axis is the sequence, and the importer takes that for the batch")
    document = from_module(module, list(copies(case.inputs).values()), closed="refuse")
    again = from_module(build(document).eval(), list(copies(case.inputs).values()), closed="refuse")
    assert to_python(again) == to_python(document)


def run(module: Callable[..., Any], inputs: Mapping[str, torch.Tensor]) -> Any:
    """What a call gives under one seed; its inputs are kept from what it writes into them.

    ``torch.empty`` and its like would give what happens to lie in memory, now and then the same twice: where torch is
    asked to be deterministic, it fills that.
    """
    with warnings.catch_warnings(action="ignore"):
        seed(SEED)
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            return module(*copies(inputs).values())
        finally:
            torch.use_deterministic_algorithms(False)


def copies(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in inputs.items()}


def told(document: Document, real: Any) -> None:
    """The check has no objection and tells every shape and dtype."""
    report = check(document)
    problems = [problem.message for problem in report.problems if problem.severity == "error"]
    assert not problems, problems[0]
    assert _described(report.outputs, real), f"the check says {report.outputs}, torch gives {_shapes(real)}"


def _described(result: Any, real: Any) -> bool:
    if isinstance(real, torch.Tensor):
        dtype = str(real.dtype).removeprefix("torch.")
        return isinstance(result, TensorType) and result.shape == list(real.shape) and result.dtype == dtype
    if isinstance(real, tuple | list) and any(isinstance(part, torch.Tensor) for part in real):
        if not isinstance(result, list) or len(result) != len(real):
            return False
        return all(_described(one, other) for one, other in zip(result, real, strict=True))
    return result is not None


def _shapes(real: Any) -> Any:
    if isinstance(real, tuple | list):
        return [_shapes(part) for part in real]
    return (tuple(real.shape), real.dtype) if isinstance(real, torch.Tensor) else real


def fake(module: nn.Module, inputs: Mapping[str, torch.Tensor], real: Any) -> None:
    """Fake tensors have the shapes of real ones, where torch can tell them without numbers."""
    with warnings.catch_warnings(action="ignore"), FakeTensorMode(allow_non_fake_inputs=True) as mode:
        given = [mode.from_tensor(tensor) for tensor in inputs.values()]
        try:
            result = module(*given)
        except Exception as error:
            if type(error).__name__ in ("DataDependentOutputException", "DynamicOutputShapeException"):
                return
            raise
    assert _shapes(result) == _shapes(real)


def gradients(module: Callable[..., Any], inputs: Mapping[str, torch.Tensor]) -> Any:
    """Of every floating point input and parameter, where the result has any."""
    given = copies(inputs)
    for tensor in given.values():
        tensor.requires_grad_(tensor.is_floating_point() or tensor.is_complex())
    parameters = dict(module.named_parameters()) if isinstance(module, nn.Module) else {}
    for parameter in parameters.values():
        parameter.grad = None
    with warnings.catch_warnings(action="ignore"):
        seed(SEED)
        try:
            outputs = [part for part in _tensors(module(*given.values())) if part.requires_grad]
            total = sum(part.abs().sum() if part.is_complex() else part.sum() for part in outputs)
            if not outputs or not total.requires_grad:
                return None
            total.backward()
        except (RuntimeError, NotImplementedError) as error:
            return type(error).__name__  # it has none, or writes into its input: then by hand it is so, too
    return {name: tensor.grad for name, tensor in (given | parameters).items()}


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for part in value for tensor in _tensors(part)] if isinstance(value, tuple | list) else []


def same(one: Any, other: Any) -> None:
    """Bit for bit, NaN being equal to NaN."""
    if isinstance(other, torch.Tensor):
        assert isinstance(one, torch.Tensor)
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True, check_stride=False)
    elif isinstance(other, dict):
        assert list(one) == list(other)
        for key in other:
            same(one[key], other[key])
    elif isinstance(other, tuple | list):
        assert len(one) == len(other)
        for mine, its in zip(one, other, strict=True):
            same(mine, its)
    else:
        assert one == other or (one != one and other != other)
