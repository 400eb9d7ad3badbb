"""A site differs from an English one in how its locale writes numbers and dates, and in no word."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from html import unescape

import pytest

from analysis.base.formats import number
from analysis.base.locales import conventions, localized
from analysis.pages.book import _Book
from analysis.pages.pictures import draw_svg
from analysis.pages.rules import export_rules
from analysis.publish.gate.disclosure import find_small_cells, read_count
from analysis.publish.gate.documents import Document, Text
from tests.stages import ROOT, Stages, empty_pictures, project_study, take_through, twin_file

NUMBER = re.compile(
    r"(?<![\w.,/-])[+-]?(?:(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+)(?!\.?\w)%?|\d+%)",
)
"""Numbers with a mark in them, and percentages, as English writes them."""
DATE = re.compile(r"\b((?:19|20)\d{2})([-\u2011])(\d{2})(?:[-\u2011](\d{2}))?\b")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Written:
    """Formats of a locale as its readers know them, independent of the code."""

    group: str
    decimal: str
    percent: str = "{}%"
    day: str = "{day:02}.{month:02}.{year}"
    month: str = "{month:02}.{year}"
    others: int = 3

    def number(self, text: str) -> str:
        """Write an English number."""
        whole, point, rest = text.removesuffix("%").partition(".")
        if "," in whole:
            sign, digits = re.fullmatch(r"([+-]?)([\d,]+)", whole).groups()
            digits = digits.replace(",", "")
            first, last = digits[:-3], digits[-3:]
            first = re.sub(rf"(?<=\d)(?=(?:\d{{{self.others}}})+$)", lambda _: self.group, first)
            whole = f"{sign}{first}{self.group}{last}"
        number = f"{whole}{self.decimal}{rest}" if point else whole
        return self.percent.format(number) if text.endswith("%") else number

    def date(self, found: re.Match[str]) -> str:
        """Write an English day or month, without a break if the English one has none."""
        year, hyphen, month, day = found.groups()
        parts = {"name": MONTHS[int(month) - 1], "month": int(month), "year": year, "day": int(day or 0)}
        text = (self.day if day else self.month).format(**parts)
        return text if hyphen == "-" else text.replace(" ", "\u00a0").replace("-", hyphen)

    def page(self, text: str) -> str:
        """Write numbers and dates of an English text."""
        return DATE.sub(self.date, NUMBER.sub(lambda found: self.number(found[0]), text))


WRITTEN = {
    "de": Written(".", ",", "{}\u00a0%", month="{month}/{year}"),
    "fr": Written("\u202f", ",", "{}\u00a0%", day="{day:02}/{month:02}/{year}", month="{month:02}/{year}"),
    "pt-BR": Written(".", ",", day="{day:02}/{month:02}/{year}", month="{month:02}/{year}"),
    "en-IN": Written(",", ".", day="{day} {name} {year}", month="{name} {year}", others=2),
}
OTHERS = pytest.mark.parametrize("tag", list(WRITTEN))
EXACT = re.compile(
    "|".join(
        (
            r"<script.*?</script>|<svg.*?</svg>|<code>[^<]*</code>",
            r'style="[^"]*"|data-(?:locale|weight)="[^"]*"|width="\d+" height="\d+" decoding',
            r'<th scope="row">[a-z]+(?:&#95;[a-z]+)+</th><td>[^<]*</td>',
            r"(?<!`)`[^`\n]+`|```(?!\{=html)\w.*?```",
            r"https?://[^\s)]*|\]\([^)]*\)|\[doi [^\]]*\]|Python \d\.\d+",
            r"<td>[^<]*&#6[02];[^<]*</td>",
            r'<span class="prize-shares">.*?</span>',
        )
    ),
    re.DOTALL,
)
"""What is written for machines or stands as its author wrote it: specs, rules, addresses, sizes of pictures, fields."""


DECLARED = ("manual/settings.qmd", "manual/commands.qmd", "manual/architecture.qmd")
"""Pages of what settings and code say, which is written the same everywhere."""


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stages]:
    """Take one synthetic study through the line in every locale."""
    return {
        tag: take_through(
            twin_file(500), project_study().model_copy(update={"locale": tag}), tmp_path_factory.mktemp(tag)
        )
        for tag in ("en", *WRITTEN)
    }


@pytest.fixture(scope="module")
def books(studies: dict[str, Stages], tmp_path_factory: pytest.TempPathFactory) -> dict[str, _Book]:
    """Draw the pages of each."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "templates", root / "templates")
    (root / "site" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")
    made = {}
    for tag, stages in studies.items():
        with empty_pictures("chart-silhouette"), localized(tag):
            made[tag] = _Book(stages.report, root, "vega.js")
    return made


@OTHERS
def test_every_number_and_date_of_every_page_is_written_as_the_locale_says(books: dict[str, _Book], tag: str) -> None:
    with localized(tag):
        there = dict(books[tag].pages())
    n_numbers = n_dates = 0
    for name, text in books["en"].pages():
        here, beside = (unescape(EXACT.sub("", each)) for each in (text, there[name]))
        n_numbers += len(NUMBER.findall(here))
        n_dates += len(DATE.findall(here))
        expected = here if name in DECLARED else WRITTEN[tag].page(here)
        lines = zip(expected.splitlines(), beside.splitlines(), strict=True)
        assert [(a, b) for a, b in lines if a != b] == [], name
    assert n_numbers > 500
    assert n_dates > 5


@OTHERS
def test_charts_write_numbers_as_the_locale_says_live_and_as_pictures(books: dict[str, _Book], tag: str) -> None:
    written = WRITTEN[tag]
    for name, figure in books[tag].figures.items():
        options = figure.spec["usermeta"]["embedOptions"]
        numbers = options["formatLocale"]
        assert (numbers["decimal"], numbers["thousands"]) == (written.decimal, written.group), name
        assert numbers["percent"] == written.percent.removeprefix("{}"), name
        assert numbers["grouping"][:3] == ([3] if written.others == 3 else [3, 2, 2]), name
        assert options["timeFormatLocale"]["months"][2] == "March", name
        assert "embedOptions" not in books["en"].figures[name].spec.get("usermeta", {}), name
    here, there = (book.pictures["chart-silhouette"] for book in (books["en"], books[tag]))
    assert re.search(r">\d\.\d+<", here)
    assert re.search(rf">\d{re.escape(written.decimal)}\d+<", there)
    assert written.decimal == "." or not re.search(r">\d\.\d+<", there)


def test_a_chart_writes_dates_in_the_order_of_the_locale() -> None:
    spec = {
        "data": {"values": [{"x": "2014-06-29 00:00"}]},
        "mark": "text",
        "encoding": {"text": {"field": "x", "type": "temporal", "format": "%x"}},
    }
    for tag, text in (("de", "29.06.2014"), ("fr", "29/06/2014"), ("ja", "2014/06/29"), ("en-US", "Jun 29, 2014")):
        with localized(tag):
            assert f">{text}<" in draw_svg(spec, conventions().number_locale(), conventions().time_locale())


def test_a_chart_writes_large_numbers_in_the_groups_of_the_locale() -> None:
    spec = {
        "data": {"values": [{"x": 12_345_678}]},
        "mark": "text",
        "encoding": {"text": {"field": "x", "type": "quantitative", "format": ",.1f"}},
    }
    for tag, text in (("en", "12,345,678.0"), ("en-IN", "1,23,45,678.0"), ("pt-BR", "12.345.678,0")):
        with localized(tag):
            assert f">{text}<" in draw_svg(spec, conventions().number_locale())


@OTHERS
def test_briefs_are_written_as_the_locale_says(books: dict[str, _Book], tag: str) -> None:
    with empty_pictures(), localized(tag):
        there = [brief.data for brief in books[tag].briefs()]
    with empty_pictures():
        here = [brief.data for brief in books["en"].briefs()]
    for a, b in zip(here, there, strict=True):
        for data in (a, b):
            data.pop("picture")
        assert WRITTEN[tag].page(json.dumps(a, ensure_ascii=False)) == json.dumps(b, ensure_ascii=False)


@OTHERS
def test_what_machines_read_is_the_same_in_every_locale(studies: dict[str, Stages], tag: str) -> None:
    english, other = studies["en"].report, studies[tag].report
    with localized(tag):
        there = export_rules(other)
    assert export_rules(english) == there
    assert [s.n for s in english.segments] == [s.n for s in other.segments]
    assert english.everyone == other.everyone
    assert (studies["en"].build / "model.json").read_bytes() == (studies[tag].build / "model.json").read_bytes()


def test_the_gate_reads_counts_as_the_locale_writes_them() -> None:
    assert read_count("3.000") == 3
    with localized("de"):
        assert read_count("3.000") == 3000
        assert read_count("3 (0,1 %)") == 3
        assert read_count("3,5") is None
    with localized("en-IN"):
        assert read_count("1,20,000") == 120_000
        assert read_count("1,20") is None
    with localized("tr"):
        assert read_count("%46") is None


@pytest.mark.parametrize("tag", ["en", "de", "fr", "fr-CH", "de-CH", "sv", "en-IN", "ar", "ff-Adlm"])
def test_the_gate_tells_small_counts_from_the_end_of_large_ones(tag: str) -> None:
    with localized(tag):
        large, small = f"They are {number(1004)} customers.", f"They are {number(4)} customers."
    pages = [Document("a.html", text, len(text), texts=[Text(text, 1, "p", "text")]) for text in (large, small)]
    assert [len(list(find_small_cells(page, 10))) for page in pages] == [0, 1]
