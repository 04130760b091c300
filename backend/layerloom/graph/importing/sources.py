"""Networks by a name: of torchvision, or of timm where it is installed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from layerloom.graph.importing.errors import ClosedError

IMAGE = (3, 224, 224)
"""What the networks of these libraries look at, unless something else is said."""


def _torchvision(name: str, image: Sequence[int]) -> nn.Module:
    models = importlib.import_module("torchvision.models")
    # Some are made around another one, whose trained weights they would download.
    accepted = inspect.signature(models.get_model_builder(name)).parameters
    inner = {"weights_backbone": None} if "weights_backbone" in accepted else {}
    module: nn.Module = models.get_model(name, weights=None, **inner)
    resize: Any = getattr(module, "transform", None)
    if resize is not None and getattr(resize, "fixed_size", image) is None:
        # A detector makes 800 pixels of any image, which shows nothing more and takes ten times as long.
        resize.min_size, resize.max_size = (min(image[-2:]),), max(image[-2:])
    return module


def _timm(name: str, _image: Sequence[int]) -> nn.Module:
    return importlib.import_module("timm").create_model(name, pretrained=False)  # type: ignore[no-any-return]


LIBRARIES: dict[str, Callable[[str, Sequence[int]], nn.Module]] = {"torchvision": _torchvision, "timm": _timm}
"""Where a network may come from: a new library is a function and a line."""


def is_named(source: str) -> bool:
    """Whether a source is the name of a library's network, and no text."""
    return source.partition(":")[0] in LIBRARIES and "\n" not in source


def named(source: str, image: Sequence[int] = IMAGE) -> nn.Module:
    """The module of ``torchvision:resnet50``, with weights as they are made, not trained.

    One that resizes images to a size of its choice resizes them to that of ``image``: channels, height and width.

    Raises:
        ClosedError: there is no such library or network.
    """
    library, _, name = source.partition(":")
    if library not in LIBRARIES:
        raise ClosedError(f"there is no library {library[:60]!r}; these are known: {', '.join(LIBRARIES)}")
    try:
        return LIBRARIES[library](name, image)
    except ImportError as error:
        raise ClosedError(f"{library} is not installed") from error
    except Exception as error:
        raise ClosedError(f"{source[:120]} cannot be made: {str(error).splitlines()[0][:200]}") from error
