"""Blocks from expressions: the same numbers as the expression in Python, the same text again, and nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from layerloom.graph import GraphError, build, to_python
from layerloom.graph.editing import block_from_expression
from layerloom.schema.document import Block, Document, InputExample
from layerloom.schema.problems import ProblemCode

Shapes = Mapping[str, Sequence[int]]


def drawn(block: Block, inputs: Shapes) -> Document:
    examples = {name: InputExample(shape=list(shape)) for name, shape in inputs.items()}
    return Document(main="Net", blocks={"Net": block}, inputs=examples)


RIGHT: list[tuple[str, Shapes, Shapes, str]] = [
    ("x * sigmoid(gate)", {}, {"x": [4], "gate": [4]}, "return x * torch.sigmoid(gate)"),
    (
        "x * rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight",
        {"weight": [4]},
        {"x": [4]},
        "return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6) * self.weight",
    ),
    ("x[:, :2] + silu(x[:, 2:] * (2 + 3))", {}, {"x": [4]}, "return x[:, :2] + F.silu(x[:, 2:] * (2 + 3))"),
    ("where(x > 0, x, slope * x)", {"slope": [1]}, {"x": [4]}, ""),
    ("max(x, y) - min(x, y)", {}, {"x": [4], "y": [4]}, "return torch.maximum(x, y) - torch.minimum(x, y)"),
    ("einsum('bi,bj->bij', x, y)", {}, {"x": [4], "y": [3]}, 'return torch.einsum("bi,bj->bij", x, y)'),
    ("cat([x, -y], dim=1), x.mT", {}, {"x": [4, 3], "y": [2, 3]}, "return torch.cat([x, -y], dim=1), x.mT"),
    ("x.view(x.shape[0], -1) @ w.mT", {"w": [5, 12]}, {"x": [4, 3]}, "return x.view(x.shape[0], -1) @ self.w.mT"),
    ("torch.fft.rfft(x).abs()", {}, {"x": [8]}, "return torch.fft.rfft(x).abs()"),
]


def by_hand(text: str, values: Mapping[str, Any]) -> Any:
    short = {name: getattr(torch, name) for name in ("sigmoid", "rsqrt", "where", "einsum", "cat")}
    short |= {"silu": F.silu, "max": torch.maximum, "min": torch.minimum, "torch": torch}
    return eval(text, {**short, **values})


@pytest.mark.parametrize(("text", "parameters", "inputs", "line"), RIGHT)
def test_a_block_computes_what_its_text_says_and_shows_it_again(
    text: str, parameters: Shapes, inputs: Shapes, line: str
) -> None:
    block = block_from_expression(text, "Net", parameters)
    assert [item.name for item in block.forward.inputs] == list(inputs)
    document = drawn(block, inputs)
    module = build(document, seed=1)
    assert list(module.state_dict()) == list(parameters)
    for batch in (2, 5):
        given = {name: torch.randn(batch, *shape) for name, shape in inputs.items()}
        expected = by_hand(text, {**given, **dict(module.named_parameters())})
        found = module(**given)
        pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
        assert all(torch.equal(one, other) for one, other in pairs)
    assert line in to_python(document)


def problem(text: str, **given: Any) -> Any:
    with pytest.raises(GraphError) as caught:
        block_from_expression(text, **given)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "code", "column", "near"),
    [
        ("x * sigmod(gate)", ProblemCode.UNKNOWN_OPERATION, 5, "torch.sigmoid"),
        ("x + y.vieww(2)", ProblemCode.UNKNOWN_OPERATION, 5, "torch.Tensor.view"),
        ("x + y.sigmoid", ProblemCode.EXPRESSION_INVALID, 5, None),
        ("x + y.shap", ProblemCode.UNKNOWN_OPERATION, 5, "torch.Tensor.shape"),
        ("x < y < z", ProblemCode.EXPRESSION_INVALID, 1, None),
        ("x + (y and z)", ProblemCode.EXPRESSION_INVALID, 6, None),
        ("x if y else z", ProblemCode.EXPRESSION_INVALID, 1, None),
        ("x +* y", ProblemCode.EXPRESSION_INVALID, 4, None),
        ("", ProblemCode.EXPRESSION_INVALID, 1, None),
        ("'ä' + 3 * é", ProblemCode.NAME_INVALID, 11, None),
        ("x * softmax(y, foo=2)", ProblemCode.EXPRESSION_INVALID, 5, None),
        ("x + self", ProblemCode.NAME_RESERVED, 5, None),
        ("2 + 3", ProblemCode.EXPRESSION_INVALID, None, None),
    ],
)
def test_a_problem_says_where_and_what_was_meant(
    text: str, code: ProblemCode, column: int | None, near: str | None
) -> None:
    found = problem(text)
    assert (found.code, found.data.get("column")) == (code, column)
    assert near is None or near in found.data["nearest"]


@pytest.mark.parametrize(
    "given", [{"name": "a b"}, {"name": "nn"}, {"parameters": {"forward": [1]}}, {"parameters": {"scale": [1]}}]
)
def test_names_are_checked_and_parameters_have_to_be_read(given: dict[str, Any]) -> None:
    assert problem("x * 2", **given).message


HOSTILE = {
    "import": "__import__('os').system('touch {canary}')",
    "import in an index": "x[__import__('os').system('touch {canary}')]",
    "open": "open('{canary}', 'w')",
    "exec": "exec('import os')",
    "through torch": "torch.os.system('touch {canary}')",
    "load": "torch.load('{canary}')",
    "save": "torch.save(x, '{canary}')",
    "class": "().__class__",
    "classes": "x.__class__.__base__.__subclasses__()",
    "reduce": "x.__reduce__()",
    "numpy": "x.numpy().tofile('{canary}')",
    "lambda": "(lambda: x)()",
    "comprehension": "[x for y in x]",
    "f-string": "f'{{x}}'",
    "walrus": "(x := x)",
    "a call of a call": "torch.sigmoid(x)(x)",
    "power": "9**9**9",
    "power of a tensor": "x * 9**9**9",
    "shift of numbers": "x + (1 << 9999999999)",
    "a long text of numbers": "x.view('a' * 10**9)",
    "long": "x+" * 500_000 + "x",
    "nested brackets": "(" * 1_000 + "x" + ")" * 1_000,
    "nested calls": "sigmoid(" * 200 + "x" + ")" * 200,
    "nested signs": "-" * 1_900 + "x",
    "a long sum": "x+" * 900 + "x",
    "a long number": "x * " + "9" * 1_900,
    "NUL": "x\0",
    "lines": "x\nimport os",
    "comment": "x # y",
    "escape": "x['\\x00']",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_gives_a_problem_and_nothing_runs(kind: str, tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    assert len(problem(HOSTILE[kind].format(canary=canary)).message) < 500
    assert not canary.exists()
