"""Typesetting of a page with Typst. It imports no other module, so a change of any other keeps what it made."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

PPI = 144
"""Pixels an inch of a picture card of 600 by 315 points, which has 1200 by 630 pixels."""


def compile_brief(template: str, data: str) -> bytes:
    """Compile a tagged PDF (PDF/UA-1) or a PNG picture, by the name of the template.

    Parameters
    ----------
    template : str
        Its file.
    data : str
        What it shows, as JSON.
    """
    import typst

    fonts = find_spec("font_source_sans_pro")
    assert fonts
    assert fonts.origin
    named: dict[str, Any] = {"sys_inputs": {"data": data}, "font_paths": [str(Path(fonts.origin).parent / "files")]}
    if Path(template).stem == "card":
        return typst.compile(template, format="png", ppi=PPI, **named)
    try:
        return typst.compile(template, format="pdf", pdf_standards="ua-1", **named)
    except typst.TypstError:
        # A letter that no font has is refused by the standard; the page is tagged all the same.
        return typst.compile(template, format="pdf", **named)
