"""What a user sees of the reading of an unknown table: a table of its columns, and questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.prompt import IntPrompt
from rich.table import Table
from rich.text import Text

from analysis.base.formats import number
from analysis.base.yamls import read_yaml
from analysis.settings.sources import ROW_KINDS
from analysis.sources.unknown.readings import UnknownTable, describe_table

ROLES = {
    "key": "the key",
    "customer": "the customer",
    "date": "the date",
    "amount": "the amount",
    "feature": "a feature",
    "descriptor": "a descriptor",
    "outcome": "an outcome",
    "weight": "the survey weight",
    "ignore": "left out",
}
"""What a column is read as, in words."""


def print_columns(table: UnknownTable, console: Console) -> None:
    """Print how each column was read and why; examples show the form of a value, never the value."""
    reading = describe_table(table)
    shown = Table(title=f"{table.raw.shown_path}: {number(reading['n_rows'])} rows", title_justify="left", box=SIMPLE)
    for name in ("Column", "Form", "Read as", "Why", "To change it"):
        shown.add_column(name, overflow="fold")
    for column in reading["columns"]:
        read_as = ROLES[column["role"]] + (f", {column['unit']}" if column["unit"] else "")
        cells = (column["name"], column["example_form"], read_as, column["why"], _change(column, reading["table"]))
        shown.add_row(*map(Text, cells))
    console.print(shown)
    for line in (*reading["dropped_rows"], *reading["notes"]):
        console.print(Text(f"  {line}"))


def _change(column: dict[str, Any], kind: str) -> str:
    """The lines of YAML that read a column otherwise."""
    if kind in ROW_KINDS:
        return f"columns: {{amount: '{column['name']}'}}" if column["type"] == "number" else ""
    if column["role"] == "weight":
        return "weight: null"
    other = "descriptor" if column["role"] in ("feature", "ignore", "outcome") else "feature"
    return "" if column["role"] == "key" else f"roles: {{{other}: ['{column['name']}']}}"


def ask(table: UnknownTable, choose: Callable[[str, list[str]], int]) -> tuple[UnknownTable, list[dict[str, Any]]]:
    """Ask about what the values leave open.

    Parameters
    ----------
    table : UnknownTable
    choose : callable
        Asks a question and gives the place of the chosen answer.

    Returns
    -------
    UnknownTable
        Without questions.
    list of dict
        Settings of the source that the answers make.
    """
    answers = []
    for question in table.questions:
        chosen = choose(question.what, [choice.reading for choice in question.readings])
        answers.append(read_yaml(question.readings[chosen].yaml))
    return replace(table, questions=()), answers


def choose_reading(question: str, readings: list[str]) -> int:
    """Ask a question on the terminal and return the place of the answer."""
    print(question)
    for i, reading in enumerate(readings, start=1):
        print(f"  {i}. {reading}")
    return IntPrompt.ask("Which is right?", choices=[str(i + 1) for i in range(len(readings))]) - 1


def apply_answers(block: dict[str, Any], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Put answers into drafted settings; where they say what a row is, roles are left to be inferred.

    Examples
    --------
    >>> block = {"sources": [{"path": "a.csv", "roles": {"feature": ["x", "y"]}}]}
    >>> apply_answers(block, [{"roles": {"ignore": ["x"]}}])
    {'sources': [{'path': 'a.csv', 'roles': {'feature': ['y'], 'ignore': ['x']}}]}
    """
    source = dict(block["sources"][0])
    for answer in answers:
        if answer.get("kind", source.get("kind")) != source.get("kind"):
            source = {name: source[name] for name in ("path", "leave_out", "types") if name in source}
        for name, value in answer.items():
            if name == "roles":
                named = {column for columns in value.values() for column in columns}
                kept = {role: [c for c in columns if c not in named] for role, columns in source.get(name, {}).items()}
                value = {role: columns for role, columns in (kept | value).items() if columns}
            elif isinstance(value, dict):
                value = {**source.get(name, {}), **value}
            source[name] = value
    return {**block, "sources": [source, *block["sources"][1:]]}
