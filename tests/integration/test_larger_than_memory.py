"""A data set that does not fit into what a process may take trains all the same, and the process stays small."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from layerloom.schema.catalogue import DatasetEntry

MIB = 2**20
SAMPLES, SHAPE = 6_000, [3, 64, 64]
ROOM = 200 * MIB
"""Half of what the samples take as floats, a third of what they take beside a copy."""

PROGRAM = textwrap.dedent(
    """
    import resource, sys, tempfile
    from pathlib import Path

    import torch

    from layerloom.data import prepare
    from layerloom.schema.document import InputExample
    from layerloom.schema.plan import Plan
    from layerloom.training import Control, train

    def told(name):
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(3, 2)

        def forward(self, x):
            return self.head(x.mean((2, 3)))

    def run(plan, folder):
        data = prepare(plan, {"x": InputExample(shape=[3, 64, 64])}, folder)
        print(" ".join(data.notes) or "none")
        with tempfile.TemporaryDirectory() as work:
            return train(Net(), plan, data.train, data.validation, task="classification", classes=2,
                         emit=lambda event: None, control=Control(), folder=Path(work)).step

    folder, room = Path(sys.argv[1]), int(sys.argv[2])
    plan = Plan(dataset="large", batch_size=64, epochs=1, device="cpu", threads=1)
    run(plan.model_copy(update={"dataset": "small"}), folder)  # what torch itself takes when it first trains
    before = told("VmRSS")
    resource.setrlimit(resource.RLIMIT_DATA, (told("VmData") + room,) * 2)
    Path("/proc/self/clear_refs").write_text("5")
    print(run(plan, folder))
    print(told("VmHWM") - before)
    """
)


def keep(folder: Path, name: str, count: int) -> None:
    place = folder / "uploads" / name
    place.mkdir(parents=True)
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, *SHAPE), dtype=np.uint8))
    save_file({"inputs.x": pixels, "targets": torch.arange(count) % 2}, place / "data.safetensors")
    entry = DatasetEntry(
        name=name,
        label=name,
        category="images",
        task="classification",
        shape=SHAPE,
        classes=["a", "b"],
        samples=count,
        uploaded=True,
    )
    (place / "meta.json").write_text(json.dumps(entry.model_dump(mode="json")))


def test_a_process_stays_smaller_than_what_it_trains_on(tmp_path: Path) -> None:
    keep(tmp_path, "large", SAMPLES)
    keep(tmp_path, "small", 256)
    floats = 4 * SAMPLES * int(np.prod(SHAPE))
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path), str(ROOM)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    note, steps, grown = done.stdout.splitlines()[-3:]
    assert "read from disk" in note
    assert int(steps) == 75
    print(f"{floats / MIB:.0f} MiB of floats, and the process grew by {int(grown) / MIB:.0f} MiB")
    # Its data keep to the room, or the limit would have ended it; pages of the file are the system's to take back.
    assert int(grown) < ROOM + floats // 4 < floats
