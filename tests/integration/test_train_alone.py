"""``layerloom train`` and ``runs`` without a server, and the server that opens the folder afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from typer.testing import CliRunner, Result

from layerloom.cli import cli
from layerloom.graph import build
from layerloom.graph.examples import examples
from layerloom.schema.document import Document
from serving import serving
from waiting import wait_for

PATIENCE = 180


def network(folder: Path) -> Path:
    """The digits perceptron."""
    document = next(item.document for item in examples() if item.document.main == "DigitsMLP")
    file = folder / "network.json"
    file.write_text(document.model_dump_json(by_alias=True), encoding="utf-8")
    return file


def plan(folder: Path, **settings: Any) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps({"dataset": "digits", "device": "cpu", "threads": 1, **settings}), encoding="utf-8")
    return file


def command(home: Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "layerloom.cli", *map(str, arguments), "--home", str(home)]


def layerloom(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(home, *arguments), capture_output=True, text=True, timeout=PATIENCE, check=False)


def asked(home: Path, *arguments: str | Path) -> Result:
    """The same in this process, where torch is there already: for what starts no trainer."""
    return CliRunner().invoke(cli, [*map(str, arguments), "--home", str(home)])


def weights(output: str) -> dict[str, Any]:
    """The last weights that a command says it has saved."""
    line = next(line for line in output.splitlines() if line.startswith("Weights") and "last" in line)
    saved: dict[str, Any] = torch.load(line.partition(": ")[2], weights_only=True)
    return saved


def test_a_network_trains_and_a_server_opens_the_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = layerloom(home, "train", network(tmp_path), plan(tmp_path, epochs=3), "--name", "first try")
    assert done.returncode == 0, done.stderr
    assert "epoch 3: validation/loss" in done.stdout
    document = Document.model_validate_json(network(tmp_path).read_bytes())
    build(document).load_state_dict(weights(done.stdout), strict=True)
    listed = asked(home, "runs")
    assert "first try" in listed.stdout
    assert "succeeded" in listed.stdout
    with serving(home) as server, server.client() as client:
        runs = client.get("/api/runs").json()["items"]
        assert [(run["name"], run["state"], run["epoch"]) for run in runs] == [("first try", "succeeded", 3)]
        events = client.get(f"/api/runs/{runs[0]['id']}/events?limit=5000").json()
        assert [event["seq"] for event in events["items"]] == list(range(1, events["last_seq"] + 1))
        refused = asked(home, "train", network(tmp_path), plan(tmp_path, epochs=1))
        assert refused.exit_code == 1
        assert "Another LayerLoom serves" in refused.stderr
        assert "first try" in asked(home, "runs").stdout


@pytest.mark.usefixtures("signals_heard")
def test_an_interrupt_pauses_and_the_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    given = (network(tmp_path), plan(tmp_path, epochs=40, batch_size=16))
    whole = layerloom(tmp_path / "whole", "train", *given)
    home = tmp_path / "home"
    said = ""
    with subprocess.Popen(command(home, "train", *given), stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        for line in started.stdout:
            said += line
            if line.startswith("epoch 2:"):
                started.send_signal(signal.SIGINT)
    assert started.returncode == 128 + signal.SIGINT
    assert " paused after " in said
    run = said.rpartition("--resume ")[2].strip()
    resumed = layerloom(home, "train", "--resume", run)
    assert resumed.returncode == 0, resumed.stderr
    one, other = weights(whole.stdout), weights(resumed.stdout)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    again = asked(home, "train", "--resume", run)
    assert again.exit_code == 1
    assert "Extend it to train on, or fork it." in again.stderr
    longer = layerloom(home, "train", "--resume", run, "--epochs", "41", "--learning-rate", "0.0001")
    assert longer.returncode == 0, longer.stderr
    assert "epoch 41: validation/loss" in longer.stdout
    assert_changed_at(home / "runs" / run, learning_rate=0.0001, epochs=41)

    # Another head on what was learned.
    document = json.loads(given[0].read_text(encoding="utf-8"))
    head = document["blocks"][document["main"]]["members"][-1]
    head["arguments"]["out_features"] = 12
    given[0].write_text(json.dumps(document), encoding="utf-8")
    forked = layerloom(home, "train", given[0], plan(tmp_path, epochs=1), "--from", f"{run}:last", "--name", "Twelve")
    assert forked.returncode == 0, forked.stderr
    kept = len(other) - 2
    assert f"of run {run}: {kept} of {len(other)} tensors" in forked.stdout
    assert f"not carried over: {head['name']}.weight, another shape ([10, " in forked.stdout
    trunk = next(name for name in other if not name.startswith(head["name"]))
    assert torch.nn.functional.cosine_similarity(
        weights(forked.stdout)[trunk].flatten(), weights(longer.stdout)[trunk].flatten(), dim=0
    ).item() == pytest.approx(1, abs=0.05)
    missing = asked(home, "train", "--from", f"{run}:987654")
    assert (missing.exit_code, "There is no such checkpoint" in missing.stderr) == (1, True)


def assert_changed_at(run: Path, **changes: float) -> None:
    """The newest trainer of a run was told of these changes, and says at which step they took effect."""
    newest = max((run / "attempts").iterdir(), key=lambda place: int(place.name))
    events = [json.loads(line)["event"] for line in (newest / "spool.jsonl").read_text(encoding="utf-8").splitlines()]
    (adjusted,) = [event for event in events if event["kind"] == "adjusted"]
    assert {name: adjusted["adjustment"][name] for name in changes} == changes


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dataset": "digit"}, "Did you mean digits"),
        ({"epochs": 0}, "/epochs:"),
        ({"optimizer": {"name": "torch.optim.AdamX"}}, "There is no such optimizer"),
        ({"dataset": "iris"}, "Input x expects samples of 64"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_no_run(settings: Any, said: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    refused = asked(home, "train", network(tmp_path), plan(tmp_path, **settings))
    assert refused.exit_code == 1
    assert said in " ".join(refused.stderr.split())
    assert len(asked(home, "runs").stdout.splitlines()) <= 1


def test_what_is_asked_of_it_wrongly(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "no folder" in asked(home, "runs").stderr
    assert "Give a network and a plan" in asked(home, "train").stderr
    assert "There is no such run" in asked(home, "train", "--resume", "nothing").stderr


def test_a_killed_command_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    """The command and its trainer die; the next command finds the run interrupted or live, and no trainer remains."""
    home = tmp_path / "home"
    given = (network(tmp_path), plan(tmp_path, epochs=4000))
    started = subprocess.Popen(command(home, "train", *given), stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    for line in started.stdout:
        if line.startswith("epoch 2:"):
            break
    record = next(home.glob("runs/*/attempts/1/process.json"))
    trainer = json.loads(record.read_text(encoding="utf-8"))["pid"]
    started.kill()
    started.wait()
    started.stdout.close()
    os.kill(trainer, signal.SIGTERM)
    ended = time.monotonic() + PATIENCE
    while Path(f"/proc/{trainer}").exists() and time.monotonic() < ended:
        time.sleep(0.1)
    assert not Path(f"/proc/{trainer}").exists()
    with serving(home) as server, server.client() as client:

        def row() -> dict[str, Any]:
            found: dict[str, Any] = client.get("/api/runs").json()["items"][0]
            return found

        while row()["step"] < 46 and time.monotonic() < ended:
            time.sleep(0.2)
        assert row()["step"] >= 46
        client.post(f"/api/runs/{row()['id']}/stop").raise_for_status()
        while row()["state"] != "stopped" and time.monotonic() < ended:
            time.sleep(0.2)
        assert row()["state"] == "stopped"


@pytest.fixture
def signals_heard() -> Iterator[None]:
    """Whatever runs the tests may have them ignore signals, as ``nohup`` does, and commands would inherit that."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def trainers(pid: int) -> list[psutil.Process]:
    """Those that a command has started."""
    with suppress(psutil.NoSuchProcess):
        return [one for one in psutil.Process(pid).children() if "layerloom.worker" in one.cmdline()]
    return []


@pytest.mark.usefixtures("signals_heard")
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("find-rate", signal.SIGINT),
        ("find-rate", signal.SIGTERM),
        ("find-rate", signal.SIGHUP),
        ("parity", signal.SIGTERM),
    ],
)
def test_a_trial_that_is_told_to_end_leaves_nothing(tmp_path: Path, name: str, number: signal.Signals) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        command(tmp_path / "home", name, network(tmp_path), plan(tmp_path)),
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
    ) as started:
        (trainer,) = wait_for(lambda: trainers(started.pid), "a trainer")
        trainer.suspend()  # so that it is there for sure, and has to be killed
        assert list(scratch.glob("layerloom-trial-*"))
        started.send_signal(number)
        started.wait(PATIENCE)
    assert started.returncode == 128 + number
    assert not trainer.is_running()
    assert list(scratch.glob("layerloom-trial-*")) == []


@pytest.mark.usefixtures("signals_heard")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_training_that_is_told_to_end_pauses(tmp_path: Path, number: signal.Signals) -> None:
    home, given = tmp_path / "home", (network(tmp_path), plan(tmp_path, epochs=100_000))
    said = ""
    ours: list[psutil.Process] = []
    with subprocess.Popen(command(home, "train", *given), stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        for line in started.stdout:
            said += line
            if line.startswith("epoch 2:"):
                ours = trainers(started.pid)
                started.send_signal(number)
    assert started.returncode == 128 + number
    assert len(ours) == 1
    assert not ours[0].is_running()
    assert " paused after " in said


def test_training_whose_output_nobody_reads_pauses(tmp_path: Path) -> None:
    home, given = tmp_path / "home", (network(tmp_path), plan(tmp_path, epochs=100_000))
    with subprocess.Popen(command(home, "train", *given), stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline()
        (trainer,) = trainers(started.pid)
        started.stdout.close()
        started.wait(PATIENCE)
    assert started.returncode == 128 + signal.SIGPIPE
    assert not trainer.is_running()
    assert "paused" in asked(home, "runs").stdout


def test_a_learning_rate_is_found(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = asked(home, "find-rate", network(tmp_path), plan(tmp_path, devices=2), "--json")
    assert found.exit_code == 0, found.stderr
    search = json.loads(found.stdout)
    assert search["suggestion"] in search["rates"]
    assert 1e-4 < search["suggestion"] < 1
    assert not (home / "runs").exists()
    refused = asked(home, "find-rate", network(tmp_path), plan(tmp_path, dataset="digit"))
    assert refused.exit_code == 1
    assert "Did you mean digits" in refused.stderr
