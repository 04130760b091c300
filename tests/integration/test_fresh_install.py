"""The two ways to get LayerLoom: `make run` in a fresh clone, and the wheel in an empty environment without Node.

The machine has torch and its libraries already, as many a machine has: five gigabytes of one package, which ``make
test`` has installed a moment ago by the same two files, are not unpacked once more. All that depends on torch, and all
else, is installed into the clone's own empty environment. ``make endure`` installs torch there, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

import httpx
import pytest

from serving import READY
from waiting import HANG_GUARD_S

ROOT = Path(__file__).parents[2]
INSTALL_GUARD_S = 1_500
EVERYTHING = os.environ.get("LAYERLOOM_INSTALL") == "all"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that the machine has: torch, and the compiled libraries that it alone requires."""
    folder = tmp_path_factory.mktemp("given")
    for package in () if EVERYTHING else distributions():
        if package.name == "torch" or package.name.startswith(("nvidia-", "cuda-", "triton")):
            for name in {file.parts[0] for file in package.files or () if not file.parts[0].startswith(("..", "__"))}:
                if not (folder / name).exists():
                    (folder / name).symlink_to(Path(str(package.locate_file(name))))
    return folder


def environment(home: Path, given: Path, path: str | None = None) -> dict[str, str]:
    """What a person's shell has: no virtual environment, no variables of an outer make."""
    dropped = ("VIRTUAL_ENV", "OMP_NUM_THREADS", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    outer = str(ROOT / ".venv" / "bin")
    kept["PATH"] = path or ":".join(part for part in kept["PATH"].split(":") if part != outer)
    return {**kept, "LAYERLOOM_HOME": str(home), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(given)}


@contextmanager
def started(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[str]:
    """Start a command, wait for the ready line, give the entrance address, end the whole process group."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    lines: list[str] = []
    found: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                lines.append(line)
                match = READY.search(line)
                if match:
                    found.append(match[1] + (match[2] or "/"))
                    ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        ready.wait(INSTALL_GUARD_S)
        assert found, "".join(lines[-50:])
        yield found[0]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)
        reader.join(30)


def assert_serves_the_page(entrance: str) -> None:
    with httpx.Client(follow_redirects=True, timeout=HANG_GUARD_S) as client:
        base = entrance.split("/?")[0]
        assert client.get(f"{base}/health").status_code == 200
        page = client.get(entrance)
        assert page.status_code == 200
        assert '<div id="root">' in page.text
        script = re.search(r'src="(/assets/[^"]+\.js)"', page.text)
        assert script is not None
        assert len(client.get(base + script[1]).raise_for_status().content) > 10_000
        catalogue = client.get(f"{base}/api/catalogue").raise_for_status().json()
        assert "torch.nn.Conv2d" in {entry["name"] for entry in catalogue["layers"]}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is committed, and nothing that was built or installed here."""
    folder = tmp_path_factory.mktemp("clone") / "layerloom"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)], check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(INSTALL_GUARD_S + 120)
def test_make_run_starts_everything_from_a_fresh_clone(clone: Path, given: Path, tmp_path: Path) -> None:
    command = ["make", "run", "ARGS=--port 0 --no-browser", f"PYTHON={sys.executable}"]
    with started(command, clone, environment(tmp_path, given)) as entrance:
        assert_serves_the_page(entrance)


def requirements(python: Path) -> list[str]:
    """What the LayerLoom of an environment declares."""
    ask = "import importlib.metadata, json; print(json.dumps(importlib.metadata.requires('layerloom')))"
    found: list[str] = json.loads(subprocess.check_output([python, "-I", "-c", ask]))
    return found


@pytest.mark.timeout(INSTALL_GUARD_S + 120)
def test_the_wheel_serves_the_page_without_node(clone: Path, given: Path, tmp_path: Path) -> None:
    """The clone has what pip made of its requirements: the packages of a wheel that declares the same."""
    assert (clone / "backend/layerloom/static/index.html").exists(), "the clone has not built its front end"
    env = environment(tmp_path, given)
    build = [str(ROOT / ".venv/bin/python"), "-m", "build", "--wheel", "--outdir", str(tmp_path), str(clone)]
    subprocess.run(build, check=True, env=env, stdout=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("layerloom-*.whl")
    python = tmp_path / "empty/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True, env=env)
    assert requirements(python) == requirements(clone / ".venv/bin/python")
    # A folder of a .pth file has its own .pth files ignored: the clone's LayerLoom is not on the path.
    for packages in (clone / ".venv/lib").glob("python*/site-packages"):
        (tmp_path / f"empty/lib/{packages.parent.name}/site-packages/required.pth").write_text(f"{packages}\n")
    where = subprocess.check_output([python, "-I", "-c", "import layerloom; print(layerloom.__file__)"], text=True)
    assert Path(where).is_relative_to(tmp_path / "empty")
    bare = tmp_path / "bin"
    bare.mkdir()
    assert shutil.which("node", path=str(bare)) is None
    command = [str(tmp_path / "empty/bin/layerloom"), "serve", "--port", "0", "--no-browser"]
    with started(command, tmp_path, environment(tmp_path / "home", given, path=str(bare))) as entrance:
        assert_serves_the_page(entrance)
    shutil.rmtree(tmp_path / "empty")
