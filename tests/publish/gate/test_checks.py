"""The gate lets a clean site pass and refuses each planted breach with file, line and rule."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.base.errors import GateError
from analysis.base.manifest import STAMP
from analysis.publish.approval import FORCED, approve
from analysis.publish.gate.checks import (
    Budget,
    Private,
    Refusal,
    check,
    private_from_build,
    write_private,
)
from analysis.publish.gate.disclosure import EMAIL, PHONE, Finding, find_contacts, index_values, normalise, read_count
from analysis.publish.gate.documents import Document, Text, read_site
from analysis.publish.search import write_index

PAGE = "site/index.html"
REVIEW = "The parcel came late and the box was crushed"
NUMERIC = frozenset(str(number) for number in random.Random(7).sample(range(1000, 100_000), 400))
PRIVATE = Private(
    keys=NUMERIC | {"C-104-2931", "kd83h2x", "ZORBA", "K1", "K2", "K3", "201403170925"},
    free_text=frozenset((REVIEW, "YOLO", "Martha Jones-Bell", "late", "broken", "rude")),
    min_cell=10,
)
SOME_NUMERIC = sorted(NUMERIC)[:3]

CONFIG = """
project:
  type: website
  output-dir: _site
  render: ["404.qmd", "site/**/*.qmd"]
  resources: ["site/assets/*", "site/downloads/*"]
website:
  title: "Customers"
  search: true
  page-navigation: true
  open-graph: true
  site-url: https://example.org/study/
  repo-url: https://example.org/code
  repo-actions: [source]
  sidebar:
    contents:
      - site/index.qmd
      - section: Personas
        contents: site/segments/*.qmd
format:
  html:
    theme: {light: default, dark: slate}
    toc: true
    css: site/assets/site.css
    lang: en
"""

OVERVIEW = """---
title: Overview
description: Four groups
---
## Sizes {#sizes}

A note[^1], [one](segments/one.qmd#who), [a page elsewhere](https://example.org/a), a
[download](downloads/sizes.csv).
At least 5 customers of 12 come back; 1 in 3 customers pays by card, fewer than 10 customers did not answer.
Where the variance is zero the ratio is undefined. None of this is a promise.
Born 1893-1900, until 2014-06-29.

[^1]: The note.

::: {.callout-note}
## Read this
A callout.
:::

::: {.panel-tabset}
## First
one
## Second
two
:::

```{=html}
<figure id="size-chart"><img alt="Four groups of 120 to 900 customers" src="assets/mark.svg">
<script type="application/json">{"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "width": 5,
"encoding": {"x": {"field": "n", "scale": {"domain": [0, 3], "scheme": {"name": "blues", "count": 3}}}},
"data": {"values": [{"segment": "A", "n": 120}, {"segment": "B", "n": 900}]}}</script>
<table>
<thead><tr><th>Segment</th><th>Customers</th><th>Share</th><th>Median age</th></tr></thead>
<tbody><tr><th>A</th><td>120</td><td>12 %</td><td>4</td></tr>
<tr><th>B</th><td>900 (88 %)</td><td>3 %</td><td>5</td></tr>
<tr><th>Total</th><td>1,020</td><td>100 %</td><td>6</td></tr></tbody>
</table></figure>
```

```python
send("{{ name }}", to="someone@example.org", shift=1 << 3, value=None)  # <% not ours %> nan
```
"""

PERSONA = """---
title: One
---
## Who {#who}
Back to the [overview](../index.qmd#sizes).
"""


@pytest.fixture(scope="module")
def clean_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    pages = {
        "_quarto.yml": CONFIG,
        "404.qmd": "---\ntitle: Not found\n---\nGo [home](site/index.qmd).\n",
        "site/index.qmd": OVERVIEW,
        "site/segments/one.qmd": PERSONA,
        "site/segments/two.qmd": PERSONA,
        "site/assets/site.css": "body { background: url(mark.svg#dot) }\n",
        "site/assets/mark.svg": '<svg xmlns="http://www.w3.org/2000/svg"><g id="dot"/></svg>\n',
        "site/assets/charts.js": 'const space = "http://www.w3.org/2000/svg";\n',
        "site/downloads/sizes.csv": "segment,customers,share\nA,120,0.12\nB,900,0.88\nTotal,1020,1.0\n",
        "site/downloads/segments.json": json.dumps(
            {"n": 1020, "segments": [{"id": 1, "n": 120}, {"id": 2, "n": 890}, {"id": 3, "n": 10}]}, indent=1
        ),
    }
    for name, text in pages.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "smalldocs.cli", "render", str(root)]
    subprocess.run(command, check=True, capture_output=True)
    site = root / "_site"
    write_index(site, root)
    (site / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<title>Overview</title>\n'
        '<meta http-equiv="refresh" content="0; url=site/index.html">\n'
        '<link rel="canonical" href="https://example.org/study/site/index.html">\n</head>\n'
        '<body><a href="site/index.html">Overview</a></body>\n</html>\n'
    )
    return site


@pytest.fixture
def site(clean_site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean_site, tmp_path / "_site"))


def plant(site: Path, markup: str, file: str = PAGE) -> int:
    """Put the markup on a line of its own at the end of the page's main part; return that line."""
    path = site / file
    text = path.read_text(encoding="utf-8")
    head, end, tail = text.rpartition("</main>")
    path.write_text(f"{head}\n{markup}\n{end}{tail}", encoding="utf-8")
    return head.count("\n") + 2


def spec(values: object) -> str:
    document = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": values}}
    return f'<script type="application/json">{json.dumps(document)}</script>'


def table(head: str, *rows: str) -> str:
    def cells(row: str, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row.split("|")) + "</tr>"

    return "<table>" + cells(head, "th") + "".join(cells(row, "td") for row in rows) + "</table>"


def picture(text: str) -> str:
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>'
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}">'


IN_PAGE = {
    "missing file": ("links", '<a href="segments/nine.html">nine</a>'),
    "missing image": ("links", '<img alt="" src="assets/none.png">'),
    "missing anchor here": ("links", '<a href="#nowhere">there</a>'),
    "missing anchor there": ("links", '<a href="segments/one.html#nowhere">there</a>'),
    "missing in srcset": ("links", '<img alt="" src="assets/mark.svg" srcset="assets/two.png 2x">'),
    "root-absolute address": ("links", '<a href="/site/index.html">home</a>'),
    "address outside the tree": ("links", '<a href="../../outside.html">out</a>'),
    "foreign script": ("off-host", '<script src="https://example.org/a.js"></script>'),
    "foreign image": ("off-host", '<img alt="" src="//example.org/a.png">'),
    "foreign frame": ("off-host", '<iframe title="x" src="https://example.org/"></iframe>'),
    "foreign preload": ("off-host", '<link rel="preload" as="font" href="https://example.org/a.woff2">'),
    "foreign style": ("off-host", "<style>@import 'https://example.org/a.css';</style>"),
    "foreign style attribute": ("off-host", '<p style="background:url(https://example.org/a.png)">x</p>'),
    "foreign data of a chart": (
        "off-host",
        spec([]).replace('"values": []', '"url": "https://example.org/a.csv"'),
    ),
    "foreign form": ("off-host", '<form action="https://example.org/in"><button>Go</button></form>'),
    "foreign request far from its call": ("off-host", f'<script>fetch({" " * 900}"https://example.org/a")</script>'),
    "duplicate id": ("duplicate-ids", '<p id="sizes">again</p>'),
    "template mark": ("marks", "<p>We found &lt;&lt; study.n >> customers</p>"),
    "shortcode": ("marks", "<p>{{&lt; var notice >}}</p>"),
    "unresolved variable": ("marks", "<p>?var:notice</p>"),
    "mark in an alternative text": ("marks", '<img alt="{{ alt }}" src="assets/mark.svg">'),
    "None in a cell": ("marks", table("Segment|Income", "A|None")),
    "nan for a number": ("marks", "<p>They spend <b>nan</b> a year</p>"),
    "nan per cent": ("marks", "<p>They bring nan % of revenue</p>"),
    "key in a tooltip": ("keys", '<span title="customer C-104-2931">x</span>'),
    "key in prose": ("keys", "<p>such as KD83H2X, who</p>"),
    "key split by markup": ("keys", "<p>such as C-<b>104</b>-2931</p>"),
    "key in a comment": ("keys", "<!-- kd83h2x -->"),
    "key in a data attribute": ("keys", '<i data-customer="kd83h2x"></i>'),
    "key in a code block": ("keys", "<pre><code>WHERE key = 'kd83h2x'</code></pre>"),
    "key of capitals": ("keys", "<p>such as ZORBA</p>"),
    "long number": ("keys", '<a href="segments/one.html?c=201403170925">x</a>'),
    "key in a specification": ("keys", spec([{"x": 1, "who": "C-104-2931"}])),
    "escaped key in a specification": ("keys", spec([{"x": "<kd83h2x"}]).replace("<kd", "\\u003ckd")),
    "key in a picture": ("keys", picture("kd83h2x")),
    "short keys in a column": ("keys", table("Row|Who", "a|K1", "b|K2", "c|K3")),
    "short keys in a list": ("keys", "<ul><li>K1</li><li>K2</li><li>K3</li></ul>"),
    "number keys under id": ("keys", spec([{"id": int(key), "y": 1} for key in SOME_NUMERIC])),
    "number keys under customer": ("keys", table("Customer|Spend", *(f"{key}|10" for key in SOME_NUMERIC))),
    "number keys in an array": ("keys", spec([int(key) for key in SOME_NUMERIC * 2 + sorted(NUMERIC)[3:6]])),
    "number keys as field names": ("keys", spec([{"customer": dict.fromkeys(SOME_NUMERIC, "A")}])),
    "number keys in data attributes": (
        "keys",
        "".join(f'<i data-customer="{key}"></i>' for key in SOME_NUMERIC),
    ),
    "review in prose": ("free-text", f"<p>One said: {REVIEW.upper()}!</p>"),
    "review over two lines": ("free-text", f"<p>{REVIEW.replace('late ', 'late' + chr(10) + '  ')}</p>"),
    "name in a caption": ("free-text", '<img alt="Martha Jones-Bell and friends" src="assets/mark.svg">'),
    "odd category": ("free-text", "<p>Married, single, YOLO</p>"),
    "comments as labels": ("free-text", table("Word|Share", "late|10 %", "rude|20 %", "broken|30 %")),
    "e-mail in an alternative text": ("contacts", '<img alt="ann.lee@example.org" src="assets/mark.svg">'),
    "e-mail in prose": ("contacts", "<p>write to ann.lee@example.org</p>"),
    "mail link": ("contacts", '<a href="mailto:ann.lee@example.org">write</a>'),
    "telephone number": ("contacts", "<p>call +44 20 7946 0958</p>"),
    "telephone link": ("contacts", '<a href="tel:5550100">call</a>'),
    "cell of three": ("small-cells", table("Segment|Customers", "A|3", "B|900")),
    "cell of three with its share": ("small-cells", table("Segment|Customers", "A|3 (0.3 %)", "B|900")),
    "cell of three in a table on its side": ("small-cells", table("|A|B", "Customers|3|900")),
    "cell of four in a chart": ("small-cells", spec([{"segment": "A", "n": 4}])),
    "cell of four in a named data set": (
        "small-cells",
        spec([]).replace('"data"', '"datasets"').replace("[]", '[{"n": 4}]'),
    ),
    "cell in a mark's label": ("small-cells", '<i aria-label="Segment: A; Count of Records: 3"></i>'),
    "cell in an alternative text": (
        "small-cells",
        '<img alt="Group D has 3 customers" src="assets/mark.svg">',
    ),
    "leaf of a tree": ("small-cells", '<script type="application/json">{"left": {"n_samples": 7}}</script>'),
    "total less the rows": (
        "subtraction",
        table("Segment|Customers", "A|120", "B|896", "C|fewer than 10", "Total|1,020"),
    ),
    "total of another table": (
        "subtraction",
        table("Who|n", "Everyone|1,020") + table("Who|n", "Everyone|1,016"),
    ),
    "script address": ("active-text", '<a href=" java&#10;script:alert(1)">x</a>'),
    "event handler": ("active-text", '<img alt="" src="assets/mark.svg" onerror="alert(1)">'),
    "handler that begins like the engine's": (
        "active-text",
        '<a href="" onclick="window.quartoToggleX(); alert(1)">x</a>',
    ),
    "inline script": ("active-text", "<script>alert(1)</script>"),
    "page in a frame": ("active-text", '<iframe title="x" srcdoc="x"></iframe>'),
    "not a number in a specification": ("unread", '<script type="application/json">{"share": NaN}</script>'),
    "broken specification": ("unread", '<script type="application/json">{"share": }</script>'),
}

FILES = {
    "key in the search index": (
        "keys",
        "site/assets/search-index.js",
        'window.siteIndex = {"pages":[{"url":"index.html","parts":[{"text":"by kd83h2x"}]}]};',
        1,
    ),
    "category in the search index": (
        "free-text",
        "site/assets/search-index.js",
        'window.siteIndex = {"pages":[{"url":"index.html","parts":[{"text":"single YOLO"}]}]};',
        1,
    ),
    "dead link in the search index": (
        "links",
        "site/assets/search-index.js",
        'window.siteIndex = {"pages":[{"url":"index.html","parts":[{"at":"nowhere"}]}]};',
        1,
    ),
    "keys in a download": (
        "keys",
        "site/downloads/a.csv",
        "customer,spend\n" + "\n".join(f"{k},1" for k in SOME_NUMERIC),
        2,
    ),
    "key in a JSON download": ("keys", "site/downloads/a.json", '{\n "a":\n "C-104-2931"\n}', 3),
    "cell in a download": ("small-cells", "site/downloads/a.csv", "segment,n\nA,120\nB,3\n", 3),
    "cell in a JSON download": (
        "small-cells",
        "site/downloads/a.json",
        '{"leaves": [\n{"n": 120},\n{"n": 7}\n]}',
        3,
    ),
    "cell in a nested count": (
        "small-cells",
        "site/downloads/a.json",
        '{"customers": {"A": 120, "B": 3}}',
        1,
    ),
    "rows that leave four": (
        "subtraction",
        "site/downloads/a.json",
        '{"n": 304, "parts": [{"n": 100}, {"n": 200}]}',
        1,
    ),
    "total that differs by file": (
        "subtraction",
        "site/downloads/a.csv",
        "who,n\nEveryone,500\nAll,503\n",
        2,
    ),
    "review in plain text": ("free-text", "llms.txt", f"# Study\n\n{REVIEW}\n", 3),
    "e-mail in the site map": (
        "contacts",
        "sitemap.xml",
        "<urlset>\n<loc>ann.lee@example.org</loc></urlset>",
        2,
    ),
    "request of a script": (
        "off-host",
        "site/assets/charts.js",
        'let a;\nfetch("https://example.org/a");',
        2,
    ),
    "foreign import of a style sheet": (
        "off-host",
        "site/assets/site.css",
        "p {}\n@import 'https://example.org/a.css';",
        2,
    ),
    "foreign font of a style sheet": (
        "off-host",
        "site_libs/a.css",
        "@font-face { src: url(//example.org/a.woff) }",
        1,
    ),
    "missing picture of a style sheet": (
        "links",
        "site/assets/site.css",
        "\np { background: url(none.png) }",
        2,
    ),
    "script in a picture": (
        "active-text",
        "site/assets/mark.svg",
        "<svg>\n<script>alert(1)</script></svg>",
        2,
    ),
    "handler in a picture": (
        "active-text",
        "site/assets/mark.svg",
        '<svg onload="window.quartoOpenSearch()"></svg>',
        1,
    ),
    "unreadable download": ("unread", "site/downloads/rows.xlsx", "PK", 1),
    "heavy page": ("weight", "site/heavy.html", "<p>" + "word " * 60_100 + "</p>", 1),
    "page that compresses badly": (
        "weight",
        "site/noise.html",
        f"<p>{base64.b85encode(random.Random(1).randbytes(60_000)).decode()}</p>",
        1,
    ),
}


@pytest.mark.slow
def test_site_of_the_embedded_engine_passes(clean_site: Path) -> None:
    assert check(clean_site, PRIVATE) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_PAGE)
def test_breach_in_a_page_is_refused_with_file_line_and_rule(site: Path, name: str) -> None:
    rule, markup = IN_PAGE[name]
    line = plant(site, markup)
    found = check(site, PRIVATE)
    assert (PAGE, line, rule) in {(refusal.file, refusal.line, refusal.rule) for refusal in found}, found


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_breach_in_another_file_is_refused_with_file_line_and_rule(site: Path, name: str) -> None:
    rule, file, text, line = FILES[name]
    (site / file).write_text(text, encoding="utf-8")
    found = check(site, PRIVATE)
    assert (file, line, rule) in {(refusal.file, refusal.line, refusal.rule) for refusal in found}, found


HARMLESS = {
    "shift in code": "<pre><code>1 &lt;&lt; 3, {{ x }}, nan, ann.lee@example.org</code></pre>",
    "followed link": '<a href="https://example.org/">elsewhere</a>',
    "canonical link": '<link rel="canonical" href="https://example.org/">',
    "encoded address": '<a href="segments/%6Fne.html#wh%6F">one</a>',
    "top of the page": '<a href="#">up</a><a href="#top">up</a>',
    "counts that happen to be keys": table(
        "Segment|Spend", *(f"{row}|{key}" for row, key in enumerate(SOME_NUMERIC[:2]))
    ),
    "counts in a wide range": table("Year|Spend", *(f"{2000 + row}|{1000 + 17 * row}" for row in range(40))),
    "numbered segments": spec([{"id": 1}, {"id": 2}, {"id": 3}]),
    "words that are also comments": "<p>It came late. It was broken. The answer was rude.</p>",
    "share below the smallest cell": table("Segment|Customers", "A|3 %", "B|97 %"),
    "customers in a hundred": "<p>5 customers in 100 buy twice, and 3 people out of 10 come back.</p>",
    "names as levels": table("Plan|Customers", "Anna plan|120", "Victoria sponge|900", "Wilhelmina pears|80"),
    "products with numbers": table("Product|Customers", "WD-40|120", "7 Up 330 ml|45", "Formula 409|90"),
    "answers with a percent sign": table("Discount|Customers", "0%|150", "5%|40", "10% or more|35"),
    "answers in Chinese and Russian": table("城市|Customers", "北京|45", "上海|35", "Санкт-Петербург|60"),
    "long answers": table("Question|Customers", f"{'How satisfied were you with the delivery? ' * 9}|140"),
    "tiny whole numbers": spec([{"kids": kids, "share": share} for kids, share in ((0, 0.5), (1, 0.3), (2, 0.2))]),
    "years of a chart": spec([{"year": year, "median": 50} for year in range(2010, 2024)]),
    "versions and hours": "<p>numpy 2.3.4 and 1.26.5, from 0800-1200 hours, 020-30 items</p>",
    "signs of prices": "<p>2 @ 3 for 5, a@b and user@home of the level</p>",
    "no customers": table("Segment|Customers", "A|0", "B|900"),
    "median of four": table("Feature|Median", "Orders|4"),
    "total without a rest": table("Segment|Customers", "A|120", "B|900", "Total|1,020"),
    "large rest": table("Segment|Customers", "A|120", "B|880", "C|not told", "Total|1,020"),
    "decimals of a path": '<svg><path d="M201403170925 123-456-7890"/></svg>',
    "numbers that are no telephone": "<p>ISBN 978-0-262-03384-8, 10.1080/01621459.2000.10473882</p>",
    "grouped numbers": "<p>1 234 567 890 of 12,345,678,901 and +1,234,567</p>",
    "double-density picture": '<p title="mark@2x.png">x</p>',
    "word undefined": "<p>The ratio is undefined for a group of one spread.</p>",
    "chart without counts": spec([{"year": 2014, "median": 3}]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_text_passes(site: Path, name: str) -> None:
    plant(site, HARMLESS[name])
    assert check(site, PRIVATE) == []


@pytest.mark.slow
def test_not_found_page_may_use_root_absolute_addresses(site: Path) -> None:
    plant(site, '<a href="/study/./site/index.html">home</a> <a href="/site/index.html">home</a>', "404.html")
    assert check(site, PRIVATE) == []
    plant(site, '<a href="/study/nowhere.html">home</a>', "404.html")
    assert [refusal.rule for refusal in check(site, PRIVATE)] == ["links"]


def test_quarto_markup_passes(site: Path) -> None:
    scripts = '<script id="quarto-html-after-body" type="application/javascript">const a = 1;</script>'
    for mode in ("light", "dark"):
        plant(site, f'<link rel="stylesheet" id="quarto-bootstrap" data-mode="{mode}" href="assets/site.css">')
    plant(site, '<a href="" onclick="if (window.quartoToggleHeadroom) { window.quartoToggleHeadroom(); }">x</a>')
    plant(site, '<a href="" onclick="window.quartoToggleColorScheme(); return false;">x</a>')
    page = site / PAGE
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", f"</main>{scripts}"), encoding="utf-8")
    assert check(site, PRIVATE) == []


def test_engine_script_inside_the_page_text_is_refused(site: Path) -> None:
    plant(site, '<script id="quarto-html-after-body">alert(1)</script>')
    assert [refusal.rule for refusal in check(site, PRIVATE)] == ["active-text"]


def test_refusals_are_sorted_the_same_each_time_and_hide_what_leaked(site: Path) -> None:
    for rule, markup in IN_PAGE.values():
        plant(site, markup)
        assert rule
    first, second = check(site, PRIVATE), check(site, PRIVATE)
    assert first == second
    assert first == sorted(first, key=lambda each: (each.file, each.line, each.rule, each.message))
    kept = " ".join(refusal.message for refusal in first if refusal.rule in ("keys", "free-text", "contacts"))
    assert not any(secret in kept.lower() for secret in ("kd83h2x", "2931", "parcel", "martha", "ann.lee"))


def test_refusal_reads_like_a_compiler_message() -> None:
    assert str(Refusal("a.html", 3, "links", "no such file")) == "a.html:3: links: no such file"


def test_budget_is_a_parameter(clean_site: Path) -> None:
    assert {refusal.rule for refusal in check(clean_site, PRIVATE, Budget(html=100))} == {"weight"}


def test_smallest_cell_follows_the_settings(site: Path) -> None:
    plant(site, table("Segment|Customers", "A|12", "B|900"))
    assert check(site, PRIVATE) == []
    assert {refusal.rule for refusal in check(site, replace(PRIVATE, min_cell=20))} >= {"small-cells"}


def test_empty_tree_is_refused(tmp_path: Path) -> None:
    assert [refusal.rule for refusal in check(tmp_path, PRIVATE)] == ["links"]


def test_private_list_survives_writing_and_is_the_same_each_time(tmp_path: Path) -> None:
    private = replace(PRIVATE, key_names=frozenset(("Kundennummer",)))
    path = write_private(tmp_path / "build", private)
    before = path.read_bytes()
    assert private_from_build(tmp_path / "build") == private
    assert write_private(tmp_path / "build", private).read_bytes() == before
    assert json.loads(gzip.decompress(before))["min_cell"] == 10


def test_without_the_private_list_or_with_a_damaged_one_nothing_is_published(site: Path, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="does not contain the list of private values"):
        approve(site, tmp_path)
    path = write_private(tmp_path / "build", PRIVATE)
    approve(site, tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(GateError, match="is damaged"):
        approve(site, tmp_path)


def test_an_internal_site_is_refused_in_a_workflow_unless_forced(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "build", replace(PRIVATE, internal=True))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    approve(site, tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(GateError, match="it is internal"):
        approve(site, tmp_path)
    monkeypatch.setenv(FORCED, "1")
    approve(site, tmp_path)


def test_a_download_that_the_build_did_not_write_is_refused(site: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    write_private(root / "build", PRIVATE)
    names = [path.relative_to(site).as_posix() for path in (site / "site" / "downloads").iterdir()]
    (root / STAMP).write_text(json.dumps({"files": dict.fromkeys(names, "")}), encoding="utf-8")
    approve(site, root)
    (site / "site" / "downloads" / "left.csv").write_text("age\n41\n43\n", encoding="utf-8")
    with pytest.raises(GateError, match=r"site/downloads/left\.csv:1: downloads: the build did not write this file"):
        approve(site, root)


def test_rounded_totals_tell_nothing_and_exact_ones_do(site: Path) -> None:
    plant(site, table("Segment|Customers", "A|300", "B|195", "Total|500"))
    assert check(site, PRIVATE) == []
    assert {refusal.rule for refusal in check(site, replace(PRIVATE, internal=True))} == {"subtraction"}


def test_edges_of_charts_are_no_keys_where_keys_only_count_customers(site: Path) -> None:
    keys = frozenset(map(str, range(1, 301)))
    plant(site, table("Age|Customers", "120|30", "135|40", "150|50", "165|60", "180|70"))
    assert check(site, replace(PRIVATE, keys=keys)) == []


def test_words_of_the_data_may_look_like_marks_of_templates(site: Path) -> None:
    plant(site, "<p>They like {{ curly }} things</p>")
    assert {refusal.rule for refusal in check(site, PRIVATE)} == {"marks"}
    assert check(site, replace(PRIVATE, marked=frozenset({"{{ curly }} things"}))) == []


@pytest.mark.slow
def test_key_column_of_the_study_counts_as_a_name_for_keys(site: Path) -> None:
    plant(site, table("Kundennummer|Spend", *(f"{key}|10" for key in SOME_NUMERIC)))
    dense = replace(PRIVATE, keys=PRIVATE.keys | {str(number) for number in range(1000, 100_000)})
    assert check(site, dense) == []
    assert check(site, replace(dense, key_names=frozenset(("Kundennummer",))))[0].rule == "keys"


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda i: f"CUST{i:07d}", lambda i: f"C-{i:04d}-{i % 97:02d}", lambda i: str(5 * i)])
def test_many_keys_raise_no_false_alarm(site: Path, make: Callable[[int], str]) -> None:
    keys = frozenset(map(make, range(200_000)))
    assert check(site, Private(keys, frozenset(), 10)) == []


def test_values_that_give_themselves_away_are_told_from_ordinary_ones() -> None:
    index = index_values(["AB12345", "C-104-2931", "1234567890", "0001234", "ALFKI", "1234", "gold", "A1"])
    assert index.words == {"ab12345", "1234567890", "0001234"}
    assert index.exact == {"ALFKI"}
    assert index.phrases == {"c-104-2931"}
    assert index.plain == {"1234", "gold", "a1"}
    assert index.share == {4: 1 / 9000}


@pytest.mark.parametrize("text", ["ann@example.org", "a.b+c@mail.example.co.uk"])
def test_addresses_are_seen(text: str) -> None:
    assert EMAIL.search(f"to {text}, please")


@pytest.mark.parametrize(
    "text", ["+44 20 7946 0958", "+4915112345678", "(020) 7946 0958", "555-867-5309", "030 901820"]
)
def test_telephone_numbers_are_seen(text: str) -> None:
    assert PHONE.search(f"call {text} now")


def test_sample_address_of_a_code_block_may_stand_in_the_search_index() -> None:
    index = Document(
        "site/assets/search-index.js", "ann@example.org", 15, texts=[Text("ann@example.org", 1, "json", "text")]
    )
    assert list(find_contacts(index, frozenset(("ann@example.org",)))) == []
    assert list(find_contacts(index, frozenset())) == [Finding(1, "shows an e-mail address, “an…” (15 characters)")]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("2,240", 2240),
        ("1\u202f020", 1020),
        ("3", 3),
        ("3.0", 3),
        ("3 (1 %)", 3),
        ("3 %", None),
        ("3.5", None),
        ("<10", None),
    ],
)
def test_counts_are_told_from_shares_and_decimals(text: str, count: int | None) -> None:
    assert read_count(text) == count


def test_names_of_columns_are_compared_in_one_form() -> None:
    assert {normalise(name) for name in ("Number of customers", "numberOfCustomers", "number_of_customers")} == {
        "number_of_customers"
    }


def test_each_file_of_the_tree_is_read(clean_site: Path) -> None:
    names = [document.file for document in read_site(clean_site)]
    assert names == sorted(names)
    assert len(names) == sum(path.is_file() for path in clean_site.rglob("*"))


@pytest.mark.skipif(shutil.which("quarto") is None, reason="Quarto is not installed")
def test_site_of_quarto_passes(clean_site: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(clean_site.parent, tmp_path / "project", ignore=shutil.ignore_patterns("_site")))
    subprocess.run(["quarto", "render", str(root)], check=True, capture_output=True)
    assert check(root / "_site", PRIVATE) == []


def test_a_text_in_another_encoding_is_refused(site: Path) -> None:
    (site / "site" / "read.txt").write_bytes("Wilhelmina Oesterreicher-Quandt".encode("utf-16"))
    assert any("not in UTF-8" in refusal.message for refusal in check(site, PRIVATE))


def test_a_copy_of_an_export_is_refused_under_any_name(site: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    write_private(root / "build", PRIVATE)
    (root / "exports").mkdir()
    (root / "exports" / "b.parquet").write_bytes(b"PAR1 of customers")
    approve(site, root)
    (site / "site" / "assets" / "note.txt").write_bytes(b"PAR1 of customers")
    with pytest.raises(GateError, match=r"site/assets/note\.txt:1: exports: this is the list of customers"):
        approve(site, root)


def test_a_list_of_hashed_addresses_is_refused(site: Path) -> None:
    digests = [hashlib.sha256(f"person{i}@example.org".encode()).hexdigest() for i in range(12)]
    file = site / "site" / "downloads" / "audience.csv"
    file.write_text("em\n" + "\n".join(digests[:9]) + "\n", encoding="utf-8")
    assert not [found for found in check(site, PRIVATE) if found.file.endswith("audience.csv")]
    file.write_text("em\n" + "\n".join(digests) + "\n", encoding="utf-8")
    assert [found.rule for found in check(site, PRIVATE) if found.file.endswith("audience.csv")] == ["contacts"]
