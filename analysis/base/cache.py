"""Cache of slow computations between builds."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
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
        Delete all cached results.
    """

    def __init__(self, folder: Path, mark: str, anew: bool = False) -> None:
        self._folder, self._mark, self._anew = folder, mark, anew
        self._memory: Memory | None = None

    def keep(self, function: F, *but: str) -> F:
        """Return the function with its results cached; the arguments in ``but`` are not part of the cache key."""
        cached: Any = self._open().cache(function, ignore=list(but), verbose=0)
        return cached

    def tidy(self) -> None:
        """Delete all but the results that were used last."""
        with warnings.catch_warnings(action="ignore"):
            self._open().reduce_size(items_limit=MOST_KEPT)

    def _open(self) -> Memory:
        """What is kept, once something is to be: a build that fails before leaves the folder as it was."""
        from joblib import Memory

        if self._memory is None:
            for other in self._folder.glob("*") if self._folder.is_dir() else ():
                if self._anew or other.name != self._mark:
                    shutil.rmtree(other, ignore_errors=True)
            # How long it took to note the arguments is nobody's business.
            warnings.filterwarnings("ignore", "Persisting input arguments", UserWarning)
            self._memory = Memory(self._folder / self._mark, verbose=0, compress=3)
        return self._memory
