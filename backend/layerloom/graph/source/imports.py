"""What the written file imports, and how it spells the names of the catalogue."""

from __future__ import annotations

import inspect

from layerloom.catalogue import own, resolve
from layerloom.graph.code import Code, name

_SHORT = {"torch.nn.functional.": ("F", "import torch.nn.functional as F"), "torch.nn.": ("nn", "from torch import nn")}
_STANDARD = {
    "OrderedDict": "from collections import OrderedDict",
    "fnmatchcase": "from fnmatch import fnmatchcase",
    "base64": "import base64",
    "zlib": "import zlib",
}
UNPACKING = '''def unpacked(text, dtype, shape):
    """A tensor from the base64 text of its zlib-compressed bytes."""
    data = bytearray(zlib.decompress(base64.b64decode(text)))
    return torch.frombuffer(data, dtype=dtype).reshape(shape)'''


class Imports:
    """Collects the imports that the file turns out to need."""

    def __init__(self) -> None:
        self._torch = {"from torch import nn"}
        self._standard = set[str]()
        self._future = set[str]()
        self.helpers: list[str] = []
        """Functions that the classes call."""
        self.own: list[str] = []
        """Names of a person's own layers that the classes use."""

    def torch(self, text: str = "torch") -> Code:
        """``torch`` or a name below it, as it is: ``torch.zeros``."""
        self._torch.add("import torch")
        return name(text)

    def standard(self, text: str) -> Code:
        """A name of the standard library."""
        self._standard.add(_STANDARD[text])
        return name(text)

    def unpacking(self) -> Code:
        """The function that gives back packed numbers."""
        for module in ("base64", "zlib"):
            self.standard(module)
        self.torch()
        if UNPACKING not in self.helpers:
            self.helpers.append(UNPACKING)
        return name("unpacked")

    def target(self, target: str) -> Code:
        """A layer or function of the catalogue, by its customary short name. KeyError if it is not in there."""
        known = resolve(target)
        if target.startswith(own.PREFIX):
            label = target.removeprefix(own.PREFIX)
            if label not in self.own:
                self.own.append(label)
            # A Function is called by its apply; a layer by its class.
            return name(label if inspect.isclass(known) else f"{label}.apply")
        for prefix, (short, line) in _SHORT.items():
            if target.startswith(prefix):
                self._torch.add(line)
                return name(f"{short}.{target.removeprefix(prefix)}")
        return self.torch(target)

    def text(self, text: own.Text) -> None:
        """What the text of a person's own layer imports, in the spelling of all files."""
        for item in text.imports:
            if item.module == "__future__":
                self._future.add(item.statement)
            elif item.module.partition(".")[0] == "torch":
                self._torch.add(_spelled(item))
            else:
                self._standard.add(item.statement)

    def lines(self) -> list[str]:
        """Import statements, the standard library's first, in ruff's order."""
        sections = [_ordered(section) for section in (self._future, self._standard, self._torch) if section]
        return "\n\n".join("\n".join(section) for section in sections).split("\n")


_CUSTOMARY = {
    ("nn", "torch.nn"): "from torch import nn",
    ("F", "torch.nn.functional"): "import torch.nn.functional as F",
}


def _spelled(item: own.Imported) -> str:
    """``import torch.nn as nn`` as every file has it, so that one thing is imported once."""
    return _CUSTOMARY.get((item.name, item.path), item.statement)


def _ordered(statements: set[str]) -> list[str]:
    """Plain imports, then those of names, one line a module."""
    named: dict[str, list[str]] = {}
    for statement in statements:
        if statement.startswith("from"):
            module, items = statement.removeprefix("from ").split(" import ")
            named.setdefault(module, []).append(items)
    plain = sorted(statement for statement in statements if statement.startswith("import"))
    return [
        *plain,
        *(f"from {module} import {', '.join(sorted(named[module], key=_rank))}" for module in sorted(named)),
    ]


def _rank(item: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if item.isupper() and len(item) > 1 else 1 if item[0].isupper() else 2, item)
