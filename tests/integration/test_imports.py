"""Code that users bring, where the command line allows it: opened in a sandbox, and held there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from layerloom import from_python
from layerloom.cli import cli
from layerloom.graph import GraphError, build, sandbox, to_python
from layerloom.graph.importing.opening import LIMITS, Rules, open_text
from layerloom.schema.document import Document
from layerloom.schema.importing import ImportAnswer
from serving import HANG_GUARD_S, Server, serving

ODD = """
from torch import nn


class Odd(nn.Module):
    def __init__(self, depth=2, extra=False):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(depth))
        if extra and depth in {1, 2, 3}:
            self.extra = nn.ReLU()

    def forward(self, x):
        for layer in self.layers:
            x = x + layer(x)
        return self.extra(x) if hasattr(self, "extra") else x
"""
NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self, width: int = 6):
        super().__init__()
        self.fc = nn.Linear(4, 2 * width)

    def forward(self, x):
        return self.fc(x)
"""
PARTLY = """
from torch import nn


class Gate(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.gate = Gate()

    def forward(self, x):
        return self.gate(self.fc(x))
"""
HEAD = "import os, socket, subprocess\nfrom pathlib import Path\nfrom torch import nn\n"
TAIL = "\nclass Net(nn.Module):\n    kind = 1\n    def forward(self, x):\n        return x\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home"), "--allow-python") as server:
        yield server


def ask(server: Server, source: str, **more: object) -> httpx.Response:
    with server.client() as client:
        client.timeout = httpx.Timeout(300)
        return client.post("/api/graphs/import", json={"source": source, **more})


def test_code_that_cannot_be_read_is_run_and_recorded(server: Server) -> None:
    answer = ask(server, ODD, arguments={"depth": 3, "extra": True})
    assert answer.status_code == 200, answer.text
    found = ImportAnswer.model_validate(answer.json())
    assert "The classes were run and recorded: in line 9: an __init__ with an if" in found.notes[0]
    names = [name for name, _ in build(found.document).named_modules()]
    assert names == ["", "layers", "layers.0", "layers.1", "layers.2", "extra"]


def test_a_file_outside_can_be_neither_written_nor_seen(server: Server) -> None:
    """What the code finds out comes back as the message of an exception, the one thing that it can say."""
    token, canary = server.home / "token", server.home / "canary"
    code = f"""
try:
    Path({str(canary)!r}).write_text("ran")
except OSError:
    pass
try:
    socket.create_connection(("127.0.0.1", {server.url.rpartition(":")[2]}), 5)
    reached = True
except OSError:
    reached = False
raise ValueError([Path({str(token)!r}).exists(), reached, [k for k in os.environ if "TOKEN" in k]])
"""
    answer = ask(server, HEAD + code + TAIL)
    assert answer.status_code == 422
    assert answer.json()["code"] == "import_closed"
    assert not canary.exists()
    if sandbox.held() == {"files", "network", "processes"}:
        assert "[False, False, []]" in answer.json()["detail"]


def test_an_import_ends_when_its_client_goes(server: Server) -> None:
    """Imports wait for each other: the second would be answered after this one's whole time, which is longer."""
    body = {"source": f"{HEAD}while True: pass\n{TAIL}"}
    with server.client() as client:
        client.timeout = httpx.Timeout(HANG_GUARD_S, read=3)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/api/graphs/import", json=body)
    with server.client() as client:
        client.timeout = httpx.Timeout(LIMITS.wall_s * 0.9)
        assert client.post("/api/graphs/import", json={"source": NET}).status_code == 200


def test_an_exception_says_its_line(server: Server) -> None:
    answer = ask(server, f"{HEAD}raise ValueError('no')\n{TAIL}")
    [error] = answer.json()["errors"]
    assert error["problem"]["data"] == {"line": 4}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("while True: pass", "more time"),
        ("held = bytes(2**34)", "more memory"),
        ("os._exit(0)", "ended early"),
    ],
)
def test_code_that_takes_too_much_is_a_problem(code: str, message: str) -> None:
    limits = sandbox.Limits(memory=2 * 2**30, wall_s=60 if message != "more time" else 15)
    with pytest.raises(GraphError) as caught:
        open_text(HEAD + code + TAIL, "", {}, {}, Rules(python=True, limits=limits))
    assert message in caught.value.problems[0].message


def test_what_is_read_is_proven_against_the_class_itself() -> None:
    document = from_python(NET, arguments={"width": 3})
    assert "nn.Linear(4, 2 * width)" in to_python(document)
    assert to_python(from_python(to_python(document))) == to_python(document)


def test_files_from_the_command_line(tmp_path: Path) -> None:
    here = CliRunner()
    file = tmp_path / "net.py"
    file.write_text(NET)
    made = here.invoke(cli, ["import", f"{file}:Net", "--argument", "width=5", "--shape", "4"])
    assert (made.exit_code, made.stderr) == (0, "")
    assert Document.model_validate_json(made.stdout).blocks["Net"].arguments[0].default == 5
    for name, why in ((f"{file}:Nobody", "no class Nobody"), ("os:system", "is no file and none of")):
        refused = here.invoke(cli, ["import", name])
        assert refused.exit_code == 1
        assert why in refused.stderr


def test_what_cannot_be_opened_is_told_with_the_network(server: Server) -> None:
    found = ImportAnswer.model_validate(ask(server, PARTLY, inputs={"x": {"shape": [4]}}).raise_for_status().json())
    [gate] = [member for member in found.document.blocks["Net"].members if member.kind == "opaque"]
    assert gate.type == "network.Gate"
    assert found.notes[-1].startswith("gate in Net, a network.Gate, could not be opened: what it does depends on")
    with server.client() as client:
        document = found.document.model_dump(mode="json", by_alias=True)
        report = client.post("/api/graphs/check", json=document).raise_for_status().json()
    assert [problem["code"] for problem in report["problems"]] == ["opaque_member"]
