"""Everything that the installed torch offers has a form, or a line in the override table that says why not."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.overrides import get_overridable_functions

from catalogue.census import LINES, census, counted, exceptions, public_operations
from layerloom.catalogue import (
    catalogue,
    initializers,
    layers,
    losses,
    metrics,
    operations,
    optimizers,
    overrides,
    schedulers,
    transforms,
)
from layerloom.catalogue.introspection import operations as introspected
from layerloom.catalogue.introspection import transforms as introspected_transforms
from layerloom.catalogue.introspection.layers import public_modules
from layerloom.catalogue.introspection.recipes import public_initializers, public_optimizers, public_schedulers
from layerloom.schema.catalogue import Catalogue, Entry


def _unexplained(names: list[str], found: dict[str, Entry]) -> list[str]:
    return [name for name in names if name not in found and not overrides.why_absent(name)]


def test_every_module_class_has_a_form_or_a_reason() -> None:
    names = [f"torch.nn.{cls.__name__}" for cls in public_modules()]
    assert len(names) > 130
    assert _unexplained(names, layers()) == []


def test_every_loss_is_a_loss() -> None:
    defined = {name for name in layers() if name.endswith("Loss") and "AdaptiveLogSoftmax" not in name}
    assert set(losses()) == defined


def test_every_initializer_has_a_form_or_a_reason() -> None:
    names = [f"torch.nn.init.{function.__name__}" for function in public_initializers()]
    assert len(names) > 10
    assert _unexplained(names, initializers()) == []
    assert "layerloom.forget_gate_bias" in initializers()


def test_every_optimizer_and_scheduler_has_a_form_or_a_reason() -> None:
    assert _unexplained([f"torch.optim.{cls.__name__}" for cls in public_optimizers()], optimizers()) == []
    names = [f"torch.optim.lr_scheduler.{cls.__name__}" for cls in public_schedulers()]
    assert "torch.optim.lr_scheduler.ReduceLROnPlateau" in names
    assert _unexplained(names, schedulers()) == []


def test_every_transform_has_a_form_or_a_reason() -> None:
    names = [f"{introspected_transforms.PLACE}.{cls.__name__}" for cls in introspected_transforms.public_transforms()]
    assert len(names) > 50
    assert _unexplained(names, transforms()) == []
    categories = {entry.label: entry.category for entry in transforms().values()}
    assert [categories[label] for label in ("Resize", "Normalize", "RandomCrop")] == [
        introspected_transforms.FIXED,
        introspected_transforms.FIXED,
        introspected_transforms.RANDOM,
    ]


def test_every_documented_function_on_tensors_has_a_form_or_a_reason() -> None:
    names = [name for name, _ in introspected.candidates() if introspected.documented(name) is not None]
    assert len(names) > 1000
    assert _unexplained(names, operations()) == []


def test_candidates_cover_torch_s_own_list() -> None:
    """Nothing that torch lets be overridden is missed by how the catalogue looks for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        listed = get_overridable_functions()
    candidates = {name for name, _ in introspected.candidates()}
    for place, (namespace, _) in introspected.NAMESPACES.items():
        for function in listed[namespace]:
            for label in (label for label, value in vars(namespace).items() if value is function):
                known = f"{place}.{label}" in candidates or label.startswith("_") or isinstance(function, type)
                assert known, f"{place}.{label}"


def test_no_line_of_the_override_table_is_dead() -> None:
    names = {
        *(f"torch.nn.{cls.__name__}" for cls in public_modules()),
        *(f"torch.optim.lr_scheduler.{cls.__name__}" for cls in public_schedulers()),
        *(f"torch.optim.{cls.__name__}" for cls in public_optimizers()),
        *(f"{introspected_transforms.PLACE}.{cls.__name__}" for cls in introspected_transforms.public_transforms()),
        *(name for name, _ in introspected.candidates()),
    }
    for line in overrides.ABSENT:
        for glob in line.names:
            assert any(overrides.matches(name, (glob,)) for name in names), f"no name matches {glob}"
        assert line.reason
    for amendment in overrides.AMENDMENTS:
        for glob in amendment.names:
            assert any(overrides.matches(name, (glob,)) for name in names), f"no name matches {glob}"
        assert amendment.reason


def test_no_entry_hides_a_required_tensor_argument() -> None:
    """What cannot be written in a document must not be demanded by a constructor."""
    hidden = [
        f"{name}.{parameter.name}"
        for section in (layers(), optimizers(), schedulers(), initializers(), metrics(), transforms())
        for name, entry in section.items()
        for parameter in entry.parameters
        if "any" in parameter.kinds or "tensor" in parameter.kinds
    ]
    assert hidden == []


def test_the_counts_are_as_large_as_torch(capsys: object) -> None:
    whole = catalogue()
    counts = {
        part: len(getattr(whole, part))
        for part in Catalogue.model_fields
        if part not in ("torch", "digest", "parametrizations", "datasets")
    }
    print(f"\ntorch {torch.__version__}: {counts}")
    assert counts["layers"] > 130
    assert counts["operations"] > 1000
    assert min(counts.values()) > 10
    parameters = [parameter for entry in (*whole.layers, *whole.optimizers) for parameter in entry.parameters]
    assert sum(bool(parameter.doc) for parameter in parameters) > 0.85 * len(parameters)


def test_exceptions_are_few_and_have_reasons() -> None:
    """Everything of torch.nn, torch.nn.init, torch.optim and its schedulers is there, but for a short table."""
    found = exceptions()
    assert "no reason" not in found
    assert len(found) <= LINES
    print("\n" + "\n".join(census()))


def test_every_public_function_on_tensors_is_there_or_has_a_reason() -> None:
    for place, names in public_operations().items():
        assert _unexplained(names, operations()) == [], place


def test_layers_outside_torch_nn_itself_are_no_layers_to_draw() -> None:
    """What torch.nn's modules hold beside what torch.nn offers."""
    offered = set(public_modules())
    hidden = {
        cls.__name__
        for module in (getattr(torch.nn.modules, name) for name in dir(torch.nn.modules))
        if isinstance(module, ModuleType)
        for name, cls in vars(module).items()
        if isinstance(cls, type)
        and issubclass(cls, torch.nn.Module)
        and not name.startswith("_")
        and cls not in offered
    }
    assert hidden == {"NonDynamicallyQuantizableLinear"}  # what MultiheadAttention projects with


def test_the_report_is_of_this_torch() -> None:
    """``make catalogue-report`` writes it; the counts in it are those of today."""
    report = (Path(__file__).parents[2] / "docs" / "CATALOGUE.md").read_text(encoding="utf-8")
    if f"torch {counted.version}." not in report:
        pytest.skip("written with another torch")
    assert "\n".join(census()) in report
