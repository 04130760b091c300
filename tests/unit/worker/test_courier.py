"""Delivery against a real HTTP server that fails in every way: nothing is lost, doubled or out of order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerloom.schema.document import Document
from layerloom.schema.events import Log
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job
from layerloom.training import Control
from layerloom.worker import courier as couriers
from layerloom.worker.courier import Courier
from layerloom.worker.spool import Spool
from unit.worker.service import Service, serving


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couriers, "PACE", 0.005)
    monkeypatch.setattr(couriers, "BEAT", 0.05)
    monkeypatch.setattr(couriers, "BACKOFF", (0.01, 0.05))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as running:
        yield running


def job(folder: Path) -> Job:
    """A job that nobody trains."""
    return Job(
        run="r1",
        attempt=1,
        document=Document.model_validate({"format": 1, "name": "", "main": "M", "blocks": {}}),
        plan=Plan(dataset="digits"),
        folder=str(folder),
        data_folder=str(folder),
        address_file=str(folder / "address"),
        token="secret",
    )


class Post:
    """A spool, a control and a courier between them and the service."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool.jsonl")
        self.control = Control()
        self.courier = Courier(job(folder), self.spool, self.control)
        self.courier.start()

    def write(self, count: int) -> None:
        for number in range(count):
            self.spool.append(Log(message=f"event {number}"))

    def finish(self, **seconds: float) -> bool:
        return self.courier.finish(**{"answering": 60, "away": 60, **seconds})


def test_everything_arrives_in_order(tmp_path: Path, service: Service) -> None:
    post = Post(tmp_path)
    post.write(3_000)
    assert post.finish()
    assert [event["message"] for event in service.of("log")] == [f"event {number}" for number in range(3_000)]
    assert service.tokens == {"Bearer secret"}
    # In chunks, not one by one.
    assert service.requests < 100


def test_what_is_delivered_is_not_asked_about_again(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty delivery at once would hold up the next event."""
    monkeypatch.setattr(couriers, "BEAT", 3_600.0)
    monkeypatch.setattr(couriers, "PACE", 0.1)
    sizes: list[int] = []
    service.fault = lambda _count, events: sizes.append(len(events))
    post = Post(tmp_path)
    for number in range(1, 4):  # the second and third while the courier rests
        post.write(1)
        service.wait(lambda number=number: len(service.events) == number)
    time.sleep(0.3)
    assert sizes == [1] * 3
    assert post.finish()


FAULTS: dict[str, Any] = {
    "connections that are dropped unheard": lambda count, _events: "drop" if count % 3 else None,
    "answers that are lost": lambda count, _events: "lose" if count % 3 else None,
    "a busy store": lambda count, _events: "busy" if count % 4 else None,
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_outlived(name: str, tmp_path: Path, service: Service) -> None:
    service.fault = FAULTS[name]
    post = Post(tmp_path)
    for _ in range(20):
        post.write(10)
        time.sleep(0.002)
    assert post.finish()
    assert len(service.events) == 200
    if name == "answers that are lost":
        assert service.doubles > 0


def test_the_service_may_come_back_elsewhere(tmp_path: Path, service: Service) -> None:
    post = Post(tmp_path)
    post.write(5)
    service.wait(lambda: len(service.events) == 5)
    service.stop()
    post.write(50)  # training goes on
    time.sleep(0.1)
    assert post.courier.is_alive()
    service.start()
    assert post.finish()
    assert len(service.events) == 55


def test_a_service_that_lost_its_newest_events_gets_them_again(tmp_path: Path, service: Service) -> None:
    post = Post(tmp_path)
    post.write(30)
    service.wait(lambda: len(service.events) == 30)
    for number in range(11, 31):
        del service.events[number]
    service.wait(lambda: len(service.events) == 30)
    post.write(1)
    assert post.finish()
    assert len(service.events) == 31


def test_a_service_that_has_read_the_spool_itself_is_not_told_again(tmp_path: Path, service: Service) -> None:
    service.fault = lambda _count, events: "busy" if events and len(service.events) < 20 else None
    post = Post(tmp_path)
    post.write(20)
    service.wait(lambda: service.requests > 2)
    service.events.update(
        {number: {"kind": "log", "level": "info", "message": f"event {number - 1}"} for number in range(1, 21)}
    )
    post.write(5)
    assert post.finish()
    assert len(service.events) == 25


def test_what_is_wanted_comes_back_even_when_nothing_happens(tmp_path: Path, service: Service) -> None:
    post = Post(tmp_path)
    service.wait(lambda: service.requests > 1)
    assert post.control.going()
    for wish in ("pause", "run", "stop"):
        service.desired, service.watched = wish, wish == "pause"
        before = service.requests
        service.wait(lambda before=before: service.requests > before + 1)
        assert (post.control.wanted, post.control.watched) == (wish, wish == "pause")
    assert post.finish()


def test_fenced_means_leave_without_a_word(tmp_path: Path, service: Service) -> None:
    post = Post(tmp_path)
    post.write(1)
    service.wait(lambda: len(service.events) == 1)
    service.fault = lambda _count, _events: "fence"
    post.write(1)
    post.courier.join(60)
    assert post.control.wanted == "abandon"
    assert service.quiet(0.2) == 0


def test_an_event_that_is_refused_does_not_block_the_others(tmp_path: Path, service: Service) -> None:
    service.fault = lambda _count, events: (
        "refuse" if any(item["event"].get("message") == "event 7" for item in events) else None
    )
    post = Post(tmp_path)
    post.write(20)
    assert post.finish()
    messages = [event["message"] for event in service.of("log")]
    assert len(messages) == 20
    assert [number for number, message in enumerate(messages) if message != f"event {number}"] == [7]
    assert "refused" in messages[7]


def test_finishing_does_not_wait_for_ever(tmp_path: Path, service: Service) -> None:
    service.stop()
    post = Post(tmp_path)
    post.write(3)
    assert not post.finish(away=0.3)


def test_a_missing_address_is_waited_for(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.write(2)
    time.sleep(0.05)
    with serving(tmp_path) as late:
        assert post.finish()
        assert len(late.events) == 2
