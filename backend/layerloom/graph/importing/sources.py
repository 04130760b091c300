"""Modules by a name on the command line: of torchvision, of timm where it is installed, or of a Python file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from layerloom.graph.importing.errors import ClosedError

IMAGE = (3, 224, 224)


def _torchvision(name: str) -> nn.Module:
    models = importlib.import_module("torchvision.models")
    return _module(models.get_model(name, weights=None), name)


def _timm(name: str) -> nn.Module:
    return _module(importlib.import_module("timm").create_model(name, pretrained=False), name)


LIBRARIES: dict[str, Callable[[str], nn.Module]] = {"torchvision": _torchvision, "timm": _timm}
"""Where a network may come from: a new library is a function and a line."""


def named(name: str) -> nn.Module:
    """The module of ``torchvision:resnet50``, or of ``nets.py:Net``, whose class takes no arguments.

    A Python file is run: give only files that you would run yourself.

    Raises:
        ClosedError: there is no such library, file, class or network.
    """
    place, _, label = name.rpartition(":")
    try:
        if place in LIBRARIES:
            return LIBRARIES[place](label)
        if place.endswith(".py"):
            return _module(getattr(_file(Path(place)), label)(), name)
    except ClosedError:
        raise
    except Exception as error:
        raise ClosedError(f"{name} cannot be made: {error}") from error
    known = ", ".join(f"{library}:NAME" for library in LIBRARIES)
    raise ClosedError(f"{name!r} is none of {known} and FILE.py:CLASS")


def _file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ClosedError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pickling look their module up
    spec.loader.exec_module(module)
    return module


def _module(made: Any, name: str) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise ClosedError(f"{name} is no torch.nn.Module")
    return made
