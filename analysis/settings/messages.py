"""Messages about invalid settings: place, value, expectation and suggestion."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from analysis.base.errors import did_you_mean, listed
from analysis.settings.models import (
    CardChoices,
    Feature,
    HistoryChoices,
    NameRule,
    ProofChoices,
    Reduce,
    Study,
    TargetingChoices,
)
from analysis.settings.sources import Roles, RowColumns, Source


def as_lines(where: str, problems: list[str]) -> str:
    """Join the problems that fit in five lines, and count the others."""
    lines: list[str] = []
    for i, problem in enumerate(problems):
        new = f"{where}, {problem}".split("\n")
        left = len(problems) - i
        if lines and len(lines) + len(new) > (5 if left == 1 else 4):
            return "\n".join([*lines, f"({left} more problem{'s' if left > 1 else ''})"])
        lines += new
    return "\n".join(lines)


def explain_problems(problems: list[Any]) -> list[str]:
    """Return one text for each setting; alternatives of its type are joined."""
    wrong_lists = {p["loc"] for p in problems if p["type"] == "too_short" and p["input"]}
    by_place: dict[str, list[Any]] = {}
    for problem in problems:
        # pydantic also reports a list with an invalid item as too short.
        if problem["loc"] not in wrong_lists:
            by_place.setdefault(_place(problem["loc"]), []).append(problem)
    return [_explain(place, problems) for place, problems in by_place.items()]


def _place(location: tuple[Any, ...]) -> str:
    place = "segmentation"
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif not (part.startswith("literal[") or part in {"int", "date", "constrained-str", "str"}):
            place += f".{part}"
    return place


def _explain(place: str, problems: list[Any]) -> str:
    problem = problems[0]
    kind, value = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        name = str(problem["loc"][-1])
        known = _fields_at(problem["loc"][:-1])
        hint = did_you_mean(name, known)
        return f"{place}: unknown setting '{name}'.\n  Valid here: {listed(known, 60)}.  {hint}".rstrip()
    choices = [p["ctx"]["expected"] for p in problems[::-1] if p["type"] == "literal_error"]
    if choices:
        choices += ["a date such as 2014-06-29" for p in problems if p["type"].startswith("date_")]
        return f"{place}: {value!r} is not a valid choice.\n  Valid: {' or '.join(choices)}."
    if kind == "missing":
        return f"{place}: this setting is required."
    if kind == "value_error":
        return f"{place}: {problem['msg'].removeprefix('Value error, ').rstrip('.')}."
    expected = " or ".join(
        _EXPECTED[p["type"]].format(**p.get("ctx", {})) if p["type"] in _EXPECTED else p["msg"] for p in problems
    )
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    return f"{place}: {shown[:60]} is not valid; expected {expected}."


_EXPECTED = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "a number under {lt}",
    "less_than_equal": "{le} or less",
    "tuple_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "a block of 'key: value' lines",
    "model_type": "a block of 'key: value' lines",
    "invalid_key": "a name in letters",
}
"""Expected value by type of error, in the terms of the settings file."""


def _fields_at(location: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Study
    for part in location:
        model = {
            "sources": Source,
            "features": Feature,
            "roles": Roles,
            "columns": RowColumns,
            "reduce": Reduce,
            "proof": ProofChoices,
            "card": CardChoices,
            "history": HistoryChoices,
            "names": NameRule,
            "targeting": TargetingChoices,
        }.get(str(part), model)
    return list(model.model_fields)
