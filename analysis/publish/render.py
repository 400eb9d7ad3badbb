"""Pages to website, by Quarto or else the embedded renderer; only a good site replaces the last one."""

from __future__ import annotations

import contextlib
import functools
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from filelock import FileLock, Timeout

from analysis.base.errors import GateError, InputError
from analysis.base.yamls import read_yaml
from analysis.publish import last_site
from analysis.publish.loading import speed_up
from analysis.publish.offline import add_offline_copy, pack_site
from analysis.publish.quarto import OWN_RENDER
from analysis.publish.search import write_index
from analysis.settings.load import profile_files, project_settings

Engine = Literal["quarto", "smalldocs"]

HOME = "site/index.html"

# The embedded renderer reports keys that it does not read; these it may ignore without harm to the pages.
QUARTO_ONLY = (
    ("segmentation",),
    ("project", "pre-render"),
    ("project", "post-render"),
    ("format", "html", "html-math-method"),
    ("format", "html", "image"),
    ("format", "html", "canonical-url"),
    ("format", "html", "respect-user-color-scheme"),
    ("format", "html", "html-table-processing"),
    ("format", "html", "citations-hover"),
    ("format", "html", "crossrefs-hover"),
    ("format", "html", "footnotes-hover"),
)

_ARCHIVES = frozenset((".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip"))
_WARNING = re.compile(
    r"^\s*(?:\x1b\[[\d;]*m)*\[?(?:WARN(?:ING)?|ERROR)\b|unable to resolve link|\[broken\]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A website on disk.

    Attributes
    ----------
    engine : str
        "quarto" or "smalldocs".
    version : str
        Version of the engine.
    site : Path
        Folder of the website, or the file that holds it.
    n_pages : int
        HTML pages, the redirect not counted.
    """

    engine: Engine
    version: str
    site: Path
    n_pages: int


def render(
    root: Path,
    out: Path,
    engine: Engine | None = None,
    profile: str | None = None,
    before_swap: Callable[[Path], None] | None = None,
    site_url: str = "",
) -> Rendered:
    """Render the pages and replace the last site by the result.

    Parameters
    ----------
    root : Path
        Project folder, with ``_quarto.yml`` and the pages under ``site/``.
    out : Path
        Folder of the website, or a file that ends in ``.zip`` and holds it; replaced in one step, and only by a site
        that rendered without a warning.
    engine : {"quarto", "smalldocs"}, optional
        Default: Quarto if it is on the PATH, else smalldocs.
    profile : str, optional
        Quarto profile, ``_quarto-<profile>.yml``; default is QUARTO_PROFILE.
    before_swap : callable, optional
        Called with the fresh folder; what it raises keeps the last site. Pages that the gate refuses move to
        ``build/refused``.
    site_url : str, optional
        Address at which the site is published; default is ``website.site-url`` of the settings.

    Returns
    -------
    Rendered

    Raises
    ------
    InputError
        If another build runs, the engine, profile or folder of the zip is missing, or the engine reports a warning.
    """
    root, out = root.resolve(), out.resolve()
    engine = engine or ("quarto" if shutil.which("quarto") else "smalldocs")
    check_folders(root, out)
    profile_files(root, profile)
    with build_lock(root):
        fresh = last_site.make_hidden(out, locked=True) / out.name.removesuffix(".zip")
        try:
            version, log = _RENDERERS[engine](root, fresh, profile, site_url.rstrip("/"))
            _refuse_warnings(engine, log)
            _write_redirect(fresh, fresh / "index.html", HOME, "Overview")
            if engine != "quarto":
                _write_aliases(root, fresh)
            speed_up(fresh)
            write_index(fresh, root)
            add_offline_copy(fresh)
            if before_swap is not None:
                before_swap(fresh)
            n_pages = sum(1 for page in fresh.rglob("*.html") if page != fresh / "index.html")
            _swap(root, fresh, out)
        except GateError as error:
            raise GateError(f"{error}\nThe refused pages are in {last_site.set_aside(root, fresh)}.") from None
        finally:
            shutil.rmtree(fresh.parent, ignore_errors=True)
    return Rendered(engine, version, out, n_pages)


def _swap(root: Path, fresh: Path, out: Path) -> None:
    """Put a fresh site where the last one is, in one step."""
    if _is_archive(out):
        pack_site(fresh, fresh.parent / "packed").replace(out)
        return
    last_site.keep_site(root, out, fresh)
    with last_site.replacing(root, out):
        last_site.replace_folder(fresh, out, fresh.parent / "last")


@contextlib.contextmanager
def build_lock(root: Path) -> Iterator[None]:
    """Let one build at a time work in a project; the lock goes with the process that holds it.

    Raises
    ------
    InputError
        If another build holds the lock.
    """
    lock = FileLock(_made(root / "build") / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            "Another build of this project is running.", hint="Wait until it has finished, then try again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _render_quarto(root: Path, fresh: Path, profile: str | None, site_url: str) -> tuple[str, str]:
    quarto = shutil.which("quarto")
    if quarto is None:
        raise InputError(
            "Quarto is not installed.",
            hint="Install it, or omit --engine to use the embedded renderer.",
        )
    environment = {**os.environ, OWN_RENDER: "1", "NO_COLOR": "1"}
    command = [quarto, "render", str(root), "--output-dir", os.path.relpath(fresh, root)]
    if profile:
        command += ["--profile", profile]
    if site_url:
        command += ["--site-url", site_url]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    log = done.stdout + done.stderr
    if done.returncode or not (fresh / HOME).is_file():
        raise InputError(f"Quarto ended with code {done.returncode}.", _last_lines(log))
    version = subprocess.run([quarto, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return version, log


def _render_smalldocs(root: Path, fresh: Path, profile: str | None, site_url: str) -> tuple[str, str]:
    import smalldocs
    from smalldocs.config import BuildError, ConfigError, load
    from smalldocs.site import Site

    config = project_settings(root, profile)
    for *parents, key in QUARTO_ONLY:
        _at(config, parents).pop(key, None)
    project_block = _at(config, ["project"])
    project_block["output-dir"] = str(fresh)
    # Quarto's leading slash ties a pattern to the project folder, where this renderer looks anyway.
    project_block["resources"] = [str(glob).removeprefix("/") for glob in _as_list(project_block.get("resources"))]
    if site_url:
        _at(config, ["website"])["site-url"] = site_url
    website = _at(config, ["website"])
    bars = _as_list(website.get("sidebar"))
    for item in (item for bar in bars for item in _as_list(bar.get("contents"))):
        if isinstance(item, dict) and "href" in item and isinstance(item.get("contents"), str):
            item["contents"] = _section_pages(root, item["contents"])
        elif isinstance(item, dict) and isinstance(item.get("contents"), list):
            item["contents"] = [each for entry in item["contents"] for each in _entries(root, entry)]
    if len(bars) > 1:
        # It gives a page of no sidebar the first one, where Quarto gives it none; the style sheet hides an empty one.
        website["sidebar"] = [{"contents": []}, *bars]
    _fill_variables(root, _at(config, ["website"]).get("page-footer"))
    # It reads its settings from the project folder alone; another folder keeps the user's file as it is.
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "_quarto.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        try:
            project = load(scratch)
            # What it says of settings does not concern the pages: Quarto, which publishes, may well read them.
            site = Site(replace(project, root=root, warnings=[]), quiet=True)
            site.build()
        except (BuildError, ConfigError) as error:
            raise InputError(f"The embedded renderer stopped: {error}") from error
    if not (fresh / HOME).is_file():
        raise InputError("The embedded renderer wrote no overview page.", hint="Run `python -m analysis build` first.")
    if address := str(_at(config, ["website"]).get("site-url") or ""):
        _name_addresses(fresh, address.rstrip("/"))
    if project.warnings:
        print(f"Settings that the embedded renderer does not read: {'; '.join(project.warnings)}.", file=sys.stderr)
    return smalldocs.__version__, "\n".join(f"WARN: {warning}" for warning in site.warnings)


_RENDERERS: dict[Engine, Callable[[Path, Path, str | None, str], tuple[str, str]]] = {
    "quarto": _render_quarto,
    "smalldocs": _render_smalldocs,
}


def _fill_variables(root: Path, footer: object) -> None:
    """Put the values of ``_variables.yml`` into the footer, as Quarto does."""
    file = root / "_variables.yml"
    values = read_yaml(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if isinstance(footer, dict):
        for side, text in footer.items():
            if isinstance(text, str):
                fill = functools.partial(_value_of, values)
                footer[side] = re.sub(r"\{\{< var (\w+) >\}\}", fill, text)


def _value_of(values: dict[str, Any], name: re.Match[str]) -> str:
    return str(values.get(name[1], name[0]))


def _entries(root: Path, entry: Any) -> list[Any]:
    """Replace an ``auto`` entry of a sidebar by its pages."""
    return _section_pages(root, entry["auto"]) if isinstance(entry, dict) and "auto" in entry else [entry]


def _section_pages(root: Path, pattern: str) -> list[str]:
    """List a section's pages by their ``order``, without its index page, as Quarto does."""
    from smalldocs.markdown import split_front_matter

    words = re.search(r"\{([^}]*)\}", pattern)
    patterns = [pattern.replace(words[0], word) for word in words[1].split(",")] if words else [pattern]
    pages = [page for each in patterns for page in root.glob(each) if page.stem != "index"]
    fronts = {page: split_front_matter(page.read_text(encoding="utf-8"))[0] for page in pages}
    pages.sort(key=lambda page: (fronts[page].get("order", len(pages) + 1), page.name))
    return [page.relative_to(root).as_posix() for page in pages]


def _name_addresses(site: Path, address: str) -> None:
    """Say in each page where it is published, and to search engines which pages there are, as Quarto does."""
    for page in site.rglob("*.html"):
        place = page.relative_to(site).as_posix().removesuffix("index.html")
        link = f'<link rel="canonical" href="{html.escape(f"{address}/{place}")}">'
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("</head>", f"{link}</head>", 1), encoding="utf-8")
    # A host shows this page at any address, so its links start from the top.
    top = urlsplit(address).path
    lost = site / "404.html"
    links = re.compile(r'(?<= )(href|src)="(?:\./)?(?![#/"]|[a-z]+:)([^"]*)"')
    lost.write_text(links.sub(rf'\1="{top}/\2"', lost.read_text(encoding="utf-8")), encoding="utf-8")
    sitemap = site / "sitemap.xml"
    entries = re.sub(r"  <url>\s*<loc>[^<]*/404\.html</loc>.*?</url>\n", "", sitemap.read_text(), flags=re.DOTALL)
    sitemap.write_text(entries, encoding="utf-8")
    (site / "robots.txt").write_text(f"Sitemap: {address}/sitemap.xml\n", encoding="utf-8")


def _refuse_warnings(engine: Engine, log: str) -> None:
    # Aliases are written after the embedded renderer, which does not read them.
    found = [line.strip() for line in log.splitlines() if _WARNING.search(line)]
    lines = [line for line in found if not line.endswith("aliases is not read by smalldocs")]
    if lines:
        more = f"\n  … and {len(lines) - 4} more" if len(lines) > 4 else ""
        raise InputError(
            f"The pages rendered with {len(lines)} warning(s) of {engine}; the last site stays.",
            "\n  ".join(lines[:4]) + more,
        )


def _write_aliases(root: Path, site: Path) -> None:
    """Write a page that leads on at each address that the front matter of a page names as an alias.

    What stands behind the ``#`` of the old address goes along, as on the pages that Quarto writes.
    """
    from smalldocs.markdown import split_front_matter

    for page in sorted((root / "site").rglob("*.qmd")):
        html_page = site / page.relative_to(root).with_suffix(".html")
        for alias in split_front_matter(page.read_text(encoding="utf-8"))[0].get("aliases", ()):
            target = html_page.parent / alias
            if not target.exists():
                _write_redirect(site, target, os.path.relpath(html_page, target.parent), page.stem)


def _write_redirect(site: Path, page: Path, target: str, title: str) -> None:
    """Write a page that leads to another; a script takes along what stands behind the ``#``."""
    page.parent.mkdir(parents=True, exist_ok=True)
    script = os.path.relpath(site / "site" / "assets" / "moved.js", page.parent)
    page.write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<noscript><meta http-equiv="refresh" content="0; url={target}"></noscript>\n'
        f'<link rel="canonical" href="{target}">\n</head>\n<body>'
        f'<p data-moved="{target}"><a href="{target}">{title}</a></p>\n'
        f'<script src="{script}"></script></body>\n</html>\n',
        encoding="utf-8",
    )


def _is_archive(out: Path) -> bool:
    return out.suffix == ".zip"


def check_folders(root: Path, out: Path) -> None:
    """Refuse a place that cannot hold the site.

    Raises
    ------
    InputError
    """
    if not (root / "_quarto.yml").is_file():
        raise InputError(f"{root} has no _quarto.yml.", hint="Run the command in the project folder.")
    if not _is_archive(out) and out.suffix.lower() in _ARCHIVES:
        raise InputError(f"{out} is not a valid place for the site.", "Expected a folder, or a file that ends in .zip.")
    if _is_archive(out):
        if not out.parent.is_dir():
            raise InputError(f"{out.parent} does not exist.", hint="Create the folder first, or choose another one.")
        if out.is_dir():
            raise InputError(f"{out} is a folder.", "Expected a file that ends in .zip.")
        return
    if out == root or out in root.parents or out.is_file() or (out / "_quarto.yml").exists():
        raise InputError(
            f"{out} cannot be the folder of the site: it would be replaced.", hint="Choose a separate folder."
        )


def _at(config: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    for key in keys:
        config = config.setdefault(key, {})
    return config


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _last_lines(log: str, n: int = 4) -> str:
    return "\n  ".join(line.strip() for line in log.splitlines()[-40:] if line.strip()).rsplit("\n", n)[-1]
