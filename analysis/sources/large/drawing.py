"""Customers who are too many for memory: a seeded sample of them is read, and all stay where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.base.errors import place_of
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.large.scans import (
    CHANGING,
    Scan,
    digest_files,
    explain_parts,
    keeps_types,
    open_parquet,
    take_sample,
    with_values,
)
from analysis.sources.readers.catalogs import fetch_rows, find_table, measure_table, open_table, show_table
from analysis.sources.readers.delimited import Reading
from analysis.sources.readers.stores import explain_store
from analysis.sources.tables import LoadedTable, RawTable, type_table

DRAWN_AT_ONCE = 250_000
"""Rows of which customers are drawn at once. Chosen for this project."""
DIGITS = 8
"""Hexadecimal digits of the digest by which an engine draws customers."""


@dataclass(frozen=True, slots=True)
class Population:
    """All customers, where a table holds a seeded sample of them.

    Attributes
    ----------
    rows : Scan or PySpark DataFrame
        One row each, as an engine takes them.
    key : str
        Column that names the customer.
    columns : tuple of str
    n : int
    """

    rows: Any
    key: str
    columns: tuple[str, ...]
    n: int


def draw_customers(address: str | Path, root: Path, source: Source, setting: str, study: Study) -> RawTable | None:
    """Take a seeded sample of a large table of customers; None where it has to be read whole.

    That is so for at most ``in_memory`` rows, other formats than Parquet and tables of Spark, a table without a key or
    with survey weights, settings that change rows or columns, and columns that the source does not hold as what they
    are read as. A customer is in the sample by the digest of the key, so that most who are in it stay in it when others
    come.

    Parameters
    ----------
    address, root, source, setting
        As for `analysis.sources.large.scans.scan_source`.
    study : Study
        Uses ``in_memory`` and ``seed``.

    Returns
    -------
    RawTable
        Its rows are the sample, and ``population`` leads to all.

    Raises
    ------
    InputError
        No such file or table.
    """
    changed = any(getattr(source, name) for name in ("types", *CHANGING)) or source.repeats != "refuse"
    if source.kind != "customers" or source.key is None or source.weight or changed:
        return None
    if name := find_table(str(address), root):
        found = _draw_from_table(name, source.key, setting, study)
    else:
        found = _draw_from_files(address, root, source.key, setting, study)
    if found is None:
        return None
    loaded, scan, n = found
    raw = type_table(loaded, reading=Reading(dates=source.dates, decimal=source.decimal, setting=setting))
    if not keeps_types(raw, loaded.table, source):
        return None
    return replace(raw, population=Population(scan, source.key, tuple(loaded.table.column_names), n))


def _draw_from_files(
    address: str | Path, root: Path, key: str, setting: str, study: Study
) -> tuple[LoadedTable, Scan, int] | None:
    """Draw from Parquet files, part by part; the sample, all of them for an engine, and the number of customers."""
    found = open_parquet(address, root, setting, study.in_memory + 1)
    if found is None or key not in found[1][0].schema_arrow.names:
        return None
    files, opened, n_rows = found
    drawn: list[pa.Table] = []
    n = 0
    with explain_store(f"{place_of(setting)}: {files.shown}"):
        for place, file in zip(files.places, opened, strict=True):
            for batch in file.iter_batches(DRAWN_AT_ONCE):
                known, chosen = _draw(batch.column(key), study.in_memory / n_rows, study.seed)
                n += known
                rows = pa.Table.from_batches([batch]).filter(chosen)
                drawn.append(with_values(rows, files.partition_of(place)))
        digest = digest_files(files, opened)
    loaded = LoadedTable(files.shown, pa.concat_tables(drawn), explain_parts(opened), digest)
    return loaded, Scan(files.places, files.folder, files.shown), n


def _draw_from_table(name: str, key: str, setting: str, study: Study) -> tuple[LoadedTable, Scan, int] | None:
    """Draw from a table of Spark in the same way."""
    frame = open_table(name, setting)
    if key not in frame.columns:
        return None
    n_rows, digest = measure_table(frame, [column for column, kind in frame.dtypes if "map<" not in kind])
    if n_rows <= study.in_memory:
        return None
    from pyspark.sql import functions as F  # noqa: N812

    text = F.trim(F.col(f"`{key}`").cast("string"))
    keyed = frame.where(text != F.lit(""))
    sample = keyed.where(in_sample(F, text, study.in_memory / n_rows, study.seed))
    shown = show_table(name)
    loaded = LoadedTable(shown, fetch_rows(sample), ("table of Spark",), digest)
    return loaded, Scan((), "", shown, table=name), keyed.count()


def in_sample(F: Any, key: Any, share: float, seed: int) -> Any:  # noqa: N803
    """Whether a customer is in the sample, as an engine tells it from the key as text.

    Parameters
    ----------
    F : module
        Functions of the engine.
    key : Column of the engine
    share : float
        Of the customers; below 1.
    seed : int
    """
    digest = F.substring(F.md5(F.concat(F.lit(str(seed)), key)), 1, DIGITS)
    return digest < F.lit(format(int(share * 16**DIGITS), f"0{DIGITS}x"))


def load_sample(address: str | Path, root: Path, setting: str, most: int) -> LoadedTable | None:
    """Take rows of a Parquet table of more than ``most`` rows that show what it holds; None for any other.

    Raises
    ------
    InputError
        No such file.
    """
    found = open_parquet(address, root, setting, most + 1)
    if found is None:
        return None
    files, opened, n_rows = found
    with explain_store(f"{place_of(setting)}: {files.shown}"):
        rows = take_sample(opened, [files.partition_of(place) for place in files.places], n_rows)
    return LoadedTable(files.shown, rows, (), files.shown)


def _draw(keys: pa.Array, share: float, seed: int) -> tuple[int, pa.Array]:
    """Count the keys, and tell which customers are in the sample."""
    texts: Any = pc.call_function("utf8_trim_whitespace", [keys.cast(pa.string())]).to_pandas()
    known = (texts.notna() & ~texts.isin(["", "nan"] if pa.types.is_floating(keys.type) else [""])).to_numpy()
    digests = pd.util.hash_array(texts.to_numpy(object), hash_key=f"{seed:016d}"[-16:], categorize=False)
    return int(known.sum()), pa.array((digests < np.uint64(share * 2**64)) & known)
