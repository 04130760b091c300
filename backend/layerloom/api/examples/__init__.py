"""Networks that come with LayerLoom. To add one, save it as ``<id>.json`` here and name it in ``ORDER``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from layerloom.schema.run import Example

ORDER = (
    "digits-cnn",
    "digits-mlp",
    "digits-resnet",
    "spirals-mlp",
    "sine-lstm",
    "characters-attention",
    "iris-mlp",
)
"""The first is on the canvas when the page is opened for the first time."""


@cache
def examples() -> list[Example]:
    """Each with a data set that it fits."""
    folder = Path(__file__).parent
    return [Example.model_validate_json((folder / f"{name}.json").read_bytes()) for name in ORDER]
