"""A network as the doctor sees it: flow, initializers, parameters as they are made, and what was measured."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

import torch
from torch import Tensor, nn

from layerloom.catalogue import find, layers, resolve
from layerloom.catalogue.advice import ADDITIONS, category, short
from layerloom.graph.build import load, to_python
from layerloom.graph.checking.findings import Place
from layerloom.graph.checking.layers import quietly
from layerloom.graph.lab.flow import Flow, Step
from layerloom.graph.lab.measure import SECONDS, Pass, measured
from layerloom.graph.lab.recommend import weighs
from layerloom.graph.places import Environment
from layerloom.schema.document import Document, Layer, ParameterInit
from layerloom.schema.plan import Plan

SEEDS = (0, 1)
BATCH = 16


@dataclass(frozen=True)
class Applied:
    """A statement that initializes a layer."""

    statement: ParameterInit
    environment: Environment
    """For the expressions in its arguments; those of rules have none."""


@dataclass(frozen=True)
class Patient:
    """A document without errors, and the plan by which it is to be trained."""

    document: Document
    plan: Plan | None
    flow: Flow

    @cached_property
    def layers(self) -> Mapping[str, Step]:
        """The first call of each layer, by qualified name, in running order."""
        found: dict[str, Step] = {}
        for step in self.flow.steps:
            if step.located is not None:
                found.setdefault(step.name, step)
        return found

    @cached_property
    def module(self) -> nn.Module:
        """The module with its parameters as the first seed makes them."""
        network = getattr(load(to_python(self.document)), self.document.main)
        with quietly("cpu"):
            torch.manual_seed(SEEDS[0])
            made = network()
        assert isinstance(made, nn.Module)
        return made

    @cached_property
    def passes(self) -> list[Pass]:
        """Forward and backward passes of the network as it is drawn. Raises GraphError where it cannot run."""
        return measured(self.document, self.layers, SEEDS, BATCH, time.monotonic() + SECONDS)

    def tensors(self, step: Step) -> dict[str, Tensor]:
        """Parameters of a layer that train, by their own names, detached."""
        part = self.module.get_submodule(step.name)
        return {name: tensor.detach() for name, tensor in part.named_parameters() if tensor.requires_grad}

    def frozen(self, step: Step) -> dict[str, Tensor]:
        """Those that do not train."""
        part = self.module.get_submodule(step.name)
        return {name: tensor for name, tensor in part.named_parameters() if not tensor.requires_grad}

    def applied(self, step: Step) -> list[Applied]:
        """The statements that initialize a layer: its own, or those of the first rule that fits."""
        assert step.located is not None
        member = step.located.place.member
        assert isinstance(member, Layer)
        if member.init:
            return [Applied(statement, step.located.place.environment) for statement in member.init]
        cls = resolve(member.target)
        for rule in self.document.init:
            classes = tuple(resolve(target) for target in rule.types if target in layers())
            if (not rule.types or issubclass(cls, classes)) and fnmatchcase(step.name, rule.name):
                return [Applied(statement, {}) for statement in rule.statements]
        return []

    def weighing(self) -> Iterator[Step]:
        """Calls that multiply with weights, in running order."""
        return (step for step in self.flow.steps if weighs(step))

    def ends_residual(self, step: Step) -> bool:
        """Whether what a layer gives is added to what went around it: zeros are wanted there, because the network then
        begins as one without that branch (Goyal and others, 2017; Zhang and others, Fixup, 2019).
        """
        behind = self.flow.behind(step, lambda other: category(other.target) in ("dropout", "shape", "normalization"))
        return any(short(other.target) in ADDITIONS for other in behind)


def member_place(step: Step) -> Place:
    """A layer's member, whoever calls it."""
    assert step.located is not None
    located = step.located
    return Place(located.instance.block, None, located.place.path, located.instance.name, None, located.place.pointer)


def label_of(step: Step) -> str:
    """What a person calls a call in its block: the member's path, or the operation's short name. The same in every
    instance of the block, so that a problem of all is told once.
    """
    if step.located is not None:
        return step.located.place.path
    entry = find(step.target)
    return entry.label if entry else step.target
