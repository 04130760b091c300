"""``init_weights``: a document's initializers as the function that a person gives to ``model.apply``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from layerloom.catalogue import find
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.initialize import Branch, branches
from layerloom.graph.source.imports import Imports
from layerloom.graph.source.members import constant
from layerloom.graph.source.values import Values
from layerloom.schema.document import Alias, Document, ParameterInit

_FORGET_GATE = "layerloom.forget_gate_bias"
_FORGET_GATE_SOURCE = '''\
def forget_gate_bias(bias, value=1.0):
    """Fill the forget gate's quarter of an LSTM's bias; its gates stand in the order i, f, g, o."""
    quarter = bias.shape[0] // 4
    with torch.no_grad():
        bias[quarter : 2 * quarter].fill_(value)'''


def write_initializers(document: Document, imports: Imports) -> tuple[str, list[str]]:
    """The functions (empty if none are needed), and the last statements of the main block's ``__init__``."""
    found = _without_constants(branches(document))
    functions: list[str] = []
    last: list[str] = []
    if any(statement.function == _FORGET_GATE for branch in found for statement in branch.statements):
        imports.torch()
        functions.append(_FORGET_GATE_SOURCE)
    if found:
        named = any(branch.names or branch.pattern != "*" for branch in found)
        functions.append(_of_model(found, imports) if named else _of_module(found, imports))
        last.append("        init_weights(self)" if named else "        self.apply(init_weights)")
    return "\n\n\n".join(functions), last + _freeze(document, imports)


def _without_constants(found: list[Branch]) -> list[Branch]:
    """The branches that are left when parameters have been made as zeros or ones at once.

    Where a rule is for modules of any class, all are left, because they keep that rule off these parameters.
    """
    if not all(branch.types or branch.names for branch in found):
        return found
    left = []
    for branch in found:
        statements = branch.statements
        if branch.owner != "layer":
            often = Counter(statement.parameter for statement in statements)
            statements = tuple(
                statement
                for statement in statements
                if often[statement.parameter] > 1 or constant([statement], statement.parameter) is None
            )
        if statements:
            left.append(replace(branch, statements=statements))
    return left


def _of_module(found: list[Branch], imports: Imports) -> str:
    head = [
        "def init_weights(module):",
        '    """Initialize one module; ``model.apply(init_weights)`` visits all of them, children first."""',
    ]
    return "\n".join([*head, *_branches(found, imports, 4)])


def _of_model(found: list[Branch], imports: Imports) -> str:
    head = [
        "def init_weights(model):",
        '    """Initialize all modules of a model, children before their parents."""',
        "    names = {module: name for name, module in model.named_modules()}",
        "",
        "    def init(module):",
    ]
    return "\n".join([*head, *_branches(found, imports, 8), "", "    model.apply(init)"])


def _branches(found: list[Branch], imports: Imports, indent: int) -> list[str]:
    lines: list[str] = []
    for branch in found:
        condition = _condition(branch, imports)
        if condition is None and not lines:
            return _body(branch, imports, indent)
        word = "else" if condition is None else "elif" if lines else "if"
        head = word if condition is None else code.statement(f"{word} ", condition, indent)
        lines += [" " * indent + head + ":", *_body(branch, imports, indent + 4)]
        if condition is None:
            break  # nothing is left for the rules after it
    return lines


def _condition(branch: Branch, imports: Imports) -> Code | None:
    name = Code(("names[module]",))
    tests: list[Code] = []
    if branch.names:
        literals = [code.literal(text) for text in branch.names]
        # The list breaks inside its own brackets, so that the test needs no parentheses: hence an atom.
        several = Code((*name.parts, " in ", *code.sequence(literals, "()").parts))
        tests.append(code.infix(name, "==", literals[0]) if len(literals) == 1 else several)
    elif branch.types:
        written = code.name if branch.owner == "block" else imports.target
        classes = [written(target) for target in branch.types]
        which = classes[0] if len(classes) == 1 else code.sequence(classes, "()")
        tests.append(code.call(code.name("isinstance"), [code.name("module"), which]))
    matched = match(name, branch.pattern, imports)
    return _joined([*tests, *([matched] if matched else [])], "and")


def match(text: Code, pattern: str, imports: Imports) -> Code | None:
    """The test whether a text fits a glob, in plain string methods where they can say it; None if everything fits."""
    body = pattern.strip("*")
    if not pattern or set(body) & set("*?["):
        return code.call(imports.standard("fnmatchcase"), [text, code.literal(pattern)])
    if not body:
        return None
    start, end = pattern.startswith("*"), pattern.endswith("*")
    if start and end:
        return code.infix(code.literal(body), "in", text)
    if start or end:
        method = code.attribute(text, "endswith" if start else "startswith")
        return code.call(method, [code.literal(body)])
    return code.infix(text, "==", code.literal(body))


def _joined(tests: list[Code], operator: str) -> Code | None:
    if not tests:
        return None
    joined = tests[0]
    for test in tests[1:]:
        joined = code.infix(joined, operator, test)
    return joined


def _body(branch: Branch, imports: Imports, indent: int) -> list[str]:
    if not branch.statements:  # such modules stay as they were made, whatever the rules after this one say
        return [" " * indent + "pass"]
    direct = _direct(branch)
    if direct is None:
        return _looped(branch, imports, indent)
    lines: list[str] = []
    for statement in direct:
        parameter = _parameter(branch, statement.parameter)
        if _may_be_none(branch, statement.parameter):
            lines.append(" " * indent + f"if {parameter} is not None:")
            lines.append(" " * (indent + 4) + _call(statement, parameter, imports, indent + 4))
        else:
            lines.append(" " * indent + _call(statement, parameter, imports, indent))
    return lines


def _direct(branch: Branch) -> list[ParameterInit] | None:
    """The statements in the order in which they act, where each means one parameter that the modules are sure to have.

    None where that is not so: then the parameters have to be looped over.
    """
    if branch.owner != "layer":
        return list(branch.statements)
    orders = []
    for target in branch.types:
        entry = find(target)
        tensors = entry.tensors if entry else []
        if any(statement.parameter not in tensors for statement in branch.statements):
            return None
        places = {name: index for index, name in enumerate(tensors)}
        by_parameter = branch.order == "parameters"
        orders.append(sorted(branch.statements, key=lambda s: places[s.parameter] if by_parameter else 0))
    return orders[0] if orders and all(order == orders[0] for order in orders) else None


def _may_be_none(branch: Branch, parameter: str) -> bool:
    """A bias may be switched off; a weight only where the layer has an argument ``affine``."""
    if branch.owner != "layer" or branch.complete:
        return False
    entries = [find(target) for target in branch.types]
    affine = any("affine" in spec.name for entry in entries if entry for spec in entry.parameters)
    return parameter != "weight" or affine


def _parameter(branch: Branch, text: str) -> Code:
    module = code.name("module")
    if branch.owner == "parameter_list":
        return code.index(module, [code.literal(int(text))])
    if branch.owner == "parameter_dict":
        return code.index(module, [code.literal(text)])
    return code.attribute(module, text)


def _looped(branch: Branch, imports: Imports, indent: int) -> list[str]:
    """Loops over a module's own parameters: one with all statements inside, or one for each statement."""
    groups = [list(branch.statements)]
    if branch.order == "statements":
        groups = [[statement] for statement in branch.statements]
    pad = " " * indent
    lines: list[str] = []
    for group in groups:
        tests = [match(code.name("name"), statement.parameter, imports) for statement in group]
        if any(tests):
            lines.append(f"{pad}for name, parameter in module.named_parameters(recurse=False):")
        else:
            lines.append(f"{pad}for parameter in module.parameters(recurse=False):")
        for statement, test in zip(group, tests, strict=True):
            depth = indent + 4
            if test is not None:
                lines.append(" " * depth + code.statement("if ", test, depth) + ":")
                depth += 4
            lines.append(" " * depth + _call(statement, code.name("parameter"), imports, depth))
    return lines


def _call(statement: ParameterInit, parameter: Code, imports: Imports, indent: int) -> str:
    entry = find(statement.function)
    assert entry is not None
    function = imports.target(statement.function) if statement.function != _FORGET_GATE else None
    written = Values(imports).arguments(entry.parameters, statement.arguments)
    called = code.call(function or code.name("forget_gate_bias"), [parameter, *written])
    return code.statement("", called, indent)


def _freeze(document: Document, imports: Imports) -> list[str]:
    """Statements that switch training off for the parameters of the frozen patterns."""
    if not document.frozen:
        return []
    tests = [match(code.name("name"), pattern, imports) for pattern in document.frozen]
    if not all(tests):
        return ["        self.requires_grad_(False)"]
    condition = _joined([test for test in tests if test], "or")
    assert condition is not None
    shared = any(isinstance(member, Alias) for block in document.blocks.values() for member in block.members)
    parameters = "self.named_parameters(remove_duplicate=False)" if shared else "self.named_parameters()"
    return [
        f"        for name, parameter in {parameters}:",
        " " * 12 + code.statement("if ", condition, 12) + ":",
        " " * 16 + "parameter.requires_grad_(False)",
    ]
