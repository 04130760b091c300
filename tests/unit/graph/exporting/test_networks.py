"""What networks may be made of: every program format takes it, or says why not."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import layerloom
from layerloom.graph import build
from layerloom.graph.exporting import FORMATS, Exported, export, load_state, save_safetensors
from layerloom.schema.document import Document
from unit.graph.checking.drawing import call, chain, expr, function, get, layer, network, parsed, ref

LINEAR = layer("fc", "Linear", in_features=8, out_features=8)
PROGRAMS = ("pt2", "onnx", "torchscript")


def with_inputs(document: dict[str, Any], *names: str) -> Document:
    """Those with ``?`` are optional; the examples stay as they are."""
    given = [{"name": name.rstrip("?"), "optional": name.endswith("?")} for name in names]
    document["blocks"]["Net"]["forward"]["inputs"] = given
    return parsed(document)


def loaded(exported: Exported) -> nn.Module:
    return torch.export.load(io.BytesIO(exported.content)).module()


def proven(document: Document, *formats: str, batches: Any = (2, 5)) -> list[Exported]:
    """Written, and held against torch by the exporter; that it does so is proven in ``test_failures``."""
    made = [export(document, None, format) for format in formats or PROGRAMS]
    for exported in made:
        assert [item.batch for item in exported.report.verified] == list(batches)
        assert all(item.max_absolute <= 1e-5 for item in exported.report.verified)
    return made


def test_inputs_that_are_left_out() -> None:
    added = [function("y", "torch.add", input=ref("x"), other=ref("z"))]
    inputs = {"x": {"shape": [8]}, "z": {"shape": [8]}}
    last = with_inputs(network([], added, inputs=inputs), "x", "mask?", "z")
    proven(last)
    between = with_inputs(network([], added, inputs=inputs), "x", "mask?", "z?")
    program = loaded(proven(between, "pt2", "onnx")[0])
    assert torch.equal(program(torch.ones(3, 8), None, torch.ones(3, 8)), torch.full((3, 8), 2.0))


def test_an_input_without_a_batch_axis() -> None:
    inputs = {"x": {"shape": [8]}, "weights": {"shape": [8], "batch": False}}
    proven(parsed(network([], [function("y", "torch.mul", input=ref("x"), other=ref("weights"))], inputs=inputs)))


def test_a_network_without_a_batch() -> None:
    document = parsed(chain(LINEAR, shape=[3, 8]))
    whole = document.model_copy(update={"inputs": {"x": document.inputs["x"].model_copy(update={"batch": False})}})
    proven(whole, *PROGRAMS, "int8_pt2", batches=[None])


def test_outputs_in_tuples_and_dictionaries() -> None:
    output = {"$dict": {"same": ref("x"), "both": {"$tuple": [ref("a"), ref("a")]}}}
    document = parsed(network([LINEAR], [call("a", "fc", "x")], output))
    program, file = proven(document, "pt2", "onnx")
    assert list(loaded(program)(torch.zeros(4, 8))) == ["same", "both"]
    import onnxruntime

    names = [item.name for item in onnxruntime.InferenceSession(file.content).get_outputs()]
    assert names == ["same", "both_0", "both_1"]


def test_buffers_and_tied_weights() -> None:
    members = [
        LINEAR,
        layer("other", "Linear", in_features=8, out_features=8),
        {"kind": "alias", "name": "other.weight", "of": "fc.weight"},
        {"kind": "buffer", "name": "steps", "shape": [8], "fill": "arange"},
        {"kind": "buffer", "name": "mask", "shape": [8], "fill": 2, "persistent": False},
    ]
    nodes = [
        get("s", "steps"),
        get("m", "mask"),
        call("a", "fc", "x"),
        call("b", "other", "a"),
        function("c", "operator.add", input=ref("b"), other=ref("s")),
        function("d", "operator.mul", input=ref("c"), other=ref("m")),
    ]
    document = parsed(network(members, nodes))
    program = proven(document)[0]
    assert (
        sum(tensor.numel() == 64 for tensor in torch.export.load(io.BytesIO(program.content)).state_dict.values()) <= 2
    )
    state = torch.load(io.BytesIO(export(document, None, "pt").content))
    assert state["fc.weight"].data_ptr() == state["other.weight"].data_ptr()
    assert list(state) == list(build(document).state_dict())


@pytest.mark.parametrize(
    "shared", [torch.randn(4, 6).t(), torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last)]
)
def test_tied_weights_in_another_order_of_memory_are_written(shared: Tensor, tmp_path: Path) -> None:
    save_safetensors({"first": shared, "second": shared}, tmp_path / "state.safetensors", {})
    state = load_state(tmp_path / "state.safetensors")
    assert list(state) == ["first", "second"]
    assert all(torch.equal(tensor, shared) for tensor in state.values())


def test_what_is_done_in_training_only_is_left_out() -> None:
    nodes = [
        call("a", "fc", "x"),
        function("b", "operator.mul", input=ref("a"), other=100) | {"when": "training"},
        function("c", "torch.nn.functional.dropout", input=ref("a"), p=0.5, training=expr("training")),
    ]
    either = {"$if": "training", "then": {"$tuple": [ref("c"), ref("b")]}, "else": ref("c")}
    document = parsed(network([LINEAR], nodes, either))
    module = build(document, seed=0).eval()
    x = torch.ones(3, 8)
    for exported in proven(document):
        if exported.report.format == "pt2":
            torch.testing.assert_close(loaded(exported)(x), module(x), rtol=0, atol=1e-6)


def test_an_encoder_whose_fused_kernel_no_other_runtime_has() -> None:
    encoder = layer("encoder", "TransformerEncoderLayer", d_model=8, nhead=2, dim_feedforward=16, batch_first=True)
    document = parsed(chain(encoder, shape=[5, 8]))
    frozen = document.model_copy(update={"frozen": ["*"]})
    proven(frozen, *PROGRAMS, "int8_pt")


def test_random_numbers_in_evaluation() -> None:
    document = parsed(network([], [function("r", "torch.rand_like", input=ref("x"))]))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    for exported in proven(document, "pt2", "onnx"):
        assert any("only shapes were compared" in note for note in exported.report.notes)
    assert torch.equal(torch.rand(3), expected), "those of others are left alone"


def test_a_batch_of_one_is_not_promised_where_it_does_not_work() -> None:
    """A window of two samples needs two."""
    nodes = [function("y", "torch.Tensor.unfold", input=ref("x"), dimension=0, size=2, step=1)]
    [exported] = proven(parsed(network([], nodes)), "pt2")
    assert "It does not take a batch of one sample." in exported.report.notes


@pytest.mark.parametrize(("target", "kind"), [("torch.cumsum", "int64"), ("torch.cumsum", "float64")])
def test_other_kinds_of_numbers(target: str, kind: str) -> None:
    inputs = {"x": {"shape": [4], "dtype": kind, **({"high": 9} if kind == "int64" else {})}}
    proven(parsed(network([], [function("y", target, input=ref("x"), dim=1)], inputs=inputs)))


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "python"])
def test_nothing_is_changed_by_it(format: str) -> None:
    """Neither the weights, nor the module that they are of, nor random numbers, nor what is shown as a warning."""
    document = parsed(chain(LINEAR, layer("norm", "BatchNorm1d", num_features=8), layer("drop", "Dropout"), shape=[8]))
    module = layerloom.build(document, seed=2).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    made = layerloom.export(document, module.state_dict(), format)
    assert torch.equal(torch.rand(3), expected)
    assert all(part.training for part in module.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert made.content
    assert made.report.format == format


def test_weights_load_strictly_into_the_class() -> None:
    document = parsed(chain(LINEAR, layer("norm", "BatchNorm1d", num_features=8), shape=[8]))
    module = build(document, seed=2)
    for format in ("pt", "safetensors"):
        content = export(document, module.state_dict(), format).content
        state: dict[str, Tensor] = {}
        if format == "pt":
            state = torch.load(io.BytesIO(content), weights_only=True)
        else:
            from safetensors.torch import load

            state = load(content)
        again = build(document, seed=3)
        again.load_state_dict(state, strict=True)
        assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in again.state_dict().items())


def test_python_is_the_source_that_runs(tmp_path: Any) -> None:
    document = parsed(chain(LINEAR, shape=[8]))
    exported = export(document, None, "python")
    exported.save(tmp_path / "net.py")
    assert (tmp_path / "net.py").read_text() == layerloom.to_python(document)
