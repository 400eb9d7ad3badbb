"""Copy of the last good site, which is restored after a failure or an interruption.

Only the standard library is used, so that the copy can be put back where the environment is incomplete.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from analysis.base.errors import InputError
from analysis.base.manifest import check_whole

FOLDER = "build/last-site"
REFUSED = "build/refused"
RUNNING = "running.json"
_HIDDEN = re.compile(r"-(?:(\d+)-)?\w{8}")
"""Rest of the name of a hidden folder beside a site: the process that made it, and eight random characters."""
MOST_SITES = 3
"""Output folders of which a copy is kept, the last used ones. A choice: one for each profile that is at work."""


def keep_site(root: Path, site: Path, source: Path | None = None) -> None:
    """Keep a copy of a site that passed the gate.

    Parameters
    ----------
    root : Path
        Project folder.
    site : Path
        Folder in which the site is published; the copy is put back there.
    source : Path, optional
        Folder to copy from, where the site is not in its place yet; default is ``site``.
    """
    folder = _folder(root, site)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="copy-", dir=folder))
    try:
        shutil.copytree(source or site, fresh, dirs_exist_ok=True)
        manifest = {"site": _relative(root, site), "copy": fresh.name, "files": list_files(fresh)}
        _write(folder / "manifest.json", manifest)
    except OSError:
        # As where the disk is full: the earlier copy and its manifest are still whole.
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    for other in folder.glob("copy-*"):
        if other != fresh:
            shutil.rmtree(other, ignore_errors=True)
    manifests = sorted((root / FOLDER).glob("*/manifest.json"), key=lambda file: file.stat().st_mtime_ns)
    # Where the clock was set back, the newest copy has the earliest time.
    for file in [file for file in manifests if file.parent != folder][: -(MOST_SITES - 1)]:
        shutil.rmtree(file.parent, ignore_errors=True)


def put_back(root: Path, site: Path, refused: bool = False) -> str:
    """Put the kept copy of a site back in its place.

    Parameters
    ----------
    root : Path
        Project folder.
    site : Path
        Folder of the site.
    refused : bool
        Whether the folder holds pages that the gate refused; they move to ``build/refused``.

    Returns
    -------
    str
        What stands in the folder now, as one sentence.
    """
    shown = _relative(root, site)
    if refused and site.is_dir():
        set_aside(root, site)
    manifest = _read_manifest(root, site)
    if manifest is None:
        return f"There is no earlier site to restore in {shown}."
    folder = _folder(root, site)
    if site.is_dir() and list_files(site) == manifest["files"]:
        return f"The last good site is in {shown}."
    fresh = make_hidden(site)
    try:
        shutil.copytree(folder / manifest["copy"], fresh / site.name)
        replace_folder(fresh / site.name, site, fresh / "last")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return f"The last good site was restored in {shown}."


def make_hidden(site: Path, locked: bool = False) -> Path:
    """Make a hidden folder beside a site, in which a process prepares the next one; ``locked`` removes all others."""
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        if locked:
            remove_leftovers(site, locked=True)
        return Path(tempfile.mkdtemp(prefix=f".{site.name}-{os.getpid()}-", dir=site.parent))
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise InputError(
            f"No folder can be made in {site.parent}: {error.strerror}.",
            "Expected a place for the site that can be written to.",
            "Choose another folder with --out.",
        ) from None


def set_aside(root: Path, pages: Path) -> str:
    """Move pages that the gate refused to ``build/refused``, and return that place."""
    shutil.rmtree(root / REFUSED, ignore_errors=True)
    (root / REFUSED).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(pages, root / REFUSED)
    return REFUSED


@contextlib.contextmanager
def replacing(root: Path, site: Path) -> Iterator[None]:
    """Mark a site as being replaced, so that `recover` can restore it after an interruption."""
    begin(root, site, os.getpid())
    yield
    end(root)


def begin(root: Path, site: Path, pid: int) -> None:
    """Note that a process writes into the folder of a site."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    _write(root / FOLDER / RUNNING, {"site": _relative(root, site), "pid": pid})


def end(root: Path) -> None:
    """Note that the site is whole again."""
    (root / FOLDER / RUNNING).unlink(missing_ok=True)


def recover(root: Path) -> str:
    """Put the last good site back where a process that wrote it was killed.

    Returns
    -------
    str
        One sentence; empty where there was nothing to do.
    """
    mark = _read(root / FOLDER / RUNNING)
    if mark is not None:
        if _is_alive(mark.get("pid")):
            return ""
        site = root / str(mark.get("site", "_site"))
        remove_leftovers(site)
        said = put_back(root, site)
        end(root)
        return f"The last render was interrupted. {said}" if "restored" in said else ""
    remove_leftovers(root / "_site")
    for file in (root / FOLDER).glob("*/manifest.json"):
        manifest = _read(file)
        site = root / str(manifest["site"]) if manifest else root / "_site"
        remove_leftovers(site)
        if manifest and site.parent.is_dir() and not all((site / name).is_file() for name in manifest["files"]):
            return f"{manifest['site']} was missing or incomplete. {put_back(root, site)}"
    return ""


def replace_folder(fresh: Path, site: Path, aside: Path) -> None:
    """Put a folder in the place of another; what stood there is set aside.

    Linux and macOS exchange the two in one step, so that a site stands there at every moment. Elsewhere, and on file
    systems that cannot do so, the folders are renamed one after the other; an error puts the earlier one back, and
    after a kill in between `recover` does.
    """
    if not site.exists():
        fresh.rename(site)
        return
    if exchange(fresh, site):
        fresh.rename(aside)
        return
    site.rename(aside)
    try:
        fresh.rename(site)
    except BaseException:
        aside.rename(site)
        raise


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system or the file system cannot."""
    call = {"linux": ("renameat2", -100, 2), "darwin": ("renameatx_np", -2, 2)}.get(sys.platform)
    if call is None:
        return False
    name, here, swap = call
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return False
    return function(here, os.fsencode(one), here, os.fsencode(other), swap) == 0


def list_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def remove_leftovers(site: Path, locked: bool = False) -> None:
    """Remove the hidden folders that killed renders left; one that holds the only site gives it back first.

    Parameters
    ----------
    site : Path
    locked : bool
        Whether the caller holds the lock of the project, so that no other process can own such a folder; otherwise
        those of running processes stay.
    """
    for folder in sorted(site.parent.glob(f".{site.name}-*")):
        owner = _HIDDEN.fullmatch(folder.name.removeprefix(f".{site.name}"))
        if owner is None or not folder.is_dir() or (not locked and owner[1] and _is_alive(int(owner[1]))):
            continue
        if (folder / "last").is_dir() and not site.exists():
            (folder / "last").rename(site)
        shutil.rmtree(folder, ignore_errors=True)


def _read_manifest(root: Path, site: Path) -> dict | None:
    """Read the manifest of a kept copy; None where the copy is not whole."""
    folder = _folder(root, site)
    manifest = _read(folder / "manifest.json")
    if manifest is None or list_files(folder / str(manifest.get("copy"))) != manifest.get("files"):
        return None
    return manifest


def _folder(root: Path, site: Path) -> Path:
    return root / FOLDER / hashlib.sha256(_relative(root, site).encode()).hexdigest()[:12]


def _relative(root: Path, site: Path) -> str:
    return Path(os.path.relpath(site.resolve(), root.resolve())).as_posix()


def _read(file: Path) -> dict | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _write(file: Path, content: dict) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    fresh.replace(file)


def _is_alive(pid: object) -> bool:
    """Whether a process still runs; on Windows, where asking would end it, it is taken to have ended."""
    if not isinstance(pid, int) or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
        # One that ended, but that nobody has asked for its exit code, still answers.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:
        return True


def name_source(root: Path) -> str:
    """Return the name of the study's data, read directly because importing the analysis takes long.

    Raises
    ------
    InputError
        Where there is no build, or the last one is not whole.
    """
    check_whole(root)
    try:
        report = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
        return describe_data(report["data"]["sources"][0]["name"], report["study"]["synthetic"])
    except (ValueError, LookupError, TypeError):
        raise InputError(
            "build/report.json cannot be read as a report.", hint="Run: python -m analysis build --force"
        ) from None


def describe_data(data: str, synthetic: bool) -> str:
    """Return the name of the data, marked if they are synthetic."""
    return f"{data} (synthetic demonstration data)" if synthetic else data
