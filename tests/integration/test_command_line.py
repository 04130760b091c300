"""The command line, as a person in a terminal uses it."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
import safetensors.torch
import torch
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from layerloom.app import CannotStartError, Settings, database_from_environment, listen
from layerloom.cli import cli
from layerloom.graph import build, sandbox
from layerloom.graph.examples import examples
from layerloom.graph.exporting import FORMATS
from layerloom.schema.document import Document
from serving import Server, serving
from watching import viewer

GUARD_S = 240
"""A server on a busy machine may take its time; a hanging one takes longer."""


def layerloom(*arguments: str, home: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if home is not None:
        kept["LAYERLOOM_HOME"] = str(home)
    return subprocess.run(
        [sys.executable, "-m", "layerloom.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=GUARD_S,
        env={**kept, "COLUMNS": "120", **environment},
    )


def drain(viewer: ClientConnection) -> None:
    while True:
        viewer.recv(GUARD_S)


def test_help_needs_no_torch() -> None:
    program = "import sys, layerloom.cli as c\ntry: c.cli(['--help'])\nfinally: assert 'torch' not in sys.modules"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=GUARD_S)
    assert answer.returncode == 0, answer.stderr
    for command in ("serve", "open", "check", "export", "runs"):
        assert command in answer.stdout


def test_a_network_that_checks_and_does_not_run_is_no_good(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    whole = json.loads(examples()[1].document.model_dump_json(by_alias=True))
    members = {member["name"]: member for member in whole["blocks"][whole["main"]]["members"]}
    members["act"]["target"] = "torch.nn.Sigmoid"
    members["drop"].update(target="torch.nn.ReLU", arguments={"inplace": True})
    file.write_text(json.dumps(whole))
    here = CliRunner()
    refused = here.invoke(cli, ["check", str(file)])
    assert (refused.exit_code, "in_place" in refused.stderr) == (1, True)
    assert here.invoke(cli, ["check", "--no-confirm", str(file)]).exit_code == 0


def test_check_and_export(tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(examples()[0].document.model_dump_json())
    here = CliRunner()
    checked = here.invoke(cli, ["check", str(file)])
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "29,258 parameters" in checked.stdout
    exported = here.invoke(cli, ["export", str(file)])
    compile(exported.stdout, "net.py", "exec")
    assert "class DigitsCNN(nn.Module):" in exported.stdout

    broken = json.loads(file.read_text())
    broken["blocks"]["DigitsCNN"]["members"].pop()
    file.write_text(json.dumps(broken))
    for command in ("check", "export"):
        refused = here.invoke(cli, [command, str(file)])
        assert refused.exit_code == 1
        assert "unknown_member at DigitsCNN/fc" in refused.stderr
    file.write_text('{"main": 1}')
    assert "is no LayerLoom network" in here.invoke(cli, ["check", str(file)]).stderr


def test_a_network_with_weights_becomes_a_file(tmp_path: Path) -> None:
    here = CliRunner()
    document = examples()[0].document
    network, weights, file = tmp_path / "net.json", tmp_path / "weights.pt", tmp_path / "net.onnx"
    network.write_text(document.model_dump_json())
    torch.save(build(document, seed=4).state_dict(), weights)
    made = here.invoke(
        cli, ["export", str(network), "--format", "safetensors", "--weights", str(weights), "--out", str(file)]
    )
    assert (made.exit_code, made.stdout) == (0, "")
    again = here.invoke(
        cli, ["export", str(network), "--format", "int8_pt", "--weights", str(weights), "--out", str(tmp_path / "a.pt")]
    )
    assert "bytes, now" in again.stderr
    assert "Agrees with torch at batch 5" in again.stderr
    assert all(
        torch.equal(tensor, torch.load(weights)[name]) for name, tensor in safetensors.torch.load_file(file).items()
    )

    unknown = here.invoke(cli, ["export", str(network), "--format", "pmml"])
    assert unknown.exit_code == 1
    assert all(name in unknown.stderr for name in FORMATS)
    for arguments, why in (
        (["--format", "onnx"], "--out net.onnx"),
        (["--out", str(tmp_path / "no" / "net.py")], "There is no folder"),
        (["--weights", str(network), "--out", str(tmp_path / "b.pt"), "--format", "pt"], "tensors and nothing else"),
    ):
        refused = here.invoke(cli, ["export", str(network), *arguments])
        assert refused.exit_code == 1
        assert why in refused.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"net.json", "weights.pt", "net.onnx", "a.pt"}


def test_a_module_becomes_a_network(tmp_path: Path) -> None:
    here = CliRunner()
    file = tmp_path / "nets.py"
    file.write_text(
        "from torch import nn\n\n\nclass Reader(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.embed = nn.Embedding(30, 8)\n        self.gru = nn.GRU(8, 16, batch_first=True)\n"
        "\n    def forward(self, tokens):\n        x, _ = self.gru(self.embed(tokens))\n        return x[:, -1]\n"
    )
    made = here.invoke(cli, ["import", f"{file}:Reader", "--shape", "int64:12"])
    assert (made.exit_code, made.stderr) == (0, "")
    network = tmp_path / "net.json"
    network.write_text(made.stdout)
    exported = here.invoke(cli, ["export", str(network)]).stdout
    assert "self.gru = nn.GRU(8, 16, batch_first=True)" in exported
    assert here.invoke(cli, ["check", str(network)]).exit_code == 0
    for name, why in (
        ("torchvision:resnet0", "cannot be made"),
        ("os:system", "none of torchvision:NAME"),
        (f"{file}:Nobody", "no class Nobody"),
    ):
        refused = here.invoke(cli, ["import", name])
        assert refused.exit_code == 1
        assert why in refused.stderr


class Canary:
    """Runs a command when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.file}",)


def armed(program: Path, canary: Path) -> Path:
    """The same program, its first weight a pickle that runs a command."""
    payload = io.BytesIO()
    torch.save(Canary(canary), payload)
    made = program.with_name("armed.pt2")
    with zipfile.ZipFile(program) as given, zipfile.ZipFile(made, "w") as written:
        for name in given.namelist():
            content = given.read(name)
            if name.endswith("model_weights_config.json"):
                content = content.replace(b'"use_pickle": false', b'"use_pickle": true', 1)
            elif name.endswith("weight_0"):
                content = payload.getvalue()
            written.writestr(name, content)
    return made


@pytest.mark.filterwarnings("ignore")  # of torch.export, on its way
def test_a_program_becomes_a_network_and_what_it_runs_stays_shut_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = CliRunner()
    network, program, canary = tmp_path / "net.json", tmp_path / "net.pt2", tmp_path / "canary"
    network.write_text(examples()[0].document.model_dump_json())
    assert here.invoke(cli, ["export", str(network), "--format", "pt2", "--out", str(program)]).exit_code == 0
    made = here.invoke(cli, ["import", "--allow-python", str(program)])
    assert made.exit_code == 0, made.stderr
    again = Document.model_validate_json(made.stdout)
    build(again).load_state_dict(build(examples()[0].document).state_dict(), strict=True)

    bad = armed(program, canary)
    with pytest.raises(Exception, match="not an instance"):
        torch.export.load(bad)
    assert canary.exists(), "torch by itself runs what the file says"
    canary.unlink()
    if sandbox.held() == sandbox.HOLDS:
        assert here.invoke(cli, ["import", str(program)]).stdout == made.stdout
        refused = here.invoke(cli, ["import", str(bad)])
        assert (refused.exit_code, canary.exists()) == (1, False)
        assert "no program that this torch can load" in refused.stderr
    monkeypatch.setattr(sandbox, "held", lambda: frozenset({"processes"}))
    refused = here.invoke(cli, ["import", str(program)])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "does not let a sandbox hold files, network." in refused.stderr
    assert f"layerloom import --allow-python {program}" in refused.stderr.replace("\n", "")


def test_one_home_has_one_server_and_its_commands_find_it(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        second = layerloom("serve", "--home", str(tmp_path), "--no-browser")
        assert second.returncode == 1
        assert second.stderr.startswith("Another LayerLoom serves")
        assert (tmp_path / "address").read_text() == server.url
        assert layerloom("runs", home=tmp_path).stdout.startswith("id ")
        entrance = layerloom("open", home=tmp_path).stdout.strip()
        for address in (entrance, server.entrance):
            with httpx.Client(timeout=GUARD_S) as browser:
                assert browser.get(address).status_code == 303
                assert browser.get(f"{server.url}/api/runs").status_code == 200
        with httpx.Client(timeout=GUARD_S) as late:
            late.get(entrance)
            assert late.get(f"{server.url}/api/runs").status_code == 401, "a code works once"
    answer = layerloom("open", home=tmp_path)
    assert answer.returncode == 1
    assert "Start one with `layerloom serve`" in answer.stderr
    assert layerloom("runs", home=tmp_path).stdout.startswith("id ")


def test_a_browser_stays_signed_in_over_a_restart(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    port = int(server.url.rpartition(":")[2])
    with httpx.Client(timeout=GUARD_S) as browser:
        try:
            browser.get(server.entrance)
            server.kill()
            server.start(port)
            assert browser.get(f"{server.url}/api/runs").status_code == 200
        finally:
            server.stop()


def test_a_signal_ends_it_politely(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    with server.client() as user:
        user.timeout = GUARD_S
        example = user.get("/api/examples").json()[0]
        body = {"document": example["document"], "plan": {"dataset": example["plan"]["dataset"], "epochs": 1}}
        run = user.post("/api/runs", json=body).json()["id"]
        user.post(f"/api/runs/{run}/stop")
    with viewer(server, run) as socket:
        os.kill(server.pid, signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            drain(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    server.stop()
    assert "Traceback" not in "".join(server.output), server.output


def test_doors_stay_closed_unless_they_are_named(tmp_path: Path) -> None:
    refused = layerloom("serve", "--home", str(tmp_path), "--host", "0.0.0.0")
    assert refused.returncode == 1
    assert "--allow-host NAME" in refused.stderr
    with (
        serving(tmp_path, "--host", "0.0.0.0", "--allow-host", "studio.example") as server,
        httpx.Client(base_url=server.url, timeout=GUARD_S) as stranger,
    ):
        assert stranger.get("/health").status_code == 200
        assert stranger.get("/api/runs").status_code == 401
        assert stranger.get("/health", headers={"Host": "studio.example"}).status_code == 200
        assert stranger.get("/health", headers={"Host": "evil.example"}).status_code == 421


def test_ports(tmp_path: Path) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(CannotStartError, match="Choose another --port"):
        listen(Settings(home=tmp_path, port=taken.getsockname()[1]))
    with listen(Settings(home=tmp_path)) as first, listen(Settings(home=tmp_path)) as second:
        assert 7878 <= first.getsockname()[1] < second.getsockname()[1] < 7928


def test_answers_are_sent_at_once(tmp_path: Path) -> None:
    """Head and body of an answer are two writes: the second must not wait until the first is acknowledged."""
    with listen(Settings(home=tmp_path, port=0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_database_password_comes_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("p@ss/word\n")
    monkeypatch.setenv("LAYERLOOM_DATABASE", "postgresql+psycopg://loom@db:5432/loom")
    assert database_from_environment() == "postgresql+psycopg://loom@db:5432/loom"
    monkeypatch.setenv("LAYERLOOM_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    assert database_from_environment() == "postgresql+psycopg://loom:p%40ss%2Fword@db:5432/loom"
    monkeypatch.delenv("LAYERLOOM_DATABASE")
    assert database_from_environment() is None
