"""Secret of a project, which keys every digest that is published."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from analysis.base.manifest import write_whole

VARIABLE = "SEGMENTATION_SALT"
"""Environment variable with the secret, for builds on a machine that keeps no private files."""
FILE = "build/history/salt"
"""Place of the secret where the environment has none; private, and not removed by ``make clean``."""


def read_salt(root: Path) -> bytes:
    """Return the secret of a project; the first call draws one and keeps it.

    Parameters
    ----------
    root : Path
        Project folder.
    """
    if chosen := os.environ.get(VARIABLE):
        return chosen.encode()
    file = root / FILE
    if file.is_file() and (kept := file.read_bytes().strip()):
        return kept
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = secrets.token_hex(32).encode()
    write_whole(file, drawn + b"\n")
    file.chmod(0o600)
    return drawn


def keyed_digest(salt: bytes, text: str) -> str:
    """Return a digest that cannot be computed without the secret, so that it confirms no guess at the text.

    >>> keyed_digest(b"one", "data") == keyed_digest(b"one", "data") != keyed_digest(b"two", "data")
    True
    """
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
