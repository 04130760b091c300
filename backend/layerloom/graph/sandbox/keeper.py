"""The process between the service and a sandboxed one: it walls the other in, and ends it with all its offspring.

Run by its path, without site-packages, by ``process.py``: ``keeper.py '{"command": […], …}'``. What Linux offers to
an unprivileged process is used as far as the kernel permits: namespaces of users, mounts, processes, networks and IPC.
``LAYERLOOM_HELD`` tells the child which of them hold. Elsewhere the limits of resources hold, and this process's
watch over memory and number of processes.

The child is process 1 of its own namespace: when it ends, or this process does, the kernel ends all that it started.
It leaves every privilege behind at ``execve``, because it is not user 0 there.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import select
import signal
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

OVER_TIME, OVER_MEMORY, OVER_PROCESSES, LET_GO = 96, 97, 98, 99
"""Exit codes of this process, beside the child's own."""
_WATCH_MS = 100
_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_NOSUID, _MS_NODEV = 0x1000, 0x4000, 0x40000, 0x2, 0x4
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY, _AT_FDCWD = 442, 0x8000, 1, -100
_PDEATHSIG, _SUBREAPER, _NO_NEW_PRIVILEGES = 1, 36, 38
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_NOBODY = 65534
_PID_MAX = 301
"""The least that Linux takes."""


def main(given: dict[str, Any]) -> int:
    """Start the child, watch it, and end when it does or when the service lets go of the lifeline."""
    with suppress(OSError, AttributeError):
        _libc("prctl", _SUBREAPER, 1, 0, 0, 0)
        _libc("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = _leave()
    child = os.fork()
    if child == 0:
        _become(given, held)
    # What the service asks to be shown: see ``process.py``.
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(child, signal.SIGUSR1))
    code = _watch(child, given)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    _end_offspring()
    return code


def _leave() -> set[str]:
    """Enter new namespaces; say what is held by them."""
    user, group = os.getuid(), os.getgid()
    try:
        _libc("unshare", _NEWUSER | _NEWNS | _NEWPID | _NEWNET | _NEWIPC)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user or _NOBODY} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group or _NOBODY} {group} 1", encoding="ascii")
    except (OSError, AttributeError):
        return set()
    return {"network", "processes"}


# --- the child


def _become(given: dict[str, Any], held: set[str]) -> NoReturn:
    try:
        with suppress(OSError, AttributeError):
            _libc("prctl", _PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.close(given["lifeline"])
        os.setsid()
        if held:
            with suppress(OSError):
                _mount_all(given)
                held.add("files")
        os.chdir(given["folder"])
        _limit(given["limits"], bool(held))
        os.environ["LAYERLOOM_HELD"] = " ".join(sorted(held))
        os.execv(given["command"][0], given["command"])  # noqa: S606  (our own program)
    except BaseException as error:
        print(f"the sandbox cannot start: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)


def _mount_all(given: dict[str, Any]) -> None:
    """Everything read-only but one folder; places that hold what is nobody's business are empty."""
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    folder, room = given["folder"], f"size={given['limits']['scratch']}"
    kept = _handles([*given["keep"], folder, *_DEVICES])
    for path in given["hide"]:
        if Path(path).is_dir():
            _mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, f"{room},mode=755")
    _mount("tmpfs", "/dev", "tmpfs", _MS_NOSUID, "size=64k,mode=755")
    Path("/dev/fd").symlink_to("/proc/self/fd")
    for path, descriptor in kept.items():
        _uncover(path, descriptor, own=path == folder)
    if given["in_memory"]:
        _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, f"{room},mode=700")
    with suppress(OSError):  # refused where a container hides a part of its own
        _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV)
    for name, value in (("kernel/pid_max", _PID_MAX), ("user/max_user_namespaces", 0)):
        with suppress(OSError):
            Path("/proc/sys", name).write_text(str(value), encoding="ascii")
    _set_attributes("/", _AT_RECURSIVE, _READ_ONLY, 0)
    _set_attributes(folder, 0, 0, _READ_ONLY)


def _handles(paths: list[str]) -> dict[str, int]:
    found = {}
    for path in paths:
        with suppress(OSError):
            found[path] = os.open(path, os.O_PATH)
    return found


def _uncover(path: str, descriptor: int, own: bool) -> None:
    """Let a path lead again to what lay there before it was covered; ``own`` makes it a mount of its own."""
    there = Path(path)
    if there.exists() and os.path.samestat(there.stat(), os.fstat(descriptor)) and not own:
        return
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        there.mkdir(parents=True, exist_ok=True)
    else:
        there.parent.mkdir(parents=True, exist_ok=True)
        there.touch()
    _mount(f"/proc/self/fd/{descriptor}", path, None, _MS_BIND | _MS_REC)
    os.close(descriptor)


def _limit(limits: dict[str, int], own_users: bool) -> None:
    kinds = {
        resource.RLIMIT_DATA: limits["memory"],
        resource.RLIMIT_AS: limits["memory"] + limits["mapped"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    if limits["cpu_s"]:
        kinds[resource.RLIMIT_CPU] = limits["cpu_s"]
    if own_users:
        # Counted within the user namespace. Elsewhere all that the user runs would count.
        kinds[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, most in kinds.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    # Others' requests come first, and should the machine's memory run out, this process goes first.
    os.nice(5)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


# --- the watch


def _watch(child: int, given: dict[str, Any]) -> int:
    lifeline = select.poll()
    lifeline.register(given["lifeline"], select.POLLIN | select.POLLHUP)
    limits = given["limits"]
    while not lifeline.poll(_WATCH_MS):
        for ended, code in _ended():
            if ended == child:
                return OVER_TIME if _spent(limits["cpu_s"]) else code if code >= 0 else 128 - code
        members = _members(child)
        if len(members) > limits["processes"]:
            return OVER_PROCESSES
        if sum(map(_private_bytes, members)) > limits["memory"]:
            return OVER_MEMORY
    return LET_GO


def _ended() -> Iterator[tuple[int, int]]:
    """Processes of this one's that have ended since, and their codes."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            yield found[0], os.waitstatus_to_exitcode(found[1])


def _spent(seconds: int) -> bool:
    """Whether the children that have ended used up their CPU time: that limit kills, as others do."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 0 < seconds <= used.ru_utime + used.ru_stime + 0.1


def _members(child: int) -> list[int]:
    """The child and its offspring. Where they have a /proc of their own, this process is not in it, and all are."""
    everything = _processes()
    if everything and not Path("/proc/self").exists():
        return everything
    return [child, *_descendants(child)]


def _processes() -> list[int]:
    with suppress(OSError):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  (the cheaper call)
    return []


def _descendants(of: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for process in _processes():
        with suppress(OSError, ValueError, IndexError):
            text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(process)
    found: list[int] = []
    waiting = [of]
    while waiting:
        waiting.extend(children := parents.get(waiting.pop(), []))
        found.extend(children)
    return found


def _private_bytes(process: int) -> int:
    """Memory that is the process's own or shared with its offspring, without the pages of files."""
    with suppress(OSError, ValueError):
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        return 1024 * sum(int(count) for count in re.findall(r"^(?:RssAnon|RssShmem):\s*(\d+) kB", text, re.MULTILINE))
    return 0


def _end_offspring() -> None:
    """Whatever left the child's session is this process's now, by ``PR_SET_CHILD_SUBREAPER``."""
    while _has_children():
        for process in _descendants(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        for _ in _ended():
            pass
        select.select([], [], [], 0.005)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


# --- the kernel


def _libc(function: str, *arguments: Any) -> None:
    """Call a function of the C library. Raises OSError, and AttributeError where there is no such function."""
    call: Callable[..., int] = getattr(ctypes.CDLL(None, use_errno=True), function)
    longs = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    if call(*longs) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    def text(value: str | None) -> bytes | None:
        return None if value is None else os.fsencode(value)

    _libc("mount", text(source), text(target), text(kind), flags, text(options))


def _set_attributes(path: str, flags: int, on: int, off: int) -> None:
    attributes = struct.pack("QQQQ", on, off, 0, 0)
    given = ctypes.create_string_buffer(attributes, len(attributes))
    _libc("syscall", _MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, given, len(attributes))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
