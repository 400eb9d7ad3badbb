"""Cache of slow computations, between builds and within one."""

from __future__ import annotations

import functools
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from joblib import Memory

F = TypeVar("F", bound=Callable[..., Any])
Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_KEPT, MOST_BYTES = 400, "1G"
"""Results of a module that stay, the last used ones: two studies with all their pictures. Chosen for this project."""


class Kept:
    """Results by what they are computed from: the content of the arguments, the code, and the packages.

    Parameters
    ----------
    folder : Path
        Private, as results hold who is in which segment.
    mark : callable
        Returns the mark of a module, which changes when the code that it reaches or a package changes. Results of
        other marks are deleted.
    anew : bool
        Delete all cached results.
    """

    def __init__(self, folder: Path, mark: Callable[[str], str], anew: bool = False) -> None:
        self._folder, self._mark, self._anew = folder, mark, anew
        self._memories: dict[str, Memory] = {}
        self._swept = False

    def keep(self, function: F, *but: str) -> F:
        """Return the function with its results cached; the arguments in ``but`` are not part of the cache key."""
        cached: Any = self._open(function.__module__).cache(function, ignore=list(but), verbose=0)
        return cached

    def holds(self, module: str) -> bool:
        """Return whether there are results of a module's code as it is now."""
        return not self._anew and (self._folder / f"{module}-{self._mark(module)}").is_dir()

    def keep_by(self, key: object, function: F, module: str = "") -> F:
        """Return the function with its results cached by a key that stands for all arguments.

        ``module`` is whose code decides the result, where that is another one than the function's.
        """
        found: Any = _Keyed(self._open(module or function.__module__).cache(_compute, ["arguments"]), key, function)
        return found

    def knows(self, key: object, function: Callable[..., Any]) -> bool:
        """Return whether a result is cached by this key."""
        keyed: Any = self.keep_by(key, function)
        return bool(keyed.cached.check_call_in_cache(key, function, ()))

    def tidy(self) -> None:
        """Delete all but the results that were used last."""
        with warnings.catch_warnings(action="ignore"):
            for memory in self._memories.values():
                memory.reduce_size(bytes_limit=MOST_BYTES, items_limit=MOST_KEPT)

    def folder_of(self, module: str) -> Path:
        """Return a folder for what a module keeps in files of its own."""
        if not self._swept:
            self._swept = True
            self._sweep()
        folder = self._folder / f"{module}-{self._mark(module)}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _open(self, module: str) -> Memory:
        """What is kept of a module, once something is to be: a build that fails before leaves the folder as it was."""
        from joblib import Memory

        if not self._memories:
            # How long it took to note the arguments is nobody's business.
            warnings.filterwarnings("ignore", "Persisting input arguments", UserWarning)
        if module not in self._memories:
            self._memories[module] = Memory(self.folder_of(module), verbose=0)
        return self._memories[module]

    def _sweep(self) -> None:
        """Delete what no longer holds."""
        for folder in self._folder.glob("*") if self._folder.is_dir() else ():
            module, _, mark = folder.name.rpartition("-")
            if self._anew or mark != self._mark(module):
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A function whose results are cached by a key; it can be sent to another process."""

    cached: Any
    key: object
    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.cached(self.key, self.function, arguments)


def _compute(key: object, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return function(*arguments)


def once_each(compute: Callable[[Item], Result]) -> Callable[[Item], Result]:
    """Let a function of an object, such as a table, compute its result once, and keep it as long as the object."""
    known: WeakKeyDictionary[Item, Result] = WeakKeyDictionary()

    @functools.wraps(compute)
    def look_up(item: Item) -> Result:
        if item not in known:
            known[item] = compute(item)
        return known[item]

    return look_up
