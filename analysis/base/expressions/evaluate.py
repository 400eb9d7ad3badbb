"""Evaluation of expressions over numbers or aligned columns."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import did_you_mean, listed

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: _divide(a, b),
    ast.Pow: np.float_power,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _divide(a: Any, b: Any) -> Any:
    """Quotient; a division by zero is missing, not infinite."""
    if isinstance(b, pd.Series):
        return a / b.astype("Float64").astype("float64").where(b != 0)
    return a / b if b else a * float("nan")


def _where_known(answer: Any, *sides: Any) -> Any:
    """The answer to a comparison; missing, not false, where one side is missing."""
    for side in sides:
        if isinstance(side, pd.Series) and side.hasnans:
            answer = answer.astype("boolean").mask(side.isna())
    return answer


def _is_in(value: Any, *choices: Any) -> Any:
    if isinstance(value, pd.Series):
        return value.isin(choices).astype("boolean").where(value.notna())
    return value in choices


def _where(condition: Any, then: Any, otherwise: Any) -> Any:
    if isinstance(condition, pd.Series):
        chosen = np.where(condition.fillna(False).astype(bool), then, otherwise)
        return pd.Series(chosen, index=condition.index).where(condition.notna())
    return then if condition else otherwise


def _lowest(*values: Any) -> Any:
    return _extreme(np.minimum, values)


def _highest(*values: Any) -> Any:
    return _extreme(np.maximum, values)


def _extreme(choose: Any, values: tuple[Any, ...]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = choose(result, value)
    return result


COMPUTED: dict[str, Callable[..., Any]] = {
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "abs": abs,
    "min": _lowest,
    "max": _highest,
    "where": _where,
    "is_in": _is_in,
    "year": lambda date: date.dt.year if isinstance(date, pd.Series) else date.year,
    "days": lambda span: span.dt.days if isinstance(span, pd.Series) else span.days,
}


def compute(tree: ast.expr, values: Mapping[str, Any], text: str) -> Any:
    """Evaluate a checked expression.

    Parameters
    ----------
    tree : ast.expr
        What :func:`~analysis.base.expressions.parse` has checked.
    values : mapping
        A value, or a Series of n customers, for each name.
    text : str
        The expression as messages quote it.

    Raises
    ------
    ValueError
        For an unknown name, with similar ones, or values that it cannot be computed from.
    """
    try:
        with np.errstate(all="ignore"):
            return _evaluate(tree, values)
    except (TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(f'formula "{text}" cannot be computed: {_in_words(error)}') from None


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.BinOp():
            left, right = _evaluate(node.left, values), _evaluate(node.right, values)
            if isinstance(left, str) or isinstance(right, str):
                raise TypeError("text takes no part in arithmetic")
            return _BINARY[type(node.op)](left, right)
        case ast.UnaryOp(op=ast.Not()):
            value = _evaluate(node.operand, values)
            return ~value if isinstance(value, pd.Series) else not value
        case ast.UnaryOp():
            return -_evaluate(node.operand, values)
        case ast.BoolOp():
            results = [_evaluate(value, values) for value in node.values]
            combine = operator.and_ if isinstance(node.op, ast.And) else operator.or_
            combined = results[0]
            for result in results[1:]:
                combined = combine(combined, result)
            return combined
        case ast.Compare():
            left, right = _evaluate(node.left, values), _evaluate(node.comparators[0], values)
            return _where_known(_COMPARE[type(node.ops[0])](left, right), left, right)
        case ast.Call(func=ast.Name(id=function)):
            return COMPUTED[function](*(_evaluate(argument, values) for argument in node.args))
        case ast.Constant():
            return node.value
        case _:
            name = ast.unparse(node)
            if name not in values:
                hint = did_you_mean(name, values)
                raise ValueError(f"unknown name '{name}'; available: {listed(values)}. {hint}".strip())
            return values[name]


def _in_words(error: Exception) -> str:
    """Translate a library's error about unsuitable values."""
    text = str(error)
    if isinstance(error, (TypeError, AttributeError)) and "takes no part" not in text:
        return "a text or a date stands where a number is needed, or the other way round"
    if text.startswith("could not convert"):
        # The library quotes the value of a customer.
        return "a text stands where a number is needed"
    return text
