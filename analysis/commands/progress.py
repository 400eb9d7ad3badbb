"""Progress of a command: a spinner on a terminal, and the seconds of each stage."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console

_err = Console(stderr=True, highlight=False)


@contextlib.contextmanager
def open_stage(name: str, messages: list[str] | None = None) -> Iterator[Callable[[str], None]]:
    """Time a stage and its parts, with a spinner on a terminal and otherwise as lines added to ``messages``.

    A count, such as "3 of 10", is shown while it holds, and is no part.
    """
    parts: list[tuple[str, float]] = []
    started = time.perf_counter()
    with _err.status(name) if _err.is_terminal else contextlib.nullcontext() as status:

        def tell(text: str) -> None:
            if not text[:1].isdigit():
                parts.append((text, time.perf_counter()))
            if status:
                status.update(f"{name}: {text}")

        yield tell
    ended = time.perf_counter()
    lines = [f"  {name:<38} {ended - started:5.1f} s"]
    for (text, begun), until in zip(parts, [*(begun for _, begun in parts[1:]), ended], strict=False):
        lines.append(f"    {text:<36} {until - begun:5.1f} s")
    if _err.is_terminal:
        _err.print("\n".join(lines), markup=False)
    elif messages is not None:
        messages += lines
