"""Values of a document as written: every name in them that must exist, wherever it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from layerloom.catalogue import dtype, find, initializers, layers, nearest, operations, parametrizations
from layerloom.graph.checking.findings import Findings, Place, adding, hint, near, pointer, removing, replacing, shown
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.schema import values
from layerloom.schema.document import FunctionNode, Node
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Auto, DType, Expr, FunctionRef, If, LayerValue, Ref, Slice, Tuple, Value

_PLAIN = (int, str, bool, float, type(None))
"""Values that name nothing."""


def inside(value: Value, where: str) -> Iterator[tuple[Value, str]]:
    """A value and everything inside it, each with its JSON pointer."""
    yield value, where
    match value:
        case list():
            parts = [(str(index), item) for index, item in enumerate(value)]
        case Tuple(items=items):
            parts = [(f"$tuple/{index}", item) for index, item in enumerate(items)]
        case Slice(parts=ends):
            parts = [(f"$slice/{index}", item) for index, item in enumerate(ends)]
        case values.Mapping(items=mapping):
            parts = [(pointer("$dict", key), item) for key, item in mapping.items()]
        case LayerValue(layer=layer):
            parts = [(pointer("$layer/arguments", name), item) for name, item in layer.arguments.items()]
        case If(then=then, otherwise=otherwise):
            parts = [("then", then), ("else", otherwise)]
        case _:
            return
    for step, item in parts:
        yield from inside(item, f"{where}/{step}")


def check_value(
    findings: Findings,
    value: Value,
    place: Place,
    scope: Collection[str],
    *,
    results: Collection[str] | None = None,
    automatic: bool = False,
) -> bool:
    """Report what a value names that does not exist, and say whether all is well.

    ``scope`` are the names that expressions may use, ``results`` the ids that references may have (None: no reference
    is allowed here), ``automatic`` whether the whole value may be an automatic size.
    """
    if type(value) in _PLAIN or (automatic and isinstance(value, Auto)):
        return True
    if isinstance(value, Ref) and results is not None and value.ref in results:
        return True
    well = True
    for part, where in inside(value, place.pointer or ""):
        at = Place(place.block, place.node, place.member, None, place.port, where)
        match part:
            case Ref(ref=ref):
                well &= _check_ref(findings, ref, at, results)
            case Expr(expr=text):
                well &= check_expression(findings, text, at.below("$expr"), scope)
            case If(test=test):
                well &= check_expression(findings, test, at.below("$if"), scope)
            case DType(dtype=name):
                well &= check_dtype(findings, name, at.below("$dtype"))
            case FunctionRef(name=name) if find(name) is None:
                well = unknown_name(findings, ProblemCode.UNKNOWN_OPERATION, "operation", name, at.below("$function"))
            case LayerValue(layer=layer):
                well &= check_layer(findings, layer.target, layer.arguments, at.below("$layer"))
            case Auto() if not (automatic and part is value) and not _may_be_automatic(value, part):
                message = "a size can only be automatic where an incoming tensor determines it. Give a number."
                findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
                well = False
    return well


def _may_be_automatic(value: Value, part: Auto) -> bool:
    """Whether an automatic size stands at an argument of an inner layer that may be automatic."""
    if not isinstance(value, LayerValue):
        return any(_may_be_automatic(child, part) for child in values.children(value))
    entry = find(value.layer.target)
    allowed = {parameter.name for parameter in entry.parameters if parameter.auto} if entry else set()
    return any(
        (item is part and name in allowed) or (item is not part and _may_be_automatic(item, part))
        for name, item in value.layer.arguments.items()
    )


def _check_ref(findings: Findings, ref: str, at: Place, results: Collection[str] | None) -> bool:
    if results is None:
        message = "a reference to a node can only stand in forward. Give a value."
        findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
        return False
    if ref in results:
        return True
    close = near(ref, results)
    fixes = [replacing(f"Connect it to {name}", f"{at.pointer}/$ref", name) for name in close]
    message = f"there is no node or input {shown(ref)} to connect to.{hint(close)}"
    findings.add(ProblemCode.UNKNOWN_REFERENCE, message, at, data={"reference": ref, "nearest": close}, fixes=fixes)
    return False


def called(node: Node) -> str:
    """A node in a message: the member that it calls, or the operation that it is; its id is not for people."""
    if isinstance(node, FunctionNode):
        entry = find(node.target)
        return entry.label if entry else shown(node.target)
    return shown(node.target)


def check_expression(findings: Findings, text: str, at: Place, scope: Collection[str]) -> bool:
    """Whether an expression can be read and its names are in scope."""
    try:
        names = parse(text).names
    except ExpressionError as error:
        findings.add(ProblemCode.EXPRESSION_INVALID, f"{error}.".replace("..", "."), at)
        return False
    unknown = sorted(name for name in names if name not in scope)
    if not unknown:
        return True
    known = ", ".join(sorted(scope)) or "none"
    message = f"{unknown[0]} is not known here. Known names: {known}.{hint(near(unknown[0], scope))}"
    findings.add(ProblemCode.EXPRESSION_INVALID, message, at, data={"unknown": unknown, "known": sorted(scope)})
    return False


def check_dtype(findings: Findings, name: str, at: Place) -> bool:
    """Whether torch has a dtype of that name."""
    try:
        dtype(name)
    except KeyError:
        common = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool", "complex64"]
        close = near(name, common)
        fixes = [replacing(f"Use {other}", at.pointer or "", other) for other in close]
        message = f"torch has no dtype {shown(name)}.{hint(close)}"
        findings.add(ProblemCode.UNKNOWN_DTYPE, message, at, data={"nearest": close}, fixes=fixes)
        return False
    return True


def check_layer(findings: Findings, target: str, arguments: values.Arguments, at: Place) -> bool:
    """Whether a layer exists and takes arguments of these names, all required ones among them."""
    entry = layers().get(target)
    if entry is None:
        return unknown_name(findings, ProblemCode.UNKNOWN_LAYER, "layer", target, at.below("target"))
    well = True
    known = {parameter.name: parameter for parameter in entry.parameters}
    for name in arguments:
        if name not in known:
            well = unknown_argument(findings, name, known, entry.label, at.at(name, "arguments", name))
    for parameter in entry.parameters:
        if parameter.required and parameter.name not in arguments:
            fixes = []
            if parameter.auto:
                value = {"$auto": True}
                where = pointer(at.pointer or "", "arguments", parameter.name)
                fixes = [adding(f"Let the input determine {parameter.name}", where, value)]
            message = f"{entry.label} needs a value for {parameter.name}."
            place = Place(at.block, at.node, at.member, None, parameter.name, at.pointer)
            findings.add(ProblemCode.MISSING_ARGUMENT, message, place, fixes=fixes)
            well = False
    return well


def unknown_argument(findings: Findings, name: str, known: Collection[str], label: str, at: Place) -> bool:
    """Report an argument that a layer, operation or block does not take."""
    close = near(name, known)
    listed = ", ".join(known) or "none"
    message = f"{label} has no argument {shown(name)}.{hint(close) or f' It takes: {listed[:300]}.'}"
    fixes = [removing(f"Remove {shown(name)}", at.pointer or "")]
    findings.add(ProblemCode.UNKNOWN_ARGUMENT, message, at, data={"nearest": close}, fixes=fixes)
    return False


def unknown_name(findings: Findings, code: ProblemCode, kind: str, name: str, at: Place) -> bool:
    """Report a layer, operation or initializer that the catalogue does not have, with those most like it."""
    section = {
        "layer": layers,
        "operation": operations,
        "initializer": initializers,
        "parametrization": parametrizations,
    }
    known = section[kind]()
    close = [other for other in nearest(name[:200]) if other in known]
    fixes = [replacing(f"Use {other}", at.pointer or "", other) for other in close]
    if find(name) is not None and name not in known:
        message = f"{shown(name)} is no {kind}."
    else:
        message = f"there is no {kind} {shown(name)}."
    findings.add(code, message + hint(close), at, data={"name": name[:200], "nearest": close}, fixes=fixes)
    return False
