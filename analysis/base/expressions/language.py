"""A small, safe expression language for formulas in the settings and conditions in the playbook.

Text is parsed with Python's own parser and then only arithmetic, comparisons, ``and``/``or``/``not``,
names, dotted names and the functions in :data:`FUNCTIONS` are accepted. Nothing is ever executed as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.base.errors import did_you_mean, listed
from analysis.base.expressions.limits import can_hold, divides_by_zero

FUNCTIONS = ("abs", "days", "is_in", "log1p", "max", "min", "sqrt", "where", "year")
"""Functions that a formula may call; `COMPUTED` in :mod:`~analysis.base.expressions.evaluate` has the same."""

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


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
        # Settings are checked at the start of each command, before there is anything to compute with.
        from analysis.base.expressions.evaluate import compute

        return compute(self.tree, values, shorten(self.text))

    def divides_by_zero(self) -> bool:
        """Return whether a formula divides by a literal zero.

        >>> parse("a / (2 - 2)").divides_by_zero(), parse("a / b").divides_by_zero()
        (True, False)
        """
        return divides_by_zero(self.tree)

    def can_hold(self, limits: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether numbers within these limits can meet the condition, judged by comparisons with constants.

        >>> parse("a > 1 and a < 0").can_hold({}), parse("a > 1 or b > 1").can_hold({"a": (0, 1)})
        (False, True)
        """
        return can_hold(self.tree, limits)


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
        raise ValueError(f'formula "{shorten(text)}" is not a complete expression') from None
    names: list[str] = []
    try:
        _check(tree, names)
    except ValueError as error:
        raise ValueError(f'formula "{shorten(text)}": {error}') from None
    except RecursionError:
        raise ValueError(f'formula "{shorten(text)}" is nested too deeply') from None
    return Expression(text.strip(), tuple(dict.fromkeys(names)), tree)


def shorten(text: str) -> str:
    """The text of a formula as messages quote it."""
    return text if len(text) <= 80 else text[:77] + "..."


def _check(node: ast.expr, names: list[str]) -> None:
    match node:
        case ast.BinOp(op=op) if isinstance(op, _ARITHMETIC):
            _check(node.left, names)
            _check(node.right, names)
            if isinstance(op, ast.Pow) and not isinstance(node.right, ast.Constant):
                raise ValueError("a power must be a plain number")
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            _check(node.operand, names)
        case ast.BoolOp():
            _check_all(node.values, names)
        case ast.Compare(ops=[op], comparators=[right]) if isinstance(op, _COMPARISONS):
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
        hint = did_you_mean(function, FUNCTIONS)
        raise ValueError(f"unknown function '{function}'; available: {listed(FUNCTIONS)}. {hint}".strip())


def _check_size(value: object) -> None:
    if isinstance(value, (int, float)) and abs(value) > 1e15:
        raise ValueError("a number is larger than 1e15")
