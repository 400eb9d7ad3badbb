"""Words of the data are hostile: nothing of them runs, in either engine, and they read as they were typed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.pages.escaping import escape_front
from analysis.publish.gate.checks import check, private_from_build
from analysis.publish.render import Engine, render
from tests.conftest import copy_project
from tests.small_studies import SHOP, build_report, make_shop, write_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 2</script>",
    '<img src="x" onerror="window.pwned = 3">',
    '"><svg onload=window.pwned=4>',
    "' onmouseover='window.pwned = 5' x='",
    '<a href="javascript:window.pwned = 6">press</a>',
    "[press](javascript:window.pwned=7)",
    "![picture](https://evil.example/a.png)",
    '<iframe src="https://evil.example/"></iframe>',
    "<style>@import 'https://evil.example/a.css'</style>",
    "<link rel=stylesheet href=//evil.example/b.css>",
    "<base href='https://evil.example/'>",
    "{{< include _quarto.yml >}}",
    "{{< env HOME >}}",
    "{{< meta title >}}",
    "```{python}\nopen('pwned.txt', 'w')\n```",
    "```{=html}\n<script>window.pwned = 8</script>\n```",
    "`window.pwned = 9`{=html}",
    "```\n\n<script>window.pwned = 10</script>\n\n```",
    "::: {.hidden}",
    ":::::",
    "---\ntitle: Stolen\n---",
    "# A heading {#main onclick=alert(1)}",
    "a: [b, {c: &d *e !f | > % @",
    "\\\"': \\u0022, #comment",
    "$x^2$ and $$\\href{javascript:window.pwned=11}{y}$$",
    "@fig-elbow [@knuth] [^1]",
    "<!-- hidden",
    "--> ]]> &lt;b&gt; &amp;",
    "${window.pwned = 12}",
    "datum['x'] + (window.pwned = 13)",
    "<% raise %> << study.title >> <# gone #>",
    "| a | b |\n|---|---|",
    "*bold* _thin_ ~~struck~~ ^up^",
    "%3Cscript%3E ../../etc/passwd",
    "Zoë 漢字 🙂 O’Neil & Söhne",
    "👩\u200d👩\u200d👧 e\u0301 שלום مرحبا",
    "\u202egnp.exe\u202c \u2067turned\u2069",
    "zero\u200bwidth\u2060and\u00adsoft",
    "first\r\nsecond\r\n\tthird",
    "W" + "o" * 300 + "rd",
    "__proto__",
    "constructor",
    "toString",
    'say =HYPERLINK("https://evil.example/";"x")',
    "say @SUM(1+1)*cmd|' /C calc'!A0",
    "javascript:window.pwned=40//",
    "<svg><foreignObject><body onload=window.pwned=41></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=42>",
    "<p style='width:expression(window.pwned=43);background:url(//evil.example/c.png)'>",
    "&lt;img src=x onerror=window.pwned=44&gt &#x3Cscript&#62 &ampamp",
    "`${window.pwned=45}` ${'a'.constructor.constructor('window.pwned=46')()}",
    "datum.constructor.constructor('window.pwned=47')()",
    "[shown]{.hidden onclick=window.pwned=48} [x]{style='display:none'}",
    "{onclick=window.pwned=49} {#main .hidden}",
    "{{< pagebreak >}} {{< video https://evil.example/v.mp4 >}}",
    "<form action=//evil.example/><button formaction=javascript:window.pwned=50>Go</button>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<details open ontoggle=window.pwned=51><summary>x</summary></details>",
    "\\u003cscript\\u003ewindow.pwned=52\\u003c/script\\u003e",
    "]]><script>window.pwned=53</script><![CDATA[",
    "{% raw %}{{ 7*7 }}{% endraw %} #{7*7} <%= 7*7 %>",
    "<plaintext>",
    "</textarea></title></noscript></template><script>window.pwned=54</script>",
)
"""Each stands as a level of a category; some also as titles, labels, names of columns and words of features."""
COLUMNS = (
    "<b onclick=alert(1)>Tier</b>",
    "{{< env PATH >}}",
    "a.b[0]:'q\"\\",
    "</script><script>window.pwned = 20</script>",
)
LABELS = (
    "Tier <img src=x onerror='window.pwned = 21'>",
    "```{python}\nopen('pwned.txt', 'w')\n```",
    "{{< include 404.qmd >}} # [x](javascript:window.pwned=22)",
    "- \"quoted\": 'twice' </script><script>window.pwned = 23</script>",
)
N_WORDS = 13
"""Columns that hold the payloads, so that each has few enough to be shown."""
OURS = re.compile(r"(?:http://127\.0\.0\.1:\d+/|data:|blob:)")
TITLE = "Shop \"one\": </title><script>window.pwned = 24</script> {{< env HOME >}} # 'two' *three*"
ORIGIN = "the <script>window.pwned = 64</script> {{< env HOME >}} https://evil.example/a.csv shop"
CALLED = "<script>window.pwned = 65</script> {{< env HOME >}} [A](javascript:window.pwned=66) `B`{=html} %s"
NOTE = """# <script>window.pwned = 67</script> {#main onclick=alert(1)}

{{< include _quarto.yml >}} [press](javascript:window.pwned=68) ![p](https://evil.example/n.png) `x`{=html}

<iframe src="https://evil.example/"></iframe> $\\href{javascript:window.pwned=69}{y}$ @knuth [^1]

::: {.hidden}

```{python}
open('pwned.txt', 'w')
```

| <b>a</b> | b |
|---|---|
| "><svg onload=window.pwned=70> | c |

[a]: javascript:window.pwned=71
"""
ADVICE = (
    "<script>window.pwned = 72</script> [do](javascript:window.pwned=73)",
    "`r` <img src=x onerror=window.pwned=74>",
)
PLAY = f"""
- when: segment.share > 0
  action: "{ADVICE[0]}"
  reason: "{ADVICE[1]} {{segment.share}}"
  measure: "::: <base href=//evil.example/> <!--"
  avoid: "--> <% raise %> @knuth [^1]"
  effort: low
"""
"""A rule of the owner's playbook; what stands in its braces are numbers."""
WORDS = "<script>window.pwned = 25</script> {{< env HOME >}} buyers"


def hostile_study() -> tuple[dict[str, Any], pd.DataFrame]:
    """Put the payloads in every place into which a user's words can come."""
    rng = np.random.default_rng(3)
    shop = make_shop(180).rename(columns={"visits": COLUMNS[3]})
    parts = np.array_split(np.array(PAYLOADS, dtype=object), N_WORDS)
    names = [*COLUMNS[:3], *(f"words {i}" for i in range(3, N_WORDS))]
    levels = {name: part[np.arange(180) % len(part)] for name, part in zip(names, parts, strict=True)}
    table = shop.assign(**{name: rng.permutation(values) for name, values in levels.items()})
    source = {
        **SHOP["sources"][0],
        "origin": ORIGIN,
        "roles": {
            "feature": ["orders", "discount", COLUMNS[3]],
            "descriptor": ["spend", *names],
            "outcome": ["responded"],
        },
        "labels": {**dict(zip(COLUMNS, LABELS, strict=True)), "responded": "<i>Yes</i> {{< meta title >}}"},
        "types": dict.fromkeys(names, "category"),
    }
    settings = {
        **SHOP,
        "title": TITLE,
        "subtitle": "{{< include _quarto.yml >}} </script><script>window.pwned = 26</script>: 'yes'",
        "currency": "<b>€</b>",
        "customers": "<b>guests</b> {{< env HOME >}} ]{.x}",
        "period": "<script>window.pwned = 60</script> {{< meta title >}} `x`{=html}",
        "segments": 3,
        "sources": [source],
        "card": {
            "purpose": "<img src=x onerror='window.pwned = 61'> {{< include _quarto.yml >}}",
            "owner": "</dd><script>window.pwned = 62</script> [us](javascript:window.pwned=63)",
        },
        "features": {
            "basket": {
                "label": "[Basket](javascript:window.pwned=27) `x`{=html}",
                "formula": "spend / orders",
                "about": "<script>window.pwned = 28</script> {{< env HOME >}}",
                "high": WORDS,
                "low": WORDS.replace("buyers", "others"),
            }
        },
    }
    return settings, table


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the study; both engines render the same pages.

    The settings themselves are their owner's, and Quarto reads them as Markdown: they are plain again by then.
    """
    root = copy_project(tmp_path_factory.mktemp("hostile") / "project")
    settings, table = hostile_study()
    write_study(root, settings, table)
    playbook = root / "templates/playbook.yml"
    playbook.write_text(f"{PLAY}\n{playbook.read_text(encoding='utf-8')}", encoding="utf-8")
    first = build_report(root)
    # The words of a registry and of notes belong to segments that are known by then; and the first run is history.
    named = {s.slug: {"called": CALLED % s.letter} for s in first.segments[:2]}
    (root / "site/notes").mkdir(exist_ok=True)
    write_study(root, {**settings, "names": named}, table)
    for segment in build_report(root).segments:
        (root / "site/notes" / f"{segment.slug}.md").write_text(NOTE, encoding="utf-8")
    report = build_report(root)
    assert [s.name for s in report.segments[:2]] == [CALLED % s.letter for s in first.segments[:2]]
    write_study(root, SHOP)
    return root


@pytest.fixture(scope="module", params=["smalldocs", pytest.param("quarto", marks=pytest.mark.quarto)])
def site(request: pytest.FixtureRequest, hostile: Path) -> Path:
    """Render the hostile study with each engine."""
    if request.param == "quarto" and shutil.which("quarto") is None:
        pytest.skip("quarto is not on the PATH")
    engine: Engine = request.param
    return render(hostile, hostile.parent / engine, engine).site


@pytest.fixture(scope="module")
def address(site: Path, serve: Callable[[Path], str]) -> str:
    return serve(site)


Opened = tuple["Page", list[str]]


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Opened]:
    """Open a page that notes dialogs, requests to others and complaints."""
    trouble: list[str] = []
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce", color_scheme=request.param
    )
    opened = context.new_page()
    opened.on("dialog", lambda d: (trouble.append(f"dialog {d.message}"), d.dismiss()))
    opened.on("pageerror", lambda e: trouble.append(str(e)))
    opened.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    opened.on("request", lambda r: None if OURS.match(r.url) else trouble.append(r.url))
    yield opened, trouble
    context.close()


def pages_of(site: Path) -> list[str]:
    # Pages that only lead to another are left before a script could look at them.
    whole = (path for path in site.rglob("*.html") if 'http-equiv="refresh"' not in path.read_text(encoding="utf-8"))
    found = sorted(path.relative_to(site).as_posix() for path in whole)
    return [name for name in found if name != "index.html"]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


def test_nothing_runs_and_nothing_is_asked_for(site: Path, address: str, page: Opened) -> None:
    opened, trouble = page
    for name in pages_of(site):
        opened.goto(f"{address}/{name}")
        opened.evaluate("document.querySelectorAll('details.fold').forEach((e) => { e.open = true; })")
        for figure in opened.locator("figure.chart").all():
            figure.scroll_into_view_if_needed()
            figure.locator(".chart-live svg").wait_for(timeout=10_000)
            figure.locator(".chart-live").hover()
        for link in opened.locator('main a[href^="javascript"], main [onclick], main [onmouseover], main base').all():
            trouble.append(link.evaluate("e => e.outerHTML.slice(0, 90)"))
        assert opened.evaluate("window.pwned") is None, name
        assert opened.locator("figure.chart[data-failed]").count() == 0, name
    assert trouble == []
    assert not list(site.parent.rglob("pwned.txt"))


def test_the_words_read_as_they_were_typed(address: str, page: Opened) -> None:
    opened, _ = page
    cells: set[str] = set()
    for name in ("site/compare.html", "site/data.html", "site/dictionary.html"):
        opened.goto(f"{address}/{name}")
        found = opened.evaluate("[...document.querySelectorAll('th, td, .chart-title, h3')].map((e) => e.textContent)")
        cells |= {flat(text) for text in found}
    assert [p for p in PAYLOADS if not any(flat(p) in cell for cell in cells)] == []
    assert [label for label in LABELS if not any(flat(label) in cell for cell in cells)] == []
    assert [name for name in COLUMNS if flat(name) not in cells] == []


def test_words_of_settings_and_notes_read_as_they_were_typed(site: Path, address: str, page: Opened) -> None:
    opened, _ = page
    said: dict[str, str] = {}
    for name in pages_of(site):
        opened.goto(f"{address}/{name}")
        said[name] = flat(opened.evaluate("document.querySelector('main').textContent"))
    whole = " ".join(said.values())
    letters = [CALLED % letter for letter in "ABC" if CALLED % letter in whole]
    assert len(letters) == 2
    settings, _ = hostile_study()
    typed = [settings["customers"], settings["period"], *settings["card"].values()]
    assert [words for words in typed if flat(words) not in whole] == []
    for words in (
        "{{< include _quarto.yml >}}",
        '<iframe src="https://evil.example/"></iframe>',
        "::: {.hidden}",
    ):
        assert sum(words in text for name, text in said.items() if "segments/" in name) == 3, words
    # The other segments get another action where one fits.
    for words in ADVICE:
        assert any(words in text for name, text in said.items() if "segments/" in name), words
        assert words in said["site/act.html"], words


def test_machines_read_the_words_as_they_were_typed(site: Path) -> None:
    told = json.loads((site / "site/downloads/segments.json").read_text(encoding="utf-8"))
    assert flat(told["study"]) == flat(TITLE)
    assert len({segment["name"] for segment in told["segments"]} & {CALLED % letter for letter in "ABC"}) == 2
    guide = (site / "site/llms.txt").read_text(encoding="utf-8")
    assert "](javascript:" not in guide and not re.search(r"(?m)^ *(?:```|:::|---)", guide)


def test_titles_read_as_they_were_typed_but_for_look_alikes(address: str, page: Opened) -> None:
    opened, _ = page
    opened.goto(f"{address}/site/index.html")
    plain = {ord(a): b for a, b in zip("“”‘’", "\"\"''", strict=True)}
    shown = flat(opened.locator("#title-block-header .description").inner_text()).translate(plain)
    assert shown.startswith(flat(escape_front(TITLE)).translate(plain))
    assert flat(opened.locator("h1").inner_text()).translate(plain) in opened.title().translate(plain)


def test_the_pages_stay_whole(site: Path, address: str, page: Opened) -> None:
    opened, _ = page
    for name in pages_of(site):
        opened.goto(f"{address}/{name}")
        assert opened.locator("h1").count() == 1, name
        assert opened.locator("#quarto-header .nav-link").count() >= 5, name
        assert opened.evaluate("document.querySelectorAll('main script:not([type*=json])').length") == 0, name


def test_secrets_of_the_machine_do_not_show(site: Path) -> None:
    home = str(Path.home())
    for name in pages_of(site):
        text = (site / name).read_text(encoding="utf-8")
        assert f">{home}" not in text and "pre-render" not in text, name


def test_the_gate_minds_nothing_but_the_words_themselves(site: Path, hostile: Path) -> None:
    refusals = check(site, private_from_build(hostile / "build"))
    assert {refusal.rule for refusal in refusals} <= {"marks", "off-host"}, refusals
