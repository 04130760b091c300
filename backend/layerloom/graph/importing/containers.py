"""Which modules are containers and nothing more."""

from __future__ import annotations

from torch import nn

from layerloom.schema.document import (
    Container,
    ModuleDict,
    ModuleList,
    ParameterDict,
    ParameterList,
    Sequential,
)

_CONTAINERS: dict[type[nn.Module], type[Container]] = {
    nn.Sequential: Sequential,
    nn.ModuleList: ModuleList,
    nn.ModuleDict: ModuleDict,
    nn.ParameterList: ParameterList,
    nn.ParameterDict: ParameterDict,
}


def container_of(module: nn.Module) -> type[Container] | None:
    """The kind of container that a module is, and nothing more: a subclass may only fill itself differently."""
    for cls, kind in _CONTAINERS.items():
        if isinstance(module, cls):
            tensors = bool(module._parameters) and kind not in (ParameterList, ParameterDict)
            own = type(module).forward is not cls.forward or bool(module._buffers) or tensors
            return None if own else kind
    return None
