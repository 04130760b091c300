"""Layers of one's own in Python: run where that is allowed and nowhere else, tried in full, written verbatim."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerloom.graph import GraphError, build, check, to_python
from layerloom.graph.comparing import diff, merge
from layerloom.graph.custom import CHECK, CONFIRM, EXAMINE, PYTHON, ask
from layerloom.graph.custom.apart import TASKS
from layerloom.graph.sandbox import Limits, Warm
from layerloom.schema.document import Document
from layerloom.schema.own import Examination, OwnLayerRequest
from layerloom.schema.problems import ProblemCode

SWISH = '''import math
from typing import Optional

import torch
import torch.nn as nn


class SwishGate(nn.Module):
    """Gates by a swish.

    Args:
        width: number of features
    """

    def __init__(self, width: int, beta: float = 1.0):
        super().__init__()
        self.proj = nn.Linear(width, width)
        self.register_buffer("beta", torch.tensor(beta))

    def forward(self, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        gated = x * torch.sigmoid(self.beta * self.proj(x)) * math.sqrt(2)
        return gated if mask is None else gated * mask
'''
SIGN = """import torch
from torch.autograd import Function


class Sign(Function):
    @staticmethod
    def forward(ctx, x, scale: float):
        return torch.sign(x) * scale

    @staticmethod
    def backward(ctx, grad):
        return grad, None
"""
WRONG = """import torch
from torch import nn


class WrongSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x


class Square(nn.Module):
    def forward(self, x):
        return WrongSquare.apply(x)
"""
FORGETFUL = """import torch
from torch import nn


class Forgetful(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.secret = torch.randn(width)

    def forward(self, x):
        return x * self.secret
"""
COARSE = """import torch
from torch import nn


class Coarse(nn.Module):
    def forward(self, x):
        return x.float() * 2
"""
FIXED = """from torch import nn


class Fixed(nn.Module):
    def forward(self, x):
        return x.view(2, 4) * 2
"""
ENDLESS = """from torch import nn


class Endless(nn.Module):
    def __init__(self):
        super().__init__()
        while True:
            pass

    def forward(self, x):
        return x
"""
HUNGRY = """from torch import nn


class Hungry(nn.Module):
    def __init__(self):
        super().__init__()
        self.kept = [bytearray(2**24) for _ in range(10**6)]

    def forward(self, x):
        return x
"""
PAYLOAD = """from torch import nn


def told(cls):
    open({canary!r}, "w").write("ran")
    return cls


@told
class Quiet(nn.Module):
    def forward(self, x, note=open({canary!r}, "a")):
        return x * 2
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    """One process for texts that do no harm, because each takes seconds to start."""
    process = Warm(tasks=TASKS)
    yield process
    process.close()


def request(name: str, source: str, **given: Any) -> OwnLayerRequest:
    return OwnLayerRequest.model_validate({"name": name, "source": source, "inputs": {"x": {"shape": [4]}}, **given})


def examined(within: Warm, name: str, source: str, **given: Any) -> Examination:
    return ask(EXAMINE, request(name, source, **given), within=within)


def drawn(**code: str) -> Document:
    """A network of both kinds of own layers, with a layer of torch between them."""
    gate = {"kind": "layer", "name": "gate", "target": "python.SwishGate", "arguments": {"width": 4, "beta": 0.5}}
    head = {"kind": "layer", "name": "head", "target": "torch.nn.Linear"}
    nodes = [
        {"op": "call", "id": "a", "target": "gate", "arguments": {"x": {"$ref": "x"}}},
        {"op": "call", "id": "b", "target": "head", "arguments": {"input": {"$ref": "a"}}},
        {"op": "function", "id": "c", "target": "python.Sign", "arguments": {"x": {"$ref": "b"}, "scale": 3.0}},
    ]
    return Document.model_validate(
        {
            "main": "Net",
            "blocks": {
                "Net": {
                    "members": [gate, {**head, "arguments": {"in_features": {"$auto": True}, "out_features": 2}}],
                    "forward": {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": "c"}},
                }
            },
            "inputs": {"x": {"shape": [4]}},
            "code": {name: {"source": source} for name, source in (code or {"SwishGate": SWISH, "Sign": SIGN}).items()},
        }
    )


# --- what is tried


def test_a_module_has_the_form_of_torchs_own_layers_and_passes(warm: Warm) -> None:
    found = examined(warm, "SwishGate", SWISH, arguments={"width": 4})
    assert found.problems == []
    entry = found.entry
    assert (entry.name, entry.category, entry.summary) == ("python.SwishGate", "your layers", "Gates by a swish.")
    assert [(one.name, one.kinds, one.required, one.default) for one in entry.parameters] == [
        ("width", ["int"], True, None),
        ("beta", ["float"], False, 1.0),
    ]
    assert entry.parameters[0].doc == "number of features"
    assert [(port.name, port.required) for port in entry.inputs] == [("x", True), ("mask", False)]
    assert found.model_dump()["outputs"] == {"shape": [2, 4], "dtype": "float32", "batch_axes": [0]}


def test_a_straight_through_function_is_an_operation_and_told_of(warm: Warm) -> None:
    found = examined(warm, "Sign", SIGN, arguments={"scale": 2.0})
    assert [(item.code, item.severity) for item in found.problems] == [(ProblemCode.GRADIENT_WRONG, "warning")]
    assert "straight-through" in found.problems[0].message
    assert [(one.name, one.kinds) for one in found.entry.parameters] == [("x", ["tensor"]), ("scale", ["float"])]


@pytest.mark.parametrize(
    ("name", "source", "arguments", "code", "severity"),
    [
        ("Square", WRONG, {}, ProblemCode.GRADIENT_WRONG, "warning"),
        ("Forgetful", FORGETFUL, {"width": 4}, ProblemCode.STATE_INCOMPLETE, "error"),
        ("Coarse", COARSE, {}, ProblemCode.DTYPE_MISMATCH, "warning"),
        ("Fixed", FIXED, {}, ProblemCode.BATCH_FIXED, "error"),
        ("Forgetful", FORGETFUL, {}, ProblemCode.MISSING_ARGUMENT, "error"),
        ("Forgetful", FORGETFUL, {"width": 5}, ProblemCode.SHAPE_MISMATCH, "error"),
    ],
)
def test_what_is_wrong_with_a_layer_is_found(
    warm: Warm, name: str, source: str, arguments: dict[str, Any], code: ProblemCode, severity: str
) -> None:
    found = examined(warm, name, source, arguments=arguments)
    assert (code, severity) in [(item.code, item.severity) for item in found.problems]


def test_a_layer_that_never_ends_is_ended() -> None:
    with pytest.raises(GraphError) as caught:
        ask(EXAMINE, request("Endless", ENDLESS), limits=Limits(wall_s=15))
    assert [item.code for item in caught.value.problems] == [ProblemCode.PYTHON_EXHAUSTED]


def test_a_layer_that_eats_memory_is_told_of_and_takes_no_more_than_it_may() -> None:
    """Python is refused the memory, which is an error of the layer as any; what goes on regardless is ended."""
    try:
        found = ask(EXAMINE, request("Hungry", HUNGRY), limits=Limits(memory=2**31)).problems
    except GraphError as error:
        found = error.problems
    (code,) = [item.code for item in found if item.severity == "error"]
    assert code in (ProblemCode.OVERFLOW, ProblemCode.PYTHON_EXHAUSTED)


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("class Net(nn.Module): pass", None, "there is no class Quiet"),
        ("class Quiet(:", 1, "no Python"),
        ("import os\n\n\nclass Quiet: pass", 1, "os cannot be imported"),
        ("from . import x\n\n\nclass Quiet: pass", 1, "cannot be imported"),
        ("class Quiet:\n    def f(self):\n        import socket", 3, "socket cannot be imported"),
        ("from math import *\n\n\nclass Quiet: pass", 1, "not *"),
        ("import math; x = 1\n\n\nclass Quiet: pass", 1, "a line of its own"),
        ("class Quiet: pass\nprint(1)", 2, "and nothing else"),
        ("class Quiet: pass", None, "neither an nn.Module"),
        ("from torch import nn\n\n\nclass Quiet(nn.Module):\n    a = 1 / 0", 5, "ZeroDivisionError"),
    ],
)
def test_a_text_that_cannot_be_a_layer_is_refused_with_its_line(
    warm: Warm, source: str, line: int | None, said: str
) -> None:
    with pytest.raises(GraphError) as caught:
        examined(warm, "Quiet", source)
    (found,) = caught.value.problems
    assert found.code is ProblemCode.PYTHON_INVALID
    assert said in found.message
    assert found.data["line"] == line
    assert found.pointer == "/code/Quiet/source"


# --- where nothing is allowed


def test_nothing_runs_where_it_is_not_allowed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    source = PAYLOAD.format(canary=str(canary))
    document = drawn(SwishGate=SWISH, Sign=SIGN, Quiet=source)
    report = check(document)
    assert [(item.code, item.pointer) for item in report.problems] == [(ProblemCode.PYTHON_DISABLED, "/code")]
    assert "--allow-python" in report.problems[0].message
    for attempt in (to_python, build):
        with pytest.raises(GraphError) as caught:
            attempt(document)
        assert [item.code for item in caught.value.problems] == [ProblemCode.PYTHON_DISABLED]
    assert not canary.exists()


def test_the_same_text_runs_where_it_is_allowed(warm: Warm) -> None:
    """So that the test above can fail; the canary is a file of the sandbox."""
    assert examined(warm, "Quiet", PAYLOAD.format(canary="canary") + LOOKS_AFTER).problems == []


LOOKS_AFTER = """
    def train(self, mode=True):
        assert open("canary").read() == "ran"
        return super().train(mode)
"""


def test_a_name_that_no_document_carries_does_not_exist() -> None:
    document = drawn().model_copy(update={"code": {}})
    codes = {item.code for item in check(document).problems}
    assert codes >= {ProblemCode.UNKNOWN_LAYER, ProblemCode.UNKNOWN_OPERATION}


# --- documents that carry code


def test_a_document_is_checked_confirmed_and_written_apart(warm: Warm) -> None:
    document = drawn()
    report = ask(CHECK, document, within=warm)
    assert report.problems == []
    assert report.totals.parameters == 4 * 4 + 4 + 4 * 2 + 2
    assert ask(CONFIRM, document, within=warm).problems == []
    source = ask(PYTHON, document, within=warm).source
    for text in (SWISH, SIGN):
        assert text[text.index("class ") :] in source
    assert source.startswith(
        "# Written by LayerLoom.\n\nimport math\nfrom typing import Optional\n\nimport torch\nfrom torch import nn\n"
        "from torch.autograd import Function\n\n\nclass SwishGate"
    )
    assert "self.gate = SwishGate(4, beta=0.5)" in source
    assert "return Sign.apply(x, 3.0)" in source or "Sign.apply(self.head(self.gate(x)), 3.0)" in source


ALONE = """
import sys, torch
sys.modules["layerloom"] = None
exec(compile(open(sys.argv[1]).read(), "net", "exec"))
torch.manual_seed(0)
net = Net()
print(list(net.state_dict()))
net(torch.randn(3, 4)).sum().backward()
print(net.gate.proj.weight.grad is not None)
"""


def test_the_written_file_runs_alone(warm: Warm, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(ask(PYTHON, drawn(), within=warm).source)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "net.py")], capture_output=True, text=True, check=True
    )
    keys = ["gate.beta", "gate.proj.weight", "gate.proj.bias", "head.weight", "head.bias"]
    assert done.stdout.splitlines() == [str(keys), "True"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ({"SwishGate": SWISH, "Sign": SIGN, "Net": SIGN.replace("Sign", "Net")}, ProblemCode.NAME_DUPLICATE),
        (
            {"SwishGate": SWISH, "Sign": SIGN.replace("Sign(", "SwishGate:\n    pass\n\n\nclass Sign(")},
            "name_duplicate",
        ),
        ({"SwishGate": SWISH, "Sign": f"import itertools as math\n{SIGN}"}, ProblemCode.PYTHON_INVALID),
        ({"SwishGate": SWISH, "Sign": f"import math as F\n{SIGN}"}, ProblemCode.PYTHON_INVALID),
        ({"SwishGate": SWISH, "Sign": SIGN.replace("class Sign", "unpacked = 1\n\n\nclass Sign")}, "name_reserved"),
        ({"SwishGate": SWISH, "Sign": SIGN, "a b": SIGN}, ProblemCode.NAME_INVALID),
        ({"SwishGate": SWISH}, ProblemCode.UNKNOWN_OPERATION),
    ],
)
def test_names_of_one_file_mean_one_thing(warm: Warm, code: dict[str, str], problem: str) -> None:
    assert problem in [item.code for item in ask(CHECK, drawn(**code), within=warm).problems]


IN_PROCESS = """
import json, sys, torch, layerloom
first, second = (layerloom.Document.model_validate(one) for one in json.load(open(sys.argv[1])))
layerloom.allow_python()
print(layerloom.check(first).outputs.shape)
x = torch.ones(3, 4)
a, b = layerloom.build(first, seed=0)(x), layerloom.build(second, seed=0)(x)
print(torch.equal(2 * a, b), layerloom.check(first).ok, torch.equal(layerloom.build(first, seed=0)(x), a))
"""


def test_a_process_that_allows_it_follows_every_change_of_a_text(tmp_path: Path) -> None:
    documents = [drawn(), drawn(SwishGate=SWISH, Sign=SIGN.replace("* scale", "* scale * 2"))]
    file = tmp_path / "documents.json"
    file.write_text(json.dumps([one.model_dump(mode="json", by_alias=True) for one in documents]))
    done = subprocess.run([sys.executable, "-c", IN_PROCESS, str(file)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[2, 2]", "True True True"], done.stderr


def test_differences_and_merges_know_of_code() -> None:
    base = drawn()
    mine = drawn(SwishGate=SWISH.replace("sqrt(2)", "sqrt(3)"), Sign=SIGN)
    theirs = drawn(SwishGate=SWISH, Sign=SIGN, Square=WRONG)
    changes = diff(base, mine).changes
    assert [(change.kind, change.what, change.name) for change in changes] == [("changed", "code", "SwishGate")]
    merged = merge(base, mine, theirs)
    assert merged.document.code == {**mine.code, "Square": theirs.code["Square"]}
