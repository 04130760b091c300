"""A training plan. Everything that names a torch class is a name of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from layerloom.schema.base import Wire
from layerloom.schema.values import Arguments

Positive = Annotated[int, Field(gt=0, strict=True)]
Precision = Literal["fp32", "bf16", "fp16"]
PlannedPrecision = Literal["fp32", "bf16", "fp16", "auto"]
"""``auto``: fp32 or bf16, images with their channels first or last, whichever is fastest when it is tried."""


ClassWeights = Annotated[
    list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(min_length=2, max_length=65_536)
]


class Choice(Wire):
    """A catalogue entry and the arguments that differ from its defaults."""

    name: Annotated[str, Field(max_length=256)]
    arguments: Arguments = {}


class Schedule(Choice):
    """A scheduler; one that is made of others (warm-up, then cosine) has them as its parts, in order."""

    parts: Annotated[list[Choice], Field(max_length=16)] = []


class Transform(Choice):
    """A transform of images, which are floats between 0 and 1 when the first one of a plan sees them."""

    use: Literal["training", "validation", "both"] | None = None
    """Both when None, and for training only where random numbers are drawn."""
    draws: Literal["image", "batch"] = "image"
    """Whether each image draws its own random numbers, as in torchvision's data sets, or a batch draws once: faster,
    and less variety."""


class ParameterGroup(Wire):
    """Parameters that train otherwise than the rest; one is in the first group whose pattern matches its name."""

    pattern: Annotated[str, Field(min_length=1, max_length=512)]
    """Over qualified names, as in ``encoder.*`` or ``*.bias``: ``*``, ``?`` and ``[…]`` as for file names."""
    lr: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Times the optimizer's learning rate, in place of a rate of its own."""
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    frozen: bool = False
    """They do not train at all."""

    @field_validator("factor")
    @classmethod
    def _one_rate(cls, factor: float | None, info: ValidationInfo) -> float | None:
        if factor is not None and info.data.get("lr") is not None:
            raise ValueError("A group has a learning rate or a factor; leave one of them out.")
        return factor


class Split(Wire):
    """How samples are divided; the same seed gives the same division."""

    validation: Annotated[float, Field(gt=0, lt=1)] = 0.2
    stratify: bool = True
    """Keep the classes' proportions in both parts (classification only)."""
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0


class Mixing(Wire):
    """Images of a batch are mixed in pairs, and their labels with them; for training only."""

    kind: Literal["mixup", "cutmix", "both"] = "mixup"
    """``mixup`` fades one image into another, ``cutmix`` puts a piece of one into another; ``both`` by lot."""
    alpha: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Of the Beta distribution that shares are drawn from: small values leave most images nearly whole."""


class Head(Wire):
    """One output of a network that returns several: its loss, its weight in the sum, and what it is compared with."""

    output: Annotated[str, Field(min_length=1, max_length=256)]
    """Its key in the dict that the network returns, or its place in the tuple, from 0; ``scores.0`` for a place in a
    key's tuple. An output that no head names is not trained on."""
    target: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """An input of the network, which is to be rebuilt, or an array of the data that feeds no input; the data set's own
    target when None."""
    column: Annotated[int, Field(ge=0, lt=65_536, strict=True)] | None = None
    """The one column of the target that it is compared with; all when None."""
    loss: Choice | None = None
    """Cross-entropy for classes and tokens, mean squared error for numbers when None."""
    weight: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    """What its loss is multiplied with in the sum."""
    metrics: list[Choice] | None = None
    """Those of its targets when None."""


class Clip(Wire):
    """Gradient clipping before each step."""

    norm: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(gt=0)] | None = None


class Statistics(Wire):
    """What is sampled while training, and at most how much of the wall time it may take."""

    norms: bool = True
    """Of each parameter, its gradient and its update."""
    histograms: bool = True
    """Of the values of each parameter and its gradient."""
    activations: bool = True
    """Mean, deviation, zeros and dead units of each layer's output."""
    features: bool = True
    """Outputs of some layers for a few samples of the validation part, as images."""
    attention: bool = True
    """Which positions look at which, for the same samples."""
    layers: Annotated[list[Annotated[str, Field(min_length=1, max_length=512)]], Field(max_length=16)] = []
    """Patterns over the qualified names of the layers whose images are taken, as in ``encoder.*``; the first few that
    have any when empty."""
    samples: Annotated[int, Field(ge=1, le=8, strict=True)] = 2
    """How many samples images are taken of: the first ones of the validation part."""
    budget: Annotated[float, Field(ge=0, le=1)] = 0.02


class Averaging(Wire):
    """Averages of the weights, in place of the weights that training ends with."""

    kind: Literal["ema", "swa"] = "ema"
    """``ema``: an exponential average over the steps, validated and kept from its start. ``swa``: the mean over the
    epochs, validated and kept at the end, when batch normalization was measured for it."""
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """Of the exponential average: the share that it keeps at each step."""
    start: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the run's steps after which averaging begins; 0 for ``ema`` and 0.75 for ``swa`` when None."""


class EarlyStopping(Wire):
    """The run ends when a series has not improved for some epochs; the best checkpoint is kept as ever."""

    patience: Positive = 10
    """Epochs without improvement."""
    min_change: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """What counts as an improvement is larger than this."""
    monitor: Annotated[str, Field(max_length=128)] | None = None
    """The series; that of the checkpoints when None."""


class CheckpointPolicy(Wire):
    """The newest two and the best are always kept."""

    every_epochs: Positive = 1
    """How often one may be written; in short epochs fewer are, so that they cost no more than their share of time."""
    keep_every: Positive | None = None
    """After every so many epochs one is written that is never deleted."""
    monitor: Annotated[str, Field(max_length=128)] | None = None
    """Series that decides which is best; the first validation metric, or the validation loss, when None."""


class Plan(Wire):
    """``{"dataset": "digits", "epochs": 3, "seed": 0}`` is complete: all else has defaults."""

    dataset: Annotated[str, Field(max_length=128)]
    split: Split = Split()
    batch_size: Annotated[int, Field(gt=0, le=65_536, strict=True)] = 64
    accumulation: Annotated[int, Field(gt=0, le=32_768, strict=True)] = 1
    """In how many parts a batch is run whose gradients are added up: less memory, and the numbers of the whole batch,
    but for rounding and for batch normalization, which sees each part by itself. A part has at least two samples."""
    epochs: Annotated[int, Field(gt=0, le=1_000_000, strict=True)] | None = None
    steps: Annotated[int, Field(gt=0, le=1_000_000_000, strict=True)] | None = None
    """Stop after this many optimizer steps; with ``epochs`` too, whichever comes first."""
    optimizer: Choice = Choice(name="torch.optim.AdamW", arguments={"lr": 0.003})
    groups: Annotated[list[ParameterGroup], Field(max_length=64)] = []
    """Parameters with a rate or a weight decay of their own, or frozen. A pattern that matches nothing is refused."""
    scheduler: Schedule | None = None
    scheduler_interval: Literal["epoch", "step"] = "epoch"
    warmup: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] = 0
    """Steps in which the learning rate rises evenly from nearly nothing; the scheduler begins after them."""
    loss: Choice | None = None
    """The task's own when None: cross-entropy for classes and tokens, mean squared error for numbers."""
    class_weights: Literal["balanced"] | ClassWeights | None = None
    """Of a loss that has some: by how often each class occurs in the training part, or a number for each."""
    mixing: Mixing | None = None
    transforms: Annotated[list[Transform], Field(max_length=32)] = []
    """Of the images, in order, before a network sees them."""
    metrics: list[Choice] | None = None
    """The task's own when None: accuracy, or mean absolute error and R²."""
    heads: Annotated[list[Head], Field(max_length=64)] = []
    """For a network of several outputs, in place of ``loss``, ``metrics``, ``class_weights`` and ``mixing``. When
    empty, each output of a dict is compared with what it fits, the target or else the input; a tuple's are all compared
    with the target."""
    clip: Clip = Clip()
    precision: PlannedPrecision = "fp32"
    compile: bool = False
    """Run the module through ``torch.compile``: seconds to minutes before the first step, faster or slower steps."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$")] = "auto"
    devices: Annotated[int, Field(gt=0, le=64, strict=True)] = 1
    """How many of them share each batch, with a process for each; on the CPU as many processes. The numbers are those
    of one, but for rounding, random numbers, and batch normalization, which sees each share by itself."""
    sync_batch_norm: bool = False
    """Batch normalization sees the shares of all devices together."""
    threads: Annotated[int, Field(gt=0, le=256, strict=True)] | None = None
    """Of each process."""
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 0
    normalize: bool = True
    """Scale numeric features by the training part's mean and deviation."""
    averaging: Averaging | None = None
    early_stopping: EarlyStopping | None = None
    checkpoints: CheckpointPolicy = CheckpointPolicy()
    statistics: Statistics = Statistics()

    @field_validator("accumulation")
    @classmethod
    def _parts_of_two(cls, parts: int, info: ValidationInfo) -> int:
        size = info.data.get("batch_size")
        if size is not None and parts > max(1, size // 2):
            raise ValueError(f"A batch of {size} has at most {max(1, size // 2)} parts of two samples or more.")
        return parts

    @field_validator("devices")
    @classmethod
    def _shares_of_two(cls, devices: int, info: ValidationInfo) -> int:
        size, parts = info.data.get("batch_size"), info.data.get("accumulation")
        if devices > 1 and size is not None and parts is not None and 2 * parts * devices > size:
            raise ValueError(
                f"A batch of {size} gives {devices} devices fewer than two samples each"
                f"{f' in {parts} parts' if parts > 1 else ''}. Choose a larger batch size, or fewer devices."
            )
        if devices > 1 and ":" in str(info.data.get("device")):
            raise ValueError("A device with a number is one alone. Choose its kind, or one device.")
        return devices

    @field_validator("heads")
    @classmethod
    def _instead_of_one_loss(cls, heads: list[Head], info: ValidationInfo) -> list[Head]:
        names = [head.output for head in heads]
        if len(set(names)) < len(names):
            raise ValueError("An output has two heads; leave one of them out.")
        one = [name for name in ("loss", "metrics", "class_weights", "mixing") if info.data.get(name) is not None]
        if heads and one:
            raise ValueError(f"Each head has a loss and metrics of its own: leave out {', '.join(one)}, or the heads.")
        return heads

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("epochs") is None and data.get("steps") is None:
            return {**data, "epochs": 20}
        return data
