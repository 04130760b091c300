"""Forward graphs as written: members and operations that exist, with the ports and arguments that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import TypeAdapter

from layerloom.catalogue import layers, operations
from layerloom.graph.checking.connections import Connections, check_unused
from layerloom.graph.checking.findings import Findings, Place, hint, near, pointer, removing, replacing, shown
from layerloom.graph.checking.steps import Step, Steps
from layerloom.graph.checking.wording import called, check_expression, check_value, unknown_argument, unknown_name
from layerloom.graph.errors import GraphError
from layerloom.graph.places import TRAINING
from layerloom.graph.walk import references, steps
from layerloom.schema.document import (
    Alias,
    Block,
    BlockUse,
    CallNode,
    ChooseNode,
    Document,
    FunctionNode,
    GetNode,
    Layer,
    LoopNode,
    Node,
    Opaque,
    Sequential,
)
from layerloom.schema.problems import Edit, Fix, ProblemCode
from layerloom.schema.values import Ref, Value, refs

_JSON: TypeAdapter[Value] = TypeAdapter(Value)


_NUMBERS = frozenset({int, float, bool, str})


@dataclass(frozen=True, slots=True)
class _Port:
    """What may be given to a call."""

    name: str
    required: bool = False
    tensor: bool = True
    many: bool = False
    nullable: bool = False
    """None may be meant: batch_norm without running statistics, ``x[None]``."""


@lru_cache(maxsize=4096)
def _names(kind: str, target: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The names of everything that a layer's call or an operation takes, and those that it needs."""
    entry = (layers() if kind == "layer" else operations()).get(target)
    if entry is None:
        return None
    if kind == "layer":
        ports = {port.name: port.required for port in entry.inputs} | {option.name: False for option in entry.options}
    else:
        ports = {parameter.name: parameter.required for parameter in entry.parameters}
    return frozenset(ports), frozenset(name for name, required in ports.items() if required)


@lru_cache(maxsize=4096)
def _takes(kind: str, target: str, given: tuple[str, ...]) -> bool:
    """Whether these are ports of a layer's call or an operation, and all that it needs."""
    names = _names(kind, target)
    return names is not None and names[1].issubset(given) and names[0].issuperset(given)


def plainly_given(node: FunctionNode) -> bool:
    """Whether an operation is given numbers and connections alone, for what it takes, and all that it needs."""
    names = _names("operation", node.target)
    if names is None or not names[0] >= node.arguments.keys() >= names[1]:
        return False
    return all(type(value) in (Ref, int, float, bool, str) for value in node.arguments.values())


def check_graphs(document: Document, findings: Findings, nodes: Steps) -> None:
    """The forward graph of every block, and what no forward graph uses."""
    used: dict[str, set[str]] = {name: set() for name in document.blocks}
    for name, block in document.blocks.items():
        _Graph(document, findings, name, block, used).check(nodes[name])
    for name, block in document.blocks.items():
        check_unused(findings, name, block, used[name])


class _Graph:
    """One block's forward."""

    def __init__(
        self, document: Document, findings: Findings, name: str, block: Block, used: dict[str, set[str]]
    ) -> None:
        self._document = document
        self._findings = findings
        self._name = name
        self._block = block
        self._used = used
        self._scope = {argument.name for argument in block.arguments} | {TRAINING}
        self._members = {member.name: member for member in reversed(block.members) if not isinstance(member, Alias)}
        self._ids = {item.name for item in block.forward.inputs} | {node.id for node in block.forward.nodes}

    def check(self, steps: list[Step]) -> None:
        """Report what is wrong, and mark broken nodes."""
        needs: dict[str, Sequence[str]] = {}
        ids, members, used = self._ids, self._members, self._used[self._name]
        for step in steps:
            # A layer or an operation that is given a connection for each port that it needs, and nothing else: there
            # are thousands of these, and the long way comes to the same, ten times slower.
            if step.ports is not None and ids.issuperset(step.refs):
                member = members.get(step.target) if step.layer else None
                if not step.layer and _takes("operation", step.target, step.ports):
                    needs[step.node.id] = step.refs
                    continue
                if type(member) is Layer and _takes("layer", member.target, step.ports):
                    used.add(step.target)
                    needs[step.node.id] = step.refs
                    continue
            self._check_unusual(step)
            needs[step.node.id] = references(step.node)
        outermost = self._name == self._document.main
        Connections(self._findings, self._name, self._block, steps, needs, outermost=outermost).check()

    def _check_unusual(self, step: Step) -> None:
        node = step.node
        if not self._plainly_well(node):
            place = Place(self._name, node.id, None, None, None, step.where)
            if not self._check_node(node, place):
                self._findings.breaks(step.where)

    def _plainly_well(self, node: Node) -> bool:
        """Whether a call is given connections and numbers alone, for ports that it has, and all that it needs."""
        member = None
        if type(node) is CallNode:
            member = self._members.get(node.target)
            if type(member) is not Layer:
                return False
            ports = _names("layer", member.target)
        elif type(node) is FunctionNode:
            ports = _names("operation", node.target)
        else:
            return False
        given = node.arguments.keys()
        if ports is None or node.when is not None or not (given <= ports[0] and given >= ports[1]):
            return False
        for value in node.arguments.values():
            if type(value) is Ref:
                if value.ref not in self._ids:
                    return False
            elif type(value) not in _NUMBERS:
                return False
        if member is not None:
            self._used[self._name].add(node.target)
        return True

    def _check_node(self, node: Node, place: Place) -> bool:
        well = node.when is None or check_expression(self._findings, node.when, place.below("when"), self._scope)
        return well & self._check_call(node, place)

    def _check_call(self, node: Node, place: Place) -> bool:
        if isinstance(node, FunctionNode):
            ports, label = self._operation_ports(node, place)
        else:
            ports, label = self._member_ports(node, place)
        well = ports is not None
        if isinstance(node, GetNode):
            return well
        if isinstance(node, LoopNode | ChooseNode) and not any(True for v in node.arguments.values() for _ in refs(v)):
            message = f"nothing is connected to {called(node)}."
            at = Place(place.block, place.node, None, None, "input", place.pointer)
            self._findings.add(ProblemCode.MISSING_INPUT, message, at)
            return False
        if isinstance(node, ChooseNode):
            well &= check_value(self._findings, node.key, place.at("key", "key"), self._scope, results=self._ids)
        for name, value in node.arguments.items():
            if isinstance(value, Ref) and value.ref in self._ids:
                continue
            at = place.at(name, "arguments", name)
            well &= check_value(self._findings, value, at, self._scope, results=self._ids)
        if not ports:
            return well
        name = label if isinstance(node, FunctionNode) or label == node.target else f"{node.target} ({label})"
        return well & self._check_ports(node.arguments, ports, name, place)

    def _operation_ports(self, node: FunctionNode, place: Place) -> tuple[list[_Port] | None, str]:
        entry = operations().get(node.target)
        if entry is None:
            at = place.below("target")
            unknown_name(self._findings, ProblemCode.UNKNOWN_OPERATION, "operation", node.target, at)
            return None, node.target
        many = {port.name for port in entry.inputs if port.many}
        ports = [
            _Port(
                parameter.name,
                parameter.required,
                "tensor" in parameter.kinds,
                parameter.name in many,
                parameter.nullable or "any" in parameter.kinds,
            )
            for parameter in entry.parameters
        ]
        return ports, entry.label

    def _member_ports(
        self, node: CallNode | GetNode | LoopNode | ChooseNode, place: Place
    ) -> tuple[list[_Port] | None, str]:
        at = place.below("target")
        simple = self._members.get(node.target)
        try:
            path = [simple] if simple else [step.member for step in steps(self._document, self._name, node.target)]
        except GraphError as error:
            head = next((item for item in self._block.members if item.name == node.target.partition(".")[0]), None)
            if isinstance(head, Alias) or error.problems[0].code is ProblemCode.UNKNOWN_BLOCK:
                return None, ""  # what the path passes through has that problem itself
            top = [member.name for member in self._block.members]
            close = near(node.target, top)
            fixes = [replacing(f"Call {name}", at.pointer or "", name) for name in close]
            message = f"{error}.{hint(close)}"
            data = {"target": node.target[:200], "nearest": close}
            self._findings.add(ProblemCode.UNKNOWN_MEMBER, message, at, data=data, fixes=fixes)
            return None, ""
        self._note_use(node.target)
        member = path[-1]
        match node, member:
            case GetNode(), _:
                return [], ""
            case CallNode(), Layer(target=target):
                entry = layers().get(target)
                if entry is None:
                    return [], ""
                ports = [_Port(port.name, port.required, True, port.many) for port in entry.inputs]
                return [*ports, *(_Port(option.name, False, False) for option in entry.options)], entry.label
            case CallNode(), BlockUse(block=inner):
                inputs = self._document.blocks[inner].forward.inputs if inner in self._document.blocks else []
                # A block may take a list of tensors, as any class of Python may.
                return [_Port(item.name, not item.optional, many=True) for item in inputs], inner
            case CallNode(), Opaque():
                return [_Port(item.name, False, many=True) for item in member.inputs], node.target
            case CallNode(), Sequential():
                return [_Port("input", True)], node.target
        return [], ""

    def _note_use(self, target: str) -> None:
        """A path uses a member of its own block, and of every block that it passes through."""
        if target in self._members:
            self._used[self._name].add(target)
            return
        block = self._name
        walked: list[str] = []
        for name in target.split("."):
            walked.append(name)
            if len(walked) == 1:
                self._used[block].add(name)
            try:
                member = steps(self._document, block, ".".join(walked))[-1].member
            except GraphError:
                return
            if isinstance(member, BlockUse) and member.block in self._document.blocks:
                block, walked = member.block, []

    def _check_ports(self, given: dict[str, Value], ports: list[_Port], label: str, place: Place) -> bool:
        well = True
        known = {port.name: port for port in ports}
        for name, value in given.items():
            port = known.get(name)
            if port is None:
                at = place.at(name, "arguments", name)
                well = self._unknown_port(name, given, known, label, at)
            elif port.tensor and not port.many and isinstance(value, list) and len(list(refs(value))) > 1:
                at = place.at(name, "arguments", name)
                message = f"{name} of {label} takes one tensor, and {len(value)} are connected. Combine them first."
                self._findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
                well = False
        for port in ports:
            if (
                port.required
                and given.get(port.name) is None
                and not (port.name in given and (port.nullable or not port.tensor))
            ):
                at = Place(place.block, place.node, None, None, port.name, place.pointer)
                if port.tensor:
                    message = f"nothing is connected to {port.name} of {label}."
                    self._findings.add(ProblemCode.MISSING_INPUT, message, at)
                else:
                    message = f"{label} needs a value for {port.name}."
                    self._findings.add(ProblemCode.MISSING_ARGUMENT, message, at)
                well = False
        return well

    def _unknown_port(self, name: str, given: dict[str, Value], known: dict[str, _Port], label: str, at: Place) -> bool:
        if not any(True for _ in refs(given[name])):
            return unknown_argument(self._findings, name, known, label, at)
        free = [port.name for port in known.values() if port.tensor and given.get(port.name) is None]
        close = near(name, free) or free[:1]
        message = f"{label} has no input {shown(name)}; it has {', '.join(known) or 'none'}."
        fixes = [
            *(_moved(f"Connect it to {port}", at.pointer or "", port, given[name]) for port in close[:1]),
            removing("Disconnect it", at.pointer or ""),
        ]
        self._findings.add(ProblemCode.UNKNOWN_PORT, message, at, data={"nearest": close}, fixes=fixes)
        return False


def _moved(title: str, where: str, port: str, value: Value) -> Fix:
    """Give what is connected to one port to another."""
    base = where.rpartition("/")[0]
    plain = _JSON.dump_python(value, mode="json", by_alias=True)
    edits = [Edit(op="remove", path=where), Edit(op="add", path=pointer(base, port), value=plain)]
    return Fix(title=title, edits=edits)
