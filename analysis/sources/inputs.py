"""All tables of a study as they were read, and the settings that they complete."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.salt import keyed_digest
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.columns import Column
from analysis.sources.dates import DateOrder
from analysis.sources.draft import (
    as_yaml,
    complete_study,
    explain_columns,
    explain_rows,
    is_known,
)
from analysis.sources.keys import align_keys, key_of, settle_repeats, write_keys
from analysis.sources.large import scans
from analysis.sources.large.drawing import draw_customers, load_sample
from analysis.sources.large.plain import convert_plain
from analysis.sources.locate import Location
from analysis.sources.readers.delimited import Reading
from analysis.sources.synthetic.retailer import is_retailer
from analysis.sources.synthetic.twin import is_twin
from analysis.sources.tables import Known, LoadedTable, RawTable, read_table, type_table
from analysis.sources.unknown.readings import read_unknown

ABOUT = frozenset(("title", "subtitle", "names", "card", "history", "assumptions", "variables", "consent", "suppress"))
"""Settings that no stage reads which computes customers, features, segments or assignment."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Tables as read, before anything is joined.

    Attributes
    ----------
    tables : tuple of RawTable
        In the order of ``study.sources``.
    notes : tuple of tuple of str
        How the rows of each table are read, where the settings do not say so.
    reasons : dict of str to str
        Why a column has its role, by column, where that was inferred.
    draft : str
        Settings drafted for a table that has none, as YAML; else empty.
    synthetic : bool
        Whether the customers are made up.
    until : date, optional
        Last day that is looked at. Customers who had neither bought nor visited by then take no part.
    fewest : int
        Customers that must be known by then.
    """

    tables: tuple[RawTable, ...]
    notes: tuple[tuple[str, ...], ...] = ()
    reasons: dict[str, str] | None = None
    draft: str = ""
    synthetic: bool = False
    until: dt.date | None = None
    fewest: int = 0

    def sealed(self, salt: bytes) -> Inputs:
        """Return the same tables, their digests keyed by a secret: a published one then confirms no guess."""
        tables = tuple(replace(table, sha256=keyed_digest(salt, table.sha256)) for table in self.tables)
        return replace(self, tables=tables)

    def fetched(self, study: Study, folder: Path) -> Inputs:
        """Return the same tables, what is used of large ones in an object store copied to a folder once."""
        tables = list(self.tables)
        for i, (table, source) in enumerate(zip(self.tables, study.sources, strict=True)):
            if table.scan is not None and table.scan.stored:
                scan = table.scan.fetch(source.named_columns(), folder / f"source-{i}.parquet")
                tables[i] = replace(table, scan=scan)
        return replace(self, tables=tuple(tables))

    def mark(self, study: Study) -> str:
        """Return what decides every number up to the assignment of customers: which tables, and the settings they meet.

        It stands for tables of any size in the key of a cached result.
        """
        tables = [(t.name, t.shown_path, t.sha256, t.n_rows, t.scan is None) for t in self.tables]
        return json.dumps([tables, str(self.until), study.model_dump(mode="json", exclude=set(ABOUT))])

    def among(self, keys: pd.Series, study: Study) -> Inputs:
        """Return the rows of some customers alone, in every table that names customers."""
        pairs = zip(self.tables, study.sources, strict=True)
        return replace(self, tables=tuple(_take_rows(table, source, keys) for table, source in pairs))


def read_inputs(
    root: Path,
    study: Study,
    places: Sequence[Location],
    synthetic: bool,
    chosen: bool,
    scan: bool = False,
    folder: Path | None = None,
) -> tuple[Inputs, Study]:
    """Read the tables of a study and complete its settings by what they hold.

    Parameters
    ----------
    root : Path
        Project folder.
    study : Study
    places : sequence of Path or str
        File or address of each source.
    synthetic : bool
        Whether a synthetic study stands in for the data.
    chosen : bool
        Whether the user named another file than the first source of the settings; settings are drafted for one that
        does not fit them.
    scan : bool
        Whether large Parquet sources of transactions may stay in their files.
    folder : Path, optional
        Where large delimited files are turned into Parquet, if these are scanned.

    Returns
    -------
    Inputs
    Study

    Raises
    ------
    InputError
        For a table that cannot be read or does not hold what the settings name.
    """
    place, setting = places[0], "--data" if chosen else "segmentation.sources[0]"
    # Of a large file whose meaning is not known yet, a sample shows it.
    sample = load_sample(_within(place, root), root, setting, study.in_memory) if chosen and scan else None
    read = _choose_reader(study, scan, folder)
    first = type_table(sample) if sample else read(place, root, study.sources[0], setting)
    synthetic = synthetic or (isinstance(place, Path) and _is_synthetic(place, first))
    draft: dict[str, Any] = {}
    if chosen and not is_known(first, study):
        first, study, draft = _draft(place, root, study, sample)
        read = _choose_reader(study, scan, folder)
    tables = [read(place, root, study.sources[0], setting) if sample else first]
    for i, source in enumerate(study.sources[1:], start=1):
        tables.append(read(places[i], root, source, f"segmentation.sources[{i}]"))
    stated = (None,) if draft else study.sources
    study, reasons = complete_study(tables, study)
    places_in_settings = (f"segmentation.sources[{i}]" for i in range(len(tables)))
    tables = [settle_repeats(*each) for each in zip(tables, study.sources, places_in_settings, strict=True)]
    tables = _align(tables, study, root, places)
    notes = tuple(explain_rows(*each) for each in zip(tables, stated, study.sources, strict=True))
    reasons |= explain_columns(first) if draft else {}
    return Inputs(tuple(tables), notes, reasons, as_yaml(draft) if draft else "", synthetic), study


def _draft(
    place: Location, root: Path, study: Study, sample: LoadedTable | None
) -> tuple[RawTable, Study, dict[str, Any]]:
    """Draft the settings of a table that those of the study do not fit: the table, the study and what was drafted."""
    unknown = read_unknown(place, root, "--data", sample)
    unknown.check()
    draft = unknown.draft(_name_in_settings(place, root, unknown.raw))
    kept = study.model_dump(include={"locale", "engine", "memory", "in_memory"})
    study = check_study({**draft, **kept})
    first = multiply_price(unknown.raw, study.sources[0], "--data")
    _check_draft(study, first)
    return first, study, draft


def _choose_reader(study: Study, scan: bool, folder: Path | None) -> Callable[[Location, Path, Source, str], RawTable]:
    """Choose how the sources of a study are read."""
    return partial(_read_large, study=study, folder=folder) if scan else read_source


def _read_large(
    place: Location, root: Path, source: Source, setting: str, study: Study, folder: Path | None
) -> RawTable:
    """Leave the rows of large transactions in their files, take a sample of many customers, and read any other source.

    That is for Parquet, delimited files that can be turned into it, and tables of Spark. Further tables of customers
    are joined to the first, and read whole.
    """
    own: Location = _within(place, root)
    kinds = [each.kind for each in study.sources]
    # Purchases of several sources are counted together, which needs their rows.
    counted = source.kind == "transactions" and kinds.count("transactions") == 1
    drawn = source == next((each for each in study.sources if each.kind == "customers"), None)
    if counted or drawn:
        fewest = scans.SCANNED_ROWS if counted else study.in_memory
        plain = convert_plain(own, root, source, setting, fewest, folder, study.memory) if folder else None
        there = plain.file if plain else own
        if counted:
            found = scans.scan_source(there, root, source, setting)
        else:
            found = draw_customers(there, root, source, setting, study)
        if found is not None:
            return plain.describe(found) if plain else found
    return read_source(place, root, source, setting)


def _align(tables: Sequence[RawTable], study: Study, root: Path, places: Sequence[Location]) -> tuple[RawTable, ...]:
    """Write keys as the base writes them; a source whose keys have to change for it is read whole."""
    aligned = align_keys(tables, study)
    changed = [i for i, (old, new) in enumerate(zip(tables, aligned, strict=True)) if new.scan and new is not old]
    if not changed:
        return aligned
    whole = [
        read_source(places[i], root, study.sources[i], f"segmentation.sources[{i}]") if i in changed else table
        for i, table in enumerate(tables)
    ]
    return align_keys(whole, study)


def look_back(inputs: Inputs, study: Study, day: dt.date, fewest: int) -> tuple[Inputs, Study]:
    """Take inputs and settings back to a day: what became known after it is left out.

    Of a survey that is every answer given later, where it says when answers were given. Of transactions and events it
    is what lies after the settings' date, which is then that day.

    Parameters
    ----------
    inputs : Inputs
    study : Study
    day : date
    fewest : int
        Customers that must be known by then for the later stages to go on.
    """
    tables = tuple(
        _answered_by(table, day) if source.kind == "survey" else table
        for table, source in zip(inputs.tables, study.sources, strict=True)
    )
    return replace(inputs, tables=tables, until=day, fewest=fewest), study.model_copy(update={"as_of": day})


def _take_rows(table: RawTable, source: Source, keys: pd.Series) -> RawTable:
    column = key_of(source)
    if column is None or column not in table.frame.columns:
        return table
    if table.scan is not None:
        return replace(table, scan=table.scan.among(column, keys))
    known = set(keys)
    wanted = {value for value, text in write_keys(table.frame[column]).items() if text in known}
    frame = table.frame[table.frame[column].isin(wanted)]
    return replace(table, frame=frame, n_rows=len(frame), population=None)


def _answered_by(table: RawTable, day: dt.date) -> RawTable:
    dates = table.frame.select_dtypes("datetime")
    if not dates.shape[1]:
        return table
    frame = table.frame[~(dates.max(axis=1) >= pd.Timestamp(day) + pd.Timedelta(days=1))]
    return replace(table, frame=frame, n_rows=len(frame))


def _is_synthetic(place: Path, table: RawTable) -> bool:
    return is_retailer(place.parent) or is_twin(place, table.sha256, tuple(table.frame.columns), table.n_rows)


def _name_in_settings(place: Location, root: Path, table: RawTable) -> str:
    """Name a file by its place in the project; elsewhere by its name alone, which holds on any machine."""
    if isinstance(place, Path) and place.is_relative_to(root):
        return place.relative_to(root).as_posix()
    return f"data/{table.shown_path}"


def _check_draft(study: Study, table: RawTable) -> None:
    source = study.sources[0]
    if source.kind in {"customers", "survey"} and not source.roles.feature:
        types = dict.fromkeys(column.type for column in table.columns)
        raise InputError(
            f"{table.shown_path} has no column that can serve as a feature; it has {listed(types, 6)} columns.",
            "Expected numbers or yes/no answers that vary between rows.",
            "Export such columns, or draft the settings: python -m analysis init",
        )


def read_source(
    path: Location, root: Path, source: Source, setting: str, known: Mapping[str, Known] | None = None, fewest: int = 2
) -> RawTable:
    """Read a file as the settings say; an order of dates that a column cannot have gives way to its evidence.

    ``known`` has types, or numbers of texts, of columns that may be there, and ``fewest`` is the number of rows that
    are enough.
    """
    same = {
        name: getattr(source, name)
        for name in ("types", "decimal", "delimiter", "encoding", "sheet", "query", "leave_out")
    }
    own = _within(path, root)

    def read(dates: DateOrder) -> RawTable:
        reading = Reading(**same, header=source.header, names=source.names, dates=dates, setting=setting)
        return read_table(own, root=root, reading=reading, known=known, fewest=fewest)

    raw = read(source.dates)
    if source.dates == "auto":
        return settle_repeats(multiply_price(raw, source, setting), source, setting)
    by_evidence = read("auto")
    overruled = any(
        by_evidence.column(c.name).type == "date"
        for c in raw.columns
        if c.type == "text" and c.name not in source.types
    )
    return settle_repeats(multiply_price(by_evidence if overruled else raw, source, setting), source, setting)


def _within(place: Location, root: Path) -> Location:
    """Return a path of the project as it is called there."""
    return place.relative_to(root) if isinstance(place, Path) and place.is_relative_to(root) else place


def multiply_price(raw: RawTable, source: Source, setting: str) -> RawTable:
    """Add the amount of each row where the settings name the price of one item and a quantity instead.

    Raises
    ------
    InputError
        Where one of the two is not in the table, or holds no numbers.
    """
    price, quantity, amount = source.columns.price, source.columns.quantity, source.columns.amount
    if price is None or quantity is None or amount is None:
        return raw
    place = "segmentation.sources[0]" if setting == "--data" else setting
    for part, name in (("price", price), ("quantity", quantity)):
        if name not in raw.frame.columns:
            there = list(raw.frame.columns)
            raise InputError(
                f"_quarto.yml, {place}.columns.{part}: column '{name}' is not in {raw.shown_path}.",
                f"Available columns: {listed(there)}.",
                did_you_mean(name, there),
            )
        if raw.column(name).type != "number":
            raise InputError(
                f"_quarto.yml, {place}.columns.{part}: column '{name}' of {raw.shown_path} holds no numbers.",
                f"It was read as {raw.column(name).type}.",
                "Choose another column, or set its type.",
            )
    values = (raw.frame[price].astype("float64") * raw.frame[quantity].astype("float64")).round(6)
    frame = raw.frame.assign(**{amount: values})
    column = Column(amount, "number", f"{price} times {quantity}", int(values.isna().sum()), int(values.nunique()))
    return replace(raw, frame=frame, columns=(*raw.columns, column))
