"""The one table of what introspection cannot tell, each line with its reason.

A new torch may add a class that fits no rule; ``tests/catalogue`` fails until it has a form or a line here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import Any, Literal

from layerloom.schema.catalogue import ParameterSpec


@dataclass(frozen=True, slots=True)
class Absent:
    """Names (globs) that have no form, and why."""

    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Amend:
    """Parameters (globs) of entries (globs) of which introspection tells too little; ``change=None`` drops them."""

    names: tuple[str, ...]
    parameters: tuple[str, ...]
    reason: str
    change: dict[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where instances of layers (globs) keep what a constructor argument said, if not in an attribute of its name."""

    names: tuple[str, ...]
    parameter: str
    place: str
    """Path of attributes: ``self_attn.num_heads``."""
    read: Literal["value", "presence", "all but the last"] = "value"
    """``presence``: the argument said whether it is there at all."""


_V2 = "torchvision.transforms.v2"

ABSENT: tuple[Absent, ...] = (
    # torch.nn
    Absent(("torch.nn.Module", "torch.nn.Container", "torch.nn.RNN*Base"), "abstract: forward is not defined"),
    Absent(("torch.nn.Lazy*",), "sizes are inferred by the check instead: {'$auto': true}"),
    Absent(
        ("torch.nn.Sequential", "torch.nn.Module[LD]i*t", "torch.nn.Parameter[LD]i*t"),
        "containers are kinds of members of their own",
    ),
    Absent(("torch.nn.DataParallel",), "how a module is spread over devices is the plan's business"),
    Absent(("torch.nn.NLLLoss2d",), "deprecated: NLLLoss"),
    # torch.optim
    Absent(
        ("torch.optim.lr_scheduler.LambdaLR", "torch.optim.lr_scheduler.MultiplicativeLR"),
        "takes a Python function, which a document cannot carry",
    ),
    # torchvision.transforms.v2
    Absent((f"{_V2}.Transform",), "abstract"),
    Absent((f"{_V2}.Compose", f"{_V2}.RandomApply", f"{_V2}.Random[CO]*[er]"), "a plan lists transforms in order"),
    Absent((f"{_V2}.Lambda", f"{_V2}.LinearTransformation"), "takes a Python function, or tensors"),
    Absent((f"{_V2}.MixUp", f"{_V2}.CutMix"), "a plan has its own setting for mixing images"),
    Absent(
        (f"{_V2}.*Bounding*", f"{_V2}.*KeyPoints", f"{_V2}.SetClampingMode", f"{_V2}.RandomIoUCrop"),
        "about boxes and key points in an image",
    ),
    Absent((f"{_V2}.UniformTemporalSubsample",), "about videos"),
    Absent((f"{_V2}.FiveCrop", f"{_V2}.TenCrop"), "makes several images of one"),
    Absent(
        (f"{_V2}.*To*Tensor", f"{_V2}.To*Image", f"{_V2}.ToDtype", f"{_V2}.ConvertImageDtype", f"{_V2}.Identity"),
        "images are tensors of floats already",
    ),
    Absent((f"{_V2}.JPEG",), "takes 8-bit images, and these are floats"),
    # Operations
    Absent(("torch.nn.functional.scaled_*mm",), "for the 8-bit formats of particular GPUs"),
    Absent(("torch.from_file",), "reads and writes files"),
    Absent(
        ("torch.from_numpy", "torch.frombuffer", "torch.asarray", "torch.as_tensor", "torch.Tensor.new_tensor"),
        "takes foreign memory; torch.tensor takes numbers",
    ),
    Absent(
        ("torch.Tensor.numpy", "torch.Tensor.tolist", "torch.Tensor.item"), "leaves the graph: its result is no tensor"
    ),
    Absent(
        (
            "torch.Tensor.data_ptr",
            "torch.Tensor.const_data_ptr",
            "torch.Tensor.*storage*",
            "torch.Tensor.set_",
            "torch.Tensor.resize*",
            "torch.Tensor.sparse_resize*",
            "torch.*empty_strided",
            "torch.Tensor.share_memory_",
            "torch.Tensor.is_shared",
            "torch.Tensor.is_set_to",
            "torch.Tensor.pin_memory",
            "torch.Tensor.is_pinned",
            "torch.Tensor.record_stream",
            "torch.Tensor.element_size",
            "torch.Tensor.dim_order",
        ),
        "about memory, not about numbers",
    ),
    Absent(
        (
            "torch.Tensor.cpu",
            "torch.Tensor.cuda",
            "torch.Tensor.xpu",
            "torch.Tensor.mtia",
            "torch.Tensor.ipu",
            "torch.*get_device",
            "torch.Tensor.to_mkldnn",
        ),
        "where a network runs is the plan's business",
    ),
    Absent(
        (
            "torch.Tensor.backward",
            "torch.Tensor.requires_grad_",
            "torch.Tensor.retain_grad",
            "torch.Tensor.register*hook",
            "torch.*is_inference",
        ),
        "about autograd, which belongs to the training loop",
    ),
    Absent(("torch.Tensor.apply_", "torch.Tensor.map_"), "takes a Python function, which a document cannot carry"),
    Absent(
        ("torch.Tensor.as_subclass", "torch.Tensor.module_load", "torch.Tensor.index"), "for programs that extend torch"
    ),
    Absent(("torch.can_cast", "torch.promote_types", "torch.result_type"), "about dtypes alone"),
    Absent(("torch.*native_*", "torch.*hash_tensor"), "torch's own inner parts, visible by accident"),
    Absent(
        ("torch.Tensor.uniform_", "torch.Tensor.random_"),
        "an argument is called from, which Python cannot write by name: torch.rand, torch.randint",
    ),
    Absent(("torch.sym_*",), "about symbolic integers, which tracing makes"),
    Absent(
        ("torch.*quantize*", "torch.q_*", "torch.Tensor.q_*", "torch.Tensor.qscheme", "torch.*int_repr"),
        "quantized tensors do not train",
    ),
    Absent(
        (
            "torch.sparse_*",
            "torch.Tensor.*sparse*",
            "torch.Tensor.*coalesce*",
            "torch.Tensor.*_indices",
            "torch.Tensor.indices",
            "torch.Tensor.values",
            "torch.Tensor.dense_dim",
            "torch.*smm",
            "torch.*sspaddmm",
            "torch.hspmm",
        ),
        "sparse layouts: no shape can be inferred before there are numbers",
    ),
    Absent(("torch.Tensor.to_padded_tensor",), "of nested tensors, which no other operation takes"),
    Absent(("torch.[a-hj-z]*_copy", "torch.indices_copy"), "torch's own stand-in for a view, for functionalization"),
    Absent(
        ("torch.lobpcg", "torch.pca_lowrank", "torch.svd_lowrank"), "iterative solvers on matrices, not for a forward"
    ),
    Absent(
        (
            "torch.Tensor.byte",
            "torch.Tensor.char",
            "torch.Tensor.type",
            "torch.Tensor.ndimension",
            "torch.Tensor.nelement",
            "torch.Tensor.lu",
            "torch.Tensor.unique",
            "torch.*is_signed",
        ),
        "an older spelling: to, dim, numel, torch.linalg.lu_factor, torch.unique, dtype",
    ),
)

# Overloads that are another operation under the same name.
OVERLOADS: dict[str, str] = {
    "aten::copy_.": "the dispatcher's; Python has the one whose argument is called other",
    "aten::eq.Tensor_list": "TorchScript's comparison of lists",
    "aten::ne.Tensor_list": "TorchScript's comparison of lists",
    "aten::view.dtype": "reads the same bytes as another dtype; the other overload is the one that takes a shape",
}

AMENDMENTS: tuple[Amend, ...] = (
    Amend(
        ("torch.nn.*Loss", "torch.nn.functional.*"), ("size_average", "reduce"), "deprecated: reduction says both", None
    ),
    Amend(("torch.nn.Hardtanh",), ("min_value", "max_value"), "deprecated: min_val and max_val", None),
    Amend(
        ("torch.nn.Conv?d",),
        ("padding",),
        "the words are checked in the constructor and named nowhere else",
        {"kinds": ["size", "choice"], "choices": ["valid", "same"]},
    ),
    Amend(
        ("torch.nn.ConvTranspose?d",),
        ("padding_mode",),
        "annotated like a convolution's, but the constructor refuses all others",
        {"choices": ["zeros"]},
    ),
    Amend(
        ("torch.nn.MultiheadAttention",),
        ("embed_dim", "num_heads", "kdim", "vdim"),
        "neither annotated nor typed in the docstring",
        {"kinds": ["int"]},
    ),
    Amend(
        ("torch.nn.KLDivLoss",),
        ("reduction",),
        "the docstring names the default only",
        {"kinds": ["choice"], "choices": ["none", "batchmean", "mean", "sum"]},
    ),
    Amend(
        ("torch.nn.LinearCrossEntropyLoss", "torch.nn.functional.linear_cross_entropy"),
        ("options",),
        "an object that a document cannot write",
        None,
    ),
    Amend(("torch.nn.LinearCrossEntropyLoss",), ("out_features",), "an int or a tuple of them", {"kinds": ["size"]}),
    Amend(("torch.nn.SyncBatchNorm",), ("process_group",), "an object that a document cannot write", None),
    Amend(("torch.nn.Transformer",), ("custom_encoder", "custom_decoder"), "annotated as Any", {"kinds": ["layer"]}),
    Amend(
        ("torch.tensor",),
        ("t",),
        "its schema is TorchScript's; Python calls the argument data, and it may be a nested list",
        {"name": "data", "kinds": ["any"]},
    ),
    Amend(
        ("torch.nn.TripletMarginWithDistanceLoss",),
        ("distance_function",),
        "annotated as a function, and PairwiseDistance, which is a layer, where it is left out",
        {"kinds": ["function", "layer"]},
    ),
    Amend(
        ("torch.nn.functional.fractional_max_pool?d*",),
        ("output_ratio",),
        "annotated for TorchScript in a way that is None to Python",
        {"kinds": ["float", "list"]},
    ),
    Amend(
        ("torch.optim.lr_scheduler.*",),
        ("T_max",),
        "the length of the run, which the trainer knows, where a plan leaves it out",
        {"required": False},
    ),
    Amend(
        ("torch.optim.lr_scheduler.CyclicLR",), ("scale_fn",), "a Python function, which a document cannot carry", None
    ),
    Amend(
        ("torch.optim.LBFGS",),
        ("line_search_fn",),
        "one word or None",
        {"kinds": ["choice"], "choices": ["strong_wolfe"]},
    ),
    Amend(("torch.Tensor.*mm",), ("out_dtype",), "an overload that torch.mm has and the method lacks", None),
    Amend(
        (f"{_V2}.*",),
        ("interpolation",),
        "an enumeration, or its words; the others are for images that are no tensors",
        {"kinds": ["choice"], "choices": ["nearest", "nearest-exact", "bilinear", "bicubic"]},
    ),
    Amend((f"{_V2}.*",), ("fill",), "one number, or one for each channel", {"kinds": ["float", "list"]}),
    Amend((f"{_V2}.*",), ("degrees",), "annotated as a number, of whatever kind", {"kinds": ["float", "list"]}),
    Amend((f"{_V2}.*",), ("inplace",), "about memory, not about images", None),
)

_TRANSFORMER_LAYERS = ("torch.nn.Transformer?ncoderLayer", "torch.nn.Transformer?ecoderLayer")

STORED: tuple[Stored, ...] = (
    Stored(("torch.nn.PairwiseDistance",), "p", "norm"),
    Stored(("torch.nn.AdaptiveLogSoftmaxWithLoss",), "cutoffs", "cutoffs", read="all but the last"),
    Stored(("torch.nn.LinearCrossEntropyLoss",), "in_features", "linear.in_features"),
    Stored(("torch.nn.LinearCrossEntropyLoss",), "bias", "linear.bias", read="presence"),
    Stored(("torch.nn.MultiheadAttention",), "bias", "in_proj_bias", read="presence"),
    Stored(("torch.nn.MultiheadAttention",), "add_bias_kv", "bias_k", read="presence"),
    Stored(_TRANSFORMER_LAYERS, "d_model", "self_attn.embed_dim"),
    Stored(_TRANSFORMER_LAYERS, "nhead", "self_attn.num_heads"),
    Stored(
        _TRANSFORMER_LAYERS,
        "dim_feedforward",
        "linear1.out_features",
    ),
    Stored(_TRANSFORMER_LAYERS, "dropout", "dropout.p"),
    Stored(_TRANSFORMER_LAYERS, "layer_norm_eps", "norm1.eps"),
    Stored(_TRANSFORMER_LAYERS, "batch_first", "self_attn.batch_first"),
    Stored(_TRANSFORMER_LAYERS, "bias", "linear1.bias", read="presence"),
    Stored(("torch.nn.TransformerEncoder", "torch.nn.TransformerDecoder"), "*coder_layer", "layers.0"),
    Stored(("torch.nn.Transformer",), "num_encoder_layers", "encoder.num_layers"),
    Stored(("torch.nn.Transformer",), "num_decoder_layers", "decoder.num_layers"),
    Stored(("torch.nn.Transformer",), "dim_feedforward", "encoder.layers.0.linear1.out_features"),
    Stored(("torch.nn.Transformer",), "dropout", "encoder.layers.0.dropout.p"),
    Stored(("torch.nn.Transformer",), "activation", "encoder.layers.0.activation"),
    Stored(("torch.nn.Transformer",), "layer_norm_eps", "encoder.layers.0.norm1.eps"),
    Stored(("torch.nn.Transformer",), "norm_first", "encoder.layers.0.norm_first"),
    Stored(("torch.nn.Transformer",), "bias", "encoder.layers.0.linear1.bias", read="presence"),
)


# Most names match no line: one look at all globs together tells.
_ALL_ABSENT = tuple(glob for line in ABSENT for glob in line.names)
_ALL_AMENDED = tuple(glob for line in AMENDMENTS for glob in line.names)


@cache
def why_absent(name: str) -> str | None:
    """Why a name has no form, or None where the table does not say so."""
    if not matches(name, _ALL_ABSENT):
        return None
    return next(line.reason for line in ABSENT if matches(name, line.names))


@cache
def stored(name: str, parameter: str) -> Stored:
    """Where an instance of a layer keeps a constructor argument."""
    for line in STORED:
        if matches(name, line.names) and matches(parameter, (line.parameter,)):
            return line
    return Stored((name,), parameter, parameter)


def amended(name: str, parameter: ParameterSpec) -> ParameterSpec | None:
    """A parameter with the table's lines applied; None where one drops it."""
    for line in _amendments(name):
        if matches(parameter.name, line.parameters):
            if line.change is None:
                return None
            parameter = parameter.model_copy(update=line.change)
    return parameter


def matches(name: str, globs: tuple[str, ...]) -> bool:
    """Whether a name matches one of the globs."""
    return bool(_compiled(globs).match(name))


@cache
def _amendments(name: str) -> tuple[Amend, ...]:
    return tuple(line for line in AMENDMENTS if matches(name, line.names)) if matches(name, _ALL_AMENDED) else ()


@cache
def _compiled(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(glob) for glob in globs))


PASSES_ON = "torch.nn.Identity"
"""The layer that gives back what it is given, and holds nothing."""
