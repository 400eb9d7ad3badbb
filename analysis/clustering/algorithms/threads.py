"""One thread for numeric libraries."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit numeric libraries to one thread, so that the number of cores changes no digit.

    Matrices are finite by then, so that thousands of small fits need not look again.
    """
    from sklearn import config_context

    with _controller().limit(limits=1), config_context(assume_finite=True, skip_parameter_validation=True):
        yield
