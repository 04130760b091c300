"""Networks that come with LayerLoom, drawn and ready to train on a built-in dataset."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from layerloom.schema.run import Example

ORDER = (
    "digits-cnn",
    "digits-mlp",
    "residual-digits",
    "spirals-mlp",
    "sine-lstm",
    "character-gru",
    "iris-mlp",
    "diabetes-regression",
    "wine-gated",
    "heads-ensemble",
    "tied-autoencoder",
    "attention-digits",
)
"""Their ids, which are the names of the files beside this one; the first is what a new user sees."""


@cache
def examples() -> list[Example]:
    """All of them, in the order in which they are offered."""
    folder = files(__name__)
    return [Example.model_validate_json(folder.joinpath(f"{name}.json").read_bytes()) for name in ORDER]
