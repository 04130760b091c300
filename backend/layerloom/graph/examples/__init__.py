"""Networks that come with LayerLoom, drawn and ready to train on a built-in dataset."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from layerloom.schema.report import Result, TensorType
from layerloom.schema.run import Example

ORDER = (
    "digits-cnn",
    "digits-mlp",
    "spirals-mlp",
    "iris-mlp",
    "affine-iris",
    "diabetes-regression",
    "wine-gated",
    "lenet5",
    "alexnet-small",
    "vgg11",
    "residual-digits",
    "resnet18",
    "densenet-small",
    "inception-block",
    "mobilenetv3-small",
    "convnext-block",
    "unet",
    "vit-tiny",
    "mlp-mixer",
    "sine-lstm",
    "lstm-classifier",
    "character-gru",
    "attention-digits",
    "transformer-encoder",
    "gpt-small",
    "tied-autoencoder",
    "autoencoder",
    "vae",
    "dcgan-generator",
    "staged-cnn",
    "list-net",
    "heads-ensemble",
    "siamese",
    "deep-sets",
)
"""Their ids, which are the names of the files beside this one; the first is what a new user sees."""


@cache
def examples() -> list[Example]:
    """All of them, in the order in which they are offered."""
    folder = files(__name__)
    return [Example.model_validate_json(folder.joinpath(f"{name}.json").read_bytes()) for name in ORDER]


def shapes(outputs: Result | None) -> list[list[int]]:
    """Shape of each tensor that a network returns, per sample."""
    if isinstance(outputs, TensorType):
        return [outputs.shape[1:]]
    items = outputs.values() if isinstance(outputs, dict) else outputs if isinstance(outputs, list) else []
    return [shape for item in items for shape in shapes(item)]
