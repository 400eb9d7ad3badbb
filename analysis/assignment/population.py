"""All customers placed on the engine by the rule as SQL, and counted there: they never come into memory."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyarrow import parquet

from analysis.assignment.model import Name
from analysis.assignment.rules import Centres, Rules, write_sql
from analysis.base.errors import InputError
from analysis.base.expressions.placing import Line, fill_features, find_nearest, list_columns, tier_case
from analysis.base.expressions.sql import quote_name, quote_text
from analysis.base.formats import number
from analysis.clustering.evidence import Evidence
from analysis.clustering.use.tiers import TIER_WORDS, Tiers
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.queries import name_rows, run_query, save_query, write_key_text
from analysis.customers.engines.sessions import engine_for
from analysis.features.build import NOT_KNOWN
from analysis.features.preparation import Features
from analysis.sources.large.drawing import Population
from analysis.sources.locate import files_at

_COLUMN = re.compile(r'\bc\."((?:[^"]|"")*)"')
"""A column of the customer table ``c`` in SQL."""


@dataclass(frozen=True, slots=True)
class Known:
    """The known values of a variable in a group of customers.

    Attributes
    ----------
    n : int
    total, size : float
        Sums of the values, and of what they are without their sign.
    low, high : float
        Smallest and largest; 0 where nothing is known.
    """

    n: int
    total: float
    size: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Counts:
    """All customers by segment.

    Attributes
    ----------
    n : int
    sizes : tuple of int, length k
    numbers : dict of str to tuple of Known, length k
        By variable, as far as SQL has an equal for its formula.
    """

    n: int
    sizes: tuple[int, ...]
    numbers: dict[str, tuple[Known, ...]]


@dataclass(frozen=True, slots=True)
class EngineRule:
    """The rule, as it runs on the engine.

    Attributes
    ----------
    population : Population
    centres : Centres
        k of them.
    features : tuple of (str, float)
        Each feature in SQL, and what stands for a missing value.
    variables : dict of str to str
        Numbers that segments are described by, in SQL.
    halves : str
        What halves are cut by, in SQL; empty without halves.
    tiers : Tiers, optional
    classes : bool
        Whether confidence follows from log probabilities, as for latent classes, or from distances.
    """

    population: Population
    centres: Centres
    features: tuple[tuple[str, float], ...]
    variables: Mapping[str, str]
    halves: str = ""
    tiers: Tiers | None = None
    classes: bool = False

    def count(self) -> Counts:
        """Place all customers and count them by segment.

        Raises
        ------
        InputError
            Where a key stands in several rows.
        """
        with engine_for(None, self.population.rows) as engine:
            key = self._open(engine)
            self._refuse_repeats(engine, key)
            made = ["segment", "COUNT(*) AS n"]
            for i in range(len(self.variables)):
                made += [f"COUNT(v{i}) AS n{i}", f"SUM(v{i}) AS total{i}", f"SUM(ABS(v{i})) AS size{i}"]
                made += [f"MIN(v{i}) AS low{i}", f"MAX(v{i}) AS high{i}"]
            more = [(f"{sql} AS v{i}", "") for i, sql in enumerate(self.variables.values())]
            query = (*self._place(key, more), f"SELECT {', '.join(made)} FROM placed GROUP BY segment")
            found = run_query(engine, "\n".join(query))
        rows = found.set_index("segment").reindex(list(self._ids)).fillna(0.0)

        def of(i: int, segment: int) -> Known:
            n, *sums = (float(rows[f"{part}{i}"][segment]) for part in ("n", "total", "size", "low", "high"))
            return Known(int(n), *sums)

        numbers = {name: tuple(of(i, segment) for segment in self._ids) for i, name in enumerate(self.variables)}
        return Counts(int(rows["n"].sum()), tuple(map(int, rows["n"])), numbers)

    def write_memberships(
        self, place: Path, segments: Sequence[Name], n: int, elsewhere: str | None = None
    ) -> list[Path]:
        """Write who is in which segment, and return the files: one of Parquet, or the parts of Spark's folder.

        The last ones stay until the new ones are whole.

        Parameters
        ----------
        place : Path
        segments : sequence of Name
        n : int
            Customers, as `count` gives.
        elsewhere : str, optional
            Path, address or table of Spark to write to instead. No files are then returned.

        Raises
        ------
        InputError
            Where it cannot be written, or what Spark's executors wrote is not on this machine.
        """
        unfinished = place.with_name(f"{place.name}.part")
        with engine_for(None, self.population.rows) as engine:
            query = "\n".join(self._write(self._open(engine), segments))
            if elsewhere is not None:
                save_query(engine, query, elsewhere)
                _remove(place)
                return []
            _remove(unfinished)
            try:
                save_query(engine, query, unfinished)
                written = sum(parquet.ParquetFile(file).metadata.num_rows for file in files_at(unfinished))
                if written != n:
                    raise InputError(
                        f"Spark wrote {number(written)} of {number(n)} memberships into build/.",
                        "Its executors run on other machines, which have no such folder.",
                        "Set memberships to an address that they reach, or to a table of the catalog.",
                    )
                _remove(place)
                unfinished.replace(place)
            finally:
                _remove(unfinished)
        return files_at(place)

    @property
    def _ids(self) -> range:
        return range(1, len(self.centres.centres) + 1)

    def _open(self, engine: Engine) -> str:
        """Name the table for the engine, and return the key as text, in SQL."""
        key = self.population.key
        kinds = name_rows(engine, self.population.rows, self.population.columns, "customers")
        return write_key_text(f"c.{quote_name(key)}", kinds[key])

    def _refuse_repeats(self, engine: Engine, key: str) -> None:
        query = f"SELECT COUNT({key}) AS n, COUNT(DISTINCT {key}) AS different FROM customers AS c"
        n, different = map(int, run_query(engine, query).iloc[0])
        if n > different:
            raise InputError(
                f"Column '{self.population.key}' repeats a key in {number(n - different)} of {number(n)} rows.",
                "Expected one row for each customer.",
                "Remove the repeated rows. Or set in_memory above the number of rows, and the source's repeats.",
            )

    def _place(self, key: str, more: Sequence[Line], distances: bool = False) -> Iterator[str]:
        """Write the query up to the table ``placed``."""
        features, fills = [(sql, "") for sql, _ in self.features], [fill for _, fill in self.features]
        yield from fill_features(key, more, features, fills, f"{key} IS NOT NULL")
        yield from find_nearest(self.centres, more, distances)

    def _write(self, key: str, segments: Sequence[Name]) -> Iterator[str]:
        """Write the query for the memberships."""
        tiers = self.tiers
        yield from self._place(key, [(f"{self.halves} AS cut_by", "")] if tiers else [], distances=True)
        columns = ["customer_key AS key", "CAST(segment AS BIGINT) AS segment"]
        for part in ("letter", "name", "slug"):
            named = zip(self._ids, segments, strict=True)
            cases = " ".join(f"WHEN {s} THEN {quote_text(getattr(segment, part))}" for s, segment in named)
            columns.append(f"CASE segment {cases} END AS {part}")
        columns.append(f"ROUND({self._rate()}, 3) AS confidence")
        if tiers is not None:
            below, above = map(quote_text, TIER_WORDS[tiers.by])
            cuts = {s: cut for s, cut in zip(self._ids, tiers.cuts, strict=True) if cut is not None}
            halves = tier_case(cuts, (below, above), above if tiers.by == "recency" else below)
            columns.append(f"{' '.join(halves)} AS tier" if cuts else "CAST(NULL AS VARCHAR) AS tier")
        yield "SELECT"
        yield from list_columns([(column, "") for column in columns])
        yield "FROM placed"

    def _rate(self) -> str:
        """Write how sure a segment is, as `analysis.assignment.scoring.rate_confidence` does."""
        if len(self._ids) == 1:
            return "1.0"
        own = _least([f"d{s}" for s in self._ids])
        others = {s: _least([f"d{other}" for other in self._ids if other != s]) for s in self._ids}
        second = f"CASE segment {' '.join(f'WHEN {s} THEN {text}' for s, text in others.items())} END"
        if self.classes:
            return f"1 / (1 + EXP(({own} - {second}) / 2))"
        near, far = f"SQRT({own})", f"SQRT({second})"
        return f"CASE WHEN {near} + {far} > 0 THEN {far} / ({near} + {far}) ELSE 0.5 END"


def _least(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"LEAST({', '.join(columns)})"


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def write_rule(features: Features, evidence: Evidence, rules: Rules, tiers: Tiers | None) -> EngineRule | None:
    """Write the rule for the engine; None where all customers are held.

    Raises
    ------
    InputError
        Where segments are no nearest centres, or need columns that the table of all customers does not have.
    """
    population = features.customers.population
    if population is None:
        return None
    if rules.centres is None or not rules.centres.exact:
        n = number(population.n)
        raise InputError(
            f"{n} customers are more than are held in memory, and SQL cannot place them: their segments are no nearest "
            "centres.",
            "Expected k-means, Ward, k-prototypes or latent classes, and features that are not scaled by minmax.",
            f"Set algorithm: kmeans, or set in_memory to {n} or more where the memory suffices.",
        )
    sql = dict(_write_numbers(features))
    variables = {name: text for name, text in sql.items() if _is_there(text, population)}
    halves = sql[tiers.variable.name] if tiers else ""
    needed = [(name, rules.sql[name]) for name in rules.fills] + ([(tiers.variable.name, halves)] if tiers else [])
    for name, text in needed:
        if not _is_there(text, population):
            raise InputError(
                f"The feature '{name}' cannot be computed where all {number(population.n)} customers are.",
                "Expected a formula that SQL has an equal for, of columns of the source.",
                "Change its formula, leave it out of the features, or raise in_memory where the memory suffices.",
            )
    forming = tuple((rules.sql[name], fill) for name, fill in rules.fills.items())
    classes = evidence.fit.classes is not None
    return EngineRule(population, rules.centres, forming, variables, halves, tiers, classes)


def _write_numbers(features: Features) -> Iterator[tuple[str, str]]:
    """Write each number that describes customers in SQL; what is not known, where it is about one column."""
    customers, variables = features.customers, features.table.variables
    own = {v.name: v for v in variables if not v.categorical and not v.name.endswith(NOT_KNOWN)}
    written = {name: write_sql(v, customers.cleaned, customers.assembled) for name, v in own.items()}
    yield from written.items()
    for variable in variables:
        name = variable.name.removesuffix(NOT_KNOWN)
        if name != variable.name and variable.columns == (name,) and name in written:
            yield variable.name, f"CASE WHEN {written[name]} IS NULL THEN 1 ELSE 0 END"


def _is_there(sql: str, population: Population) -> bool:
    """Return whether the table of all customers has every column that a feature is made of.

    >>> _is_there('COALESCE(CAST(c."clv" AS DOUBLE PRECISION), 0)', Population(None, "id", ("id", "spend"), 9))
    False
    """
    return all(name.replace('""', '"') in population.columns for name in _COLUMN.findall(sql))
