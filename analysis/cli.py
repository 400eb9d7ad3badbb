"""The commands of the tool. Invalid input ends with a message on standard error and an exit code, not a traceback."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from analysis.base.errors import EXIT_CODES, STOPPED, GateError, InputError, explain_disk
from analysis.base.memory import collect_rarely
from analysis.base.run import choose_effort
from analysis.base.version import NAME, tool_version
from analysis.commands.experiments import add_commands
from analysis.commands.progress import open_stage
from analysis.publish import last_site

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Turn customer data into a website of customer segments.\n\n"
    "The study is defined in _quarto.yml: its data, features and segments. `build` analyses the data, "
    "`render` makes the website and `check` verifies that it can be published.\n\n"
    "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in EXIT_CODES.items()),
    epilog="Example: python -m analysis build && python -m analysis render",
)

Data = Annotated[str | None, typer.Option(help="File or address to read instead of the first source.")]
Force = Annotated[bool, typer.Option("--force", help="Repeat the analysis even if nothing has changed.")]
Demo = Annotated[
    bool, typer.Option("--demo", help="Use synthetic data instead; every page is marked as a demonstration.")
]
Engine = Annotated[
    str | None,
    typer.Option(help="What aggregates rows to customers: duckdb or spark; by default that of the settings."),
]
Site = Annotated[Path, typer.Option(help="Folder of the website, or the .zip file that contains it.")]


def main() -> None:
    """Run a command and turn known errors into messages and exit codes."""
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
            print("Interrupted. The last site is unchanged.", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:
        line = explain_disk(error)
        _end_workers()
        print(f"{line} The last site is unchanged.", file=sys.stderr)
        sys.exit(InputError.exit_code)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {tool_version()}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_say_version)] = False,
) -> None:
    """Restore the last good site if an earlier command was interrupted."""
    if message := last_site.recover(Path.cwd()):
        print(message, file=sys.stderr)


@app.command(epilog="Example: python -m analysis build --data data/orders.csv")
def build(
    data: Data = None,
    force: Force = False,
    demo: Demo = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder or .zip file that the site will be rendered to; checked before the build."),
    ] = None,
    engine: Engine = None,
) -> None:
    """Analyse the data and write the report and the pages.

    The results go to build/, the pages to site/. If data, settings and code are
    unchanged, nothing is computed or written.
    """
    from analysis.publish.quarto import is_own_render, is_partial_run, is_preview
    from analysis.publish.render import build_lock, check_folders

    root = Path.cwd()
    if out is not None:
        check_folders(root.resolve(), (root / out).resolve())
    if is_own_render():
        return
    from analysis.commands.build import build as run
    from analysis.commands.build import find_last

    data = data or os.environ.get("SEGMENTATION_DATA") or None
    demo = demo or bool(os.environ.get("SEGMENTATION_DEMO"))
    effort = choose_effort(os.environ)
    if is_partial_run(root):
        current = find_last(root, data, demo, effort, engine) is not None
        if current or not is_preview():
            print(_PARTIAL[current, is_preview()], end="")
            return
    started = time.perf_counter()
    messages: list[str] = []
    with build_lock(root):
        built = run(root, data, lambda name: open_stage(name, messages), force, demo, app, effort, engine)
    if built.fresh:
        from analysis.base.workers import stop

        stop()
        read = last_site.describe_data(built.data, built.synthetic)
        messages.append(f"Built from {read} in {time.perf_counter() - started:.1f} s.")
        print("\n".join(messages))
        for line in built.told:
            print(line, file=sys.stderr)
    else:
        print(f"Nothing changed since the last build from {last_site.describe_data(built.data, built.synthetic)}.")


@app.command(epilog="Example: python -m analysis render --out site.zip")
def render(
    out: Annotated[Path, typer.Option(help="Folder of the website, or a .zip file for the whole site.")] = Path(
        "_site"
    ),
    engine: Annotated[
        str | None, typer.Option(help="quarto or smalldocs; by default Quarto if it is installed.")
    ] = None,
    site_url: Annotated[str, typer.Option(help="Address where the site will be published.")] = "",
) -> None:
    """Render the pages as a website.

    The new website replaces the last one only after it passes the publication
    check.
    """
    from analysis.publish.approval import approve
    from analysis.publish.render import render as run

    if engine not in {None, "quarto", "smalldocs"}:
        raise InputError(f"--engine {engine}: unknown engine.", "Valid: quarto, smalldocs.")
    root = Path.cwd()
    source = last_site.name_source(root)
    started = time.perf_counter()
    with open_stage("Render and check"):
        done = run(
            root,
            root / out,
            engine,  # type: ignore[arg-type]
            before_swap=lambda fresh: approve(fresh, root, "The last good site is unchanged."),
            site_url=site_url,
        )
    name = {"quarto": "Quarto", "smalldocs": "the embedded renderer, smalldocs"}[done.engine]
    print(
        f"Rendered {done.n_pages} pages with {name} {done.version} in {time.perf_counter() - started:.1f} s, "
        f"from {source}."
    )
    if done.engine == "smalldocs" and engine is None:
        print("Quarto is not installed. To publish with it, run: make quarto")
    if done.site.is_file():
        print(f"{_shown(done.site)} contains the whole site. Unpack it and open index.html in a browser.")
    else:
        also = ", or run: make serve" if done.site == (root / "_site").resolve() else ""
        print(f"Open {_shown(done.site / 'index.html')} in a browser{also}")


@app.command(epilog="Example: python -m analysis check --site _site")
def check(site: Site = Path("_site")) -> None:
    """Check that a rendered website can be published.

    The check refuses personal data, groups too small to publish, broken links,
    oversized pages and requests to other hosts.
    """
    from analysis.publish.quarto import is_own_render

    if is_own_render():
        return
    from analysis.publish.approval import approve, approve_folder, unpacked

    root = Path.cwd()
    folder = root / os.environ.get("QUARTO_PROJECT_OUTPUT_DIR", str(site))
    if folder.is_file() and folder.suffix == ".zip":
        with unpacked(folder) as inside:
            approve(inside, root)
    elif not folder.is_dir():
        raise InputError(f"{_shown(folder)} does not exist.", hint="Run: make site")
    elif not approve_folder(root, folder):
        return
    print(f"{_shown(folder)} may be published.")


@app.command(epilog="Example: python -m analysis score new_customers.csv --out scores.parquet")
def score(
    new: Annotated[list[str], typer.Argument(help="Table of new customers, one for each source of the study.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write.")] = Path("build/scores.csv"),
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Reference date; by default the date in the settings, or the latest in the data."
        ),
    ] = None,
    engine: Engine = None,
) -> None:
    """Assign new customers to the published segments.

    Give one file for each source of the study, in the order of the settings.
    The result contains customer keys, so keep it private.
    """
    from analysis.commands.placing import place_files

    day = as_of.date() if as_of else None
    scored, notes = place_files(Path.cwd(), new, out, day, engine or "duckdb", open_stage)
    people = "customer" if scored.n == 1 else "customers"
    print(f"{scored.n:,} {people} scored into {out}: {', '.join(scored.columns)}.")
    for line in [*notes, *filter(None, [scored.drift.report()])]:
        print(line, file=sys.stderr)


@app.command(epilog="Example: python -m analysis plan --explain B")
def plan(
    explain: Annotated[
        str | None, typer.Option(help="Segment whose rules to show, by letter, name or the last part of its address.")
    ] = None,
) -> None:
    """Print the plan of each segment.

    A plan has five parts: campaign, recommendation, service, product and
    retention. With --explain, the rule and the numbers behind each part follow.
    """
    from analysis.report.model import read_report
    from analysis.report.plan_text import describe_plans, explain_plan, find_segment

    report = read_report(Path.cwd() / "build" / "report.json")
    lines = explain_plan(report, find_segment(report, explain)) if explain else describe_plans(report)
    print("\n".join(lines).rstrip())


@app.command(epilog="Example: python -m analysis init customers.csv --move")
def init(
    table: Annotated[str, typer.Argument(help="File to draft settings for.")],
    out: Annotated[Path | None, typer.Option(help="Profile to write; by default _quarto-<file name>.yml.")] = None,
    move: Annotated[bool, typer.Option("--move", help="First move the file to data/, which git ignores.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print how the file is read, and write nothing.")] = False,
) -> None:
    """Draft the settings for a new table.

    How each column is read is shown as a table. The draft is written to a profile,
    _quarto-<name>.yml; review it before you build the site. Where the file leaves a
    choice, you are asked; without a terminal nothing is written and the exit code is 2.
    """
    if as_json:
        from analysis.sources.unknown.readings import print_reading

        raise typer.Exit(print_reading(table, Path.cwd()))
    from analysis.publish.guard import move_to_data, would_be_committed
    from analysis.segments.personas import slugify
    from analysis.sources.draft import as_yaml
    from analysis.sources.unknown.readings import read_unknown
    from analysis.sources.unknown.terminal import apply_answers, ask, choose_reading, print_columns

    root = Path.cwd()
    unknown = read_unknown(table, root, "init")
    raw = unknown.raw
    target = root / (out or f"_quarto-{slugify(raw.name)}.yml")
    if target.exists():
        raise InputError(
            f"{_shown(target)} already exists.", hint="Choose another name with --out, or delete it first."
        )
    print_columns(unknown, Console())
    answers: list[dict[str, Any]] = []
    if sys.stdin.isatty():
        unknown, answers = ask(unknown, choose_reading)
    unknown.check()
    exposed = would_be_committed(table, root)
    if exposed and (
        move or (sys.stdin.isatty() and typer.confirm(f"Move {table} to data/, which git ignores?", default=True))
    ):
        table, exposed = move_to_data(table, root), False
    target.write_text(as_yaml(apply_answers(unknown.draft(table), answers)), encoding="utf-8")
    print(
        f"Draft written to {_shown(target)}. Review it, then run: "
        f"QUARTO_PROFILE={target.stem.removeprefix('_quarto-')} make site"
    )
    if exposed:
        again = f"rm {_shown(target)} && python -m analysis init {table} --move{f' --out {out}' if out else ''}"
        print(f"Git would commit {table}. To move it to data/, run: {again}", file=sys.stderr)


@app.command(epilog="Example: python -m analysis guard data/customers.csv")
def guard(
    files: Annotated[list[str] | None, typer.Argument(help="Files to check; by default the staged files.")] = None,
) -> None:
    """Refuse to commit customer data.

    The command fails if a file contains data that the study reads, is a result
    of a build, or is named *.local.*. It is meant for pre-commit.
    """
    from analysis.publish.guard import check_staged

    n = check_staged(Path.cwd(), files or None)
    print(f"{n} file{'' if n == 1 else 's'} checked; none contains customer data of this study.")


@app.command(epilog="Example: python -m analysis demo --customers 500")
def demo(
    customers: Annotated[int, typer.Option(help="Number of customers.")] = 2240,
    out: Annotated[Path, typer.Option(help="Folder to write the files to.")] = Path("build/demo"),
) -> None:
    """Write a synthetic copy of the default data set.

    The copy has the same columns and known segments. They are written to
    truth.csv, next to the data.
    """
    from analysis.sources.synthetic.twin import write_twin

    path = write_twin(Path.cwd() / out, customers)
    print(f"{customers:,} synthetic customers written to {_shown(path)}, and their segments to truth.csv next to it.")
    print(f"Try: make site DATA={_shown(path)}")


@app.command(epilog="Example: python -m analysis data")
def data() -> None:
    """Download the public data set of the default study.

    The file comes from Kaggle and is saved in data/.
    """
    from analysis.sources.locate import fetch_default

    print(f"{_shown(fetch_default(Path.cwd()))} is ready. Next, run: make site")


@app.command(epilog="Example: python -m analysis history --from https://example.org/segments/")
def history(
    address: Annotated[str, typer.Option("--from", help="Address of the published site.")],
) -> None:
    """Download the records of earlier runs from a published site.

    With these records, segments keep their names and the Changes page can
    compare runs.
    """
    from analysis.past.archive import fetch_history

    for line in fetch_history(Path.cwd(), address):
        print(line)


@app.command(epilog="Example: python -m analysis preview --port 8000")
def preview(
    data: Data = None,
    port: Annotated[int, typer.Option(help="Port of the local server.")] = 4848,
    engine: Engine = None,
) -> None:
    """Serve the site locally and rebuild it after changes.

    The site is rebuilt when settings, templates or data change.
    """
    from analysis.commands.build import data_files
    from analysis.publish.preview import serve

    root, chosen = Path.cwd(), data or os.environ.get("SEGMENTATION_DATA") or None

    def remake() -> None:
        build(data, engine=engine)
        render()

    serve(root, root / "_site", remake, port, lambda: data_files(root, chosen))


def _end_workers() -> None:
    """Stop the worker processes, so that none continues after an interruption."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if workers := sys.modules.get("analysis.base.workers"):
        workers.kill()


export = add_commands(app)
_CHANGED = "Data, settings or templates have changed since the last build. To rebuild the pages, run: quarto render\n"
_PARTIAL = {
    (True, False): "",
    (True, True): "After a change in the data, save or reload a page to rebuild the study.\n",
    (False, False): _CHANGED,
}
"""Message of a partial render, by whether the pages are up to date and whether it is a preview."""


def _shown(path: Path) -> str:
    """Return a path relative to the current folder."""
    return os.path.relpath(path)


def run() -> None:
    """Run `main` as a separate process that ends at once when it is interrupted."""
    collect_rarely()
    try:
        main()
    except SystemExit as ended:
        if ended.code == STOPPED:
            # Work that is still running has no use any more.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STOPPED)
        raise
