"""Example networks, as programs for torch and for other runtimes, give torch's numbers at any batch size.

Those whose export takes longest, and those made of the same operations as another one, are exported by ``make endure``.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor

from layerloom.graph import build
from layerloom.graph.examples import examples
from layerloom.graph.exporting import Exported, export
from layerloom.graph.lab.samples import batch_of, tensors
from layerloom.schema.document import Document

ENDURING = {
    *("alexnet-small", "autoencoder", "convnext-block", "dcgan-generator", "densenet-small", "inception-block"),
    *("list-net", "lenet5", "lstm-classifier", "mlp-mixer", "mobilenetv3-small", "resnet18", "staged-cnn", "vgg11"),
}
DOCUMENTS = {
    example.id: example.document
    for example in examples()
    if os.environ.get("LAYERLOOM_EXPORTS") == "all" or example.id not in ENDURING
}
GOLDEN = Path(__file__).parents[3] / "contract" / "golden"
SEVERAL = {name: Document.model_validate_json((GOLDEN / f"{name}.json").read_bytes()) for name in ("heads", "two_ways")}
"""A dictionary of outputs; two inputs and a tuple of outputs."""
NEAR = 1e-5
BATCHES = (1, 2, 7)
"""The programs were made from two samples and proven with five."""


@pytest.fixture(params=DOCUMENTS | SEVERAL)
def document(request: pytest.FixtureRequest) -> Document:
    return (DOCUMENTS | SEVERAL)[request.param]


def given(document: Document, size: int) -> dict[str, Tensor]:
    return batch_of(document, size, torch.Generator().manual_seed(size))


def same(one: Any, other: Any) -> None:
    torch.testing.assert_close(other, one, rtol=0, atol=NEAR)


def reported(exported: Exported) -> None:
    assert [found.batch for found in exported.report.verified] == [2, 5]
    assert max(found.max_absolute for found in exported.report.verified) <= NEAR
    assert exported.report.bytes == len(exported.content)


def test_a_program_for_torch(document: Document) -> None:
    module = build(document, seed=3).eval()
    exported = export(document, module.state_dict(), "pt2")
    program = torch.export.load(io.BytesIO(exported.content)).module()
    for size in BATCHES:
        inputs = given(document, size)
        same(module(**inputs), program(*inputs.values()))
    reported(exported)


def test_a_program_for_other_runtimes(document: Document) -> None:
    module = build(document, seed=3).eval()
    exported = export(document, module.state_dict(), "onnx")
    session = onnxruntime.InferenceSession(exported.content, providers=["CPUExecutionProvider"])
    for size in BATCHES:
        inputs = given(document, size)
        with torch.no_grad():
            expected = module(**inputs)
        got = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        same(tensors(expected), [torch.from_numpy(item) for item in got])
    reported(exported)
    assert {axis.shape[0] for axis in session.get_inputs()} == {"batch"}
    names = [output.name for output in session.get_outputs()]
    match expected:
        case dict():
            assert names == list(expected)
        case tuple():
            assert names == [f"output_{index}" for index in range(len(expected))]
        case _:
            assert names == ["output"]


def test_a_program_of_torchscript(document: Document) -> None:
    module = build(document, seed=3).eval()
    exported = export(document, module.state_dict(), "torchscript")
    with pytest.warns(FutureWarning):
        program = torch.jit.load(io.BytesIO(exported.content))
    for size in BATCHES:
        inputs = given(document, size)
        same(module(**inputs), program(**inputs))
    reported(exported)
    assert any("deprecated" in note for note in exported.report.notes)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
