"""The flow against real runs: the same layers in the same order. Any document that is right can be asked anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from layerloom.graph import GraphError, check
from layerloom.graph.analysis import analyse
from layerloom.graph.lab import doctor, init_lab, recommended_initializers
from layerloom.graph.lab.flow import flow_of
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from unit.graph.analysis.test_analysis import NETWORKS
from unit.graph.checking.arbitrary import documents
from unit.graph.checking.drawing import Json, call, chain, function, layer, network, parsed, ref, sequential

PLAN = Plan.model_validate({"dataset": "digits"})


def same_order(document: Document) -> None:
    """What the flow foretells is what a real step of training does."""
    foretold = [step.name for step in flow_of(document).steps if step.located is not None]
    report = init_lab(document, ["as drawn"], seeds=1, batch=2)
    assert [one.name for one in report.calls] == foretold


@pytest.mark.parametrize("name", NETWORKS)
def test_the_flow_is_what_runs(name: str) -> None:
    same_order(NETWORKS[name])


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(documents())
def test_any_document_can_be_asked(drawn: Json) -> None:
    document = parsed(drawn)
    same_order(document)
    assert all(problem.severity == "warning" for problem in doctor(document, PLAN))
    analysis = analyse(document, 3)
    assert analysis.training is not None, analysis.problems
    rules = recommended_initializers(document)
    assert check(document.model_copy(update={"init": rules})).ok


def test_sources_and_consumers() -> None:
    nodes = [
        call("a", "fc", "x"),
        function("b", "torch.relu", input=ref("a")),
        function("c", "operator.add", input=ref("x"), other=ref("b")),
        call("d", "fc", "c"),
    ]
    flow = flow_of(parsed(network([layer("fc", "Linear", in_features=8, out_features=8)], nodes)))
    first, relu, add, last = flow.steps
    assert (first.name, relu.name, last.name) == ("fc", "", "fc")
    assert flow.consumers(first) == [relu]
    assert flow.sources(add) == [relu]
    assert dict(add.inputs) == {"input": frozenset(), "other": frozenset({1})}
    assert list(flow.before(last)) == [add, relu, first]
    assert list(flow.behind(first, lambda step: step is not add)) == [relu, add]
    assert flow.outputs == {3}


def training_only() -> Document:
    """A head that is used in training alone, and a value that differs there."""
    members = [
        sequential("body", layer("fc", "Linear", in_features=8, out_features=8)),
        layer("aux", "Linear", in_features=8, out_features=8),
    ]
    nodes: list[Any] = [
        call("a", "body", "x"),
        {**call("b", "aux", "a"), "when": "training"},
        function("c", "torch.relu", input={"$if": "training", "then": ref("b"), "else": ref("a")}),
    ]
    return parsed(network(members, nodes))


def test_the_flow_is_that_of_training() -> None:
    document = training_only()
    assert check(document).ok
    flow = flow_of(document)
    assert [step.name for step in flow.steps] == ["body.fc", "aux", ""]
    assert flow.sources(flow.steps[2]) == [flow.steps[1]]
    same_order(document)


def test_a_document_that_cannot_be_unrolled_is_refused() -> None:
    item = {"kind": "repeat", "variables": ["i"], "over": {"$expr": "range(n)"}, "item": layer("0", "ReLU")}
    with pytest.raises(GraphError):
        flow_of(parsed(network([sequential("body", item)], [call("a", "body", "x")])))


@pytest.mark.parametrize(
    ("dtype", "code"),
    [("float64", "dtype_mismatch"), ("int64", "dtype_mismatch"), ("complex64", "dtype_mismatch")],
)
def test_inputs_that_do_not_fit_are_problems(dtype: str, code: str) -> None:
    document = parsed(chain(layer("fc", "Linear", in_features=8, out_features=8), shape=[8], dtype=dtype))
    for ask in (init_lab, analyse):
        with pytest.raises(GraphError) as caught:
            ask(document)
        assert [problem.code for problem in caught.value.problems] == [code]


def test_a_network_that_fails_while_training_is_a_problem() -> None:
    """Normalization over a single sample runs in evaluation alone."""
    drawn = chain(layer("norm", "BatchNorm1d", num_features=4), shape=[1, 4])
    drawn["inputs"]["x"]["batch"] = False
    document = parsed(drawn)
    assert check(document).ok
    with pytest.raises(GraphError) as caught:
        init_lab(document)
    assert [problem.code for problem in caught.value.problems] == ["layer_failed"]
    analysis = analyse(document)
    assert analysis.training is None
    assert [problem.code for problem in analysis.problems] == ["layer_failed"]
    assert all(problem.severity == "warning" for problem in doctor(document))
