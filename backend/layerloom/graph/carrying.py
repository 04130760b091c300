"""Which weights of one network another one can begin with: those of the same key and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerloom.graph.analysis.saved import without_memory
from layerloom.graph.qualified import parameter_names
from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.fork import NotCarried


class Key(Wire):
    """An entry of a state_dict."""

    shape: list[int]
    kind: str
    """``float``, ``int``, ``bool`` or ``complex``: within a kind numbers are carried over."""
    trained: bool = False
    """It is a parameter, and not frozen."""
    others: tuple[str, ...] = ()
    """Further names of a parameter that is tied; it is trained under the first."""


class Keys(Wire):
    """The state_dict of a network, without its numbers."""

    keys: dict[str, Key]


@dataclass(frozen=True)
class Carried:
    """What goes along, in the order of the later network, and what does not."""

    keys: list[str]
    left: list[NotCarried]


def keys_of(document: Document) -> Keys:
    """Every key of the network's state_dict, as it will be built; a shared tensor has several.

    Raises:
        GraphError: the document has errors.
    """
    module = without_memory(document)
    names = parameter_names(module)
    trained = {first: others for parameter, (first, *others) in names.items() if parameter.requires_grad}
    return Keys(
        keys={
            name: Key(
                shape=list(value.shape),
                kind=kind_of(str(value.dtype)),
                trained=name in trained,
                others=tuple(trained.get(name, ())),
            )
            for name, value in module.state_dict().items()
            if hasattr(value, "shape")
        }
    )


def carry(before: Mapping[str, Key], after: Mapping[str, Key]) -> Carried:
    """Match the keys of a checkpoint with those of a network."""
    keys: list[str] = []
    left: list[NotCarried] = []
    for name, key in after.items():
        was = before.get(name)
        if was is None:
            left.append(NotCarried(key=name, why="new", shape=key.shape))
        elif was.shape != key.shape:
            left.append(NotCarried(key=name, why="shape", shape=key.shape, was=was.shape))
        elif was.kind != key.kind:
            left.append(NotCarried(key=name, why="dtype", shape=key.shape, was=was.shape))
        else:
            keys.append(name)
    gone = [NotCarried(key=name, why="gone", was=was.shape) for name, was in before.items() if name not in after]
    return Carried(keys, [*left, *gone])


def kind_of(dtype: str) -> str:
    """What kind of numbers ``torch.bfloat16`` or safetensors' ``BF16`` are."""
    name = dtype.removeprefix("torch.").lower()
    if name.startswith("c"):
        return "complex"
    if name.startswith(("f", "bf")):
        return "float"
    return "bool" if name.startswith("bool") else "int"
