"""Code is laid out as ruff lays it out, and no text can become syntax."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.source.write import docstring

RUFF = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(code.WIDTH), "-"]


def ruff(source: str) -> str:
    done = subprocess.run(RUFF, input=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + source
    return done.stdout


names = st.builds(
    lambda text, tail: code.name("v" + text + tail),
    st.text("abcdefgh", min_size=1, max_size=12),
    st.sampled_from(["", "", "", ".weight", ".stage.conv"]),
)
literals = st.one_of(
    st.integers(-1000, 1000), st.booleans(), st.none(), st.text("abc'\"\\ ", max_size=12), st.floats(allow_nan=False)
).map(code.literal)


def larger(inner: st.SearchStrategy[Code]) -> st.SearchStrategy[Code]:
    several = st.lists(inner, min_size=1, max_size=5)
    keywords = st.lists(
        st.tuples(st.sampled_from(["padding", "bias", "dim"]), inner), max_size=2, unique_by=lambda x: x[0]
    )
    return st.one_of(
        st.builds(
            lambda function, given, named: code.call(function, [*given, *(code.keyword(*pair) for pair in named)]),
            names,
            several,
            keywords,
        ),
        several.map(code.sequence),
        several.map(lambda items: code.sequence(items, "()")),
        st.lists(st.tuples(literals, inner), min_size=1, max_size=4).map(
            lambda pairs: code.sequence([code.pair(*pair) for pair in pairs], "{}")
        ),
        st.builds(
            lambda item, target, many: code.comprehension(item, [(target, many)]), inner, st.just(code.name("i")), names
        ),
    )


operations = st.recursive(
    st.one_of(names, st.integers(-9, 9).map(code.literal)),
    lambda inner: st.one_of(
        st.builds(code.infix, inner, st.sampled_from(["+", "*", "@", "**", "//", "<", "&"]), inner),
        st.builds(code.prefix, st.sampled_from(["-", "not"]), inner),
        st.builds(lambda function, item: code.call(function, [item]), names, inner),
        st.builds(lambda value, start, stop: code.index(value, [code.span([start, stop, None])]), names, inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # each example is a process
@given(st.lists(st.recursive(st.one_of(names, literals), larger, max_leaves=12), min_size=8, max_size=12))
def test_constructors_are_laid_out_as_ruff_does(values: list[Code]) -> None:
    flat = "".join(f"self.x = {value}\n" for value in values if not str(value).startswith("["))
    laid = "".join(code.statement("self.x = ", value, 0) + "\n" for value in values if not str(value).startswith("["))
    assert ruff(flat) == laid


@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.generate])  # each example is a process
@given(st.lists(operations, min_size=8, max_size=12))
def test_operations_are_written_as_ruff_does(values: list[Code]) -> None:
    laid = "".join(code.statement("x = ", value, 0) + "\n" for value in values if len(str(value)) < 90)
    assert ruff(laid) == laid


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_quoted(text: str) -> None:
    assert ast.literal_eval(code.quoted(text)) == text
    assert code.quoted(text).isprintable()


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.lists(st.text("'\"\\ab\n\u202e\x00é"), min_size=10, max_size=20))
def test_ruff_leaves_quotes_as_they_are(texts: list[str]) -> None:
    source = "".join(f"x = {code.quoted(text)}\n" for text in texts)
    assert ruff(source) == source


@pytest.mark.parametrize("text", ["", "a b", "a;b", "1a", "a..b", "a.", "class", "a.None", "a\n", "é", "a()", "a#b"])
def test_only_names_are_names(text: str) -> None:
    with pytest.raises(ValueError, match="not a Python name"):
        code.name(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1e-5, "1e-5"), (1e16, "1e16"), (float("inf"), 'float("inf")'), (float("-inf"), 'float("-inf")')],
)
def test_floats_are_written_as_a_person_would(value: float, text: str) -> None:
    assert str(code.literal(value)) == text


def test_long_operations_and_tuples_get_parentheses() -> None:
    long = [code.name("v" * 40), code.name("w" * 40)]
    added = code.statement("x = ", code.infix(code.infix(long[0], "+", long[1]), "+", long[0]), 0)
    returned = code.tuple_statement("return ", [*long, long[0]], 4)
    for source in (added, "def f():\n    " + returned):
        assert ruff(source + "\n") == source + "\n"
        assert "(\n" in source


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.lists(st.text("ab \"'\\\n\t\r\u2028\u202e\x00é").filter(str.strip), min_size=10, max_size=15))
def test_docstrings_hold_any_text(texts: list[str]) -> None:
    classes = [f"class A{i}:\n" + "\n".join(docstring(text)) + "\n\n    x = 1\n" for i, text in enumerate(texts)]
    source = "\n\n".join(classes)
    assert ruff(source) == source
    tree = ast.parse(source)
    assert [len(node.body) for node in tree.body if isinstance(node, ast.ClassDef)] == [2] * len(texts)
    assert len(tree.body) == len(texts)
