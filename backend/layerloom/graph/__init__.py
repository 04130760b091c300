"""Document → checked graph → readable source → module.

>>> report = check(document)
>>> print(to_python(document))
>>> module = build(document, seed=0)
"""

from layerloom.catalogue.own import allow as allow_python
from layerloom.graph.build import build, to_python
from layerloom.graph.checking import CheckedGraph, check, checked
from layerloom.graph.errors import GraphError

__all__ = ["CheckedGraph", "GraphError", "allow_python", "build", "check", "checked", "to_python"]
