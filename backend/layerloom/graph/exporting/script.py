"""TorchScript, for those who still run it: torch has deprecated it, and writes it as long as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from layerloom.graph.errors import refuse
from layerloom.graph.exporting.agreement import verified
from layerloom.graph.exporting.subject import TRACED, Subject
from layerloom.graph.exporting.written import Written
from layerloom.schema.problems import ProblemCode

_jit: Any = torch.jit
"""Untyped in torch."""
DEPRECATED = "torch has deprecated TorchScript; where you can, use pt2."


def write_torchscript(subject: Subject, path: Path) -> Written:
    """Compiled from the source, whose branches and loops it keeps; recorded from a run where torch cannot compile it.

    Raises:
        GraphError: what torch wrote is not what the module does, or it has no TorchScript any more.
    """
    if not (hasattr(torch.jit, "script") and hasattr(torch.jit, "trace")):
        raise refuse(ProblemCode.PACKAGE_MISSING, "the installed torch has no TorchScript any more. Choose pt2.")
    written = _compiled(subject, path)
    if written is None:
        arguments = subject.arguments(TRACED)
        written = _saved(subject, path, _jit.trace(subject.module, arguments, strict=False, check_trace=False))
    subject.notes.append(DEPRECATED)
    return written


def _compiled(subject: Subject, path: Path) -> Written | None:
    """None where torch compiles something else, or nothing: it takes a part of Python, and fails in many ways."""
    try:
        return _saved(subject, path, torch.jit.script(subject.module))
    except Exception:
        return None


def _saved(subject: Subject, path: Path, program: Any) -> Written:
    torch.jit.save(program, path, _extra_files=dict(subject.texts))
    return Written(verified(subject, _jit.load(path), "the TorchScript file"))
