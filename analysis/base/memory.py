"""Amounts of memory as text, such as 3GB."""

from __future__ import annotations

import gc
import re

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
"""Bytes in a unit."""
LEAST = 250 * 10**6
"""Fewest bytes that an engine is given; with less, either ends before its first row. Chosen for this project."""


def collect_rarely() -> None:
    """Let Python look for cycles of unused objects less often: objects of imported packages make that slow."""
    gc.set_threshold(50_000, 10, 10)


def count_bytes(text: str) -> int:
    """Count the bytes that a text such as 3GB stands for.

    Parameters
    ----------
    text : str
        A number and a unit: MB, GB and TB are powers of ten, MiB, GiB and TiB powers of two.

    Raises
    ------
    ValueError
        For any other text, and for less than 250MB.

    Examples
    --------
    >>> count_bytes("3GB"), count_bytes("1.5 gib")
    (3000000000, 1610612736)
    """
    units = {name.lower(): size for name, size in UNITS.items()}
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip(), re.IGNORECASE)
    if match is None or match[2].lower() not in units:
        raise ValueError(f"{text!r} is not an amount of memory; give a number and one of {', '.join(UNITS)}: 3GB")
    size = int(float(match[1]) * units[match[2].lower()])
    if size < LEAST:
        raise ValueError(f"{text!r} is too little; give 250MB or more")
    return size
