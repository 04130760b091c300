"""The formats, in one dictionary: to add one, write a function and a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from layerloom.graph.build import to_python
from layerloom.graph.exporting.onnx_file import write_onnx
from layerloom.graph.exporting.program import write_pt2
from layerloom.graph.exporting.quantize import (
    write_int8_dynamic_pt,
    write_int8_dynamic_pt2,
    write_int8_pt,
    write_int8_pt2,
)
from layerloom.graph.exporting.script import write_torchscript
from layerloom.graph.exporting.state import write_pt, write_safetensors
from layerloom.graph.exporting.subject import Subject
from layerloom.graph.exporting.written import Written
from layerloom.schema.export import ExportFormat, FormatKind

_BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Format:
    """A kind of file and who writes it."""

    label: str
    suffix: str
    summary: str
    kind: FormatKind
    write: Callable[[Subject, Path], Written]
    """Writes the file, and holds it against torch where it is a program. Raises GraphError."""
    media_type: str = _BYTES
    needs: tuple[str, ...] = ()
    """Packages of the extra ``export``."""

    @property
    def missing(self) -> list[str]:
        """Those that are not installed here."""
        return [name for name in self.needs if find_spec(name) is None]


def write_python(subject: Subject, path: Path) -> Written:
    """The source that is run, which imports only torch."""
    path.write_text(to_python(subject.document), encoding="utf-8")
    return Written()


FORMATS: dict[str, Format] = {
    "python": Format("Python", ".py", "The class itself", "source", write_python, "text/x-python"),
    "pt": Format("PyTorch state_dict", ".pt", "Weights for the class", "weights", write_pt),
    "safetensors": Format(
        "safetensors", ".safetensors", "Weights for readers in any language", "weights", write_safetensors
    ),
    "pt2": Format("torch.export", ".pt2", "A program for torch, of any batch size", "program", write_pt2),
    "onnx": Format(
        "ONNX", ".onnx", "A program for other runtimes", "program", write_onnx, needs=("onnx", "onnxscript")
    ),
    "torchscript": Format("TorchScript", ".torchscript.pt", "A program for older torch", "program", write_torchscript),
    "int8_pt": Format(
        "int8 state_dict",
        ".int8.pt",
        "Weights; linear layers in 8 bits",
        "quantized",
        write_int8_pt,
        needs=("torchao",),
    ),
    "int8_pt2": Format(
        "int8 torch.export",
        ".int8.pt2",
        "A program; linear layers in 8 bits",
        "quantized",
        write_int8_pt2,
        needs=("torchao",),
    ),
    "int8_dynamic_pt": Format(
        "dynamic int8 state_dict",
        ".int8-dynamic.pt",
        "Weights; linear layers in 8 bits, their inputs too, scaled batch by batch",
        "quantized",
        write_int8_dynamic_pt,
        needs=("torchao",),
    ),
    "int8_dynamic_pt2": Format(
        "dynamic int8 torch.export",
        ".int8-dynamic.pt2",
        "A program; linear layers in 8 bits, their inputs too, scaled batch by batch",
        "quantized",
        write_int8_dynamic_pt2,
        needs=("torchao",),
    ),
}
"""By name. The name is what the command line, the API and ``layerloom.export`` take."""


def described() -> list[ExportFormat]:
    """The dictionary for those who choose from it."""
    return [
        ExportFormat(
            name=name,
            label=form.label,
            suffix=form.suffix,
            media_type=form.media_type,
            summary=form.summary,
            kind=form.kind,
            missing=form.missing,
        )
        for name, form in FORMATS.items()
    ]
