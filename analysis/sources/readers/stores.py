"""Object stores such as S3: their files by addresses, and what is said where they refuse."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
from pyarrow import fs

from analysis.base.errors import InputError, listed
from analysis.sources.locate import DELTA_LOG, choose_parts
from analysis.sources.readers.delimited import first_line

TIMEOUT_SECONDS = 30
_STORED = re.compile(r"(s3a?|gs|gcs|abfss?|az|adl|hdfs|webhdfs|oss|sftp)://([^/]*)/?(.*)", re.IGNORECASE | re.DOTALL)
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS",
    "abfs": "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
}
"""Variables of the environment that give access, by the beginning of an address."""
_REASONS = (
    (
        r"no.?such.?bucket",
        "there is no bucket of this name.",
        "Expected a bucket that exists.",
        "Check its name, and AWS_ENDPOINT_URL if the store is not Amazon's.",
    ),
    (
        r"access.?denied|forbidden|\b40[13]\b|invalid.?access.?key|signature|expired.?token|credential|unauthor",
        "access is denied.",
        "Expected credentials in the environment that may list and read it{such}.",
        "Set or renew them.",
    ),
    (
        r"network|resolve host|could not connect|timed? ?out|connection",
        "the store cannot be reached.",
        "Expected a connection to it.",
        "Check the network, and the endpoint and region that the environment names.",
    ),
)
"""How errors of stores read, what they mean, what was expected and what to do."""


def is_stored(place: str) -> bool:
    """Return whether a place is in an object store.

    >>> is_stored("s3://shop/orders/"), is_stored("sqlite:///shop.db"), is_stored("data/orders.csv")
    (True, False, False)
    """
    return bool(_STORED.match(place))


def find_stored(address: str, where: str) -> tuple[list[str], str, str]:
    """Find a file, the files of a pattern, or those of a folder of Parquet files.

    Parameters
    ----------
    address : str
        Such as ``s3://bucket/orders/``.
    where : str
        What messages begin with: the place in the settings, and the address.

    Returns
    -------
    files : list of str
        Addresses.
    folder : str
        Address of the folder, without a slash at its end; empty where files were named.
    shown : str
        Name of the file or folder, fit for a public page.

    Raises
    ------
    InputError
        No such file; a store that cannot be reached, or refuses access.
    """
    base, key = _split_address(address, where)
    pattern = key.split("/")
    fixed = next((i for i, part in enumerate(pattern) if re.search(r"[*?\[]", part)), None)
    with explain_store(where):
        if fixed is not None:
            names = _list_files(base, "/".join(pattern[:fixed]))
            files = [f"{base}/{name}" for name in names if _fits(name.split("/"), pattern)]
            if not files:
                raise InputError(f"{where} matches no file.", "Expected at least one.", "Correct the pattern.")
            shown = files[0].rsplit("/", 1)[1] if len(files) == 1 else pattern[-1]
            return files, "", shown
        store, path = open_store(f"{base}/{key}")
        kind, shown = store.get_file_info(path).type, key.rsplit("/", 1)[-1] or "bucket"
        if kind == fs.FileType.File:
            return [f"{base}/{key}"], "", shown
        if kind != fs.FileType.Directory:
            raise _missing(where)
        names = _list_files(base, key)
    folder = f"{base}/{key}".rstrip("/")
    inner = [name.removeprefix(key).lstrip("/") for name in names]
    if any(name.startswith(f"{DELTA_LOG}/") for name in inner):
        raise InputError(
            f"{where} is a Delta table, some of whose files may hold rows that were deleted.",
            "Expected the engine spark, and an address that begins with table:",
            f"Set path: table:delta.`{folder}`",
        )
    if parts := choose_parts(map(PurePosixPath, inner)):
        return [f"{folder}/{part}" for part in parts], folder, shown
    raise InputError(
        f"{where} is a folder with other files than Parquet.",
        f"Expected one file, or Parquet files alone. Files in this folder: {listed(inner, 6)}.",
        "Give one file, or a pattern such as *.csv for files with the same columns.",
    )


def open_store(place: str) -> tuple[Any, str]:
    """Return the file system of an address in an object store, and the path there.

    Endpoint, region and credentials come from the environment alone.
    """
    match = _STORED.fullmatch(place)
    assert match is not None
    endpoint, region = (next(filter(None, map(os.environ.get, names)), "") for names in (_ENDPOINTS, _REGIONS))
    store, start = _connect(match[1].lower(), match[2], endpoint, region)
    return store, f"{start}/{match[3]}".rstrip("/")


@contextmanager
def explain_store(where: str) -> Iterator[None]:
    """Turn what a store refuses in the block into an error that says what to do.

    Raises
    ------
    InputError
    """
    try:
        yield
    except FileNotFoundError:
        raise _missing(where) from None
    except (OSError, pa.ArrowException) as error:
        for pattern, what, expected, hint in _REASONS:
            if re.search(pattern, str(error).replace("_", " "), re.IGNORECASE):
                known = [names for scheme, names in _CREDENTIALS.items() if f" {scheme}" in where]
                such = f", such as {known[0]}" if known else ""
                raise InputError(f"{where}: {what}", expected.format(such=such), hint) from None
        raise InputError(
            f"{where} cannot be read: {first_line(error)}", "Expected a complete file.", "Check the address."
        ) from None


@lru_cache(maxsize=16)
def _connect(scheme: str, authority: str, endpoint: str, region: str) -> tuple[Any, str]:
    """Connect to a bucket or its like, and return the file system and the path of the bucket there."""
    if scheme in ("s3", "s3a"):
        kind, _, host = endpoint.rstrip("/").rpartition("://")
        at = {"endpoint_override": host, "scheme": kind or "https"} if endpoint else {}
        region = region or ("" if endpoint else fs.resolve_s3_region(authority))
        more = {"region": region} if region else {}
        limits = {"connect_timeout": TIMEOUT_SECONDS / 3, "request_timeout": TIMEOUT_SECONDS}
        return fs.S3FileSystem(**at, **more, **limits), authority
    if scheme in ("gs", "gcs"):
        return fs.GcsFileSystem(retry_time_limit=dt.timedelta(seconds=TIMEOUT_SECONDS / 3)), authority
    try:
        store, path = fs.FileSystem.from_uri(f"{scheme}://{authority}/")
        return store, path.rstrip("/")
    except pa.ArrowInvalid:
        return _connect_by_fsspec(scheme, authority)


def _connect_by_fsspec(scheme: str, authority: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs

        store, path = url_to_fs(f"{scheme}://{authority}/")
    except (ImportError, ValueError) as error:
        raise InputError(
            f"{scheme}:// addresses cannot be read: {first_line(error)}",
            "Expected the Python package fsspec, and the one that it needs for these addresses.",
            "Install them with pip, or copy the files to this machine.",
        ) from None
    return fs.PyFileSystem(fs.FSSpecHandler(store)), path.rstrip("/")


def has_folder(address: str) -> bool:
    """Return whether there is a folder at an address; not where the store cannot say so."""
    try:
        _split_address(address, address)
        store, path = open_store(address)
        return store.get_file_info(path).type == fs.FileType.Directory
    except (OSError, pa.ArrowException, InputError):
        return False


def _split_address(address: str, where: str) -> tuple[str, str]:
    """Return the address of the bucket and the rest; an address with credentials is refused."""
    match = _STORED.fullmatch(address)
    assert match is not None
    scheme, authority, key = match[1], match[2], match[3].strip("/")
    if ":" in authority.rpartition("@")[0] or (authority.count("@") and not scheme.lower().startswith("abfs")):
        raise InputError(
            f"{where.partition(': ')[0]}: the address contains credentials.",
            "Expected them in the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            "Remove them from the address, and change them if others may have seen them.",
        )
    if not authority:
        raise InputError(f"{where} names no bucket.", f"Expected {scheme}://bucket/file.", "Correct the address.")
    return f"{scheme}://{authority}", key


def _list_files(base: str, key: str) -> list[str]:
    """List the names of the files in a folder of a store and below it, from the bucket on, in order."""
    store, path = open_store(f"{base}/{key}")
    start = open_store(base)[1]
    try:
        found = store.get_file_info(fs.FileSelector(path, recursive=True))
    except FileNotFoundError:
        return []
    return sorted(each.path.removeprefix(start).lstrip("/") for each in found if each.type == fs.FileType.File)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path fit those of a pattern; two stars stand for any number of folders.

    >>> _fits(["a", "b", "c.csv"], ["a", "**", "*.csv"]), _fits(["a", "b", "c.csv"], ["a", "*.csv"])
    (True, False)
    """
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _fits(parts, pattern[1:]) or (bool(parts) and _fits(parts[1:], pattern))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _missing(where: str) -> InputError:
    return InputError(
        f"{where} does not exist.",
        "Expected a file, a pattern, or a folder of Parquet files.",
        "Check the bucket and the path; upper and lower case differ.",
    )
