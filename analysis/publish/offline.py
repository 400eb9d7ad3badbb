"""The offline copy: the whole site in one zip, which the Downloads page offers."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

COPY = "site/downloads/site.zip"
PAGE = "site/downloads.html"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
_ONLINE = re.compile(r"<!-- online -->.*?<!-- /online -->", re.DOTALL)
_SIZE = re.compile(r'(<span data-size="site\.zip">)[^<]*')


def pack_site(site: Path, archive: Path) -> Path:
    """Put a site into one file without the offline copy itself: the same site gives the same bytes.

    Parameters
    ----------
    site : Path
        Folder of a rendered site.
    archive : Path
        File to write.

    Returns
    -------
    Path
        ``archive``.
    """
    files = sorted(path for path in site.rglob("*") if path.is_file() and path != site / COPY)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            name = file.relative_to(site).as_posix()
            content = file.read_bytes()
            if name == PAGE:
                content = _ONLINE.sub("", content.decode("utf-8")).encode("utf-8")
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, content)
    return archive


def add_offline_copy(site: Path) -> None:
    """Put the offline copy into a rendered site, and its size on the Downloads page; nothing without that page."""
    page = site / PAGE
    if not page.is_file():
        return
    (site / COPY).parent.mkdir(parents=True, exist_ok=True)
    size = pack_site(site, site / COPY).stat().st_size
    told = f"{max(round(size / 1e3), 1)} kB" if size < 999_500 else f"{round(size / 1e6)} MB"
    text = page.read_text(encoding="utf-8")
    page.write_text(_SIZE.sub(rf"\g<1>ZIP: all pages and all files. {told}", text), encoding="utf-8")
