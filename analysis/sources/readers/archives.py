"""Compressed files and archives, opened until tables appear."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from analysis.base.errors import InputError
from analysis.sources.readers.formats import TABLE_FILE
from analysis.sources.readers.workbooks import looks_like_workbook

MAX_UNPACKED = 8 * 2**30
SUFFIXES = "gz|zip|bz2|xz|zst"
"""Ends of the names of archives, as alternatives of a regular expression."""
_DEEPEST = 3
_PACKED = re.compile(rf"\.({SUFFIXES})$", re.IGNORECASE)


def _decompress_zstd(data: bytes) -> bytes:
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()


_COMPRESSIONS: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\0": ("xz", lzma.decompress),
    b"(\xb5/\xfd": ("Zstandard", _decompress_zstd),
}
"""Name and function of each compression, by how its files begin."""


def unpack(place: str, name: str, data: bytes, depth: int = 0) -> list[tuple[str, bytes]]:
    """Open compressed files and archives until tables appear.

    Parameters
    ----------
    place : str
        What messages begin with, before the name of the file.
    name : str
        Name of the file.
    data : bytes
    depth : int
        How many archives this one lies in.

    Returns
    -------
    list of (str, bytes)
        The files in it, by name; the file itself where it is none.

    Raises
    ------
    InputError
        Where it is empty, damaged, encrypted, or an archive in archives.
    """
    where = f"{place}: {name}"
    if not data:
        raise InputError(f"{where} is empty (0 bytes).", "Expected a table.", "Export the table again.")
    for begins, (kind, decompress) in _COMPRESSIONS.items():
        if data.startswith(begins) and depth < _DEEPEST:
            try:
                inner = decompress(data)
            except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException):
                raise _damaged(where, kind) from None
            return unpack(place, name, inner, depth + 1)
    is_zip = data.startswith((b"PK\x03\x04", b"PK\x05\x06")) or name.lower().endswith(".zip")
    if not is_zip or looks_like_workbook(data, name):
        return [(name, data)]
    members = _members(where, data)
    if depth >= _DEEPEST:
        raise InputError(f"{where} is a nested archive.", "Expected a table.", "Unpack it first.")
    return [file for name, inner in members for file in unpack(place, name, inner, depth + 1)]


def _damaged(where: str, kind: str) -> InputError:
    return InputError(
        f"{where} is a damaged or truncated {kind} archive.",
        "Expected a complete file.",
        "Download or copy it again.",
    )


def _members(where: str, data: bytes) -> list[tuple[str, bytes]]:
    """Files of a zip archive: those that are called like tables, or all."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [i for i in archive.infolist() if not i.is_dir() and not re.search(r"(^|/)[._]", i.filename)]
            if sum(info.file_size for info in infos) > MAX_UNPACKED:
                raise InputError(f"{where} unpacks to more than 8 GB.", hint="Unpack it and give one file.")
            if not infos:
                raise InputError(f"{where} is an empty archive.", "Expected a table.", "Create the archive again.")
            tables = [info for info in infos if TABLE_FILE.search(_PACKED.sub("", info.filename))]
            beside = [info for info in tables if not re.search(r"\.(?:txt|md|log)$", info.filename, re.IGNORECASE)]
            tables = beside or tables
            return [(Path(info.filename).name, archive.read(info)) for info in tables or infos]
    except RuntimeError:
        raise InputError(
            f"{where} is an encrypted archive.",
            "Expected an archive without a password.",
            "Unpack it and give the file.",
        ) from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, zlib.error, NotImplementedError):
        raise _damaged(where, "zip") from None
