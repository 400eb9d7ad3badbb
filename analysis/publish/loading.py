"""What the engines let pages wait for, taken off them: blocking scripts, and a font of two thousand icons."""

from __future__ import annotations

import re
from pathlib import Path

_SCRIPT = re.compile(r'<script (src="[^"]*site_libs/[^"]*")((?: type="(?!module)[^"]*")?)></script>')
_ICONS = re.compile(r'<link [^>]*bootstrap-icons(?:\.min)?\.css"[^>]*>\n?')


def speed_up(site: Path) -> None:
    """Defer the scripts of the engine and leave out its icon font; ``site.css`` draws the few icons that are shown.

    Deferred scripts keep their order and run before the page says that it is loaded, which is what the engine's own
    scripts wait for.

    Parameters
    ----------
    site : Path
        Folder of a rendered site.
    """
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = _ICONS.sub("", _SCRIPT.sub(r"<script \1\2 defer></script>", text))
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    for file in (site / "site_libs").rglob("bootstrap-icons*"):
        if file.is_file():
            file.unlink()
