"""Serve the site on this machine and make it anew when something that it is made of changes."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from analysis.base.errors import GateError, InputError
from analysis.settings.load import name_settings_file

WATCHED = (
    "_quarto*.yml",
    "404.qmd",
    "templates/**/*",
    "site/*.qmd",
    "site/notes/*.md",
    "site/assets/site.*",
)
GENERATED = b"<!-- generated"
PAUSE_SECONDS = 1.0
LAST_PORT = 65_535


def serve(
    root: Path, site: Path, remake: Callable[[], None], port: int, data: Callable[[], Iterable[Path]] = tuple
) -> None:
    """Make the site, serve it on the loopback address, and watch until interrupted.

    Parameters
    ----------
    root, site : Path
        Folders of the project and of its website.
    remake : callable
        Makes the site anew.
    port : int
    data : callable
        Gives the data files that the study reads at the moment, wherever they lie.

    Raises
    ------
    InputError
        Where the port cannot be used, which is seen first; or, the first time, whatever making the site says.
    """
    server = _open(site, port)
    try:
        seen = newest(root, data())
        remake()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"Serving http://127.0.0.1:{server.server_port}/ ; stop with Ctrl-C.", flush=True)
        _watch(root, remake, data, seen)
    finally:
        server.server_close()


def _open(site: Path, port: int) -> ThreadingHTTPServer:
    hint = "Choose another: make serve PORT=4849, or python -m analysis preview --port 4849"
    if not 1 <= port <= LAST_PORT:
        raise InputError(f"Port {port}: there is no such port.", f"Expected a number from 1 to {LAST_PORT}.", hint)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Quiet, directory=str(site)))
    except PermissionError:
        raise InputError(f"Port {port} may not be used by this user.", hint=hint) from None
    except OSError:
        raise InputError(f"Port {port} is taken.", hint=hint) from None


def _watch(root: Path, remake: Callable[[], None], data: Callable[[], Iterable[Path]], seen: dict[str, int]) -> None:
    """Make the site anew whenever a file changes, also one that changed while it was made; end at Ctrl-C."""
    making = False
    try:
        while True:
            now = newest(root, data())
            if now == seen:
                time.sleep(PAUSE_SECONDS)
                continue
            seen, making = now, True
            _remake(remake, root)
            making = False
    except KeyboardInterrupt:
        if making:
            raise
        print("Stopped; nothing is served any more, and the site stays as it is.")


def _remake(remake: Callable[[], None], root: Path) -> None:
    """Make the site; whatever goes wrong is said, and the last site is served on."""
    try:
        remake()
    except (InputError, GateError) as error:
        print(name_settings_file(str(error), root), file=sys.stderr)
    except Exception as error:
        print(
            f"The site could not be made: {type(error).__name__}: {error}\n"
            "  The last one is served on. For the whole report, run: python -m analysis build",
            file=sys.stderr,
        )
    else:
        return
    print("Waiting for the next change.", file=sys.stderr)


def newest(root: Path, data: Iterable[Path] = ()) -> dict[str, int]:
    """Modification time, in nanoseconds, of each file that is written by hand, and of the data."""
    files = {file for pattern in WATCHED for file in root.glob(pattern)}
    found = {}
    for file in sorted({*files, *data}):
        try:
            if file.is_file() and not _is_generated(file, root):
                found[str(file)] = file.stat().st_mtime_ns
        except OSError:
            continue
    return found


def _is_generated(file: Path, root: Path) -> bool:
    """Whether a build writes this page; templates hold the same mark and are written by hand."""
    if file.suffix != ".qmd" or not file.is_relative_to(root / "site"):
        return False
    with file.open("rb") as content:
        return GENERATED in content.read(2000)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""
