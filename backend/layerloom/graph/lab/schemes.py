"""Initializers to compare, by name. A new one is a line in ``READY``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerloom.catalogue.advice import recurrent, weighing
from layerloom.graph.errors import refuse
from layerloom.graph.lab.recommend import recommended_initializers
from layerloom.schema.document import CONTAINERS, Block, Document, InitRule, Layer, ParameterInit, Repeat
from layerloom.schema.lab import Scheme
from layerloom.schema.problems import ProblemCode

Rules = Callable[[Document], list[InitRule] | None]

AS_DRAWN = "as drawn"


def _weights(function: str, **arguments: Any) -> Rules:
    """A function for every weight matrix and kernel, recurrent ones too; biases are zero, as in the papers."""

    def rules(_: Document) -> list[InitRule]:
        name = f"torch.nn.init.{function}"
        bias = ParameterInit(parameter="bias*", function="torch.nn.init.zeros_")
        return [
            InitRule(
                types=[*weighing(), *recurrent()],
                statements=[ParameterInit(parameter="weight*", function=name, arguments=arguments), bias],
            )
        ]

    return rules


READY: dict[str, Rules] = {
    AS_DRAWN: lambda _: None,
    "torch default": lambda _: [],
    "recommended": recommended_initializers,
    # He and others, 2015
    "kaiming normal": _weights("kaiming_normal_", nonlinearity="relu"),
    "kaiming uniform": _weights("kaiming_uniform_", nonlinearity="relu"),
    "kaiming normal fan_out": _weights("kaiming_normal_", mode="fan_out", nonlinearity="relu"),
    "kaiming uniform fan_out": _weights("kaiming_uniform_", mode="fan_out", nonlinearity="relu"),
    # Glorot and Bengio, 2010
    "xavier normal": _weights("xavier_normal_"),
    "xavier uniform": _weights("xavier_uniform_"),
    # LeCun and others, 1998: a variance of 1 / fan_in
    "lecun normal": _weights("kaiming_normal_", nonlinearity="linear"),
    "lecun uniform": _weights("kaiming_uniform_", nonlinearity="linear"),
    # Saxe and others, 2013
    "orthogonal": _weights("orthogonal_"),
    # Radford and others, 2018; Dosovitskiy and others, 2020
    "normal 0.02": _weights("normal_", std=0.02),
    "truncated normal 0.02": _weights("trunc_normal_", std=0.02),
    "normal 1": _weights("normal_"),
    "zeros": _weights("zeros_"),
}
"""What each scheme is for a document: rules, or None for the document's own."""

USUAL = (AS_DRAWN, "torch default", "recommended", "kaiming normal", "xavier uniform", "normal 1")
"""What is compared where nobody says what."""


def ready(name: str, document: Document) -> Scheme:
    """A scheme by its name.

    Raises:
        GraphError: there is none of that name.
    """
    if name not in READY:
        message = f"there is no such scheme; there are {', '.join(READY)}."
        raise refuse(ProblemCode.UNKNOWN_INITIALIZER, message)
    return Scheme(name=name, rules=READY[name](document))


def with_scheme(document: Document, scheme: Scheme) -> Document:
    """The document with a scheme's rules in the place of its own and of its layers' own initializers."""
    if scheme.rules is None:
        return document
    return plain(document).model_copy(update={"init": scheme.rules})


def plain(document: Document) -> Document:
    """The document without rules, each layer as torch makes it. Bare parameters, which torch does not fill, keep their
    initializers.
    """
    blocks = {name: _plain_block(block) for name, block in document.blocks.items()}
    return document.model_copy(update={"blocks": blocks, "init": []})


def _plain_block(block: Block) -> Block:
    return block.model_copy(update={"members": [_plain_member(member) for member in block.members]})


def _plain_member(member: Any) -> Any:
    match member:
        case Layer():
            return member.model_copy(update={"init": []})
        case Repeat():
            return member.model_copy(update={"item": _plain_member(member.item)})
        case _ if isinstance(member, CONTAINERS):
            return member.model_copy(update={"items": [_plain_member(item) for item in member.items]})
    return member
