"""Errors that users can cause; each ends with a short message and an exit code."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from difflib import get_close_matches

STOPPED = 130
"""Exit code of a command that was interrupted with Ctrl-C."""
EXIT_CODES = {
    0: "success",
    1: "internal error (please report)",
    2: "invalid data or settings",
    3: "publication check failed",
    STOPPED: "interrupted",
}
"""Exit codes of all commands; `--help` and the Commands page list them from here."""


class InputError(Exception):
    """Invalid data or settings (exit code 2).

    Parameters
    ----------
    what : str
        What is wrong, with the value and the place.
    expected : str, optional
        What was expected there.
    hint : str, optional
        What to do about it.

    Examples
    --------
    >>> print(InputError("data/a.csv is empty.", hint="Export the table again."))
    data/a.csv is empty.
      Export the table again.
    """

    exit_code = 2

    def __init__(self, what: str, expected: str = "", hint: str = "") -> None:
        super().__init__("\n  ".join(part for part in (what, expected, hint) if part))


class GateError(Exception):
    """The rendered site failed the publication check (exit code 3)."""

    exit_code = 3


def explain_disk(error: Exception) -> str:
    """Return in one line what a disk refused; raise an error that is no matter of the disk.

    Examples
    --------
    >>> explain_disk(OSError(errno.ENOSPC, "No space left on device", "site/data.qmd"))
    'site/data.qmd: no space left on device. Free some space, or give another folder with --out.'
    >>> explain_disk(OSError("anything else"))
    Traceback (most recent call last):
    OSError: anything else
    """
    number, place = getattr(error, "errno", None), getattr(error, "filename", None)
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        # Copying a folder gathers what failed as (source, target, reason).
        place, reason = error.args[0][0][1:3]
        number = next((number for number in _DISK if os.strerror(number).lower() in str(reason).lower()), None)
    if number not in _DISK:
        # Libraries that write files of their own form pass on the words alone.
        number = next((n for n in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) if os.strerror(n) in str(error)), None)
    if number is None:
        raise error
    what = os.strerror(number)
    where = f"{place}: " if place else ""
    return f"{where}{what[:1].lower() if where else what[:1]}{what[1:]}. {_DISK[number]}"


_DISK = {
    errno.ENOSPC: "Free some space, or give another folder with --out.",
    errno.EDQUOT: "Free some space, or give another folder with --out.",
    errno.EROFS: "Expected a place that can be written to.",
    errno.EACCES: "Change the permissions, or give another folder with --out.",
    errno.EPERM: "Change the permissions, or give another folder with --out.",
    errno.EBUSY: "It is a mount, or in use. Give a folder inside it with --out.",
    errno.EXDEV: "It is a mount. Give a folder inside it with --out.",
}
"""What to do about errors of the disk."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known name, or an empty string.

    Examples
    --------
    >>> did_you_mean("amout", ["amount", "date"])
    "Did you mean 'amount'?"
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if not near:
        folded = {str(k).casefold(): k for k in known}
        near = [folded[name.casefold()]] if name.casefold() in folded else []
    return f"Did you mean '{near[0]}'?" if near else ""


def place_of(setting: str) -> str:
    """Return the setting that a message names: the path of a source, or the option that replaces it.

    >>> place_of("segmentation.sources[0]"), place_of("--data")
    ('segmentation.sources[0].path', '--data')
    """
    return setting if setting.startswith("-") else f"{setting}.path"


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Join names for a message; shorten a long list and count the rest.

    Examples
    --------
    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    >>> listed([])
    'none'
    """
    names = [str(name) for name in names]
    if not names:
        return "none"
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"
