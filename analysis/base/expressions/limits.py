"""What a condition can hold of, judged by its comparisons with constants."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from math import inf

_Comparison = tuple[str, type[ast.cmpop], float]
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
_MOST_ALTERNATIVES = 1_000


def divides_by_zero(tree: ast.expr) -> bool:
    """Return whether an expression divides by a literal zero."""
    divisions = (node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    return any(_constant(node.right) == 0 for node in divisions)


def can_hold(tree: ast.expr, limits: Mapping[str, tuple[float, float]]) -> bool:
    """Return whether numbers within these limits, low and high by name, can meet a condition."""
    return any(_meets(comparisons, limits) for comparisons in _alternatives(tree, wanted=True))


def _constant(node: ast.expr) -> float | None:
    """The number that a part comes to whatever the data; None where it depends on them."""
    called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    if any(isinstance(part, ast.Name) and id(part) not in called for part in ast.walk(node)):
        return None
    if isinstance(node, ast.Constant):
        value = node.value
    else:
        from analysis.base.expressions.evaluate import compute

        try:
            value = compute(node, {}, "")
        except ValueError:
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
        low, high = limits.get(name, (-inf, inf))
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
