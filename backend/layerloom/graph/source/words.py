"""Words for values: what operations give, and which names of theirs say nothing."""

from __future__ import annotations

from layerloom.graph.names import is_identifier
from layerloom.graph.source.variables import counted, singular, speaking

SILENT = (
    frozenset({"input", "other", "x", "y", "tensor", "tensors", "operands", "src", "source", "prepend", "append"})
    | {"mat", "mat1", "mat2", "vec", "vec1", "vec2", "batch1", "batch2", "input1", "input2"}
    | {"values", "start", "end", "out", "size"}
)
"""Names of parameters that say nothing of what is given."""
FLOWS = frozenset({"shape", "indexing", "type", "in place", "dropout"}) | {
    "arithmetic",
    "normalization",
    "activation",
    "padding",
}
"""Operations whose result is still the same thing: a scaled query is a query."""
FRESH = frozenset({"creation", "random"})
"""Operations that make something new, even of a tensor whose shape they take."""
FIRM = frozenset({"creation", "random", "reduction", "attention"})
"""Operations that say what their result is."""
MASKS = (
    frozenset({"eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "xor", "invert"})
    | {"isnan", "isinf", "isin", "isfinite", "logical_and", "logical_or", "logical_not", "logical_xor"}
    | {"bitwise_and", "bitwise_or", "bitwise_not"}
)
NOISE = frozenset({"bernoulli_", "normal_", "uniform_", "exponential_", "log_normal_", "geometric_", "random_"})
NOUNS = {
    **dict.fromkeys(("cat", "concat", "concatenate"), "joined"),
    **dict.fromkeys(("stack", "vstack", "hstack", "dstack"), "stacked"),
    **dict.fromkeys(("matmul", "bmm", "mm", "addmm", "baddbmm", "einsum"), "product"),
    **dict.fromkeys(("sum", "nansum"), "total"),
    **dict.fromkeys(("amax", "max"), "maximum"),
    **dict.fromkeys(("amin", "min"), "minimum"),
    **dict.fromkeys(("rand", "randn", "bernoulli", "normal"), "noise"),
    "where": "selected",
    "arange": "positions",
    "scaled_dot_product_attention": "attention",
    "meshgrid": "grid",
    "grid_sample": "sampled",
    "interpolate": "resized",
}
"""What an operation gives, where its own name is a verb or Python's."""


def word(path: str) -> str:
    """What a member's path says: the last of its names that is one; an item of a list is called as one of them."""
    names = path.split(".")
    last = next((index for index in range(len(names) - 1, -1, -1) if is_identifier(names[index])), None)
    if last is None:
        return ""
    found = names[last] if last == len(names) - 1 else singular(names[last], names[last])
    found = found.rstrip("0123456789").rstrip("_") if counted(found) else found
    return found if speaking(found) else ""


def numbered(path: str) -> bool:
    """Whether a member's path says a place in a row, as ``conv2`` and ``layers.1`` do."""
    return path[-1:].isdigit()


def letter(name: str, index: int, count: int) -> str:
    """The ``k`` of a ``qkv`` of three parts."""
    letters = name.rpartition("_")[2]
    if not len(letters) == len(set(letters)) == count > 1 or not 0 <= index < count:
        return ""
    return letters[index] if speaking(letters[index]) else ""
