"""Tables that Spark knows by name: those of its catalog, and Delta tables in folders."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.base.errors import InputError, place_of
from analysis.sources.locate import DELTA_LOG, TABLE, is_delta
from analysis.sources.readers.delimited import first_line
from analysis.sources.readers.stores import has_folder, is_stored

_FOLDER = re.compile(r"delta\.`(.+)`", re.IGNORECASE | re.DOTALL)
_OPEN_SESSION: ContextVar[Callable[[], Any] | None] = ContextVar("open_session", default=None)


@contextmanager
def read_tables_by(open_session: Callable[[], Any] | None) -> Iterator[None]:
    """Let sources in the block be read by a Spark session, which is opened once one needs it; by none where absent."""
    before = _OPEN_SESSION.set(open_session)
    try:
        yield
    finally:
        _OPEN_SESSION.reset(before)


def find_table(address: str, root: Path) -> str | None:
    """Return Spark's name of a table at an address; None where that is no table of Spark.

    Examples
    --------
    >>> find_table("table:main.shop.orders", Path())
    'main.shop.orders'
    >>> find_table("data/orders.csv", Path())
    """
    if address.startswith(TABLE):
        return address.removeprefix(TABLE).strip()
    if is_stored(address):
        folder = address.rstrip("/")
        # What is called like a file, or is a pattern, is no folder to ask for.
        is_file = re.search(r"[*?\[]|\.\w+$", folder.rpartition("/")[2])
        return f"delta.`{folder}`" if not is_file and has_folder(f"{folder}/{DELTA_LOG}") else None
    if "://" in address:
        return None
    place = (root / Path(address).expanduser()).absolute()
    return f"delta.`{place}`" if is_delta(place) else None


def show_table(name: str) -> str:
    """Return the last part of the name of a table, fit for a public page.

    >>> show_table("main.shop.orders"), show_table("delta.`/lake/orders`")
    ('orders', 'orders')
    """
    quoted = re.search(r"`([^`]+)`$", name)
    return (Path(quoted[1]).name if quoted else name.rsplit(".", 1)[-1]) or "table"


def open_table(name: str, setting: str) -> Any:
    """Open a table by its name.

    Returns
    -------
    PySpark DataFrame

    Raises
    ------
    InputError
        The engine is another one than Spark, or Spark does not find the table.
    """
    where, open_session = f"{place_of(setting)}: {name}", _OPEN_SESSION.get()
    if open_session is None:
        raise InputError(
            f"{where} is a table of Spark.",
            "Expected the engine spark, which reads tables of its catalog and Delta tables.",
            "Set engine: spark, add --engine spark, or export the table as Parquet.",
        )
    session = open_session()
    try:
        frame = select_table(session, name)
        # A session of Spark Connect looks a table up only once its columns are asked for.
        _ = frame.schema
    except Exception as error:
        # Spark raises errors of several kinds here, some of them Java's.
        if "DATA_SOURCE_NOT_FOUND" in str(error):
            raise InputError(
                f"{where}: this Spark has no package for Delta tables.",
                "Expected the package io.delta:delta-spark of the same version of Spark and Scala.",
                "Give it to Spark: spark-submit --packages io.delta:delta-spark_2.13:<version>",
            ) from None
        if not type(error).__module__.startswith(("pyspark.", "py4j.")):
            raise
        raise InputError(
            f"{where} cannot be opened: {first_line(error)}",
            "Expected a table that this session of Spark sees, such as catalog.schema.table.",
            "Check the name, and what the session may read: SHOW TABLES",
        ) from None
    return frame


def select_table(session: Any, name: str) -> Any:
    """Return a table of a session; one of the form delta.`folder` is read from its folder."""
    found = _FOLDER.fullmatch(name)
    return session.read.format("delta").load(name_for_spark(session, found[1])) if found else session.table(name)


def name_for_spark(session: Any, place: str) -> str:
    """Write an address as Spark's file systems call it: s3a for s3, unless s3 has one of its own."""
    if place.startswith("s3://") and not session.conf.get("spark.hadoop.fs.s3.impl", ""):
        return f"s3a{place[2:]}"
    return f"gs{place[3:]}" if place.startswith("gcs://") else place


def fetch_rows(frame: Any) -> pa.Table:
    """Fetch the rows of a PySpark DataFrame, moments by the clock of UTC."""
    table = frame.toArrow()
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            moments = table.column(at).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
            table = table.set_column(at, field.name, moments)
    return table


def measure_table(frame: Any, columns: Sequence[str]) -> tuple[int, str]:
    """Count the rows of a PySpark DataFrame, and give a digest of what some columns hold, whatever the order."""
    from pyspark.sql import functions as F  # noqa: N812

    hashed = F.xxhash64(*(F.col(f"`{column}`") for column in columns)).cast("decimal(38,0)")
    (row,) = frame.agg(F.count(F.lit(1)).alias("n"), F.sum(hashed).alias("digest")).collect()
    about = f"{row['n']} {row['digest']} {[item for item in frame.dtypes if item[0] in columns]}"
    return int(row["n"]), hashlib.sha256(about.encode()).hexdigest()
