"""Values of the wire as the Python objects that they stand for."""

from __future__ import annotations

from typing import Any

from layerloom.catalogue.content import dtype, resolve
from layerloom.schema.values import DType, FunctionRef, Mapping, NonFinite, Tuple, Value


def plain(value: Value) -> Any:
    """A value without references, which have a meaning in a network only.

    Raises:
        TypeError: for one that carries a reference or an expression.
        KeyError: the catalogue has no such dtype or function.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [plain(item) for item in value]
        case Tuple(items=items):
            return tuple(plain(item) for item in items)
        case Mapping(items=items):
            return {key: plain(item) for key, item in items.items()}
        case NonFinite(text=text):
            return float(text)
        case DType(dtype=name):
            return dtype(name)
        case FunctionRef(name=name):
            return resolve(name)
        case _:
            raise TypeError(f"A training plan cannot carry the value {type(value).__name__}.")
