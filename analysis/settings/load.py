"""Reader of the settings: the ``segmentation:`` block of ``_quarto.yml`` and of Quarto profiles."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from analysis.base.errors import InputError, listed
from analysis.base.yamls import read_yaml
from analysis.settings.messages import as_lines, explain_problems
from analysis.settings.models import (
    Study,
)


def project_settings(root: Path, profile: str | None = None) -> dict[str, Any]:
    """Read ``_quarto.yml`` and merge the profiles into it, as Quarto does.

    Parameters
    ----------
    root : Path
        Folder of the project.
    profile : str, optional
        Profile names, comma separated; default is the environment's QUARTO_PROFILE.

    Raises
    ------
    InputError
        Where a file is missing or is not YAML.
    """
    settings = _read_yaml(root / "_quarto.yml")
    for overlay in profile_files(root, profile):
        settings = merge(settings, _read_yaml(overlay))
    return settings


def profile_files(root: Path, profile: str | None = None) -> list[Path]:
    """List the active ``_quarto-<profile>.yml`` files in the order in which they are applied."""
    names = os.environ.get("QUARTO_PROFILE", "") if profile is None else profile
    files = [root / f"_quarto-{name.strip()}.yml" for name in names.split(",") if name.strip()]
    for file in files:
        if not file.is_file():
            known = sorted(p.stem.removeprefix("_quarto-") for p in root.glob("_quarto-*.yml"))
            raise InputError(
                f"Profile '{file.stem.removeprefix('_quarto-')}': {file.name} does not exist.",
                f"Available profiles: {listed(known) or 'none'}.",
                "Set QUARTO_PROFILE to one of them, or unset it.",
            )
    return files


def load_study(root: Path, profile: str | None = None) -> Study:
    """Read and check the ``segmentation:`` block.

    A profile with sources defines a separate study. A profile without sources modifies the default study.

    Raises
    ------
    InputError
        Naming file, setting, value and the valid choices of up to three problems.
    """
    block: Any = _read_yaml(root / "_quarto.yml").get("segmentation")
    for overlay in profile_files(root, profile):
        changes = _read_yaml(overlay).get("segmentation")
        if isinstance(changes, dict):
            block = changes if "sources" in changes or not isinstance(block, dict) else merge(block, changes)
    if not isinstance(block, dict):
        raise InputError(
            "_quarto.yml has no 'segmentation:' block.",
            "This block defines the study: title, sources and features.",
            "See the example in README.md.",
        )
    return check_study(block, [path.name for path in profile_files(root, profile)])


def check_study(block: Mapping[str, Any], overlays: list[str] | None = None) -> Study:
    """Convert a raw block into a :class:`Study`, or raise an error that lists its problems."""
    try:
        return Study.model_validate(block)
    except ValidationError as error:
        where = ", ".join(["_quarto.yml", *(overlays or [])])
        raise InputError(as_lines(where, explain_problems(error.errors(include_url=False)))) from None


def name_settings_file(message: str, root: Path, profile: str | None = None) -> str:
    """Replace ``_quarto.yml`` in a message by the file that contains the setting.

    Parameters
    ----------
    message : str
        Settings are written in it as ``_quarto.yml, segmentation.sources[0].key``.
    root : Path
        Folder of the project.
    profile : str, optional
        As in :func:`project_settings`.

    Returns
    -------
    str
        The message with the name of the profile, if the setting, or most of the path to it, is in the profile.
    """
    try:
        files = {file.name: _read_yaml(file) for file in (root / "_quarto.yml", *profile_files(root, profile))}
    except InputError:
        return message

    def named(match: re.Match[str]) -> str:
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", match[1])]
        # The last file in force wins: it lies on top of the others.
        best = max(reversed(files), key=lambda name: _depth(files[name], steps))
        return f"{best}, {match[1]}"

    return re.sub(r"_quarto\.yml(?:, _quarto-[\w-]+\.yml)*, (segmentation(?:\.[\w-]+|\[\d+\])*)", named, message)


def _depth(settings: Any, steps: list[str | int]) -> int:
    """Count the steps of a path that exist in the settings."""
    for n, step in enumerate(steps):
        try:
            settings = settings[step]
        except (KeyError, IndexError, TypeError):
            return n
    return len(steps)


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one tree of settings into another; lists and single values are replaced.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.name} is not in this folder.", hint="Run the command in the project folder.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "the file is not UTF-8 text"
        raise InputError(
            f"{path.name}{place}: not valid YAML ({problem}).", hint="Check the indentation and the colons."
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"{path.name} contains no settings.", "Expected 'key: value' lines.")
    return content
