"""The rendered site in Chromium: charts, modes, widths, search, downloads; over http below a folder and from a file."""

from __future__ import annotations

import csv
import json
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from analysis.publish.offline import COPY
from tests.conftest import BY_QUARTO, BuiltSite, run_analysis

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("built_site", ["default twin", BY_QUARTO], indirect=True, scope="session"),
]

WIDE, PHONE = (1280, 800), (360, 740)
DRAWN = """() => [...document.querySelectorAll("figure.chart")]
    .every((f) => f.dataset.drawn === "true" || f.dataset.failed)"""
REACH_ALL = """async () => {
    for (const figure of document.querySelectorAll("figure.chart")) {
        figure.scrollIntoView({ block: "center" });
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
}"""
PAPER = "getComputedStyle(document.body).getPropertyValue('--paper').trim()"


@dataclass(slots=True)
class Seen:
    """What a browser context asked for and complained about."""

    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def address(built_site: BuiltSite, serve: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Serve the site as a project site is served, below a folder.

    Without the site's address, Quarto starts the links of the page for lost addresses at the top of the host.
    """
    if built_site.engine == "quarto":
        return serve(built_site.site)
    top = tmp_path_factory.mktemp("served")
    (top / "repo").symlink_to(built_site.site)
    return f"{serve(top)}/repo"


@contextmanager
def opened(
    browser: Browser, seen: Seen, size: tuple[int, int] = WIDE, scheme: Any = "light", **options: Any
) -> Iterator[Page]:
    """Open a page that tells what it asks for and complains about."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce", **options
    )
    page = context.new_page()
    page.on("console", lambda m: seen.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda r: seen.strangers.append(r.url) if not is_ours(r.url) else None)
    page.on("response", lambda r: seen.complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    yield page
    context.close()


def is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "file", "about") or parts.hostname == "127.0.0.1"


def see_all_charts(page: Page) -> int:
    """Open what folds, scroll to each chart, wait until all are drawn, and give their number."""
    page.evaluate("document.querySelectorAll('details.fold').forEach((each) => { each.open = true; })")
    page.evaluate(REACH_ALL)
    page.wait_for_function(DRAWN, timeout=20_000)
    return page.locator("figure.chart[data-drawn]").count()


def overflow(page: Page) -> list[str]:
    """Give what sticks out of the page sideways."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [
            `${document.documentElement.scrollWidth} px`, ...[...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
            .map((e) => e.outerHTML.slice(0, 80))]"""
    )


def names_of(site: Path) -> list[str]:
    """List the pages, without those that only lead to where an old address stands now."""
    pages = [p for p in site.rglob("*.html") if "<main" in p.read_text(encoding="utf-8")]
    return sorted(p.relative_to(site).as_posix() for p in pages)


def persona_of(built_site: BuiltSite) -> dict[str, Any]:
    report = json.loads((built_site.root / "build/report.json").read_text(encoding="utf-8"))
    return report["segments"][0]


def test_the_site_works_from_a_file(built_site: BuiltSite, chromium: Browser) -> None:
    if built_site.engine == "quarto":
        pytest.skip("two of Quarto's scripts are modules, which browsers do not load from a file")
    n_charts, seen = 0, Seen()
    with opened(chromium, seen) as page:
        page.goto((built_site.site / "index.html").as_uri())
        page.wait_for_url("**/site/index.html")
        for name in ("site/index.html", "site/evidence.html", f"site/segments/{persona_of(built_site)['slug']}.html"):
            page.goto((built_site.site / name).as_uri())
            n_charts += see_all_charts(page)
        page.locator("#quarto-header .nav-link", has_text="Personas").click()
        page.wait_for_url("**/site/segments/index.html")
        assert page.locator("a.card-persona").count() >= 2
    assert n_charts >= 6
    assert seen == Seen()


def test_the_site_works_from_one_packed_file(built_site: BuiltSite, chromium: Browser, tmp_path: Path) -> None:
    if built_site.engine == "quarto":
        pytest.skip("packing is the same for both engines")
    archives = [tmp_path / name for name in ("first.zip", "second.zip")]
    for archive in archives:
        run_analysis(built_site.root, "render", "--engine", "smalldocs", "--out", str(archive))
    assert archives[0].read_bytes() == archives[1].read_bytes()
    site = tmp_path / "unpacked"
    with zipfile.ZipFile(archives[0]) as packed:
        packed.extractall(site)
    files = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    whole = {path.relative_to(built_site.site) for path in built_site.site.rglob("*") if path.is_file()}
    assert files == whole - {Path(COPY)}
    seen = Seen()
    with opened(chromium, seen) as page:
        page.goto((site / "index.html").as_uri())
        page.wait_for_url("**/site/index.html")
        page.goto((site / "site/evidence.html").as_uri())
        assert see_all_charts(page) >= 1
        page.goto((site / "site/finder.html").as_uri())
        assert page.locator("input:visible, select:visible").count() >= 1
        page.goto((site / "site/workshop.html").as_uri())
        assert page.locator("input[type=range]:visible").count() >= 2
    assert seen == Seen()


def test_switching_the_mode_redraws_every_chart_in_its_colours(address: str, chromium: Browser) -> None:
    seen = Seen()
    with opened(chromium, seen) as page:
        page.goto(f"{address}/site/evidence.html")
        n_charts = see_all_charts(page)
        light = page.evaluate(PAPER)
        ink = """() => [...document.querySelectorAll(".chart-live svg")].map((s) =>
            [...s.querySelectorAll("text")].map((t) => t.getAttribute("fill")).join())"""
        before = page.evaluate(ink)
        page.locator(".quarto-color-scheme-toggle").first.click()
        page.wait_for_function(f"{PAPER} !== '{light}'")
        page.wait_for_function(f"(was) => ({ink})().every((text, i) => text !== was[i])", arg=before)
        assert page.locator(".chart-live svg").count() == n_charts
        page.reload()
        assert page.evaluate(PAPER) != light, "the choice holds on the next page"
    assert seen == Seen()


def test_what_a_chart_shows_can_be_taken_along(address: str, chromium: Browser, tmp_path: Path) -> None:
    seen = Seen()
    begins: dict[str, Callable[[bytes], bool]] = {
        "csv": lambda data: data.startswith(b"\xef\xbb\xbf") and data.count(b"\r\n") >= 3,
        "svg": lambda data: b"<svg" in data[:200] and data.rstrip().endswith(b"</svg>"),
        "png": lambda data: data.startswith(b"\x89PNG\r\n") and len(data) > 5_000,
    }
    with opened(chromium, seen, accept_downloads=True) as page:
        page.goto(f"{address}/site/evidence.html")
        see_all_charts(page)
        figure = page.locator("figure.chart").first
        for kind, is_right in begins.items():
            with page.expect_download() as waiting:
                figure.locator(f"button[data-download={kind}]").click()
            assert waiting.value.suggested_filename == f"{figure.get_attribute('id')}.{kind}"
            waiting.value.save_as(tmp_path / kind)
            assert is_right((tmp_path / kind).read_bytes()), kind
        rows = figure.locator(".table-twin tr").count()
    assert (tmp_path / "csv").read_text(encoding="utf-8-sig").strip().count("\n") == rows - 1
    assert seen == Seen()


def open_chart(page: Page, url: str, name: str) -> Any:
    """Open a page, wait until one of its charts is drawn, and give the figure."""
    page.goto(url)
    see_all_charts(page)
    return page.locator(f"#chart-{name}")


def save_from(page: Page, figure: Any, kind: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        figure.locator(f"button[data-download={kind}]").click()
    waiting.value.save_as(folder / kind)
    return folder / kind


def test_a_picture_leaves_with_title_reading_and_source(address: str, chromium: Browser, tmp_path: Path) -> None:
    with opened(chromium, Seen(), accept_downloads=True) as page:
        figure = open_chart(page, f"{address}/site/compare.html", "heat-map")
        said = [" ".join(figure.locator(part).inner_text().split()) for part in (".chart-title", ".chart-caption")]
        source = figure.get_attribute("data-source")
        svg = save_from(page, figure, "svg", tmp_path).read_text(encoding="utf-8")
        png = save_from(page, figure, "png", tmp_path).read_bytes()
    lines = [text.text or "" for text in ElementTree.fromstring(svg) if text.tag.endswith("}text")]
    assert " ".join(lines) == " ".join([*said, f"Source: {source}"])
    assert "customers" in source and source.split(":")[0]
    width, height = (int(ElementTree.fromstring(svg).attrib[side]) for side in ("width", "height"))
    assert struct.unpack(">II", png[16:24]) == (2 * width, 2 * height)


def test_cells_of_a_csv_are_numbers(address: str, chromium: Browser, tmp_path: Path) -> None:
    with opened(chromium, Seen(), accept_downloads=True) as page:
        figure = open_chart(page, f"{address}/site/compare.html", "heat-map")
        shown = figure.locator(".table-twin tbody tr").first.locator("td").first.evaluate("(e) => e.textContent")
        heat, sizes = (
            list(csv.reader(save_from(page, each, "csv", tmp_path).read_text(encoding="utf-8-sig").splitlines()))
            for each in (figure, page.locator("#chart-value-size"))
        )
    assert heat[0][2:4] == [f"{heat[0][1]}, low", f"{heat[0][1]}, high"]
    assert [float(cell) for cell in heat[1][1:4]] == [float(x) for x in re.findall(r"[+-]?[\d.]+", shown)]
    assert all(float(cell) < 10 for row in heat[1:] for cell in row[1:])
    assert sum(float(row[2]) for row in sizes[1:]) == pytest.approx(1, abs=0.03)
    assert all(int(row[1]) > 10 for row in sizes[1:])


def test_a_table_is_copied_for_a_spreadsheet(address: str, chromium: Browser) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with opened(chromium, Seen(), permissions=allowed) as page:
        figure = open_chart(page, f"{address}/site/compare.html", "value-size")
        figure.get_by_role("button", name="Copy table").click()
        figure.locator("[role=status]", has_text="Copied").wait_for()
        lines = page.evaluate("navigator.clipboard.readText()").split("\n")
        assert len(lines) == figure.locator(".table-twin tr").count()
    assert {line.count("\t") for line in lines} == {3}


def test_pointing_at_a_cell_leaves_the_others_and_a_press_singles_one_segment_out(
    address: str, chromium: Browser
) -> None:
    faint = """(svg) => [...svg.querySelectorAll(".mark-rect path")]
        .filter((cell) => Number(cell.getAttribute("opacity") ?? 1) < 0.5).length"""
    with opened(chromium, Seen()) as page:
        figure = open_chart(page, f"{address}/site/compare.html", "heat-map")
        picture = figure.locator(".chart-live svg")
        cell = picture.locator(".mark-rect path").nth(3)
        cell.hover(position={"x": 4, "y": 4})
        page.wait_for_timeout(100)
        assert picture.evaluate(faint) == 0
        cell.click(position={"x": 4, "y": 4})
        page.wait_for_function(f"(svg) => ({faint})(svg) > 0", arg=picture.element_handle())


def test_titles_of_explore_follow_what_is_chosen(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        for name in ("distributions", "map"):
            figure = open_chart(page, f"{address}/site/explore.html", name)
            spec = json.loads(figure.locator("script.chart-spec").text_content() or "")
            titles = spec["usermeta"]["titles"]["texts"]
            assert len(set(titles)) == len(titles) >= 3
            for i in (2, 1, 0):
                figure.locator("select").select_option(index=i)
                figure.locator(".chart-title", has_text=titles[i]).wait_for()


def test_groups_of_customers_stand_behind_the_medians_until_some_are_chosen(address: str, chromium: Browser) -> None:
    bold = """(svg) => [...svg.querySelectorAll(".mark-line path")].filter((line) =>
        Number(line.getAttribute("opacity") ?? 1) > 0.5 && line.getAttribute("stroke-width") < 2).length"""
    seen = Seen()
    with opened(chromium, seen) as page:
        figure = open_chart(page, f"{address}/site/explore.html", "parallel")
        picture = figure.locator(".chart-live svg").element_handle()
        assert picture.evaluate(bold) == 0
        figure.locator("select").first.select_option(index=1)
        page.wait_for_function(f"(svg) => ({bold})(svg) > 0", arg=picture)
        figure.locator("select").first.select_option(index=0)
        page.wait_for_function(f"(svg) => ({bold})(svg) === 0", arg=picture)
        box = picture.bounding_box()
        assert box
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.1 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
        page.mouse.up()
        page.wait_for_function(f"(svg) => ({bold})(svg) > 0", arg=picture)
    assert seen == Seen()


def test_an_old_address_takes_its_anchor_along(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        page.goto(f"{address}/site/glossary.html#silhouette")
        page.wait_for_url("**/site/manual/glossary.html#silhouette")
        page.goto(f"{address}/index.html#who")
        page.wait_for_url("**/site/index.html#who")


def test_the_overview_stands_on_a_screen_and_a_half(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen(), (1280, 800)) as page:
        page.goto(f"{address}/site/index.html")
        assert page.evaluate("document.documentElement.scrollHeight / innerHeight") <= 1.5


def test_a_personas_plan_is_eight_stops_from_the_skip_link(address: str, chromium: Browser) -> None:
    seen, stops = Seen(), 0
    focused = "document.activeElement.outerHTML.slice(0, 200)"
    with opened(chromium, seen) as page:
        page.goto(f"{address}/site/index.html")
        page.keyboard.press("Tab")
        assert "skip-link" in page.evaluate(focused), "the first stop"
        page.keyboard.press("Enter")
        stops += 1
        while "segments/" not in page.evaluate("document.activeElement.getAttribute('href') ?? ''"):
            page.keyboard.press("Tab")
            stops += 1
            assert stops <= 8, page.evaluate(focused)
        page.keyboard.press("Enter")
        page.wait_for_url("**/site/segments/*.html")
        page.wait_for_selector(".skip-link", state="attached")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        stops += 1
        while page.evaluate("document.activeElement.hash") != "#plan":
            page.keyboard.press("Tab")
            stops += 1
            assert stops <= 8, page.evaluate(focused)
        page.keyboard.press("Enter")
        page.wait_for_function("location.hash === '#plan'")
    assert stops <= 8 and seen == Seen()


def test_the_page_itself_is_marked_and_in_view_in_its_list(address: str, chromium: Browser) -> None:
    for name in ("site/how.html", "site/manual/glossary.html"):
        with opened(chromium, Seen(), (1280, 420)) as page:
            page.goto(f"{address}/{name}")
            link = page.locator("#quarto-sidebar [aria-current=page]")
            assert link.count() == 1, name
            page.wait_for_function(
                """(link) => {
                    const list = link.closest("#quarto-sidebar").getBoundingClientRect();
                    const place = link.getBoundingClientRect();
                    return place.top >= list.top && place.bottom <= list.bottom;
                }""",
                arg=link.element_handle(),
            )


def test_the_menu_on_a_phone_opens_and_leads_on(address: str, chromium: Browser) -> None:
    seen = Seen()
    with opened(chromium, seen, PHONE) as page:
        page.goto(f"{address}/site/compare.html")
        link = page.locator("#quarto-header .nav-link", has_text="Evidence")
        assert not link.is_visible()
        page.locator(".navbar-toggler").click()
        link.click()
        page.wait_for_url("**/site/evidence.html")
        page.locator(".quarto-btn-toggle").click()
        page.locator("#quarto-sidebar a", has_text="Algorithms").click()
        page.wait_for_url("**/site/algorithms.html")
    assert seen == Seen()


def test_without_scripts_the_pictures_and_numbers_stand(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen(), java_script_enabled=False) as page:
        page.goto(f"{address}/site/compare.html")
        pictures = page.locator("img.chart-static")
        assert pictures.count() >= 5
        for i in range(pictures.count()):
            pictures.nth(i).scroll_into_view_if_needed()
            box = pictures.nth(i).bounding_box()
            assert box and box["width"] > 300 and box["height"] > 80
        page.locator("details.table-twin summary").first.click()
        assert page.locator("details.table-twin td").first.is_visible()


def test_where_scripts_run_only_the_live_chart_is_seen(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        page.goto(f"{address}/site/compare.html")
        n_charts = see_all_charts(page)
        assert n_charts >= 5
        assert page.locator("img.chart-static").filter(visible=True).count() == 0


def test_the_keyboard_reaches_cards_and_tables(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        page.goto(f"{address}/site/segments/index.html")
        reached = set()
        for _ in range(80):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        assert any("card-persona" in name for name in reached)
        assert any("quarto-color-scheme-toggle" in name for name in reached)


def test_a_name_that_is_not_there_gives_the_page_for_that(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        page.goto(f"{address}/404.html")
        assert page.locator("main a").count() >= 3
        page.locator("main a", has_text="Overview").click()
        page.locator("h1").first.wait_for()
        assert page.locator("h1").count() == 1


def test_two_segments_stand_side_by_side_by_keyboard(address: str, chromium: Browser) -> None:
    seen = Seen()
    with opened(chromium, seen) as page:
        page.goto(f"{address}/site/compare.html")
        page.locator("summary", has_text="Choose two segments").click()
        block = page.locator(".side-by-side")
        first, second = (block.get_by_role("combobox", name=name, exact=True) for name in ("Compare", "with"))
        whole = block.locator("tbody tr").all_inner_texts()
        second.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        names = [choice.locator("option:checked").inner_text() for choice in (first, second)]
        assert block.locator("thead th:visible").all_inner_texts() == ["Variable", *names]
        assert block.get_by_role("status").inner_text().startswith(f"{names[0]} and {names[1]}: furthest apart on ")
        places = [
            [float(cell.get_attribute("data-place") or "") for cell in row.locator("td:visible").all()]
            for row in block.locator("tbody tr").all()
        ]
        apart = [abs(a - b) for a, b in places]
        assert len(apart) == len(whole) and apart == sorted(apart, reverse=True)
        block.get_by_role("button", name="Show all").click()
        assert block.locator("tbody tr").all_inner_texts() == whole
    assert seen == Seen()


def test_without_scripts_the_whole_comparison_stands(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen(), java_script_enabled=False) as page:
        page.goto(f"{address}/site/compare.html")
        page.locator("summary", has_text="Choose two segments").click()
        block = page.locator(".side-by-side")
        assert not block.locator("select").first.is_visible()
        assert block.locator("thead th:visible").count() == block.locator("select").first.locator("option").count() + 1
