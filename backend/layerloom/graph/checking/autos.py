"""Automatic sizes: the numbers that an incoming tensor leaves no choice about.

Where torch has a Lazy twin of the layer, that infers the size. Elsewhere the layer itself is asked: the sizes of its
input are tried, the likeliest axis first, and the first that the layer accepts is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from layerloom.graph.checking.calls import call_layer
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.lazy import inferred_size
from layerloom.graph.checking.running import Arguments, Outcome
from layerloom.graph.checking.values import Automatic, LayerConfig, TensorSpec, tensors
from layerloom.schema.problems import ProblemCode

ATTEMPTS = 64
"""Combinations that are tried for a layer."""


AutoPath = tuple[str, ...]
"""Argument names from the outer layer inwards: ``("encoder_layer", "d_model")``."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A configuration without automatic sizes, and what they became; or why there is none."""

    config: LayerConfig | None
    sizes: tuple[tuple[AutoPath, int], ...] = ()
    failure: Failure | None = None


def paths(config: LayerConfig) -> list[AutoPath]:
    """Where a configuration has automatic sizes, those of inner layers included."""
    found: list[AutoPath] = []
    for name, value in config.arguments:
        if value is Automatic.SIZE:
            found.append((name,))
        elif isinstance(value, LayerConfig):
            found.extend((name, *inner) for inner in paths(value))
    return found


def filled(config: LayerConfig, sizes: dict[AutoPath, int]) -> LayerConfig:
    """The configuration with these sizes in place."""
    arguments = []
    for name, value in config.arguments:
        if isinstance(value, LayerConfig):
            value = filled(value, {path[1:]: size for path, size in sizes.items() if path[0] == name})
        arguments.append((name, sizes.get((name,), value)))
    return LayerConfig(config.target, tuple(arguments))


@lru_cache(maxsize=4096)
def resolve(config: LayerConfig, arguments: Arguments) -> Resolution:
    """Fill in a layer's automatic sizes from the tensors that it is called with."""
    wanted = paths(config)
    if len(wanted) == 1 and len(wanted[0]) == 1:
        inferred = inferred_size(config, arguments)
        if inferred is not None and inferred[0] == wanted[0][0]:
            return _resolution(config, {wanted[0]: inferred[1]})
    first: Outcome | None = None
    for sizes in islice(_candidates(wanted, arguments), ATTEMPTS):
        candidate = filled(config, sizes)
        outcome = call_layer(candidate, arguments)
        if outcome.failure is None:
            return _resolution(config, sizes)
        first = first or outcome
    if first is not None and first.failure is not None:
        return Resolution(None, failure=first.failure)
    sentence = "no tensor with a size arrives that could determine it"
    return Resolution(None, failure=Failure(ProblemCode.AUTO_UNRESOLVED, sentence))


def _resolution(config: LayerConfig, sizes: dict[AutoPath, int]) -> Resolution:
    return Resolution(filled(config, sizes), tuple(sizes.items()))


def _candidates(wanted: list[AutoPath], arguments: Arguments) -> Iterator[dict[AutoPath, int]]:
    """Assignments of input sizes to the automatic arguments, likeliest first; equal sizes before mixed ones."""
    given = [spec for _, value in arguments for spec in tensors(value)]
    choices = [_sizes(path[-1], given) for path in wanted]
    for combination in product(*choices):
        yield dict(zip(wanted, combination, strict=True))


def _sizes(argument: str, given: list[TensorSpec]) -> list[int]:
    """Distinct sizes of the tensors in the order in which they are tried.

    Torch's layers keep features on the last axis, and channels (``num_channels``, ``in_channels``, ``num_features``)
    on the second.
    """
    order: dict[int, None] = {}
    by_channel = "channels" in argument or argument in ("num_features", "num_parameters")
    for spec in given:
        axes = list(reversed(spec.shape))
        if by_channel and len(spec.shape) > 1:
            axes = [spec.shape[1], *axes]
        order.update(dict.fromkeys(size for size in axes if size > 0))
    return list(order)
