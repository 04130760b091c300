"""Questions about a document before any training: initializers, advice, costs."""

from __future__ import annotations

from typing import Any

import pytest

from layerloom.graph.examples import examples
from layerloom.schema.analysis import Analysis
from layerloom.schema.lab import DoctorReport, LabReport
from unit.api.conftest import Api
from unit.graph.checking.drawing import chain, layer


def deep(count: int = 4, size: int = 8) -> dict[str, Any]:
    items = []
    for index in range(count):
        items += [layer(f"fc{index}", "Linear", in_features=size, out_features=size), layer(f"act{index}", "ReLU")]
    return chain(*items[:-1], shape=[size])


def test_initializers_side_by_side(api: Api) -> None:
    rule = {"types": ["torch.nn.Linear"], "statements": [{"parameter": "weight", "function": "torch.nn.init.eye_"}]}
    body = {
        "document": deep(),
        "ready": ["kaiming normal", "zeros"],
        "schemes": [{"name": "mine", "rules": [rule]}],
        "seeds": 2,
        "batch": 16,
    }
    answer = api.signed_in().post("/api/graphs/init-lab", json=body)
    assert answer.status_code == 200, answer.text
    report = LabReport.model_validate(answer.json())
    assert [scheme.name for scheme in report.schemes] == ["kaiming normal", "zeros", "mine"]
    assert [call.name for call in report.calls] == ["fc0", "act0", "fc1", "act1", "fc2", "act2", "fc3"]
    assert report.seeds == [0, 1]
    assert all(moments.variance == [0.0, 0.0] for moments in report.schemes[1].outputs)
    assert all(variance and variance > 0.1 for variance in report.schemes[0].outputs[-1].variance)


def test_the_usual_initializers_are_compared_where_none_are_named(api: Api) -> None:
    answer = api.signed_in().post("/api/graphs/init-lab", json={"document": deep(), "seeds": 1, "batch": 2})
    names = [scheme["name"] for scheme in answer.json()["schemes"]]
    assert names == ["as drawn", "torch default", "recommended", "kaiming normal", "xavier uniform", "normal 1"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"document": deep(2, 30_000)}, "too_large"),
        ({"ready": ["kaiming"]}, "unknown_initializer"),
        ({"seeds": 0}, "invalid_body"),
        ({"seeds": 1000}, "invalid_body"),
        ({"batch": 10**9}, "invalid_body"),
        ({"schemes": [{"name": str(index)} for index in range(17)]}, "invalid_body"),
        ({"document": chain(layer("a", "Linear", in_features=5, out_features=2), shape=[8])}, "shape_mismatch"),
    ],
)
def test_what_cannot_be_measured_is_refused(api: Api, change: dict[str, Any], code: str) -> None:
    answer = api.signed_in().post("/api/graphs/init-lab", json={"document": deep(), "seeds": 1, **change})
    assert answer.status_code == 422
    assert answer.json()["code"] == code


def test_the_doctor(api: Api) -> None:
    document = chain(layer("fc", "Linear", in_features=8, out_features=3), layer("soft", "Softmax", dim=1), shape=[8])
    user = api.signed_in()
    answer = user.post("/api/graphs/doctor", json={"document": document, "plan": {"dataset": "digits"}})
    report = DoctorReport.model_validate(answer.json())
    assert [problem.code for problem in report.problems] == ["activation_before_loss"]
    assert report.problems[0].fixes
    assert [rule.types for rule in report.recommended] == [["torch.nn.Linear"]]
    wrong = chain(layer("a", "Linear", in_features=5, out_features=2), shape=[8])
    answer = user.post("/api/graphs/doctor", json={"document": wrong})
    assert answer.status_code == 200
    assert [problem["code"] for problem in answer.json()["problems"]] == ["shape_mismatch"]
    assert answer.json()["recommended"] == []


def test_costs(api: Api) -> None:
    user = api.signed_in()
    document = examples()[0].document.model_dump(mode="json", by_alias=True)
    body = {"document": document, "batch": 32, "optimizer": {"name": "torch.optim.SGD"}, "precision": "bf16"}
    analysis = Analysis.model_validate(user.post("/api/graphs/analysis", json=body).json())
    assert analysis.totals.batch == 32
    assert analysis.training is not None
    assert analysis.training.optimizer == 0
    assert analysis.training.total > analysis.training.weights + analysis.training.gradients
    unknown = user.post("/api/graphs/analysis", json={**body, "optimizer": {"name": "os.system"}}).json()
    assert unknown["training"] is None
    assert [problem["code"] for problem in unknown["problems"]] == ["unknown_optimizer"]
    wrong = chain(layer("a", "Linear", in_features=5, out_features=2), shape=[8])
    answer = user.post("/api/graphs/analysis", json={"document": wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "shape_mismatch")
