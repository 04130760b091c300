"""How much of torch's public interface the catalogue has: counts, and what is left out, by reason."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace

import torch

from layerloom.catalogue import (
    initializers,
    layers,
    losses,
    operations,
    optimizers,
    overrides,
    parametrizations,
    schedulers,
)
from layerloom.catalogue.introspection import operations as introspected
from layerloom.catalogue.introspection.layers import public_modules
from layerloom.catalogue.introspection.recipes import (
    public_initializers,
    public_optimizers,
    public_parametrizations,
    public_schedulers,
)
from layerloom.schema.catalogue import Entry

counted = SimpleNamespace(version=torch.__version__.partition("+")[0])
LINES = 10
"""Of exceptions, at most, for everything but operations."""


def classes() -> dict[str, tuple[list[str], Mapping[str, Entry]]]:
    """What torch offers beside operations, by kind, and what the catalogue has of it."""
    modules = [f"torch.nn.{cls.__name__}" for cls in public_modules()]
    return {
        "layers and losses of `torch.nn`": (modules, layers()),
        "losses among them": ([name for name in modules if name in losses()], losses()),
        "functions of `torch.nn.init`": (
            [f"torch.nn.init.{one.__name__}" for one in public_initializers()],
            initializers(),
        ),
        "`torch.nn.utils.parametrizations`": (
            [f"torch.nn.utils.parametrizations.{one.__name__}" for one in public_parametrizations()],
            parametrizations(),
        ),
        "optimizers of `torch.optim`": ([f"torch.optim.{cls.__name__}" for cls in public_optimizers()], optimizers()),
        "schedulers of `torch.optim.lr_scheduler`": (
            [f"torch.optim.lr_scheduler.{cls.__name__}" for cls in public_schedulers()],
            schedulers(),
        ),
    }


def exceptions() -> dict[str, list[str]]:
    """What of those is not in the catalogue, by line of the table."""
    found: dict[str, list[str]] = defaultdict(list)
    for names, known in classes().values():
        for name in names:
            if name not in known:
                found[overrides.why_absent(name) or "no reason"].append(name)
    return found


def public_operations() -> dict[str, list[str]]:
    """Every documented public callable that torch lists as one on tensors or that makes tensors, by namespace."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, _ in introspected.candidates():
        if introspected.documented(name) is not None:
            found[name.rpartition(".")[0]].append(name)
    return found


def not_on_tensors(place: str) -> list[str]:
    """Public callables of a namespace that torch does not list so: settings, contexts, tools of compilation."""
    namespace, _ = introspected.NAMESPACES[place]
    known = {name for name, _ in introspected.candidates()}
    offered = getattr(namespace, "__all__", dir(namespace))
    return [
        f"{place}.{label}"
        for label in offered
        if not label.startswith("_")
        and callable(value := getattr(namespace, label, None))
        and not inspect.isclass(value)
        and f"{place}.{label}" not in known
    ]


def census() -> list[str]:
    """The tables in Markdown."""
    lines = ["| | in torch | in the catalogue |", "|---|---:|---:|"]
    for kind, (names, known) in classes().items():
        lines.append(f"| {kind} | {len(names)} | {sum(name in known for name in names)} |")
    lines += ["", f"All but {len(exceptions())} lines of exceptions:", ""]
    lines += [f"- {', '.join(f'`{name}`' for name in names)}: {reason}" for reason, names in exceptions().items()]
    lines += [
        "",
        "| namespace | public, on tensors | in the catalogue | left out, by reason below |",
        "|---|---:|---:|---:|",
    ]
    absent: dict[str, list[str]] = defaultdict(list)
    for place, names in public_operations().items():
        missing = [name for name in names if name not in operations()]
        for name in missing:
            absent[overrides.why_absent(name) or "no reason"].append(name)
        lines.append(f"| `{place}` | {len(names)} | {len(names) - len(missing)} | {len(missing)} |")
    lines += ["", "Left out:", ""]
    lines += [f"- {reason}: {', '.join(f'`{name}`' for name in names)}" for reason, names in absent.items()]
    return [*lines, ""]
