"""Approval of a rendered site: what the check refuses stops it, and is said."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from analysis.base.errors import GateError, InputError
from analysis.base.manifest import EXPORTS, list_digests, read_stamp
from analysis.publish import last_site
from analysis.publish.gate.checks import Refusal
from analysis.publish.gate.checks import check as check_site
from analysis.publish.offline import COPY, add_offline_copy
from analysis.publish.quarto import OUTPUT, WHOLE, count_pages, is_partial_run, is_preview
from analysis.publish.search import write_index
from analysis.report.private import private_from_build

DOWNLOADS = "site/downloads"
FORCED = "SEGMENTATION_PUBLISH_INTERNAL"
"""Environment variable that lets a workflow publish an internal site."""


def approve(site: Path, root: Path, after: str = "", skip: tuple[str, ...] = ()) -> None:
    """Raise `GateError` if a site breaks a rule that is not in ``skip``; ``after`` ends the message."""
    private = private_from_build(root / "build")
    if not private.known:
        reason = "build/ does not contain the list of private values, so customer keys and free text cannot be found."
        hint = "  Build the site on this computer, then check it: python -m analysis build --force"
        raise GateError("\n".join(filter(None, ["The site must not be published:", reason, hint, after])))
    if private.internal and os.environ.get("GITHUB_ACTIONS") and not os.environ.get(FORCED):
        raise GateError(
            "The site must not be published: it is internal (disclosure: internal) and may state exact figures.\n"
            "  Set disclosure: public in _quarto.yml, or, if only the right people can read the pages, set the "
            f"environment variable {FORCED}=1."
        )
    refusals = [
        *_find_exports(site, root),
        *_find_foreign(site, root),
        *(found for found in check_site(site, private) if found.rule not in skip),
    ]
    if refusals:
        lines = [str(refusal) for refusal in refusals[:20]]
        more = [f"... and {len(refusals) - 20} more"] if len(refusals) > 20 else []
        raise GateError("\n".join(["The site must not be published:", *lines, *more, *filter(None, [after])]))


def _find_foreign(site: Path, root: Path) -> list[Refusal]:
    """Find downloads that the build did not write, such as an export of customers that was left there."""
    written = read_stamp(root).get("files")
    if written is None:
        return []
    why = f"the build did not write this file; remove it from {DOWNLOADS}, or put a file of your own into site/assets"
    there = sorted(path.relative_to(site).as_posix() for path in (site / DOWNLOADS).rglob("*") if path.is_file())
    return [Refusal(name, 1, "downloads", why) for name in there if name != COPY and name not in written]


def _find_exports(site: Path, root: Path) -> list[Refusal]:
    """Find copies of exported lists of customers, under whatever name."""
    lists = [file for file in (root / EXPORTS).rglob("*") if file.is_file()]
    sizes = {file.stat().st_size for file in lists}
    exported = {digest: Path(name).name for name, digest in list_digests(root, lists).items()}
    there = [path for path in site.rglob("*") if path.is_file() and path.stat().st_size in sizes]
    why = "this is the list of customers exports/{}; remove it from the site"
    return [
        Refusal(name, 1, "exports", why.format(exported[digest]))
        for name, digest in list_digests(site, there).items()
        if digest in exported
    ]


def approve_folder(root: Path, folder: Path) -> bool:
    """Check a rendered site, of which Quarto may have rendered only some pages; return whether it is whole.

    The offline copy is added to what Quarto rendered by itself.
    """
    if OUTPUT in os.environ and (os.environ.get(WHOLE) or not (folder / COPY).exists()):
        write_index(folder, root)
        add_offline_copy(folder)
    there, all_pages = count_pages(root, folder) if is_partial_run(root) else (0, 0)
    approve(folder, root, skip=("links",) if there < all_pages else ())
    if there < all_pages:
        print(f"{there} of {all_pages} pages are rendered and up to date. To render the whole site, run: quarto render")
        return False
    if OUTPUT in os.environ and not is_preview():
        last_site.keep_site(root, folder)
    return True


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack a site into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        except (zipfile.BadZipFile, EOFError, OSError):
            raise InputError(
                f"{os.path.relpath(archive)} cannot be unpacked.", hint="Run: make site OUT=site.zip"
            ) from None
        yield Path(folder)
