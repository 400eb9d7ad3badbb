"""From an analysis to the Report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from analysis.base.disclosure import Disclosure
from analysis.base.formats import Formats, in_sentence, in_words, number
from analysis.base.weights import effective_size
from analysis.experiments.records import Experiment
from analysis.profiles.themes import group_by_theme, read_traits
from analysis.report.analysis import Analysis
from analysis.report.disclosure import publish
from analysis.report.lessons import gather_lessons, learn
from analysis.report.model import (
    CATEGORY,
    SHAPED,
    VERDICTS,
    DataInfo,
    EvidenceInfo,
    Report,
    SampleInfo,
    Segment,
    StudyInfo,
    VerdictInfo,
    Weighting,
    from_json,
    to_json,
)
from analysis.report.speed import Speed
from analysis.report.trials import Validation
from analysis.segments.tiers import describe_tiers
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Tool:
    """What a report states of the tool itself.

    Attributes
    ----------
    versions : dict of str to str
        Of Python and of packages that can change a number.
    validation : Validation, optional
        How the method did on customers whose groups are known.
    speed : Speed, optional
        How long it takes.
    experiments : tuple of Experiment
        Tests of actions that the project keeps.
    """

    versions: dict[str, str]
    validation: Validation | None = None
    speed: Speed | None = None
    experiments: tuple[Experiment, ...] = ()


def write_report(analysis: Analysis, tool: Tool) -> Report:
    """Put the stages' results together, numbers rounded to :data:`DIGITS` significant digits, or whole.

    Parameters
    ----------
    analysis : Analysis
    tool : Tool
    """
    features, found, robustness = analysis.features, analysis.segments, analysis.robustness
    prepared, profiles = features.prepared, found.profiles
    rules = Disclosure.of(analysis.study)
    info = publish(_describe_study(analysis, tool), rules)
    segments = publish(_list_segments(analysis), rules)
    lessons = gather_lessons(tool.experiments, {s.slug: s.n for s in segments}, info.as_of)
    formats = Formats(info.currency, info.customers, info.min_cell)
    report = Report(
        schema_version=1,
        study=info,
        data=_describe_data(analysis),
        ledger=(*analysis.customers.ledger, *prepared.ledger),
        variables=features.table.variables,
        steps=prepared.steps,
        groups=prepared.groups,
        dropped=prepared.dropped,
        findings=robustness.findings,
        decision=analysis.evidence.decision,
        verdict=_judge(analysis, info, segments),
        lessons=lessons,
        evidence=_list_evidence(analysis),
        everyone=profiles.everyone,
        hidden=profiles.hidden,
        categories=profiles.categories,
        map=profiles.map,
        spread=profiles.spread,
        unassigned=profiles.unassigned,
        value_total=profiles.value_total,
        segments=tuple(replace(s, plan=learn(s.slug, s.plan, lessons, formats)) for s in segments),
        rules=analysis.assignment.rules,
        proof=analysis.usefulness,
        card=found.card,
        expected=found.expected,
        rfm=analysis.customers.assembled.rfm,
        validation=tool.validation,
        speed=tool.speed,
        contrasts=profiles.contrasts,
        concentration=profiles.concentration,
        change=found.change,
        questions=analysis.assignment.questions,
        targeting=found.targeting,
        tiers=describe_tiers(analysis.tiers, features, analysis.evidence.labels, analysis.study),
        themes=group_by_theme(read_traits(features.table.variables, analysis.study), profiles.everyone),
        weighting=_describe_weights(analysis),
        held=None if analysis.customers.population is None else len(analysis.evidence.labels),
    )
    return from_json(to_json(publish(report, rules)))


def _describe_study(analysis: Analysis, tool: Tool) -> StudyInfo:
    study = analysis.study
    return StudyInfo(
        study.title,
        study.subtitle,
        study.customers,
        study.locale,
        study.currency,
        study.period,
        analysis.customers.as_of,
        analysis.inputs.synthetic,
        analysis.customers.n,
        _count_core(analysis),
        study.min_cell,
        study.seed,
        study.scaling,
        study.missing,
        study.outliers,
        study.near_copies,
        study.noise,
        study.value,
        _settings(study),
        tool.versions,
    )


def _count_core(analysis: Analysis) -> int:
    """Customers of the clean core; projected to all customers from a sample of them."""
    core, n = analysis.features.prepared.core, analysis.customers.n
    return int(core.sum()) if n == len(core) else round(float(core.mean()) * n)


def _describe_weights(analysis: Analysis) -> Weighting | None:
    weights, labels = analysis.features.table.weights, analysis.evidence.labels
    column = analysis.customers.source.weight
    if weights is None or column is None:
        return None
    sizes = [effective_size(weights[labels == j]) for j in range(1, int(labels.max()) + 1)]
    label = analysis.customers.source.labels.get(column, column)
    return Weighting(label, round(effective_size(weights)), tuple(map(round, sizes)))


def _describe_data(analysis: Analysis) -> DataInfo:
    data, cleaned, study = analysis.data, analysis.customers.cleaned, analysis.study
    return DataInfo(
        sources=data.sources,
        columns=data.columns,
        missing_cells=sum(column.missing for column in data.columns if column.missing >= study.min_cell),
        missingness=data.missingness,
        duplicates=cleaned.duplicates,
        duplicate_rows=cleaned.duplicate_groups_rows,
        constants=cleaned.constants,
        correlations=data.correlations,
        associations=data.associations,
        draft=analysis.inputs.draft,
    )


def _list_segments(analysis: Analysis) -> tuple[Segment, ...]:
    found = analysis.segments
    return tuple(
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
            w.name_basis,
            w.portrait,
            w.typical,
            w.markers,
            w.not_all,
            w.plan,
            p.differences,
            w.identity.since,
            w.identity.name,
            w.today,
            w.identity.former,
            p.share_interval,
            p.value_interval,
        )
        for p, w, e in zip(found.profiles.segments, found.personas, analysis.evidence.segments, strict=True)
    )


def _list_evidence(analysis: Analysis) -> EvidenceInfo:
    evidence, solutions = analysis.evidence, analysis.robustness.solutions
    return EvidenceInfo(
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
        analysis.robustness.multiverse,
        SampleInfo(len(evidence.sample.rows), evidence.sample.agreement) if evidence.sample else None,
        analysis.robustness.ladder,
        evidence.use,
        analysis.robustness.shapes,
    )


def _judge(analysis: Analysis, info: StudyInfo, segments: tuple[Segment, ...]) -> VerdictInfo:
    verdict = analysis.evidence.verdict
    title, sentence = VERDICTS[verdict]
    column = analysis.evidence.category
    if column is not None and verdict == "constructive":
        sentence = CATEGORY.format(column=analysis.features.prepared.columns()[column].label)
    if shapes := analysis.robustness.shapes:
        sentence = SHAPED.format(algorithm=shapes.algorithm, groups=in_words(shapes.n_groups))
    profiles = analysis.segments.profiles
    variables = analysis.features.table.variables
    worth = next((in_sentence(v.label) for v in variables if v.name == analysis.study.value), "")
    weighted = analysis.features.table.weights is not None
    headline = _headline(profiles.unassigned, segments, verdict, info, worth, weighted)
    return VerdictInfo(verdict, title, headline, sentence)


def _headline(
    unassigned: int, segments: tuple[Segment, ...], verdict: str, study: StudyInfo, value: str, weighted: bool = False
) -> str:
    """The one sentence that answers."""
    groups = f"{in_words(len(segments))} groups" if len(segments) > 1 else "one group"
    n, few = study.n_customers, unassigned < study.min_cell
    whole = number(n) if few else f"{number(n - unassigned)} of {number(n)}"
    if verdict == "none":
        return f"{whole} {study.customers} were split into {groups}, but the split is no better than chance."
    text = f"{whole} {study.customers} form {groups}"
    worth = [s for s in segments if s.value_share is not None]
    if not worth or len(segments) == 1:
        return f"{text}."
    best = max(worth, key=lambda s: (s.value_share or 0) / s.share)
    formats = Formats(study.currency, study.customers, study.min_cell)
    rank = Counter(s.share < best.share if weighted else s.n < best.n for s in segments)[True]
    least, most = ("the smaller", "the larger") if len(segments) == 2 else ("the smallest", "the largest")
    size = least if rank == 0 else most if rank == len(segments) - 1 else "one"
    whole = "the population" if weighted else "them" if few else "all"
    return (
        f"{text}; {size}, {formats.percent(best.share)} of {whole}, brings "
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
        "consent",
        "suppress",
        # These change no number, or stand in the report where they do.
        "engine",
        "in_memory",
        "memberships",
        "memory",
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
