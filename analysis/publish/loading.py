"""What the engines let pages wait for, taken off them: blocking scripts, a font of icons, a second theme."""

from __future__ import annotations

import re
from pathlib import Path

_SCRIPT = re.compile(r'<script (src="[^"]*site_libs/[^"]*")((?: type="(?!module)[^"]*")?)></script>')
_ICONS = re.compile(r'<link [^>]*bootstrap-icons(?:\.min)?\.css"[^>]*>\n?')
_HOVERS = re.compile(
    r'<(?:script [^>]*/(?:popper\.min|tippy\.umd\.min)\.js"[^>]*></script>|link [^>]*/tippy\.css"[^>]*>)\n?'
)
_DARK = re.compile(r"bootstrap-dark-[0-9a-f]+\.min\.css")


def speed_up(site: Path) -> None:
    """Defer the scripts of the engine and leave out what its pages load and do not need.

    Deferred scripts keep their order and run before the page says that it is loaded, which is what the engine's own
    scripts wait for. ``site.css`` draws the few icons that are shown, and states every colour of both modes, so the
    dark theme is the light one once more: one file of half a megabyte less.

    Parameters
    ----------
    site : Path
        Folder of a rendered site.
    """
    libraries = site / "site_libs"
    light = next(
        (p.name for p in libraries.rglob("bootstrap-*.min.css") if re.match(r"bootstrap-[0-9a-f]{8}", p.name)), ""
    )
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        lighter = _HOVERS.sub("", _ICONS.sub("", _SCRIPT.sub(r"<script \1\2 defer></script>", text)))
        lighter = _DARK.sub(light, lighter) if light else lighter
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    unused = [*libraries.rglob("bootstrap-icons*"), *libraries.rglob("tippy*"), *libraries.rglob("popper.min.js")]
    unused += libraries.rglob("bootstrap-dark-*.min.css") if light else []
    for file in unused:
        if file.is_file():
            file.unlink()
