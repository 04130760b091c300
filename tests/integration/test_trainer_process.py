"""Trainer processes as the executor starts them: by command line and forked from the template, on real data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from layerloom.data import main_inputs, prepare
from layerloom.graph import build
from layerloom.graph.examples import examples
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job
from layerloom.training.checkpoints import CheckpointStore
from unit.worker.service import HANG_GUARD_S, Service, serving

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
pytestmark = pytest.mark.timeout(900)  # several processes that import torch, on machines that may be busy
LONG = {"epochs": 100_000, "seed": 0, "threads": 1}


def example(name: str) -> tuple[Document, str]:
    """A network that comes with LayerLoom, and its data set."""
    found = {item.id: item for item in examples()}[name]
    return found.document, found.dataset


class Forked:
    """A trainer that the template forked, with the methods of ``Popen`` that the tests use."""

    def __init__(self, template: Template, pid: int) -> None:
        self.template = template
        self.pid = pid

    def poll(self) -> int | None:
        """Its exit code, once it has one."""
        return self.template.codes.get(self.pid)

    def wait(self, timeout: float) -> int:
        """Its exit code."""
        with self.template.news:
            assert self.template.news.wait_for(lambda: self.poll() is not None, timeout), "the trainer does not end"
        return self.template.codes[self.pid]

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class Template:
    """The template process, spoken to as the executor does."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "layerloom.worker.template"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=ENVIRONMENT,
        )
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.codes: dict[int, int] = {}
        self.answers: list[dict[str, Any]] = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.stdout:
            message = json.loads(line)
            with self.news:
                if "exited" in message:
                    self.codes[message["exited"]] = message["code"]
                else:
                    self.answers.append(message)
                self.news.notify_all()

    def say(self, **message: Any) -> None:
        """One request."""
        print(json.dumps(message), file=self.stdin)

    def hear(self) -> dict[str, Any]:
        """The next answer; ends of trainers are gathered apart."""
        with self.news:
            assert self.news.wait_for(lambda: self.answers, HANG_GUARD_S), "the template does not answer"
            return self.answers.pop(0)

    def fork(self, attempt: Attempt) -> Forked:
        """Start a trainer."""
        self.say(job=str(attempt.file), log=str(attempt.log), environment=ENVIRONMENT)
        answer = self.hear()
        assert answer["started"] == str(attempt.file)
        return Forked(self, answer["pid"])

    def close(self) -> None:
        """End it."""
        if not self.stdin.closed:
            self.stdin.close()
        self.process.wait(HANG_GUARD_S)
        self.reader.join(HANG_GUARD_S)
        self.stdout.close()


class Attempt:
    """One attempt at a run, with its files."""

    def __init__(
        self,
        folder: Path,
        name: str | tuple[Document, str],
        plan: dict[str, Any],
        *,
        number: int = 1,
        resume: str | None = None,
    ) -> None:
        self.document, dataset = example(name) if isinstance(name, str) else name
        self.plan = Plan.model_validate({"dataset": dataset, "device": "cpu", **plan})
        self.folder = folder / "run"
        self.place = self.folder / "attempts" / str(number)
        self.place.mkdir(parents=True)
        self.job = Job(
            run="r1",
            attempt=number,
            document=self.document,
            plan=self.plan,
            folder=str(self.folder),
            data_folder=str(folder / "data"),
            address_file=str(folder / "address"),
            token=f"token-{number}",
            resume=resume,
        )
        self.file = self.place / "job.json"
        self.file.write_text(self.job.model_dump_json())
        self.log = self.place / "log"

    def by_command(self) -> int:
        """Train to the end in a process of the command line, and return the exit code."""
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "layerloom.worker", str(self.file)]
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                timeout=HANG_GUARD_S,
                check=False,
            ).returncode

    @contextmanager
    def running(self, template: Template) -> Iterator[Forked]:
        """The trainer's process; killed at the end if it is there still."""
        process = template.fork(self)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(HANG_GUARD_S)

    def train(self, template: Template) -> int:
        """Train to the end and return the exit code."""
        with self.running(template) as process:
            return process.wait(HANG_GUARD_S)

    def spooled(self) -> list[dict[str, Any]]:
        """Every event of the spool."""
        lines = (self.place / "spool.jsonl").read_text().splitlines()
        return [json.loads(line)["event"] for line in lines]


def losses(events: list[dict[str, Any]], name: str = "train/loss") -> dict[int, float]:
    """A series by step."""
    points: dict[int, float] = {}
    for event in events:
        if event["kind"] == "metrics" and name in event["series"]:
            points.update(zip(event["steps"], event["series"][name], strict=True))
    return points


@contextmanager
def warm() -> Iterator[Template]:
    """A template that is ready."""
    running = Template()
    try:
        assert running.hear() == {"ready": True}
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with warm() as running:
        yield running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as running:
        yield running


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
    assert {"state", "progress", "metrics", "statistics", "histograms", "log", "checkpoint"} == set(service.kinds())
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


def test_divergence_is_told_and_null(tmp_path: Path, service: Service, template: Template) -> None:
    wild = {"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": 1e30}}, "threads": 1}
    attempt = Attempt(tmp_path, "digits-mlp", wild)
    assert attempt.train(template) == 0
    assert [event["problem"]["code"] for event in service.of("problem")] == ["diverged"]
    assert service.states() == ["running", "failed"]
    assert None in losses(attempt.spooled()).values()


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
