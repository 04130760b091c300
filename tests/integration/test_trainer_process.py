"""Trainer processes as the executor starts them: by command line and forked from the template, on real data."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from layerloom.data import main_inputs, prepare
from layerloom.graph import build
from layerloom.schema.document import Document
from layerloom.training.checkpoints import CheckpointStore
from trainers import ENVIRONMENT, LONG, Attempt, Forked, Template, example, losses, warm
from unit.worker.service import HANG_GUARD_S, Service, serving

pytestmark = pytest.mark.timeout(900)  # several processes that import torch, on machines that may be busy


def trained(service: Service, step: int = 1) -> bool:
    """Whether the service has heard of a step."""
    return any(event["steps"][-1] >= step for event in service.of("metrics"))


def test_a_perceptron_on_digits_tells_all_and_its_weights_keep_the_promise(
    tmp_path: Path, service: Service, template: Template
) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", {})
    assert attempt.by_command() == 0, attempt.log.read_text()

    assert service.states() == ["running", "succeeded"]
    events = [service.events[number] for number in sorted(service.events)]
    assert events == attempt.spooled()
    statistics = {"statistics", "histograms", "activations", "sampling"}
    assert {"state", "progress", "metrics", "log", "checkpoint"} | statistics == set(service.kinds())
    accuracy = losses(events, "validation/accuracy")
    last = service.of("checkpoint")[-1]
    assert last["step"] == max(accuracy)
    assert max(accuracy.values()) >= 0.97

    data = prepare(attempt.plan, main_inputs(attempt.document), tmp_path)
    folder = attempt.folder / last["path"]
    for state in (torch.load(folder / "state.pt", weights_only=True), load_file(folder / "state.safetensors")):
        module = build(attempt.document)
        module.load_state_dict(state, strict=True)
        module.eval()
        with torch.no_grad():
            predicted = module(**data.validation.inputs).argmax(1)
        share = (predicted == data.validation.targets).double().mean().item()
        assert accuracy[last["step"]] == pytest.approx(share, abs=1e-6)


def test_a_convolutional_network_on_digits_reaches_98_percent(
    tmp_path: Path, service: Service, template: Template
) -> None:
    attempt = Attempt(tmp_path, "digits-cnn", {})
    assert attempt.train(template) == 0, attempt.log.read_text()
    assert max(losses(attempt.spooled(), "validation/accuracy").values()) >= 0.98


def test_an_lstm_on_sine_waves_beats_the_last_value_by_five(
    tmp_path: Path, service: Service, template: Template
) -> None:
    attempt = Attempt(tmp_path, "sine-lstm", {})
    assert attempt.train(template) == 0, attempt.log.read_text()
    reached = list(losses(attempt.spooled(), "validation/loss").values())[-1]
    data = prepare(attempt.plan, main_inputs(attempt.document), tmp_path)
    (waves,) = data.validation.inputs.values()
    baseline = (waves[:, -1] - data.validation.targets).square().mean().item()
    assert reached * 5 < baseline


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("stop", "stopped")])
def test_a_wish_of_the_user_is_obeyed_and_checkpointed(
    wish: str, state: str, tmp_path: Path, service: Service, template: Template
) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", LONG)
    with attempt.running(template) as process:
        service.wait(lambda: trained(service, 5))
        service.desired = wish
        assert process.wait(HANG_GUARD_S) == 0
    assert service.states() == ["running", state]
    saved = service.of("checkpoint")[-1]
    assert saved["step"] == max(losses(attempt.spooled()))
    assert CheckpointStore(attempt.folder, 1).load(saved["path"]).step == saved["step"]


def test_terminated_and_resumed_is_the_run_that_was_never_stopped(
    tmp_path: Path, service: Service, template: Template
) -> None:
    whole = Attempt(tmp_path / "whole", "digits-mlp", {"epochs": 40, "threads": 1})
    with serving(tmp_path / "whole"):
        assert whole.train(template) == 0

    first = Attempt(tmp_path, "digits-mlp", {"epochs": 40, "threads": 1})
    with first.running(template) as process:
        service.wait(lambda: trained(service, 5))
        process.send_signal(signal.SIGTERM)
        code = process.wait(HANG_GUARD_S)
    assert code == 76, first.log.read_text()
    assert service.states() == ["running"]
    resume = service.of("checkpoint")[-1]["path"]

    service.events.clear()
    second = Attempt(tmp_path, "digits-mlp", {"epochs": 40, "threads": 1}, number=2, resume=resume)
    assert second.train(template) == 0, second.log.read_text()
    assert {**losses(first.spooled()), **losses(second.spooled())} == losses(whole.spooled())
    ends = [
        torch.load(attempt.folder / saved["path"] / "state.pt", weights_only=True)
        for attempt in (whole, second)
        for saved in [[event for event in attempt.spooled() if event["kind"] == "checkpoint"][-1]]
    ]
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])


def test_killed_it_leaves_a_whole_checkpoint_and_a_readable_spool(
    tmp_path: Path, service: Service, template: Template
) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", LONG)
    with attempt.running(template) as process:
        service.wait(lambda: len(service.of("checkpoint")) >= 2)
        process.kill()
        assert process.wait(HANG_GUARD_S) == -signal.SIGKILL
    told = service.of("checkpoint")[-1]["path"]
    store = CheckpointStore(attempt.folder, 1)
    assert store.load(told).step > 0
    # Every delivered event is in the spool.
    assert len((attempt.place / "spool.jsonl").read_bytes().split(b"\n")) > len(service.events)


def test_a_fenced_trainer_leaves_without_a_trace(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", LONG)
    with attempt.running(template) as process:
        service.wait(lambda: trained(service))
        service.fault = lambda _count, _events: "fence"
        assert process.wait(HANG_GUARD_S) == 75


def test_training_goes_on_while_the_service_is_away(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", {"epochs": 60, "threads": 1})
    with attempt.running(template) as process:
        service.wait(lambda: trained(service))
        service.stop()
        spool = attempt.place / "spool.jsonl"
        while '"state":"succeeded"' not in spool.read_text():
            assert process.poll() is None, attempt.log.read_text()
            time.sleep(0.05)
        service.start()
        assert process.wait(HANG_GUARD_S) == 0
    assert service.states() == ["running", "succeeded"]
    assert len(service.events) == len(attempt.spooled())


def test_a_second_trainer_of_one_attempt_does_not_start(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "iris-mlp", {"epochs": 1})
    assert attempt.train(template) == 0, attempt.log.read_text()
    count = len(service.events)
    assert attempt.train(template) == 75
    assert len(service.events) == count


def failing(change: Any) -> tuple[Document, str]:
    """The iris network with something wrong."""
    document, dataset = example("iris-mlp")
    content = document.model_dump(mode="json")
    change(content)
    return Document.model_validate(content), dataset


def test_a_failure_is_told_with_its_traceback(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "iris-mlp", {"optimizer": {"name": "torch.optim.Muon"}})
    assert attempt.train(template) == 0
    assert service.states() == ["running", "failed"]
    (found,) = service.of("problem")
    assert found["problem"]["code"] == "plan_invalid"
    assert "Muon" in found["problem"]["message"]
    assert "construct(target, label" in found["traceback"]


def test_data_that_do_not_fit_are_a_problem(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", {"dataset": "wine"})
    assert attempt.train(template) == 0
    assert [event["problem"]["code"] for event in service.of("problem")] == ["dataset_mismatch"]
    assert service.states() == ["running", "failed"]


def test_a_document_with_errors_fails_with_its_problems(tmp_path: Path, service: Service, template: Template) -> None:
    def forget(content: dict[str, Any]) -> None:
        content["main"] = "Nothing"

    attempt = Attempt(tmp_path, failing(forget), {})
    assert attempt.train(template) == 0
    assert service.states() == ["running", "failed"]
    assert service.of("problem")


def dividing() -> Document:
    """Three blocks in a row, the third of which divides by zero."""

    def call(name: str, target: str, before: str, port: str = "x") -> dict[str, Any]:
        return {"op": "call", "id": name, "target": target, "arguments": {port: {"$ref": before}}}

    def function(name: str, target: str, left: str, right: str) -> dict[str, Any]:
        arguments = {"input": {"$ref": left}, "other": {"$ref": right}}
        return {"op": "function", "id": name, "target": target, "arguments": arguments}

    def block(*nodes: dict[str, Any]) -> dict[str, Any]:
        auto = {"in_features": {"$auto": True}, "out_features": 16}
        layer = {"kind": "layer", "name": "fc", "target": "torch.nn.Linear", "arguments": auto}
        ends = {"inputs": [{"name": "x"}], "output": {"$ref": nodes[-1]["id"]}}
        return {"members": [layer], "forward": {**ends, "nodes": nodes}}

    plain, broken = (
        block(call("n1", "fc", "x", "input")),
        block(
            call("n1", "fc", "x", "input"),
            function("zero", "torch.sub", "n1", "n1"),
            function("ratio", "torch.div", "n1", "zero"),
        ),
    )
    main = block(
        call("a", "first", "x"), call("b", "second", "a"), call("c", "third", "b"), call("out", "fc", "c", "input")
    )
    for name, used in (("first", "Plain"), ("second", "Other"), ("third", "Broken")):
        main["members"].append({"kind": "block", "name": name, "block": used})
    content = {
        "format": 1,
        "name": "Net",
        "main": "Net",
        "inputs": {"x": {"shape": [4]}},
        "blocks": {"Net": main, "Plain": plain, "Other": plain, "Broken": broken},
    }
    return Document.model_validate(content)


def test_a_division_by_zero_is_named_with_its_node(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, (dividing(), "iris"), {"threads": 1})
    assert attempt.train(template) == 0
    (found,) = service.of("problem")
    problem = found["problem"]
    assert problem["code"] == "diverged"
    assert (problem["block"], problem["node"], problem["instance"]) == ("Broken", "ratio", "third")
    assert (problem["data"]["layer"], problem["data"]["step"], problem["data"]["began"]) == ("third", 1, 1)
    assert "torch.div in the layer third" in problem["message"]
    assert service.states() == ["running", "failed"]


def test_divergence_is_told_and_null(tmp_path: Path, service: Service, template: Template) -> None:
    wild = {"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 1e30}}, "threads": 1}
    attempt = Attempt(tmp_path, "digits-mlp", wild)
    assert attempt.train(template) == 0
    assert [event["problem"]["code"] for event in service.of("problem")] == ["diverged"]
    assert service.states() == ["running", "failed"]
    assert None in losses(attempt.spooled()).values()
    (found,) = service.of("problem")
    # What grew beyond all bounds is a layer's weights.
    block = attempt.document.blocks[attempt.document.main]
    assert found["problem"]["node"] in {node.id for node in block.forward.nodes}
    assert "weights have grown to" in found["problem"]["message"]


def test_the_template_forks_trainers_that_live_by_themselves(tmp_path: Path, template: Template) -> None:
    assert psutil.Process(template.process.pid).num_threads() == 1
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "a") as one, serving(tmp_path / "b") as two:
        first = Attempt(tmp_path / "a", "iris-mlp", {"epochs": 3})
        second = Attempt(tmp_path / "b", "digits-mlp", LONG)
        with second.running(template) as long:
            assert first.train(template) == 0, first.log.read_text()
            assert one.states() == ["running", "succeeded"]
            two.wait(lambda: trained(two))
            # A session of its own: what ends the template's group does not end it.
            assert os.getsid(long.pid) == long.pid
            long.kill()
            assert long.wait(HANG_GUARD_S) == -signal.SIGKILL


def test_a_start_is_told_with_pid_and_time_of_birth(tmp_path: Path, service: Service, template: Template) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", LONG)
    template.say(job=str(attempt.file), log=str(attempt.log), environment=ENVIRONMENT)
    answer = template.hear()
    assert set(answer) == {"started", "pid", "born"}
    assert answer["born"] == pytest.approx(psutil.Process(answer["pid"]).create_time(), abs=0.05)
    os.kill(answer["pid"], signal.SIGKILL)
    assert Forked(template, answer["pid"]).wait(HANG_GUARD_S) == -signal.SIGKILL


def test_trainers_outlive_their_template(tmp_path: Path, service: Service) -> None:
    attempt = Attempt(tmp_path, "digits-mlp", LONG)
    with warm() as mortal:
        pid = mortal.fork(attempt).pid
        service.wait(lambda: trained(service))
    trainer = psutil.Process(pid)
    before = len(service.events)
    service.wait(lambda: len(service.events) > before + 3)
    service.desired = "stop"
    trainer.wait(HANG_GUARD_S)
    assert service.states() == ["running", "stopped"]


def test_a_forked_trainer_gives_the_numbers_of_a_fresh_one(
    tmp_path: Path, service: Service, template: Template
) -> None:
    fresh = Attempt(tmp_path, "digits-mlp", {"epochs": 2, "threads": 1})
    assert fresh.by_command() == 0
    (tmp_path / "forked").mkdir()
    with serving(tmp_path / "forked"):
        forked = Attempt(tmp_path / "forked", "digits-mlp", {"epochs": 2, "threads": 1})
        assert forked.train(template) == 0
    assert losses(forked.spooled()) == losses(fresh.spooled())


def test_a_request_that_cannot_be_read_is_answered(template: Template) -> None:
    template.say(task="unknown")
    assert "KeyError" in template.hear()["error"]
