"""Local server that rebuilds the site after changes."""

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
    "site/manual/*.qmd",
    "site/notes/*.md",
    "site/assets/*.css",
    "site/assets/*.js",
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
        Rebuilds the site.
    port : int
    data : callable
        Gives the data files that the study reads at the moment, wherever they lie.

    Raises
    ------
    InputError
        Where the port is not available, which is checked first; or, the first time, whatever making the site says.
    """
    server = _open(site, port)
    try:
        seen = newest(root, data())
        remake()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"Serving http://127.0.0.1:{server.server_port}/ . Press Ctrl-C to stop.", flush=True)
        _watch(root, remake, data, seen)
    finally:
        server.server_close()


def _open(site: Path, port: int) -> ThreadingHTTPServer:
    hint = "Choose another: make serve PORT=4849, or python -m analysis preview --port 4849"
    if not 1 <= port <= LAST_PORT:
        raise InputError(f"Port {port} is not valid.", f"Expected a number from 1 to {LAST_PORT}.", hint)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Quiet, directory=str(site)))
    except PermissionError:
        raise InputError(f"Port {port} is not permitted for this user.", hint=hint) from None
    except OSError:
        raise InputError(f"Port {port} is in use.", hint=hint) from None


def _watch(root: Path, remake: Callable[[], None], data: Callable[[], Iterable[Path]], seen: dict[str, int]) -> None:
    """Rebuild the site whenever a file changes, also one that changed while it was made; end at Ctrl-C."""
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
        print("Server stopped. The site is unchanged.")


def _remake(remake: Callable[[], None], root: Path) -> None:
    """Make the site; whatever goes wrong is said, and the last site is served on."""
    try:
        remake()
    except (InputError, GateError) as error:
        print(name_settings_file(str(error), root), file=sys.stderr)
    except Exception as error:
        print(
            f"The site could not be built: {type(error).__name__}: {error}\n"
            "  The last site is still served. For the full error, run: python -m analysis build",
            file=sys.stderr,
        )
    else:
        return
    print("Waiting for the next change.", file=sys.stderr)


def newest(root: Path, data: Iterable[Path] = ()) -> dict[str, int]:
    """Return the modification time, in nanoseconds, of each source file and of the data."""
    files = {file for pattern in WATCHED for file in root.glob(pattern)}
    times = {}
    for file in sorted({*files, *data}):
        try:
            if file.is_file() and not _is_generated(file, root):
                times[str(file)] = file.stat().st_mtime_ns
        except OSError:
            continue
    return times


def _is_generated(file: Path, root: Path) -> bool:
    """Whether a build writes this page; templates hold the same mark and are written by hand."""
    if file.suffix != ".qmd" or not file.is_relative_to(root / "site"):
        return False
    with file.open("rb") as content:
        return GENERATED in content.read(2000)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Omit the log of single requests."""
