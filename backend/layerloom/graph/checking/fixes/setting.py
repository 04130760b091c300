"""Arguments that do not fit what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from layerloom.catalogue import find
from layerloom.graph.checking import autos
from layerloom.graph.checking.calls import call_layer
from layerloom.graph.checking.findings import pointer, replacing
from layerloom.graph.checking.fixes.calls import LayerCall
from layerloom.graph.checking.layers import BuiltLayer
from layerloom.graph.checking.running import Arguments
from layerloom.graph.checking.values import Automatic, Group, LayerConfig
from layerloom.schema.problems import Edit, Fix
from layerloom.schema.values import Tuple

MOST = 4096
"""Numbers of groups that are tried."""


def sizes(call: LayerCall, expected: tuple[str, int, int] | None) -> Iterator[Fix]:
    """Set a size to what arrives, with fewer groups or heads where these would not divide it."""
    if expected is not None:
        name, _, size = expected
        if isinstance(call.member.arguments.get(name), int):
            yield replacing(f"Set {name} to {size}", call.argument(name), size)
        return
    yield from _normalized(call)
    yield from _grouped(call)


def _normalized(call: LayerCall) -> Iterator[Fix]:
    """The axes of a normalization that are written as a list."""
    value = call.member.arguments.get("normalized_shape")
    items = value.items if isinstance(value, Tuple) else value
    if call.given is None or not isinstance(items, list) or not all(isinstance(item, int) for item in items):
        return
    last = call.given[1].shape[-len(items) :] if items else ()
    fitting = call.config.changed("normalized_shape", Group("list", last))
    if call_layer(fitting, call.arguments).failure is None:
        where = pointer(call.argument("normalized_shape"), *(["$tuple"] if isinstance(value, Tuple) else []))
        yield replacing(f"Set normalized_shape to {list(last)}", where, list(last))


def _grouped(call: LayerCall) -> Iterator[Fix]:
    """A size together with the groups or heads that have to divide it."""
    if call.given is None:
        return
    entry = find(call.config.target)
    written = call.member.arguments
    for parameter in entry.parameters if entry else []:
        if not parameter.auto or not isinstance(written.get(parameter.name), int):
            continue
        for size in dict.fromkeys([*call.given[1].shape[1:2], *call.given[1].shape[-1:]]):
            sized = call.config.changed(parameter.name, size)
            for name, count, fitting in _fewer(sized):
                if isinstance(written.get(name), int) and call_layer(fitting, call.arguments).failure is None:
                    edits = [
                        Edit(op="replace", path=call.argument(parameter.name), value=size),
                        Edit(op="replace", path=call.argument(name), value=count),
                    ]
                    yield Fix(title=f"Set {parameter.name} to {size} and {name} to {count}", edits=edits)
                    return


def _fewer(config: LayerConfig) -> Iterator[tuple[str, int, LayerConfig]]:
    """A layer with fewer groups or heads, the most first."""
    for name, value in config.arguments:
        if isinstance(value, int) and value > 1 and ("groups" in name or "head" in name):
            for count in range(value - 1, max(value - MOST, 1) - 1, -1):
                yield name, count, config.changed(name, count)


def smaller_groups(config: LayerConfig, where: str, built: Callable[[LayerConfig], BuiltLayer]) -> Iterator[Fix]:
    """Fewer groups or heads, the most that divide every size: for a layer that could not be built."""
    mended: set[str] = set()
    for name, count, fewer in _fewer(config):
        if name not in mended and built(fewer).failure is None:
            mended.add(name)
            yield replacing(f"Set {name} to {count}", pointer(where, "arguments", name), count)


def size_edits(call: LayerCall, arguments: Arguments) -> list[Edit] | None:
    """What must change in a layer so that it takes these tensors: nothing, or one size; None where no size helps."""
    if call_layer(call.config, arguments).failure is None:
        return []
    entry = find(call.config.target)
    for parameter in entry.parameters if entry else []:
        if not parameter.auto or not isinstance(call.member.arguments.get(parameter.name), int):
            continue
        found = autos.resolve(call.config.changed(parameter.name, Automatic.SIZE), arguments)
        if found.config is not None and call_layer(found.config, arguments).failure is None:
            return [Edit(op="replace", path=call.argument(parameter.name), value=found.sizes[0][1])]
    return None
