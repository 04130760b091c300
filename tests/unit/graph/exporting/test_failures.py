"""What cannot be exported is refused with the node that stands in the way, and leaves no file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from layerloom.graph import GraphError, build
from layerloom.graph.exporting import FORMATS, export, write
from layerloom.graph.exporting import formats as listed
from layerloom.schema.document import Document
from layerloom.schema.problems import Problem, ProblemCode
from unit.graph.checking.drawing import block, call, chain, function, layer, network, parsed, ref, sequential, use

LINEAR = layer("fc", "Linear", in_features=8, out_features=8)
SMALL = parsed(chain(LINEAR, shape=[8]))


def svd(given: str) -> dict[str, Any]:
    return function("svd", "torch.linalg.svdvals", A=ref(given))


def refused(document: Document, format: str) -> Problem:
    with pytest.raises(GraphError) as raised:
        export(document, None, format)
    [problem] = raised.value.problems
    return problem


def test_an_operation_that_onnx_lacks_is_named() -> None:
    nodes = [call("a", "fc", "x"), svd("a"), function("r", "torch.relu", input=ref("svd"))]
    problem = refused(parsed(network([LINEAR], nodes)), "onnx")
    assert (problem.code, problem.block, problem.node) == (ProblemCode.EXPORT_FAILED, "Net", "svd")
    assert "ONNX has no operator for aten._linalg_svd" in problem.message
    assert problem.message.endswith("choose pt2.")


def test_so_it_is_in_the_block_that_holds_it() -> None:
    inner = block([LINEAR], [call("a", "fc", "x"), svd("a")], ref("svd"))
    document = parsed(
        network([sequential("body", use("0", "Inner"))], [call("b", "body", "x")], blocks={"Inner": inner})
    )
    problem = refused(document, "onnx")
    assert (problem.block, problem.node, problem.instance) == ("Inner", "svd", "body.0")


def test_and_so_is_a_layer() -> None:
    pool = layer("pool", "AdaptiveMaxPool1d", output_size=3)
    problem = refused(parsed(network([LINEAR, pool], [call("a", "fc", "x"), call("b", "pool", "a")])), "onnx")
    assert (problem.block, problem.node) == ("Net", "b")


def test_of_two_that_may_be_meant_none_is_named() -> None:
    nodes = [function("a", "torch.lgamma", input=ref("x")), function("b", "torch.lgamma", input=ref("a"))]
    problem = refused(parsed(network([], nodes)), "onnx")
    assert (problem.block, problem.node) == ("Net", None)


def test_a_network_for_some_batch_sizes_only_is_told_which() -> None:
    problem = refused(parsed(network([], [function("d", "torch.cdist", x1=ref("x"), x2=ref("x"))])), "pt2")
    assert problem.code is ProblemCode.EXPORT_FAILED
    assert "some batch sizes only" in problem.message
    assert "25" in problem.message


@pytest.mark.parametrize("format", [name for name, form in FORMATS.items() if form.needs])
def test_a_missing_package_is_named_with_its_remedy(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "find_spec", lambda name: None)
    problem = refused(SMALL, format)
    assert problem.code is ProblemCode.PACKAGE_MISSING
    assert f"pip install {' '.join(FORMATS[format].needs)}" in problem.message
    assert {item.name for item in listed.described() if not item.missing} >= {"python", "pt", "safetensors", "pt2"}


def test_without_onnxruntime_a_file_is_written_and_said_to_be_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerloom.graph.exporting.onnx_file.find_spec", lambda name: None)
    report = export(SMALL, None, "onnx").report
    assert report.verified == []
    assert any("not held against torch" in note for note in report.notes)


def test_a_program_that_gives_other_numbers_is_not_handed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if an exporter had a fault: what is loaded again is another network's program."""
    other = torch.export.export(
        build(SMALL, seed=1).eval(), (torch.zeros(5, 8),), dynamic_shapes=({0: torch.export.Dim.AUTO},)
    )
    monkeypatch.setattr("layerloom.graph.exporting.program.loaded", lambda path: other.module())
    with pytest.raises(GraphError) as raised:
        write(SMALL, None, "pt2", tmp_path / "net.pt2")
    assert raised.value.problems[0].code is ProblemCode.EXPORT_FAILED
    assert "its outputs are off by" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda state: state.pop("fc.bias"), "missing keys: fc.bias"),
        (lambda state: state.update(extra=torch.zeros(1)), "unexpected keys: extra"),
        (lambda state: state.update({"fc.bias": torch.zeros(3)}), "keys of another shape: fc.bias"),
        (lambda state: state.update({"fc.bias": torch.zeros(8, dtype=torch.complex64)}), "kind of number: fc.bias"),
        (lambda state: state.update({"fc.weight": torch.zeros(8, 8, dtype=torch.int64)}), "kind of number: fc.weight"),
        (lambda state: state.update({"fc.bias": "zeros"}), "keys of what is no tensor: fc.bias"),
    ],
)
def test_weights_of_another_network_are_refused_key_by_key(change: Any, kind: str) -> None:
    state = dict(build(SMALL).state_dict())
    change(state)
    with pytest.raises(GraphError) as raised:
        export(SMALL, state, "pt")
    assert raised.value.problems[0].code is ProblemCode.WEIGHTS_MISMATCH
    assert kind in str(raised.value)


def test_errors_of_the_document_come_first() -> None:
    broken = parsed(network([], [call("a", "nobody", "x")]))
    for format in FORMATS:
        assert refused(broken, format).code is ProblemCode.UNKNOWN_MEMBER


def test_an_unknown_format_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="there are python, pt, safetensors"):
        export(SMALL, None, "pmml")
