"""Words of the data are hostile: nothing of them runs, in either engine, and they read as they were typed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.escaping import escape_front
from analysis.gate import check, private_from_build
from analysis.render import Engine, render
from tests.conftest import copy_project
from tests.small_studies import SHOP, build_report, make_shop, resample_little, write_study

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
OURS = re.compile(r"(?:http://127\.0\.0\.1:\d+/|data:|blob:)")
TITLE = "Shop \"one\": </title><script>window.pwned = 24</script> {{< env HOME >}} # 'two' *three*"
WORDS = "<script>window.pwned = 25</script> {{< env HOME >}} buyers"


def hostile_study() -> tuple[dict[str, Any], pd.DataFrame]:
    """Put the payloads in every place into which a user's words can come."""
    rng = np.random.default_rng(3)
    shop = make_shop(180).rename(columns={"visits": COLUMNS[3]})
    parts = np.array_split(np.array(PAYLOADS, dtype=object), 9)
    names = [*COLUMNS[:3], *(f"words {i}" for i in range(3, 9))]
    levels = {name: part[np.arange(180) % len(part)] for name, part in zip(names, parts, strict=True)}
    table = shop.assign(**{name: rng.permutation(values) for name, values in levels.items()})
    source = {
        **SHOP["sources"][0],
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
        "segments": 3,
        "sources": [source],
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
    with pytest.MonkeyPatch.context() as patch:
        resample_little(patch)
        build_report(root)
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


@pytest.fixture
def page(chromium: Browser) -> Iterator[Opened]:
    """Open a page that notes dialogs, requests to others and complaints."""
    trouble: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened = context.new_page()
    opened.on("dialog", lambda d: (trouble.append(f"dialog {d.message}"), d.dismiss()))
    opened.on("pageerror", lambda e: trouble.append(str(e)))
    opened.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    opened.on("request", lambda r: None if OURS.match(r.url) else trouble.append(r.url))
    yield opened, trouble
    context.close()


def pages_of(site: Path) -> list[str]:
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [name for name in found if name != "index.html"]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 28


def test_nothing_runs_and_nothing_is_asked_for(site: Path, address: str, page: Opened) -> None:
    opened, trouble = page
    for name in pages_of(site):
        opened.goto(f"{address}/{name}")
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
    for name in ("site/compare.html", "site/data.html"):
        opened.goto(f"{address}/{name}")
        found = opened.evaluate("[...document.querySelectorAll('th, td, .chart-title, h3')].map((e) => e.textContent)")
        cells |= {flat(text) for text in found}
    assert [p for p in PAYLOADS if not any(flat(p) in cell for cell in cells)] == []
    assert [label for label in LABELS if not any(flat(label) in cell for cell in cells)] == []
    assert [name for name in COLUMNS if flat(name) not in cells] == []


def test_titles_read_as_they_were_typed_but_for_look_alikes(address: str, page: Opened) -> None:
    opened, _ = page
    opened.goto(f"{address}/site/index.html")
    plain = {ord(a): b for a, b in zip("“”‘’", "\"\"''", strict=True)}
    shown = flat(opened.locator("h1").first.inner_text()).translate(plain)
    assert shown == flat(escape_front(TITLE)).translate(plain)
    assert shown in opened.title().translate(plain)


def test_the_pages_stay_whole(site: Path, address: str, page: Opened) -> None:
    opened, _ = page
    for name in pages_of(site):
        opened.goto(f"{address}/{name}")
        assert opened.locator("h1").count() == 1, name
        assert opened.locator("#quarto-sidebar a").count() >= 9, name
        assert opened.evaluate("document.querySelectorAll('main script:not([type*=json])').length") == 0, name


def test_secrets_of_the_machine_do_not_show(site: Path) -> None:
    home = str(Path.home())
    for name in pages_of(site):
        text = (site / name).read_text(encoding="utf-8")
        assert f">{home}" not in text and "pre-render" not in text, name


def test_the_gate_minds_nothing_but_the_words_themselves(site: Path, hostile: Path) -> None:
    refusals = check(site, private_from_build(hostile / "build"))
    assert {refusal.rule for refusal in refusals} <= {"marks", "off-host"}, refusals
