"""Exports of shops, payment services and survey tools that are known by their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from analysis.base.yamls import read_yaml

_FILE = Path(__file__).with_suffix(".yml")


@dataclass(frozen=True, slots=True)
class Export:
    """A known export, with the names that a file gives its columns.

    Attributes
    ----------
    name : str
    kind : str
    key, value : str, optional
    columns : mapping of part to column
        Of transactions and events.
    roles : mapping of column to role
    units, types : mapping of column to str
    leave_out : mapping of column to tuple of str
        Values whose rows stand for no order or answer.
    """

    name: str
    kind: str
    key: str | None = None
    value: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    leave_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def decided(self) -> dict[str, tuple[str, str]]:
        """Return role and reason of the columns that are known; others are inferred."""
        why = f"known from {self.name}"
        decided = {column: (role, why) for column, role in self.roles.items()}
        decided |= {self.columns[part]: (part, why) for part in ("customer", "date", "amount") if part in self.columns}
        return decided | ({self.key: ("key", why)} if self.key else {})

    def amount(self) -> str | None:
        """Return the column of the amount, or the name of the one that is computed from price and quantity."""
        if "price" in self.columns and "quantity" in self.columns:
            return f"{self.columns['price']} × {self.columns['quantity']}"
        return self.columns.get("amount")


def find_export(names: Iterable[str]) -> Export | None:
    """Find the export that a file with these columns is.

    Examples
    --------
    >>> find_export(["Response ID", "Date submitted", "Last page", "Start language", "Q1"]).name
    'LimeSurvey answers'
    >>> find_export(["Email", "Total"]) is None
    True
    """
    there = {_plain(name): name for name in names}
    for known in _known():
        if all(_plain(name) in there for name in known["has"]):
            return _fill(known, there)
    return None


@cache
def _known() -> tuple[dict[str, Any], ...]:
    return tuple(read_yaml(_FILE.read_text(encoding="utf-8")))


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _fill(known: Mapping[str, Any], there: Mapping[str, str]) -> Export:
    """Put the names of the file in the place of those that are known; what it does not have is passed over."""
    source = known["is"]

    def own(name: str | list[str] | None) -> str | None:
        names = [name] if isinstance(name, str) else name or []
        return next((there[_plain(each)] for each in names if _plain(each) in there), None)

    def of(part: str) -> dict[str, Any]:
        return {column: value for name, value in source.get(part, {}).items() if (column := own(name))}

    roles = {column: role for role, names in source.get("roles", {}).items() for name in names if (column := own(name))}
    columns = {part: column for part, name in source.get("columns", {}).items() if (column := own(name))}
    left_out = {column: tuple(values) for column, values in of("leave_out").items()}
    return Export(
        known["name"], source["kind"], own(source.get("key")), own(known.get("value")), columns, roles, of("units"),
        of("types"), left_out,
    )  # fmt: skip
