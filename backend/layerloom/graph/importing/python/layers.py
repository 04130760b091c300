"""What the expressions of an ``__init__`` make: layers, containers, and comprehensions over them."""

from __future__ import annotations

import ast
import copy
from typing import Any

from layerloom.catalogue import find, parametrizations
from layerloom.graph.importing.python.errors import not_plain
from layerloom.graph.importing.python.names import Names, bind, is_layer
from layerloom.graph.importing.python.tensors import parameter
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import (
    BlockArgument,
    BlockUse,
    Item,
    Layer,
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Parametrization,
    Repeat,
    Sequential,
)

_CONTAINERS: dict[str, Any] = {
    "torch.nn.Sequential": Sequential,
    "torch.nn.ModuleList": ModuleList,
    "torch.nn.ModuleDict": ModuleDict,
    "torch.nn.ParameterList": ParameterList,
    "torch.nn.ParameterDict": ParameterDict,
}


class LayerReader:
    """Reads expressions that make members."""

    def __init__(self, names: Names, classes: dict[str, list[BlockArgument]]) -> None:
        self.names = names
        self._classes = classes
        self._lists: dict[str, list[Any]] = {}
        """Local names of lists of layers."""

    def member(self, name: str, value: ast.expr) -> Any:
        """What a call makes, under this name. Raises NotPlainError."""
        if not isinstance(value, ast.Call):
            raise not_plain(value, f"what {name or 'this'} is cannot be known without running the code")
        dotted = self.names.imports.dotted(value.func)
        if dotted in _CONTAINERS:
            return self._container(_CONTAINERS[dotted], name, value)
        if dotted == "torch.nn.Parameter":
            return parameter(name, value, self.names)
        if is_layer(dotted):
            entry = find(dotted or "")
            assert entry is not None
            given = bind(entry.parameters, value, self.names.value)
            return Layer(name=name, target=entry.name, arguments=given)
        if dotted in parametrizations() and value.args:
            return self._parametrized(dotted, name, value)
        if isinstance(value.func, ast.Name) and value.func.id in self._classes:
            specs = [
                ParameterSpec(name=argument.name, kinds=["any"], required=argument.required)
                for argument in self._classes[value.func.id]
            ]
            return BlockUse(name=name, block=value.func.id, arguments=bind(specs, value, self.names.value))
        raise not_plain(value, f"{ast.unparse(value.func)} is no layer of torch and no class of this file")

    def _parametrized(self, function: str, name: str, call: ast.Call) -> Layer:
        """``nn.utils.parametrizations.weight_norm(nn.Linear(4, 3), dim=1)``."""
        layer = self.member(name, call.args[0])
        if not isinstance(layer, Layer):
            raise not_plain(call, "only a layer of torch can have its parameters made from others")
        rest = ast.copy_location(ast.Call(func=call.func, args=call.args[1:], keywords=call.keywords), call)
        arguments = bind(parametrizations()[function].parameters, rest, self.names.value)
        made = Parametrization(function=function, arguments=arguments)
        return layer.model_copy(update={"parametrizations": [*layer.parametrizations, made]})

    def item(self, name: str, value: ast.expr) -> Item:
        """A member of a container; a star in front of a comprehension, or the comprehension, is a repeat."""
        match value:
            case ast.Starred(value=ast.ListComp() | ast.GeneratorExp() as inner):
                return self.repeat(inner.elt, inner.generators)
            case _:
                return self.member(name, value)  # type: ignore[no-any-return]

    def repeat(self, value: ast.expr, clauses: list[ast.comprehension], key: ast.expr | None = None) -> Repeat:
        """A comprehension over layers."""
        clause, *inner = clauses
        if clause.ifs or clause.is_async:
            raise not_plain(value, "a comprehension with a condition cannot be read without running it")
        variables = variables_of(clause.target)
        over = self.names.value(clause.iter)
        if not hasattr(over, "expr"):
            over = self.names.expression(clause.iter)
        inside = copy.copy(self)
        inside.names = self.names.inside(variables)
        if inner:
            item: Any = inside.repeat(value, inner, key)
        else:
            name = inside.names.expression(key).expr if key is not None else ""
            item = inside.member(name, value)
        return Repeat(variables=variables, over=over, item=item)

    def _container(self, kind: Any, name: str, call: ast.Call) -> Any:
        if call.keywords:
            raise not_plain(call, "a container takes no keywords here")
        if kind is Sequential:
            return Sequential(name=name, items=self._sequence(call.args))
        if not call.args:
            return kind(name=name)
        [given] = call.args if len(call.args) == 1 else [call]
        if kind in (ModuleDict, ParameterDict):
            return kind(name=name, items=self._pairs(given))
        return kind(name=name, items=numbered(self.items(given)))

    def _sequence(self, arguments: list[ast.expr]) -> list[Any]:
        if len(arguments) == 1 and isinstance(arguments[0], ast.Call):
            call = arguments[0]
            if self.names.imports.dotted(call.func) == "collections.OrderedDict":
                return self._pairs(call.args[0]) if call.args else []
        items: list[Any] = []
        for argument in arguments:
            if isinstance(argument, ast.Starred) and not isinstance(argument.value, ast.ListComp | ast.GeneratorExp):
                items += self.items(argument.value)
            else:
                items.append(self.item("", argument))
        return numbered(items)

    def items(self, value: ast.expr) -> list[Any]:
        """The items of a list."""
        match value:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                found: list[Any] = []
                for item in items:
                    if isinstance(item, ast.Starred) and isinstance(item.value, ast.Name | ast.List):
                        found += self.items(item.value)
                    else:
                        found.append(self.item("", item))
                return found
            case ast.ListComp(elt=inner, generators=clauses) | ast.GeneratorExp(elt=inner, generators=clauses):
                return [self.repeat(inner, clauses)]
            case ast.Name(id=name) if name in self._lists:
                return list(self._lists[name])
        raise not_plain(value, "what this list holds cannot be known without running the code")

    def _pairs(self, value: ast.expr) -> list[Any]:
        """Items with names: of a dict, or of a list of pairs."""
        match value:
            case ast.DictComp(key=key, value=inner, generators=clauses):
                return [self.repeat(inner, clauses, key)]
            case ast.Dict(keys=keys, values=items):
                return [item for key, inner in zip(keys, items, strict=True) for item in self._pair(key, inner)]
            case ast.List(elts=pairs):
                found: list[Any] = []
                for pair in pairs:
                    if not isinstance(pair, ast.Tuple | ast.List) or len(pair.elts) != 2:
                        raise not_plain(pair, "a pair of name and layer is needed here")
                    found += self._pair(pair.elts[0], pair.elts[1])
                return found
        raise not_plain(value, "what this container holds cannot be known without running the code")

    def _pair(self, key: ast.expr | None, value: ast.expr) -> list[Any]:
        if key is None:  # {**{...}}
            return self._pairs(value)
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return [self.item(key.value, value)]
        raise not_plain(key, "a name has to be written out")


def variables_of(target: ast.expr) -> list[str]:
    """The names that a loop binds."""
    match target:
        case ast.Name(id=name):
            return [name]
        case ast.Tuple(elts=parts) if all(isinstance(part, ast.Name) for part in parts):
            return [part.id for part in parts if isinstance(part, ast.Name)]
    raise not_plain(target, "the variables of a loop have to be plain names")


def numbered(items: list[Any]) -> list[Any]:
    """Items named by their place, those of repeats too."""
    found = []
    for index, item in enumerate(items):
        if isinstance(item, Repeat):
            found.append(_renamed(item, str(index)))
        else:
            found.append(item.model_copy(update={"name": str(index)}))
    return found


def _renamed(repeat: Repeat, name: str) -> Repeat:
    inner = repeat.item
    changed = _renamed(inner, name) if isinstance(inner, Repeat) else inner.model_copy(update={"name": name})
    return repeat.model_copy(update={"item": changed})
