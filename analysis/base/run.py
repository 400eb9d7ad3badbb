"""How to run an analysis: where progress is shown, what cached results are taken from, and how much is computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.base.errors import InputError

if TYPE_CHECKING:
    from analysis.base.cache import Kept

F = TypeVar("F", bound=Callable[..., Any])
Stage = Callable[[str], contextlib.AbstractContextManager[Callable[[str], None]]]
"""Opens a named stage; what it yields takes a line that says what is being done in it."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is computed: resamples, starts and sample sizes. More of any makes results finer and builds longer.

    Attributes
    ----------
    most_segments : int
        Largest number of segments that is tried.
    pairs, pairs_decided : int
        Pairs of bootstrap samples: everywhere, and at the decided number of segments and its neighbours.
    starts : int
        Swaps in a row without a better solution, after which the search of published k-means ends; starts of
        k-prototypes at most. Starts of resampled fits are a setting of the study.
    null_draws, null_pairs, starts_null : int
        Null references, pairs of bootstrap samples in each, and starts of Gaussian clouds and of other choices.
    gap_draws : int
        Reference sets of the gap statistic.
    strength_halvings : int
        Random halvings of the prediction strength.
    holdout_halvings, holdout_draws : int
        Random halves that predictions are scored on, and bootstrap samples of the customers behind their intervals.
    whole_rows, evidence_rows : int
        Most customers who are all judged, and where there are more, the size of the seeded sample that solutions are
        fitted to, compared and judged on; everyone is placed by its rule.
    silhouette_rows : int
        Customers in a silhouette, whose time grows with their square; above it a seeded sample.
    judged_rows : int
        Customers on which resampled solutions are compared; above it a seeded sample.
    null_rows : int
        Most customers in a Gaussian cloud.
    reference_rows : int
        Most customers in the gap statistic, the prediction strength and drawn trees; above it a seeded sample.
    """

    most_segments: int = 10
    pairs: int = 20
    pairs_decided: int = 100
    starts: int = 60
    null_draws: int = 20
    null_pairs: int = 5
    starts_null: int = 3
    gap_draws: int = 50
    strength_halvings: int = 50
    holdout_halvings: int = 10
    holdout_draws: int = 400
    whole_rows: int = 50_000
    evidence_rows: int = 10_000
    silhouette_rows: int = 5_000
    judged_rows: int = 20_000
    null_rows: int = 2_000
    reference_rows: int = 2_000


USERS = Effort()
"""The effort behind what is published; pages print these numbers."""
TESTS = Effort(
    most_segments=5,
    pairs=10,
    pairs_decided=13,
    starts=3,
    null_draws=3,
    null_pairs=2,
    gap_draws=4,
    strength_halvings=2,
    holdout_draws=40,
)
"""Enough to run every stage in seconds; the figures are coarse."""
TRIALS = replace(USERS, gap_draws=1, strength_halvings=1)
"""For simulations: the gap statistic and the prediction strength decide nothing, and take one draw each."""
EFFORTS: Mapping[str, Effort] = MappingProxyType({"users": USERS, "test": TESTS, "trial": TRIALS})
"""Efforts by name."""


def choose_effort(environment: Mapping[str, str]) -> Effort:
    """Return the effort that the variable SEGMENTATION_EFFORT names, which is for tests only.

    Raises
    ------
    InputError
        For an unknown name.
    """
    name = environment.get("SEGMENTATION_EFFORT") or "users"
    if name not in EFFORTS:
        raise InputError(
            f"SEGMENTATION_EFFORT={name} is not an effort.",
            f"Valid: {', '.join(EFFORTS)}.",
            "It is for the tests of this project. Unset it.",
        )
    return EFFORTS[name]


@contextlib.contextmanager
def open_silently(name: str) -> Iterator[Callable[[str], None]]:
    """Open a stage without showing it."""
    yield lambda text: None


@dataclass(frozen=True, slots=True)
class Run:
    """How to run.

    Attributes
    ----------
    stage : callable
        Opens a named stage.
    cache : Kept, optional
        Results of earlier runs; without it everything is computed.
    effort : Effort
    """

    stage: Stage = open_silently
    cache: Kept | None = None
    effort: Effort = USERS

    def cached(self, function: F, *ignored: str) -> F:
        """Return the function so that it looks into the cache first; arguments named in ``ignored`` do not matter."""
        return function if self.cache is None else self.cache.keep(function, *ignored)

    def cached_by(self, key: object, function: F) -> F:
        """Return the function so that it looks into the cache first, by a key that stands for all its arguments."""
        return function if self.cache is None else self.cache.keep_by(key, function)

    def silent(self) -> Run:
        """Return the same run with its stages not shown."""
        return replace(self, stage=open_silently)


PLAIN = Run()
"""A run that shows nothing and caches nothing."""
