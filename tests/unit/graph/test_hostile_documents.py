"""Whatever text stands wherever in a document, it gives a problem at most: a canary file proves that nothing ran."""

from __future__ import annotations

import copy
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from layerloom.graph import GraphError, build, check, to_python
from layerloom.schema.document import Document
from unit.graph.checking.drawing import (
    Json,
    argument,
    block,
    call,
    codes,
    expr,
    function,
    get,
    layer,
    network,
    parsed,
    ref,
    repeat,
    sequential,
    use,
)

MODULE = "canary_module"


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that exists as soon as a payload has run; a module that makes it can be imported by its name."""
    path = tmp_path / "canary"
    module = tmp_path / f"{MODULE}.py"
    module.write_text(f"open({str(path)!r}, 'w').close()\ndef run(*a, **k): pass\nclass Layer: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return path


def payloads(path: Path) -> list[str]:
    """Texts that make the file where they run as Python, as a part of a statement, or as a name to look up."""
    run = f"open({str(path)!r}, 'w')"
    return [
        run,
        f"__import__('os').system('touch {path}')",
        f"().__class__.__base__.__subclasses__() or {run}",
        f"[{run} for _ in (1,)]",
        f"(lambda: {run})()",
        f"f'{{{run}}}'",
        f"x if {run} else x",
        f"{MODULE}.run",
        f"{MODULE}.Layer",
        f"torch.os.system('touch {path}')",
        f'"""\n{run}\n"""',
        f"')\n{run}\n('",
        f"x): {run}\n    def y(self",
        f"\\\n{run} #",
        f"a\r{run}\x0c{run}\u2028{run}",
        f"{{{run}!r}} %({run})s \\N{{BULLET}} \x00 \u202e",
    ]


def everything() -> Json:
    """Every kind of text that a document has."""
    inner = block(
        [
            layer("fc", "Linear", in_features=expr("width"), out_features=expr("width")),
            {"kind": "buffer", "name": "mask", "shape": [expr("width")], "fill": 1},
        ],
        [
            call("a", "fc", "x"),
            {**get("b", "mask"), "name": "mask"},
            {**function("c", "operator.mul", input=ref("a"), other=ref("b")), "name": "scaled"},
        ],
        ref("c"),
        arguments=[argument("width", default=8), argument("mode", "str", default="nearest")],
    )
    gelu = {"$function": "torch.nn.functional.gelu"}
    sizes = {"d_model": 8, "nhead": 2, "dim_feedforward": 8, "dropout": 0.0, "batch_first": True, "norm_first": True}
    inside = {"target": "torch.nn.TransformerEncoderLayer", "arguments": {**sizes, "activation": gelu}}
    heads = [layer("left", "Linear", in_features=8, out_features=2), repeat("['right']", layer("key", "ReLU"), "key")]
    members = [
        {**use("part", "Part", width=8), "arguments": {"width": 8, "mode": "area"}},
        sequential("body", repeat("range(2)", layer("0", "Linear", in_features=8, out_features=8), "i")),
        {"kind": "module_dict", "name": "heads", "items": heads},
        {
            "kind": "parameter",
            "name": "scale",
            "shape": [8],
            "dtype": "float32",
            "init": [{"parameter": "*", "function": "torch.nn.init.constant_", "arguments": {"val": 1.0}}],
        },
        {"kind": "alias", "name": "again", "of": "body"},
        layer("up", "Upsample", scale_factor=2.0, mode="nearest"),
        layer(
            "encoder", "TransformerEncoder", encoder_layer={"$layer": inside}, num_layers=1, enable_nested_tensor=False
        ),
    ]
    chosen = {"op": "choose", "id": "n4", "target": "heads", "key": "left", "arguments": {"input": ref("n8")}}
    nodes = [
        call("n1", "part", x=ref("x")),
        call("n2", "body", "n1"),
        get("n3", "scale"),
        {**function("n7", "operator.mul", input=ref("n2"), other=ref("n3")), "when": "training"},
        call("n8", "encoder", src={"$if": "training", "then": ref("n7"), "else": ref("n2")}),
        chosen,
        function("n5", "torch.Tensor.to", input=ref("n4"), dtype={"$dtype": "float32"}),
        function("n6", "torch.nn.functional.pad", input=ref("n5"), pad=[1, 1], mode="constant"),
    ]
    normal = {"parameter": "weight", "function": "torch.nn.init.normal_"}
    document = network(
        members,
        nodes,
        {"$dict": {"out": ref("n6")}},
        blocks={"Part": inner},
        init=[{"types": ["torch.nn.Linear"], "name": "part.*", "statements": [normal]}],
        frozen=["body.*"],
    )
    document["blocks"]["Part"]["doc"] = "Documented."
    document["name"] = "a name"
    return document


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """Paths of all texts, and of all names of entries; the latter are told by True."""
    if isinstance(value, str):
        yield path, False
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        if isinstance(key, str) and key != "else" and not key.startswith("$"):
            yield (*path, key), True
        yield from places(item, (*path, key))


def poisoned(document: Json, path: tuple[Any, ...], is_name: bool, text: str) -> Json:
    changed = copy.deepcopy(document)
    around: Any = changed
    for key in path[:-1]:
        around = around[key]
    if is_name:
        around[text] = around.pop(path[-1])
    else:
        around[path[-1]] = text
    return changed


def test_the_document_itself_runs() -> None:
    document = parsed(everything())
    assert build(document)(torch.randn(2, 8))["out"].shape == (2, 4)
    kinds = {member["kind"] for member in everything()["blocks"]["Net"]["members"]}
    assert kinds >= {"block", "sequential", "module_dict", "parameter", "alias", "layer"}


PLACES = list(places(everything()))


@pytest.mark.parametrize("number", range(16))
def test_no_text_anywhere_runs(canary: Path, number: int) -> None:
    text = payloads(canary)[number]
    judged = built = 0
    for path, is_name in PLACES:
        try:
            document = Document.model_validate_json(json.dumps(poisoned(everything(), path, is_name, text)))
        except ValidationError:
            continue
        report = check(document)
        judged += 1
        assert all(problem.message and problem.pointer is not None for problem in report.problems), path
        try:
            source = to_python(document)
            assert report.ok, path
            build(document)(torch.randn(2, 8))
            built += 1
        except GraphError:
            assert not report.ok, path
            continue
        assert all(line.isprintable() for line in source.split("\n")), path
    assert not canary.exists()
    assert MODULE not in sys.modules
    assert judged > 40
    assert built > 3  # a docstring, a document's name, the key of an output and the like may be any text


EXPRESSIONS = [
    *("__import__('os')", "().__class__", "x.__globals__", "9**9**9", "(2**62)**(2**62)", "10**18 * 10**18"),
    *("(" * 999 + "1" + ")" * 999, "[" * 999 + "]" * 999, "-" * 1_900 + "1", "not " * 400 + "1", "1" * 1_900),
    *("'a' * 10**9", "[0] * 10**9", "[[0] * 9000] * 9000", "range(10**18)", "sum(range(10**18))", "len(range(10**18))"),
    *("[range(10000)] * 10000", "list(range(10))", "eval('1')", "exec('1')", "print(1)", "open('x')", "width.real"),
    *("lambda: 0", "[x for x in range(3)]", "{1: 2}", "{1, 2}", "(yield)", "await x", "*x", "a := 1", "f'{1}'", "b'x'"),
    *("1j", "...", "x[...]", "'%s' % 1", "'{}'.format(1)", "1 if", "1 +", "", " ", "#", "1 # x", "1;2", "1\n2", "\\"),
    *("0x" + "f" * 500, "1e999", "1e-999/0", "float('nan')", "int('9' * 500)", "max([])", "min()", "zip()", "range()"),
    *("round(1, 10**9)", "enumerate(1)", "abs('x')", "sum(['a'])", "[1][5]", "[1]['x']", "1 << 10**9", "~1", "1 @ 2"),
    *("print", "range", "__builtins__", "__name__", "self", "torch", "nn.Linear", "width" * 300, "\ud800", "\0", "é"),
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS, ids=lambda text: repr(text)[:40])
def test_an_expression_is_a_number_or_a_problem(text: str) -> None:
    document = network(
        [layer("fc", "Linear", in_features=8, out_features=expr(text))],
        [call("n", "fc", "x")],
        arguments=[argument("width", default=4)],
    )
    try:
        found = Document.model_validate(document)
    except ValidationError:
        return
    report = check(found)
    assert not report.ok
    assert all(problem.pointer and problem.message.isprintable() for problem in report.problems)
    assert any(problem.member == "fc" for problem in report.problems)


def test_an_expression_of_a_megabyte_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValidationError, match=r"at most 2000 characters"):
        parsed(network([layer("fc", "Linear", in_features=8, out_features=expr("1+" * 500_000 + "1"))], []))


def _repeats(over: str, levels: int) -> Json:
    item = layer("0", "ReLU")
    for _ in range(levels - 1):
        item = sequential("0", repeat(over, item))
    return network([sequential("many", repeat(over, item))], [call("n", "many", "x")])


def _towers(levels: int, times: int) -> Json:
    """Blocks in blocks, each with several instances of the one below."""
    blocks = {"B0": block([layer("a", "ReLU")], [call("n", "a", "x")], ref("n"))}
    for level in range(1, levels):
        inner = sequential("s", repeat(f"range({times})", use("0", f"B{level - 1}")))
        blocks[f"B{level}"] = block([inner], [call("n", "s", "x")], ref("n"))
    return network([use("b", f"B{levels - 1}")], [call("n", "b", x=ref("x"))], blocks=blocks)


def _by_argument(count: int) -> Json:
    """The number of copies is an argument, and an argument of that."""
    held = sequential("s", repeat("range(n * n)", sequential("0", repeat("range(n)", layer("0", "ReLU")))))
    inner = block([held], [call("c", "s", "x")], ref("c"), arguments=[argument("n")])
    return network([use("b", "B", n=count)], [call("n", "b", x=ref("x"))], blocks={"B": inner})


def _by_variable() -> Json:
    """The inner number of copies is another for every outer one: 1 + 2 + … + 5000."""
    inner = sequential("0", repeat("range(i)", layer("0", "ReLU")))
    return network([sequential("s", repeat("range(5000)", inner, "i"))], [call("n", "s", "x")])


def _nothing_often() -> Json:
    """A hundred million times no layer."""
    empty = repeat("range(10000)", repeat("range(10000)", repeat("[]", layer("0", "ReLU"))))
    return network([sequential("s", layer("0", "ReLU"), empty)], [call("n", "s", "x")])


BOMBS = {
    "a million of one": (_repeats("range(10**6)", 1), "expression_invalid"),
    "a million of two": (_repeats("range(1000)", 2), "too_many_nodes"),
    "a billion": (_repeats("range(1000)", 3), "too_many_nodes"),
    "ten to the thirty": (_repeats("range(1000)", 10), "too_many_nodes"),
    "blocks in blocks": (_towers(9, 10), "too_many_nodes"),
    "blocks in blocks, doubled": (_towers(16, 2), "too_many_nodes"),
    "a number of an argument": (_by_argument(90), "too_many_nodes"),
    "a number of a variable": (_by_variable(), "too_many_nodes"),
    "nothing, very often": (_nothing_often(), "too_many_nodes"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_be_too_many_is_counted_and_never_made(name: str) -> None:
    document, code = BOMBS[name]
    found = parsed(document)
    check(parsed(_repeats("range(2)", 2)))  # what is loaded once is no cost of the document's
    started = time.process_time()
    report = check(found)
    spent = time.process_time() - started
    assert code in codes(report), [problem.message for problem in report.problems]
    assert all(problem.pointer for problem in report.problems)
    tracemalloc.start()
    check(found)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{name}: {spent * 1000:.0f} ms, {peak / 2**20:.1f} MiB")
    assert peak < 8 * 2**20
