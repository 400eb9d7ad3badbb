"""Check of files before a commit: no source data, no build results, no local files."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from analysis.base.errors import InputError
from analysis.base.yamls import read_yaml

PRIVATE = ("data", "build", "exports", "spark-warehouse", "metastore_db")
"""Folders that git ignores."""
LOCAL = "*.local.*"


def is_private_place(path: PurePosixPath) -> bool:
    """Return whether git ignores a file by folder or name; ``path`` is relative to the project folder.

    >>> is_private_place(PurePosixPath("data/a.csv")), is_private_place(PurePosixPath("a.csv"))
    (True, False)
    """
    return path.parts[0] in PRIVATE or fnmatch(path.name, LOCAL)


def would_be_committed(table: str, root: Path) -> bool:
    """Whether a file lies in the project where git does not ignore it."""
    file = (root / table).resolve()
    inside = "://" not in table and file.is_file() and file.is_relative_to(root.resolve())
    return inside and not is_private_place(PurePosixPath(file.relative_to(root.resolve()).as_posix()))


def move_to_data(table: str, root: Path) -> str:
    """Move a file to ``data/`` and return its new path."""
    target = root / "data" / Path(table).name
    if target.exists():
        raise InputError(f"data/{target.name} already exists.", hint="Rename the file first.")
    target.parent.mkdir(exist_ok=True)
    shutil.move(root / table, target)
    return f"data/{target.name}"


def check_staged(root: Path, files: Iterable[str] | None = None) -> int:
    """Refuse files that hold customers.

    Parameters
    ----------
    root : Path
        Project folder.
    files : iterable of str, optional
        What is to be committed, relative to the project folder; by default what git has staged.

    Returns
    -------
    int
        How many files were looked at.

    Raises
    ------
    InputError
        Naming each file that must not be committed, and why.
    """
    names = list(files) if files is not None else _staged(root)
    known = list(_named(root))
    refused = {name: why for name in names if (why := _why(root, name, known))}
    if refused:
        lines = [f"  {name}: {why}" for name, why in sorted(refused.items())]
        shown = [*lines[:10], *([f"  … and {len(lines) - 10} more"] if len(lines) > 10 else [])]
        raise InputError(
            "These files may contain customer data and must not be committed:\n" + "\n".join(shown),
            "Keep data in data/, which git ignores.",
            f"To unstage them, run: git restore --staged {' '.join(map(_quoted, sorted(refused)[:10]))}",
        )
    return len(names)


def _why(root: Path, name: str, known: list[tuple[str, str]]) -> str:
    path = PurePosixPath(name)
    if fnmatch(path.name, LOCAL):
        return "files named *.local.* stay on this computer"
    if path.parts[0] in PRIVATE:
        return f"{path.parts[0]}/ is private"
    whole = (root / name).resolve()
    return next((why for place, why in known if whole == Path(place) or fnmatch(str(whole), place)), "")


def _named(root: Path) -> Iterator[tuple[str, str]]:
    """Whole paths, or patterns, of the data files that settings and the last build name, and who names them."""
    for file in sorted(root.glob("_quarto*.yml")):
        for path in _sources(file):
            place = path.partition("?")[0].removeprefix("sqlite:///")
            if place and "://" not in place:
                yield str((root / place).resolve()), f"it is a source in {file.name}"
    try:
        record = json.loads((root / "build" / "stamp.json").read_text(encoding="utf-8"))
        for path in record["read"]:
            yield str((root / path).resolve()), "the last build read it"
    except (OSError, ValueError, LookupError, TypeError):
        return


def _sources(file: Path) -> list[str]:
    """Paths of a settings file's sources; none where it cannot be read, which the build says."""
    try:
        content: Any = read_yaml(file.read_text(encoding="utf-8"))
        return [str(source["path"]) for source in content["segmentation"]["sources"]]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return []


def _staged(root: Path) -> list[str]:
    command = ["git", "diff", "--cached", "--name-only", "-z", "--diff-filter=ACMR", "--relative"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise InputError(
            "Git could not list the staged files.",
            hint="Run the command in a git repository, or give the files as arguments.",
        ) from None
    return [name for name in done.stdout.split("\0") if name]


def _quoted(name: str) -> str:
    return name if name.replace("/", "").replace(".", "").replace("_", "").replace("-", "").isalnum() else f"'{name}'"
