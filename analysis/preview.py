"""Serve the site on this machine and make it anew when something that it is made of changes."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from analysis.errors import GateError, InputError

WATCHED = (
    "_quarto*.yml",
    "404.qmd",
    "templates/**/*",
    "site/*.qmd",
    "site/notes/*.md",
    "site/assets/site.*",
    "data/*",
)


def serve(root: Path, site: Path, remake: Callable[[], None], port: int) -> None:
    """Make the site, serve it on the loopback address, and watch until interrupted.

    Raises
    ------
    InputError
        Where the port is taken; or, the first time, whatever making the site says.
    """
    remake()
    handler = functools.partial(_Quiet, directory=str(site))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        raise InputError(
            f"Port {port} is taken.", hint="Choose another: python -m analysis preview --port 4849"
        ) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"Serving http://127.0.0.1:{port}/ ; stop with Ctrl-C.")
    seen = newest(root)
    while True:
        time.sleep(1)
        now = newest(root)
        if now == seen:
            continue
        try:
            remake()
        except (InputError, GateError) as error:
            print(error, file=sys.stderr)
        seen = newest(root)


def newest(root: Path) -> dict[str, int]:
    """Modification time, in nanoseconds, of each file that is written by hand."""
    files = {file for pattern in WATCHED for file in root.glob(pattern) if file.is_file()}
    return {str(file): file.stat().st_mtime_ns for file in files if not _is_generated(file)}


def _is_generated(file: Path) -> bool:
    return file.suffix == ".qmd" and b"<!-- generated" in file.read_bytes()[:2000]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""
