"""LayerLoom: draw a PyTorch network, train it, download weights that load into the module you would have written.

>>> import layerloom
>>> report = layerloom.check(document)
>>> print(layerloom.to_python(document))
>>> module = layerloom.build(document, seed=0)
>>> layerloom.export(document, module.state_dict(), "onnx").save("net.onnx")
>>> document = layerloom.from_module(any_module, [example_input])
>>> document = layerloom.from_module(detector, [images], part="backbone+head")
>>> document = layerloom.from_python("class Net(nn.Module): …")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Names are looked up on first use: `layerloom --help` and the API process start without waiting for torch.
_WHERE = {
    "Document": "layerloom.schema.document",
    "Report": "layerloom.schema.report",
    "Problem": "layerloom.schema.problems",
    "Plan": "layerloom.schema.plan",
    "catalogue": "layerloom.catalogue",
    "forget_gate_bias": "layerloom.catalogue",
    "allow_python": "layerloom.graph",
    "check": "layerloom.graph",
    "confirm": "layerloom.graph.confirming",
    "to_python": "layerloom.graph",
    "build": "layerloom.graph",
    "export": "layerloom.graph.exporting",
    "analyse": "layerloom.graph.analysis",
    "doctor": "layerloom.graph.lab",
    "init_lab": "layerloom.graph.lab",
    "recommended_initializers": "layerloom.graph.lab",
    "from_module": "layerloom.graph.importing",
    "from_python": "layerloom.graph.importing.opening",
    "ClosedError": "layerloom.graph.importing",
    "block_from_expression": "layerloom.graph.editing",
    "make_block": "layerloom.graph.editing",
    "alike": "layerloom.graph.editing",
    "dissolve": "layerloom.graph.editing",
    "detach": "layerloom.graph.editing",
    "diff": "layerloom.graph.comparing",
    "merge": "layerloom.graph.comparing",
    "GraphError": "layerloom.graph",
}
__all__ = [
    "ClosedError",
    "Document",
    "GraphError",
    "Plan",
    "Problem",
    "Report",
    "alike",
    "allow_python",
    "analyse",
    "block_from_expression",
    "build",
    "catalogue",
    "check",
    "confirm",
    "detach",
    "diff",
    "dissolve",
    "doctor",
    "export",
    "forget_gate_bias",
    "from_module",
    "from_python",
    "init_lab",
    "make_block",
    "merge",
    "recommended_initializers",
    "to_python",
]

if TYPE_CHECKING:
    from layerloom.catalogue import catalogue, forget_gate_bias
    from layerloom.graph import GraphError, allow_python, build, check, to_python
    from layerloom.graph.analysis import analyse
    from layerloom.graph.comparing import diff, merge
    from layerloom.graph.confirming import confirm
    from layerloom.graph.editing import alike, block_from_expression, detach, dissolve, make_block
    from layerloom.graph.exporting import export
    from layerloom.graph.importing import ClosedError, from_module
    from layerloom.graph.importing.opening import from_python
    from layerloom.graph.lab import doctor, init_lab, recommended_initializers
    from layerloom.schema.document import Document
    from layerloom.schema.plan import Plan
    from layerloom.schema.problems import Problem
    from layerloom.schema.report import Report


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'layerloom' has no attribute {name!r}")
    module = import_module(_WHERE[name])
    # The subpackage of that name is itself callable, so that `layerloom.catalogue` is one object whoever imported it.
    return module if module.__name__ == f"layerloom.{name}" else getattr(module, name)
