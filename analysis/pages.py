"""Report to pages: each page kind is one template that only fills in; a file is written where its bytes change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from joblib import delayed
from markupsafe import Markup

from analysis import (
    algorithm_charts,
    charts,
    comparison,
    data_charts,
    descriptor_charts,
    evidence_charts,
    placing,
    readings,
    structure,
    structure_charts,
    trials,
)
from analysis.assets import read_tokens, themed, write_vega_bundle
from analysis.briefs import (
    Brief,
    brief_downloads,
    home_address,
    installed,
    key_numbers,
    narrow,
    persona_brief,
    study_brief,
    write_briefs,
)
from analysis.escaping import escape, escape_front, escape_json, escape_lines
from analysis.exports import export_rules
from analysis.figures import WIDTH, Figure, Table
from analysis.formats import in_words, joined
from analysis.notes import as_html, find_lost, read_notes
from analysis.prepare import OUTLIER_Z
from analysis.report import Report, Segment
from analysis.thresholds import THRESHOLDS
from analysis.workers import run_parallel

SYNTHETIC = "Synthetic demonstration data: no customer on this site is real."
MOST_DRAWN = 26
"""Columns that the Data page draws; more would weigh too much for a phone. All are in its table."""
BADGES = {
    "highly stable": "highly-stable",
    "valid": "valid",
    "a pattern": "pattern",
    "do not trust": "do-not-trust",
}


@dataclass(frozen=True, slots=True)
class PageFigure:
    """A figure as the macro takes it; ``svg`` is relative to the page."""

    id: str
    title: str
    caption: str
    alt: str
    spec_json: Markup
    svg: Markup
    width: int
    height: int
    table: Table


@dataclass(frozen=True, slots=True)
class Band:
    """A marker row: positions 0-100 on a common axis from the lowest p10 to the highest p90."""

    label: str
    text: str
    colour: Markup
    seg_text: str
    all_text: str
    seg_lo: float
    seg_mid: float
    seg_hi: float
    all_lo: float
    all_mid: float
    all_hi: float


def write_pages(report: Report, root: Path) -> list[Path]:
    """Write ``site/*.qmd``, the charts' pictures and the notice; remove pages of segments that are gone.

    Returns
    -------
    list of Path
        Every generated file.
    """
    site = root / "site"
    bundle = write_vega_bundle(site / "assets")
    book = _Book(report, root, bundle)
    files = [_write(site / name, text) for name, text in book.pages()]
    files += [_write(site / "assets" / "charts" / f"{name}.svg", svg) for name, svg in book.pictures.items()]
    files += [_write(site / "downloads" / name, text) for name, text in export_rules(report).items()]
    files += write_briefs(list(book.briefs()) if installed() else [], site / "downloads", root / "templates" / "briefs")
    for pattern in ("segment*", "brief*.pdf", "card*.png"):
        _sweep(site / "downloads", pattern, files)
    _sweep(site / "segments", "*.qmd", files)
    _sweep(site / "assets" / "charts", "*.svg", files)
    until = report.formats().date(report.card.valid_until)
    dated = f", as of {report.study.as_of}" if report.study.as_of else ""
    text = SYNTHETIC if report.study.synthetic else f"Made from {report.study.n_customers:,} rows of data{dated}."
    write_notice(
        root,
        text,
        synthetic=report.study.synthetic,
        variables={"study": escape_front(report.study.title)},
        stale=(report.card.valid_until, f"Out of date: these segments were to be used until {until}."),
    )
    return [*files, site / "assets" / bundle, site / "_metadata.yml", root / "_variables.yml"]


def write_notice(
    root: Path,
    text: str,
    *,
    synthetic: bool,
    variables: Mapping[str, str] | None = None,
    stale: tuple[str, str] = ("", ""),
) -> None:
    """Write what every page says about its data, in the two files that both engines read after pre-render.

    Parameters
    ----------
    root : Path
        Project folder.
    text : str
        One line, never empty; 404 always shows it, the other pages where the data are synthetic.
    synthetic : bool
        Whether a strip with the text stands on top of every page.
    variables : mapping of str to str, optional
        More variables for ``{{< var name >}}`` in prose pages.
    stale : tuple of (str, str), optional
        Last day of use as ISO text, empty for none, and the words that a script shows on every page after it.
    """
    strip = f'<aside class="notice" aria-label="About the data">{Markup.escape(text)}</aside>' if synthetic else ""
    if stale[0]:
        strip += (
            f'<aside class="notice-stale" aria-label="Out of date" data-until="{Markup.escape(stale[0])}" hidden>'
            f"{Markup.escape(stale[1])}</aside>"
        )
    metadata = {"include-before-body": [{"text": strip}]} if strip else {}
    _write(root / "site" / "_metadata.yml", json.dumps(metadata, ensure_ascii=False, indent=1) + "\n")
    values = {"notice": text, **(variables or {})}
    _write(root / "_variables.yml", json.dumps(values, ensure_ascii=False, indent=1) + "\n")


class _Book:
    """The pages of one report."""

    def __init__(self, report: Report, root: Path, bundle: str) -> None:
        self.report, self.formats, self.home = report, report.formats(), home_address(root)
        self.tokens = read_tokens((root / "site" / "assets" / "site.css").read_text(encoding="utf-8"))
        self.figures = {f.id.removeprefix("chart-").replace("-", "_"): f for f in _draw_all(report)}
        self.pictures = _pictures(list(self.figures.values()), self.tokens)
        self.environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            block_start_string="<%",
            block_end_string="%>",
            variable_start_string="<<",
            variable_end_string=">>",
            comment_start_string="<#",
            comment_end_string="#>",
            undefined=StrictUndefined,
            autoescape=True,
            finalize=_finalize,
            trim_blocks=True,
            keep_trailing_newline=True,
        )
        self.environment.globals.update(
            vega_bundle=Markup(bundle),
            readings=readings,
            structure=structure,
            trials=trials,
            placing=placing,
            comparison=comparison,
        )
        self.environment.globals.update(notes=read_notes(root), as_html=as_html, find_lost=find_lost)
        self.environment.filters.update(
            front=lambda text: Markup(json.dumps(escape_front(text), ensure_ascii=False)),
            percent=self.formats.percent,
            interval=self.formats.interval,
            about=self.formats.about,
            date=self.formats.date,
            people=self.formats.people,
            plain=self.formats.plain,
            words=in_words,
            value=self.formats.value,
            code=escape_lines,
        )

    def pages(self) -> Iterable[tuple[str, str]]:
        """Name and text of each page."""
        report, figures = self.report, self.figures
        personas = [self.card(s, "segments/") for s in report.segments]
        yield (
            "index.qmd",
            self.page(
                "index",
                personas=personas,
                value_size=self.figure(figures["value_size"], 0),
                first=self.first_actions(),
                tiles=key_numbers(report),
                briefs=brief_downloads(""),
            ),
        )
        siblings = [self.card(s, "") for s in report.segments]
        yield "segments/index.qmd", self.page("personas", personas=siblings)
        for i, segment in enumerate(report.segments):
            neighbours = {
                "previous": siblings[i - 1] if i else None,
                "next": siblings[i + 1] if i + 1 < len(siblings) else None,
            }
            yield f"segments/{segment.slug}.qmd", self.persona(segment, siblings, neighbours)
        shown = {name: self.figure(figure, 0) for name, figure in figures.items()}
        mixes = [figure for name, figure in shown.items() if name.startswith("mix_")]
        yield "compare.qmd", self.page("compare", figures=shown, mixes=mixes)
        yield "evidence.qmd", self.page("evidence", figures=shown)
        yield "stability.qmd", self.page("stability", figures=shown)
        yield "algorithms.qmd", self.page("algorithms", figures=shown)
        yield "placing.qmd", self.page("placing")
        yield "choices.qmd", self.page("choices", figures=shown, thresholds=THRESHOLDS)
        yield "proof.qmd", self.page("proof", figures=shown)
        columns = [figure for name, figure in shown.items() if name.startswith("column_")]
        yield (
            "data.qmd",
            self.page(
                "data",
                figures=shown,
                columns=columns,
                coverage=[figure for name, figure in shown.items() if name.startswith("coverage_")],
                sources=self.sources(),
                ledger=self.ledger(),
                findings=self.findings(),
                dictionary=self.dictionary(),
                numbers=self.numbers(),
                outlier_z=OUTLIER_Z,
            ),
        )
        yield "card.qmd", self.page("card", thresholds=THRESHOLDS)
        yield (
            "methodology.qmd",
            self.page(
                "methodology",
                features=self.features(),
                groups=self.groups(),
                core=self.core(),
                thresholds=THRESHOLDS,
                parameters=self.parameters(),
            ),
        )
        yield "validation.qmd", self.page("validation", figures=shown)

    def briefs(self) -> Iterable[Brief]:
        """The study and each persona on a page of their own."""
        report, figures = self.report, self.figures
        shown = figures["value_size"]
        profiles = [figures[f"profile_{s.letter.lower()}"] for s in report.segments]
        pictures = _pictures([narrow(f) for f in (shown, *profiles)], self.tokens)
        yield study_brief(report, self.first_actions(), shown, pictures[shown.id], self.home)
        for s, shown in zip(report.segments, profiles, strict=True):
            sure = readings.how_sure(s, self.formats)
            yield persona_brief(report, s, self.tiles(s), sure, shown, pictures[shown.id], self.home)

    def page(self, template: str, **context: Any) -> str:
        """Fill in one template."""
        text = self.environment.get_template(f"pages/{template}.qmd").render(
            report=self.report, study=self.report.study, verdict=self.report.verdict, **context
        )
        return re.sub(r"\n{3,}", "\n\n", text)

    def figure(self, figure: Figure, depth: int) -> PageFigure:
        """Make a chart ready for a page that lies ``depth`` folders under ``site/``."""
        found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.pictures[figure.id])
        width, height = (round(float(x)) for x in found.groups()) if found else (WIDTH, figure.height)
        address = Markup("../" * depth + f"assets/charts/{figure.id}.svg")
        words = (figure.id, figure.title, figure.caption, figure.alt)
        return PageFigure(*words, escape_json(figure.spec), address, width, height, figure.table)

    def card(self, s: Segment, folder: str) -> dict[str, Any]:
        """A persona as the card, the switcher and the pager take it."""
        widest = max(max(x.share, x.value_share or 0) for x in self.report.segments)
        return {
            "url": Markup(f"{folder}{s.slug}.html"),
            "letter": s.letter,
            "colour": Markup(s.colour),
            "name": s.name,
            "story": s.one_line,
            "customers_text": f"{self.formats.people(s.n)} ({self.formats.percent(s.share)})",
            "customers_pct": round(100 * s.share / widest),
            "value_label": self.report.value_label(),
            "value_text": self.formats.value(s.value_share, "share") if s.value_share is not None else "",
            "value_pct": round(100 * (s.value_share or 0) / widest),
            "traits": list(s.traits),
            "badge_kind": Markup(BADGES[s.band]),
            "badge_text": s.band.capitalize(),
        }

    def persona(self, segment: Segment, siblings: list[dict[str, Any]], neighbours: dict[str, Any]) -> str:
        """One persona page."""
        return self.page(
            "persona",
            s=segment,
            thresholds=THRESHOLDS,
            siblings=siblings,
            bands=[self.band(segment, name) for name in segment.markers],
            profile=self.figure(self.figures[f"profile_{segment.letter.lower()}"], 1),
            badge_kind=Markup(BADGES[segment.band]),
            tiles=self.tiles(segment),
            outcomes=self.outcomes(segment),
            briefs=brief_downloads(segment.slug, "../"),
            **neighbours,
        )

    def tiles(self, s: Segment) -> list[tuple[str, str, str]]:
        """Key numbers of a persona: value, label, note."""
        f, study = self.formats, self.report.study
        tiles = [(f.people(s.n), study.customers, f"{f.percent(s.share)} of all")]
        worth = s.difference(study.value) if study.value else None
        if worth and s.value_share is not None and study.value:
            variable = self.report.variable(study.value)
            label = variable.label.lower()
            base = f.value(self.report.everyone[study.value].median, variable.unit)
            tiles.append((f.percent(s.value_share), f"of {label}", f"{f.percent(s.share)} of customers"))
            tiles.append((f.value(worth.summary.median, variable.unit), f"median {label}", f"everyone {base}"))
        if expected := self.report.expected:
            own = expected.segments[s.id - 1]
            band, base = f.interval(own.low, own.high, "money"), f.value(expected.everyone.value, "money")
            note = f"a customer, {band}; everyone {base}"
            tiles.append((f.value(own.value, "money"), "expected spend in the next year", note))
        tiles.append((f"{s.slsw:.2f}", "stability", f"{s.band}; 1 = the same customers in every resample"))
        return tiles

    def outcomes(self, s: Segment) -> list[tuple[str, str, str]]:
        """Outcome, rate here, rate of everyone."""
        return [
            (
                v.label,
                self.formats.percent(d.summary.mean),
                self.formats.percent(self.report.everyone[v.name].mean),
            )
            for v in self.report.variables
            if v.role == "outcome" and v.unit == "yes_no" and (d := s.difference(v.name))
        ]

    def band(self, s: Segment, name: str) -> Band:
        """One marker as a band against everyone."""
        variable, found = self.report.variable(name), s.difference(name)
        assert found is not None
        own, base = found.summary, self.report.everyone[name]
        word = "higher" if found.z > 0 else "lower"
        sure = f"{word} in {found.certainty} of 100 resamples"
        if variable.unit == "yes_no":
            here, all_ = round(100 * own.mean, 1), round(100 * base.mean, 1)
            texts = (self.formats.percent(own.mean), self.formats.percent(base.mean))
            return Band(variable.label, f"yes, {sure}", Markup(s.colour), *texts, 0, here, here, 0, all_, all_)
        low, high = min(own.p10, base.p10), max(own.p90, base.p90)
        span = (high - low) or 1.0
        told = self.formats.told(variable.unit, (own.mean, own.median), (base.mean, base.median))
        if told and told[0] == "mean":
            sure = f"on average {told[1]}, everyone {told[2]}; {sure}"
        place = [
            round(4 + 92 * (x - low) / span, 1) for x in (own.p10, own.median, own.p90, base.p10, base.median, base.p90)
        ]
        unit = variable.unit
        return Band(
            variable.label,
            sure,
            Markup(s.colour),
            f"{self.formats.value(own.median, unit)} ({self.formats.value(own.p10, unit)} to "
            f"{self.formats.value(own.p90, unit)})",
            f"{self.formats.value(base.median, unit)} ({self.formats.value(base.p10, unit)} to "
            f"{self.formats.value(base.p90, unit)})",
            *place,
        )

    def first_actions(self) -> list[dict[str, Any]]:
        """The first action of up to three segments, most valuable first; no action twice."""
        ranked = sorted(self.report.segments, key=lambda s: -(s.value_share if s.value_share is not None else s.share))
        chosen: list[dict[str, Any]] = []
        for s in ranked:
            action = next((a for a in s.actions if a.title not in {c["title"] for c in chosen}), None)
            if action and len(chosen) < 3:
                chosen.append(
                    {
                        "title": action.title,
                        "text": f"For {s.name}. {action.reason}",
                        "why": "",
                        "test": action.measure,
                        "evidence": [{"url": Markup(f"segments/{s.slug}.html#what-to-do"), "text": s.name}],
                    }
                )
        return chosen

    def ledger(self) -> Table:
        """The cleaning ledger as text."""
        return Table(
            ("Rule", "Customers in", "Touched", "Customers out", "What was done", "Why"),
            tuple(
                (
                    x.rule,
                    f"{x.rows_in:,}",
                    self.formats.people(x.touched),
                    f"{x.rows_out:,}",
                    x.done if x.touched else "nothing to do",
                    x.why,
                )
                for x in self.report.ledger
            ),
        )

    def findings(self) -> Table:
        """What the linter found, as text."""
        return Table(
            ("Finding", "Severity", "Why it matters", "What was done"),
            tuple((f.title, f.severity, f.why, f.done) for f in self.report.findings),
        )

    def sources(self) -> Table:
        """Every source: size, fingerprint, time, and what did not fit to the base."""
        many = len(self.report.data.sources) > 1
        joining = ("Unmatched", "Absent") if many else ()
        rows = []
        for s in self.report.data.sources:
            fits = tuple("–" if n is None else self.formats.people(n) for n in (s.unknown, s.without)) if many else ()
            span = tuple(month.replace("-", "\N{NON-BREAKING HYPHEN}") or "–" for month in (s.first, s.last))
            rows.append((s.name, s.kind, f"{s.rows:,}", f"{s.columns:,}", *span, *fits, s.sha256))
        return Table(("File", "What a row is", "Rows", "Columns", "From", "To", *joining, "Fingerprint"), tuple(rows))

    def dictionary(self) -> Table:
        """Every column as it was read."""
        f = self.formats
        return Table(
            ("Column", "Meaning", "Read as", "Role", "Missing", "Different values", "How it was read"),
            tuple(
                (c.name, c.label, c.type, c.role, f.people(c.missing), f"{c.distinct:,}", c.note)
                for c in self.report.data.columns
            ),
        )

    def numbers(self) -> Table:
        """How the values of each column of numbers lie."""
        f = self.formats
        return Table(
            ("Column", "p1", "p10", "Median", "p90", "p99", "Skewness", "Outliers"),
            tuple(
                (
                    c.label,
                    *(f.value(x, c.type) for x in (c.p1, c.p10, c.median, c.p90, c.p99)),
                    f"{round(c.skewness, 1) + 0.0:+.1f}" if c.skewness is not None else "–",
                    f.people(c.outliers or 0),
                )
                for c in self.report.data.columns
                if c.median is not None
            ),
        )

    def parameters(self) -> Table:
        """The models behind the expected spend."""
        told = self.report.expected.parameters if self.report.expected else ()
        return Table(("Parameter", "Value"), tuple((name, f"{value:.4g}") for name, value in told))

    def features(self) -> Table:
        """Every variable with its formula and what was done to it."""
        steps = {step.name: step for step in self.report.steps}
        dropped = {d.name: d for d in self.report.dropped}
        sharing = {name: len(g.members) for g in self.report.groups for name in g.members}
        rows = []
        for v in self.report.variables:
            left_out = dropped.get(v.name)
            if left_out:
                noise = left_out.kind == "noise"
                use = "noise, describes them" if noise else f"left out: {left_out.reason}"
            else:
                use = "forms segments" if v.name in steps else f"{v.role}, describes them"
            step = steps.get(v.name)
            made = "same level or another" if step and step.levels else ""
            made = made or ("logarithm, " if step and step.log else "") + ("scaled" if step else "as it is")
            if step and self.report.study.near_copies == "weigh" and v.name in sharing:
                made += f", 1/{sharing[v.name]} of the weight"
            rows.append((v.label, use, v.formula, made, v.about or "–"))
        return Table(("Variable", "Use", "Formula", "Taken as", "Meaning"), tuple(rows))

    def core(self) -> str:
        """How many were fitted on, so that nobody can subtract to a few who were not."""
        n, n_core = self.report.study.n_customers, self.report.study.n_core
        few = 0 < n - n_core < self.report.study.min_cell
        return f"all but {self.formats.people(n - n_core)} of {n:,}" if few else f"{n_core:,}"

    def groups(self) -> list[str]:
        """The groups of near-copies and what became of each."""
        return [
            f"{joined([self.report.variable(name).label for name in g.members])} "
            f"(Spearman {g.least:.2f} or more); {g.done}"
            for g in self.report.groups
        ]


def _draw_all(report: Report) -> list[Figure]:
    """Every chart of the site, once."""
    found = [
        charts.value_against_size(report),
        charts.concentration(report),
        charts.heat_map(report),
        charts.parallel_coordinates(report),
        charts.segment_map(report),
        descriptor_charts.outcomes(report),
        descriptor_charts.descriptors(report),
        *(descriptor_charts.mosaic(report, i) for i in range(len(descriptor_charts.mosaics(report)))),
        descriptor_charts.expected_spend(report),
        descriptor_charts.rfm_grid(report),
        *(descriptor_charts.proof(report, i) for i in range(len(report.proof.targets))),
        evidence_charts.stability(report),
        evidence_charts.elbow(report),
        evidence_charts.silhouette(report),
        evidence_charts.calinski_harabasz(report),
        evidence_charts.davies_bouldin(report),
        evidence_charts.gap(report),
        evidence_charts.prediction_strength(report),
        evidence_charts.bic(report),
        evidence_charts.null_reference(report),
        evidence_charts.gaussian_reference(report),
        algorithm_charts.algorithms(report),
        algorithm_charts.dendrogram(report),
        algorithm_charts.reach(report),
        algorithm_charts.ward_groups(report),
        structure_charts.segment_stability(report),
        structure_charts.neighbours(report),
        structure_charts.flow(report),
        structure_charts.sharpness(report),
        structure_charts.gorge(report),
        structure_charts.multiverse(report),
        structure_charts.main_effects(report),
        structure_charts.left_out(report),
        *(data_charts.distribution(report, c) for c in [c for c in report.data.columns if c.bars][:MOST_DRAWN]),
        trials.recovery(report),
        data_charts.missing_values(report),
        data_charts.missing_together(report),
        data_charts.correlation_map(report),
        data_charts.association_map(report),
        *(data_charts.coverage(report, i) for i in range(len(report.data.sources))),
        *(charts.persona_profile(report, s) for s in report.segments),
    ]
    return [figure for figure in found if figure]


def _pictures(figures: list[Figure], tokens: dict[str, str]) -> dict[str, str]:
    """The static picture of each chart, by id; drawn side by side, as drawing is the slow part."""
    specs = []
    for figure in figures:
        spec = themed(figure.spec, tokens)
        if spec.get("width") == "container":
            spec = {**spec, "width": WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
        specs.append({"$schema": _SCHEMA, **spec})
    drawn = run_parallel(delayed(vl_convert.vegalite_to_svg)(spec) for spec in specs)
    return {figure.id: _numbered(svg) for figure, svg in zip(figures, drawn, strict=True)}


def _numbered(svg: str) -> str:
    """Count clips and gradients anew; Vega counts on over all pictures of a process, in whatever order it got them."""
    numbers: dict[str, int] = {}
    marks = re.compile(r'((?:id="|url\(#)(?:clip|gradient_))(\d+)')
    return marks.sub(lambda mark: f"{mark[1]}{numbers.setdefault(mark[2], len(numbers) + 1)}", svg)


_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def _finalize(value: object) -> object:
    if isinstance(value, Markup) or value is None:
        return value
    return Markup(str(value)) if isinstance(value, (int, float)) else escape(value)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode("utf-8")
    if not path.is_file() or path.read_bytes() != data:
        path.write_bytes(data)
    return path


def _sweep(folder: Path, pattern: str, keep: list[Path]) -> None:
    for stale in set(folder.glob(pattern)) - set(keep):
        stale.unlink()
