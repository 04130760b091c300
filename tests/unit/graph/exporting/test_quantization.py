"""Weights as 8-bit whole numbers: how much smaller, how far off, and still the same program."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from layerloom.graph import GraphError, build
from layerloom.graph.exporting import FORMATS, Exported, export
from layerloom.schema.document import Document
from layerloom.schema.problems import ProblemCode
from unit.graph.checking.drawing import call, chain, function, get, layer, network, parsed, ref

WIDE = parsed(
    chain(
        layer("first", "Linear", in_features=256, out_features=512),
        layer("act", "ReLU"),
        layer("second", "Linear", in_features=512, out_features=128),
        shape=[256],
    )
)
INT8 = [name for name in FORMATS if name.startswith("int8")]


@pytest.fixture(params=INT8, scope="module")
def exported(request: pytest.FixtureRequest) -> Exported:
    return export(WIDE, build(WIDE, seed=1).state_dict(), request.param)


def test_a_linear_network_shrinks_to_less_than_a_third(exported: Exported) -> None:
    found = exported.report.quantization
    assert found is not None
    module = build(WIDE)
    assert found.bytes_before == sum(tensor.nbytes for tensor in module.state_dict().values())
    assert found.ratio == found.bytes_after / found.bytes_before <= 0.30
    plain = export(WIDE, None, exported.report.format.removeprefix("int8_").removeprefix("dynamic_"))
    if exported.report.format.endswith("pt2"):
        # A program's text takes the same place whatever the weights are.
        assert len(exported.content) - len(plain.content) < -0.6 * found.bytes_before
    else:
        assert len(exported.content) <= 0.30 * len(plain.content)
    assert found.quantized == ["first.weight", "second.weight"]
    assert found.kept == ["first.bias", "second.bias"]


def test_its_error_is_told(exported: Exported) -> None:
    found = exported.report.quantization
    assert found is not None
    assert found.error.batch == 16
    assert 0 < found.error.mean_absolute < found.error.max_absolute
    assert 0 < found.error.mean_relative < 0.02
    assert 0 < found.error.max_relative < 0.03
    assert [item.max_absolute for item in exported.report.verified] == [0, 0], "the file is the quantized network"


def test_the_error_is_measured_on_the_inputs_that_are_given() -> None:
    module = build(WIDE, seed=1).eval()
    x = torch.linspace(-3, 3, 11 * 256).reshape(11, 256)
    exported = export(WIDE, module.state_dict(), "int8_pt", inputs={"x": x})
    found = exported.report.quantization
    assert found is not None
    with torch.no_grad():
        expected, got = module(x).double(), loaded_state(exported, WIDE)(x).double()
    off = (got - expected).abs()
    assert found.error.batch == 11
    assert found.error.max_absolute == pytest.approx(float(off.max()), rel=1e-6)
    assert found.error.mean_absolute == pytest.approx(float(off.mean()), rel=1e-6)
    assert found.error.mean_relative == pytest.approx(float(off.mean() / expected.abs().mean()), rel=1e-6)


def loaded_state(exported: Exported, document: Document) -> torch.nn.Module:
    """As the note of the report says."""
    module = build(document).eval()
    module.load_state_dict(torch.load(io.BytesIO(exported.content), weights_only=True), strict=True, assign=True)
    return module


def test_the_program_needs_torch_alone(tmp_path: Path) -> None:
    """In a process that cannot import torchao."""
    x = torch.linspace(-1, 1, 5 * 256).reshape(5, 256)
    exported = export(WIDE, build(WIDE, seed=1).state_dict(), "int8_pt2")
    exported.save(tmp_path / "net.pt2")
    expected = torch.export.load(io.BytesIO(exported.content)).module()(x)
    program = (
        "import sys, torch\nsys.modules['torchao'] = None\n"
        "x = torch.linspace(-1, 1, 5 * 256).reshape(5, 256)\n"
        "torch.save(torch.export.load('net.pt2').module()(x), 'y.pt')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    torch.testing.assert_close(torch.load(tmp_path / "y.pt"), expected, rtol=0, atol=1e-6)


def tied(shared_by: str) -> Document:
    """Two layers with one weight."""
    other = (
        layer("other", "Linear", in_features=32, out_features=32)
        if shared_by == "Linear"
        else layer("other", "Embedding", num_embeddings=32, embedding_dim=32)
    )
    members = [
        layer("fc", "Linear", in_features=32, out_features=32),
        other,
        {"kind": "alias", "name": "other.weight", "of": "fc.weight"},
        layer("head", "Linear", in_features=32, out_features=32),
    ]
    nodes = [call("a", "other", "x"), call("b", "fc", "a"), call("c", "head", "b")]
    kind = {"shape": [32]} if shared_by == "Linear" else {"shape": [], "dtype": "int64", "high": 32}
    return parsed(network(members, nodes, inputs={"x": kind}))


def test_two_linear_layers_keep_sharing_their_weight() -> None:
    exported = export(tied("Linear"), None, "int8_pt")
    assert exported.report.quantization is not None
    assert exported.report.quantization.quantized == ["fc.weight", "head.weight"]
    assert exported.report.quantization.bytes_after < 0.4 * exported.report.quantization.bytes_before
    state = torch.load(io.BytesIO(exported.content), weights_only=True)
    assert torch.equal(state["fc.weight"].qdata, state["other.weight"].qdata)


def test_a_weight_that_an_embedding_reads_as_well_stays() -> None:
    exported = export(tied("Embedding"), None, "int8_pt2")
    assert exported.report.quantization is not None
    assert exported.report.quantization.quantized == ["head.weight"]
    assert "fc.weight" in exported.report.quantization.kept


def test_where_nothing_is_linear_it_says_so() -> None:
    document = parsed(chain(layer("conv", "Conv1d", in_channels=2, out_channels=3, kernel_size=3), shape=[2, 9]))
    with pytest.raises(GraphError) as raised:
        export(document, None, "int8_pt")
    assert raised.value.problems[0].code is ProblemCode.EXPORT_FAILED
    assert "nothing here can be quantized" in str(raised.value)


def test_a_weight_that_is_read_by_itself_is_refused_at_its_reader() -> None:
    """A quantized weight takes part in few operations."""
    members = [layer("fc", "Linear", in_features=8, out_features=8)]
    nodes = [
        get("w", "fc.weight"),
        function("n", "torch.linalg.norm", input=ref("w")),
        call("a", "fc", "x"),
        function("b", "operator.mul", input=ref("a"), other=ref("n")),
    ]
    with pytest.raises(GraphError) as raised:
        export(parsed(network(members, nodes)), None, "int8_pt")
    [problem] = raised.value.problems
    assert (problem.code, problem.block, problem.node) == (ProblemCode.EXPORT_FAILED, "Net", "n")
