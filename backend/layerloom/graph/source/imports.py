"""What the written file imports, and how it spells the names of the catalogue."""

from __future__ import annotations

from layerloom.catalogue import resolve
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
        self.helpers: list[str] = []
        """Functions that the classes call."""

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
        resolve(target)
        for prefix, (short, line) in _SHORT.items():
            if target.startswith(prefix):
                self._torch.add(line)
                return name(f"{short}.{target.removeprefix(prefix)}")
        return self.torch(target)

    def lines(self) -> list[str]:
        """Import statements, the standard library's first, in ruff's order."""
        standard = sorted(self._standard, key=lambda line: (line.startswith("from"), line))
        plain = sorted(line for line in self._torch if line.startswith("import"))
        named = sorted(line for line in self._torch if line.startswith("from"))
        return [*standard, *([""] if standard else []), *plain, *named]
