"""Why an exporter failed, at the node that it failed at.

Two traces lead there. An exception's traceback passes through the generated file, and Python knows line and columns.
A node of an exported program remembers the file's line, the module that it came from and the function that was called.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from types import FrameType

from torch import nn
from torch.export import ExportedProgram
from torch.fx import Node as Traced

from layerloom.graph.errors import GraphError
from layerloom.graph.exporting.subject import Subject
from layerloom.graph.spots import Spot, called, file_of, located, name_of, tree_of
from layerloom.schema.problems import Problem, ProblemCode

_TRANSLATING = re.compile(r"Error when translating node %(\w+)")
_MISSING = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.:]+)'")
_CONSTRAINED = re.compile(r"Constraints violated")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def blamed(subject: Subject, error: Exception, whose: str, program: ExportedProgram | None = None) -> GraphError:
    """The problem that an exporter's exception is, for ``raise … from error``.

    ``program`` is what was to be translated, where the exporter works on one.
    """
    if isinstance(error, GraphError):
        return error
    root = subject.module
    spot = _in_traceback(root, error) if program is None else _in_program(root, error, program)
    block, node = located(subject.document, root, spot)
    problem = Problem(
        code=ProblemCode.EXPORT_FAILED,
        message=f"{whose} cannot take this network: {_reason(error)}",
        block=block,
        node=node,
        instance=None if spot is None else spot.module,
        data={"exporter": whose},
    )
    return GraphError([problem])


def _reason(error: Exception) -> str:
    texts = [_COLOURS.sub("", str(item)).strip() for item in _chain(error)]
    for text in texts:
        if missing := _MISSING.search(text):
            return f"ONNX has no operator for {missing[1]}. Compute this otherwise, or choose pt2."
        if _CONSTRAINED.search(text):
            guard = next((line.strip(" -") for line in text.splitlines() if line.strip().startswith("-")), text)
            return (
                f"it holds for some batch sizes only. {guard[:300]}. Write sizes as -1, or read them from the tensor."
            )
    first = next(filter(None, texts), type(error).__name__).splitlines()[0][:300]
    return f"{first.rstrip('. ')}. Choose another format."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """From the first cause to what it led to."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return reversed(found)


# --- where


def _in_traceback(root: nn.Module, error: BaseException) -> Spot | None:
    """The innermost call that generated code made."""
    for item in _chain(error):
        ours = [(frame, at) for frame, at in _frames(item) if frame.f_code.co_filename == file_of(root)]
        if ours:
            frame, instruction = ours[-1]
            # Not of ``root``: a copy of it may have been called.
            names = {id(module): name for name, module in ours[0][0].f_locals["self"].named_modules()}
            spanned = next(islice(frame.f_code.co_positions(), instruction // 2, None))
            return Spot(names.get(id(frame.f_locals["self"]), ""), *called(tree_of(root), spanned))
    return None


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """Of calls of methods, outermost first, each with the instruction that it was at."""
    found, trace = [], error.__traceback__
    while trace is not None:
        if "self" in trace.tb_frame.f_locals:
            found.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    return found


def _in_program(root: nn.Module, error: BaseException, program: ExportedProgram) -> Spot | None:
    """The node that was being translated. Exporters decompose a program first, and so is it looked up."""
    named = next(filter(None, (_TRANSLATING.search(str(item)) for item in _chain(error))), None)
    if named is None:
        return None
    for graph in (program.graph, program.run_decompositions().graph):
        for node in graph.nodes:
            if node.name == named[1]:
                return _origin(root, node)
    return None


def _origin(root: nn.Module, node: Traced) -> Spot | None:
    stack = [(str(path).partition("@")[0], str(kind)) for path, kind in node.meta.get("nn_module_stack", {}).values()]
    ours = [index for index, (_, kind) in enumerate(stack) if kind.startswith(f"{type(root).__module__}.")]
    if not ours:
        return None
    owner = stack[ours[-1]][0]
    if len(stack) > ours[-1] + 1:
        return Spot(owner, member=stack[ours[-1] + 1][0].removeprefix(f"{owner}."))
    function = str(node.meta.get("torch_fn", ("", ""))[1]).rpartition(".")[2]
    lines = re.findall(rf'File "{re.escape(file_of(root))}", line (\d+)', node.meta.get("stack_trace") or "")
    beside = {
        name_of(call) for call in ast.walk(tree_of(root)) if lines and getattr(call, "lineno", 0) == int(lines[-1])
    }
    # Torch's own name may have a prefix: linalg_svdvals.
    likely = {name for name in beside if name and function.endswith(name)}
    return Spot(owner, functions=frozenset(likely or beside))
