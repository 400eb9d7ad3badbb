"""What measurements and trials keep: rounded numbers, versions of packages, and sizes of processes."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

KILOBYTE = 1_024
"""Bytes in the unit of ``ru_maxrss``."""


def write_results(path: Path, content: dict[str, Any]) -> None:
    """Write results as JSON, their numbers rounded to three decimals."""
    text = json.dumps(_rounded(content), indent=1, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def list_versions(packages: Iterable[str]) -> dict[str, str]:
    """List the versions of Python and of some packages."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def in_gigabytes(kilobytes: float) -> float:
    """Convert the peak memory of a process, as ``ru_maxrss`` gives it."""
    return kilobytes * KILOBYTE / 1e9


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
