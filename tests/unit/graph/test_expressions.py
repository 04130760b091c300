"""Expressions mean what Python means by them, and nothing else can be said in them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerloom.graph.expressions import ELEMENTS_LIMIT, FUNCTIONS, ExpressionError, Pairs, parse

ENVIRONMENT = {"width": 3, "rate": 0.5, "widths": [8, 16, 32], "names": ["a", "b"], "flag": True}

numbers = st.one_of(
    st.integers(0, 40).map(str),
    st.sampled_from(["0.5", "1.5e2", "width", "rate", "widths[1]", "len(widths)", "0x1F", "1_000"]),
)
booleans = st.sampled_from(["True", "False", "flag", "names[0] == 'a'", "3 in widths"])
lists = st.sampled_from(["widths", "[1, 2]", "range(3)", "widths[1:]", "widths[::-1]", "[8] * 2 + widths"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "<", ">=", "==", "!=", "and", "or"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        st.tuples(inner, operators, inner).map(" ".join),
        st.tuples(inner, booleans, inner).map(lambda parts: f"{parts[0]} if {parts[1]} else {parts[2]}"),
        inner.map(lambda text: f"-{text}"),
        inner.map(lambda text: f"not {text}"),
        st.tuples(inner, st.integers(0, 3)).map(lambda parts: f"({parts[0]}) ** {parts[1]}"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
        ),
        st.tuples(st.sampled_from(["abs", "int", "float", "round"]), inner).map(
            lambda parts: f"{parts[0]}({parts[1]})"
        ),
        st.tuples(st.sampled_from(["sum", "min", "max", "len"]), lists).map(lambda parts: f"{parts[0]}({parts[1]})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: f"({', '.join(items)},)"),
    )


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, Pairs | zip | enumerate) else value


iterators = st.tuples(st.sampled_from(["zip(widths, {})", "enumerate({})", "zip({}, names)"]), lists).map(
    lambda parts: parts[0].format(parts[1])
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.recursive(st.one_of(numbers, booleans, lists), larger, max_leaves=6), iterators))
def test_value_is_pythons(text: str) -> None:
    try:
        expression = parse(text)
        value = expression.evaluate(ENVIRONMENT)
    except ExpressionError:
        return  # too large, or an error in Python as well; what may not fail is listed below
    expected = plain(eval(text, {}, dict(ENVIRONMENT)))
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
    rewritten = eval(expression.python({"widths": "w.w"}), {}, {**ENVIRONMENT, "w": type("W", (), {"w": [8, 16, 32]})})
    assert plain(rewritten) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("width // 2", 1),
        ("2 * width + 1", 7),
        ("widths[-1]", 32),
        ("widths[max(width - 4, 0)]", 8),
        ("2 if width else 1", 2),
        ("1 < width <= 3", True),
        ("rate if flag and width > 2 else 0.0", 0.5),
        ("[1, *()][0:1]", None),
        ("2 ** 62", 2**62),
        ("2 ** -1", 0.5),
        ("width is None", False),
        ("(1, 2)", (1, 2)),
        ("[8] * 3", [8, 8, 8]),
        ("'a' in names", True),
        ("round(2.345, 2)", 2.35),
        ("sum(widths)", 56),
        ("range(1, 10, 3)", range(1, 10, 3)),
    ],
)
def test_ordinary_expressions(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ExpressionError, match="a star"):
            parse(text)
        return
    assert parse(text).evaluate(ENVIRONMENT) == value


def test_iterables_are_pythons() -> None:
    assert list(parse("zip(widths, widths[1:])").evaluate(ENVIRONMENT)) == [(8, 16), (16, 32)]
    assert list(parse("enumerate(names)").evaluate(ENVIRONMENT)) == [(0, "a"), (1, "b")]
    assert list(parse("enumerate(names, 1)").evaluate(ENVIRONMENT)) == [(1, "a"), (2, "b")]


def test_names_are_those_that_are_read() -> None:
    assert parse("max(width, 3) + widths[i]").names == {"width", "widths", "i"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__import__('os')", "cannot be called"),
        ("eval('1')", "cannot be called"),
        ("().__class__", "an attribute"),
        ("x.__globals__", "an attribute"),
        ("(1).real", "an attribute"),
        ("__builtins__", "cannot be used"),
        ("lambda: 1", "a lambda"),
        ("[i for i in widths]", "a comprehension"),
        ("{i: 1 for i in widths}", "a comprehension"),
        ("f'{width}'", "an f-string"),
        ("(y := 1)", "an assignment"),
        ("max(*widths)", "a star"),
        ("min(widths, key=len)", "plain functions"),
        ("{}", "a dict"),
        ("{1}", "a set"),
        ("~width", "operator ~"),
        ("1 << width", "this operator"),
        ("1 & width", "this operator"),
        ("b'x'", "cannot be used"),
        ("...", "cannot be used"),
        ("2j", "no number"),
        ("1or 2", "no number"),
        ("width; width", "no expression"),
        ("width = 1", "no expression"),
        ("import os", "no expression"),
        ("", "no expression"),
        ("'\\x41'", "no backslash"),
        ("width\n+ 1", "printable"),
        ("width\u202e", "printable"),
        ("len", "is a function"),
        ("1" * 1_000_000, "2000 characters"),
        ("9" * 1999, "2**63"),
        ("(" * 999 + "1" + ")" * 999, "50 deep"),
        ("-" * 1999 + "1", "50 deep"),
        ("+".join("1" * 900), "50 deep"),
    ],
)
def test_what_cannot_be_said(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9**9**9", "2**63"),
        ("2**64", "2**63"),
        ("(-2)**65", "2**63"),
        ("2**62 * 3", "2**63"),
        ("0**-1", "division by zero"),
        ("(0 - 8) ** 0.5", "complex"),
        ("10.0 ** 400", "out of range"),
        ("1e308 * 10", "finite"),
        ("width / 0", "division by zero"),
        ("range(10**9)", "10000"),
        ("range(2**62)", "10000"),
        ("range(0, 1, 0)", "zero"),
        ("[0] * 10**9", "10000"),
        ("10**9 * [0]", "10000"),
        ("[[0] * 9999] * 9999", "10000"),
        ("([0] * 6000) + ([0] * 6000)", "10000"),
        ("'a' * 10", "a number is needed"),
        ("'%9999999d' % 1", "a number is needed"),
        ("widths + (1,)", "a number is needed"),
        ("unknown + 1", "unknown is not known here; known names: flag"),
        ("widths[9]", "out of range"),
        ("widths[0.5]", "indices"),
        ("width[0]", "has no items"),
        ("len(width)", "has no length"),
        ("len(zip(widths))", "has no length"),
        ("zip(widths)[0]", "has no items"),
        ("sum(names)", "a number is needed"),
        ("int('3')", "a number is needed"),
        ("round(width, 0 - 10**9)", "digits"),
        ("widths < width", "not supported"),
        ("max()", ""),
    ],
)
def test_what_has_no_value(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text).evaluate(ENVIRONMENT)
    assert says in str(raised.value)


def test_every_allowed_function_can_be_called() -> None:
    calls = {
        "range": "3",
        "zip": "widths",
        "enumerate": "widths",
        "len": "widths",
        "sum": "widths",
        "min": "widths",
        "max": "widths",
    }
    for function in FUNCTIONS:
        parse(f"{function}({calls.get(function, '1.5')})").evaluate(ENVIRONMENT)
    assert len(parse(f"range({ELEMENTS_LIMIT})").evaluate({})) == ELEMENTS_LIMIT
