"""Layers as built: every place of every instance, called or not, with its arguments evaluated."""

from __future__ import annotations

from functools import lru_cache

from layerloom.catalogue import find
from layerloom.graph.checking import autos
from layerloom.graph.checking.arguments import faults
from layerloom.graph.checking.buffers import unfit
from layerloom.graph.checking.findings import Findings, Place, replacing
from layerloom.graph.checking.fixes import smaller_groups
from layerloom.graph.checking.inference import Inference
from layerloom.graph.checking.layers import built
from layerloom.graph.checking.network import Located, Network, placed
from layerloom.graph.checking.reading import PlainArguments, bare, member_config, plain, plain_config, read
from layerloom.graph.checking.values import LayerConfig
from layerloom.graph.expressions import ExpressionError
from layerloom.graph.places import Instance, evaluate
from layerloom.graph.places import Place as Built
from layerloom.schema.document import Buffer, Layer, Parameter
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Expr


def check_layers(network: Network, inference: Inference, findings: Findings, limit: int) -> bool:
    """Report layers and tensors that cannot be built. False when they are so large that nothing should run."""
    fits = True
    layers, broken = inference.layers, findings.broken
    plain: dict[str, list[tuple[str, LayerConfig]]] = {}
    for instance in network.instances.values():
        prefix = f"{instance.name}." if instance.name else ""
        if instance.kind in plain:
            layers.configs.update([(prefix + path, config) for path, config in plain[instance.kind]])
            continue
        noted, all_plain = [], True
        for path, place in instance.places.items():
            if broken and place.pointer in broken:
                continue
            member = place.member
            if isinstance(member, Layer):
                config, automatic = _plainly_built(member, place, limit)
                if config is None:
                    if find(member.target) is not None:
                        all_plain = False
                        fits &= _check_layer(inference, findings, placed(instance, place), _at(instance, place), limit)
                    continue
                layers.configs[prefix + path] = config
                if automatic:
                    all_plain = False
                    layers.wait(prefix + path)
                else:
                    noted.append((path, config))
            elif isinstance(member, Parameter | Buffer):
                all_plain = False
                fits &= _check_tensor(findings, placed(instance, place), _at(instance, place), limit)
        if all_plain:
            plain[instance.kind] = noted
    return fits


def _at(instance: Instance, place: Built) -> Place:
    return Place(instance.block, None, place.path, instance.name, None, place.pointer)


def _plainly_built(member: Layer, place: Built, limit: int) -> tuple[LayerConfig | None, bool]:
    """A layer's configuration, where it can be built, and whether it has to wait for sizes."""
    given = None if member.parametrizations else plain(member.arguments)
    if given is not None:
        return _plain_judged(member.target, *given, limit)
    try:
        config = member_config(member, place.environment)
    except ExpressionError:
        return None, False
    well, automatic = _judged(config, limit)
    return (config if well else None), automatic


@lru_cache(maxsize=4096)
def _plain_judged(
    target: str, arguments: PlainArguments, kinds: tuple[type, ...], limit: int
) -> tuple[LayerConfig | None, bool]:
    config = plain_config(target, arguments, kinds)
    well, automatic = _judged(config, limit)
    return (config if well else None), automatic


@lru_cache(maxsize=4096)
def _judged(config: LayerConfig, limit: int) -> tuple[bool, bool]:
    """Whether nothing is wrong with a layer, and whether it has automatic sizes."""
    automatic = bool(autos.paths(config))
    own = bare(config)
    if find(own.target) is None or find(config.target) is None or faults(own.target, own.arguments):
        return False, automatic
    if automatic:
        return True, True
    if faults(config.target, config.arguments):
        return False, False
    layer = built(config)
    return layer.failure is None and layer.parameters <= limit, False


def _check_layer(inference: Inference, findings: Findings, located: Located, at: Place, limit: int) -> bool:
    member = located.place.member
    assert isinstance(member, Layer)
    try:
        config = member_config(member, located.place.environment)
    except ExpressionError as error:
        findings.add(ProblemCode.EXPRESSION_INVALID, f"{error}.", at)
        return True
    inference.layers.configs[located.name] = config
    automatic = bool(autos.paths(config))
    if automatic:
        inference.layers.wait(located.name)
    wrong = faults(bare(config).target, bare(config).arguments)
    label = config.target.rpartition(".")[2]
    for fault in wrong:
        where = at.at(fault.argument, "arguments", fault.argument)
        better = fault.better
        literal = not hasattr(member.arguments.get(fault.argument), "expr")
        fixes = (
            [replacing(f"Set {fault.argument} to {better}", where.pointer or "", better)]
            if better is not None and literal
            else []
        )
        findings.add(fault.code, f"{fault.sentence}.", where, data={"layer": config.target}, fixes=fixes)
    if wrong:
        return True
    if automatic:
        return True
    return _check_built(findings, config, label, at, limit)


def _check_built(findings: Findings, config: LayerConfig, label: str, at: Place, limit: int) -> bool:
    layer = built(config)
    if layer.failure is not None:
        fixes = smaller_groups(config, at.pointer or "", built)
        message = f"{label} cannot be built: {layer.failure.sentence}"
        findings.add(layer.failure.code, message, at, data={"layer": config.target}, fixes=fixes)
        return True
    if layer.parameters <= limit:
        return True
    message = f"{label} would have {layer.parameters:,} parameters; the limit is {limit:,}."
    data = {"parameters": layer.parameters, "limit": limit}
    findings.add(ProblemCode.TOO_LARGE, message, at, data=data)
    return False


def _check_tensor(findings: Findings, located: Located, at: Place, limit: int) -> bool:
    member = located.place.member
    assert isinstance(member, Parameter | Buffer)
    count = 1
    for index, value in enumerate(member.shape):
        where = at.at("shape", "shape", index)
        try:
            size = read(value, located.place.environment)
        except ExpressionError as error:
            findings.add(ProblemCode.EXPRESSION_INVALID, f"{error}.", where)
            return True
        if not isinstance(size, int) or not 0 < size < 2**63:
            given = evaluate(value, located.place.environment)
            given = given if isinstance(given, int | float) else f"a {type(given).__name__}"
            message = f"an axis of {member.name} must be a whole number of at least 1, and this gives {given}."
            findings.add(ProblemCode.ARGUMENT_RANGE, message, where)
            return True
        count *= size
    if isinstance(member, Buffer) and isinstance(member.fill, Expr):
        _check_fill(findings, member, located, at.at("fill", "fill"))
    if count <= limit:
        return True
    message = f"{located.place.path} would hold {count:,} numbers; the limit is {limit:,}."
    findings.add(ProblemCode.TOO_LARGE, message, at, data={"parameters": min(count, 2**53), "limit": limit})
    return False


def _check_fill(findings: Findings, buffer: Buffer, located: Located, at: Place) -> None:
    """What the expression that fills a buffer gives."""
    assert isinstance(buffer.fill, Expr)
    try:
        message = unfit(buffer, evaluate(buffer.fill, located.place.environment))
    except ExpressionError as error:
        findings.add(ProblemCode.EXPRESSION_INVALID, f"{error}.", at)
        return
    if message:
        findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
