"""Who may be contacted: consent, and lists of customers who must not be."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.experiments.importers import write_texts
from analysis.settings.models import Study
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import load_table

YES = frozenset(("true", "yes", "y", "1", "t", "ja", "oui", "si", "sí", "opted in", "subscribed", "granted"))
NO = frozenset(("", "false", "no", "n", "0", "f", "nein", "non", "none", "nan", "nat", "<na>"))
"""Values that mean consent, and values that mean no suppression. Any other word gives no consent, and suppresses."""
TEXTS = (".csv", ".txt", ".tsv")
NO_CONSENT, SUPPRESSED = "without consent", "on the suppression list"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Keys of those who gave consent (None where it is not asked for) and of those who are suppressed.

    Suppressed keys are folded by :func:`fold_key`, so that 00123 in a list suppresses 123.
    """

    allowed: frozenset[str] | None = None
    suppressed: frozenset[str] = frozenset()

    def refuse(self, keys: pd.Series) -> pd.Series:
        """Return why each customer must not be contacted; empty text for those who may be."""
        reasons = pd.Series("", index=keys.index, dtype="str")
        if self.allowed is not None:
            reasons = reasons.mask(~keys.isin(self.allowed), NO_CONSENT)
        if self.suppressed:
            reasons = reasons.mask(keys.map(fold_key).isin(self.suppressed), SUPPRESSED)
        return reasons


def fold_key(key: str) -> str:
    """Return a key without spaces around it, zeros at its start and difference of case.

    >>> fold_key(" 00123"), fold_key("k-1"), fold_key("0")
    ('123', 'K-1', '0')
    """
    return str(key).strip().upper().lstrip("0") or "0"


def needs_source(root: Path, study: Study) -> bool:
    """Return whether the settings name a column, which stands in the customer source."""
    return any(place and not (root / place).is_file() for place in (study.consent, study.suppress))


def read_permissions(root: Path, study: Study, source: pd.DataFrame | None, members: Iterable[str]) -> Permissions:
    """Read who may be contacted, as the settings define it.

    Parameters
    ----------
    root : Path
        Project folder.
    study : Study
    source : DataFrame, optional
        The customer source, indexed by key; needed where the settings name a column.
    members : iterable of str
        Keys of the study.

    Raises
    ------
    InputError
        Where the settings name neither a column nor a file, or a file whose keys are of other customers.
    """
    allowed: frozenset[str] | None = None
    suppressed: frozenset[str] = frozenset()
    known = {fold_key(key) for key in members} if study.consent or study.suppress else set[str]()
    if study.consent:
        if (root / study.consent).is_file():
            keys = _read_keys(root, study.consent, "consent", known)
            allowed = frozenset(key for key in map(str, members) if fold_key(key) in keys)
        else:
            values = _column(study.consent, source, "consent")
            # A key that stands in two rows has consent only where both rows say so.
            yes = values.isin(YES).groupby(level=0).all()
            allowed = frozenset(yes.index[yes])
            if not allowed:
                raise InputError(
                    f"_quarto.yml, segmentation.consent: no customer has consent in column '{study.consent}'.",
                    f"Its values: {listed(map(repr, values.unique()), 5)}. Consent is yes, true or 1.",
                    "Name another column, or correct its values.",
                )
    if study.suppress:
        if (root / study.suppress).is_file():
            suppressed = _read_keys(root, study.suppress, "suppress", known)
        else:
            values = _column(study.suppress, source, "suppress")
            suppressed = frozenset(fold_key(key) for key in values.index[~values.isin(NO)])
    return Permissions(allowed, suppressed)


def _column(name: str, source: pd.DataFrame | None, setting: str) -> pd.Series:
    where = f"_quarto.yml, segmentation.{setting}"
    if source is None or name not in source.columns:
        there = [] if source is None else list(map(str, source.columns))
        raise InputError(
            f"{where}: '{name}' is neither a file nor a column of the customer source.",
            f"Columns there: {listed(there)}.",
            did_you_mean(name, there) or "Correct the name, or give a file with the customers' keys.",
        )
    texts = write_texts(source[name]).str.strip().str.lower()
    return texts


def _read_keys(root: Path, place: str, setting: str, known: set[str]) -> frozenset[str]:
    """Read a file of keys: the column that holds keys of the study; a list without a header is one, too."""
    where = f"segmentation.{setting}"
    if not (root / place).read_bytes().strip():
        return frozenset()
    columns = [frozenset(map(fold_key, filter(None, cells))) for cells in _list_columns(root, place, where)]
    best = max(columns, key=lambda keys: len(keys & known), default=frozenset())
    if not best & known:
        raise InputError(
            f"_quarto.yml, {where}: no key in {place} is a customer of this study.",
            "Expected a column with the same keys as in the data.",
            "Correct the file. To suppress no customer, empty it." if setting == "suppress" else "Correct the file.",
        )
    return best


def _list_columns(root: Path, place: str, where: str) -> list[list[str]]:
    """Return the cells of each column as text, with whatever stands in the first line."""
    if Path(place).suffix.lower() in TEXTS:
        text = (root / place).read_text(encoding="utf-8-sig", errors="replace")
        sign = max(",;\t", key=text.partition("\n")[0].count)
        rows = list(csv.reader(text.splitlines(), delimiter=sign))
        return [[row[at].strip() for row in rows if len(row) > at] for at in range(max(map(len, rows)))]
    table = load_table(Path(place), root=root, reading=Reading(setting=where)).table.to_pandas()
    return [[str(name), *write_texts(table[name])] for name in table.columns]
