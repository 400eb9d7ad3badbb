"""The expression language: it computes what Python would, runs nothing, and says what it does not know."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.base.expressions import FUNCTIONS, parse
from analysis.base.expressions.evaluate import COMPUTED

ATTACKS = (
    "__import__('os').system('touch PROOF')",
    "().__class__.__bases__[0].__subclasses__()",
    "open('PROOF', 'w')",
    "eval('1')",
    "exec('x = 1')",
    "a.__class__.__mro__",
    "a.b()",
    "abs.__call__(a)",
    "abs(a)(b)",
    "[x for x in a]",
    "(x for x in a)",
    "{a: b}",
    "{a}",
    "[a]",
    "(a, b)",
    "a[0]",
    "a[0:1]",
    "lambda: 1",
    "a if b else c",
    "f'{a}'",
    "(b := 1)",
    "await a",
    "yield a",
    "a = 1",
    "a; b",
    "import os",
    "abs(*a)",
    "where(condition=a)",
    "abs(a, **b)",
    "a @ b",
    "a // b",
    "a % b",
    "a << 60",
    "a | b",
    "~a",
    "a < b < c",
    "a in b",
    "a is b",
    "a ** b",
    "1e999",
    "b'bytes'",
    "...",
    "None",
    "1j",
    "",
    "   ",
    "\x00",
    "a\nb",
)  # fmt: skip
"""Python that is not part of the language."""


@pytest.mark.parametrize("text", ATTACKS)
def test_python_outside_the_language_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^formula "):
        parse(text)({"a": 1.0, "b": 2.0, "c": 3.0})
    assert list(tmp_path.iterdir()) == []


def test_a_deeply_nested_formula_is_an_error_of_one_line() -> None:
    for text in ("(" * 5000 + "a" + ")" * 5000, "-" * 5000 + "a", "a" + "+a" * 20000):
        with pytest.raises(ValueError, match=r"^formula ") as caught:
            parse(text)({"a": 1.0})
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["((((a ** 99) ** 99) ** 99) ** 99) ** 99", "2 ** 1000000000000", "'x' * 1000000000"])
def test_no_formula_makes_a_number_or_text_of_a_million_digits(text: str) -> None:
    try:
        found = parse(text)({"a": 9})
    except ValueError:
        return
    assert not math.isfinite(found)


def test_an_unknown_function_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown function 'lgo1p'") as caught:
        parse("lgo1p(a)")
    assert all(name in str(caught.value) for name in FUNCTIONS)
    assert "Did you mean 'log1p'?" in str(caught.value)


def test_an_unknown_name_is_named_with_its_near_ones() -> None:
    with pytest.raises(ValueError, match="unknown name 'amout'; available: amount, date") as caught:
        parse("amout + 1")({"amount": 1, "date": 2})
    assert "Did you mean 'amount'?" in str(caught.value)


def test_names_are_listed_once_in_order_of_appearance_and_dotted_ones_whole() -> None:
    assert parse("b + a.z * b - log1p(c)").names == ("b", "a.z", "c")


@pytest.mark.parametrize(
    "text", ["max()", "log1p()", "where(a)", "year(a)", "days(a)", "sqrt(a, a, a, a, a)", "a + 'x'"]
)
def test_what_cannot_be_computed_is_a_value_error_that_quotes_the_formula(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)({"a": 1.0})
    assert str(caught.value).startswith(f'formula "{text}" cannot be computed')


def test_a_division_by_zero_is_missing() -> None:
    a, b = pd.Series([6.0, 1.0, 0.0]), pd.Series([2, 0, 0])
    assert parse("a / b")({"a": a, "b": b}).tolist()[0] == 3.0
    assert parse("a / b")({"a": a, "b": b}).isna().tolist() == [False, True, True]
    assert parse("a / 0")({"a": a}).isna().tolist() == [True, True, True]
    assert math.isnan(parse("a / b")({"a": 1, "b": 0}))
    assert parse("a / (b > 1)")({"a": a, "b": b}).isna().tolist() == [False, True, True]


def test_a_comparison_with_a_missing_value_is_missing_not_false() -> None:
    a = pd.Series([1.0, np.nan, 3.0])
    for text, expected in {
        "a > 2": [False, None, True],
        "a != 1": [False, None, True],
        "not a > 2": [True, None, False],
        "a > 2 or a < 2": [True, None, True],
        "is_in(a, 1, 2)": [True, None, False],
    }.items():
        found = parse(text)({"a": a})
        assert [None if pd.isna(x) else bool(x) for x in found] == expected, text
    chosen = parse("where(a > 2, 10, 20)")({"a": a})
    assert chosen.isna().tolist() == [False, True, False]
    assert chosen.dropna().tolist() == [20, 10]


def test_functions_compute_over_columns_as_over_numbers() -> None:
    a = pd.Series([0.0, 4.0, 9.0])
    for text in (
        "log1p(a)",
        "sqrt(a)",
        "abs(-a)",
        "min(a, 5)",
        "max(1, a, 2)",
        "where(a > 3, a, 1)",
        "a ** 2",
        "a ** 0.5",
    ):
        formula = parse(text)
        assert formula({"a": a}).tolist() == pytest.approx([float(formula({"a": x})) for x in a]), text
    dates = pd.to_datetime(pd.Series(["2014-06-29", "2012-07-30"]))
    assert parse("year(d)")({"d": dates}).tolist() == [2014, 2012]
    assert parse("days(e - d)")({"d": dates, "e": pd.Timestamp("2014-06-29")}).tolist() == [0, 699]


def test_the_logarithm_of_a_number_below_minus_one_is_missing_without_a_warning() -> None:
    assert parse("log1p(a)")({"a": pd.Series([-5.0, 0.0])}).isna().tolist() == [True, False]


NUMBERS = st.integers(0, 20).map(str) | st.sampled_from(["0.5", "2.25", "a", "b", "c"])
FORMULAS = st.recursive(
    NUMBERS,
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from("+-*/"), part).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        part.map(lambda text: f"(-{text})"),
        part.map(lambda text: f"abs({text})"),
        st.tuples(part, part).map(lambda t: f"min({t[0]}, {t[1]})"),
    ),
    max_leaves=12,
)
VALUES = st.integers(-20, 20)


@pytest.mark.slow
@settings(deadline=None)
@given(text=FORMULAS, a=VALUES, b=VALUES, c=VALUES)
def test_arithmetic_is_that_of_python_and_where_python_divides_by_zero_the_value_is_missing(
    text: str, a: int, b: int, c: int
) -> None:
    names = {"a": float(a), "b": float(b), "c": float(c)}
    found = parse(text)(names)
    columns = parse(text)({name: pd.Series([value, 1.0]) for name, value in names.items()})
    over_columns = columns.iloc[0] if isinstance(columns, pd.Series) else columns
    try:
        expected = eval(text, {"__builtins__": {}, "min": min, "abs": abs}, names)
    except ZeroDivisionError:
        assert math.isnan(found)
        assert math.isnan(over_columns)
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
        assert over_columns == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_formula_or_one_value_error(text: str) -> None:
    try:
        formula = parse(text)
    except ValueError:
        return
    assert formula.text == text.strip()


def test_every_function_of_the_language_is_computed() -> None:
    assert tuple(sorted(COMPUTED)) == FUNCTIONS
