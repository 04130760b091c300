"""A ``torch.export`` program as modules again: layers where it called layers, classes with their names around them.

The program knows the class and the place of every module whose forward made a node, and which aten operation each node
calls with which arguments. A layer of the catalogue is made from both, and stands only where it gives the very numbers
that the program's own piece gives. Everything between layers stays a graph, whose operations are those of the
catalogue; ``from_module`` then opens and proves it like any other module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn
from torch.utils._pytree import tree_map_only, tree_unflatten

from layerloom.catalogue import find, layers, operations, resolve
from layerloom.catalogue.states import proposals
from layerloom.graph.importing.errors import ClosedError
from layerloom.graph.importing.proof import equal
from layerloom.schema.catalogue import Entry

_INFIX = {"add", "sub", "mul", "matmul", "neg", "pow", "eq", "ne", "lt", "le", "gt", "ge"}
_OPERATORS = {"div": "truediv"}
_NAMES = {"sym_size": "torch.Tensor.size"}
_PREFIXES = ("torch.nn.functional.", "torch.", "torch.Tensor.", "torch.special.", "torch.linalg.")
_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, AttributeError, KeyError)


def opened_program(file: Path) -> tuple[nn.Module, tuple[Any, ...]]:
    """The module of a ``.pt2`` file, and the example inputs that were exported with it.

    Loading runs whatever the file's pickles say: only in a sandbox.

    Raises:
        ClosedError: the file is no program, or calls what the catalogue does not have.
    """
    try:
        with file.open("rb") as opened:
            program = torch.export.load(opened)
    except Exception as error:
        raise ClosedError(f"the file is no program that this torch can load ({str(error)[:200]})") from error
    classes = dict(_classes(program.graph))
    given = program.example_inputs
    if given is None or given[1]:
        raise ClosedError("the program says nothing of its inputs, or takes them by name")
    root = torch.export.unflatten(program)
    arguments = tuple(value.clone() if isinstance(value, torch.Tensor) else value for value in given[0])
    made = _rebuilt(root, "", classes, _calls(root, arguments))
    if isinstance(made, fx.GraphModule) and program.call_spec.out_spec is not None:
        [output] = [node for node in made.graph.nodes if node.op == "output"]
        output.args = (tree_unflatten(list(output.args[0]), program.call_spec.out_spec),)
        made.recompile()
    return made, arguments


def _classes(graph: fx.Graph) -> Iterator[tuple[str, str]]:
    """Qualified name and class of every module that made a node."""
    for node in graph.nodes:
        for path, kind in (node.meta.get("nn_module_stack") or {}).values():
            yield path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"


def _calls(root: nn.Module, arguments: tuple[Any, ...]) -> dict[str, tuple[tuple[Any, ...], Any]]:
    """What every module is given and gives in one run."""
    seen: dict[str, tuple[tuple[Any, ...], Any]] = {}
    inputs: dict[str, tuple[Any, ...]] = {}
    hooks = []
    for path, module in root.named_modules():

        def before(_module: nn.Module, given: tuple[Any, ...], path: str = path) -> None:
            inputs.setdefault(path, tree_map_only(torch.Tensor, torch.clone, given))

        def after(_module: nn.Module, _given: tuple[Any, ...], result: Any, path: str = path) -> None:
            seen.setdefault(path, (inputs[path], tree_map_only(torch.Tensor, torch.clone, result)))

        hooks += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        with torch.no_grad():
            root(*arguments)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _rebuilt(module: nn.Module, path: str, classes: dict[str, str], calls: dict[str, Any]) -> nn.Module:
    layer = _layer(module, classes.get(path, ""), calls.get(path))
    if layer is not None:
        return layer
    graph = getattr(module, "graph", None)
    if not isinstance(graph, fx.Graph):
        raise ClosedError(f"{path or 'the program'} ({type(module).__name__}) is no graph of its own")
    made = nn.Module()
    for name, child in module.named_children():
        made.add_module(name, _rebuilt(child, f"{path}.{name}".lstrip("."), classes, calls))
    for name, parameter in module.named_parameters(recurse=False):
        made.register_parameter(name, parameter)
    for name, buffer in module.named_buffers(recurse=False):
        made.register_buffer(name, buffer)
    label = classes.get(path, "Program").rpartition(".")[2]
    return fx.GraphModule(made, _translated(graph, bool(path)), class_name=label if label.isidentifier() else "Program")


# --- layers


def _layer(module: nn.Module, kind: str, call: tuple[tuple[Any, ...], Any] | None) -> nn.Module | None:
    """The layer of the catalogue that does what a piece of a program does."""
    name = f"torch.nn.{kind.rpartition('.')[2]}"
    if call is None or not kind.startswith("torch.nn.modules.") or name not in layers():
        return None
    entry = find(name)
    assert entry is not None
    state = module.state_dict()
    for arguments in _candidates(entry, module, {key: tuple(value.shape) for key, value in state.items()}):
        try:
            made: nn.Module = resolve(name)(**arguments)
            made.load_state_dict(state, strict=True)
            with torch.no_grad():
                same = equal(made.eval()(*call[0]), call[1])
        except _ERRORS:
            continue
        if same:
            return made
    return None


def _candidates(entry: Entry, module: nn.Module, shapes: dict[str, tuple[int, ...]]) -> Iterator[dict[str, Any]]:
    """Arguments of a constructor, from the tensors and from what the program's operations are given."""
    told = dict(_told(getattr(module, "graph", None)))
    named = {spec.name: told[spec.name] for spec in entry.parameters if told.get(spec.name) not in (None, [])}
    fitting = [proposal.arguments for proposal in proposals(shapes) if proposal.layer == entry.name] if shapes else [{}]
    for found in fitting:
        mine = {key: _plain(value) for key, value in named.items() if key not in found}
        if any(name.endswith("_") for name in _called_by(getattr(module, "graph", None))):
            yield {**mine, **found, "inplace": True}
        yield {**mine, **found}
        yield dict(found)


def _called_by(graph: Any) -> Iterator[str]:
    for node in graph.nodes if isinstance(graph, fx.Graph) else ():
        if isinstance(node.target, torch._ops.OpOverload):
            yield node.target._schema.name


def _told(graph: Any) -> Iterator[tuple[str, Any]]:
    """The plain arguments of a graph's operations by their names, those that were left out included."""
    for node in graph.nodes if isinstance(graph, fx.Graph) else ():
        schema = getattr(node.target, "_schema", None)
        if node.op == "call_function" and schema is not None:
            for index, argument in enumerate(schema.arguments):
                value = node.args[index] if index < len(node.args) else node.kwargs.get(argument.name)
                value = argument.default_value if value is None and argument.has_default_value() else value
                if not _has_node(value) and not isinstance(value, torch.Tensor):
                    yield argument.name, value


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        items = list(value)
        return items[0] if len(set(map(str, items))) == 1 else tuple(items)
    return value


def _has_node(value: Any) -> bool:
    return isinstance(value, fx.Node) or (isinstance(value, list | tuple) and any(map(_has_node, value)))


# --- what stands between layers


def _translated(graph: fx.Graph, inner: bool) -> fx.Graph:
    """The graph with the operations of the catalogue in place of aten's."""
    made = fx.Graph()
    known: dict[fx.Node, Any] = {}
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    for node in graph.nodes:
        if _is_guard(node):
            continue
        if node.op == "call_function" and isinstance(node.target, torch._ops.OpOverload):
            known[node] = _called(made, node, known)
        else:
            known[node] = made.node_copy(node, known.__getitem__)
            if inputs == [node] and inner:
                # Its name is that of what the first caller gave, which would tell equal modules apart.
                known[node].target = known[node].name = "x"
    made.lint()
    return made


def _is_guard(node: fx.Node) -> bool:
    """Assertions on sizes: the check makes its own."""
    name = str(node.target)
    return not node.users and node.op != "output" and node.op != "placeholder" and ("assert" in name or "guard" in name)


def _called(made: fx.Graph, node: fx.Node, known: dict[fx.Node, Any]) -> fx.Node:
    """One operation by its name in the catalogue, with its arguments by their names."""
    assert isinstance(node.target, torch._ops.OpOverload)
    short = node.target._schema.name.partition("::")[2]
    names = [argument.name for argument in node.target._schema.arguments]
    positional = [fx.map_arg(value, known.__getitem__) for value in node.args]
    named = {key: fx.map_arg(value, known.__getitem__) for key, value in node.kwargs.items()}
    given = {**dict(zip(names, positional, strict=False)), **named}
    operator = _OPERATORS.get(short, short)
    if operator in {*_INFIX, *_OPERATORS.values()} and len(given) == 2:
        return made.call_function(resolve(f"operator.{operator}"), tuple(given.values()))
    for target in (_NAMES.get(short, ""), *(f"{prefix}{short}" for prefix in _PREFIXES)):
        if target in operations():
            return _placed(made, target, given)
    raise ClosedError(f"the catalogue has no operation {short}")


def _placed(made: fx.Graph, target: str, given: dict[str, Any]) -> fx.Node:
    entry = find(target)
    assert entry is not None
    first = next(iter(given.values()))
    takes = {spec.name for spec in entry.parameters}
    rest = {key: value for key, value in list(given.items())[1:] if key in takes and value is not None}
    if target.startswith("torch.Tensor."):
        variadic = next((spec.name for spec in entry.parameters if spec.variadic), None)
        spread = tuple(rest.pop(variadic, ())) if variadic in rest else ()
        return made.call_method(target.removeprefix("torch.Tensor."), (first, *spread), rest)
    return made.call_function(resolve(target), (first,), rest)
