"""The ordinary shortcut of a residual block, in the forms in which people write it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from layerloom.graph import build, check
from layerloom.graph.importing.python import NotPlainError, read
from layerloom.schema.document import InputExample

TEXT = """
from torch import nn

class Block(nn.Module):
    def __init__(self, cin: int, cout: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, stride, 1)
{init}

    def forward(self, x):
        return nn.functional.relu(self.conv(x) + {call})

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Block(3, 8, 2)
        self.b = Block(8, 8)

    def forward(self, x):
        return self.b(self.a(x))
"""
PROJECTED = "nn.Sequential(nn.Conv2d(cin, cout, 1, stride), nn.BatchNorm2d(cout))"
TEST = "stride != 1 or cin != cout"
WHERE_THERE = "(x if self.short is None else self.short(x))"
NONE, SHORT = "self.short = nn.Identity()", f"self.short = {PROJECTED}"
IF, UNLESS = f"if {TEST}:", "if stride == 1 and cin == cout:"


def lines(*text: str) -> str:
    return "\n".join(f"        {line}" for line in text)


FORMS = {
    "a default": lines(NONE, IF, f"    {SHORT}"),
    "an empty Sequential": lines("self.short = nn.Sequential()", IF, f"    {SHORT}"),
    "if and else": lines(IF, f"    {SHORT}", "else:", f"    {NONE}"),
    "else and if": lines(UNLESS, f"    {NONE}", "else:", f"    {SHORT}"),
    "None": lines("self.short = None", IF, f"    {SHORT}"),
    "None otherwise": lines(IF, f"    {SHORT}", "else:", "    self.short = None"),
    "an expression": lines(f"{SHORT} if {TEST} else nn.Identity()"),
    "an expression, reversed": lines(f"{NONE} if cin == cout and stride == 1 else {PROJECTED}"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_shortcut_is_read_without_running_it(form: str) -> None:
    none = form.startswith("None")
    text = TEXT.format(init=FORMS[form], call=WHERE_THERE if none else "self.short(x)")
    document, notes = read(text, "Net")
    assert any("left out where it is an identity" in note for note in notes) != none
    document = document.model_copy(update={"inputs": {"x": InputExample(shape=[3, 8, 8])}})
    assert check(document).problems == []
    space: dict[str, Any] = {}
    exec(text, space)
    torch.manual_seed(0)
    module, twin = space["Net"](), build(document)
    twin.load_state_dict(module.state_dict())
    assert list(twin.state_dict()) == list(module.state_dict())
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(twin.eval()(x), module.eval()(x))
    assert torch.equal(twin.train()(x), module.train()(x))


@pytest.mark.parametrize(
    ("init", "call"),
    [
        # Two conditions are no two cases of one.
        (lines(IF, f"    {SHORT}", UNLESS, f"    {NONE}"), "self.short(x)"),
        # What is read of it otherwise is not there in the other case.
        (FORMS["a default"], "self.short(x) + len(list(self.short.parameters()))"),
        (lines(NONE, IF, f"    {SHORT}", "self.other = nn.Sequential(self.short)"), "self.short(x)"),
        (FORMS["a default"].replace("nn.Identity()", "nn.ReLU()"), "self.short(x)"),
        # The identity's place among the members would be before what stands between.
        (lines(NONE, "self.between = nn.Linear(1, 1)", IF, f"    {SHORT}"), "self.short(x)"),
        (lines(IF, "    self.short = None"), WHERE_THERE),
    ],
)
def test_what_is_no_mere_shortcut_is_refused(init: str, call: str) -> None:
    with pytest.raises(NotPlainError):
        read(TEXT.format(init=init, call=call), "Net")


def test_an_identity_that_comes_last_is_what_there_is() -> None:
    document, notes = read(TEXT.format(init=lines(IF, f"    {SHORT}", NONE), call="self.short(x)"), "Net")
    assert notes == []
    _, member = document.blocks["Block"].members
    assert (member.target, member.when) == ("torch.nn.Identity", None)


def test_the_refusal_tells_the_form_that_is_read() -> None:
    init = FORMS["a default"].replace("nn.Identity()", "nn.ReLU()")
    with pytest.raises(NotPlainError, match=r"one may be None, where forward says `if self.short is not None`"):
        read(TEXT.format(init=init, call="self.short(x)"), "Net")


CHOICE = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.BatchNorm1d(4)
        self.b = nn.BatchNorm1d(4)
        self.last = None
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = self.a(x) if self.training else self.b(x)
        if self.last is not None:
            x = self.last(x)
        return x
"""


def test_a_conditional_expression_calls_the_side_that_counts() -> None:
    """Else the running statistics of the other side would change, too."""
    document, _ = read(CHOICE, "Net")
    document = document.model_copy(update={"inputs": {"x": InputExample(shape=[4])}})
    assert [problem for problem in check(document).problems if problem.severity == "error"] == []
    space: dict[str, Any] = {}
    exec(CHOICE, space)
    module, twin = space["Net"](), build(document)
    twin.load_state_dict(module.state_dict())
    x = torch.randn(8, 4)
    for each in (module.train(), twin.train()):
        each(x)
    assert twin.state_dict()["b.num_batches_tracked"] == module.state_dict()["b.num_batches_tracked"] == 0
    assert all(torch.equal(twin.state_dict()[key], value) for key, value in module.state_dict().items())
    assert torch.equal(twin.eval()(x), module.eval()(x))
