"""What stands in several places of a network: one module under two names, one tensor in two layers."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from layerloom.graph.importing.closing import Closing
from layerloom.graph.walk import join
from layerloom.schema.document import Alias


class Sharing:
    """The first name of every module and tensor of a network, and the aliases that make its other names mean it."""

    def __init__(self, root: nn.Module, blocks: Collection[str], closing: Closing | None = None) -> None:
        """``blocks`` are the qualified names of the modules that become blocks. What closed ones share is not said."""
        closing = closing or Closing()
        self._blocks = frozenset(blocks) | {""}
        self._root = root
        self.modules: dict[int, str] = {}
        self._tensors: dict[int, str] = {}
        self._aliases: dict[str, list[Alias]] = {}
        self._whole: set[str] = set()
        """Second names of modules that are said by one alias for all that they hold."""
        for path, module in root.named_modules(remove_duplicate=False):
            if closing.within(path):
                continue
            first = self.modules.setdefault(id(module), path)
            if any(path.startswith(f"{whole}.") for whole in self._whole):
                continue
            if first != path and self._said_at_once(path, first):
                self._whole.add(path)
                continue
            if first in closing.notes:
                continue
            for name, tensor in (*module._parameters.items(), *module._buffers.items()):
                if tensor is not None:
                    own = join(path, name)
                    known = self._tensors.setdefault(id(tensor), own)
                    if known != own:
                        self._share(own, known)

    def aliases(self, block: str) -> list[Alias]:
        """Those that a block has to say behind its members."""
        return self._aliases.get(block, [])

    def whole(self, path: str) -> str | None:
        """The first name of a module, where this second one of it is said by an alias in place of a member."""
        return self.modules[id(self._root.get_submodule(path))] if path in self._whole else None

    def first(self, module: nn.Module) -> str:
        """The name under which a module is opened."""
        return self.modules[id(module)]

    def _said_at_once(self, path: str, first: str) -> bool:
        """Whether both names are attributes of one block: ``self.head = self.embed``."""
        around, _, _ = path.rpartition(".")
        return around in self._blocks and below(first, around) is not None and self.block_of(first) == around

    def _share(self, path: str, first: str) -> None:
        around = self.block_of(path)
        while below(first, around) is None:
            around = self.block_of(around)
        name, of = below(path, around), below(first, around)
        assert name is not None
        assert of is not None
        self._aliases.setdefault(around, []).append(Alias(name=name, of=of))

    def block_of(self, path: str) -> str:
        """The block in which a member stands."""
        around = path.rpartition(".")[0]
        while around not in self._blocks:
            around = around.rpartition(".")[0]
        return around


def below(path: str, block: str) -> str | None:
    """A qualified name as seen from a block; None where it lies outside."""
    prefix = f"{block}." if block else ""
    return path.removeprefix(prefix) if path.startswith(prefix) else None
