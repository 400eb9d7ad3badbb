"""YAML is read by libyaml where it is installed, which takes a tenth of the time that plain Python takes."""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads plain values only, never objects."""


def read_yaml(text: str) -> Any:
    """Read a text of YAML.

    Raises
    ------
    yaml.YAMLError
        Where it is not valid.

    Examples
    --------
    >>> read_yaml("title: Shop\\nsegments: 4")
    {'title': 'Shop', 'segments': 4}
    """
    return yaml.load(text, LOADER)
