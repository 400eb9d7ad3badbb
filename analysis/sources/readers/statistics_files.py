"""Reader of the files of statistics packages: SPSS, Stata and SAS."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.base.errors import InputError
from analysis.sources.names import plain
from analysis.sources.readers.delimited import Reading, first_line

_PACKAGES: tuple[tuple[str, re.Pattern[bytes], str, str], ...] = (
    ("SPSS", re.compile(rb"\$FL[23]"), "z?sav", "read_sav"),
    ("SPSS", re.compile(rb"ASCII SPSS PORT FILE"), "por", "read_por"),
    ("Stata", re.compile(rb"<stata_dta>|[\x69-\x73][\x01\x02]\x01\x00"), "dta", "read_dta"),
    ("SAS", re.compile(rb"HEADER RECORD\*{7}LI"), "xpt|xport", "read_xport"),
    ("SAS", re.compile(rb"\x00{12}\xc2\xea\x81\x60"), "sas7bdat", "read_sas7bdat"),
)
"""Package, how its files begin, the ends of their names, and the function of pyreadstat that reads them."""
SUFFIXES = "|".join(suffixes for _, _, suffixes, _ in _PACKAGES)
"""Ends of the names of these files, as alternatives of a regular expression."""
_NO_ANSWER = re.compile(
    r"(?:no|not) (?:answer|applicable|stated|asked|ascertained)|refus\w*|dont know|do not know|prefer not.*|missing"
    r"|na|n/a|keine (?:angabe|antwort)|weiss nicht|trifft nicht zu|sans reponse|ne sait pas|no contesta|no sabe"
    r"|nao sabe|nao respondeu|non so|non risponde|weet niet|geen antwoord"
)
"""Labels of values that are no answer, without accents and in lower case."""


def find_package(data: bytes, name: str) -> bool:
    """Return whether a statistics package wrote a file.

    >>> find_package(b"$FL2@(#) SPSS DATA FILE", "a.sav"), find_package(b"a,b", "a.csv")
    (True, False)
    """
    return any(True for _ in _matches(data, name))


def read_statistics_file(where: str, data: bytes, reading: Reading) -> tuple[pa.Table, tuple[str, ...]]:
    """Read a file of SPSS, Stata or SAS.

    Values that the file declares missing, or labels as no answer, are missing. Where every other value has a label,
    the labels are the values; a scale of numbers whose ends alone have a label stays one.

    Returns
    -------
    pyarrow.Table
        Labels of columns stand in the metadata of the fields.
    tuple of str
        Notes.

    Raises
    ------
    InputError
        Where the file is damaged or has no columns.
    """
    import pyreadstat

    package, *_, reader = next(_matches(data, where))
    try:
        frame, about = getattr(pyreadstat, reader)(io.BytesIO(data))
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OSError) as error:
        raise InputError(
            f"{where} cannot be read as a file of {package}: {first_line(error)}",
            "Expected a complete file.",
            "Save it again, or export it as CSV.",
        ) from None
    read_by_label = {name: _apply_labels(frame[name], about.variable_value_labels.get(name, {})) for name in frame}
    if not read_by_label:
        raise InputError(f"{where} has no columns.", "Expected a table.", f"Save it again in {package}.")
    columns = pd.DataFrame({name: values for name, (values, _) in read_by_label.items()})
    table = pa.Table.from_pandas(columns, preserve_index=False)
    named = {name: " ".join((label or "").split()) for name, label in about.column_names_to_labels.items()}
    fields = [field.with_metadata({"label": named.get(field.name, "")}) for field in table.schema]
    n_labelled = sum(by_label for _, by_label in read_by_label.values())
    notes = (f"{package} file", *([f"{n_labelled} columns read by the labels of their values"] if n_labelled else []))
    return table.cast(pa.schema(fields)), notes


def _matches(data: bytes, name: str) -> Iterator[tuple[str, re.Pattern[bytes], str, str]]:
    """Yield the packages that the first bytes speak for; a Stata file of an old release needs its name as well."""
    for row in _PACKAGES:
        package, begins, suffixes, _ = row
        named = re.search(rf"\.({suffixes})$", name.lower())
        if begins.match(data) and (package != "Stata" or data.startswith(b"<") or named):
            yield row


def _apply_labels(values: pd.Series, labels: Mapping[Any, str]) -> tuple[pd.Series, bool]:
    """Put labels in the place of values, and say whether that was done."""
    if not labels:
        return values, False
    without = [value for value, label in labels.items() if _NO_ANSWER.fullmatch(plain(str(label).strip().lower()))]
    values = values.mask(values.isin(without))
    present = set(values.dropna().unique())
    known = {value: str(label).strip() for value, label in labels.items() if value not in without}
    if not present or not present <= set(known) or len(set(known.values())) < len(known):
        return values, False
    if pd.api.types.is_numeric_dtype(values.dtype) and all(_is_number(known[value]) for value in present):
        return values, False
    texts = values.map({value: known[value] for value in present}).astype(object)
    return texts.where(texts.notna(), None), True


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
