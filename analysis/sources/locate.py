"""Locations of the sources, in files and on the web, and the choice between real and synthetic data."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from analysis.base.errors import InputError, place_of
from analysis.settings.models import Study

Location = Path | str
"""A file or a pattern of files, or the address of a database, a download, an object store or a table of Spark."""
TABLE = "table:"
"""How the address of a table of Spark begins."""
DELTA_LOG = "_delta_log"
"""Folder in a Delta table that says which of its files count."""

SHIPPED = {
    "twin": ("data/marketing_campaign.csv",),
    "retailer": tuple(f"data/retailer/{name}.csv" for name in ("customers", "orders", "survey", "events")),
}
"""Sources of the studies that come with the project, by the synthetic study that may stand in for them."""
KAGGLE = "imakash3011/customer-personality-analysis"
FILE = "marketing_campaign.csv"


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


def part_files(folder: Path) -> list[Path]:
    """List the Parquet files of a folder that holds one table in parts; none where it holds other files too.

    Folders in it may be called after a value, as in ``country=DE``.
    """
    inside = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return [folder / part for part in choose_parts(inside)]


def is_delta(folder: Path) -> bool:
    """Return whether a folder holds a Delta table, some of whose files may hold rows that were deleted."""
    return (folder / DELTA_LOG).is_dir()


def choose_parts(inside: Iterable[PurePath]) -> list[PurePath]:
    """Choose the Parquet files among those inside a folder; none where there are other files too.

    What begins with a dot or underscore says how the parts were written.

    >>> [str(part) for part in choose_parts(map(PurePath, ["year=2024/b.parquet", "a.parquet", "_SUCCESS"]))]
    ['a.parquet', 'year=2024/b.parquet']
    """
    parts = [file for file in inside if not any(part.startswith((".", "_")) for part in file.parts)]
    return sorted(parts) if all(part.suffix.lower() in (".parquet", ".pq") for part in parts) else []


def files_at(path: Path) -> list[Path]:
    """List the file itself, the parts of a folder, or the files that a pattern matches.

    The log of a Delta table is a part of it, as it says which of the others count.
    """
    if path.is_dir() and (parts := part_files(path)):
        return [*parts, *sorted((path / DELTA_LOG).glob("*.json"))]
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
    size = {"n_customers": study.demo_customers} if study.demo_customers else {}
    if study.demo == "retailer":
        from analysis.sources.synthetic.retailer import write_retailer

        made = write_retailer(folder / "retailer", **size)
        return [made.get(Path(path).stem, path) for path in paths]
    if study.demo == "twin":
        from analysis.sources.synthetic.twin import write_twin

        return [write_twin(folder, **size)]
    raise InputError(
        "--demo: this study has no synthetic data.",
        "Expected the setting segmentation.demo: twin or retailer.",
        "Omit --demo, or use the default study.",
    )


def _place(folder: Path, place: str) -> Location:
    """Join a path to a folder; an address stays as it stands, as a path would lose a slash of it."""
    return place if is_address(place) else folder / place


def is_address(place: str) -> bool:
    """Return whether a place is an address rather than a path.

    >>> is_address("s3://shop/orders/"), is_address("table:shop.orders"), is_address("data/orders.csv")
    (True, True, False)
    """
    return "://" in place or place.startswith(TABLE)


def fill_in_environment(text: str, setting: str) -> str:
    """Fill in ``${NAME}``; a password that is written out is refused."""
    written = re.match(r"[\w+]+://[^/@]*:(?!\$\{\w+\}@)[^@/]+@", text) or re.search(
        r"[?&](password|token)=(?!\$)", text
    )
    if written and "://" in text:
        raise InputError(
            f"{place_of(setting)}: the address contains a password or token.",
            "Expected the name of an environment variable there, as in ://user:${PASSWORD}@host.",
            "Set this variable, and change the password if others may have seen it.",
        )

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise InputError(
                f"{place_of(setting)}: the environment variable {match[1]} is not set.",
                "Credentials are read from the environment and never stored in the settings.",
                f"Set it with: export {match[1]}=...",
            )
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


def fetch_default(root: Path) -> Path:
    """Download ``data/marketing_campaign.csv``; no account is needed.

    Raises
    ------
    InputError
        Where it cannot be fetched, with how to place it by hand.
    """
    target = root / "data" / FILE
    if target.is_file():
        return target
    by_hand = f"By hand: download the data set {KAGGLE} from Kaggle and put {FILE} into data/."
    try:
        import kagglehub
    except ImportError:
        raise InputError(
            "kagglehub is not installed.",
            "It downloads the file without an account: pip install kagglehub",
            by_hand,
        ) from None
    try:
        folder = Path(kagglehub.dataset_download(KAGGLE))
    except Exception as error:  # whatever kagglehub and its transport raise, the way out is the same
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"Kaggle did not deliver {FILE}: {reason}",
            "make site also works without the file, on synthetic data.",
            by_hand,
        ) from None
    file = next(folder.rglob(FILE), None)
    if file is None:
        raise InputError(f"The data set from Kaggle does not contain {FILE}.", hint=by_hand)
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(file, target)
    return target
