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
    """Return the secret of a project; where there is none, one is drawn, which `keep_salt` keeps.

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
    return secrets.token_hex(32).encode()


def keep_salt(root: Path, salt: bytes) -> None:
    """Keep the secret that a build was made with, unless the environment has it or it is kept already."""
    file = root / FILE
    if os.environ.get(VARIABLE) or (file.is_file() and file.read_bytes().strip()):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, salt + b"\n")
    file.chmod(0o600)


def keyed_digest(salt: bytes, text: str) -> str:
    """Return a digest that cannot be computed without the secret, so that it confirms no guess at the text.

    >>> keyed_digest(b"one", "data") == keyed_digest(b"one", "data") != keyed_digest(b"two", "data")
    True
    """
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()
