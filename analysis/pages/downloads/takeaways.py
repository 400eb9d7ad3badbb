"""Writer of everything below ``site/downloads/``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from analysis.base.cache import Kept
from analysis.pages.downloads.briefs import Brief, write_briefs
from analysis.pages.downloads.sharing import PICTURE, draw_picture, export_segments
from analysis.pages.downloads.slides import SLIDES, draw_slides
from analysis.pages.downloads.workbook import WORKBOOK, write_workbook
from analysis.pages.figures import Figure
from analysis.pages.files import remove_others, write_changed
from analysis.pages.rules import export_rules
from analysis.report.model import Report


def write_takeaways(
    report: Report,
    root: Path,
    figures: Mapping[str, Figure],
    tokens: dict[str, str],
    home: str,
    briefs: Iterable[Brief],
    kept: Kept | None = None,
) -> list[Path]:
    """Write slides, workbook, briefs, the preview picture and the files for other programs.

    Parameters
    ----------
    report : Report
    root : Path
        Project folder.
    figures : mapping of str to Figure
        Charts of the pages, by name.
    tokens : dict of str to str
        Colours of the style sheet.
    home : str
        What comes before the addresses of pages.
    briefs : iterable of Brief
    kept : Kept, optional
        What was drawn and typeset for the builds before.

    Returns
    -------
    list of Path
        The files; others of their kinds are removed.
    """
    folder = root / "site" / "downloads"
    contents: dict[str, str | bytes] = {
        **export_rules(report),
        **export_segments(report),
        PICTURE: draw_picture(report, tokens, kept),
        SLIDES: draw_slides(report, figures, tokens, home),
        WORKBOOK: write_workbook(report),
    }
    files = [write_changed(folder / name, content) for name, content in contents.items()]
    files += write_briefs(briefs, folder, root / "templates" / "briefs", kept)
    for pattern in ("segment*", "brief*.pdf", "card*.png"):
        remove_others(folder, pattern, files)
    return files
