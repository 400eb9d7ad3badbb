"""Rendering: the last good site stands until a better one is complete."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.base.errors import GateError, InputError
from analysis.base.version import tool_version
from analysis.pages.assets import CHART_THEME, fill_tokens, read_tokens, themed, write_vega_bundle
from analysis.pages.book import write_notice
from analysis.publish import last_site as last_site_of
from analysis.publish.quarto import OWN_RENDER
from analysis.publish.render import build_lock, render

PROJECT = Path(__file__).parents[2]

CONFIG = """\
project:
  type: website
  render: ["404.qmd", "site/**/*.qmd"]
  pre-render: "false"
  resources: ["site/assets/**"]
website:
  title: Small
  sidebar:
    contents:
      - {text: Overview, href: site/index.qmd}
      - {section: Personas, href: site/segments/index.qmd, contents: "site/segments/*.qmd"}
format: {html: {css: site/assets/site.css, html-math-method: mathml, html-table-processing: none}}
segmentation: {title: Small}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in {
        "_quarto.yml": CONFIG,
        "_quarto-big.yml": "website: {title: Big}\nsegmentation: {seed: 1}\n",
        "404.qmd": "---\ntitle: Not here\n---\n{{< var notice >}}\n",
        "site/index.qmd": "---\ntitle: Overview\n---\nText.\n",
        "site/segments/index.qmd": "---\ntitle: All personas\n---\nText.\n",
        "site/segments/a.qmd": "---\ntitle: Small group\norder: 2\n---\nText.\n",
        "site/segments/b.qmd": "---\ntitle: Large group\norder: 1\n---\nText.\n",
        "site/assets/site.css": ":root { --ink: #111; }\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_notice(root, "Synthetic & small", synthetic=True)
    return root


@pytest.fixture
def last_site(project: Path) -> Path:
    out = project / "_site"
    out.mkdir()
    (out / "kept.html").write_text("the last good site", encoding="utf-8")
    return out


def assert_untouched(out: Path) -> None:
    assert [path.name for path in out.iterdir()] == ["kept.html"]
    assert not [path for path in out.parent.iterdir() if path.name.startswith("._site")]


@pytest.fixture
def fake_quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a `quarto` on the PATH that writes an overview page, then runs the given shell lines."""

    def install(lines: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        script = folder / "quarto"
        script.write_text(
            "#!/bin/sh\n"
            'if [ "$1" = --version ]; then echo 1.2.3; exit 0; fi\n'
            f'echo "$@" > {tmp_path}/arguments; echo "${OWN_RENDER}" > {tmp_path}/prerendered\n'
            'mkdir -p "$4/site"; echo page > "$4/site/index.html"\n' + lines,
            encoding="utf-8",
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        return tmp_path

    return install


def test_a_site_replaces_the_last_one_whole(project: Path, last_site: Path) -> None:
    rendered = render(project, last_site, "smalldocs")
    assert (rendered.engine, rendered.site, rendered.n_pages) == ("smalldocs", last_site, 5)
    assert not (last_site / "kept.html").exists()
    assert "Overview" in (last_site / "site/index.html").read_text(encoding="utf-8")
    assert (last_site / "site/assets/site.css").is_file()
    assert not [path for path in project.iterdir() if path.name.startswith("._site")]


def test_the_root_leads_to_the_overview(project: Path) -> None:
    render(project, project / "_site", "smalldocs")
    assert 'content="0; url=site/index.html"' in (project / "_site/index.html").read_text(encoding="utf-8")


def test_the_project_folder_stays_as_it_was(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    render(project, project / "_site", "smalldocs")
    after = {
        path: path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and not {"_site", "last-site"} & set(path.parts)
    }
    after.pop(project / "build/.lock")
    assert after == before


def test_two_renders_give_the_same_bytes(project: Path) -> None:
    trees = []
    for _ in range(2):
        site = render(project, project / "_site", "smalldocs").site
        trees.append({path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()})
    assert trees[0] == trees[1]


def test_a_broken_link_fails_the_render_and_keeps_the_last_site(project: Path, last_site: Path) -> None:
    (project / "site/index.qmd").write_text("---\ntitle: Overview\n---\n[gone](gone.qmd)\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"1 warning.*\n.*gone\.qmd"):
        render(project, last_site, "smalldocs")
    assert_untouched(last_site)


def test_a_page_that_cannot_be_read_keeps_the_last_site(project: Path, last_site: Path) -> None:
    (project / "site/index.qmd").write_text("---\ntitle: [\n---\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"index\.qmd"):
        render(project, last_site, "smalldocs")
    assert_untouched(last_site)


def test_a_refusal_before_the_swap_keeps_the_last_site(project: Path, last_site: Path) -> None:
    def refuse(site: Path) -> None:
        assert (site / "site/index.html").is_file()
        assert (site / "index.html").is_file()
        raise GateError("a key in a tooltip")

    with pytest.raises(GateError, match="tooltip"):
        render(project, last_site, "smalldocs", before_swap=refuse)
    assert_untouched(last_site)
    assert (project / "build/refused/site/index.html").is_file()


def test_a_swap_that_fails_half_way_puts_the_last_site_back(
    project: Path, last_site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fail_on_fresh(self: Path, target: Path) -> Path:
        if target == last_site and self.name == last_site.name:
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(last_site_of, "exchange", lambda *paths: False)
    monkeypatch.setattr(Path, "rename", fail_on_fresh)
    with pytest.raises(OSError, match="disk full"):
        render(project, last_site, "smalldocs")
    assert_untouched(last_site)


def test_a_profile_is_laid_over_the_settings(project: Path) -> None:
    render(project, project / "_site", "smalldocs", profile="big")
    assert "Big</title>" in (project / "_site/site/index.html").read_text(encoding="utf-8")


def test_a_missing_profile_is_named(project: Path, last_site: Path) -> None:
    with pytest.raises(InputError, match=r"_quarto-tiny\.yml"):
        render(project, last_site, "smalldocs", profile="tiny")
    assert_untouched(last_site)


def test_personas_stand_in_the_sidebar_by_order_and_once(project: Path) -> None:
    render(project, project / "_site", "smalldocs")
    page = (project / "_site/site/index.html").read_text(encoding="utf-8")
    assert page.index("segments/b.html") < page.index("segments/a.html")
    assert page.count('href="segments/index.html"') == 1


def test_every_page_below_site_carries_the_notice_of_synthetic_data(project: Path) -> None:
    pages = list((render(project, project / "_site", "smalldocs").site / "site").rglob("*.html"))
    assert pages
    assert all("Synthetic &amp; small</aside>" in page.read_text(encoding="utf-8") for page in pages)
    assert "Synthetic &amp; small" in (project / "_site/404.html").read_text(encoding="utf-8")


def test_real_data_carry_no_notice_on_top(project: Path) -> None:
    write_notice(project, "Made from a file", synthetic=False)
    assert json.loads((project / "site/_metadata.yml").read_text(encoding="utf-8")) == {"segmentation": None}
    page = render(project, project / "_site", "smalldocs").site / "site/index.html"
    assert 'class="notice"' not in page.read_text(encoding="utf-8")


def test_the_footer_shows_the_version_and_leaves_unknown_variables(project: Path) -> None:
    footer = '  page-footer: {left: "Tool {{< var version >}}", right: "{{< var nothing >}}"}\n'
    config = CONFIG.replace("  sidebar:\n", f"{footer}  sidebar:\n")
    (project / "_quarto.yml").write_text(config, encoding="utf-8")
    page = render(project, project / "_site", "smalldocs").site / "site/index.html"
    text = page.read_text(encoding="utf-8")
    assert f"Tool {tool_version()}" in text and "var nothing" in text


def test_an_unchanged_notice_is_not_written_again(project: Path) -> None:
    path = project / "site/_metadata.yml"
    os.utime(path, ns=(1, 1))
    write_notice(project, "Synthetic & small", synthetic=True)
    assert path.stat().st_mtime_ns == 1


def test_one_build_runs_at_a_time(project: Path) -> None:
    with (
        build_lock(project),
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(InputError, match="Another build"),
    ):
        pool.apply(render, (project, project / "_site", "smalldocs"))
    assert not (project / "_site").exists()


def test_the_lock_is_free_after_a_failure(project: Path) -> None:
    with pytest.raises(InputError):
        render(project, project / "_site", "smalldocs", profile="tiny")
    render(project, project / "_site", "smalldocs")


@pytest.mark.parametrize("out", [".", "..", "site/index.qmd"])
def test_a_folder_that_holds_the_project_is_never_replaced(project: Path, out: str) -> None:
    with pytest.raises(InputError, match="would be replaced"):
        render(project, project / out, "smalldocs")
    assert (project / "site/index.qmd").is_file()


def test_quarto_is_the_engine_where_it_is_on_the_path(
    project: Path, last_site: Path, fake_quarto: Callable[[str], Path]
) -> None:
    calls = fake_quarto("exit 0\n")
    rendered = render(project, last_site, profile="big")
    assert (rendered.engine, rendered.version, rendered.n_pages) == ("quarto", "1.2.3", 1)
    assert (calls / "prerendered").read_text(encoding="utf-8") == "1\n"
    assert "--profile big" in (calls / "arguments").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "lines",
    [
        'echo "WARN: Unable to resolve link target: gone.qmd" >&2\n',
        'printf "\\033[33mWARNING (pandoc): no title\\033[39m\\n" >&2\n',
        'echo "[WARNING] Div at line 3 unclosed" >&2\n',
        'echo "ERROR: In file _quarto.yml" >&2; exit 1\n',
        'rm "$4/site/index.html"\n',
    ],
)
def test_what_quarto_warns_of_fails_the_render(
    project: Path, last_site: Path, fake_quarto: Callable[[str], Path], lines: str
) -> None:
    fake_quarto(lines)
    with pytest.raises(InputError):
        render(project, last_site, "quarto")
    assert_untouched(last_site)


def test_chart_colours_come_from_the_light_tokens_of_the_stylesheet() -> None:
    tokens = read_tokens((PROJECT / "site/assets/site.css").read_text(encoding="utf-8"))
    spec = themed({"mark": "bar", "config": {"axis": {"grid": False}}}, tokens)
    assert spec["config"]["axis"]["labelColor"] == tokens["--ink-2"]
    assert spec["config"]["axis"]["grid"] is False
    assert "var(" not in json.dumps(spec)
    assert "grid" not in CHART_THEME["axis"]


def test_an_unknown_token_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill_tokens("var(--inkk)", {"--ink": "#111"})


@pytest.mark.slow
def test_the_bundle_is_written_once_and_leaves_nothing_outside_its_scope(tmp_path: Path) -> None:
    (tmp_path / "vega-00000000.js").write_text("old", encoding="utf-8")
    name = write_vega_bundle(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert text.startswith("(() => {")
    assert text.endswith("})();\n")
    os.utime(tmp_path / name, ns=(1, 1))
    assert write_vega_bundle(tmp_path) == name
    assert (tmp_path / name).stat().st_mtime_ns == 1


def test_settings_that_only_quarto_reads_are_named_and_do_not_stop_the_renderer(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (project / "_quarto.yml").open("a", encoding="utf-8") as file:
        file.write("execute: {freeze: auto}\n")
    render(project, project / "_site", "smalldocs")
    said = capsys.readouterr().err
    assert said.startswith("Settings that the embedded renderer does not read: ") and "freeze" in said


def test_the_address_of_publication_is_on_every_page_and_in_the_links_of_the_page_for_lost_ones(project: Path) -> None:
    site = render(project, project / "_site", "smalldocs", site_url="https://example.org/repo/").site
    page = (site / "site/index.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://example.org/repo/site/index.html">' in page or (
        '<link rel="canonical" href="https://example.org/repo/site/">' in page
    )
    lost = (site / "404.html").read_text(encoding="utf-8")
    assert 'href="/repo/site/assets/site.css"' in lost and 'href="site/' not in lost
    assert (site / "robots.txt").read_text(encoding="utf-8") == "Sitemap: https://example.org/repo/sitemap.xml\n"
