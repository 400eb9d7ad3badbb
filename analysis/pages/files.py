"""Generated files: written when they change, removed when they are no longer made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def write_changed(path: Path, content: str | bytes) -> Path:
    """Write a file unless it holds this content already, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode("utf-8") if isinstance(content, str) else content
    if not path.is_file() or path.read_bytes() != data:
        path.write_bytes(data)
    return path


def remove_others(folder: Path, pattern: str, kept: Iterable[Path]) -> None:
    """Remove the files of a folder that match a pattern and are not among those that are kept."""
    for stale in set(folder.glob(pattern)) - set(kept):
        stale.unlink()
