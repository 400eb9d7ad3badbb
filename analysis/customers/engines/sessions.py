"""Sessions of the engines: where they come from, how much memory they use and where they spill."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from analysis.base.errors import InputError, did_you_mean
from analysis.base.memory import count_bytes
from analysis.customers.engines.frames import STORED_ROWS, Engine, EngineName, Holding
from analysis.settings.models import ENGINES
from analysis.sources.readers.catalogs import read_tables_by
from analysis.sources.readers.stores import explain_store

LOG = "spark.log"
"""File that a Spark started here writes its log to."""
PARTITIONS = 16
"""Parts that a Spark session started here splits rows into; its default of 200 is meant for clusters. Chosen for this
project."""
_ONE_SESSION = Lock()


class Execution:
    """Where the rows of a study are aggregated.

    DuckDB is opened for each step. A Spark session is opened by the first step that needs it and shared by the others.

    Parameters
    ----------
    engine : {"duckdb", "spark"}
    memory : str, optional
        Such as ``3GB``: what DuckDB may use, and the driver of a Spark that is started here.
    folder : Path, optional
        For what does not fit into memory, and the log of Spark; a temporary one if absent.
    """

    def __init__(self, engine: str = "duckdb", memory: str | None = None, folder: Path | None = None) -> None:
        self.engine, self.memory, self.folder = engine, memory, folder
        self.holding: Holding | None = None
        self._stack = ExitStack()
        self._spark: Engine | None = None

    def open(self) -> AbstractContextManager[Engine]:
        """Open the engine for one step."""
        if self.engine == "duckdb":
            return open_duckdb(memory_limit=self.memory, folder=self.folder, holding=self.holding)
        if self._spark is None:
            self._spark = self._stack.enter_context(open_spark(self.memory, self.folder))
        return nullcontext(replace(self._spark, holding=self.holding))

    def open_session(self) -> Any:
        """Open the session of Spark that the steps share."""
        with self.open() as engine:
            return engine.session

    def make_folder(self) -> Path:
        """Make a folder for files that no later run needs; it is removed in the end."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=self.folder)))

    def close(self) -> None:
        """Stop what was started, and remove the folders that were made and the table of all customers."""
        self._stack.close()
        if self.holding is not None:
            shutil.rmtree(self.holding.folder, ignore_errors=True)


_EXECUTION: ContextVar[Execution] = ContextVar("execution", default=Execution())  # noqa: B039


@contextmanager
def execute_on(engine: str, memory: str | None = None, folder: Path | None = None) -> Iterator[Execution]:
    """Aggregate, and read tables of Spark, on this engine within the block, wherever no engine is named.

    Parameters
    ----------
    engine, memory, folder
        As for `Execution`; files that an interrupted run left in the folder are removed.
    """
    check_engine(engine)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    execution = Execution(engine, memory, folder)
    before = _EXECUTION.set(execution)
    try:
        with read_tables_by(execution.open_session if engine == "spark" else None):
            yield execution
    finally:
        _EXECUTION.reset(before)
        execution.close()


def engine_for(engine: EngineName | Engine | None, table: Any) -> AbstractContextManager[Engine]:
    """Open the engine of that name, or that of `execute_on`; one that is open already stays open afterwards.

    A PySpark DataFrame brings its own session, whatever the name says.

    Raises
    ------
    InputError
        Unknown name, or Spark cannot be started.
    """
    if isinstance(engine, Engine):
        return nullcontext(engine)
    if type(table).__module__.startswith("pyspark."):
        return nullcontext(_wrap_spark(table.sparkSession))
    if engine is None:
        return _EXECUTION.get().open()
    check_engine(engine)
    return open_duckdb() if engine == "duckdb" else open_spark()


def check_engine(name: str) -> None:
    """Refuse an unknown engine.

    Raises
    ------
    InputError
    """
    if name not in ENGINES:
        raise InputError(f"unknown engine '{name}'.", "Expected duckdb or spark.", did_you_mean(name, ENGINES))


@contextmanager
def open_duckdb(
    threads: int | None = None,
    memory_limit: str | None = None,
    folder: Path | None = None,
    holding: Holding | None = None,
) -> Iterator[Engine]:
    """Open a database in memory that spills into a folder of its own.

    Parameters
    ----------
    threads : int, optional
        All cores if absent.
    memory_limit : str, optional
        Such as ``3GB``; DuckDB's own choice (most of the memory) if absent.
    folder : Path, optional
        Where the folder for spilling is made; it is removed afterwards. That of the system if absent.
    holding : Holding, optional
        How many customers are held in memory.

    Raises
    ------
    RuntimeError
        One is open already: SQLFrame keeps a single session for the whole process.
    InputError
        The memory does not suffice, or an object store no longer answers.
    """
    import duckdb
    from sqlframe.duckdb import DuckDBSession, Window, functions

    if not _ONE_SESSION.acquire(blocking=False):
        raise RuntimeError("a DuckDB engine is open already; hand it on instead of opening another")
    with ExitStack() as stack:
        stack.callback(_ONE_SESSION.release)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        settings: dict[str, Any] = {"temp_directory": stack.enter_context(tempfile.TemporaryDirectory(dir=folder))}
        if threads is not None:
            settings["threads"] = threads
        if memory_limit is not None:
            settings["memory_limit"] = f"{count_bytes(memory_limit)}B"
        connection = duckdb.connect(config=settings)
        connection.execute("SET TimeZone = 'UTC'")
        session = DuckDBSession(conn=connection)
        stack.callback(session.stop)
        try:
            yield Engine("duckdb", session, functions, Window, connection, holding)
        except duckdb.OutOfMemoryException:
            raise InputError(
                f"DuckDB needs more memory than {memory_limit or 'this machine has free'}.",
                "It spills to disk what it can, and the rest did not fit.",
                "Raise 'memory' in the settings, free some disk space, or set engine: spark.",
            ) from None
        except duckdb.Error as error:
            if STORED_ROWS not in str(error):
                raise
            with explain_store("A source in an object store"):
                raise OSError(str(error).rpartition("IOError: ")[2]) from None


@contextmanager
def open_spark(memory: str | None = None, folder: Path | None = None) -> Iterator[Engine]:
    """Use the Spark session of the environment, or start a local one and stop it afterwards.

    The session is, in this order: the active one, as in a notebook; that of the server that SPARK_REMOTE names (Spark
    Connect); that of spark-submit; a local one on all cores. Days are counted in UTC.

    Parameters
    ----------
    memory : str, optional
        Such as ``3GB``, for the driver of a local session.
    folder : Path, optional
        For the log and the files of a local session.

    Raises
    ------
    InputError
        PySpark or Java is not installed, or no session can be started.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise InputError(
                "engine 'spark' needs PySpark, which is not installed.",
                "Expected the package pyspark and Java 17 or newer.",
                "Run: pip install pyspark, or use the engine duckdb.",
            ) from None
        active = SparkSession.getActiveSession()
        session = active if active is not None else _start_spark(SparkSession.builder, memory, folder)
    zone = session.conf.get("spark.sql.session.timeZone")
    session.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        yield _wrap_spark(session)
    finally:
        if active is None:
            session.stop()
        else:
            session.conf.set("spark.sql.session.timeZone", zone)


def _start_spark(builder: Any, memory: str | None, folder: Path | None) -> Any:
    """Start the session that the environment asks for, else a local one."""
    remote = os.environ.get("SPARK_REMOTE")
    if remote:
        return _connect(builder, remote)
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        # spark-submit has started Java and knows the cluster.
        return builder.getOrCreate()
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and Path(home, "bin", "java").is_file())):
        raise InputError(
            "engine 'spark' needs Java, which is not installed.",
            "Expected Java 17 or newer on the PATH or in JAVA_HOME.",
            "Install it, name a server in SPARK_REMOTE, or use the engine duckdb.",
        )
    settings = {
        "spark.log.level": "ERROR",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(PARTITIONS),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    if memory is not None:
        settings["spark.driver.memory"] = f"{count_bytes(memory) // 2**20}m"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        settings["spark.local.dir"] = str(folder.resolve())
    if "PYSPARK_SUBMIT_ARGS" not in os.environ:
        builder = builder.master("local[*]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    log = Path(os.devnull) if folder is None else folder / LOG
    try:
        with _errors_into(log):
            return builder.getOrCreate()
    except Exception as error:
        raise InputError(
            f"Spark cannot be started: {type(error).__name__}.",
            "Expected Java 17 or newer that can start with the memory of the settings.",
            f"Read {log.name if folder else 'what Java says: java -version'}, or use the engine duckdb.",
        ) from None


def _connect(builder: Any, remote: str) -> Any:
    """Connect to a server of Spark Connect."""
    place = remote.split(";")[0]
    try:
        session = builder.remote(remote).getOrCreate()
        session.conf.get("spark.sql.session.timeZone")
    except Exception as error:
        raise InputError(
            f"SPARK_REMOTE={place}: the server does not answer as expected ({type(error).__name__}).",
            "Expected the address of a Spark Connect server, such as sc://localhost:15002, and the packages of "
            "pyspark[connect].",
            "Check the address and that the server runs, or unset SPARK_REMOTE.",
        ) from None
    return session


@contextmanager
def _errors_into(log: Path) -> Iterator[None]:
    """Let processes that are started in the block write their errors to a file."""
    with ExitStack() as stack:
        kept = os.dup(2)
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield


def _wrap_spark(session: Any) -> Engine:
    from pyspark.sql import Window, functions

    return Engine("spark", session, functions, Window)
