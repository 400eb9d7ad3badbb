"""What took long to compute, kept from build to build, so that other words or another page cost no analysis."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from joblib import Memory

F = TypeVar("F", bound=Callable[..., Any])

MOST_KEPT = 400
"""Results that stay, the last used ones. Ours: two studies with all their pictures."""


class Kept:
    """Results by what they are computed from: the content of the arguments, the code, and the packages.

    Parameters
    ----------
    folder : Path
        Private, as results hold who is in which segment.
    mark : str
        Changes when the code or a package changes; results of other marks are deleted.
    anew : bool
        Forget what is kept.
    """

    def __init__(self, folder: Path, mark: str, anew: bool = False) -> None:
        for other in folder.glob("*") if folder.is_dir() else ():
            if anew or other.name != mark:
                shutil.rmtree(other, ignore_errors=True)
        self._memory = Memory(folder / mark, verbose=0)

    def keep(self, function: F, *but: str) -> F:
        """The same function, which looks first whether its result is there; arguments ``but`` do not matter."""
        cached: Any = self._memory.cache(function, ignore=list(but), verbose=0)
        return cached

    def tidy(self) -> None:
        """Delete all but the results that were used last."""
        with warnings.catch_warnings(action="ignore"):
            self._memory.reduce_size(items_limit=MOST_KEPT)
