"""A small, safe expression language for formulas in the settings and conditions in the playbook.

Text is parsed with Python's own parser and then only arithmetic, comparisons, ``and``/``or``/``not``,
names, dotted names and the functions in :data:`FUNCTIONS` are accepted. Nothing is ever executed as Python.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


FUNCTIONS: dict[str, Callable[..., Any]] = {
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


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression.

    Attributes
    ----------
    text : str
        As written.
    names : tuple of str
        The names it reads, dotted ones whole, in order of appearance.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate over numbers or aligned columns.

        Parameters
        ----------
        values : mapping
            A value, or a Series of n customers, for each of :attr:`names`.

        Raises
        ------
        ValueError
            For an unknown name, with similar ones, or values that it cannot be computed from.
        """
        try:
            with np.errstate(all="ignore"):
                return _evaluate(self.tree, values)
        except (TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
            raise ValueError(f'formula "{_short(self.text)}" cannot be computed: {_in_words(error)}') from None

    def divides_by_zero(self) -> bool:
        """Return whether a formula divides by a literal zero.

        >>> parse("a / (2 - 2)").divides_by_zero(), parse("a / b").divides_by_zero()
        (True, False)
        """
        divisions = (n for n in ast.walk(self.tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div))
        return any(_constant(node.right) == 0 for node in divisions)

    def can_hold(self, limits: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether numbers within these limits can meet the condition, judged by comparisons with constants.

        >>> parse("a > 1 and a < 0").can_hold({}), parse("a > 1 or b > 1").can_hold({"a": (0, 1)})
        (False, True)
        """
        return any(_meets(comparisons, limits) for comparisons in _alternatives(self.tree, wanted=True))


def parse(text: str) -> Expression:
    """Check an expression.

    Raises
    ------
    ValueError
        Naming the part that the language does not have.

    Examples
    --------
    >>> parse("a / (b + 1)")({"a": 6, "b": 2})
    2.0
    >>> parse("open(a)")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: formula "open(a)": unknown function 'open'; available: abs, days, is_in, log1p, max, min, ...
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f'formula "{_short(text)}" is not a complete expression') from None
    names: list[str] = []
    try:
        _check(tree, names)
    except ValueError as error:
        raise ValueError(f'formula "{_short(text)}": {error}') from None
    except RecursionError:
        raise ValueError(f'formula "{_short(text)}" is nested too deeply') from None
    return Expression(text.strip(), tuple(dict.fromkeys(names)), tree)


def _in_words(error: Exception) -> str:
    """Translate a library's error about unsuitable values."""
    text = str(error)
    if isinstance(error, (TypeError, AttributeError)) and "takes no part" not in text:
        return "a text or a date stands where a number is needed, or the other way round"
    if text.startswith("could not convert"):
        # The library quotes the value of a customer.
        return "a text stands where a number is needed"
    return text


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _check(node: ast.expr, names: list[str]) -> None:
    match node:
        case ast.BinOp(op=op) if type(op) in _BINARY:
            _check(node.left, names)
            _check(node.right, names)
            if isinstance(op, ast.Pow) and not isinstance(node.right, ast.Constant):
                raise ValueError("a power must be a plain number")
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            _check(node.operand, names)
        case ast.BoolOp():
            _check_all(node.values, names)
        case ast.Compare(ops=[op], comparators=[right]) if type(op) in _COMPARE:
            _check(node.left, names)
            _check(right, names)
        case ast.Call(func=ast.Name(id=function), keywords=[]):
            _check_function(function)
            _check_all(node.args, names)
        case ast.Name(id=name):
            names.append(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=field):
            names.append(f"{owner}.{field}")
        case ast.Constant(value=bool() | int() | float() | str()):
            _check_size(node.value)
        case _:
            raise ValueError(f"'{ast.unparse(node)[:40]}' is not allowed in a formula")


def _check_all(nodes: list[ast.expr], names: list[str]) -> None:
    for node in nodes:
        _check(node, names)


def _check_function(function: str) -> None:
    if function not in FUNCTIONS:
        known = sorted(FUNCTIONS)
        hint = did_you_mean(function, known)
        raise ValueError(f"unknown function '{function}'; available: {listed(known)}. {hint}".strip())


def _check_size(value: object) -> None:
    if isinstance(value, (int, float)) and abs(value) > 1e15:
        raise ValueError("a number is larger than 1e15")


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
            return FUNCTIONS[function](*(_evaluate(argument, values) for argument in node.args))
        case ast.Constant():
            return node.value
        case _:
            name = ast.unparse(node)
            if name not in values:
                hint = did_you_mean(name, values)
                raise ValueError(f"unknown name '{name}'; available: {listed(values)}. {hint}".strip())
            return values[name]


_Comparison = tuple[str, type[ast.cmpop], float]
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
_MOST_ALTERNATIVES = 1_000


def _constant(node: ast.expr) -> float | None:
    """The number that a part comes to whatever the data; None where it depends on them."""
    try:
        value = _evaluate(node, {})
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError):
        return None
    return float(value) if isinstance(value, (int, float)) else None


def _alternatives(node: ast.expr, wanted: bool) -> list[list[_Comparison]]:
    """Sets of comparisons, any one of which makes the condition what is wanted; what else it says is left out."""
    match node:
        case ast.UnaryOp(op=ast.Not()):
            return _alternatives(node.operand, not wanted)
        case ast.BoolOp():
            parts = [_alternatives(value, wanted) for value in node.values]
            if isinstance(node.op, ast.And) != wanted:
                return [each for part in parts for each in part]
            alternatives: list[list[_Comparison]] = [[]]
            for part in parts:
                alternatives = [[*first, *second] for first in alternatives for second in part][:_MOST_ALTERNATIVES]
            return alternatives
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            kind = type(op) if wanted else _OPPOSITE[type(op)]
            if isinstance(left, (ast.Name, ast.Attribute)) and (bound := _constant(right)) is not None:
                return [[(ast.unparse(left), kind, bound)]]
            if isinstance(right, (ast.Name, ast.Attribute)) and (bound := _constant(left)) is not None:
                return [[(ast.unparse(right), _TURNED[kind], bound)]]
    return [[]]


def _meets(comparisons: list[_Comparison], limits: Mapping[str, tuple[float, float]]) -> bool:
    """Whether a number can be found for each name."""
    for name in {name for name, _, _ in comparisons}:
        low, high = limits.get(name, (-np.inf, np.inf))
        without: set[float] = set()
        for _, kind, bound in (each for each in comparisons if each[0] == name):
            if kind in (ast.Gt, ast.GtE, ast.Eq):
                low = max(low, bound)
            if kind in (ast.Lt, ast.LtE, ast.Eq):
                high = min(high, bound)
            if kind in (ast.Gt, ast.Lt, ast.NotEq):
                without.add(bound)
        if low > high or (low == high and low in without):
            return False
    return True
