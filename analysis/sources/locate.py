"""Locations of the sources, and the choice between real and synthetic data."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.base.errors import InputError
from analysis.settings.models import Source, Study

if TYPE_CHECKING:
    from analysis.sources.dates import DateOrder
    from analysis.sources.tables import RawTable

Location = Path | str
"""A file or a pattern of files, or the address of a database or a download."""

SHIPPED = {
    "twin": ("data/marketing_campaign.csv",),
    "retailer": tuple(f"data/retailer/{name}.csv" for name in ("customers", "orders", "survey", "events")),
}
"""Sources of the studies that come with the project, by the synthetic study that may stand in for them."""


def locate(
    root: Path, study: Study, data: Path | str | None, demo: bool, has_real_run: Callable[[], bool]
) -> tuple[list[Location], bool]:
    """Find each source of a study; synthetic data replaces missing sources.

    It stands in for the sources that come with the project, and no more once a run of the study was made from real
    data: a site about customers is not replaced by a demonstration because a file was moved.

    Parameters
    ----------
    root : Path
        Project folder.
    study : Study
    data : Path or str, optional
        File or address to read instead of the first source, from where the user stands.
    demo : bool
        Use the synthetic study, whatever there is.
    has_real_run : callable
        Says whether an earlier run was made from real data; asked only where sources that may be replaced are missing.

    Returns
    -------
    list of Path or str
        One location a source.
    bool
        Whether they are synthetic.

    Raises
    ------
    InputError
        Where a source is missing that has to be fetched first, or that an earlier run was made from, or where a
        demonstration is asked for that the study does not have.
    """
    paths = [_place(root, source.path) for source in study.sources]
    if data is not None and not demo:
        return [_place(Path.cwd(), str(data)), *paths[1:]], False
    if demo or _may_stand_in(study, paths, has_real_run):
        return _write_demo(root, study, paths), True
    for path, source in zip(paths, study.sources, strict=True):
        if source.origin and not any(mark in source.path for mark in "*?:") and not Path(path).exists():
            raise InputError(
                f"{source.path} does not exist.", source.origin, "Save the file there, or use another profile."
            )
    return paths, False


def files_at(path: Path) -> list[Path]:
    """List the file itself, or those that a pattern matches."""
    return [path] if os.path.exists(path) else sorted(Path(match) for match in glob.glob(str(path), recursive=True))


def _may_stand_in(study: Study, paths: list[Location], has_real_run: Callable[[], bool]) -> bool:
    if any(isinstance(path, str) or files_at(path) for path in paths):
        return False
    if {source.path for source in study.sources} - set(SHIPPED.get(study.demo, ())):
        return False
    if not has_real_run():
        return True
    raise InputError(
        f"{study.sources[0].path} does not exist.",
        "Earlier runs of this study used real data, so it is not replaced by synthetic data.",
        "Restore the file, or give another: make site DATA=path/to/file.csv. For the demonstration: make site DEMO=1",
    )


def _write_demo(root: Path, study: Study, paths: list[Location]) -> list[Location]:
    folder = root / "build" / "demo"
    if study.demo == "retailer":
        from analysis.sources.synthetic.retailer import write_retailer

        made = write_retailer(folder / "retailer")
        return [made.get(Path(path).stem, path) for path in paths]
    if study.demo == "twin":
        from analysis.sources.synthetic.twin import write_twin

        return [write_twin(folder)]
    raise InputError(
        "--demo: this study has no synthetic data.",
        "Expected the setting segmentation.demo: twin or retailer.",
        "Omit --demo, or use the default study.",
    )


def _place(folder: Path, place: str) -> Location:
    """Join a path to a folder; an address stays as it stands, as a path would lose a slash of it."""
    return place if "://" in place else folder / place


def read_source(
    path: Location, root: Path, source: Source, setting: str, known: Mapping[str, str] | None = None, fewest: int = 2
) -> RawTable:
    """Read a file as the settings say; an order of dates that a column cannot have gives way to its evidence.

    ``known`` has types of columns that may be there, and ``fewest`` is the number of rows that are enough.
    """
    from analysis.sources.delimited import Reading
    from analysis.sources.tables import read_table

    same = {name: getattr(source, name) for name in ("types", "decimal", "delimiter", "encoding", "sheet", "query")}
    own = path.relative_to(root) if isinstance(path, Path) and path.is_relative_to(root) else path

    def read(dates: DateOrder) -> RawTable:
        reading = Reading(**same, header=source.header, names=source.names, dates=dates, setting=setting)
        return read_table(own, root=root, reading=reading, known=known, fewest=fewest)

    raw = read(source.dates)
    if source.dates == "auto":
        return raw
    by_evidence = read("auto")
    overruled = any(
        by_evidence.column(c.name).type == "date"
        for c in raw.columns
        if c.type == "text" and c.name not in source.types
    )
    return by_evidence if overruled else raw
