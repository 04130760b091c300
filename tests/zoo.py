"""Networks of other people, in small configurations, with the arguments of one call."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from layerloom.graph.importing.hearing import heard
from layerloom.graph.importing.parts import has_state, part_of
from layerloom.graph.importing.proof import Call

Inputs = list[Any] | dict[str, Any]
SIZES = {"inception": 299, "vit": 224, "swin": 224, "maxvit": 224}
"""Pixels that an architecture insists on; 96 do for the others."""


@dataclass(frozen=True)
class Animal:
    """One network."""

    name: str
    """``torchvision:resnet18``, ``timm:…``, ``transformers:BertModel``."""
    make: Callable[[], tuple[nn.Module, Inputs]]


def animals(kind: str = "") -> Iterator[Animal]:
    """All of them, or those of one library."""
    for library, listed in LIBRARIES.items():
        if kind in ("", library):
            yield from listed()


def named(name: str) -> Animal:
    """One of them."""
    return next(animal for animal in animals(name.partition(":")[0]) if animal.name == name)


# --- torchvision


def _torchvision() -> Iterator[Animal]:
    models = importlib.import_module("torchvision.models")
    for group in ("", "segmentation", "video", "detection", "optical_flow"):
        module = getattr(models, group) if group else models
        for name in models.list_models(module=module):
            yield Animal(f"torchvision:{name}", lambda name=name, group=group: _vision(name, group))


def _vision(name: str, group: str) -> tuple[nn.Module, Inputs]:
    models = importlib.import_module("torchvision.models")
    accepted = inspect.signature(models.get_model_builder(name)).parameters
    options: dict[str, Any] = {"weights": None, "weights_backbone": None, "init_weights": False}
    if name not in ("googlenet", "inception_v3"):
        del options["init_weights"]
    if "weights_backbone" not in accepted:
        del options["weights_backbone"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = models.get_model(name, **options)
    size = next((size for start, size in SIZES.items() if name.startswith(start)), 96)
    match group:
        case "detection":
            return module, [[torch.rand(3, 96, 96), torch.rand(3, 96, 96)]]
        case "optical_flow":
            return module, [torch.randn(2, 3, 128, 128), torch.randn(2, 3, 128, 128)]
        case "video":
            large = name.startswith(("mvit", "s3d"))
            frames = 16 if large or name.startswith("swin") else 8
            return module, [torch.randn(2, 3, frames, 224, 224) if large else torch.randn(2, 3, frames, 64, 64)]
    return module, [torch.randn(2, 3, size, size)]


PARTS, TOGETHER = "torchvision detection, parts", "torchvision detection, parts together"
ONE_STAGE, TWO_STAGES = "backbone+head", "backbone+rpn.head"


def _parts() -> Iterator[Animal]:
    """What holds parameters in a detector, directly and one level deeper, as far as it is called."""
    for name, module, call in _detectors():
        paths = [path for path, part in module.named_modules() if path and path.count(".") < 2 and has_state(part)]
        called = {one.path for one in heard(module, call, paths)[0]}
        for path in (path for path in paths if path in called):
            yield Animal(f"{PARTS}:{name} {path}", partial(_taken, module, call, path))


def _together() -> Iterator[Animal]:
    """All of a detector between its transform and its boxes, or the first stage of one that has two."""
    for name, module, call in _detectors():
        paths = ONE_STAGE if hasattr(module, "head") else TWO_STAGES
        yield Animal(f"{TOGETHER}:{name} {paths}", partial(_taken, module, call, paths))


def _detectors() -> Iterator[tuple[str, nn.Module, Call]]:
    models = importlib.import_module("torchvision.models")
    for name in models.list_models(module=models.detection):
        size = {} if name.startswith("ssd") else {"min_size": 96, "max_size": 160}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield (
                name,
                models.get_model(name, weights=None, weights_backbone=None, **size),
                Call((torch.rand(2, 3, 96, 96),)),
            )


def _taken(module: nn.Module, call: Call, paths: str) -> tuple[nn.Module, Inputs]:
    part = part_of(module, call, paths)
    return part.module, list(part.call.positional)


# --- timm


def _timm() -> Iterator[Animal]:
    listed = json.loads((Path(__file__).parent / "zoo_timm.json").read_text())
    for names in listed.values():
        for name in names:
            yield Animal(f"timm:{name}", lambda name=name: _image_model(name))


def _image_model(name: str) -> tuple[nn.Module, Inputs]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("timm").create_model(name, pretrained=False)
    settings = module.default_cfg
    channels, size, _ = settings.get("input_size", (3, 224, 224))
    if not settings.get("fixed_input_size"):
        least = settings.get("min_input_size") or (channels, 0, 0)
        size = min(size, max(least[1], 96))
    return module, [torch.randn(2, channels, size, size)]


# --- transformers

WIDTHS = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT = {**WIDTHS, "intermediate_size": 128, "vocab_size": 500}
PATCHES = {**WIDTHS, "intermediate_size": 128, "image_size": 32, "patch_size": 8}
GROUPED = {**TEXT, "num_key_value_heads": 2, "use_cache": False}
SMALL_GPT = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 500, "n_positions": 64, "use_cache": False}
BOTH_SIDES = {
    **{f"{side}_{what}": count for side in ("encoder", "decoder") for what, count in (("layers", 2), ("ffn_dim", 128))},
    **{f"{side}_attention_heads": 4 for side in ("encoder", "decoder")},
}


def _words() -> torch.Tensor:
    return torch.randint(5, 400, (2, 12))


def _text() -> dict[str, Any]:
    return {"input_ids": _words()}


def _masked() -> dict[str, Any]:
    mask = torch.ones(2, 12, dtype=torch.long)
    mask[1, 7:] = 0
    return {"input_ids": _words(), "attention_mask": mask}


def _two_texts() -> dict[str, Any]:
    return {"input_ids": _words(), "decoder_input_ids": _words()}


def _pixels(size: int = 32) -> Callable[[], dict[str, Any]]:
    return lambda: {"pixel_values": torch.randn(2, 3, size, size)}


# Name, class, configuration class, configuration, inputs.
LANGUAGE: list[tuple[str, str, str, dict[str, Any], Callable[[], dict[str, Any]]]] = [
    ("BertModel", "BertModel", "BertConfig", TEXT, _text),
    ("BertModel with mask", "BertModel", "BertConfig", TEXT, _masked),
    ("BertForSequenceClassification", "BertForSequenceClassification", "BertConfig", TEXT, _text),
    ("RobertaModel", "RobertaModel", "RobertaConfig", TEXT, _text),
    (
        "DistilBertModel",
        "DistilBertModel",
        "DistilBertConfig",
        {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128, "vocab_size": 500},
        _text,
    ),
    ("AlbertModel", "AlbertModel", "AlbertConfig", {**TEXT, "embedding_size": 32}, _text),
    ("ElectraModel", "ElectraModel", "ElectraConfig", {**TEXT, "embedding_size": 32}, _text),
    ("GPT2Model", "GPT2Model", "GPT2Config", SMALL_GPT, _text),
    ("GPT2LMHeadModel", "GPT2LMHeadModel", "GPT2Config", SMALL_GPT, _text),
    (
        "OPTModel",
        "OPTModel",
        "OPTConfig",
        {
            **WIDTHS,
            "ffn_dim": 128,
            "vocab_size": 500,
            "max_position_embeddings": 64,
            "word_embed_proj_dim": 64,
            "use_cache": False,
        },
        _text,
    ),
    ("LlamaForCausalLM", "LlamaForCausalLM", "LlamaConfig", GROUPED, _text),
    ("MistralModel", "MistralModel", "MistralConfig", GROUPED, _text),
    ("Qwen2Model", "Qwen2Model", "Qwen2Config", GROUPED, _text),
    ("GemmaModel", "GemmaModel", "GemmaConfig", {**GROUPED, "head_dim": 16}, _text),
    (
        "T5Model",
        "T5Model",
        "T5Config",
        {
            "d_model": 64,
            "d_kv": 16,
            "d_ff": 128,
            "num_layers": 2,
            "num_heads": 4,
            "vocab_size": 500,
            "use_cache": False,
        },
        _two_texts,
    ),
    (
        "BartModel",
        "BartModel",
        "BartConfig",
        {**BOTH_SIDES, "d_model": 64, "vocab_size": 500, "use_cache": False},
        _two_texts,
    ),
    ("ViTModel", "ViTModel", "ViTConfig", PATCHES, _pixels()),
    ("ViTForImageClassification", "ViTForImageClassification", "ViTConfig", PATCHES, _pixels()),
    ("DeiTModel", "DeiTModel", "DeiTConfig", PATCHES, _pixels()),
    (
        "ConvNextModel",
        "ConvNextModel",
        "ConvNextConfig",
        {"hidden_sizes": [16, 32, 64, 128], "depths": [1, 1, 2, 1]},
        _pixels(64),
    ),
    (
        "ResNetModel",
        "ResNetModel",
        "ResNetConfig",
        {"embedding_size": 16, "hidden_sizes": [16, 32, 64, 128], "depths": [1, 1, 1, 1]},
        _pixels(64),
    ),
    (
        "SwinModel",
        "SwinModel",
        "SwinConfig",
        {"image_size": 64, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4},
        _pixels(64),
    ),
    (
        "SegformerModel",
        "SegformerModel",
        "SegformerConfig",
        {"hidden_sizes": [16, 32, 32, 64], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 4]},
        _pixels(64),
    ),
    ("CLIPVisionModel", "CLIPVisionModel", "CLIPVisionConfig", PATCHES, _pixels()),
    ("CLIPTextModel", "CLIPTextModel", "CLIPTextConfig", {**TEXT, "max_position_embeddings": 32}, _text),
    (
        "WhisperEncoder",
        "models.whisper.modeling_whisper.WhisperEncoder",
        "WhisperConfig",
        {
            "d_model": 64,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 128,
            "num_mel_bins": 20,
            "max_source_positions": 30,
        },
        lambda: {"input_features": torch.randn(2, 20, 60)},
    ),
    (
        "Wav2Vec2Model",
        "Wav2Vec2Model",
        "Wav2Vec2Config",
        {
            **WIDTHS,
            "intermediate_size": 128,
            "conv_dim": (32, 32),
            "conv_stride": (5, 2),
            "conv_kernel": (10, 3),
            "num_feat_extract_layers": 2,
            "apply_spec_augment": False,
        },
        lambda: {"input_values": torch.randn(2, 400)},
    ),
    (
        "MambaModel",
        "MambaModel",
        "MambaConfig",
        {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 500, "use_cache": False},
        _text,
    ),
]


def _transformers() -> Iterator[Animal]:
    for name, cls, config, settings, inputs in LANGUAGE:

        def make(cls: str = cls, config: str = config, settings: Any = settings, inputs: Any = inputs) -> Any:
            library: Any = importlib.import_module("transformers")
            place, _, label = cls.rpartition(".")
            home = importlib.import_module(f"transformers.{place}") if place else library
            return getattr(home, label)(getattr(library, config)(**settings)), inputs()

        yield Animal(f"transformers:{name}", make)


LIBRARIES: dict[str, Callable[[], Iterator[Animal]]] = {
    "torchvision": _torchvision,
    PARTS: _parts,
    TOGETHER: _together,
    "timm": _timm,
    "transformers": _transformers,
}
