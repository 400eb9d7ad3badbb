"""A German site differs from an English one in how numbers and dates are written, and in no word."""

from __future__ import annotations

import re
import shutil
from html import unescape

import pytest

from analysis.base.errors import InputError
from analysis.base.formats import Formats, in_english, localized, number
from analysis.pages.book import _Book
from analysis.pages.downloads.rules import export_rules
from analysis.publish.gate.disclosure import read_count
from analysis.settings.load import check_study
from tests.stages import ROOT, Stages, little_work, project_study, take_through, twin_file

NUMBER = re.compile(r"(?<![\w.,/-])[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+)(?!\.?\w)")
DATE = re.compile(r"\b((?:19|20)\d{2})[-\u2011](\d{2})(?:-(\d{2}))?\b")
EXACT = re.compile(
    "|".join(
        (
            r"<script.*?</script>|<svg.*?</svg>|<code>[^<]*</code>",
            r'style="[^"]*"|data-locale="[a-z]+"',
            r'<th scope="row">[a-z]+(?:&#95;[a-z]+)+</th><td>[^<]*</td>',
            r"(?<!`)`[^`\n]+`|```(?!\{=html)\w.*?```",
            r"\]\([^)]*\)|\[doi [^\]]*\]|Python \d\.\d+",
            r"<td>[^<]*&#6[02];[^<]*</td>",
        )
    ),
    re.DOTALL,
)
"""What is written for machines or stands as its author wrote it: specs, rules, addresses."""


DECLARED = ("settings.qmd", "commands.qmd", "architecture.qmd")
"""Pages of what settings and code say, which is written the same everywhere."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stages, Stages]:
    """Take one synthetic study through the line in both locales, with a currency."""
    found = []
    for locale in ("en", "de"):
        study = project_study().model_copy(update={"locale": locale})
        found.append(take_through(twin_file(500), study, tmp_path_factory.mktemp(locale)))
    return found[0], found[1]


@pytest.fixture(scope="module")
def books(pair: tuple[Stages, Stages], tmp_path_factory: pytest.TempPathFactory) -> tuple[_Book, _Book]:
    """Draw the pages of both."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "templates", root / "templates")
    (root / "site" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")
    made = []
    for stages in pair:
        with little_work(), localized(stages.report.study.locale):
            made.append(_Book(stages.report, root, "vega.js"))
    return made[0], made[1]


def in_german(text: str) -> str:
    """Write numbers and dates of an English page as German ones."""
    text = NUMBER.sub(lambda found: found[0].translate({ord(","): ".", ord("."): ","}), text)
    return DATE.sub(lambda d: f"{d[3]}.{d[2]}.{d[1]}" if d[3] else f"{d[2]}.{d[1]}", text)


def test_every_number_and_date_of_every_page_is_written_as_the_locale_says(books: tuple[_Book, _Book]) -> None:
    english, german = books
    with localized("de"):
        there = dict(german.pages())
    n_numbers = 0
    for name, text in english.pages():
        here, beside = (unescape(EXACT.sub("", each)) for each in (text, there[name]))
        n_numbers += len(NUMBER.findall(here))
        expected = here if name in DECLARED else in_german(here)
        lines = zip(expected.splitlines(), beside.splitlines(), strict=True)
        assert [(a, b) for a, b in lines if a != b] == [], name
    assert n_numbers > 500


def test_charts_write_numbers_as_the_locale_says_live_and_as_pictures(books: tuple[_Book, _Book]) -> None:
    english, german = books
    for name, figure in german.figures.items():
        assert figure.spec["usermeta"]["embedOptions"]["formatLocale"]["decimal"] == ",", name
        assert "embedOptions" not in english.figures[name].spec.get("usermeta", {}), name
    here, there = (book.pictures["chart-silhouette"] for book in books)
    assert re.search(r">\d\.\d+<", here)
    assert re.search(r">\d,\d+<", there)
    assert not re.search(r">\d\.\d+<", there)


def test_briefs_are_written_as_the_locale_says(books: tuple[_Book, _Book]) -> None:
    english, german = books
    with little_work(), localized("de"):
        there = [brief.data for brief in german.briefs()]
    with little_work():
        here = [brief.data for brief in english.briefs()]
    for a, b in zip(here, there, strict=True):
        for data in (a, b):
            data.pop("picture")
        assert in_german(str(a)) == str(b)


def test_what_machines_read_is_the_same_in_every_locale(pair: tuple[Stages, Stages]) -> None:
    english, german = (stages.report for stages in pair)
    with localized("de"):
        there = export_rules(german)
    assert export_rules(english) == there
    assert [s.n for s in english.segments] == [s.n for s in german.segments]
    assert english.everyone == german.everyone
    assert (pair[0].build / "model.json").read_bytes() == (pair[1].build / "model.json").read_bytes()


def test_a_german_amount_has_its_currency_behind_it() -> None:
    formats = Formats("€")
    with localized("de"):
        assert formats.value(1183.4, "money") == "1.183\N{NO-BREAK SPACE}€"
        assert formats.interval(36.2, 1047.4, "money") == "36,2 to 1.047\N{NO-BREAK SPACE}€"
        assert formats.percent(0.0312) == "3,1\N{NO-BREAK SPACE}%"
        assert Formats().date("2012-07") == "07.2012"
    assert formats.value(1183.4, "money") == "€1,183"


def test_a_locale_ends_with_its_context_even_after_an_error() -> None:
    with pytest.raises(ValueError), localized("de"):
        raise ValueError
    assert number(0.5, 1) == "0.5"


def test_the_gate_reads_counts_as_the_locale_writes_them() -> None:
    assert read_count("3.000") == 3
    with localized("de"):
        assert read_count("3.000") == 3000
        assert read_count("3 (0,1 %)") == 3
        assert in_english("1.234,5") == "1,234.5"


def test_an_unknown_locale_is_told_with_those_there_are() -> None:
    block = {**project_study().model_dump(mode="json"), "locale": "klingon"}
    with pytest.raises(InputError, match=r"locale(?s:.*)'en' or 'de'"):
        check_study(block)
