"""The Report: everything a page may show, frozen, as JSON and back. Nothing right of it computes a number."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from analysis.assignment.questions import Questions
from analysis.assignment.rules import Rules
from analysis.base.errors import InputError
from analysis.base.formats import Formats, in_words, number
from analysis.clustering.choices import Multiverse
from analysis.clustering.evidence import Evidence, Preferences, SegmentEvidence
from analysis.clustering.lint import Finding
from analysis.clustering.selection import AlgorithmEvidence, CandidateEvidence, Decision, Nulls
from analysis.clustering.solutions import Gorge, Level, Neighbour, Reach, Solutions, Tree
from analysis.clustering.trials import Validation
from analysis.clustering.usefulness import Proof
from analysis.customers.cleaning import Cleaned, LedgerLine
from analysis.customers.rfm import RfmGrid
from analysis.features.build import FeatureTable, Variable
from analysis.features.column_summary import ColumnSummary, Missingness
from analysis.features.prepare import Prepared, Step
from analysis.features.provenance import SourceSummary
from analysis.features.relations import Relations
from analysis.features.select import Dropped, Group
from analysis.history.records import Change
from analysis.segments.card import Card
from analysis.segments.contrasts import Contrast
from analysis.segments.distributions import Spread
from analysis.segments.personas import Action, Persona
from analysis.segments.profile import (
    CategoryProfile,
    Concentration,
    Difference,
    ExpectedSpend,
    Profiles,
    SegmentMap,
    Summary,
)
from analysis.segments.targeting import Targeting
from analysis.settings.models import Study

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
        """Value of a setting, as text."""
        return next(value for known, value, _ in self.settings if known == name)


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What came in and what was found in it; ``draft`` is the YAML of settings that nobody wrote yet.

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


@dataclass(frozen=True, slots=True)
class Segment:
    """One published segment: numbers, words and evidence together.

    It was ``given`` its name by the run as of ``since``; its numbers of ``today`` would give it that one.
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
    one_line: str
    story: tuple[str, ...]
    day: tuple[str, ...]
    typical: tuple[tuple[str, str], ...]
    markers: tuple[str, ...]
    traits: tuple[str, ...]
    not_all: tuple[str, ...]
    actions: tuple[Action, ...]
    differences: tuple[Difference, ...]
    since: str = ""
    given: str = ""
    today: str = ""

    def difference(self, variable: str) -> Difference | None:
        """This segment against everyone on one variable; None where it is not published."""
        return next((d for d in self.differences if d.variable == variable), None)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a page may show; ``expected`` and ``rfm`` only where the study has transactions.

    ``validation`` is of the tool rather than the study, where the project holds the results.
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
    proof: Proof
    card: Card
    expected: ExpectedSpend | None = None
    rfm: RfmGrid | None = None
    validation: Validation | None = None
    contrasts: tuple[Contrast, ...] = ()
    concentration: Concentration | None = None
    change: Change | None = None
    questions: Questions | None = None
    targeting: Targeting | None = None

    def variable(self, name: str) -> Variable:
        """The variable of this name; levels of categories that form segments have one each."""
        return next(v for v in (*self.variables, *self.rules.levels) if v.name == name)

    def value_label(self) -> str:
        """What a customer is worth, as a label; empty where the study has no value."""
        return self.variable(self.study.value).label if self.study.value else ""

    def formats(self) -> Formats:
        """The number formats of this study."""
        return Formats(self.study.currency, self.study.customers, self.study.min_cell)

    def core_note(self) -> str:
        """Say whom measures of the clean core leave out; empty where it is everyone."""
        return " with unusual customers left out" if self.study.n_core < self.study.n_customers else ""

    def forming(self) -> list[Variable]:
        """The features that form the segments and whose cells are large enough to show."""
        return [self.variable(step.name) for step in self.steps if step.name in self.everyone]


def write_report(
    study: Study,
    sources: tuple[SourceSummary, ...],
    joining: tuple[LedgerLine, ...],
    cleaned: Cleaned,
    columns: tuple[ColumnSummary, ...],
    missingness: Missingness,
    correlations: Relations,
    associations: Relations,
    table: FeatureTable,
    prepared: Prepared,
    evidence: Evidence,
    solutions: Solutions,
    multiverse: Multiverse,
    profiles: Profiles,
    personas: tuple[Persona, ...],
    synthetic: bool,
    findings: tuple[Finding, ...],
    versions: dict[str, str],
    draft: str,
    rules: Rules,
    proof: Proof,
    card: Card,
    expected: ExpectedSpend | None = None,
    rfm: RfmGrid | None = None,
    validation: Validation | None = None,
    change: Change | None = None,
    questions: Questions | None = None,
    targeting: Targeting | None = None,
) -> Report:
    """Put the stages' results together, numbers rounded to :data:`DIGITS` significant digits, or whole."""
    n = len(table.frame)
    info = StudyInfo(
        study.title,
        study.subtitle,
        study.customers,
        study.locale,
        study.currency,
        study.period,
        cleaned.as_of.isoformat() if cleaned.as_of else "",
        synthetic,
        n,
        int(prepared.core.sum()),
        study.min_cell,
        study.seed,
        study.scaling,
        study.missing,
        study.outliers,
        study.near_copies,
        study.noise,
        study.value,
        _settings(study),
        versions,
    )
    data = DataInfo(
        sources=sources,
        columns=columns,
        missing_cells=sum(column.missing for column in columns if column.missing >= study.min_cell),
        missingness=missingness,
        duplicates=cleaned.duplicates,
        duplicate_rows=cleaned.duplicate_groups_rows,
        constants=cleaned.constants,
        correlations=correlations,
        associations=associations,
        draft=draft,
    )
    segments = tuple(
        Segment(
            p.id,
            w.slug,
            w.name,
            w.letter,
            w.colour,
            p.n,
            p.share,
            p.value_total,
            p.value_share,
            e.slsw,
            e.band,
            e.silhouette,
            e.shadow,
            w.one_line,
            w.story,
            w.day,
            w.typical,
            w.markers,
            w.traits,
            w.not_all,
            w.actions,
            p.differences,
            w.identity.since,
            w.identity.name,
            w.today,
        )
        for p, w, e in zip(profiles.segments, personas, evidence.segments, strict=True)
    )
    title, sentence = VERDICTS[evidence.verdict]
    worth = next((v.label.lower() for v in table.variables if v.name == study.value), "")
    report = Report(
        schema_version=1,
        study=info,
        data=data,
        ledger=(*joining, *cleaned.ledger, *prepared.ledger),
        variables=table.variables,
        steps=prepared.steps,
        groups=prepared.groups,
        dropped=prepared.dropped,
        findings=findings,
        decision=evidence.decision,
        verdict=VerdictInfo(evidence.verdict, title, _headline(n, segments, evidence.verdict, info, worth), sentence),
        evidence=EvidenceInfo(
            evidence.chosen().by_k,
            evidence.algorithms,
            evidence.segments,
            evidence.nulls,
            evidence.prefers,
            solutions.slsa,
            solutions.gorge,
            solutions.neighbours,
            solutions.tree,
            solutions.reach,
            multiverse,
        ),
        everyone=profiles.everyone,
        hidden=profiles.hidden,
        categories=profiles.categories,
        map=profiles.map,
        spread=profiles.spread,
        unassigned=profiles.unassigned,
        value_total=profiles.value_total,
        segments=segments,
        rules=rules,
        proof=proof,
        card=card,
        expected=expected,
        rfm=rfm,
        validation=validation,
        contrasts=profiles.contrasts,
        concentration=profiles.concentration,
        change=change,
        questions=questions,
        targeting=targeting,
    )
    return from_json(to_json(report))


def to_json(report: Report) -> str:
    """The report as text: sorted by nothing, rounded, one value a line, so that two runs can be compared."""
    return json.dumps(_rounded(asdict(report)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


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
            "build/report.json was written by another version of this project.",
            hint="Run: python -m analysis build --force",
        ) from None


def read_report(path: Path) -> Report:
    """Read ``report.json``; an :class:`InputError` says what to run where there is none."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("build/report.json is not there yet.", hint="Run: python -m analysis build") from None


def _headline(n: int, segments: tuple[Segment, ...], verdict: str, study: StudyInfo, value: str) -> str:
    """The one sentence that answers."""
    groups = f"{in_words(len(segments))} groups" if len(segments) > 1 else "one group"
    if verdict == "none":
        return f"{number(n)} {study.customers} were split into {groups}, but the split is no better than chance."
    text = f"{number(n)} {study.customers} form {groups}"
    worth = [s for s in segments if s.value_share is not None]
    if not worth or len(segments) == 1:
        return f"{text}."
    best = max(worth, key=lambda s: (s.value_share or 0) / s.share)
    formats = Formats(study.currency, study.customers, study.min_cell)
    rank = Counter(s.n < best.n for s in segments)[True]
    least, most = ("the smaller", "the larger") if len(segments) == 2 else ("the smallest", "the largest")
    size = least if rank == 0 else most if rank == len(segments) - 1 else "one"
    return (
        f"{text}; {size}, {formats.percent(best.share)} of them, brings "
        f"{formats.percent(best.value_share or 0)} of {value}."
    )


def _settings(study: Study) -> tuple[tuple[str, str, str], ...]:
    """The settings of the analysis; what says which data there are and what they mean stands elsewhere."""
    told = {
        "title",
        "subtitle",
        "customers",
        "locale",
        "currency",
        "period",
        "as_of",
        "sources",
        "features",
        "names",
        "demo",
        "card",
        "history",
        "targeting",
    }
    values = study.model_dump(mode="json", exclude=told, exclude_none=True)
    return tuple(
        (
            name,
            ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value),
            Study.model_fields[name].description or "",
        )
        for name, value in values.items()
    )


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
