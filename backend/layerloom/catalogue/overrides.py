"""The one table of what introspection cannot tell, each line with its reason.

A new torch may add a class that fits no rule; ``tests/catalogue`` fails until it has a form or a line here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import Any

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
    Absent(
        ("torch.optim.lr_scheduler.SequentialLR", "torch.optim.lr_scheduler.ChainedScheduler"),
        "takes schedulers that are already bound to the optimizer; a plan names one scheduler",
    ),
    # Operations
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
