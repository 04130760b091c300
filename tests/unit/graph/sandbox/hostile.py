"""Tasks that do what a sandbox is there to hold. Run in one only."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import layerloom.schema.problems as wire


class Refused(Exception):
    """As the graph room refuses: with problems."""

    problems: ClassVar = [wire.Problem(code=wire.ProblemCode.CYCLE, message="round and round")]


def echo(payload: Any) -> Any:
    return payload


def process(_: Any) -> int:
    return os.getpid()


def environment(_: Any) -> dict[str, str]:
    return dict(os.environ)


def read(_: Any, file: Path) -> str:
    return file.read_text()


def seen(path: str) -> bool:
    return Path(path).exists()


def write(path: str) -> str:
    try:
        Path(path).write_text("written")
    except OSError as error:
        return type(error).__name__
    return "written"


def connect(port: int) -> str:
    for family, address in ((socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("192.0.2.1", 80))):
        with socket.socket(family) as caller:
            caller.settimeout(5)
            try:
                caller.connect(address)
            except OSError:
                continue
            return "connected"
    return "refused"


def privileges(_: Any) -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if line.startswith(("CapEff", "NoNewPrivs")))


def remount(_: Any) -> int:
    """What a process that had kept its privileges could do: make everything writable again."""
    return ctypes.CDLL(None, use_errno=True).mount(None, b"/", None, 0x20 | 0x1000, None)


def allocate(_: Any) -> int:
    return len(bytes(2**31))


def share(_: Any) -> int:
    """Memory that no limit of the process counts."""
    area = mmap.mmap(-1, 2**31)
    block = b"x" * 2**24
    while area.tell() < 2**31:
        area.write(block)
    return area.tell()


def spend(_: Any) -> None:
    while True:
        pass


def multiply(_: Any) -> None:
    while True:
        with suppress(OSError):
            os.fork()


def leave(marker: str) -> None:
    """Start a process that leaves the session and its parent, and wait."""
    code = f"import os, time; os.fork() and os._exit(0); time.sleep(1000)  # {marker}"
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    spend(None)


def fill(_: Any) -> str:
    try:
        with Path("file").open("wb") as out:
            for _ in range(2**10):
                out.write(bytes(2**20))
    except OSError as error:
        return type(error).__name__
    return "filled"


def end(code: int) -> None:
    os._exit(code)


def leave_politely(code: int) -> None:
    sys.exit(code)


def crash(_: Any) -> None:
    ctypes.string_at(0)


def refuse(_: Any) -> None:
    raise Refused


def fail(_: Any) -> None:
    raise ValueError("no such luck")


def flood(_: Any) -> str:
    return "x" * 2**21


def forge(_: Any) -> None:
    """Answer with what is no message, on every descriptor that is open."""
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.write(descriptor, b"\0" * 7 + b"\2[]")
    os._exit(0)


def nest(_: Any) -> None:
    """Answer with what exhausts the stack of a reader."""
    body = b"[" * 100_000 + b"]" * 100_000
    os.write(int(sys.argv[3]), len(body).to_bytes(8, "big") + body)
    os._exit(0)


TASKS = {name: value for name, value in list(globals().items()) if callable(value) and name.islower()}
