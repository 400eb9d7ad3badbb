"""Rows that stand for no customer, and questions that the values of an unknown table leave open."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.sources.tables import RawTable


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading of a table, and the lines of YAML that choose it."""

    reading: str
    yaml: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the values leave open, in one sentence, and the readings that fit them."""

    what: str
    readings: tuple[Choice, ...]


def find_rows_to_leave_out(raw: RawTable) -> dict[str, tuple[str, ...]]:
    """Find the values by column whose rows stand for no customer."""
    return {}


def find_questions(raw: RawTable) -> tuple[Question, ...]:
    """Find what the values of a table leave open."""
    return ()
