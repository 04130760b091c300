"""Connections as written: what waits for itself, what reaches the output, and what nothing needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from layerloom.catalogue import find
from layerloom.graph.checking.findings import Findings, Place, adding, pointer, removing, replacing, shown
from layerloom.graph.checking.steps import Step
from layerloom.graph.checking.wording import called, check_value
from layerloom.graph.errors import GraphError
from layerloom.graph.places import TRAINING
from layerloom.graph.walk import argument_values, changes, order, pointer_of
from layerloom.schema import values
from layerloom.schema.document import Alias, Block, Buffer, FunctionNode, Graph, Layer, Member, Parameter
from layerloom.schema.problems import Edit, Fix, ProblemCode
from layerloom.schema.values import If, Ref, Tuple, Value, children, refs

CYCLES = 20
"""That are told of one graph."""


class Connections:
    """The edges of one block's forward graph."""

    def __init__(
        self,
        findings: Findings,
        name: str,
        block: Block,
        steps: list[Step],
        needs: Mapping[str, Sequence[str]],
        *,
        outermost: bool = False,
    ) -> None:
        self._findings = findings
        self._name = name
        self._graph = block.forward
        self._members = block.members
        self._steps = steps
        self._scope = {argument.name for argument in block.arguments} | {TRAINING}
        self._base = pointer(pointer_of(name), "forward")
        self._ids = {item.name for item in self._graph.inputs} | {node.id for node in self._graph.nodes}
        self._needs = needs
        self._outermost = outermost
        self._taken = set(chain.from_iterable(needs.values()))

    def _said(self, name: str) -> str:
        """What a person calls a node: by the member that it calls, or the operation that it is."""
        node = next((node for node in self._graph.nodes if node.id == name), None)
        return shown(name) if node is None else called(node)

    def check(self) -> None:
        """Report cycles, a missing output, and what does not reach the output; mark the nodes of cycles."""
        self._check_cycles()
        self._check_conditions()
        self._check_output()
        self._check_connected()

    def _check_cycles(self) -> None:
        graph = self._graph
        # References to what does not exist are no edges: nothing waits for these.
        seen = {item.name for item in graph.inputs} | (self._taken - self._ids)
        if _in_order(self._needs, seen):
            return  # each node stands behind those that it needs, as documents mostly have it
        for index, node in enumerate(graph.nodes):
            if node.id in self._needs[node.id]:
                where = f"{self._base}/nodes/{index}"
                message = f"{self._said(node.id)} is connected to itself. Remove that connection."
                place = Place(self._name, node.id, None, None, None, where)
                self._findings.add(ProblemCode.CYCLE, message, place, data={"nodes": [node.id]})
                self._findings.breaks(where)
        nodes = [node for node in graph.nodes if node.id not in self._needs[node.id]]
        for _ in range(CYCLES):
            try:
                order(Graph(nodes=nodes))
            except GraphError as error:
                waiting = _cycle({node.id: self._needs[node.id] for node in nodes}, error.problems[0].node or "")
                self._report_cycle(waiting)
                nodes = [node for node in nodes if node.id not in waiting]
            else:
                return

    def _report_cycle(self, waiting: list[str]) -> None:
        where = {
            node.id: f"{self._base}/nodes/{index}" for index, node in enumerate(self._graph.nodes) if node.id in waiting
        }
        message = f"these nodes wait for each other: {' → '.join(self._said(name) for name in waiting[:10])}."
        message += " Remove one of the connections."
        place = Place(self._name, waiting[0], None, None, None, where[waiting[0]])
        self._findings.add(ProblemCode.CYCLE, message, place, data={"nodes": waiting})
        for pointer_of_node in where.values():
            self._findings.breaks(pointer_of_node)

    def _check_conditions(self) -> None:
        """What runs under a condition only may be read under the same one only."""
        self._check_conditional_members()
        unusual = [step.node for step in self._steps if step.ports is None]
        made = {node.id: node.when for node in unusual if node.when is not None}
        if not made:
            return
        places: list[tuple[Value, str | None, Place]] = [
            (self._graph.output, None, Place(self._name, None, None, None, "output", f"{self._base}/output"))
        ]
        for index, node in enumerate(self._graph.nodes):
            where = f"{self._base}/nodes/{index}"
            for name, value in argument_values(node):
                places.append((value, node.when, Place(self._name, node.id, None, None, name, where)))
        for value, when, place in places:
            for ref, holding in _conditions(value, conjuncts(when)):
                if not conjuncts(made.get(ref)) <= holding:
                    message = f"the result of {self._said(ref)} exists only where {made[ref]} holds. "
                    message += "Read it under the same condition, or choose another value for the other case."
                    self._findings.add(ProblemCode.CONDITIONAL_RESULT, message, place, data={"reference": ref})
                    self._findings.breaks(place.pointer or "")

    def _check_conditional_members(self) -> None:
        named = (member for member in self._members if not isinstance(member, Alias))
        there = {member.name: member.when for member in named if member.when is not None}
        for index, node in enumerate(self._graph.nodes if there else []):
            head = "" if isinstance(node, FunctionNode) else node.target.partition(".")[0]
            if not conjuncts(there.get(head)) <= conjuncts(node.when):
                where = f"{self._base}/nodes/{index}"
                message = (
                    f"{shown(head)} is there only where {there[head]} holds. Run this node under the same condition."
                )
                fixes = [adding(f"Run it where {there[head]} holds", f"{where}/when", there[head])]
                place = Place(self._name, node.id, None, None, None, where)
                self._findings.add(ProblemCode.CONDITIONAL_RESULT, message, place, fixes=fixes)
                self._findings.breaks(where)

    def _check_output(self) -> None:
        graph = self._graph
        place = Place(self._name, None, None, None, "output", f"{self._base}/output")
        if any(True for _ in refs(graph.output)):
            check_value(self._findings, graph.output, place, self._scope, results=self._ids)
            return
        last = [node.id for node in graph.nodes if node.id not in self._taken]
        fixes = [
            replacing(f"Return the result of {self._said(name)}", f"{self._base}/output", {"$ref": name})
            for name in last[-1:]
        ]
        message = f"nothing is connected to the output of {shown(self._name)}."
        self._findings.add(ProblemCode.NO_OUTPUT, message, place, fixes=fixes)

    def _check_connected(self) -> None:
        """Warn of results that nothing reads and the output does not give, and of inputs that nothing needs.

        What only leads to such a result is counted there: a single connection that is missing is told once.
        """
        graph = self._graph
        needed = _reachable(self._needs, [*(ref.ref for ref in refs(graph.output)), *self._changing()])
        if not any(True for _ in refs(graph.output)):
            return
        told: set[str] = set()
        for index, node in enumerate([] if needed.issuperset(self._needs) else graph.nodes):
            if node.id in needed or node.id in self._taken:
                continue
            where = f"{self._base}/nodes/{index}"
            fixes = [*self._made_output(node.id), removing(f"Remove this node of {self._said(node.id)}", where)]
            leading = _reachable(self._needs, [node.id]) - needed
            told |= leading
            before = len(leading & self._needs.keys()) - 1
            others = f", nor is what {before} before it {'gives' if before == 1 else 'give'}" if before else ""
            message = f"the result of {self._said(node.id)} is not used by the output{others}."
            place = Place(self._name, node.id, None, None, None, where)
            data = {"before": before}
            self._findings.add(ProblemCode.DISCONNECTED, message, place, severity="warning", data=data, fixes=fixes)
        for index, item in enumerate(graph.inputs):
            if item.name not in needed | told:
                place = Place(self._name, None, None, None, item.name, f"{self._base}/inputs/{index}")
                message = f"the input {shown(item.name)} does not reach the output."
                self._findings.add(ProblemCode.DISCONNECTED, message, place, severity="warning")

    def _made_output(self, name: str) -> list[Fix]:
        """Give a result beside those that the network gives; what uses a block would have to be changed as well."""
        output, where = self._graph.output, f"{self._base}/output"
        new = {"$ref": name}
        title = "Make it an output"
        match output:
            case _ if not self._outermost:
                return []
            case Ref():
                both = [output.model_dump(mode="json", by_alias=True), new]
                return [replacing(title, where, {"$tuple": both})]
            case Tuple(items=items):
                return [adding(title, f"{where}/$tuple/{len(items)}", new)]
            case values.Mapping(items=named) if name not in named:
                return [adding(title, pointer(where, "$dict", name), new)]
        return []

    def _changing(self) -> list[str]:
        """Ids of the nodes that change a tensor in place."""
        plain = {step.target: step.node for step in self._steps if step.ports is not None and not step.layer}
        targets = {target for target, node in plain.items() if changes(node)}
        steps = self._steps if targets else [step for step in self._steps if step.ports is None]
        return [
            step.node.id for step in steps if (changes(step.node) if step.ports is None else step.target in targets)
        ]


@lru_cache(1_000)
def conjuncts(condition: str | None) -> frozenset[str]:
    """What has to hold so that a condition does: ``a and b`` needs both, ``not (a or b)`` neither."""
    if not condition:
        return frozenset()
    try:
        return frozenset(map(ast.unparse, _needed(ast.parse(condition, mode="eval").body)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset([condition])  # told as a problem elsewhere


def _needed(condition: ast.expr) -> list[ast.expr]:
    match condition:
        case ast.BoolOp(op=ast.And(), values=parts):
            return [needed for part in parts for needed in _needed(part)]
        case ast.UnaryOp(op=ast.Not(), operand=ast.UnaryOp(op=ast.Not(), operand=inner)):
            return _needed(inner)
        case ast.UnaryOp(op=ast.Not(), operand=ast.BoolOp(op=ast.Or(), values=parts)):
            return [needed for part in parts for needed in _needed(ast.UnaryOp(op=ast.Not(), operand=part))]
    return [condition]


def _conditions(value: Value, holding: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Every id that a value refers to, with the conditions that hold where it is read."""
    if isinstance(value, Ref):
        yield value.ref, holding
    elif isinstance(value, If):
        yield from _conditions(value.then, holding | conjuncts(value.test))
        yield from _conditions(value.otherwise, holding | conjuncts(f"not ({value.test})"))
    else:
        for child in children(value):
            yield from _conditions(child, holding)


def _in_order(needs: Mapping[str, Sequence[str]], seen: set[str]) -> bool:
    """Whether each node needs only what was seen before it."""
    for name, others in needs.items():
        if not seen.issuperset(others):
            return False
        seen.add(name)
    return True


def _reachable(needs: Mapping[str, Sequence[str]], start: Iterable[str]) -> set[str]:
    """Ids that are needed, those of inputs included."""
    found: set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(needs.get(name, ()))
    return found


def _cycle(needs: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """The ids of a cycle through ``start``, in the order in which they feed each other."""
    back: dict[str, str] = {}
    pending = [start]
    while pending:
        name = pending.pop(0)
        for ref in needs.get(name, ()):
            if ref == start:
                path = [name]
                while path[-1] != start:
                    path.append(back[path[-1]])
                return [start, *(other for other in path if other != start)]
            if ref not in back:
                back[ref] = name
                pending.append(ref)
    return [start]


def check_unused(findings: Findings, name: str, block: Block, used: set[str]) -> None:
    """Warn of members that no forward graph and no alias names."""
    for member in block.members:
        if isinstance(member, Alias):
            used.add(member.of.partition(".")[0])
            used.add(member.name)
    for index, member in enumerate(block.members):
        if member.name in used:
            continue
        where = pointer(pointer_of(name), "members", index)
        fixes: list[Fix] = [Fix(title=f"Remove {shown(member.name)}", edits=[Edit(op="remove", path=where)])]
        message = f"{shown(member.name)} is not used in forward: {_idle(member)}."
        place = Place(name, None, member.name, None, None, where)
        findings.add(ProblemCode.UNUSED_MEMBER, message, place, severity="warning", fixes=fixes)


def _idle(member: Member) -> str:
    """What a member is not, that no forward names."""
    match member:
        case Parameter():
            return "it is never trained"
        case Buffer():
            return "nothing is computed with it"
        case Layer(target=target) if (entry := find(target)) is not None and entry.tensors:
            return "its parameters are never trained"
    return "it is never called"
