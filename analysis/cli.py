"""The commands. A user's mistake becomes one message on standard error and an exit code, never a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console

from analysis.base.errors import EXIT_CODES, STOPPED, GateError, InputError
from analysis.base.version import NAME, tool_version
from analysis.publish import last_site

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Customer data in, a segmentation site out. Exit codes: "
    f"{', '.join(f'{code} {told}' for code, told in EXIT_CODES.items())}.",
)

Data = Annotated[str | None, typer.Option(help="File or address to read instead of the settings' first source.")]
Force = Annotated[bool, typer.Option("--force", help="Compute even where nothing changed.")]
Demo = Annotated[
    bool, typer.Option("--demo", help="Use the synthetic study that stands in for the data; every page says so.")
]
Site = Annotated[Path, typer.Option(help="Folder of the website.")]

_err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run a command and turn our errors into messages and exit codes."""
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        app(standalone_mode=True)
    except (InputError, GateError) as error:
        from analysis.settings.load import name_settings_file

        print(name_settings_file(str(error), Path.cwd()), file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code == STOPPED:
            _end_workers()
            print("Stopped; the last site is as it was.", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.exit(0)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {tool_version()}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_say_version)] = False,
) -> None:
    """Customer data in, a segmentation site out."""
    if said := last_site.recover(Path.cwd()):
        print(said, file=sys.stderr)


@app.command()
def build(
    data: Data = None,
    force: Force = False,
    demo: Demo = False,
    out: Annotated[Path | None, typer.Option(help="Where the site is to be rendered to; looked at first.")] = None,
) -> None:
    """Analyse the data and write the report and the pages."""
    from analysis.publish.quarto import is_own_render, is_partial_run, is_preview
    from analysis.publish.render import build_lock, check_folders

    root = Path.cwd()
    if out is not None:
        check_folders(root.resolve(), (root / out).resolve())
    if is_own_render():
        return
    from analysis.pipeline import build as run
    from analysis.pipeline import find_last

    data = data or os.environ.get("SEGMENTATION_DATA") or None
    demo = demo or bool(os.environ.get("SEGMENTATION_DEMO"))
    if is_partial_run(root):
        current = find_last(root, data, demo) is not None
        if current or not is_preview():
            print(_PARTIAL[current, is_preview()], end="")
            return
    started = time.perf_counter()
    told: list[str] = []
    with build_lock(root):
        built = run(root, data, lambda name: _stage(name, told), force, demo, app=app)
    if built.fresh:
        from analysis.base.workers import stop

        stop()
        told.append(f"Built from {_said(built.data, built.synthetic)} in {time.perf_counter() - started:.1f} s.")
        print("\n".join(told))
        for line in built.told:
            print(line, file=sys.stderr)
    else:
        print(f"Nothing changed since the last build from {_said(built.data, built.synthetic)}.")


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="Folder of the website, or a file .zip to hold it.")] = Path("_site"),
    engine: Annotated[
        str | None, typer.Option(help="quarto or smalldocs; default: Quarto where it is installed.")
    ] = None,
    site_url: Annotated[str, typer.Option(help="Address at which the site is published.")] = "",
) -> None:
    """Render the pages into a website; it replaces the last one once it passed the gate."""
    from analysis.publish.render import render as run

    if engine not in {None, "quarto", "smalldocs"}:
        raise InputError(f"--engine {engine}: there is no such engine.", "Valid: quarto, smalldocs.")
    root = Path.cwd()
    source = _source(root)
    started = time.perf_counter()
    with _stage("Render and check"):
        done = run(
            root,
            root / out,
            engine,  # type: ignore[arg-type]
            before_swap=lambda fresh: _gate(fresh, root, "The last good site is as it was."),
            site_url=site_url,
        )
    name = {"quarto": "Quarto", "smalldocs": "the embedded renderer, smalldocs"}[done.engine]
    print(
        f"Rendered {done.n_pages} pages with {name} {done.version} in {time.perf_counter() - started:.1f} s, "
        f"from {source}."
    )
    if done.engine == "smalldocs" and engine is None:
        print("Quarto, which publishes, is not on the PATH; `make quarto` installs it.")
    if done.site.is_file():
        print(f"{_shown(done.site)} holds it all: unpack it and open index.html in a browser, no server needed.")
    else:
        also = ", or run: make serve" if done.site == (root / "_site").resolve() else ""
        print(f"Open {_shown(done.site / 'index.html')} in a browser{also}")


@app.command()
def check(site: Site = Path("_site")) -> None:
    """Hold a rendered site against the gate: disclosure, links, weight, requests to other hosts."""
    from analysis.publish.quarto import is_own_render

    if is_own_render():
        return
    root = Path.cwd()
    folder = root / os.environ.get("QUARTO_PROJECT_OUTPUT_DIR", str(site))
    if folder.is_file() and folder.suffix == ".zip":
        with _unpacked(folder) as inside:
            _gate(inside, root)
    elif not folder.is_dir():
        raise InputError(f"{_shown(folder)} is not there.", hint="Run: make site")
    else:
        _check_folder(root, folder)
        return
    print(f"{_shown(folder)} may be published.")


@app.command()
def score(
    new: Annotated[list[str], typer.Argument(help="Table of new customers; one for each source of the study.")],
    out: Annotated[Path, typer.Option(help="File to write, CSV or Parquet; private, it holds keys.")] = Path(
        "build/scores.csv"
    ),
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day to look back from; default: as the settings say, or the newest."),
    ] = None,
) -> None:
    """Assign new customers to the published segments."""
    from analysis.assignment.scoring import check_sources, explain_gaps, read_model, report_drift
    from analysis.assignment.scoring import score as run
    from analysis.report.outputs import check_table_path, write_table
    from analysis.sources.locate import read_source

    root = Path.cwd()
    check_table_path(root / out, str(out))
    with _stage("Read"):
        model = read_model(root / "build" / "model.json")
        check_sources(new, model)
        each = zip(new, model.study.sources, model.types, strict=True)
        raws = [read_source(path, root, source, "score", types, fewest=1) for path, source, types in each]
        notes = explain_gaps(raws, model)
    with _stage("Place"):
        scores = run(raws, model, as_of.date() if as_of else None)
    with _stage("Write"):
        write_table(scores, root / out)
    people = "customer" if len(scores) == 1 else "customers"
    print(f"{len(scores):,} {people} scored into {out}: {', '.join(map(str, scores))}.")
    for line in filter(None, [*notes, report_drift(scores)]):
        print(line, file=sys.stderr)


@app.command()
def init(
    table: Annotated[str, typer.Argument(help="The file to draft settings for.")],
    out: Annotated[Path | None, typer.Option(help="Profile to write; default: _quarto-<file name>.yml.")] = None,
    move: Annotated[bool, typer.Option("--move", help="Move the file to data/, which git ignores, first.")] = False,
) -> None:
    """Draft the settings of an unknown table as a profile."""
    from analysis.segments.personas import slugify
    from analysis.sources.draft import as_yaml, draft_settings
    from analysis.sources.tables import read_table

    root = Path.cwd()
    raw = read_table(table, root=root, setting="init")
    target = root / (out or f"_quarto-{slugify(raw.name)}.yml")
    if target.exists():
        raise InputError(f"{_shown(target)} is there already.", hint="Choose another with --out, or remove it first.")
    exposed = _would_be_committed(table, root)
    if exposed and (
        move or (sys.stdin.isatty() and typer.confirm(f"Move {table} to data/, which git ignores?", default=True))
    ):
        table, exposed = _move_to_data(table, root), False
    target.write_text(as_yaml(draft_settings(raw, table)), encoding="utf-8")
    print(
        f"Settings drafted into {_shown(target)}; read them, then: "
        f"QUARTO_PROFILE={target.stem.removeprefix('_quarto-')} make site"
    )
    if exposed:
        again = f"rm {_shown(target)} && python -m analysis init {table} --move{f' --out {out}' if out else ''}"
        print(f"{table} lies where git would commit it. To move it to data/: {again}", file=sys.stderr)


@app.command()
def guard(
    files: Annotated[list[str] | None, typer.Argument(help="Files to look at; default: what git has staged.")] = None,
) -> None:
    """Refuse a commit of data files, results of a build and files called *.local.*; for pre-commit."""
    from analysis.publish.guard import check_staged

    n = check_staged(Path.cwd(), files or None)
    print(f"{n} file{'' if n == 1 else 's'} looked at; none holds customers that the study reads.")


@app.command()
def demo(
    customers: Annotated[int, typer.Option(help="How many customers to make.")] = 2240,
    out: Annotated[Path, typer.Option(help="Folder for marketing_campaign.csv and truth.csv.")] = Path("build/demo"),
) -> None:
    """Write the synthetic twin of the default study, with its planted segments."""
    from analysis.sources.synthetic.twin import write_twin

    path = write_twin(Path.cwd() / out, customers)
    print(f"{customers:,} synthetic customers in {_shown(path)}; the planted segments in truth.csv beside it.")
    print(f"Try: make site DATA={_shown(path)}")


@app.command()
def data() -> None:
    """Fetch the public file of the default study from Kaggle."""
    from analysis.sources.download import fetch_default

    print(f"{_shown(fetch_default(Path.cwd()))} is in place. Now: make site")


@app.command()
def history(
    address: Annotated[str, typer.Option("--from", help="Address of the published site.")],
) -> None:
    """Fetch what earlier runs left on a published site, so that segments keep their names."""
    from analysis.history.records import fetch_history

    for line in fetch_history(Path.cwd(), address):
        print(line)


@app.command()
def preview(data: Data = None, port: Annotated[int, typer.Option(help="Port on this machine.")] = 4848) -> None:
    """Serve the site on this machine and make it anew when settings, templates or data change."""
    from analysis.pipeline import data_files
    from analysis.publish.preview import serve

    root, chosen = Path.cwd(), data or os.environ.get("SEGMENTATION_DATA") or None

    def remake() -> None:
        build(data)
        render()

    serve(root, root / "_site", remake, port, lambda: data_files(root, chosen))


def _would_be_committed(table: str, root: Path) -> bool:
    """Whether a file lies in the project where git does not ignore it."""
    from analysis.publish.guard import is_private_place

    file = (root / table).resolve()
    inside = "://" not in table and file.is_file() and file.is_relative_to(root.resolve())
    return inside and not is_private_place(PurePosixPath(file.relative_to(root.resolve()).as_posix()))


def _move_to_data(table: str, root: Path) -> str:
    """Move a file to ``data/`` and give its place there."""
    target = root / "data" / Path(table).name
    if target.exists():
        raise InputError(f"data/{target.name} is there already.", hint="Give the file another name first.")
    target.parent.mkdir(exist_ok=True)
    shutil.move(root / table, target)
    return f"data/{target.name}"


def _end_workers() -> None:
    """End the processes that work for this one, so that nothing goes on after it was stopped."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if workers := sys.modules.get("analysis.base.workers"):
        workers.kill()


_PARTIAL = {
    (True, False): "",
    (True, True): "After a change of the data, save a page or load it again: the study is then made anew.\n",
    (False, False): "Data, settings or templates changed since the pages were made; to make all anew: quarto render\n",
}
"""What a partial run says, by whether the pages are of today's data and settings, and whether it is a preview."""


def _gate(site: Path, root: Path, after: str = "", but: tuple[str, ...] = ()) -> None:
    """Refuse a site that must not be published, by every rule ``but`` some; ``after`` ends the message."""
    from analysis.publish.gate.checks import check as hold
    from analysis.publish.gate.disclosure import skipped_rules
    from analysis.report.private import private_from_build

    private = private_from_build(root / "build")
    refusals = [refusal for refusal in hold(site, private) if refusal.rule not in but]
    for rule in skipped_rules(private):
        print(f"The gate could not look for {rule}: build/ does not hold the private list.", file=sys.stderr)
    if refusals:
        lines = [str(refusal) for refusal in refusals[:20]]
        more = [f"... and {len(refusals) - 20} more"] if len(refusals) > 20 else []
        raise GateError("\n".join(filter(None, ["The site must not be published:", *lines, *more, after])))


def _check_folder(root: Path, folder: Path) -> None:
    """Check a rendered site, by itself or after Quarto, which may have rendered single pages."""
    from analysis.publish.quarto import count_pages, is_partial_run, is_preview

    there, all_pages = count_pages(root, folder) if is_partial_run(root) else (0, 0)
    _gate(folder, root, but=("links",) if there < all_pages else ())
    if there < all_pages:
        print(f"{there} of {all_pages} pages are rendered and up to date; for the whole site: quarto render")
        return
    if "QUARTO_PROJECT_OUTPUT_DIR" in os.environ and not is_preview():
        last_site.keep_site(root, folder)
    print(f"{_shown(folder)} may be published.")


@contextlib.contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    """Unpack a site for as long as it is read."""
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        except (zipfile.BadZipFile, EOFError, OSError):
            raise InputError(f"{_shown(archive)} cannot be unpacked.", hint="Run: make site OUT=site.zip") from None
        yield Path(folder)


def _source(root: Path) -> str:
    """Where the study's customers are from; read as it stands, as the analysis takes long to import."""
    try:
        report = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
        return _said(report["data"]["sources"][0]["name"], report["study"]["synthetic"])
    except FileNotFoundError:
        raise InputError("build/report.json is not there yet.", hint="Run: python -m analysis build") from None
    except (ValueError, LookupError, TypeError):
        raise InputError(
            "build/report.json cannot be read as a report.", hint="Run: python -m analysis build --force"
        ) from None


def _said(data: str, synthetic: bool) -> str:
    return f"{data} (synthetic demonstration data)" if synthetic else data


def _shown(path: Path) -> str:
    return os.path.relpath(path)


@contextlib.contextmanager
def _stage(name: str, told: list[str] | None = None) -> Iterator[Callable[[str], None]]:
    """Time a stage and its parts: with a spinner on a terminal, else as lines for ``told``."""
    parts: list[tuple[str, float]] = []
    started = time.perf_counter()
    with _err.status(name) if _err.is_terminal else contextlib.nullcontext() as status:

        def tell(text: str) -> None:
            parts.append((text, time.perf_counter()))
            if status:
                status.update(f"{name}: {text}")

        yield tell
    ended = time.perf_counter()
    lines = [f"  {name:<38} {ended - started:5.1f} s"]
    for (text, begun), until in zip(parts, [*(begun for _, begun in parts[1:]), ended], strict=False):
        lines.append(f"    {text:<36} {until - begun:5.1f} s")
    if _err.is_terminal:
        _err.print("\n".join(lines), markup=False)
    elif told is not None:
        told += lines


def run() -> None:
    """Run `main` as a process of its own, which ends at once when it is stopped."""
    try:
        main()
    except SystemExit as ended:
        if ended.code == STOPPED:
            # What else is under way has no result that anybody waits for.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STOPPED)
        raise
