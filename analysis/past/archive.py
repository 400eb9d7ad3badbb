"""Archive of records: finding the run to compare with, and writing, reading and fetching records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from analysis.base.errors import InputError
from analysis.base.manifest import write_whole
from analysis.past.published import download, unusable
from analysis.past.records import Past, Record, Table, digest, from_json, slugify, to_json
from analysis.settings.models import Study

if TYPE_CHECKING:
    import pandas as pd

    from analysis.clustering.algorithms import Labels

FOLDER, INDEX, UNREAD = "site/history", "index.json", "unread"
MOST_RECORDS = 60
"""Newest records that are fetched from a published site. Chosen for this project."""


def recall(root: Path, study: Study, synthetic: bool, stem: str, as_of: str, table: Table | None = None) -> Past:
    """Find the record of this very run, and the newest one of other data or settings to compare with.

    A later run's record is compared with only where there is no earlier one. A history that cannot be read is reported
    and left out: the run is then a first one. Settings that were drafted from a table have no chosen title:
    runs of a table with the same key and columns are then of one study, whatever its file is called.

    Raises
    ------
    InputError
        Where the settings name a file or a folder that does not exist.
    """
    title, line = _find_title(root / FOLDER, study, synthetic, stem, table)
    found = _recall(root, study.model_copy(update={"title": title}), synthetic, stem, as_of)
    known_as = title if title != study.title else ""
    return replace(found, told=(*found.told, *([line] if line else [])), study=known_as, table=table)


def _find_title(top: Path, study: Study, synthetic: bool, stem: str, table: Table | None) -> tuple[str, str]:
    """The title under which the runs of this study are kept, and what there is to say about it."""
    if table is None:
        return study.title, ""
    folders = [top, *sorted(folder for folder in top.glob("*") if folder.is_dir() and folder.name != UNREAD)]
    records = [record for folder in folders for record in _read_folder(folder, [])]
    if any(_is_same(record, study, synthetic) for record in records):
        return study.title, ""
    like = [r for r in records if r.synthetic == synthetic and table.is_like(r.table)]
    if not like:
        return study.title, ""
    drafted = [r for r in like if r.table and r.table.drafted]
    if table.drafted and drafted:
        old = drafted[0].study
        what = f"Key and columns are those of the study “{old}”, so this is its next run and is compared with it."
        return old, "" if any(r.stem == stem for r in drafted) else what
    old = like[-1].study
    setting = f"title: {json.dumps(old, ensure_ascii=False)}"
    return study.title, (
        f"The runs on record with this key and these columns are of the study “{old}”; this one is called "
        f"“{study.title}” and is a first run.\n  If it is the next one of them, write in the settings:  {setting}"
    )


def _recall(root: Path, study: Study, synthetic: bool, stem: str, as_of: str) -> Past:
    told: list[str] = []
    top = root / FOLDER
    records = _read_all(top, study.title, synthetic, told)
    known = {record.stem: record for record in records if _is_same(record, study, synthetic)}
    own = known.pop(stem, None)
    if study.history.previous:
        named = {r.stem: r for r in _read_place(root, study.history.previous, told) if r.stem != stem}
        for record in named.values():
            if not _is_same(record, study, synthetic):
                what = "synthetic data" if record.synthetic and not synthetic else f"another study, “{record.study}”"
                told.append(f"segmentation.history.previous: {record.stem} is of {what}; it is not compared with.")
        if same := {name: record for name, record in named.items() if _is_same(record, study, synthetic)}:
            known, own = same, own if own and own.change and own.change.before.stem in same else None
    if own:
        return Past(stem, own, known.get(own.change.before.stem) if own.change else None, tuple(told))
    earlier = [r for r in known.values() if r.as_of <= as_of] or list(known.values())
    return Past(stem, None, earlier[-1] if earlier else None, tuple(told))


def knows_real_run(root: Path, study: Study) -> bool:
    """Return whether an earlier run of a study used real data."""
    top = root / FOLDER
    records = _read_all(top, study.title, False, [])
    return any(_is_same(record, study, False) for record in records)


def read_members(root: Path, stem: str) -> pd.Series | None:
    """Read the private memberships of an earlier run, segment by key; None if they are not available."""
    import pandas as pd

    try:
        frame = pd.read_parquet(root / "build" / "history" / f"{stem}.parquet")
        return pd.Series(frame["segment"].to_numpy(int), index=pd.Index(frame["key"].astype("str")))
    except (OSError, ValueError, KeyError):
        return None


def write_members(root: Path, stem: str, keys: pd.Series, labels: Labels) -> Path:
    """Keep who is in which segment, for the next run to match by; private, never published."""
    import pandas as pd

    file = root / "build" / "history" / f"{stem}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"key": keys.astype("str"), "segment": labels.astype("int64")}).to_parquet(file, index=False)
    return file


def write_history(root: Path, record: Record) -> list[Path]:
    """Write the record and the index, oldest first; what is not of this study is set aside: it is not published.

    A record is written and read again in its new place before it is removed from the old one, so that none is lost
    where the process is killed in between.
    """
    top, ours = root / FOLDER, _folder_name(record.study, record.synthetic)
    places = [top / name for name in dict.fromkeys((ours, _old_folder_name(record.study, record.synthetic)))]
    kept = {r.stem: r for place in places for r in _read_folder(place, []) if _is_of(r, record)}
    others: dict[str, dict[str, Record]] = {}
    for found in _read_folder(top, []):
        if _is_of(found, record):
            kept[found.stem] = found
        else:
            others.setdefault(_folder_name(found.study, found.synthetic), {})[found.stem] = found
    kept[record.stem] = record
    for name, moved in others.items():
        _write_folder(top / name, {r.stem: r for r in _read_folder(top / name, [])} | moved)
    _remove_copies(top, [(top / name, stem) for name, moved in others.items() for stem in moved])
    files = _write_folder(top, kept)
    for place in places:
        for file in sorted(place.glob("*.json")):
            if file.name == INDEX or (_same_record(file, top / file.name)):
                file.unlink()
    return files


def list_records(root: Path) -> list[Path]:
    """List the published records of the project, and their index."""
    return sorted((root / FOLDER).glob("*.json"))


def _remove_copies(top: Path, moved: Iterable[tuple[Path, str]]) -> None:
    """Remove the records at the top that stand in another folder now, each compared first."""
    for folder, stem in moved:
        if _same_record(top / f"{stem}.json", folder / f"{stem}.json"):
            (top / f"{stem}.json").unlink()


def _same_record(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and from_json(one.read_bytes()) == from_json(other.read_bytes())


def fetch_history(root: Path, address: str) -> list[str]:
    """Download the records of a published site into the project; existing records are not replaced.

    Returns
    -------
    list of str
        What happened, one line each; an address that has no history yet (404) gives none and is a first run.

    Raises
    ------
    InputError
        For an address that is none of the web, or a history that cannot be fetched whole; nothing is then changed.
    """
    if not address.strip():
        raise InputError("The address is missing.", hint="Give the published site: make history SITE=https://…")
    if not re.match(r"https?://[^/\s]", address):
        raise InputError(
            f"--from {address}: this is not a web address.", "Expected the address of the site, such as https://…"
        )
    notes: list[str] = []
    found = _fetch_records(address)
    if found is None:
        return [f"{address} has no history yet (404): this is a first run."]
    top = root / FOLDER
    here = _read_folder(top, notes)
    fresh = [record for record in found if record.stem not in {r.stem for r in here}]
    if fresh:
        _write_folder(top, {record.stem: record for record in (*fresh, *here)})
    n = len(fresh)
    return [*notes, f"{n} run{'' if n == 1 else 's'} fetched from {address}." if n else f"No new run at {address}."]


def _folder_name(study: str, synthetic: bool) -> str:
    """Name the folder of a study; the digest keeps two titles apart that are spelt alike in ASCII."""
    return f"{slugify(study)[:60].strip('-')}-{digest(study)[:8]}{'-synthetic' if synthetic else ''}"


def _old_folder_name(study: str, synthetic: bool) -> str:
    """Name the folder that earlier versions kept a study in."""
    return slugify(study)[:80].strip("-") + ("-synthetic" if synthetic else "")


def _is_of(record: Record, other: Record) -> bool:
    return record.study == other.study and record.synthetic == other.synthetic


def _read_all(top: Path, title: str, synthetic: bool, told: list[str]) -> list[Record]:
    """Read the records of a study in the folders set aside, then those at the top, oldest first in each."""
    folders = dict.fromkeys((_old_folder_name(title, synthetic), _folder_name(title, synthetic)))
    return [record for place in (*(top / name for name in folders), top) for record in _read_folder(place, told)]


def _is_same(record: Record, study: Study, synthetic: bool) -> bool:
    return record.study == study.title and record.synthetic == synthetic


def _read_folder(folder: Path, told: list[str]) -> list[Record]:
    """The records of a folder, oldest first; those that cannot be read are reported."""
    files = {file.name: file for file in sorted(folder.glob("*.json")) if file.name != INDEX}
    order: list[str] = []
    if (folder / INDEX).is_file():
        try:
            order = _index_names(json.loads((folder / INDEX).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            told.append(f"{FOLDER}/{INDEX} cannot be read; the order of the runs is taken from their names.")
    records = []
    for name in [*(n for n in order if n in files), *(n for n in files if n not in order)]:
        if record := _read_record(files[name].read_bytes(), name, told):
            records.append(record)
    return records


def _read_record(content: bytes, name: str, told: list[str]) -> Record | None:
    try:
        record = from_json(content)
        if name not in {f"{record.stem}.json", ""} or not _holds_together(record):
            raise ValueError(name)
    except (ValidationError, ValueError):
        told.append(f"{FOLDER}/{name or 'the record'}: this is no record of a run; it is left out.")
        return None
    return record


def _holds_together(record: Record) -> bool:
    slugs = [i.slug for i in record.segments]
    same = {record.k, len(record.segments), len(record.measures.segments)}
    return len(same) == 1 and len(set(slugs)) == record.k and "index" not in slugs


def _index_names(content: object) -> list[str]:
    """File names in an index, none of which leads out of its folder."""
    lines = content.get("runs") if isinstance(content, dict) else None
    if not isinstance(lines, list):
        raise ValueError("the index has no list of runs")
    names = [str(line.get("file", "")) for line in lines if isinstance(line, dict)]
    return [name for name in dict.fromkeys(names) if re.fullmatch(r"[a-z0-9-]{8,40}\.json", name)]


def _write_folder(folder: Path, records: Mapping[str, Record]) -> list[Path]:
    """Write records and index; any other JSON file in the folder goes to the folder ``unread`` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".*.new"):
        left.unlink()
    files = {folder / f"{stem}.json": to_json(record) for stem, record in records.items()}
    index = {"study": next(iter(records.values())).study, "runs": [record.entry() for record in records.values()]}
    files[folder / INDEX] = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
    for file, text in files.items():
        if not file.is_file() or file.read_bytes() != text.encode():
            write_whole(file, text.encode())
    for other in set(folder.glob("*.json")) - set(files):
        (folder / UNREAD).mkdir(exist_ok=True)
        other.replace(folder / UNREAD / other.name)
    return list(files)


def _read_place(root: Path, place: str, told: list[str]) -> list[Record]:
    """Records of a file, a folder, or an address of a published site or of its JSON."""
    if "://" not in place:
        path = root / place
        if path.is_file():
            record = _read_record(path.read_bytes(), "", told)
            return [record] if record else []
        if path.is_dir():
            inside = next((path / sub for sub in (FOLDER, "history") if (path / sub).is_dir()), path)
            return _read_folder(inside, told)
        raise InputError(
            f"_quarto.yml, segmentation.history.previous: {place} does not exist.",
            "Expected a record (JSON), a folder of records, or the address of a published site.",
        )
    try:
        found = _fetch_records(place)
    except InputError as error:
        told.append(f"{str(error).splitlines()[0]} The runs there are not known.")
        return []
    if found is None:
        told.append(f"{place} has no history (404); the runs there are not known.")
    return found or []


def _fetch_records(place: str) -> list[Record] | None:
    """Records of a published site, of its index, or of one record's address; None where there is no history (404).

    Raises
    ------
    InputError
        Where one of them cannot be fetched or read: with a part of the history, names would be lost unnoticed.
    """
    if place.endswith(".json") and not place.endswith(INDEX):
        content = download(place)
        return None if content is None else [_checked_record(content, "", place)]
    base = place.removesuffix("index.html").removesuffix("site/").rstrip("/")
    folder = place.removesuffix(f"/{INDEX}") if place.endswith(INDEX) else f"{base}/{FOLDER}"
    content = download(f"{folder}/{INDEX}")
    if content is None:
        return None
    try:
        index = json.loads(content)
        names = _index_names(index)
        if not isinstance(index, dict) or not isinstance(index["runs"], list) or len(names) != len(index["runs"]):
            raise ValueError
    except (ValueError, KeyError, RecursionError):
        raise unusable(
            f"{folder}/{INDEX} is no list of runs.", 'Expected JSON with {"runs": [{"file": "….json"}]}.'
        ) from None
    records = []
    for name in names[-MOST_RECORDS:]:
        content = download(f"{folder}/{name}")
        if content is None:
            raise unusable(f"{folder}/{name} is not there (404).", f"{INDEX} beside it names it.")
        records.append(_checked_record(content, name, f"{folder}/{name}"))
    return records


def _checked_record(content: bytes, name: str, address: str) -> Record:
    record = _read_record(content, name, [])
    if record is None:
        raise unusable(f"{address} is no record of a run.", "Expected a whole one, of this version of the tool.")
    return record
