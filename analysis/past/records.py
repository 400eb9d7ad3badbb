"""Records of runs: what a run saves, and which earlier run it is compared with."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from analysis.settings.models import Study

if TYPE_CHECKING:
    import pandas as pd

LATER = ("prefer", "tiers")
"""Settings that came later: where they have their defaults, a run has the name that it had without them."""
WHERE = ("engine", "in_memory", "memberships", "memory")
"""Settings that say where it is computed, and change no number."""
ALIKE = 0.8
"""Share of the columns of two tables that are in both, from which they are taken for months of one table."""

Real = Annotated[float, Field(allow_inf_nan=False)]
Line = Annotated[str, Field(max_length=2000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
Stem = Annotated[str, Field(pattern=r"^[a-z0-9-]{8,40}$")]
Day = Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Digest = Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")]
Kind = Literal["kept", "merged", "split", "birth", "death"]
Interval = tuple[Real, Real, Real]
"""A value with the lower and the upper end of its interval."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays of a segment over runs.

    ``slug`` is the identity and the address, ``name`` the one it was given at its first run, as of ``since``;
    ``label`` is what it is called where the settings rename it, and ``former`` lists addresses that now lead here.
    """

    slug: Slug
    name: Line
    letter: Annotated[str, Field(pattern=r"^[A-Z]$")]
    colour: Colour
    since: Day
    label: Line
    former: tuple[Slug, ...] = ()


@dataclass(frozen=True, slots=True)
class Moments:
    """A variable over a group, in its own unit.

    ``sd`` is that of a normal distribution with these deciles, or of a yes/no variable with this mean: the standard
    deviation itself would tell, with the mean, the value of a single customer far from all others.
    """

    mean: Real
    sd: Real
    median: Real
    p10: Real
    p90: Real


@dataclass(frozen=True, slots=True)
class Spread:
    """A variable over everyone: bins between ``edges`` (open at both ends) or ``levels``, and the share in each.

    ``centre`` and ``scale`` make standard units, after the logarithm where ``log_unit`` is not None; both are None
    where the variable did not form the segments. ``formula`` is a digest of the feature's formula, empty where it has
    none or the record is of an older version.
    """

    name: Line
    label: Line
    unit: Line
    edges: tuple[Real, ...]
    levels: tuple[Line, ...]
    shares: tuple[Real, ...]
    everyone: Moments | None
    log_unit: Real | None
    centre: Real | None
    scale: Real | None
    formula: Digest = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """One segment's numbers: ``n`` is a multiple of the smallest cell, ``share`` follows from it.

    ``centre`` is in standard units by column of the matrix; a level of a category that few have there is left out.
    """

    n: Annotated[int, Field(ge=0)]
    share: Real
    value_share: Real | None
    value_se: Real | None
    centre: dict[Line, Real]
    variables: dict[Line, Moments]


@dataclass(frozen=True, slots=True)
class Measures:
    """All that a run is compared by.

    ``worth`` is the effective sample size over the number of rows: 1 without survey weights.
    """

    n: Annotated[int, Field(ge=0)]
    spreads: tuple[Spread, ...]
    segments: tuple[Figures, ...]
    worth: Annotated[Real, Field(gt=0, le=1)] = 1.0


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """One segment then and now; what it was not, or is not any more, is None.

    ``now`` numbers today's segment from 1, ``into`` the one that an ended segment went into, and ``out_of`` is the
    earlier one that a new segment came from. Shares are of customers and of their value; a shift is the difference
    with its 95% interval. ``stayed`` is the part of an earlier segment's customers who are in the one that it went on
    as or into, or in the data at all; ``origins`` are those of a new one's customers, None for who was not there.
    """

    kind: Kind
    then: Identity | None
    now: int | None
    into: int | None
    out_of: Identity | None
    n_then: int | None
    share_then: Real | None
    value_then: Real | None
    shift: Interval | None
    value_shift: Interval | None
    stayed: Real | None
    origins: tuple[tuple[Identity | None, Real], ...] = ()


@dataclass(frozen=True, slots=True)
class TraitShift:
    """A variable of a kept segment: medians, means, and the shift of the mean in standard deviations of everyone."""

    now: int
    variable: Line
    medians: tuple[Real, Real]
    means: tuple[Real, Real]
    shift: Interval
    flagged: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a variable's distribution moved: PSI over the earlier bins, and the least that KS can be.

    ``chance`` is what KS stays under in 95 of 100 pairs of samples of one distribution.
    """

    variable: Line
    label: Line
    psi: Real
    ks: Real | None
    chance: Real
    reading: Literal["as before", "moved", "another distribution"]


@dataclass(frozen=True, slots=True)
class Flow:
    """Where customers of an earlier segment are now, or those who are new, where ``then`` is None.

    ``n`` and the numbers behind the shares are multiples of the smallest cell; smaller ones are left out.
    ``to`` numbers today's segments from 1, 0 stands for none, and -1 for those who left the data.
    """

    then: Identity | None
    n: int
    to: tuple[tuple[int, Real], ...]


@dataclass(frozen=True, slots=True)
class Before:
    """The run that was compared with; ``n`` is a multiple of the smallest cell."""

    stem: Stem
    as_of: Day
    n: int
    verdict: Line
    k: int
    algorithm: Line
    silhouette: Real
    stability: Real


@dataclass(frozen=True, slots=True)
class Change:
    """What changed since another run; all of it is aggregates, so that it can be shown again without that run's data.

    ``by`` says what segments were matched by; ``common`` is the share of today's customers who were there then, None
    where that is not known. ``edited`` are labels of features whose formula is another one now: they are not compared.
    """

    before: Before
    by: Literal["customers", "centres"]
    common: Real | None
    segments: tuple[SegmentChange, ...]
    traits: tuple[TraitShift, ...]
    drift: tuple[Drift, ...]
    flows: tuple[Flow, ...]
    edited: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Which table a run read: digests of its key and columns, and whether the settings were drafted from it."""

    key: Digest
    columns: tuple[Digest, ...]
    drafted: bool

    def is_like(self, other: Table | None) -> bool:
        """Return whether another table has the same key and almost the same columns."""
        if other is None or self.key != other.key:
            return False
        here, there = set(self.columns), set(other.columns)
        return len(here & there) >= ALIKE * len(here | there) > 0


@dataclass(frozen=True, slots=True)
class Record:
    """What a run leaves behind; published with the site, so that the site is its own memory.

    ``gone`` are identities of earlier runs that no segment has any more; no other segment gets their address. ``table``
    says which table the run read.
    """

    version: Literal[1]
    study: Line
    synthetic: bool
    stem: Stem
    as_of: Day
    verdict: Line
    k: Annotated[int, Field(ge=1, le=50)]
    algorithm: Line
    silhouette: Real
    stability: Real
    measures: Measures
    segments: tuple[Identity, ...]
    gone: tuple[Identity, ...]
    change: Change | None
    table: Table | None = None

    def entry(self) -> dict[str, Any]:
        """Return the entry of this record in the index."""
        return {"file": f"{self.stem}.json", "as_of": self.as_of, "verdict": self.verdict, "segments": self.k}


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of earlier runs: this very one, the one to compare with, and the messages about them.

    ``study`` is the title under which the runs are kept, where it is not the study's own; ``members`` has the earlier
    run's segment by customer key, if it is available.
    """

    stem: str
    own: Record | None = None
    previous: Record | None = None
    told: tuple[str, ...] = ()
    study: str = ""
    table: Table | None = None
    members: pd.Series | None = field(default=None, compare=False, repr=False)

    def compared(self) -> str:
        """Name of the run whose segments today's are matched to; empty for none."""
        base = self.previous or self.own
        return base.stem if base else ""


def slugify(name: str) -> str:
    """Convert a name to an address: ASCII letters, digits and hyphens.

    >>> slugify("Premium café regulars!")
    'premium-cafe-regulars'
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-") or "segment"


def name_run(study: Study, fingerprints: Iterable[str], as_of: str) -> str:
    """Return the name of a run: its date and a hash of the data and of all settings that affect numbers.

    >>> study = Study.model_validate({"title": "Shop", "sources": [{"path": "shop.csv"}]})
    >>> name_run(study, ["4f2a"], "2014-06-29")[:11]
    '2014-06-29-'
    >>> same = study.model_copy(update={"title": "The shop", "engine": "spark"})
    >>> name_run(study, ["4f2a"], "") == name_run(same, ["4f2a"], "")
    True
    """
    words = {"title", "subtitle", "customers", "currency", "period", "locale", "names", "card", "demo"}
    words |= {"proof", "targeting", "history", "consent", "suppress"}
    words |= {name for name in LATER if getattr(study, name) == Study.model_fields[name].default}
    study = study.model_copy(update={name: Study.model_fields[name].default for name in WHERE})
    told = {"label", "about", "high", "low"}
    settings = study.model_dump(mode="json", exclude={"sources": True, "features": True, **dict.fromkeys(words, True)})
    settings["features"] = {name: made.model_dump(mode="json", exclude=told) for name, made in study.features.items()}
    sources = [
        s.model_dump(mode="json", exclude={"path", "origin", "labels"} | ({"weight"} if s.weight is None else set()))
        for s in study.sources
    ]
    content = json.dumps([list(fingerprints), as_of, settings, sources], sort_keys=True)
    return f"{as_of or 'undated'}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def digest(text: str) -> str:
    """Return a hash of a text with twelve digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def mark_table(columns: Iterable[str], key: str | None, drafted: bool) -> Table:
    """Describe the table of a run by hashes of its key and columns."""
    return Table(digest(key or ""), tuple(sorted({digest(str(column)) for column in columns})), drafted)


def to_json(record: Record) -> str:
    """Return the record as JSON text; what only survey weights need stands in no other record."""
    content = asdict(record)
    if record.measures.worth == 1:
        del content["measures"]["worth"]
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str | bytes) -> Record:
    """Read a record back; a ``ValidationError`` where it is none."""
    return TypeAdapter(Record).validate_json(text)
