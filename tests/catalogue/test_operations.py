"""Every operation is called by the names that its entry gives, and compared with torch's own type stubs."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections import defaultdict
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import torch

from catalogue.invented import TENSORS, arguments, call
from layerloom.catalogue import find, operations, resolve

torch.set_num_threads(1)

# What Python says when a name is wrong or missing; any other refusal is about the values that the test invented.
MISNAMED = re.compile(
    r"unexpected keyword|missing \d+ required|takes (no|\d+) (positional|keyword|argument)|multiple values"
)
Overload = tuple[set[str], set[str]]


@pytest.mark.parametrize("place", sorted({name.rpartition(".")[0] for name in operations()}))
def test_operations_take_the_names_of_their_entries(place: str) -> None:
    wrong, worked = [], []
    entries = [entry for name, entry in operations().items() if name.rpartition(".")[0] == place]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in entries:
            for tensor in TENSORS:
                done = False
                for second in (False, True):
                    try:
                        call(entry, arguments(entry, tensor.clone(), second))
                        done = True
                        break
                    except Exception as refusal:
                        if isinstance(refusal, TypeError) and MISNAMED.search(str(refusal)):
                            wrong.append(f"{entry.name}: {refusal}")
                if done:
                    worked.append(entry.name)
                    break
    print(f"\n{place}: {len(worked)} of {len(entries)} operations gave a result on invented arguments")
    assert wrong == []
    assert len(worked) > 0.6 * len(entries), sorted({entry.name for entry in entries} - set(worked))


def _overloads(nodes: list[ast.stmt]) -> dict[str, list[Overload]]:
    """Names of all and of the required parameters of each overload in a stub file."""
    found: dict[str, list[Overload]] = defaultdict(list)
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
            required = set(names[: len(names) - len(arguments.defaults)])
            pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            required |= {argument.arg for argument, default in pairs if default is None}
            names += [argument.arg for argument in arguments.kwonlyargs]
            if arguments.vararg:
                names.append(arguments.vararg.arg)
            found[node.name].append((_python_names(names), _python_names(required)))
    return found


def _python_names(names: Any) -> set[str]:
    return {{"self": "input", "from_": "from"}.get(name, name) for name in names}


def _stubs() -> dict[str, dict[str, list[Overload]]]:
    folder = Path(torch.__file__).parent / "_C"
    functions = _overloads(ast.parse((folder / "_VariableFunctions.pyi").read_text()).body)
    module = ast.parse((folder / "__init__.pyi").read_text()).body
    tensor = next(node for node in module if isinstance(node, ast.ClassDef) and node.name == "TensorBase")
    return {"torch": functions, "torch.nn.functional": functions, "torch.Tensor": _overloads(tensor.body)}


def test_parameters_of_builtins_agree_with_torch_s_stubs() -> None:
    """The schemas that the catalogue reads are the dispatcher's; the stubs say what Python accepts."""
    stubs, compared, wrong = _stubs(), 0, []
    for name, entry in operations().items():
        place, _, label = name.rpartition(".")
        overloads = stubs.get(place, {}).get(label)
        if not overloads or isinstance(resolve(name), FunctionType):
            continue
        compared += 1
        accepted = set().union(*(names for names, _ in overloads))
        demanded = set.intersection(*(required for _, required in overloads))
        if unknown := {parameter.name for parameter in entry.parameters} - accepted:
            wrong.append(f"{name} has no {unknown}")
        if missing := demanded - {parameter.name for parameter in entry.parameters if parameter.required}:
            wrong.append(f"{name} demands {missing}")
    assert compared > 700
    # The stub of one_hot says tensor, the function input: the call above decides.
    assert [line for line in wrong if "one_hot" not in line] == []


NEEDED = {
    **dict.fromkeys(("operator.add", "operator.sub", "operator.mul", "operator.truediv", "operator.pow"), 2),
    **dict.fromkeys(("operator.neg", "operator.abs", "torch.exp", "torch.log", "torch.sqrt", "torch.relu"), 1),
    **dict.fromkeys(("torch.matmul", "operator.matmul", "torch.add", "torch.mul", "torch.maximum", "torch.bmm"), 2),
    **dict.fromkeys(("torch.chunk", "torch.split", "torch.reshape", "torch.flatten", "torch.permute"), 1),
    **dict.fromkeys(("torch.transpose", "torch.squeeze", "torch.unsqueeze", "torch.Tensor.view", "torch.Tensor.T"), 1),
    **dict.fromkeys(("torch.mean", "torch.sum", "torch.Tensor.mean", "torch.Tensor.sum", "torch.Tensor.shape"), 1),
    **dict.fromkeys(("torch.softmax", "torch.nn.functional.softmax", "torch.nn.functional.relu"), 1),
    **dict.fromkeys(("torch.nn.functional.interpolate", "torch.nn.functional.pad", "torch.Tensor.size"), 1),
    **dict.fromkeys(("torch.zeros_like", "torch.ones_like", "torch.Tensor.float", "torch.Tensor.contiguous"), 1),
    **dict.fromkeys(("torch.arange", "torch.full", "torch.zeros", "torch.ones", "torch.rand", "torch.randn"), 0),
    **{"torch.cat": 1, "torch.stack": 1, "torch.nn.functional.scaled_dot_product_attention": 4, "operator.getitem": 2},
    **{"torch.max": 2, "torch.where": 3, "torch.einsum": 1, "torch.nn.functional.linear": 3, "torch.fft.rfft": 1},
}


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_a_forward_needs_is_there(name: str) -> None:
    entry = find(name)
    assert entry is not None
    assert len(entry.inputs) == NEEDED[name]
    assert entry.outputs
    assert entry.category
    assert entry.summary
    assert {port.name for port in entry.inputs} <= {parameter.name for parameter in entry.parameters}


def test_ports_of_well_known_operations() -> None:
    many = {
        name: [port.name for port in operations()[name].inputs if port.many] for name in ("torch.cat", "torch.stack")
    }
    assert many == {"torch.cat": ["tensors"], "torch.stack": ["tensors"]}
    assert [(port.name, port.path) for port in operations()["torch.topk"].outputs] == [
        ("values", [0]),
        ("indices", [1]),
    ]
    assert operations()["torch.chunk"].outputs[0].many
    optional = {port.name for port in operations()["torch.where"].inputs if not port.required}
    assert optional == {"input", "other"}


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("torch.Tensor.view", "size"),
        ("torch.Tensor.reshape", "shape"),
        ("torch.Tensor.permute", "dims"),
        ("torch.Tensor.expand", "size"),
        ("torch.Tensor.repeat", "repeats"),
        ("torch.zeros", "size"),
    ],
)
def test_sizes_written_as_separate_arguments(name: str, parameter: str) -> None:
    (variadic,) = (one for one in operations()[name].parameters if one.variadic)
    assert variadic.name == parameter
    assert variadic.required


def test_every_parameter_can_be_written_by_name() -> None:
    names = {parameter.name for entry in operations().values() for parameter in entry.parameters}
    assert [name for name in names if keyword.iskeyword(name) or not name.isidentifier()] == []


def test_no_summary_holds_markup() -> None:
    assert [name for name, entry in operations().items() if "`" in entry.summary or "\\" in entry.summary] == []


def test_no_operation_takes_a_path_a_function_or_a_storage() -> None:
    suspicious = re.compile(r"file|path(?!_)|folder|url|callable|fn$|func|hook|storage(?!_offset)|pickle|command")
    found = {
        f"{name}.{parameter.name}"
        for name, entry in operations().items()
        for parameter in entry.parameters
        if suspicious.search(parameter.name) or "function" in parameter.kinds or "layer" in parameter.kinds
    }
    # Given as a function of two tensors, by its name in the catalogue.
    assert found == {"torch.nn.functional.triplet_margin_with_distance_loss.distance_function"}
