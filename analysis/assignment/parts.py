"""Scoring of a large Parquet table part by part, in memory that hardly grows with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
from joblib import delayed
from pyarrow import parquet

from analysis.assignment.model import Model
from analysis.assignment.scoring import Drift, Gaps, explain_gaps, measure_gaps, score
from analysis.base.workers import run_parallel
from analysis.customers.engines.frames import clean_key
from analysis.customers.engines.sessions import open_duckdb
from analysis.sources.large.scans import CHANGING, Scan, open_parquet
from analysis.sources.locate import Location
from analysis.sources.readers.delimited import Reading
from analysis.sources.readers.files import open_parquet_file
from analysis.sources.readers.stores import explain_store
from analysis.sources.tables import Known, LoadedTable, type_table

LARGE_ROWS = 1_000_000
"""Rows from which a table is read in parts. Chosen for this project."""
PART_ROWS = 250_000
"""Rows of a part. Chosen for this project."""
_MEMORY = "1GB"
"""What the search for repeated keys may use."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Parquet files of new customers that are read part by part.

    Attributes
    ----------
    files : tuple of str
        Paths, or addresses in an object store.
    shown : str
        What messages call them.
    columns : tuple of str
        Those that placing needs.
    n_rows : int
    """

    files: tuple[str, ...]
    shown: str
    columns: tuple[str, ...]
    n_rows: int

    def __iter__(self) -> Iterator[pa.Table]:
        for file in self.files:
            with explain_store(f"score: {self.shown}"):
                for batch in open_parquet_file(file).iter_batches(PART_ROWS, columns=list(self.columns)):
                    yield pa.Table.from_batches([batch])


@dataclass(frozen=True, slots=True)
class Scored:
    """What is to be said of customers who were placed.

    Attributes
    ----------
    n : int
        Customers.
    columns : tuple of str
        Those that were written.
    gaps : Gaps
    drift : Drift
    """

    n: int
    columns: tuple[str, ...]
    gaps: Gaps
    drift: Drift

    def joined(self, other: Scored) -> Scored:
        """Return what is to be said of two parts together."""
        gaps, drift = self.gaps.joined(other.gaps), self.drift.joined(other.drift)
        return replace(self, n=self.n + other.n, gaps=gaps, drift=drift)


def find_parts(place: Location, root: Path, model: Model, as_of: dt.date | None) -> Parts | None:
    """Take a large Parquet table of customers as files to be read part by part; None where it has to be read whole.

    That is so where a row depends on others: several sources, features that look back from the newest date, settings
    that leave rows out, a key that repeats, and columns that Parquet does not hold as what they are read as.

    Raises
    ------
    InputError
        No such file.
    """
    source, needed = model.study.sources[0], model.needed()
    alone = len(model.study.sources) == 1 and source.kind == "customers" and source.repeats == "refuse"
    if not alone or source.key is None or any(getattr(source, name) for name in CHANGING):
        return None
    if "as_of" in needed and as_of is None and model.study.as_of is None:
        return None
    found = open_parquet(place, root, "score", LARGE_ROWS)
    if found is None:
        return None
    files, opened, n_rows = found
    schema, wanted = opened[0].schema_arrow, {source.key, *needed} - {"as_of"}
    if any(not _is_stated(schema, name, model.types[0].get(name)) for name in wanted):
        return None
    parts = Parts(files.places, files.shown, tuple(name for name in schema.names if name in wanted), n_rows)
    return None if _repeats(parts, source.key) else parts


def score_parts(
    parts: Parts, model: Model, as_of: dt.date | None, out: Path, tick: Callable[[str], None] = lambda text: None
) -> Scored:
    """Place customers part by part and write each part as it is done; the file appears when all are.

    Parameters
    ----------
    parts : Parts
    model : Model
    as_of : date, optional
        As for :func:`analysis.assignment.scoring.score`.
    out : Path
        CSV or Parquet file.
    tick : callable, optional
        Gets the number of customers placed so far, as text.

    Raises
    ------
    InputError
        Where no column that the segments depend on has a value.
    """
    text = out.suffix.lower() == ".csv"
    jobs = (delayed(_place_part)(part, parts.shown, model, as_of, text, at == 0) for at, part in enumerate(parts))
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.part")
    placed: list[Scored] = []
    try:
        with unfinished.open("wb") as file, ExitStack() as stack:
            writer: parquet.ParquetWriter | None = None
            for written, scored in run_parallel(jobs):
                if isinstance(written, bytes):
                    file.write(written)
                else:
                    writer = writer or stack.enter_context(parquet.ParquetWriter(file, written.schema))
                    writer.write_table(written.cast(writer.schema))
                placed.append(scored)
                tick(f"{sum(each.n for each in placed):,} of {parts.n_rows:,}")
        found = reduce(Scored.joined, placed)
        # Refuses a table without values before the last scores are lost.
        explain_gaps([found.gaps])
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return found


def _place_part(
    part: pa.Table, shown: str, model: Model, as_of: dt.date | None, text: bool, first: bool
) -> tuple[pa.Table | bytes, Scored]:
    """Place the customers of a part; return what is written of them, and what is to be said."""
    source, types = model.study.sources[0], model.types[0]
    reading = Reading(types=source.types, decimal=source.decimal, dates=source.dates, setting="score")
    raw = type_table(LoadedTable(shown, part, (), shown), reading=reading, known=types, fewest=1)
    scores = score([raw], model, as_of)
    said = Scored(len(scores), tuple(map(str, scores)), measure_gaps(raw, model, 0), Drift.of(scores))
    if text:
        return scores.to_csv(index=False, header=first).encode(), said
    return pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata(), said


def _is_stated(schema: pa.Schema, name: str, known: Known | None) -> bool:
    """Return whether Parquet holds a column as what it is read as, so that no other row decides how to read it."""
    if name not in schema.names:
        return False
    stated = schema.field(name).type
    if pa.types.is_dictionary(stated):
        stated = stated.value_type
    if known == "number":
        return pa.types.is_integer(stated) or pa.types.is_floating(stated)
    if known == "boolean":
        return pa.types.is_boolean(stated) or pa.types.is_integer(stated)
    if known == "date":
        return pa.types.is_date(stated) or (pa.types.is_timestamp(stated) and stated.tz is None)
    return pa.types.is_integer(stated) or pa.types.is_string(stated) or pa.types.is_large_string(stated)


def _repeats(parts: Parts, key: str) -> bool:
    """Return whether a key stands in several rows."""
    with open_duckdb(memory_limit=_MEMORY) as engine:
        F = engine.functions  # noqa: N806
        rows = engine.read(Scan(parts.files, "", parts.shown), {"customer": key})
        keys = rows.frame.select(clean_key(F, rows.kinds["customer"], "customer").alias("customer"))
        counts = keys.where(F.col("customer").isNotNull()).groupBy("customer").agg(F.count(F.lit(1)).alias("n"))
        return len(engine.to_pandas(counts.where(F.col("n") > F.lit(1)).limit(1))) > 0
