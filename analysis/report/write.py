"""From the results of all stages to the Report."""

from __future__ import annotations

from collections import Counter

from analysis.assignment.questions import Questions
from analysis.assignment.rules import Rules
from analysis.base.formats import Formats, in_words, number
from analysis.clustering.choices import Multiverse
from analysis.clustering.evidence import Evidence
from analysis.clustering.lint import Finding
from analysis.clustering.solutions import Solutions
from analysis.clustering.usefulness import Proof
from analysis.customers.cleaning import Cleaned, LedgerLine
from analysis.customers.rfm import RfmGrid
from analysis.features.build import FeatureTable
from analysis.features.column_summary import ColumnSummary, Missingness
from analysis.features.prepare import Prepared
from analysis.features.provenance import SourceSummary
from analysis.features.relations import Relations
from analysis.history.records import Change
from analysis.report.model import (
    VERDICTS,
    DataInfo,
    EvidenceInfo,
    Report,
    Segment,
    StudyInfo,
    VerdictInfo,
    from_json,
    to_json,
)
from analysis.report.trials import Validation
from analysis.segments.card import Card
from analysis.segments.personas import Persona
from analysis.segments.profile import ExpectedSpend, Profiles
from analysis.segments.targeting import Targeting
from analysis.settings.models import Study


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
