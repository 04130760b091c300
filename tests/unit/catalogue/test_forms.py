"""From annotations, defaults and words to form controls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest
import torch

from layerloom.catalogue.introspection.docstrings import Said
from layerloom.catalogue.introspection.forms import Form, from_annotation, from_default, from_words, spec, value
from layerloom.schema.values import DType, FunctionRef, NonFinite, Tuple


@pytest.mark.parametrize(
    ("annotation", "kinds", "length"),
    [
        (int, ["int"], None),
        (bool, ["bool"], None),
        (int | tuple[int, int], ["size"], 2),
        (int | tuple[int, ...], ["size"], None),
        (str | int | tuple[int, int], ["size", "str"], 2),
        (float | tuple[float, float], ["float", "list"], 2),
        (tuple[float, float], ["list"], 2),
        (Sequence[int], ["list"], None),
        (torch.dtype, ["dtype"], None),
        (torch.Tensor, ["tensor"], None),
        (torch.nn.Module, ["layer"], None),
        (Callable[[torch.Tensor], torch.Tensor], ["function"], None),
        (Any, [], None),
    ],
)
def test_annotations(annotation: Any, kinds: list[str], length: int | None) -> None:
    form = from_annotation(annotation)
    assert form.preferred == kinds
    assert form.length == length


def test_none_makes_nullable() -> None:
    assert from_annotation(int | None) == Form(frozenset({"int"}), nullable=True)
    assert from_default(None).nullable


def test_literals_are_choices() -> None:
    assert from_annotation(Literal["a", "b"]).choices == ("a", "b")


def test_pairs_of_tensors_are_many() -> None:
    assert from_annotation(tuple[torch.Tensor, torch.Tensor] | None) == Form(
        frozenset({"tensor"}), nullable=True, many=True
    )


def test_words() -> None:
    assert from_words(Said("int or tuple, optional", "")).preferred == ["size"]
    assert from_words(None).preferred == []


def test_text_with_named_values_is_a_choice() -> None:
    said = Said("str", "either ``'fan_in'`` (default) or ``'fan_out'``")
    made = spec("mode", from_annotation(str), "fan_in", said)
    assert (made.kinds, made.choices, made.default, made.required) == (
        ["choice"],
        ["fan_in", "fan_out"],
        "fan_in",
        False,
    )
    other = spec("mode", from_annotation(str), "else", said)
    assert (other.kinds, other.choices) == (["str"], [])


def test_no_default_means_required() -> None:
    assert spec("size", from_annotation(int), inspect.Parameter.empty).required
    assert spec("size", Form(), 3).kinds == ["any"]


def test_values() -> None:
    assert value((1, 2)) == Tuple(items=[1, 2])
    assert value(torch.float16) == DType(dtype="float16")
    assert value(float("-inf")) == NonFinite(text="-inf")
    assert value(torch.nn.functional.gelu).__class__ is FunctionRef
    assert value(object()) is None
