"""Files of a source, in folders of this machine or in an object store."""

from __future__ import annotations

import hashlib
import re
import stat
import urllib.parse
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pyarrow import parquet

from analysis.base.errors import InputError, listed, place_of
from analysis.sources.locate import part_files
from analysis.sources.readers.archives import SUFFIXES as PACKED
from analysis.sources.readers.formats import TABLE_FILE
from analysis.sources.readers.stores import explain_store, find_stored, is_stored, open_store

BUFFER_BYTES = 2**20
"""Bytes that are fetched at once while a column of a stored file is read."""
_DATABASE = r"db|sqlite3?"
_PROJECT_FILE = re.compile(r"(requirements|constraints|readme|licen[cs]e|changelog)\b", re.IGNORECASE)
_REQUIREMENT = re.compile(rb"\s*[A-Za-z][\w.-]*(\[[\w,. -]*\])?\s*[=<>!~]=?\s*\d")
_TEXT_FILE = re.compile(r"\.(txt|dat)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DataFiles:
    """Files of one table.

    Attributes
    ----------
    places : tuple of str
        Absolute paths, or addresses.
    folder : str
        Folder, or address, that the files were looked for in; empty if they were named.
    shown : str
        What messages and pages call them.
    """

    places: tuple[str, ...]
    folder: str
    shown: str

    def partition_of(self, place: str) -> dict[str, str]:
        """Return the values that the folders between the folder and a file of it are called after.

        >>> DataFiles((), "/sales", "sales").partition_of("/sales/country=DE/year=2023/part-0.parquet")
        {'country': 'DE', 'year': '2023'}
        """
        inner = Path(place).relative_to(self.folder).parts[:-1] if self.folder else ()
        pairs = (part.partition("=") for part in inner)
        return {name: urllib.parse.unquote(value) for name, sign, value in pairs if sign}


def join_digests(digests: list[str]) -> str:
    """Give one digest of several files, or that of the only one."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def name_table(shown: str) -> str:
    """Name a table by its file, without endings.

    >>> name_table("orders-*.csv")
    'orders'
    """
    return shown.split(".")[0].replace("*", "").strip("-_ ") or "table"


def find_data(address: str, root: Path, setting: str) -> DataFiles:
    """Find a file, the files of a pattern, or those of a folder of Parquet files.

    Parameters
    ----------
    address : str
        Path, or address in an object store, such as ``s3://bucket/orders/``.
    root : Path
        Folder that a relative path starts from.
    setting : str
        Place in the settings that messages name.

    Raises
    ------
    InputError
        No such file; a store that cannot be reached, or refuses access.
    """
    if is_stored(address):
        places, folder, shown = find_stored(address, f"{place_of(setting)}: {address}")
        return DataFiles(tuple(places), folder, shown)
    files = _find_files(address, root, setting)
    place = Path(address).expanduser()
    whole = (place if place.is_absolute() else root / place).absolute()
    folder = str(whole) if whole.is_dir() else ""
    shown = files[0].name if len(files) == 1 and not folder else place.name
    return DataFiles(tuple(str(file.absolute()) for file in files), folder, shown)


def read_stored(place: str, setting: str) -> bytes:
    """Read a whole file of an object store.

    Raises
    ------
    InputError
        Where it cannot be read.
    """
    with explain_store(f"{place_of(setting)}: {place}"):
        store, path = open_store(place)
        with store.open_input_file(path) as file:
            return file.read()


def open_parquet_file(place: str) -> parquet.ParquetFile:
    """Open a Parquet file of this machine or of an object store; a part of it is fetched when it is read."""
    if not is_stored(place):
        return parquet.ParquetFile(place)
    store, path = open_store(place)
    return parquet.ParquetFile(path, filesystem=store, buffer_size=BUFFER_BYTES, pre_buffer=False)


def _find_files(address: str, root: Path, setting: str) -> list[Path]:
    """Find files of this machine; where there are none, name the data files beside."""
    path = Path(address).expanduser()
    whole = path if path.is_absolute() else root / path
    where = f"{place_of(setting)}: {address}"
    try:
        mode = whole.stat().st_mode
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise InputError(f"{where}: a part of this path is a file, not a folder.", hint="Correct the path.") from None
    except PermissionError:
        raise unreadable(where) from None
    except OSError as error:
        if "symbolic links" in str(error) or isinstance(error, RuntimeError):
            raise InputError(
                f"{where} is a symbolic link that leads back to itself.",
                "Expected a file.",
                "Replace the link with the file.",
            ) from None
        raise InputError(f"{where} cannot be opened: {error.strerror}.", hint="Correct the path.") from None
    else:
        if stat.S_ISREG(mode):
            return [whole]
        if stat.S_ISDIR(mode):
            return _files_of_folder(whole, where)
        raise InputError(f"{where} is not a regular file.", "Expected a file.", "Copy its contents to a file.")
    if re.search(r"[*?\[]", address):
        pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)
        try:
            files = sorted(file for file in Path(path.anchor or root).glob(pattern) if file.is_file())
        except ValueError:
            files = []
        if files:
            return files
        raise InputError(f"{where} matches no file.", "Expected at least one.", "Correct the pattern.")
    tables = _data_files(whole.parent)
    near = get_close_matches(whole.name, tables, n=3, cutoff=0.5)
    folder = "" if whole.parent.is_dir() else f"The folder {Path(address).parent} does not exist either."
    raise InputError(
        f"{where} does not exist.",
        folder
        or (f"Data files in this folder: {listed(tables, 6)}." if tables else "This folder contains no data file."),
        f"Did you mean {' or '.join(repr(name) for name in near)}?" if near else "Correct the path.",
    )


def _files_of_folder(folder: Path, where: str) -> list[Path]:
    if parts := part_files(folder):
        return parts
    inside = _data_files(folder)
    raise InputError(
        f"{where} is a folder.",
        f"Expected a file. Data files in this folder: {listed(inside, 6)}." if inside else "Expected a file.",
        "Give one file, or a pattern such as *.csv for files with the same columns.",
    )


def _listing(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _data_files(folder: Path) -> list[str]:
    """List the files of a folder that contain data, judged by suffix and, for plain text, by content."""
    return sorted(file.name for file in _listing(folder) if file.is_file() and _is_data(file))


def _is_data(file: Path) -> bool:
    if _TEXT_FILE.search(file.name):
        return _is_table(file)
    return bool(TABLE_FILE.search(file.name) or re.search(rf"\.({PACKED}|{_DATABASE})$", file.name, re.IGNORECASE))


def _is_table(file: Path) -> bool:
    """Return whether the first lines of a text file have the same number of one delimiter and are no requirements."""
    if _PROJECT_FILE.match(file.name):
        return False
    try:
        with file.open("rb") as content:
            lines = [line for line in content.read(4096).splitlines()[:5] if line.strip()]
    except OSError:
        return False
    if any(_REQUIREMENT.match(line) for line in lines):
        return False
    counts = [{line.count(delimiter) for line in lines} for delimiter in (b",", b";", b"\t", b"|")]
    return len(lines) > 1 and any(len(count) == 1 and min(count) > 0 for count in counts)


def unreadable(where: str) -> InputError:
    """Return the error of a file that this user may not read."""
    return InputError(
        f"{where} cannot be read: permission denied.",
        "Expected a file that this user may read.",
        "Grant read permission: chmod u+r.",
    )
