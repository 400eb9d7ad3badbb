"""Writer of the pages: fills one template per page and writes the files that changed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analysis.base.cache import Kept
from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.base.locales import localized
from analysis.base.version import tool_version
from analysis.pages.assets import read_tokens, write_vega_bundle
from analysis.pages.downloads import contents, sharing
from analysis.pages.downloads.briefs import (
    Brief,
    brief_downloads,
    brief_files,
    home_address,
    key_numbers,
    narrow,
    persona_brief,
    study_brief,
)
from analysis.pages.downloads.takeaways import write_takeaways
from analysis.pages.drawings import draw_all, draw_pictures
from analysis.pages.escaping import escape_front, escape_json
from analysis.pages.figures import WIDTH, Figure, Table
from analysis.pages.files import remove_others, write_changed
from analysis.pages.notes import as_html, find_lost, read_notes
from analysis.pages.portraits import (
    BADGES,
    build_card,
    list_outcomes,
    place_marker,
    say_expected,
)
from analysis.pages.templating import find_line, make_environment, read_glossary
from analysis.pages.text import (
    act,
    changes,
    compare,
    evidence,
    finder,
    methodology,
    overview,
    persona,
    placing,
    stability,
    workshop,
)
from analysis.pages.text import data as tables
from analysis.pages.text.tool import speed, validation
from analysis.pages.text.uses import tiers, ties
from analysis.report.model import Report, Segment
from analysis.report.thresholds import OUTLIER_Z, THRESHOLDS

OF_THE_TOOL = {"validation": ("recovery", "example"), "speed": ("growth", "rows")}
"""Pages about the tool rather than the study, with their charts."""
SYNTHETIC = "Synthetic demonstration data: no customer on this site is real."


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
    rooms: tuple[int, int]
    table: Table


class _Shown(Mapping[str, PageFigure]):
    """Charts as pages take them, each made when a page asks for it: the pictures of later ones may still be drawn."""

    def __init__(self, figures: Mapping[str, Figure], make: Callable[[Figure], PageFigure]) -> None:
        self._figures, self._make, self._made = figures, make, dict[str, PageFigure]()

    def __getitem__(self, name: str) -> PageFigure:
        if name not in self._made:
            self._made[name] = self._make(self._figures[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._figures

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)


def write_pages(
    report: Report, root: Path, kept: Kept | None = None, manual: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write ``site/*.qmd``, the charts' pictures and the notice; remove pages of segments that are gone.

    Parameters
    ----------
    report : Report
    root : Path
        Project folder.
    kept : Kept, optional
        Pictures of the builds before.
    manual : mapping, optional
        The content of the manual; its pages are left out where there is none.

    Returns
    -------
    list of Path
        Every generated file.
    """
    with localized(report.study.locale):
        site = root / "site"
        bundle = write_vega_bundle(site / "assets")
        book = _Book(report, root, bundle, kept, manual)
        files = write_takeaways(report, root, book.figures, book.tokens, book.home, book.briefs(), kept)
        pages = {**dict(book.pages()), "downloads.qmd": book.downloads_page(files)}
        files += [write_changed(site / name, text) for name, text in pages.items()]
        charts = [figure.id for figure in book.figures.values()]
        files += [write_changed(site / "assets" / "charts" / f"{id}.svg", book.pictures[id]) for id in charts]
        _sweep_generated(site, files)
        sources = sorted(site.rglob("*.qmd"))
        prose = {page.relative_to(site).as_posix(): page.read_text(encoding="utf-8") for page in sources}
        guide = sharing.write_guide(report, {**pages, **prose}, book.home if "//" in book.home else "")
        files.append(write_changed(site / sharing.GUIDE, guide))
        remove_others(site / "assets" / "charts", "*.svg", files)
        until = report.formats().date(report.card.valid_until)
        dated = f", as of {report.formats().date(report.study.as_of)}" if report.study.as_of else ""
        text = (
            SYNTHETIC
            if report.study.synthetic
            else f"Made from {number(report.study.n_customers)} rows of data{dated}."
        )
        if report.study.setting("disclosure") == "internal":
            text = f"Internal: may hold exact figures. {text}"
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
    """Write what every page says about its data and the tool, in the two files that both engines read after pre-render.

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
    # Quarto repeats the metadata of a page that it renders alone; the study's settings say nothing about a page.
    metadata = {"segmentation": None, **({"include-before-body": [{"text": strip}]} if strip else {})}
    write_changed(root / "site" / "_metadata.yml", json.dumps(metadata, ensure_ascii=False, indent=1) + "\n")
    values = {"notice": text, "version": tool_version(), **(variables or {})}
    write_changed(root / "_variables.yml", json.dumps(values, ensure_ascii=False, indent=1) + "\n")


class _Book:
    """The pages of one report."""

    def __init__(
        self, report: Report, root: Path, bundle: str, kept: Kept | None = None, manual: Mapping[str, Any] | None = None
    ) -> None:
        self.report, self.formats, self.home = report, report.formats(), home_address(root)
        self.tokens = read_tokens((root / "site" / "assets" / "site.css").read_text(encoding="utf-8"))
        self.kept, self.manual, self.figures = kept, manual, dict[str, Figure]()
        self.pictures = draw_pictures(self.draw(), self.tokens, kept)
        names: dict[str, Any] = {
            "vega_bundle": Markup(bundle),
            "chart_source": overview.describe_data(report),
            "readings": evidence,
            "structure": stability,
            "trials": validation,
            "speed": speed,
            "placing": placing,
            "finder": finder,
            "workshop": workshop,
            "act": act,
            "locale": report.study.locale,
            "glossary": read_glossary(root / "templates" / "glossary.yml"),
            "comparison": compare,
            "persona": persona,
            "overview": overview,
            "ties": ties,
            "halves": tiers,
            "news": changes,
            "notes": read_notes(root),
            "as_html": as_html,
            "find_lost": find_lost,
        }
        self.environment = make_environment(root / "templates", self.formats, names, kept)

    def pages(self) -> Iterable[tuple[str, str]]:
        """Name and text of each page."""
        shown = _Shown(self.figures, lambda figure: self.figure(figure, 0))
        yield from self.segment_pages()
        yield from self.finding_pages(shown)
        yield self.data_page(shown)
        yield from self.reference_pages()

    def segment_pages(self) -> Iterable[tuple[str, str]]:
        """Yield the overview, the list of personas, and a page for each."""
        report = self.report
        yield "index.qmd", self.page("index", first=act.first_rows(report), briefs=brief_downloads(""))
        siblings = [build_card(report, s, "") for s in report.segments]
        yield "segments/index.qmd", self.page("personas", personas=siblings)
        for segment in report.segments:
            yield f"segments/{segment.slug}.qmd", self.persona(segment, siblings)

    def finding_pages(self, shown: Mapping[str, PageFigure]) -> Iterable[tuple[str, str]]:
        """Yield the pages about the segments as a whole and how far to trust them."""
        report = self.report
        mixes = [shown[name] for name in shown if name.startswith("mix_")]
        yield "explore.qmd", self.page("explore", figures=shown)
        yield "compare.qmd", self.page("compare", figures=shown, mixes=mixes)
        if report.change is not None:
            yield "changes.qmd", self.page("changes", figures=shown, thresholds=THRESHOLDS)
        numbers = key_numbers(report)
        yield "evidence.qmd", self.page("evidence", figures=shown, tiles=(numbers[1], numbers[-1]))
        yield "stability.qmd", self.page("stability", figures=shown)
        yield "algorithms.qmd", self.page("algorithms", figures=shown)
        yield "placing.qmd", self.page("placing")
        yield "finder.qmd", self.page("finder")
        yield "act.qmd", self.page("act")
        if report.lessons:
            yield "learned.qmd", self.page("learned", figures=shown)
        if report.verdict.kind != "none":
            yield "briefs.qmd", self.page("briefs")
        yield "workshop.qmd", self.page("workshop")
        yield "choices.qmd", self.page("choices", figures=shown, thresholds=THRESHOLDS)
        yield "proof.qmd", self.page("proof", figures=shown, thresholds=THRESHOLDS)

    def data_page(self, shown: Mapping[str, PageFigure]) -> tuple[str, str]:
        """Return the page about the input data."""
        report = self.report
        return (
            "data.qmd",
            self.page(
                "data",
                figures=shown,
                columns=[shown[name] for name in shown if name.startswith("column_")],
                coverage=[shown[name] for name in shown if name.startswith("coverage_")],
                reading=tables.reading(report),
                sources=tables.sources(report),
                ledger=tables.ledger(report),
                findings=tables.findings(report),
                numbers=tables.numbers(report),
                outlier_z=OUTLIER_Z,
            ),
        )

    def reference_pages(self) -> Iterable[tuple[str, str]]:
        """Yield the pages to look things up in, those of the manual last."""
        report = self.report
        columns = tables.dictionary(report)
        known = {"variables": tables.variables(report), "columns": columns, "fields": sharing.list_fields()}
        yield "dictionary.qmd", self.page("dictionary", **known)
        yield "card.qmd", self.page("card", thresholds=THRESHOLDS)
        yield (
            "methodology.qmd",
            self.page(
                "methodology",
                features=methodology.features(report),
                groups=methodology.groups(report),
                core=methodology.core(report),
                simplest=methodology.simplest(report),
                sampling=methodology.sampling(report),
                thresholds=THRESHOLDS,
                parameters=methodology.parameters(report),
                mixed=methodology.has_numbers(report),
            ),
        )
        for name, charts in OF_THE_TOOL.items():
            drawn = {each: self.figures.get(each) for each in charts}
            figures = {each: figure and self.figure(figure, 1) for each, figure in drawn.items()}
            yield f"manual/{name}.qmd", self.page(name, thresholds=THRESHOLDS, **figures)
        yield "how.qmd", self.page("how")
        yield "manual/glossary.qmd", self.page("glossary")
        if self.manual is not None:
            for name in ("settings", "commands", "disclosure", "architecture"):
                yield f"manual/{name}.qmd", self.page(name, manual=self.manual)

    def downloads_page(self, files: Iterable[Path]) -> str:
        """Return the page about the files to take along."""
        sizes = {file.name: file.stat().st_size for file in files}
        personas = contents.for_personas(self.report, sizes)
        return self.page("downloads", downloads=contents, sizes=sizes, personas=personas)

    def draw(self) -> Iterator[Figure]:
        """Yield each figure when it is drawn; all are then available to templates by name.

        Those of briefs come twice, the second time as they are printed.
        """
        for figure in draw_all(self.report, self.kept):
            name = figure.id.removeprefix("chart-").replace("-", "_")
            self.figures[name] = figure
            yield figure
            if name == "value_size" or name.startswith("profile_"):
                yield narrow(figure)

    def briefs(self) -> Iterable[Brief]:
        """Build the data of the briefs of the study and of each persona."""
        report, figures = self.report, self.figures
        shown = figures["value_size"]
        first = [
            {"title": row.slot.action, "text": f"For {row.segment.name}. {row.slot.why}", "design": row.slot.design}
            for row in act.first_rows(report)
        ]
        profiles = [figures[f"profile_{s.letter.lower()}"] for s in report.segments]
        yield study_brief(report, first, shown, self.pictures[narrow(shown).id], self.home)
        for s, shown in zip(report.segments, profiles, strict=True):
            sure = evidence.how_sure(report, s)
            yield persona_brief(report, s, sure, shown, self.pictures[narrow(shown).id], self.home)

    def page(self, template: str, **context: Any) -> str:
        """Fill in one template.

        Raises
        ------
        InputError
            Where a template cannot be filled in, with its line.
        """
        try:
            text = self.environment.get_template(f"pages/{template}.qmd").render(
                report=self.report, study=self.report.study, verdict=self.report.verdict, **context
            )
        except Exception as error:
            if place := find_line(error):
                raise InputError(
                    f"{place}: {error}.".replace("..", "."), hint="Correct the template. The last site is unchanged."
                ) from error
            raise
        return re.sub(r"\n{3,}", "\n\n", text)

    def figure(self, figure: Figure, depth: int) -> PageFigure:
        """Make a chart ready for a page that lies ``depth`` folders under ``site/``."""
        view_box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.pictures[figure.id])
        width, height = (round(float(x)) for x in view_box.groups()) if view_box else (WIDTH, figure.height)
        address = Markup("../" * depth + f"assets/charts/{figure.id}.svg")
        words = (figure.id, figure.title, figure.caption, figure.alt)
        return PageFigure(*words, escape_json(figure.spec), address, width, height, figure.rooms(height), figure.table)

    def persona(self, segment: Segment, siblings: list[dict[str, Any]]) -> str:
        """Write a persona page."""
        report = self.report
        return self.page(
            "persona",
            s=segment,
            thresholds=THRESHOLDS,
            siblings=siblings,
            bands=[place_marker(report, segment, name) for name in segment.markers],
            profile=self.figure(self.figures[f"profile_{segment.letter.lower()}"], 1),
            badge_kind=Markup(BADGES[segment.band]),
            aliases=Markup(json.dumps([f"{slug}.html" for slug in segment.former])),
            expected=say_expected(report, segment),
            outcomes=list_outcomes(report, segment),
            briefs=brief_downloads(segment.slug, "../"),
            picture=Markup(brief_files(segment.slug)[1]),
        )


def _sweep_generated(site: Path, keep: list[Path]) -> None:
    """Remove the generated pages of earlier builds that are no pages of this one."""
    for page in set(site.rglob("*.qmd")) - set(keep):
        if "\n<!-- generated, do not edit" in page.read_text(encoding="utf-8"):
            page.unlink()
