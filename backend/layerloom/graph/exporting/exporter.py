"""The two ways to export: into memory, and into a file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.exporting.blame import blamed
from layerloom.graph.exporting.formats import FORMATS, Format
from layerloom.graph.exporting.quiet import quiet
from layerloom.graph.exporting.subject import Subject
from layerloom.graph.exporting.written import Written
from layerloom.schema.document import Document
from layerloom.schema.export import ExportReport
from layerloom.schema.problems import ProblemCode


@dataclass(frozen=True)
class Exported:
    """A written file and what is known of it."""

    content: bytes
    report: ExportReport

    def save(self, path: str | Path) -> None:
        """Write it."""
        Path(path).write_bytes(self.content)


def export(
    document: Document,
    state: Mapping[str, Tensor] | None = None,
    format: str = "pt2",
    *,
    inputs: Mapping[str, Tensor] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Exported:
    """The document's network with these weights, as a file of one of ``FORMATS``.

    ``state`` is a state_dict that fits strictly; without it the network has the weights of its initializers after seed
    0. ``inputs``, by name, are what a loss of precision is measured on; without them random numbers are. ``texts`` are
    kept in the file by every format but Python and ``.pt``. Nothing given is changed, and neither are the global random
    number generators.

    Raises:
        ValueError: there is no such format.
        GraphError: errors in the document, weights of another network, a missing package, or a network that cannot be
            written so; the problem names the node where that is known.
    """
    with tempfile.TemporaryDirectory(prefix="layerloom-") as folder:
        path = Path(folder, "file")
        report = write(document, state, format, path, inputs=inputs, texts=texts)
        return Exported(path.read_bytes(), report)


def write(
    document: Document,
    state: Mapping[str, Tensor] | None,
    format: str,
    path: Path,
    *,
    inputs: Mapping[str, Tensor] | None = None,
    texts: Mapping[str, str] | None = None,
) -> ExportReport:
    """What ``export`` does, into a file, which may be larger than memory should hold twice.

    Raises what ``export`` does; the file is there only when nothing was raised.
    """
    if format not in FORMATS:
        raise ValueError(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    form = FORMATS[format]
    if form.missing:
        message = f"{form.label} needs packages that are not here: pip install {' '.join(form.missing)}."
        raise refuse(ProblemCode.PACKAGE_MISSING, message)
    subject = Subject(document, state, inputs, texts or {})
    draft = path.with_name(f".{path.name}.part")
    try:
        written = _written(subject, form, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return ExportReport(
        format=format,
        bytes=path.stat().st_size,
        verified=written.verified,
        quantization=written.quantization,
        notes=subject.notes,
    )


def _written(subject: Subject, form: Format, path: Path) -> Written:
    with quiet():
        try:
            return form.write(subject, path)
        except (GraphError, OSError, MemoryError):
            raise
        except Exception as error:  # exporters say in many ways that something is beyond them
            raise blamed(subject, error, form.label) from error
