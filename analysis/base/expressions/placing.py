"""The rule by nearest centres as SQL: in the file that is published, and where an engine places all customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol


class Step(Protocol):
    """How a feature is scaled."""

    @property
    def log(self) -> bool: ...
    @property
    def unit(self) -> float: ...
    @property
    def limits(self) -> tuple[float, float] | None: ...
    @property
    def centre(self) -> float: ...
    @property
    def scale(self) -> float: ...


class Centres(Protocol):
    """The nearest of k centres."""

    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def axes(self) -> Sequence[Sequence[float]] | None: ...
    @property
    def centres(self) -> Sequence[Sequence[float]]: ...


Line = tuple[str, str]
"""A column in SQL, and a comment on it; empty for none."""


def fill_features(
    key: str, more: Sequence[Line], features: Sequence[Line], fills: Sequence[float], where: str = ""
) -> Iterator[str]:
    """Take the features out of the table ``customers``, called ``c``, as x1 to xp, and fill missing values.

    Parameters
    ----------
    key : str
        The customer, in SQL.
    more : sequence of (str, str)
        Further columns, each with its name, that the later steps hand on.
    features : sequence of (str, str), length p
        Without names.
    fills : sequence of float, length p
    where : str
        Condition on the rows that count, in SQL; empty for all.

    Yields
    ------
    str
        Lines of a query that is not closed yet.
    """
    named = [(f"{sql} AS x{i}", about) for i, (sql, about) in enumerate(features, start=1)]
    yield "WITH features AS ("
    yield f"  SELECT {key} AS customer_key,"
    yield from list_columns([*more, *named])
    yield '  FROM "customers" AS c' + (f" WHERE {where}" if where else "")
    yield "), filled AS ("
    yield f"  SELECT {_keep(more)}"
    yield from list_columns([(f"COALESCE(x{i}, {fill!r}) AS x{i}", "") for i, fill in enumerate(fills, start=1)])
    yield "  FROM features"


def find_nearest(centres: Centres, more: Sequence[Line], distances: bool = False) -> Iterator[str]:
    """Scale the features, and take the nearest centre of each customer as ``segment`` of the table ``placed``.

    Parameters
    ----------
    centres : Centres
    more : sequence of (str, str)
        As for `fill_features`.
    distances : bool
        Whether squared distances stay as columns d1 to dk.

    Yields
    ------
    str
        Lines that follow those of `fill_features`.
    """
    kept, ids = _keep(more), range(1, len(centres.centres) + 1)
    yield "), scaled AS ("
    yield f"  SELECT {kept}"
    yield from list_columns(
        [(f"{_scaled(step, f'x{i}')} AS x{i}", "") for i, step in enumerate(centres.steps, start=1)]
    )
    yield "  FROM filled"
    if centres.axes is not None:
        yield "), projected AS ("
        yield f"  SELECT {kept}"
        sums = [
            " + ".join(f"x{i} * ({weight!r})" for i, weight in enumerate(column, start=1))
            for column in zip(*centres.axes, strict=True)
        ]
        yield from list_columns([(f"{total} AS x{j}", "") for j, total in enumerate(sums, start=1)])
        yield "  FROM scaled"
    yield "), distances AS ("
    yield f"  SELECT {kept}"
    squares = [
        " + ".join(f"(x{i} - ({x!r})) * (x{i} - ({x!r}))" for i, x in enumerate(centre, start=1))
        for centre in centres.centres
    ]
    yield from list_columns([(f"{total} AS d{s}", "") for s, total in enumerate(squares, start=1)])
    yield "  FROM scaled" if centres.axes is None else "  FROM projected"
    yield "), placed AS ("
    yield f"  SELECT {kept}"
    if distances:
        yield f"    {', '.join(f'd{s}' for s in ids)},"
    if len(ids) == 1:
        yield "    1 AS segment"
    else:
        yield "    CASE"
        for s in ids:
            yield f"      WHEN {' AND '.join(f'd{s} <= d{other}' for other in ids if other != s)} THEN {s}"
        yield "    END AS segment"
    yield "  FROM distances"
    yield ")"


def list_columns(lines: Sequence[Line]) -> Iterator[str]:
    """Write columns with commas between them, and what each is about."""
    for i, (text, about) in enumerate(lines):
        yield f"    {text}" + "," * (i + 1 < len(lines)) + (f" -- {about}" if about else "")


def name_of(line: Line) -> str:
    """Return the name of a column.

    >>> name_of(('c."spend" AS cut_by', ""))
    'cut_by'
    """
    return line[0].rpartition(" AS ")[2]


def tier_case(cuts: Mapping[int, float], words: tuple[str, str], missing: str) -> Iterator[str]:
    """Write the half of each customer by the columns ``segment`` and ``cut_by``, as a column without a name.

    Parameters
    ----------
    cuts : mapping of int to float
        Of each segment that is cut.
    words : tuple of str
        The halves up to the cut and above it, quoted.
    missing : str
        That of customers without a value, quoted.
    """
    yield "CASE"
    for segment, cut in cuts.items():
        yield f"  WHEN segment = {segment} AND cut_by IS NULL THEN {missing}"
        yield f"  WHEN segment = {segment} AND cut_by <= {cut!r} THEN {words[0]}"
        yield f"  WHEN segment = {segment} THEN {words[1]}"
    yield "  ELSE NULL"
    yield "END"


def _keep(more: Sequence[Line]) -> str:
    """Columns that each step hands on to the next."""
    return " ".join(f"{name}," for name in ("customer_key", *map(name_of, more)))


def _scaled(step: Step, x: str) -> str:
    value = f"LN(1 + (CASE WHEN {x} > 0 THEN {x} ELSE 0 END) / {step.unit!r})" if step.log else x
    if step.limits is not None:
        low, high = step.limits
        value = f"(CASE WHEN {value} < {low!r} THEN {low!r} WHEN {value} > {high!r} THEN {high!r} ELSE {value} END)"
    return f"({value} - ({step.centre!r})) / {step.scale!r}"
