"""Blocks from a line of text, over the API."""

from __future__ import annotations

import httpx
import pytest
import torch

from layerloom.graph import build
from layerloom.schema.document import Document
from unit.graph.editing.test_expression import HOSTILE


def test_an_expression_becomes_a_block_that_can_be_drawn(user: httpx.Client) -> None:
    body = {"text": "x * sigmoid(x @ gate)", "name": "Gate", "parameters": {"gate": [4, 4]}}
    answer = user.post("/api/graphs/expression", json=body)
    assert answer.status_code == 200, answer.text
    block = answer.json()
    document = Document.model_validate({"main": "Gate", "blocks": {"Gate": block}, "inputs": {"x": {"shape": [4]}}})
    module = build(document, seed=0)
    x = torch.randn(3, 4)
    assert torch.equal(module(x), x * torch.sigmoid(x @ module.gate))


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_answered_with_its_problem(user: httpx.Client, kind: str) -> None:
    answer = user.post("/api/graphs/expression", json={"text": HOSTILE[kind].format(canary="/nowhere")})
    assert answer.status_code in (400, 413, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_column_is_told(user: httpx.Client) -> None:
    answer = user.post("/api/graphs/expression", json={"text": "x * sigmod(gate)"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["code"] == "unknown_operation"
    assert error["problem"]["data"] == {
        "column": 5,
        "nearest": ["torch.sigmoid", "torch.Tensor.sigmoid", "torch.Tensor.sigmoid_"],
    }
