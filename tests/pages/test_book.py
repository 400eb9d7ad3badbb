"""Pages: whatever the data say stays text; the same report gives the same bytes; what is gone is removed."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.customers.lifetime_value import Estimate
from analysis.features.select import Group
from analysis.pages import book, drawings, templating
from analysis.pages.book import write_pages
from analysis.pages.escaping import escape, escape_front, escape_json
from analysis.pages.text import overview
from analysis.pages.text.stability import fewer_and_more, solid_or_shaky
from analysis.profiles.value import ExpectedSpend
from analysis.report.model import Report, from_json, to_json
from tests.stages import ROOT, little_work, plain_pages, run_stages

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<!-- comment",
    "--> <b>bold",
    "<a href='javascript:alert(1)'>x</a>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example 'title'",
    "<https://evil.example>",
    "www.evil.example",
    "{{< env HOME >}}",
    "{{< include /etc/passwd >}}",
    "{{% meta title %}}",
    "{{ config }}",
    "<% for x in y %>",
    "<< report >>",
    "<# comment #>",
    "```{python}\nimport os\n```",
    "\n```{=html}\n<b>\n```\n",
    "`r Sys.time()`",
    "`{python} 1+1`",
    "::: {.callout}\nx\n:::",
    "x {.class #id onclick=alert(1)}",
    "[span]{onmouseover=alert(1)}",
    "\n---\ntitle: taken\n---\n",
    "...\n",
    "# heading",
    "\n\n# heading\n\n- item\n",
    "a: b # c",
    "'single' \"double\" \\back\\slash",
    "!!python/object/apply:os.system [id]",
    "*anchor &amp; %TAG @at",
    "$\\sqrt{x}$ $$y$$",
    "\\begin{verbatim}",
    "| a | b |\n|---|---|",
    "[^1] [@cite] @ref",
    "~~gone~~ ^up^ **bold** _under_",
    "\"><style>*{display:none}</style>",
    "' onfocus='alert(1)",
    "&lt;b&gt; &#60;b&#62; &amp;amp;",
    "var(--nowhere) url(https://evil.example)",
    "datum.x = 1; ' + alert(1) + '",
    "\u2028\u2029\u202e\u0000\ufeff",
    "null",
    "true",
    "2014-06-29",
    "=cmd|'/c calc'!A1",
    "🧀 café ≤ 漢字",
)  # fmt: skip
"""What a title, a label, a level or a name in somebody's data may hold."""

DRAWN = {"svg", "g", "path", "text", "tspan", "rect", "line", "defs", "clipPath", "linearGradient", "stop", "title"}
"""Elements of a picture."""

TEXT = {
    "title", "subtitle", "customers", "currency", "period", "label", "about", "formula", "high", "low",
    "rule", "why", "done", "reasons", "reason", "one_line", "story", "day", "typical", "traits", "not_all",
    "headline", "sentence", "measure", "avoid",
    "action", "channel", "moment", "message", "subject", "leave_out", "kpi", "prize", "needs",
    "note", "notes", "levels", "labels", "x_means",
    "y_means", "outcome", "why_not", "algorithm_title", "constants", "versions",
}  # fmt: skip
"""Fields of the report that hold words, whoever wrote them."""


def with_words(report: Report, words: Callable[[int], str]) -> Report:
    """Put other words into every text of a report; numbers, names of variables and addresses stay."""
    n_texts = iter(range(100_000))

    def change(value: Any, field: str) -> Any:
        if isinstance(value, dict):
            return {key: change(item, "versions" if field == "versions" else key) for key, item in value.items()}
        if isinstance(value, list):
            return [change(item, field) for item in value]
        return words(next(n_texts)) if isinstance(value, str) and value and field in TEXT else value

    content = change(json.loads(to_json(report)), "")
    for part in (content["segments"], content["data"]["columns"], content["data"]["sources"]):
        for item in part:
            item["name"] = words(next(n_texts))
    for item in content["data"]["columns"]:
        for bar in item["bars"]:
            bar["label"] = bar["label"] and f"{words(next(n_texts))} {next(n_texts)}"
    return from_json(json.dumps(content))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project of templates and a stylesheet."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "templates", root / "templates")
    (root / "site" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", root / "site" / "assets")
    return root


def written(report: Report, root: Path, pictures: bool = False) -> dict[str, str]:
    """Write the pages and give their texts, by name."""
    with little_work() if pictures else plain_pages():
        files = write_pages(report, root)
    found = {f.relative_to(root).as_posix(): f.read_text(encoding="utf-8") for f in files if f.suffix == ".qmd"}
    assert len(found) >= 6 + len(report.segments)
    return found


@pytest.fixture(scope="module")
def plain(root: Path) -> dict[str, str]:
    return written(with_words(run_stages().report, lambda i: f"plain words {i}"), root)


SCRIPT = re.compile(r'(<script type="application/json"[^>]*>)(.*?)(</script>)')


def skeleton(page: str) -> list[str]:
    """Give what an engine acts on: tags, fences, divs, headings, rules, shortcodes, links, attributes in braces."""
    body = SCRIPT.sub(r"\1\3", page)
    body = re.sub(r'="[^"]*"', '=""', body)
    marks = (
        r"<[!/a-zA-Z][^>]*>|^\s*(?:```|~~~|:::)\S*|^#+ |^---$|^\s*[-*+] |\{\{|\}\}|\]\(|\]\{|\{[.#=%]|!\[|\$|`|^\s*\|"
    )
    return [mark.strip() for mark in re.findall(marks, body, re.MULTILINE)]


def specs_of(page: str) -> list[Any]:
    return [json.loads(match[2]) for match in SCRIPT.finditer(page)]


def check_harmless(found: dict[str, str], plain: dict[str, str]) -> None:
    assert set(found) == set(plain)
    for name, page in found.items():
        assert skeleton(page) == skeleton(plain[name]), name
        _, front, _ = page.split("---\n", 2)
        values = yaml.safe_load(front)
        assert isinstance(values["title"], str) and isinstance(values.get("description", ""), str)
        assert set(values) == set(yaml.safe_load(plain[name].split("---\n", 2)[1]))
        assert len(specs_of(page)) == len(specs_of(plain[name]))
        for match in SCRIPT.finditer(page):
            assert not re.search(r"[<>&\n\u2028\u2029]", match[2])


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 7))
def test_hostile_words_anywhere_stay_words(first: int, root: Path, plain: dict[str, str]) -> None:
    hostile = with_words(run_stages().report, lambda i: f"{HOSTILE[(first + i) % len(HOSTILE)]} {i}")
    check_harmless(written(hostile, root), plain)


def test_all_hostile_words_in_every_place_at_once_stay_words(root: Path, plain: dict[str, str]) -> None:
    everything = " ".join(HOSTILE)
    check_harmless(written(with_words(run_stages().report, lambda i: f"{everything} {i}"), root), plain)


def test_charts_with_hostile_words_can_be_drawn(root: Path) -> None:
    hostile = with_words(run_stages().report, lambda i: f"{HOSTILE[i % len(HOSTILE)]} {i}")
    drawn = {f.id: f for f in drawings.draw_all(hostile)}
    some = [
        drawn[f"chart-{name}"]
        for name in ("value-size", "heat-map", "parallel", "map", "mix-1", "correlations", "associations")
    ]
    with little_work():
        pictures = drawings.draw_pictures(
            some, book.read_tokens((root / "site/assets/site.css").read_text(encoding="utf-8"))
        )
    for svg in pictures.values():
        for element in ElementTree.fromstring(svg).iter():
            assert element.tag.rpartition("}")[2] in DRAWN
            assert not [name for name in element.attrib if name.startswith("on") or name.endswith("href")]


def test_hostile_words_reach_a_chart_unchanged_inside_its_json(root: Path) -> None:
    word = "</script>{{< env HOME >}}```{python}"
    found = written(with_words(run_stages().report, lambda i: f"{word} {i}"), root)
    assert word not in "".join(found.values())
    assert any(word in json.dumps(spec, ensure_ascii=False) for spec in specs_of(found["site/compare.qmd"]))


def test_what_stands_in_the_variables_file_is_harmless_too(root: Path) -> None:
    written(with_words(run_stages().report, lambda i: f"{{{{< env HOME >}}}}<script>`r 1` {i}"), root)
    values = yaml.safe_load((root / "_variables.yml").read_text(encoding="utf-8"))
    assert not re.search(r"[<>{}`]", values["study"])


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_is_one_line_without_a_mark(text: str) -> None:
    assert re.fullmatch(r"(?:\w|[ ,²³¹¼½¾]|&#\d+;)*", str(escape(text)))
    assert not re.search(r"[<>{}\[\]\"'\\`&$@:|#*\n]", escape_front(text))


@settings(deadline=None)
@given(st.text())
def test_any_text_comes_back_from_its_entities(text: str) -> None:
    back = html.unescape(str(escape(text)))
    assert "\n" not in str(escape(text))
    # Entities of control characters are read as nothing or as a replacement by HTML.
    clean = re.sub(
        r"[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ud800-\udfff]|.(?<=[\ufffe\uffff])",
        "",
        re.sub(r"[^\S\u00a0\u202f]+", " ", text),
    )
    assert [c for c in back if c in clean] == [c for c in clean if c in back]


JSON = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
)


@settings(deadline=None)
@given(JSON)
def test_any_value_comes_back_from_its_script(value: Any) -> None:
    text = str(escape_json(value))
    assert json.loads(text) == value
    assert not re.search(r"[<>&\u2028\u2029]", text)


@settings(deadline=None)
@given(st.text(min_size=1))
def test_any_title_comes_back_from_front_matter_as_text(text: str) -> None:
    front = json.dumps(escape_front(text), ensure_ascii=False)
    try:
        loaded = yaml.safe_load(f"title: {front}")
    except yaml.reader.ReaderError:
        # YAML takes no control characters and no lone surrogates, whoever writes them.
        assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", text)
        return
    assert isinstance(loaded["title"], str)


def test_the_same_report_gives_the_same_bytes_and_rewrites_nothing(root: Path) -> None:
    report = run_stages().report
    first = written(report, root)
    times = {name: (root / name).stat().st_mtime_ns for name in first}
    assert written(report, root) == first
    assert {name: (root / name).stat().st_mtime_ns for name in first} == times


def test_pages_of_segments_that_are_gone_are_removed(root: Path) -> None:
    report = run_stages().report
    written(report, root)
    renamed = replace(report.segments[0], slug="another-address")
    found = written(replace(report, segments=(renamed, *report.segments[1:])), root)
    there = {p.relative_to(root).as_posix() for p in (root / "site" / "segments").glob("*.qmd")}
    assert there == {name for name in found if "/segments/" in name}
    assert f"site/segments/{report.segments[0].slug}.qmd" not in there
    assert "site/segments/another-address.qmd" in there


@pytest.fixture(scope="module")
def shown(root: Path) -> dict[str, str]:
    found = written(run_stages().report, root)
    return {name: html.unescape(text) for name, text in found.items()}


def test_the_overview_answers_first_and_links_every_persona(shown: dict[str, str]) -> None:
    report = run_stages().report
    assert f"title: {json.dumps(overview.finding(report))}" in shown["site/index.qmd"]
    for segment in report.segments:
        assert f"segments/{segment.slug}.html" in shown["site/index.qmd"]
        page = shown[f"site/segments/{segment.slug}.qmd"]
        assert segment.name in page
        for text in (*segment.not_all, *(slot.why for slot in segment.plan)):
            assert text in page


def test_the_data_page_tells_every_line_of_the_ledger(shown: dict[str, str]) -> None:
    for line in run_stages().report.ledger:
        assert line.rule in shown["site/data.qmd"]
        assert line.why in shown["site/data.qmd"]


def test_the_evidence_page_tells_every_reason(shown: dict[str, str]) -> None:
    for reason in run_stages().report.decision.reasons:
        assert reason in shown["site/evidence.qmd"]


def test_the_methodology_tells_what_was_left_out_and_that_noise_describes(shown: dict[str, str]) -> None:
    report = run_stages().report
    assert [(d.name, d.kind) for d in report.dropped] == [("recency", "noise")]
    assert f"Noise: Days since last purchase {report.dropped[0].reason}." in shown["site/methodology.qmd"]
    assert "<td>noise, describes them</td>" in shown["site/methodology.qmd"]
    assert report.variable("recency").role == "descriptor"
    assert "recency" in report.everyone
    assert not any("recency" in s.markers for s in report.segments)


def test_the_methodology_tells_the_groups_of_near_copies_and_who_shares_a_weight(root: Path) -> None:
    report = run_stages().report
    group = Group(("orders", "order_value"), 0.93, "what was done with these two")
    study = replace(report.study, near_copies="weigh", noise="keep", missing="knn", outliers="winsorise")
    page = html.unescape(written(replace(report, groups=(group,), study=study), root)["site/methodology.qmd"])
    told = "Orders and Average order value (Spearman 0.93 or more); what was done with these two."
    assert f"- Near-copies: {told}" in page
    assert "No two features are near-copies" not in page
    assert page.count("1/2 of the weight</td>") == 2
    for words in ("share the weight of one", "The settings keep it", "5 nearest", "nobody is set aside"):
        assert words in page


@pytest.mark.parametrize(
    ("aside", "told"), [(0, "Segments are fitted on 500 c"), (25, "on 475 c"), (7, "on all but fewer")]
)
def test_the_size_of_the_clean_core_gives_no_few_away(aside: int, told: str, root: Path) -> None:
    report = run_stages().report
    study = replace(report.study, n_core=report.study.n_customers - aside)
    page = html.unescape(written(replace(report, study=study), root)["site/methodology.qmd"])
    assert told in page
    assert "493" not in page


def test_the_evidence_page_says_in_words_which_requirement_holds(shown: dict[str, str]) -> None:
    report, page = run_stages().report, shown["site/evidence.qmd"]
    measured = [check for row in report.evidence.by_k for check in row.checks if check.value is not None]
    assert page.count('class="check check-holds"') == sum(check.holds for check in measured)
    assert page.count('class="check check-fails"') == sum(not check.holds for check in measured)
    assert page.count(" holds</span>") + page.count(" fails</span>") == len(measured)
    assert page.count('<tr class="published">') == 1


def test_the_algorithms_page_tells_of_each(shown: dict[str, str]) -> None:
    for algorithm in run_stages().report.evidence.algorithms:
        for text in (algorithm.title, algorithm.about, algorithm.places[1:], algorithm.cost[1:]):
            assert text in shown["site/algorithms.qmd"]


def test_the_methodology_lists_every_setting_of_the_analysis(shown: dict[str, str]) -> None:
    study = run_stages().report.study
    assert {"max_segments", "min_share", "outliers", "algorithm", "seed"} <= {name for name, _, _ in study.settings}
    for name, value, meaning in study.settings:
        assert f'<th scope="row">{name}</th><td>{value}</td><td>{meaning}</td>' in shown["site/methodology.qmd"]


def test_the_stability_page_compares_with_one_fewer_and_one_more(shown: dict[str, str]) -> None:
    page = shown["site/stability.qmd"]
    assert solid_or_shaky(run_stages().report) in page
    for reading in fewer_and_more(run_stages().report):
        assert reading.title in page and reading.text in page


def test_the_bands_of_stability_hold_every_segment_once(shown: dict[str, str]) -> None:
    table = shown["site/stability.qmd"].split("How a segment's stability reads</caption>")[1].split("</table>")[0]
    for segment in run_stages().report.segments:
        assert table.count(f"{segment.letter} {segment.slsw:.2f}") == 1


def test_a_density_method_leaves_out_what_it_has_no_numbers_for(root: Path) -> None:
    report = run_stages().report
    found = written(replace(report, evidence=replace(report.evidence, slsa=(), neighbours=())), root)
    page = html.unescape(found["site/stability.qmd"])
    assert "finds the number of segments by itself" in page
    assert "chart-flow" not in page and "chart-gorge" in page


def test_a_hostile_feature_set_of_other_choices_stays_a_word(root: Path) -> None:
    report = run_stages().report
    multiverse = report.evidence.multiverse
    choices = tuple(replace(c, features=f"without {HOSTILE[1]}") for c in multiverse.choices)
    evidence = replace(report.evidence, multiverse=replace(multiverse, choices=choices))
    page = written(replace(report, evidence=evidence), root)["site/choices.qmd"]
    assert HOSTILE[1] not in page
    assert escape(HOSTILE[1]) in page


def test_no_page_shows_what_is_not_a_number(shown: dict[str, str]) -> None:
    for name, page in shown.items():
        text = SCRIPT.sub("", page)
        assert not re.search(r"\b(nan|NaN|None(?!\n:)|inf)\b|<<|>>|\{\w+\.\w+\}", text), name


def test_pages_hold_the_figures_of_the_report_and_their_pictures(shown: dict[str, str], root: Path) -> None:
    ids = [found for page in shown.values() for found in re.findall(r'<figure class="chart" id="([^"]+)"', page)]
    assert len(set(ids)) >= 20
    for name in set(ids):
        assert (root / "site" / "assets" / "charts" / f"{name}.svg").is_file()


def test_every_word_of_the_glossary_is_plain_and_leads_to_a_page() -> None:
    words = templating.read_glossary(ROOT / "templates" / "glossary.yml")
    assert len(words) >= 12 and list(words) == sorted(words, key=str.lower)
    assert len({word["id"] for word in words.values()}) == len(words)
    for word in words.values():
        assert 1 <= len(re.findall(r"[.;]( |$)", word["text"])) <= 5 and len(word["text"]) <= 240
        template = {"segments/index": "personas"}.get(word["page"], word["page"])
        assert (ROOT / "templates" / "pages" / f"{template}.qmd").is_file()


def test_headings_and_lists_stand_apart(root: Path) -> None:
    """Quarto takes a heading or a list that follows a line of words for words."""
    report = run_stages().report
    each = tuple(Estimate(float(s.id), s.id - 0.5, s.id + 0.5) for s in report.segments)
    found = (Estimate(20, 17, 23), Estimate(7, 6, 8), each)
    expected = ExpectedSpend(*found, "BG/NBD", (("r", 0.2),), 600, 300, 52.0, 0.1, 0.95)
    bare = replace(report, findings=(), groups=(), dropped=(), rfm=None, change=None)
    unplanned = tuple(replace(s, plan=()) for s in report.segments)
    none = replace(report, verdict=replace(report.verdict, kind="none"), segments=unplanned)
    for version in (report, replace(report, expected=expected), replace(bare, unassigned=3), none):
        for name, text in written(version, root).items():
            words = re.sub(r"^```.*?^```$", "\n", text, flags=re.DOTALL | re.MULTILINE)
            close = re.findall(r"^(?![-*] |\d+\. | )(.+)\n(#+ .*|[-*] .*|\d+\. .*)$", words, re.MULTILINE)
            assert close == [], name
