"""Translation of formulas to SQL that DuckDB and PostgreSQL both read."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.base.expressions import Expression

TRUE = ("true", "t", "yes", "y", "1", "1.0", "on", "ja", "oui", "si", "sí")
FALSE = ("false", "f", "no", "n", "0", "0.0", "off", "nein", "non")
"""Words for yes and no, as the reader of files knows them."""
MOST_CHARACTERS = 20_000
"""Longest part of a formula: what minimum and maximum stand for is written several times. Chosen for this project."""
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "=",
    ast.NotEq: "<>",
}


class UntranslatableError(ValueError):
    """A formula that has no equal in standard SQL."""


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """A column of the customer table: its type as it was read, and what cleaning makes of its values.

    ``type`` is number, boolean, date, category or another word, which no formula can be translated from; ``merge``
    has spellings by what stands for them, ``plausible`` the lowest and highest believable value.
    """

    type: str
    merge: Mapping[str, str]
    plausible: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    kind: str


def quote_name(name: str) -> str:
    """Quote a name with double quotes.

    >>> print(quote_name('a "b"'))
    "a ""b\"""
    """
    return '"' + name.replace("\0", "").replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Quote text with single quotes, on one line.

    >>> print(quote_text("Ann's"))
    'Ann''s'
    """
    return "'" + " ".join(text.replace("\0", " ").split()).replace("'", "''") + "'"


def to_sql(expression: Expression, columns: Mapping[str, SqlColumn], as_of: dt.date | None) -> str:
    """Print a formula as a number in SQL, over a table called ``c``.

    Parameters
    ----------
    expression : Expression
    columns : mapping of str to SqlColumn
    as_of : date, optional
        Stands for ``as_of``.

    Raises
    ------
    UntranslatableError
        Where SQL has no equal for a part of it.

    Examples
    --------
    >>> from analysis.base.expressions import parse
    >>> number = SqlColumn("number", {})
    >>> to_sql(parse("a / (b + 1)"), {"a": number, "b": number}, None)
    '(CAST(c."a" AS DOUBLE PRECISION) / NULLIF((CAST(c."b" AS DOUBLE PRECISION) + 1.0), 0))'
    """
    try:
        return _Printer(columns, as_of).number(expression.tree).text
    except RecursionError:
        raise UntranslatableError("the formula is nested too deeply") from None


class _Printer:
    def __init__(self, columns: Mapping[str, SqlColumn], as_of: dt.date | None) -> None:
        self.columns, self.as_of = columns, as_of
        self.functions: dict[str, Callable[[list[ast.expr]], _Term]] = {
            "abs": lambda args: _Term(f"ABS({self.only(args).text})", "number"),
            "sqrt": lambda args: self.guarded(args, ">= 0", "SQRT({})"),
            "log1p": lambda args: self.guarded(args, "> -1", "LN(1 + {})"),
            "min": lambda args: self.extreme(args, "<="),
            "max": lambda args: self.extreme(args, ">="),
            "where": self.where,
            "is_in": self.is_in,
            "year": self.year,
            "days": self.days,
        }

    def number(self, node: ast.expr) -> _Term:
        """Convert a term to a number, with yes as 1 and no as 0."""
        if isinstance(node, ast.Name) and node.id in self.columns and self.columns[node.id].type == "boolean":
            return self.answers(node.id, "1.0", "0.0", "number")
        term = self.term(node)
        if term.kind == "boolean":
            return _Term(f"(CASE WHEN {term.text} THEN 1.0 WHEN NOT {term.text} THEN 0.0 END)", "number")
        return self.of_kind(term, "number")

    def of_kind(self, term: _Term, *kinds: str) -> _Term:
        if term.kind not in kinds:
            raise UntranslatableError(f"a {term.kind} stands where a {kinds[0]} should")
        return term

    def plain(self, node: ast.expr) -> _Term:
        """Return a numeric term that is not yes/no, because engines differ in adding Booleans."""
        return self.of_kind(self.term(node), "number")

    def only(self, args: list[ast.expr]) -> _Term:
        if len(args) != 1:
            raise UntranslatableError("a function has another number of arguments")
        return self.plain(args[0])

    def term(self, node: ast.expr) -> _Term:
        term = self.spell_out(node)
        if len(term.text) > MOST_CHARACTERS:
            raise UntranslatableError("the formula is too long once it is spelt out")
        return term

    def spell_out(self, node: ast.expr) -> _Term:
        match node:
            case ast.BinOp():
                return self.arithmetic(node)
            case ast.UnaryOp(op=ast.Not()):
                return _Term(f"(NOT {self.of_kind(self.term(node.operand), 'boolean').text})", "boolean")
            case ast.UnaryOp():
                return _Term(f"(- {self.plain(node.operand).text})", "number")
            case ast.BoolOp():
                word = " AND " if isinstance(node.op, ast.And) else " OR "
                parts = [self.of_kind(self.term(value), "boolean").text for value in node.values]
                return _Term(f"({word.join(parts)})", "boolean")
            case ast.Compare():
                return self.comparison(node)
            case ast.Call(func=ast.Name(id=function)):
                return self.functions[function](node.args)
            case ast.Constant(value=bool() as value):
                return _Term("TRUE" if value else "FALSE", "boolean")
            case ast.Constant(value=int() | float() as value):
                return _Term(repr(float(value)), "number")
            case ast.Constant(value=str() as value):
                return _Term(quote_text(value.lower()), "text")
        return self.column(ast.unparse(node))

    def arithmetic(self, node: ast.BinOp) -> _Term:
        match node:
            case ast.BinOp(op=ast.Div()):
                return _Term(f"({self.plain(node.left).text} / NULLIF({self.plain(node.right).text}, 0))", "number")
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int() | float() as power)):
                base = self.plain(node.left).text
                held = base if power == int(power) else f"(CASE WHEN {base} >= 0 THEN {base} END)"
                return _Term(f"POWER({held}, {float(power)!r})", "number")
            case ast.BinOp(op=ast.Sub()) if self.is_date(node.left):
                left, right = (self.of_kind(self.term(side), "date").text for side in (node.left, node.right))
                return _Term(f"({left} - {right})", "span of days")
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                left, right = self.plain(node.left).text, self.plain(node.right).text
                return _Term(f"({left} {_ARITHMETIC[type(node.op)]} {right})", "number")
        return self.column(ast.unparse(node))

    def comparison(self, node: ast.Compare) -> _Term:
        left, right = self.term(node.left), self.term(node.comparators[0])
        if left.kind != right.kind or left.kind not in {"number", "text", "date"}:
            raise UntranslatableError(f"a {left.kind} is compared with a {right.kind}")
        if left.kind == "text" and not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            raise UntranslatableError("the order of words differs from engine to engine")
        return _Term(f"({left.text} {_COMPARISONS[type(node.ops[0])]} {right.text})", "boolean")

    def column(self, name: str) -> _Term:
        if name == "as_of" and self.as_of is not None:
            return _Term(f"DATE '{self.as_of.isoformat()}'", "date")
        if name not in self.columns:
            raise UntranslatableError(f"{name} is no column of the customer table")
        held, place = self.columns[name], f"c.{quote_name(name)}"
        words = f"TRIM(CAST({place} AS VARCHAR))"
        if held.type == "number":
            low, high = held.plausible
            value = f"CAST({place} AS DOUBLE PRECISION)"
            tests = [f"{value} >= {low!r}"] * (low is not None) + [f"{value} <= {high!r}"] * (high is not None)
            text = f"(CASE WHEN {' AND '.join(tests)} THEN {value} END)" if tests else value
            return self.of_kind(_Term(text, "number" if not held.merge else "merged number"), "number")
        if held.type == "boolean":
            return self.answers(name, "TRUE", "FALSE", "boolean")
        if held.type == "date":
            return _Term(f"CAST({place} AS DATE)", "date")
        if held.type == "category":
            # Spellings that differ by capitals and spaces are one answer, in the study as here.
            cases = " ".join(f"WHEN {quote_text(k)} THEN {quote_text(v)}" for k, v in held.merge.items())
            return _Term(f"LOWER(CASE {words} {cases} ELSE {words} END)" if cases else f"LOWER({words})", "text")
        raise UntranslatableError(f"a {held.type} takes part in a formula")

    def answers(self, name: str, yes: str, no: str, kind: str) -> _Term:
        word = f"LOWER(TRIM(CAST(c.{quote_name(name)} AS VARCHAR)))"
        true, false = (", ".join(map(quote_text, words)) for words in (TRUE, FALSE))
        return _Term(f"(CASE WHEN {word} IN ({true}) THEN {yes} WHEN {word} IN ({false}) THEN {no} END)", kind)

    def is_date(self, node: ast.expr) -> bool:
        name = ast.unparse(node)
        return name == "as_of" or (name in self.columns and self.columns[name].type == "date")

    def guarded(self, args: list[ast.expr], test: str, call: str) -> _Term:
        value = self.only(args).text
        return _Term(f"(CASE WHEN {value} {test} THEN {call.format(value)} END)", "number")

    def extreme(self, args: list[ast.expr], test: str) -> _Term:
        """Write out a minimum or maximum, because LEAST and GREATEST ignore missing values."""
        if not args:
            raise UntranslatableError("a function has no argument")
        first, *others = (self.plain(arg).text for arg in args)
        for other in others:
            first = f"(CASE WHEN {first} {test} {other} THEN {first} WHEN NOT {first} {test} {other} THEN {other} END)"
        return _Term(first, "number")

    def where(self, args: list[ast.expr]) -> _Term:
        if len(args) != 3:
            raise UntranslatableError("where has another number of arguments")
        test = self.of_kind(self.term(args[0]), "boolean").text
        then, otherwise = self.plain(args[1]).text, self.plain(args[2]).text
        return _Term(f"(CASE WHEN {test} THEN {then} WHEN NOT {test} THEN {otherwise} END)", "number")

    def is_in(self, args: list[ast.expr]) -> _Term:
        value, *choices = (self.of_kind(self.term(arg), "text", "number") for arg in args)
        if not choices or any(choice.kind != value.kind for choice in choices):
            raise UntranslatableError("the choices are of another kind than the column")
        return _Term(f"({value.text} IN ({', '.join(choice.text for choice in choices)}))", "boolean")

    def year(self, args: list[ast.expr]) -> _Term:
        date = self.of_kind(self.term(args[0]), "date").text
        return _Term(f"CAST(EXTRACT(YEAR FROM {date}) AS DOUBLE PRECISION)", "number")

    def days(self, args: list[ast.expr]) -> _Term:
        span = self.of_kind(self.term(args[0]), "span of days").text
        return _Term(f"CAST({span} AS DOUBLE PRECISION)", "number")
