"""Help cards: what torch writes is shown whole and in order, and what anybody writes does no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import torch

from layerloom.catalogue import catalogue, layers, resolve
from layerloom.catalogue.help import help_of, rendered
from layerloom.catalogue.help.formulas import formula
from layerloom.catalogue.introspection.docstrings import text_of
from layerloom.schema.help import Element, Help, Tag

Content = list[str | Element]


def walk(parts: Content) -> Iterator[Element]:
    for part in parts:
        if isinstance(part, Element):
            yield part
            yield from walk(part.content)


def text(parts: Content) -> str:
    """What is read, formulas without their structure."""
    return "".join(part if isinstance(part, str) else text(part.content) for part in parts)


def prose(parts: Content) -> Iterator[str]:
    """Texts that are neither code nor formula, of which marks could be left."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part.tag not in ("pre", "code", "math"):
            yield from prose(part.content)


def everything(told: Help) -> Content:
    said = [part for one in (*told.parameters, *told.attributes) for part in one.content]
    return [*told.description, *told.shape, *told.returns, *told.notes, *told.examples, *said]


ENTRIES = sorted(
    {
        entry.name
        for section in (
            "layers",
            "operations",
            "initializers",
            "parametrizations",
            "optimizers",
            "schedulers",
            "losses",
            "metrics",
            "transforms",
        )
        for entry in getattr(catalogue(), section)
    }
)
RAW = (":math:", ":attr:", ":class:", ":ref:", ":func:", "`", ".. ", "_note}", "system-message", "layerloom-")
ELLIPSIS = "where ... means"
"""As torchvision explains its shapes: no directive."""


def test_no_card_has_markup_or_messages_left() -> None:
    left, unset = [], []
    for name in ENTRIES:
        shown = everything(help_of(name))
        left += [f"{name}: {said!r}" for said in prose(shown) for mark in RAW if mark in said.replace(ELLIPSIS, "")]
        # A formula that could not be set is the source of TeX as code.
        unset += [f"{name}: {e.content}" for e in walk(shown) if e.tag in ("code", "pre") and "\\frac" in text([e])]
    assert len(ENTRIES) > 1000
    assert left == []
    assert unset == []


def test_every_layer_with_a_shape_section_shows_it() -> None:
    written = [name for name in layers() if "Shape:" in text_of(resolve(name))]
    assert len(written) > 100
    assert [name for name in written if not help_of(name).shape] == []


def test_a_card_describes_every_parameter_that_the_docstring_does() -> None:
    conv = help_of("torch.nn.Conv2d")
    assert [it.name for it in conv.parameters][:4] == ["in_channels", "out_channels", "kernel_size", "stride"]
    assert conv.parameters[2].type == "int or tuple"
    assert text(conv.parameters[2].content) == "Size of the convolving kernel"
    assert [it.name for it in conv.attributes] == ["weight", "bias"]
    assert "nn.Conv2d(16, 33, 3, stride=2)" in text(conv.examples)
    assert any(
        link.attributes["href"].startswith("https://en.wiki") for link in walk(conv.description) if link.tag == "a"
    )
    assert len(conv.notes) == 4
    assert {it.attributes["kind"] for it in conv.notes if isinstance(it, Element)} == {"note"}


def test_a_shape_rule_has_its_formulas() -> None:
    shape = help_of("torch.nn.Conv2d").shape
    formulas = [text([it]) for it in walk(shape) if it.tag == "math"]
    assert formulas[0] == "(N,Cin,Hin,Win)"
    assert [it.attributes.get("display") for it in walk(shape) if it.tag == "math"].count("block") == 2


def test_inputs_and_outputs_and_the_call_are_shape_rules_too() -> None:
    assert "Inputs: input, (h_0, c_0)" in text(help_of("torch.nn.LSTM").shape)
    assert "src" in text(help_of("torch.nn.Transformer").shape)


def test_a_method_that_refers_to_a_function_tells_what_it_does() -> None:
    assert text(help_of("torch.Tensor.sum").description).startswith("Returns the sum of all elements")


@pytest.mark.parametrize("name", ["", "torch.os", "torch.nn.Module", "os.system", "torch.nn.Conv2d.forward"])
def test_what_is_not_in_the_catalogue_has_no_card(name: str) -> None:
    with pytest.raises(KeyError):
        help_of(name)


def test_sections_of_google() -> None:
    told = rendered(
        """Blends two tensors.

        More of it, with :math:`x^2` and `the paper <https://example.org>`_.

        Note: it is slow.

        Args:
            x: the first. One of

                * big
                * small
            y (Tensor, optional): the second: of any shape

        Shape:
            - Input: :math:`(N, C)`

        Returns:
            the blend

        Example::

            >>> blend(x, y)
        """
    )
    assert text(told.description[:1]) == "Blends two tensors."
    assert [(it.name, it.type) for it in told.parameters] == [("x", ""), ("y", "Tensor, optional")]
    assert [it.tag for it in walk(told.parameters[0].content)] == ["p", "ul", "li", "p", "li", "p"]
    assert text(told.shape) == "Input: (N,C)"
    assert text(told.returns) == "the blend"
    assert text(told.notes) == "it is slow."
    assert told.examples == [Element(tag="pre", content=[">>> blend(x, y)"])]


HOSTILE = """Kind. <script>alert(1)</script> <img src=x onerror=alert(1)>

`click <javascript:alert(1)>`_, `there <data:text/html,x>`_, javascript:alert(1), vbscript:x, file:///etc/passwd

.. raw:: html

   <script>alert(2)</script>

.. include:: /etc/passwd

.. csv-table::
   :file: /etc/passwd

.. literalinclude:: /etc/passwd

.. image:: https://evil.example/track.png
   :target: javascript:alert(3)

.. figure:: https://evil.example/track.png

.. |sub| replace:: `x <javascript:alert(4)>`_

.. role:: html(raw)
   :format: html

.. _bad: javascript:alert(5)

|sub| :html:`<script>alert(6)</script>` bad_ :unknown:`<b>` :math:`\\href{javascript:alert(7)}{x}`

.. math:: \\html{<script>alert(8)</script>}

Args:
    <img onerror=x> (javascript:x): `x <javascript:alert(9)>`__
"""


def test_a_hostile_docstring_is_text() -> None:
    told = rendered(HOSTILE)
    made = list(walk(everything(told)))
    assert {element.tag for element in made} <= set(get_args(Tag))
    assert not {"script", "img", "iframe", "style"} & {element.tag for element in made}
    assert [element.attributes for element in made if element.tag == "a"] == []
    assert all(
        not name.startswith("on") and name not in ("style", "href", "src") for e in made for name in e.attributes
    )
    whole = told.model_dump_json()
    assert "root:" not in whole
    assert "evil.example" not in whole
    assert "<script>alert(1)</script>" in text(told.description), "markup is text"


@pytest.mark.parametrize(
    "bomb",
    [
        "".join("  " * depth + "- x\n\n" for depth in range(2000)),
        "*a " * 20_000,
        "`a " * 20_000,
        ".. |a0| replace:: x\n" + "".join(f".. |a{n + 1}| replace:: {f'|a{n}| ' * 9}\n" for n in range(9)) + "\n|a9|",
        ":math:`" + "{" * 5000 + "`",
        ":math:`" + r"\frac{1}" * 2000 + "`",
        "=" * 10_000 + "\nx\n" + "=" * 10_000,
        "Args:\n" * 3000,
        "x\n" + "\x00\ufffe",
    ],
)  # fmt: skip
def test_a_bomb_is_shown_or_cut(bomb: str) -> None:
    shown = rendered(bomb)
    assert len(shown.model_dump_json()) < 10_000_000


def test_a_formula_that_cannot_be_set_is_its_source() -> None:
    assert formula(r"\unheardof{x}", display=False) == Element(tag="code", content=[r"\unheardof{x}"])


def test_nothing_documented_is_an_empty_card() -> None:
    def silent() -> None: ...

    assert rendered(text_of(silent)) == Help()


def test_own_docstrings_are_read_without_being_run() -> None:
    from layerloom.catalogue.own import docstring

    source = 'import torch\n\nclass Mine(torch.nn.Module):\n    """Says so.\n\n    Args:\n        x: it\n    """\n'
    told = rendered(docstring("Mine", source))
    assert text(told.description) == "Says so."
    assert told.parameters[0].name == "x"
    assert docstring("Mine", "class Mine(") == ""
    assert docstring("Other", source) == ""


def test_what_the_process_knows_of_docutils_is_not_changed_by_a_docstring() -> None:
    from docutils.parsers.rst import roles

    help_of("torch.nn.Linear")
    before: dict[str, Any] = dict(roles._roles)
    rendered(".. role:: custom\n\n:custom:`x` :other:`y`\n\n.. default-role:: math\n\n`z`")
    assert roles._roles == before
    assert torch.nn.Linear.__doc__
