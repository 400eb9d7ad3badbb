"""Manifest of a build: size and digest of each file, so that a mixture of two builds is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis.base.errors import InputError, listed

STAMP = "build/stamp.json"
"""Record of a build. It is written last, so that a build without one was interrupted."""

EXPORTS = "exports"
"""Folder of private lists of customers, none of which may be published."""


def list_digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return size and SHA-256 of each file, by its path in the project.

    Parameters
    ----------
    root : Path
        Project folder.
    files : iterable of Path
    """
    return {file.relative_to(root).as_posix(): _digest(file) for file in sorted(set(files))}


def find_changed(root: Path, files: Mapping[str, str]) -> list[str]:
    """Return the files of a manifest that are missing or have another content now."""
    return [name for name, known in files.items() if not (root / name).is_file() or _digest(root / name) != known]


def read_stamp(root: Path) -> dict[str, Any]:
    """Return the record of the last build; empty where there is none, or where it is damaged."""
    try:
        stamp = json.loads((root / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and isinstance(stamp.get("files"), dict) else {}


def check_whole(root: Path) -> None:
    """Refuse to publish from a build that is not whole.

    Raises
    ------
    InputError
        Where the last build was interrupted, or a file is not the one that it wrote.
    """
    hint = "Run: python -m analysis build"
    if not (root / "build" / "report.json").is_file():
        raise InputError("build/report.json does not exist yet.", hint=hint)
    stamp = read_stamp(root)
    if not stamp:
        raise InputError("The last build was interrupted, so its pages may be of two data sets.", hint=hint)
    if changed := find_changed(root, stamp["files"]):
        are = "is" if len(changed) == 1 else "are"
        raise InputError(f"{listed(changed, 3)} {are} missing or not what the last build wrote.", hint=hint)


def write_whole(file: Path, content: bytes) -> None:
    """Write a file in one step: whoever reads it finds the earlier content or the new one, never a part.

    The folder must exist. An error, as of a full disk, leaves the file as it was.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", suffix=".new", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as fresh:
            fresh.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(file: Path) -> str:
    content = file.read_bytes()
    return f"{len(content)} {hashlib.sha256(content).hexdigest()}"
