"""Devices and slots, from what ``nvidia-smi`` prints."""

from __future__ import annotations

import pytest

from layerloom.runs.executors.devices import Place, choose, find_places, parse_gpus
from layerloom.runs.executors.environment import trainer_environment
from layerloom.runs.executors.port import Need

LISTING = "0, GPU-aa, NVIDIA H200, 143771\n1, GPU-bb, NVIDIA H200, 143771\n2, GPU-cc, NVIDIA L4, [N/A]\n"
CPU = Place("cpu", "a processor", 2)
GPUS = [*parse_gpus(LISTING, None)[:2], CPU]


@pytest.mark.parametrize(
    ("visible", "uuids"),
    [
        (None, ["GPU-aa", "GPU-bb", "GPU-cc"]),
        ("2,0", ["GPU-cc", "GPU-aa"]),
        ("GPU-b", ["GPU-bb"]),
        ("1,7,0", ["GPU-bb"]),
        ("", []),
        ("-1", []),
    ],
)
def test_gpus_are_numbered_as_torch_numbers_them(visible: str | None, uuids: list[str]) -> None:
    places = parse_gpus(LISTING, visible)
    assert [place.visible for place in places] == uuids
    assert [place.id for place in places] == [f"cuda:{number}" for number in range(len(uuids))]


def test_memory_is_in_bytes_where_it_is_known() -> None:
    assert [place.memory for place in parse_gpus(LISTING, None)] == [143771 * 2**20, 143771 * 2**20, None]


@pytest.mark.parametrize(
    ("device", "busy", "chosen"),
    [
        ("auto", {}, "cuda:0"),
        ("auto", {"cuda:0": 1}, "cuda:1"),
        ("auto", {"cuda:0": 1, "cuda:1": 1}, None),
        ("cuda", {"cuda:0": 1}, "cuda:1"),
        ("cuda:0", {"cuda:0": 1}, None),
        ("cuda:1", {}, "cuda:1"),
        ("cpu", {"cuda:0": 1, "cpu": 1}, "cpu"),
        ("cpu", {"cpu": 2}, None),
        ("mps", {}, "cpu"),
        ("cuda:9", {}, "cpu"),
    ],
)
def test_a_run_gets_the_device_it_asks_for_or_waits(device: str, busy: dict[str, int], chosen: str | None) -> None:
    places = choose(GPUS, busy, Need(device))
    assert [place.id for place in places] == ([chosen] if chosen else [])


@pytest.mark.parametrize(
    ("device", "devices", "busy", "chosen"),
    [
        ("auto", 2, {}, ["cuda:0", "cuda:1"]),
        ("cuda", 2, {"cuda:1": 1}, []),
        ("cuda", 3, {}, ["cpu"]),
        ("cpu", 4, {"cpu": 1}, ["cpu"]),
        ("cpu", 2, {"cpu": 2}, []),
    ],
)
def test_a_run_gets_as_many_devices_as_it_asks_for_or_waits(
    device: str, devices: int, busy: dict[str, int], chosen: list[str]
) -> None:
    assert [place.id for place in choose(GPUS, busy, Need(device, devices=devices))] == chosen


def test_without_an_accelerator_auto_is_the_cpu() -> None:
    assert choose([CPU], {}, Need("auto")) == [CPU]
    assert choose([CPU], {"cpu": 2}, Need("auto")) == []


def test_this_machine_has_a_processor() -> None:
    place = find_places(cpu_slots=3)[-1]
    assert (place.id, place.slots) == ("cpu", 3)
    assert place.name
    assert place.memory
    assert find_places()[-1].slots >= 1


def test_no_secret_reaches_a_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LAYERLOOM_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "MY_PATH"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TORCH_HOME", "/weights")
    environment = trainer_environment("GPU-aa", 3)
    assert "secret" not in environment.values()
    assert environment["TORCH_HOME"] == "/weights"
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-aa"
    assert (environment["OMP_NUM_THREADS"], environment["OMP_WAIT_POLICY"]) == ("3", "PASSIVE")
