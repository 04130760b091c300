"""Files that are written on request, each in a process of limited means: it runs a document, and may take minutes."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from layerloom.api.refusals import Refusal, with_problems
from layerloom.api.turns import Turns
from layerloom.schema.document import Document
from layerloom.schema.export import ExportReport
from layerloom.schema.problems import ProblemCode

if TYPE_CHECKING:
    from layerloom.graph.sandbox import Limits

_log = logging.getLogger(__name__)
WRITERS = Turns(2, 0, ProblemCode.EXPORT_BUSY, "Other files are being written; try again when they are done.")


def limits() -> Limits:
    """What writing one file may take: a network of 10⁸ parameters passes."""
    from layerloom.graph.sandbox import Limits

    return Limits(memory=8 * 2**30, wall_s=300, file=8 * 2**30, processes=64)


def write_apart(
    document: Document,
    format: str,
    folder: Path,
    weights: Path | None,
    texts: Mapping[str, str],
    home: Path,
    python: bool = False,
) -> tuple[Path, ExportReport]:
    """The file in ``folder``, an empty one of this request, and what is known of it.

    The process sees ``weights`` and libraries, and nothing of ``home``. Code that the document carries is run there
    where ``python`` says so.

    Raises:
        Refusal: 422 with the problems, 503 when too many are at it, 507 when the disk is full.
    """
    from layerloom.graph.errors import GraphError
    from layerloom.graph.exporting.tasks import OUT
    from layerloom.graph.sandbox import SandboxError, TaskError, run

    payload = {"document": document.model_dump(mode="json"), "format": format, "texts": dict(texts), "python": python}
    tasks = "layerloom.graph.exporting.tasks"
    try:
        with WRITERS.taken():
            told = run("export", payload, tasks=tasks, limits=limits(), file=weights, folder=folder, hide=[home])
    except GraphError as error:
        full = any(problem.code is ProblemCode.DISK_FULL for problem in error.problems)
        raise with_problems(507 if full else 422, "The network cannot be exported so.", error.problems) from None
    except SandboxError as error:
        detail = f"Writing this file was given up: {error}. The command line has no limits: layerloom export."
        raise Refusal(422, ProblemCode.EXPORT_FAILED, detail) from None
    except TaskError as error:
        _log.error("an export failed: %s", error.trace)
        detail = "The exporter failed in a way that nobody foresaw; the log of LayerLoom has it. Choose another format."
        raise Refusal(422, ProblemCode.EXPORT_FAILED, detail) from None
    return folder / OUT, ExportReport.model_validate(told)


@contextmanager
def folder_of_one_request(drafts: Path, name: str) -> Iterator[Path]:
    """An empty folder, removed with what is in it when the request fails; a sent file's is removed after it."""
    folder = drafts / name
    folder.mkdir(mode=0o700)
    try:
        yield folder
    except BaseException:
        remove(folder)
        raise


def remove(folder: Path) -> None:
    """Remove a request's folder."""
    shutil.rmtree(folder, ignore_errors=True)


def header(report: ExportReport) -> dict[str, str]:
    """The report beside the file, without the lists of names, which may be longer than a header can be."""
    told = report.model_dump(mode="json")
    if told["quantization"] is not None:
        told["quantization"] |= {"quantized": [], "kept": []}
    return {"X-Export-Report": json.dumps(told)}  # in ASCII, as a header has to be
