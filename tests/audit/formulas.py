"""Formulas of derived features, as the data dictionary prints them, computed anew on columns."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pandas as pd


def divide(above: Any, below: Any) -> Any:
    """Give the quotient; missing where the denominator is 0."""
    return above / below.astype(float).where(below != 0) if isinstance(below, pd.Series) else above / below


def compare(left: Any, right: Any, answer: Any) -> Any:
    """Give the answer to a comparison as 0 and 1; missing where a side is missing."""
    sides = [side for side in (left, right) if isinstance(side, pd.Series)]
    numbers = answer.astype(float)
    for side in sides:
        numbers = numbers.where(side.notna())
    return numbers


def extreme(choose: Any, values: tuple[Any, ...]) -> Any:
    """Give the elementwise smallest or largest; missing where one is missing."""
    found = values[0]
    for value in values[1:]:
        found = choose(found, value)
    return found


FUNCTIONS = {
    "min": lambda *values: extreme(np.minimum, values),
    "max": lambda *values: extreme(np.maximum, values),
    "is_in": lambda column, *levels: column.isin(levels).astype(float).where(column.notna()),
    "year": lambda date: date.dt.year if isinstance(date, pd.Series) else date.year,
    "days": lambda span: span.dt.days,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "abs": abs,
    "where": lambda condition, then, other: pd.Series(np.where(condition > 0, then, other), index=condition.index),
}


class _Safe(ast.NodeTransformer):
    """Turn divisions and comparisons into calls that keep what is missing missing."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            return ast.Call(ast.Name("divide", ast.Load()), [node.left, node.right], [])
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("compare", ast.Load()), [node.left, node.comparators[0], node], [])


def evaluate(formula: str, columns: pd.DataFrame, as_of: pd.Timestamp | None) -> pd.Series:
    """Compute a published formula over columns.

    Parameters
    ----------
    formula : str
    columns : DataFrame, shape (n, ...)
    as_of : Timestamp, optional

    Returns
    -------
    Series of float64, shape (n,)
        NaN where there is no value.

    Examples
    --------
    >>> evaluate("min(1, a / b)", pd.DataFrame({"a": [1, 4, 2], "b": [2, 2, 0]}), None).tolist()
    [0.5, 1.0, nan]
    """
    tree = ast.fix_missing_locations(_Safe().visit(ast.parse(formula, mode="eval")))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    known: dict[str, Any] = {str(name): columns[name] for name in columns if name in names}
    space = {"__builtins__": {}, **FUNCTIONS, "divide": divide, "compare": compare, "as_of": as_of, **known}
    values = eval(compile(tree, "<formula>", "eval"), space)
    return values.astype(float).replace([np.inf, -np.inf], np.nan)
