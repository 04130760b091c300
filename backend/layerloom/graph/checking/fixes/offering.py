"""Which mends a failed call is offered, the likeliest first."""

from __future__ import annotations

from itertools import chain

from layerloom.graph.checking import autos
from layerloom.graph.checking.fixes import arriving, joining, setting
from layerloom.graph.checking.fixes.calls import LayerCall, OperationCall
from layerloom.schema.problems import Fix, ProblemCode

Expected = tuple[str, int, int] | None
"""A size argument, its value, and the size that arrives."""


def for_layer(call: LayerCall, expected: Expected) -> list[Fix]:
    """Mends of a layer that refused its inputs."""
    if call.failure.code is ProblemCode.DTYPE_MISMATCH:
        return list(arriving.casts(call))
    if autos.paths(call.config):
        return []
    rearranged = list(arriving.rearranged(call))
    return [*rearranged, *setting.sizes(call, expected), *arriving.flattened(call)]


def for_operation(call: OperationCall) -> list[Fix]:
    """Mends of an operation that refused its arguments."""
    if call.place.pointer is None:
        return []
    return list(
        chain(
            joining.shortcuts(call),
            joining.lengths(call),
            joining.axes(call),
            joining.transposed(call),
            arriving.reshaped(call),
        )
    )
