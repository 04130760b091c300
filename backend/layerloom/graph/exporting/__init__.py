"""From a document and its weights to a file: Python, weights, programs, quantized ones.

>>> FORMATS.keys()
>>> exported = export(document, module.state_dict(), "onnx")
>>> exported.save("net.onnx")
>>> exported.report.verified

A program is held against torch before it is handed out, at two batch sizes. Modules are exported in evaluation.
"""

from layerloom.graph.exporting.exporter import Exported, export, write
from layerloom.graph.exporting.formats import FORMATS, Format, described
from layerloom.graph.exporting.state import load_state, save_safetensors

__all__ = ["FORMATS", "Exported", "Format", "described", "export", "load_state", "save_safetensors", "write"]
