"""The example networks as a person writes them by hand, or as torchvision has them: what each example is held against.

Besides those of ``torchvision`` they are read as text and never imported by LayerLoom.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import torchvision
from torch import nn

HERE = Path(__file__).parent
WRITTEN = {
    "affine-iris": ("basics", "AffineIris"),
    "alexnet-small": ("images", "AlexNetSmall"),
    "attention-digits": ("sequences", "AttentionClassifier"),
    "autoencoder": ("generative", "Autoencoder"),
    "character-gru": ("sequences", "CharacterGRU"),
    "convnext-block": ("images", "ConvNeXt"),
    "dcgan-generator": ("generative", "DCGANGenerator"),
    "deep-sets": ("structures", "DeepSets"),
    "densenet-small": ("images", "DenseNetSmall"),
    "diabetes-regression": ("basics", "DiabetesRegression"),
    "digits-cnn": ("images", "DigitsCNN"),
    "digits-mlp": ("basics", "DigitsMLP"),
    "gpt-small": ("sequences", "GPT"),
    "heads-ensemble": ("structures", "HeadEnsemble"),
    "inception-block": ("images", "InceptionNet"),
    "iris-mlp": ("basics", "IrisMLP"),
    "lenet5": ("images", "LeNet5"),
    "list-net": ("structures", "ListNet"),
    "lstm-classifier": ("sequences", "LSTMClassifier"),
    "mlp-mixer": ("images", "MLPMixer"),
    "residual-digits": ("images", "ResidualCNN"),
    "siamese": ("structures", "Siamese"),
    "sine-lstm": ("sequences", "SineLSTM"),
    "spirals-mlp": ("basics", "SpiralsMLP"),
    "staged-cnn": ("structures", "StagedCNN"),
    "tied-autoencoder": ("generative", "TiedAutoencoder"),
    "transformer-encoder": ("sequences", "TransformerEncoder"),
    "unet": ("generative", "UNet"),
    "vae": ("generative", "VAE"),
    "vgg11": ("images", "VGG11"),
    "vit-tiny": ("images", "ViT"),
    "wine-gated": ("basics", "GatedWine"),
}
"""File and class."""
LIBRARY = {"mobilenetv3-small": "mobilenet_v3_small", "resnet18": "resnet18"}
"""Name among torchvision's."""


def source(name: str) -> str:
    """Text of the file that an example's class stands in."""
    return (HERE / f"{WRITTEN[name][0]}.py").read_text(encoding="utf-8")


def original(name: str) -> nn.Module:
    """A module of an example's hand-written class."""
    if name in LIBRARY:
        return torchvision.models.get_model(LIBRARY[name], weights=None, num_classes=10)
    file, cls = WRITTEN[name]
    made: Callable[[], nn.Module] = getattr(import_module(f"originals.{file}"), cls)
    return made()
