"""What the layers and parameters of a network are called, for patterns over their names."""

from __future__ import annotations

from torch import nn

from layerloom.graph.analysis.saved import without_memory
from layerloom.schema.base import Wire
from layerloom.schema.document import Document


class Names(Wire):
    """Qualified names, as ``named_modules`` and ``named_parameters`` give them."""

    layers: list[str]
    """All but the network itself."""
    parameters: list[list[str]]
    """A tied one has several."""


def names_of(document: Document) -> Names:
    """The names of a network as it will be built.

    Raises:
        GraphError: the document has errors.
    """
    module = without_memory(document)
    layers = [name for name, _ in module.named_modules() if name]
    return Names(layers=layers, parameters=list(parameter_names(module).values()))


def parameter_names(module: nn.Module) -> dict[nn.Parameter, list[str]]:
    """All names of each parameter of a module, in its order; the first is the one that it is trained under."""
    parameters: dict[nn.Parameter, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        parameters.setdefault(parameter, []).append(name)
    return parameters
