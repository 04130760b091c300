"""Traces a child process by ``ptrace`` and ends it, or fails it, at one system call of many.

``strace -e inject`` can do the same, but counts each kind of call by itself and wants a new process each time; here
the calls are counted as they come, and a process that has loaded torch is forked in milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from collections.abc import Callable
from dataclasses import dataclass

_TRACEME, _POKEUSER, _SYSCALL, _SETOPTIONS, _GET_SYSCALL_INFO = 0, 6, 24, 0x4200, 0x420E
_TRACESYSGOOD, _EXITKILL = 0x01, 0x100000
_ENTRY, _EXIT = 1, 2
# Offsets in x86-64's `struct user`: the number of the call on entry, its result on exit.
_ORIG_RAX, _RAX = 15 * 8, 10 * 8
FAILING = platform.machine() == "x86_64"
"""Whether ``traced`` can make calls fail here, beside killing at them."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


class _Info(ctypes.Structure):
    """``struct ptrace_syscall_info``, as far as the number of a call that is entered."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 8),
    )


@dataclass(frozen=True)
class Traced:
    """How it ended: the numbers of the system calls that it made, and its exit code, negative for a signal."""

    calls: list[int]
    code: int


def traced(work: Callable[[], None], *, at: int = 0, error: int = 0) -> Traced:
    """Run ``work`` in a forked child that is killed as it enters its system call number ``at``, counted from 1.

    With an ``error`` (an errno) that call is not made and fails so instead, and the child goes on.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        finally:
            os._exit(code)
    os.waitpid(pid, 0)
    _ptrace(_SETOPTIONS, pid, data=_TRACESYSGOOD | _EXITKILL)
    calls: list[int] = []
    failing = False
    deliver = 0
    while True:
        _ptrace(_SYSCALL, pid, data=deliver)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return Traced(calls, os.waitstatus_to_exitcode(status))
        number = os.WSTOPSIG(status)
        deliver = 0 if number == signal.SIGTRAP | 0x80 else number
        if deliver:
            continue
        info = _Info()
        _ptrace(_GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op == _EXIT and failing:
            _ptrace(_POKEUSER, pid, _RAX, 2**64 - error)
            failing = False
        elif info.op == _ENTRY:
            calls.append(info.number)
            if len(calls) == at and error:
                _ptrace(_POKEUSER, pid, _ORIG_RAX, 2**64 - 1)
                failing = True
            elif len(calls) == at:
                os.kill(pid, signal.SIGKILL)
                return Traced(calls, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "ptrace")
