"""What is built once for every test process and every run, until code or settings change."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from analysis.commands.stamp import mark_code

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".pytest_cache" / "built"
"""Folder of what was built, in one folder for each state of the project; ``make clean`` removes it."""

SOURCES = (
    "*.yml",
    "404.qmd",
    "requirements*.lock",
    "site/**/*",
    "templates/**/*",
    "tests/conftest.py",
    "tests/small_studies.py",
    "tests/kinds.py",
    "tests/stages.py",
    "tests/data/*",
)
"""Files beside ``analysis/`` that what is built depends on."""

KEPT = 2
"""States of the project whose builds are kept, the newest."""


@cache
def mark_project() -> str:
    """Return a fingerprint of code, settings, templates and packages.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256(mark_code(ROOT).encode())
    digest.update(sys.prefix.encode())
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()}):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def build_once(name: str, build: Callable[[Path], object]) -> Path:
    """Build into a folder, or return the folder that another test process or an earlier run has built.

    Parameters
    ----------
    name : str
        Name of the folder.
    build : callable
        Takes a folder that does not exist yet and builds in it.

    Returns
    -------
    Path
        The folder. It is shared: a test that writes copies it first.
    """
    state = FOLDER / mark_project()
    state.mkdir(parents=True, exist_ok=True)
    folder, whole = state / name, state / f"{name}.whole"
    with FileLock(state / f"{name}.lock"):
        if not whole.exists():
            remove_old_states()
            shutil.rmtree(folder, ignore_errors=True)
            build(folder)
            whole.touch()
    return folder


def make_once(name: str, make: Callable[[Path], T]) -> T:
    """Make an object, or read the one that another test process or an earlier run has made.

    Parameters
    ----------
    name : str
        Name of the folder that it is kept in.
    make : callable
        Takes the folder, in which it may write files that the object refers to, and returns the object.

    Returns
    -------
    object
        A copy of its own for each process.
    """

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "object.pickle").write_bytes(pickle.dumps(make(folder)))

    return pickle.loads((build_once(name, write) / "object.pickle").read_bytes())


def remove_old_states() -> None:
    """Remove what was built from earlier states of the project."""
    states = sorted((path for path in FOLDER.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for state in states[:-KEPT]:
        shutil.rmtree(state, ignore_errors=True)
