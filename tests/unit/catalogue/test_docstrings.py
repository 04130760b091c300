"""Reading docstrings."""

from __future__ import annotations

import pytest

from layerloom.catalogue.introspection.docstrings import arguments, first_sentence, plain, summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Applies :class:`~torch.nn.Linear` to ``input``.", "Applies torch.nn.Linear to input."),
        (":math:`y = xA^T + b` holds", "y = xA^T + b holds"),
        (r"size :math:`(N, C_{\text{in}}, L)`", "size (N, C_in, L)"),
        (r"the sum :math:`\sum_i x_i` of all", "the sum of all"),
        ("see `the paper <https://example.org>`_ by *them*", "see the paper by them"),
        ("two\n   lines", "two lines"),
    ],
)
def test_plain_text(text: str, expected: str) -> None:
    assert plain(text) == expected


def _documented(doc: str) -> object:
    def function() -> None: ...

    function.__doc__ = doc
    return function


def test_summary_is_the_first_paragraph_after_signatures_and_notes() -> None:
    doc = "mean(input, *, dtype=None) -> Tensor\n\n.. note:: an aside\n\nReturns the mean. Always:\n\n.. math:: x\n"
    assert summary(_documented(doc)) == "Returns the mean."


def test_summary_of_nothing_is_empty() -> None:
    assert summary(_documented("")) == ""


def test_arguments() -> None:
    doc = """Does something.

    Args:
        size (int or tuple): how large. A second sentence.
        mode (str, optional): one of ``'near'`` or
            ``'far'``. Default: ``'near'``
        a, b: two at once

    Shape:
        - Input: not an argument
    """
    said = arguments(doc)
    assert set(said) == {"size", "mode", "a", "b"}
    assert said["size"].type == "int or tuple"
    assert said["size"].sentence() == "how large"
    assert said["mode"].choices() == ["near", "far"]
    assert said["b"].text == "two at once"


def test_first_sentence_keeps_numbers_whole() -> None:
    assert first_sentence("at least 0.5 of it. Then more.") == "at least 0.5 of it"
