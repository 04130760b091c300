"""Where Python code that a network carries is run and where it is not: commands, a busy server, a server that is
started otherwise than before.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner, Result

from integration.test_own_layers import PATIENT, network
from layerloom.api.asking import CODE
from layerloom.api.turns import RETRY_S
from layerloom.cli import cli
from layerloom.graph.build import load
from layerloom.graph.exporting import load_state
from layerloom.runs import Dispatcher
from layerloom.runs.executors.memory import MemoryExecutor
from layerloom.runs.executors.port import Task
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job
from layerloom.storage import open_store
from serving import serving, wait_for_run
from unit.graph.test_own_layers import SWISH

GUARD_S = 240
TELLING = """from torch import nn


def told(cls):
    open({canary!r}, "w").write("ran")
    return cls


@told
class SwishGate(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return x * self.fc(x)
"""
"""A layer that leaves a file where its code is run outside a sandbox."""


# --- commands


def layerloom(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "layerloom.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=GUARD_S, check=False)


def asked(*arguments: str | Path) -> Result:
    """The same in this process, where torch is there already: for what must leave this process's own rules alone."""
    return CliRunner().invoke(cli, [*map(str, arguments)])


def written(folder: Path, **code: str) -> Path:
    file = folder / "net.json"
    file.write_text(json.dumps(network(**code)))
    return file


def test_commands_run_no_code_unless_they_are_told_to(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    file = written(tmp_path, SwishGate=TELLING.format(canary=str(canary)))
    out = tmp_path / "net.pt"
    for arguments in (["check", file], ["export", file], ["export", file, "--format", "pt", "--out", out]):
        refused = asked(*arguments)
        assert refused.exit_code == 1
        said = " ".join((refused.stdout + refused.stderr).split())
        assert "python_disabled" in said or "--allow-python" in said, said
    assert not canary.exists()
    assert not out.exists()


def test_check_runs_code_in_a_sandbox_where_it_is_told_to(tmp_path: Path) -> None:
    checked = asked("check", "--allow-python", written(tmp_path, SwishGate=SWISH))
    assert checked.exit_code == 0, checked.stderr
    # 64 · 8 + 8 of the first, 8 · 8 + 8 of the gate, 8 · 10 + 10 of the last.
    assert checked.stdout.startswith("682 parameters")
    wrong = written(tmp_path, SwishGate=SWISH.replace("x * torch", "x[:, :3] * torch"))
    refused = asked("check", "--allow-python", wrong)
    assert refused.exit_code == 1
    assert "shape_mismatch at Net/b" in refused.stderr


def test_export_writes_code_and_weights_where_it_is_told_to(tmp_path: Path) -> None:
    file = written(tmp_path, SwishGate=SWISH)
    source = layerloom("export", "--allow-python", file)
    assert source.returncode == 0, source.stderr
    assert SWISH[SWISH.index("class ") :] in source.stdout
    out = tmp_path / "net.safetensors"
    saved = layerloom("export", "--allow-python", file, "--format", "safetensors", "--out", out)
    assert saved.returncode == 0, saved.stderr
    module = load(source.stdout).Net()
    module.load_state_dict(load_state(out), strict=True)
    assert "gate.beta" in module.state_dict()


# --- a busy server


def test_more_code_than_fits_is_refused_for_a_while_and_the_rest_is_answered(tmp_path: Path) -> None:
    allowed, surplus = CODE.at_once + CODE.waiting, 4
    with serving(tmp_path, "--allow-python") as server, server.client() as client:
        client.timeout = PATIENT
        client.get("/api/catalogue").raise_for_status()  # torch is loaded

        # Each is answered by a process of its own, which takes longer to start than all of them take to arrive.
        def ask(number: int) -> httpx.Response:
            return client.post("/api/graphs/check", json=network(SwishGate=SWISH.replace("1.0", f"1.{number}")))

        with ThreadPoolExecutor(allowed + surplus) as threads:
            answers = list(threads.map(ask, range(allowed + surplus)))
        assert Counter(answer.status_code for answer in answers) == {200: allowed, 503: surplus}
        for answer in answers:
            if answer.status_code == 503:
                assert answer.json()["code"] == "python_busy"
                assert answer.headers["retry-after"] == str(RETRY_S)
            else:
                assert answer.json()["ok"], answer.text
        assert ask(99).status_code == 200  # no place stays taken


# --- a server that is started otherwise than before


class Dying(MemoryExecutor):
    """Ends the service that asks it for a trainer: between the job that it wrote and the handle that it never got."""

    def start(self, task: Task) -> str:
        raise SystemExit(task.key)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_start_that_was_cut_short_runs_code_only_where_the_next_service_allows_it(
    tmp_path: Path, allowed: bool
) -> None:
    home, canary = tmp_path / "home", tmp_path / "canary"
    home.mkdir()
    document = Document.model_validate(network(SwishGate=TELLING.format(canary=str(canary))))
    plan = Plan(dataset="digits-flat", epochs=1, seed=0, device="cpu", threads=1)
    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
    try:
        run = store.runs.add(document, plan).run
        paths = {"data_folder": home / "data", "address_file": home / "address"}
        with pytest.raises(SystemExit):
            Dispatcher(store, Dying(slots=1), python=True, **paths).tick()
        job = store.folder(run) / "attempts" / "1" / "job.json"
        assert Job.model_validate_json(job.read_bytes()).python
    finally:
        store.close()
    with serving(home, *(["--allow-python"] if allowed else [])) as server, server.client() as client:
        client.timeout = PATIENT
        view: dict[str, Any] = wait_for_run(client, run, "succeeded", "failed", seconds=GUARD_S)
        events = orjson.loads(client.get(f"/api/runs/{run}/events", params={"limit": 5_000}).content)["items"]
    assert view["state"] == ("succeeded" if allowed else "failed"), events[-3:]
    assert canary.exists() == allowed
    assert Job.model_validate_json(job.read_bytes()).python == allowed
    if not allowed:
        assert [it["problem"]["code"] for it in events if it["kind"] == "problem"] == ["python_disabled"]
