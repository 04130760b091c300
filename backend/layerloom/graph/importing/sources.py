"""Networks by a name: of torchvision, or of timm where it is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from torch import nn

from layerloom.graph.importing.errors import ClosedError

IMAGE = (3, 224, 224)
"""What the networks of these libraries look at, unless something else is said."""


def _torchvision(name: str) -> nn.Module:
    models = importlib.import_module("torchvision.models")
    return models.get_model(name, weights=None)  # type: ignore[no-any-return]


def _timm(name: str) -> nn.Module:
    return importlib.import_module("timm").create_model(name, pretrained=False)  # type: ignore[no-any-return]


LIBRARIES: dict[str, Callable[[str], nn.Module]] = {"torchvision": _torchvision, "timm": _timm}
"""Where a network may come from: a new library is a function and a line."""


def is_named(source: str) -> bool:
    """Whether a source is the name of a library's network, and no text."""
    return source.partition(":")[0] in LIBRARIES and "\n" not in source


def named(source: str) -> nn.Module:
    """The module of ``torchvision:resnet50``, with weights as they are made, not trained.

    Raises:
        ClosedError: there is no such library or network.
    """
    library, _, name = source.partition(":")
    if library not in LIBRARIES:
        raise ClosedError(f"there is no library {library[:60]!r}; these are known: {', '.join(LIBRARIES)}")
    try:
        return LIBRARIES[library](name)
    except ImportError as error:
        raise ClosedError(f"{library} is not installed") from error
    except Exception as error:
        raise ClosedError(f"{source[:120]} cannot be made: {str(error).splitlines()[0][:200]}") from error
