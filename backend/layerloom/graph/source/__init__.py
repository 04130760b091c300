"""From a document to the source of its module: one file that imports only torch, as a person would write it."""

from layerloom.graph.source.write import write

__all__ = ["write"]
