"""The version of the tool, which stands in ``pyproject.toml`` alone."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path

NAME = "Segment site"


@functools.cache
def tool_version() -> str:
    """Read the version from ``pyproject.toml``, beside the package.

    Examples
    --------
    >>> tool_version().count(".")
    2
    """
    settings = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["project"]["version"])
