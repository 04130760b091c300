"""How many devices a plan may want of a machine."""

from __future__ import annotations

import pytest

from layerloom.api.plans import _device_problems
from layerloom.schema.plan import Plan
from layerloom.schema.run import Device

CPU = Device(id="cpu", name="a processor")
GPU = Device(id="cuda:0", name="a GPU")


@pytest.mark.parametrize(
    ("device", "devices", "there", "refused"),
    [
        ("auto", 1, [], False),
        ("auto", 2, [], False),
        ("auto", 2, [CPU], False),
        ("cpu", 4, [GPU, CPU], False),
        ("auto", 2, [GPU, CPU], True),
        ("cuda", 2, [GPU, CPU], True),
        ("cuda", 2, [GPU, GPU, CPU], False),
    ],
)
def test_a_plan_wants_no_more_than_there_are(device: str, devices: int, there: list[Device], refused: bool) -> None:
    problems = list(_device_problems(Plan(dataset="digits", device=device, devices=devices), there))
    assert [problem.code for problem in problems] == (["device_unavailable"] if refused else [])
