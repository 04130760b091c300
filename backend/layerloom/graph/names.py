"""Which names Python and torch leave free.

A member's name becomes an attribute of a module, a block's name a class, an argument's name a local variable of
``__init__``. The check reports names that break these rules; the writer refuses them again, because a name is the only
text of a document that reaches the source unquoted.
"""

from __future__ import annotations

import builtins
import keyword
import re
from functools import cache

from torch import nn

from layerloom.graph.expressions import FUNCTIONS

LENGTH = 64
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IDENTIFIERS = re.compile(r"(?:(?!__)[A-Za-z_][A-Za-z0-9_]*+\n)*+")
"""Each on a line of its own, none a ``__dunder``."""
_IMPORTED = frozenset({"torch", "nn", "F", "OrderedDict", "fnmatchcase", "init_weights", "forget_gate_bias"}) | {
    "base64",
    "zlib",
    "unpacked",
}
_IN_FUNCTIONS = frozenset({"self", "init", "names", "model", "module", "name", "parameter", "bias", "value", "quarter"})

LOCALS = FUNCTIONS | _IMPORTED | {"self", "super", "slice", "getattr"}
"""Names that a local variable must not hide, because the written source uses them."""

CLASSES = _IMPORTED | frozenset(dir(builtins)) | _IN_FUNCTIONS
"""Names that a class must not hide."""


def is_identifier(text: str) -> bool:
    """A plain ASCII Python name of at most 64 characters, no keyword and no ``__dunder``."""
    return (
        len(text) <= LENGTH
        and _IDENTIFIER.fullmatch(text) is not None
        and not keyword.iskeyword(text)
        and not text.startswith("__")
    )


def are_identifiers(texts: list[str]) -> bool:
    """Whether each is an identifier: asked of thousands at once."""
    lines = "\n".join([*texts, ""])
    return (
        lines.count("\n") == len(texts)  # "a\nb" would pass for two
        and _IDENTIFIERS.fullmatch(lines) is not None
        and not any(map(keyword.iskeyword, texts))
        and not any(len(text) > LENGTH for text in texts)
    )


def is_member(text: str) -> bool:
    """A usable name of a member: a Python name, or a number, as the items of a Sequential have."""
    return is_identifier(text) or (text.isascii() and text.isdecimal() and len(text) <= 6)


def is_key(text: str) -> bool:
    """A usable key of a ModuleDict or ParameterDict: one segment of a state_dict key, printable, no dot.

    An identifier or a number; other printable text is allowed, too, because torch allows it.
    """
    return 0 < len(text) <= LENGTH and text.isascii() and text.isprintable() and "." not in text


@cache
def attributes(kind: str = "block") -> frozenset[str]:
    """Attributes that a module of this kind has of its own, so that no member may take their names.

    ``kind`` is ``block`` or the kind of a container: ``module_dict`` has ``keys``, for instance.
    """
    classes: dict[str, type] = {
        "sequential": nn.Sequential,
        "module_list": nn.ModuleList,
        "module_dict": nn.ModuleDict,
        "parameter_list": nn.ParameterList,
        "parameter_dict": nn.ParameterDict,
    }
    return frozenset(dir(classes.get(kind, nn.Module)())) | {"forward", "training"}
