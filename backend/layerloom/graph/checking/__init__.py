"""The check: what a document means, node by node.

``checked`` takes any parsed document and never raises: whatever is wrong becomes a ``Problem`` with a place and, where
there is one, a fix. Torch itself is the shape checker: layers and operations run on meta tensors, one node at a time,
so no layer's shape rule is written here.
"""

from layerloom.graph.checking.session import CheckedGraph, check, checked

__all__ = ["CheckedGraph", "check", "checked"]
