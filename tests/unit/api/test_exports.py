"""Networks as files over HTTP, written in a process of limited means."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import onnxruntime
import pytest
import torch
from safetensors.torch import load as load_safetensors

from layerloom.api import exports
from layerloom.graph import build
from layerloom.graph.exporting import FORMATS
from layerloom.graph.sandbox import Limits
from layerloom.schema.export import ExportReport
from layerloom.schema.run import PREPARATION_FILE, SCALING_FILE
from stores import DOCUMENT, claimed, numbered, publish_checkpoint, running
from unit.api.conftest import Api
from waiting import wait_for

BODY = DOCUMENT.model_dump(mode="json", by_alias=True)


@pytest.fixture(scope="module")
def run(api: Api) -> str:
    """A run with weights, whose inputs were scaled."""
    claim = claimed(api.store, name="exported")
    saved = publish_checkpoint(api.store, claim.run, claim.attempt, 7, best=True)
    folder = api.store.folder(claim.run)
    torch.save(build(DOCUMENT, seed=11).state_dict(), folder / saved.path / "state.pt")
    (folder / SCALING_FILE).write_text(json.dumps({"mean": {"x": [0.5] * 64}, "deviation": {"x": [2.0] * 64}}))
    (folder / PREPARATION_FILE).write_text(json.dumps({"transforms": [], "code": "prepare = None"}))
    api.store.log.append(claim.run, claim.attempt, numbered(running(), saved))
    return claim.run


def report_of(answer: httpx.Response) -> ExportReport:
    return ExportReport.model_validate_json(answer.headers["x-export-report"])


def nothing_is_left(api: Api) -> None:
    wait_for(lambda: not list(api.services.drafts.iterdir()), "the drafts' end")


def test_the_formats_are_those_of_the_dictionary(user: httpx.Client) -> None:
    formats = user.get("/api/graphs/export").json()
    assert [form["name"] for form in formats] == list(FORMATS)
    assert all(form["missing"] == [] for form in formats), "the tests have every package"
    assert [form["kind"] for form in formats[:4]] == ["source", "weights", "weights", "program"]
    assert {form["kind"] for form in formats if form["name"].startswith("int8")} == {"quantized"}


def test_a_run_gives_a_program_with_the_weights_it_trained(api: Api, user: httpx.Client, run: str) -> None:
    answer = user.get(f"/api/runs/{run}/export/onnx", params={"which": "best"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="Line-step7.onnx"'
    session = onnxruntime.InferenceSession(answer.content, providers=["CPUExecutionProvider"])
    x = torch.randn(3, 64)
    [got] = session.run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(got), build(DOCUMENT, seed=11)(x).detach(), rtol=0, atol=1e-5)
    scaling = json.loads(session.get_modelmeta().custom_metadata_map["layerloom.scaling"])
    assert scaling["mean"]["x"] == [0.5] * 64
    told = json.loads(session.get_modelmeta().custom_metadata_map["layerloom.preparation"])
    assert told["code"] == "prepare = None"
    assert [item.batch for item in report_of(answer).verified] == [2, 5]
    nothing_is_left(api)


def test_a_run_gives_weights_and_source_in_other_formats(api: Api, user: httpx.Client, run: str) -> None:
    expected = build(DOCUMENT, seed=11).state_dict()
    for format in ("pt", "safetensors"):
        answer = user.get(f"/api/runs/{run}/export/{format}")
        assert answer.headers["content-disposition"] == f'attachment; filename="Line-step7.{format}"'
        given = torch.load(io.BytesIO(answer.content)) if format == "pt" else load_safetensors(answer.content)
        assert all(torch.equal(given[name], tensor) for name, tensor in expected.items())
    source = user.get(f"/api/runs/{run}/export/python")
    assert source.headers["content-disposition"] == 'attachment; filename="Line.py"'
    compile(source.text, "Line.py", "exec")
    nothing_is_left(api)


def test_a_document_is_exported_untrained_and_quantized(api: Api, user: httpx.Client) -> None:
    answer = user.post("/api/graphs/export/int8_pt2", json=BODY)
    assert answer.status_code == 200, answer.text
    program = torch.export.load(io.BytesIO(answer.content)).module()
    x = torch.randn(4, 64)
    found = report_of(answer).quantization
    assert found is not None
    assert found.quantized == [], "names stay out of the header"
    off = (program(x) - build(DOCUMENT, seed=0)(x)).abs().max()
    assert 0 < float(off.detach()) < 0.02
    assert found.ratio < 0.35
    assert (
        user.post("/api/graphs/export/python", json=BODY).text
        == user.post("/api/graphs/python", json=BODY).json()["source"]
    )
    nothing_is_left(api)


def test_what_cannot_be_written_is_refused_with_its_problems(api: Api, user: httpx.Client, run: str) -> None:
    conv = {"kind": "layer", "name": "fc", "target": "torch.nn.Flatten", "arguments": {}}
    document = json.loads(json.dumps(BODY))
    document["blocks"]["Line"]["members"] = [conv]
    answer = user.post("/api/graphs/export/int8_pt", json=document)
    assert (answer.status_code, answer.json()["code"]) == (422, "export_failed")
    assert "nothing here can be quantized" in answer.json()["errors"][0]["message"]
    document["blocks"]["Line"]["members"] = []
    for format in ("python", "pt2"):
        answer = user.post(f"/api/graphs/export/{format}", json=document)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_member")
        assert answer.json()["errors"][0]["problem"]["node"] == "n1"
    assert user.post("/api/graphs/export/pmml", json=BODY).status_code == 404
    assert user.get(f"/api/runs/{run}/export/pmml").status_code == 404
    missing = user.get(f"/api/runs/{run}/export/onnx", params={"which": "8"})
    assert (missing.status_code, missing.json()["code"]) == (404, "checkpoint_missing")
    nothing_is_left(api)


def test_what_takes_too_long_is_given_up(api: Api, user: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "limits", lambda: Limits(wall_s=0.2))
    answer = user.post("/api/graphs/export/pt2", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (422, "export_failed")
    assert "it takes more than 0.2 s" in answer.json()["detail"]
    assert "layerloom export" in answer.json()["detail"]
    nothing_is_left(api)


def test_so_many_at_once_and_no_more(
    api: Api, user: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    release = threading.Event()
    begun = threading.Semaphore(0)

    def slow(*_given: Any, folder: Path, **_rest: Any) -> Any:
        begun.release()
        assert release.wait(60)
        (folder / "exported").write_bytes(b"file")
        return ExportReport(format="pt2", bytes=4).model_dump(mode="json")

    monkeypatch.setattr("layerloom.graph.sandbox.run", slow)
    answers: list[int] = []

    def ask() -> None:
        with api.signed_in() as client:
            answers.append(client.post("/api/graphs/export/pt2", json=BODY).status_code)

    threads = [threading.Thread(target=ask) for _ in range(exports.WRITERS.at_once)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert begun.acquire(timeout=60)
    refused = user.post("/api/graphs/export/pt2", json=BODY)
    assert (refused.status_code, refused.json()["code"]) == (503, "export_busy")
    assert refused.headers["retry-after"]
    assert user.get("/health").status_code == 200, "and the loop is free meanwhile"
    release.set()
    for thread in threads:
        thread.join(60)
    assert answers == [200] * exports.WRITERS.at_once
    nothing_is_left(api)


def test_a_report_in_any_script_fits_into_a_header() -> None:
    report = ExportReport(format="pt2", bytes=1, notes=["é\r\nX-Evil: 中文"])
    [text] = exports.header(report).values()
    assert text.isascii()
    assert text.isprintable()
    assert ExportReport.model_validate_json(text) == report
