"""Classes read from the text of a Python file, without running any of it.

What people write of ``nn.Module`` in its plain shape, and all that LayerLoom writes, becomes blocks with the names,
arguments, expressions, comprehensions and loops of the text. Whatever else the text says is refused with the line.
"""

from layerloom.graph.importing.python.errors import NoPythonError, NotPlainError
from layerloom.graph.importing.python.file import read

__all__ = ["NoPythonError", "NotPlainError", "read"]
