"""Private values that the publication check looks for."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

PRIVATE = "private.json.gz"
MIN_CELL = 10


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
    known : bool
        False where the build has left no such list: `skipped_rules` then names what cannot be checked.
    """

    keys: frozenset[str]
    free_text: frozenset[str]
    min_cell: int
    key_names: frozenset[str] = frozenset()
    locale: str = "en"
    known: bool = True


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
    }
    path = build / PRIVATE
    path.write_bytes(gzip.compress(json.dumps(record, ensure_ascii=False).encode(), compresslevel=5, mtime=0))
    return path


def private_from_build(build: Path) -> Private:
    """Read the list that `write_private` left in `build`; where there is none, say so by `known=False`."""
    path = build / PRIVATE
    if not path.exists():
        return Private(frozenset(), frozenset(), MIN_CELL, known=False)
    record = json.loads(gzip.decompress(path.read_bytes()))
    return Private(
        frozenset(record["keys"]),
        frozenset(record["free_text"]),
        record["min_cell"],
        frozenset(record["key_names"]),
        record.get("locale", "en"),
    )
