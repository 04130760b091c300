"""The catalogue as a whole: look-up, safety of names, digest, laziness."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import layerloom
from layerloom.catalogue import (
    catalogue,
    dtype,
    find,
    forget_gate_bias,
    initializers,
    layers,
    losses,
    metrics,
    nearest,
    operations,
    optimizers,
    resolve,
    schedulers,
)
from layerloom.catalogue.content import _once as once
from layerloom.schema.catalogue import Catalogue, Entry

HOSTILE = [
    "",
    ".",
    "torch",
    "torch.",
    "torch.os.system",
    "torch.os",
    "torch.sys.exit",
    "torch.load",
    "torch.save",
    "torch.from_file",
    "torch.compile",
    "torch.hub.load",
    "torch.jit.load",
    "torch.package.PackageImporter",
    "torch.serialization.load",
    "torch.utils.cpp_extension.load_inline",
    "torch.utils.data.DataLoader",
    "torch.classes.load_library",
    "torch.ops.load_library",
    "torch._C._jit_init",
    "torch.builtins.eval",
    "torch.set_default_dtype",
    "torch.set_num_threads",
    "torch.manual_seed",
    "torch.nn.Module",
    "torch.nn.Sequential",
    "torch.nn.DataParallel",
    "torch.nn.functional.torch.load",
    "torch.nn.functional.importlib.import_module",
    "torch.nn.functional.handle_torch_function",
    "torch.nn.functional.boolean_dispatch",
    "torch.nn.init.torch",
    "torch.nn.modules.conv.Conv2d",
    "torch.optim.Optimizer",
    "torch.optim.lr_scheduler.LambdaLR",
    "torch.Tensor.__class__",
    "torch.Tensor.__reduce__",
    "torch.Tensor.__reduce_ex__",
    "torch.Tensor.__setstate__",
    "torch.Tensor.__dict__",
    "torch.Tensor.data",
    "torch.Tensor.grad_fn",
    "torch.Tensor.grad",
    "torch.Tensor.numpy",
    "torch.Tensor.tolist",
    "torch.Tensor.item",
    "torch.Tensor.apply_",
    "torch.Tensor.map_",
    "torch.Tensor.set_",
    "torch.Tensor.storage",
    "torch.Tensor.untyped_storage",
    "torch.Tensor.data_ptr",
    "torch.Tensor.register_hook",
    "torch.Tensor.backward",
    "torch.Tensor.share_memory_",
    "torch.Tensor.requires_grad_",
    "torch.Tensor.shape.__class__",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "builtins.getattr",
    "os.system",
    "operator.methodcaller",
    "operator.attrgetter",
    "operator.itemgetter",
    "operator.call",
    "operator.delitem",
    "operator.__builtins__",
    "layerloom.catalogue.resolve",
    "layerloom.catalogue",
    "torchmetrics.Metric",
    "torchmetrics.wrappers.BootStrapper",
    "torch.nn.Conv2d\n",
    "torch.nn.conv2d ",
    "TORCH.NN.CONV2D",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_in_the_catalogue_cannot_be_reached(name: str) -> None:
    assert find(name) is None
    with pytest.raises(KeyError):
        resolve(name)


def test_no_name_holds_a_private_or_dunder_part() -> None:
    for entry in _all():
        assert not any(part.startswith("_") for part in entry.name.split("."))


def test_names_resolve_to_what_they_say() -> None:
    assert resolve("torch.nn.Conv2d") is torch.nn.Conv2d
    assert resolve("torch.cat") is torch.cat
    assert resolve("torch.nn.functional.relu") is torch.nn.functional.relu
    assert resolve("torch.Tensor.view") is torch.Tensor.view
    assert resolve("torch.Tensor.shape").__get__(torch.zeros(2, 3)) == (2, 3)
    assert resolve("torch.nn.init.kaiming_normal_") is torch.nn.init.kaiming_normal_
    assert resolve("torch.optim.AdamW") is torch.optim.AdamW
    assert resolve("torch.optim.lr_scheduler.StepLR") is torch.optim.lr_scheduler.StepLR
    assert resolve("layerloom.forget_gate_bias") is forget_gate_bias
    assert layerloom.forget_gate_bias is forget_gate_bias


def test_every_entry_is_found_and_resolved_by_its_name() -> None:
    for entry in _all():
        assert find(entry.name) == entry
        assert resolve(entry.name) is not None
        if entry.name.startswith("torch.") and not entry.name.startswith("torch.Tensor."):
            place, _, label = entry.name.rpartition(".")
            assert getattr(eval(place), label) is resolve(entry.name)


def test_the_catalogue_survives_json() -> None:
    whole = catalogue()
    text = whole.model_dump_json()
    assert Catalogue.model_validate_json(text) == whole
    assert json.loads(text)["layers"][0]["name"].startswith("torch.nn.")
    assert json.loads(text)["torch"] == torch.__version__


def test_the_module_is_the_function() -> None:
    assert layerloom.catalogue() is layerloom.catalogue()
    assert layerloom.catalogue() is catalogue()
    assert layerloom.catalogue.find("torch.nn.Linear") is find("torch.nn.Linear")


def test_without_metrics_only_metrics_are_missing() -> None:
    bare, whole = catalogue(metrics=False), catalogue()
    assert bare.metrics == []
    assert len(whole.metrics) > 20
    assert bare.layers == whole.layers
    assert bare.digest != whole.digest


def _program(text: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", text]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_the_digest_is_the_same_in_another_process() -> None:
    program = "import layerloom; print(layerloom.catalogue(metrics=False).digest)"
    assert _program(program) == catalogue(metrics=False).digest


def test_introspection_leaves_the_process_as_it_was() -> None:
    """No compiler and no metrics library is imported, no random number is drawn, no warning is shown."""
    program = """
import sys, warnings
warnings.simplefilter("error")
import torch
before = torch.get_rng_state()
import layerloom
layerloom.catalogue(metrics=False)
assert torch.equal(before, torch.get_rng_state())
print(sorted({"torch._dynamo", "torchmetrics", "torch._inductor", "sympy"} & set(sys.modules)))
"""
    assert _program(program) == "[]"


def test_an_optimizer_is_found_without_reading_the_operations() -> None:
    program = """
from layerloom.catalogue import find
from layerloom.catalogue.introspection import operations
operations.operations = None
assert find("torch.optim.SGD") and find("torch.nn.Linear") and find("torch.optim.lr_scheduler.StepLR")
print("found")
"""
    assert _program(program) == "found"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("torch.nn.Conv2D", "torch.nn.Conv2d"),
        ("nn.Liner", "torch.nn.Linear"),
        ("torch.Conv2d", "torch.nn.Conv2d"),
        ("concat", "torch.concat"),
        ("全连接", "torch.nn.Linear"),
        ("torch.nn.functional.rellu", "torch.nn.functional.relu"),
        ("torch.optim.Adm", "torch.optim.Adam"),
    ],
)
def test_nearest_names_what_was_meant(asked: str, expected: str) -> None:
    assert nearest(asked)[0] == expected


def test_nearest_says_nothing_of_what_is_like_nothing() -> None:
    assert nearest("zzzzzzzz") == []
    assert nearest("") == []


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("卷积", "torch.nn.Conv2d"),
        ("线性", "torch.nn.Linear"),
        ("批归一化", "torch.nn.BatchNorm2d"),
        ("池化", "torch.nn.MaxPool2d"),
        ("激活", "torch.nn.ReLU"),
        ("循环", "torch.nn.LSTM"),
        ("注意力", "torch.nn.MultiheadAttention"),
        ("嵌入", "torch.nn.Embedding"),
        ("拼接", "torch.cat"),
        ("展平", "torch.flatten"),
        ("dense", "torch.nn.Linear"),
        ("concat", "torch.cat"),
        ("skip", "operator.add"),
    ],
)
def test_search_words(word: str, name: str) -> None:
    entry = find(name)
    assert entry is not None
    assert word in entry.keywords


def test_dtypes() -> None:
    assert dtype("float32") is torch.float32
    assert dtype("int64") is torch.int64
    for name in ("os", "Tensor", "float33", "torch.float32"):
        with pytest.raises(KeyError):
            dtype(name)


def test_losses_know_their_tasks() -> None:
    tasks = {entry.label: set(entry.tasks) for entry in losses().values()}
    assert tasks["CrossEntropyLoss"] == {"classification", "tokens"}
    assert tasks["NLLLoss"] == {"classification", "tokens"}
    assert tasks["MSELoss"] == tasks["L1Loss"] == tasks["HuberLoss"] == {"regression", "reconstruction"}
    assert tasks["CTCLoss"] == tasks["KLDivLoss"] == tasks["SoftMarginLoss"] == set()
    assert set(losses()) <= set(layers())


def test_metrics_know_their_tasks() -> None:
    found = metrics()
    for label in ("Accuracy", "F1Score", "Precision", "Recall", "AUROC"):
        entry = found[f"torchmetrics.classification.Multiclass{label}"]
        assert "classification" in entry.tasks
        assert next(parameter for parameter in entry.parameters if parameter.name == "num_classes").auto
        assert resolve(entry.name)(num_classes=3) is not None
    for label in ("MeanAbsoluteError", "MeanSquaredError", "R2Score"):
        assert found[f"torchmetrics.regression.{label}"].tasks == ["regression"]
    assert found["torchmetrics.text.Perplexity"].tasks == ["tokens"]
    # A matrix is no curve.
    assert "torchmetrics.classification.MulticlassConfusionMatrix" not in found


def _all() -> list[Entry]:
    sections = (layers(), operations(), initializers(), optimizers(), schedulers(), metrics())
    return [entry for section in sections for entry in section.values()]


def test_one_section_is_made_at_a_time_and_what_is_there_waits_for_nobody() -> None:
    begun, end = threading.Event(), threading.Event()
    there, made = once(lambda: "there"), []
    there()

    def slowly() -> int:
        made.append(threading.current_thread())
        begun.set()
        assert end.wait(240)
        return len(made)

    def swiftly() -> int:
        assert end.is_set(), "another section is being made"
        return 0

    slow, swift = once(slowly), once(swiftly)
    with ThreadPoolExecutor(3) as threads:
        both = [threads.submit(slow) for _ in range(2)]
        assert begun.wait(240)
        other = threads.submit(swift)
        try:
            assert there() == "there"
        finally:
            end.set()
        assert [one.result(240) for one in (*both, other)] == [1, 1, 0]
