"""The report, as frozen types and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from analysis.assignment.questions import Questions
from analysis.assignment.rules import Rules
from analysis.base.errors import InputError
from analysis.base.formats import Formats
from analysis.clustering.choices import Multiverse
from analysis.clustering.evidence import SegmentEvidence
from analysis.clustering.ladder import Ladder
from analysis.clustering.lint import Finding
from analysis.clustering.preferences import Preferences
from analysis.clustering.selection import AlgorithmEvidence, CandidateEvidence, Decision, Nulls
from analysis.clustering.shapes import Shapes
from analysis.clustering.solutions import Gorge, Level, Neighbour, Reach, Tree
from analysis.clustering.use.choice import ChosenForUse
from analysis.clustering.usefulness import Usefulness
from analysis.customers.cleaning import LedgerLine
from analysis.customers.rfm import RfmGrid
from analysis.features.build import Variable
from analysis.features.column_summary import ColumnSummary, Missingness
from analysis.features.prepare import Step
from analysis.features.provenance import SourceSummary
from analysis.features.relations import Relations
from analysis.features.select import Dropped, Group
from analysis.past.records import Change
from analysis.profiles.contrasts import Contrast
from analysis.profiles.distributions import Spread
from analysis.profiles.mixes import Mix as Mix
from analysis.profiles.profile import CategoryProfile, Difference, Summary
from analysis.profiles.segment_map import SegmentMap
from analysis.profiles.themes import ThemeGroup
from analysis.profiles.value import Concentration, ExpectedSpend
from analysis.report.lessons import Lesson
from analysis.report.speed import Speed
from analysis.report.trials import Validation
from analysis.segments.card import Card
from analysis.segments.claims import Claim as Claim
from analysis.segments.claims import Paragraph as Paragraph
from analysis.segments.claims import Portrait
from analysis.segments.plans.plan import Slot
from analysis.segments.targeting import Targeting
from analysis.segments.tiers import TierTable

DIGITS = 6
"""Significant digits of a number in the report; a larger number keeps all of its whole ones."""

VERDICTS = {
    "natural": (
        "Natural segments",
        "The data hold groups that stand apart: they come back in every resample and lie further from each other than "
        "chance explains.",
    ),
    "reproducible": (
        "Reproducible segments",
        "The same groups come back when customers are resampled. They are cuts through a continuum, not islands: "
        "people near a border could be on either side.",
    ),
    "constructive": (
        "A working split",
        "The data do not contain groups of their own. The split is a convenience: useful to plan with, not a "
        "discovery.",
    ),
    "none": (
        "No structure found",
        "Shuffled data, in which nothing hangs together, give groups just as stable. Do not act on these segments.",
    ),
}
"""Badge and sentence of each verdict."""
CATEGORY = (
    "The segments are the levels of one column, “{column}”, and differ in nothing else. That is a category, not a "
    "group: useful to plan with, not a discovery."
)
"""Sentence of a working split along one column."""
SHAPED = (
    "{algorithm} finds {groups} dense groups with wide gaps between them. No centre describes their shape, and the "
    "segments do not follow them: useful to plan with, not a discovery."
)
"""Sentence of a working split of data with dense groups that no centre describes."""


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """The study as the pages print it.

    ``as_of`` is empty where the data have no date; ``settings`` has name, value and meaning of every setting of the
    analysis.
    """

    title: str
    subtitle: str
    customers: str
    locale: str
    currency: str
    period: str
    as_of: str
    synthetic: bool
    n_customers: int
    n_core: int
    min_cell: int
    seed: int
    scaling: str
    missing: str
    outliers: str
    near_copies: str
    noise: str
    value: str | None
    settings: tuple[tuple[str, str, str], ...]
    versions: dict[str, str]

    def setting(self, name: str) -> str:
        """Return the value of a setting, as text."""
        return next(value for known, value, _ in self.settings if known == name)


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What came in and what was found in it; ``draft`` is the YAML of the drafted settings.

    ``missing_cells`` counts those of columns that lack ``min_cell`` values or more.
    """

    sources: tuple[SourceSummary, ...]
    columns: tuple[ColumnSummary, ...]
    missing_cells: int
    missingness: Missingness
    duplicates: int
    duplicate_rows: int
    constants: tuple[str, ...]
    correlations: Relations
    associations: Relations
    draft: str


@dataclass(frozen=True, slots=True)
class VerdictInfo:
    """``kind`` is natural, reproducible, constructive or none; ``headline`` opens the overview."""

    kind: str
    title: str
    headline: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SampleInfo:
    """Customers that the evidence is of where they are many, and the agreement with another sample's solution."""

    n: int
    agreement: float


@dataclass(frozen=True, slots=True)
class Weighting:
    """Survey weights of a study.

    Attributes
    ----------
    column : str
        Label of their column.
    n_effective : int
        Rows of equal weight that would count as much as those of the study (Kish 1965).
    segments : tuple of int, length k
        The same of each segment.
    """

    column: str
    n_effective: int
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EvidenceInfo:
    """Evidence for the published solution (``by_k`` is the winning algorithm's) and all that competed."""

    by_k: tuple[CandidateEvidence, ...]
    algorithms: tuple[AlgorithmEvidence, ...]
    segments: tuple[SegmentEvidence, ...]
    nulls: Nulls
    prefers: Preferences
    slsa: tuple[Level, ...]
    gorge: tuple[Gorge, ...]
    neighbours: tuple[Neighbour, ...]
    tree: Tree
    reach: Reach
    multiverse: Multiverse
    sample: SampleInfo | None = None
    ladder: Ladder | None = None
    use: ChosenForUse | None = None
    shapes: Shapes | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One published segment: numbers, words and evidence together.

    It was ``given`` its name by the run as of ``since``; its numbers of ``today`` would give it that one. ``former``
    lists earlier addresses, which lead to its page. The intervals hold the two shares in 95 of 100 refits.
    """

    id: int
    slug: str
    name: str
    letter: str
    colour: str
    n: int
    share: float
    value_total: float | None
    value_share: float | None
    slsw: float
    band: str
    silhouette: float
    shadow: float
    name_basis: str
    portrait: Portrait
    typical: tuple[tuple[str, str], ...]
    markers: tuple[str, ...]
    not_all: tuple[str, ...]
    plan: tuple[Slot, ...]
    differences: tuple[Difference, ...]
    since: str = ""
    given: str = ""
    today: str = ""
    former: tuple[str, ...] = ()
    share_interval: tuple[float, float] | None = None
    value_interval: tuple[float, float] | None = None

    @property
    def one_line(self) -> str:
        """The segment in one sentence."""
        return self.portrait.lead.text

    def difference(self, variable: str) -> Difference | None:
        """Return the difference of this segment from all customers on one variable; None if it is not published."""
        return next((d for d in self.differences if d.variable == variable), None)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a page may show; ``expected`` and ``rfm`` only where the study has transactions.

    ``validation`` and ``speed`` are of the tool rather than the study, where the project holds the results.
    ``weighting`` is None, and not written to JSON, without survey weights, and so is ``held``, the number of customers
    in memory, where these are all.
    """

    schema_version: int
    study: StudyInfo
    data: DataInfo
    ledger: tuple[LedgerLine, ...]
    variables: tuple[Variable, ...]
    steps: tuple[Step, ...]
    groups: tuple[Group, ...]
    dropped: tuple[Dropped, ...]
    findings: tuple[Finding, ...]
    decision: Decision
    verdict: VerdictInfo
    evidence: EvidenceInfo
    everyone: dict[str, Summary]
    hidden: tuple[str, ...]
    categories: tuple[CategoryProfile, ...]
    map: SegmentMap
    spread: Spread
    unassigned: int
    value_total: float | None
    segments: tuple[Segment, ...]
    rules: Rules
    proof: Usefulness
    card: Card
    expected: ExpectedSpend | None = None
    rfm: RfmGrid | None = None
    validation: Validation | None = None
    speed: Speed | None = None
    contrasts: tuple[Contrast, ...] = ()
    concentration: Concentration | None = None
    change: Change | None = None
    questions: Questions | None = None
    targeting: Targeting | None = None
    themes: tuple[ThemeGroup, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    weighting: Weighting | None = None
    tiers: TierTable | None = None
    held: int | None = None

    def variable(self, name: str) -> Variable:
        """Return the variable with this name; levels of categorical features have one each."""
        return next(v for v in (*self.variables, *self.rules.levels) if v.name == name)

    def value_label(self) -> str:
        """Return the label of the customer value; empty if the study has none."""
        return self.variable(self.study.value).label if self.study.value else ""

    def formats(self) -> Formats:
        """Return the number formats of this study."""
        return Formats(self.study.currency, self.study.customers, self.study.min_cell)

    def core_note(self) -> str:
        """Describe the customers that measures of the core leave out; empty if there are none."""
        return " with unusual customers left out" if self.study.n_core < self.study.n_customers else ""

    def weight_note(self, segment: int | None = None) -> str:
        """Say that figures stand for the population, and what they rest on; empty without survey weights.

        Parameters
        ----------
        segment : int, optional
            Number of the segment that the figures are of, from 1; by default all.
        """
        if self.weighting is None:
            return ""
        n = self.study.n_customers if segment is None else self.segments[segment - 1].n
        effective = self.weighting.n_effective if segment is None else self.weighting.segments[segment - 1]
        people = self.formats().people
        return (
            "Shares, averages, medians and totals stand for the population, by the survey weight "
            f"“{self.weighting.column}”. They rest on {people(n)} rows, which count as much as {people(effective)} "
            "rows of equal weight."
        )

    def rows_note(self) -> str:
        """Say that figures count rows, whatever their survey weight; empty without survey weights."""
        return "" if self.weighting is None else "Figures on this page count rows, whatever their survey weight."

    def forming(self) -> list[Variable]:
        """Return the features that form the segments and have cells large enough to publish."""
        return [self.variable(step.name) for step in self.steps if step.name in self.everyone]


def to_json(report: Report) -> str:
    """Return the report as JSON text, rounded and with one value per line.

    Raises
    ------
    InputError
        Where a number is infinite or none, with its place in the report, which names the stage that made it.
    """
    content = _rounded(asdict(report))
    for name in ("weighting", "held"):
        if content[name] is None:
            del content[name]
    if place := _find_unbounded(content):
        raise InputError(
            f"report.{place} is not a finite number.",
            "A column with extreme or nearly equal values can cause this.",
            "Set its role to ignore, or report the problem with the name of the number.",
        )
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _find_unbounded(value: Any, place: str = "") -> str:
    """Return the place of the first number that is infinite or none; empty where there is none."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else place or "number"
    if isinstance(value, dict):
        inside = ((f"{place}.{key}".lstrip("."), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        inside = ((f"{place}[{i}]", item) for i, item in enumerate(value))
    else:
        return ""
    return next((found for name, item in inside if (found := _find_unbounded(item, name))), "")


def from_json(text: str) -> Report:
    """Read a report back.

    Raises
    ------
    InputError
        Where it was written by another version.
    """
    try:
        return TypeAdapter(Report).validate_json(text)
    except ValidationError:
        raise InputError(
            "build/report.json is from another version of the tool or damaged.",
            hint="Run: python -m analysis build --force",
        ) from None


def read_report(path: Path) -> Report:
    """Read ``report.json``; an :class:`InputError` says what to run where there is none."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("build/report.json does not exist yet.", hint="Run: python -m analysis build") from None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # Six digits of a total of millions would print as an exact number that is not the total.
        return float(f"{value:.0f}") if abs(value) >= 10**DIGITS else float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return value


def chosen(report: Report) -> CandidateEvidence:
    """Return the evidence at the published number of segments."""
    return next(r for r in report.evidence.by_k if r.k == report.decision.k)
