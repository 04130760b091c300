"""Networks from elsewhere, over the API of a server that runs no Python."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import httpx
import pytest
import torch
from torch import nn

from layerloom.api.routes import imports
from layerloom.graph import to_python
from layerloom.graph.examples import examples
from layerloom.schema.importing import ImportAnswer, ImportSources, Outline
from unit.graph.importing.test_fixed_point import CANARY, HOSTILE
from waiting import HANG_GUARD_S

LOOPING = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
    def forward(self, x):
        while x.sum() > 0:
            x = self.fc(x)
        return x
"""
RAW = {"Content-Type": "application/octet-stream"}


def opened(user: httpx.Client, **body: object) -> ImportAnswer:
    answer = user.post("/api/graphs/import", json=body)
    assert answer.status_code == 200, answer.text
    return ImportAnswer.model_validate(answer.json())


def test_our_own_source_needs_nothing_else(user: httpx.Client) -> None:
    for example in examples():
        source = to_python(example.document)
        found = opened(user, source=source)
        assert to_python(found.document) == source
        assert found.notes == ["The classes were read as text; nothing was run."]


def test_a_class_its_arguments_and_inputs_can_be_stated(user: httpx.Client) -> None:
    source = (Path(__file__).parents[1] / "graph" / "importing" / "written.py").read_text()
    example = {"shape": [1, 32], "dtype": "float32"}
    found = opened(user, source=source, name="Attention", arguments={"dim": 32}, inputs={"x": example})
    assert found.document.main == "Attention"
    assert found.document.blocks["Attention"].arguments[0].default == 32
    assert found.document.inputs["x"].shape == [1, 32]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_source_gives_a_problem_and_nothing_runs(user: httpx.Client, kind: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = CANARY.format(text=HOSTILE[kind].format(canary=str(canary)))
    answer = user.post("/api/graphs/import", json={"source": text})
    assert answer.status_code in (403, 422)
    problem = answer.json()
    assert problem["code"] in ("python_disabled", "import_closed")
    assert "--allow-python" in problem["detail"]
    file = user.put(
        "/api/graphs/import?filename=net.py", content=text, headers={"Content-Type": "application/octet-stream"}
    )
    assert file.json()["code"] == problem["code"]
    assert not canary.exists()


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("", 422, "invalid_body"),
        ("x" * 200_000, 422, "import_closed"),
        ("(" * 10_000, 422, "import_closed"),
        ("torchvision:no_such_network", 422, "import_closed"),
    ],
)
def test_what_cannot_be_opened_is_a_problem(user: httpx.Client, source: str, status: int, code: str) -> None:
    answer = user.post("/api/graphs/import", json={"source": source})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert user.get("/health").status_code == 200


def test_a_library_s_network_opens_in_a_process_of_its_own(user: httpx.Client) -> None:
    found = opened(user, source="torchvision:squeezenet1_1")
    assert "Fire" in found.document.blocks
    assert found.document.inputs["x"].shape == [3, 224, 224]


def test_a_part_of_a_library_s_network_opens_alone(user: httpx.Client) -> None:
    found = opened(user, source="torchvision:squeezenet1_1", part="features.3", inputs={"x": {"shape": [3, 64, 64]}})
    assert (found.document.main, found.document.name) == ("Fire", "squeezenet1_1")
    assert found.document.inputs["x"].shape == [64, 15, 15]
    refused = user.post("/api/graphs/import", json={"source": "torchvision:squeezenet1_1", "part": "feature"})
    assert refused.status_code == 422
    assert "no part 'feature'; it has features, features.0, " in refused.json()["detail"]


def test_a_file_of_weights_proposes_layers(user: httpx.Client) -> None:
    file = io.BytesIO()
    torch.save(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).state_dict(), file)
    answer = user.put("/api/graphs/import?filename=a.pt", content=file.getvalue(), headers=RAW)
    assert answer.status_code == 200, answer.text
    found = ImportAnswer.model_validate(answer.json())
    assert "nn.Linear(4, 3)" in to_python(found.document)
    assert any("begin with 'layers.'" in note for note in found.notes)
    for name, content, status in (
        ("a.pt", b"not a zip", 422),
        ("a.onnx", b"", 415),
        ("a", b"", 415),
        ("a.pt2", file.getvalue(), 403),
        ("a.py", b"\xff\xfe", 422),
    ):
        refused = user.put(f"/api/graphs/import?filename={name}", content=content, headers=RAW)
        assert refused.status_code == status, refused.text
    form = user.put("/api/graphs/import?filename=a.pt", content=b"", headers={"Content-Type": "text/plain"})
    assert form.status_code == 415


def test_what_can_be_opened_is_listed(user: httpx.Client) -> None:
    found = ImportSources.model_validate(user.get("/api/graphs/import").raise_for_status().json())
    assert not found.python
    assert {".py", ".pt", ".safetensors"} <= set(found.files)
    resnet = next(network for network in found.networks if network.name == "resnet152")
    assert (resnet.family, resnet.task, resnet.parameters) == ("ResNet", "classification", 60_192_808)
    assert resnet.inputs == [[3, 224, 224]]
    detector = next(network for network in found.networks if network.name == "fcos_resnet50_fpn")
    assert (detector.family, detector.part) == ("FCOS", "backbone+head")


def test_what_is_kept_is_answered_while_others_are_made(user: httpx.Client) -> None:
    """The one process that makes networks is taken: what needs no process is not held up by it."""
    taken = threading.Event()
    imports._importers.submit(taken.wait, HANG_GUARD_S)
    try:
        found = opened(user, source="torchvision:resnet152")
    finally:
        taken.set()
    assert found.document.main == "ResNet"
    assert found.document.inputs["x"].shape == [3, 224, 224]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("from torch import nn\n\nclass Net(nn.Module:\n    pass\n", 3),
        (LOOPING, 9),
    ],
)
def test_a_problem_of_a_text_says_its_line(user: httpx.Client, source: str, line: int) -> None:
    answer = user.post("/api/graphs/import", json={"source": source})
    [error] = answer.json()["errors"]
    assert error["problem"]["data"]["line"] == line, answer.text
    told = user.post("/api/graphs/outline", json={"source": source}).raise_for_status().json()
    assert told["line"] == line
    assert not told["readable"]


def test_an_outline_tells_classes_arguments_and_inputs(user: httpx.Client) -> None:
    source = (Path(__file__).parents[1] / "graph" / "importing" / "written.py").read_text()
    found = Outline.model_validate(user.post("/api/graphs/outline", json={"source": source}).json())
    names = [one.name for one in found.classes]
    assert found.chosen == names[-1]
    attention = Outline.model_validate(
        user.post("/api/graphs/outline", json={"source": source, "name": "Attention"}).json()
    )
    assert attention.chosen == "Attention"
    assert attention.readable
    [cls] = [one for one in attention.classes if one.name == "Attention"]
    assert [(spec.name, spec.kinds, spec.default) for spec in cls.arguments][:2] == [
        ("dim", ["int"], 16),
        ("num_heads", ["int"], 4),
    ]
    assert cls.inputs == ["x"]
