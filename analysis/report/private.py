"""Private values that the publication check looks for."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.base.errors import GateError
from analysis.base.manifest import write_whole

PRIVATE = "private.json.gz"
MIN_CELL = 10
FEWEST_DIGITS = 4
"""Significant digits from which a number of the data is looked for on the site. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Private:
    """What must not appear on the site.

    Parameters
    ----------
    keys : frozenset of str
        The customers' keys, as text.
    free_text : frozenset of str
        The distinct values of text columns that must never show.
    min_cell : int
        The smallest number of customers that may be published.
    key_names : frozenset of str
        Names of the key columns, to which the usual ones (id, customer, …) are added.
    locale : str
        How the pages write numbers.
    internal : bool
        Whether the site states exact numbers, for its owner alone.
    marked : frozenset of str
        Published words of the data that hold marks of templates, such as ``{{``: no template left them behind.
    figures : frozenset of str
        Numbers that tell one customer from another, such as amounts, as :func:`write_figure` writes them.
    known : bool
        False where the build has left no such list: the site must not be published.
    """

    keys: frozenset[str]
    free_text: frozenset[str]
    min_cell: int
    key_names: frozenset[str] = frozenset()
    locale: str = "en"
    known: bool = True
    internal: bool = False
    marked: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()

    def joined(self, other: Private) -> Private:
        """Return what either list calls private."""
        return replace(
            self,
            keys=self.keys | other.keys,
            free_text=self.free_text | other.free_text,
            key_names=self.key_names | other.key_names,
            marked=self.marked | other.marked,
            figures=self.figures | other.figures,
        )


def write_figure(x: float | str) -> str:
    """Write a number so that it is found however many zeros it ends with; empty where it has too few digits to tell.

    >>> write_figure(1234.50), write_figure("0.5670"), write_figure(12.0)
    ('1234.5', '', '')
    """
    text = format(abs(float(x)), ".12g")
    return text if len(text.replace(".", "").strip("0")) >= FEWEST_DIGITS and "e" not in text else ""


def write_private(build: Path, private: Private) -> Path:
    """Write the list into the private `build` directory; the same list gives the same bytes.

    Parameters
    ----------
    build : Path
        The private directory; it is made where absent.
    private : Private
        What must not appear.

    Returns
    -------
    Path
        The file written.
    """
    build.mkdir(parents=True, exist_ok=True)
    record = {
        "keys": sorted(private.keys),
        "free_text": sorted(private.free_text),
        "min_cell": private.min_cell,
        "key_names": sorted(private.key_names),
        "locale": private.locale,
        "internal": private.internal,
        "marked": sorted(private.marked),
        "figures": sorted(private.figures),
    }
    path = build / PRIVATE
    write_whole(path, gzip.compress(json.dumps(record, ensure_ascii=False).encode(), compresslevel=5, mtime=0))
    return path


def private_from_build(build: Path) -> Private:
    """Read the list that `write_private` left in `build`; where there is none, say so by `known=False`.

    Raises
    ------
    GateError
        Where the list is damaged: nothing can then be checked.
    """
    path = build / PRIVATE
    if not path.exists():
        return Private(frozenset(), frozenset(), MIN_CELL, known=False)
    try:
        record = json.loads(gzip.decompress(path.read_bytes()))
        return Private(
            frozenset(record["keys"]),
            frozenset(record["free_text"]),
            record["min_cell"],
            frozenset(record["key_names"]),
            record.get("locale", "en"),
            internal=bool(record.get("internal")),
            marked=frozenset(record.get("marked", ())),
            figures=frozenset(record.get("figures", ())),
        )
    except (OSError, EOFError, ValueError, LookupError, TypeError, zlib.error):
        raise GateError(
            f"build/{PRIVATE} is damaged, so the publication check does not know what is private.\n"
            "  Run: python -m analysis build --force"
        ) from None
