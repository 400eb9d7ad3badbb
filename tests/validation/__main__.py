"""Try the whole line where the truth is known, and write ``tests/validation/results.json``: ``make validate``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import binomtest

from analysis.clustering import selection
from analysis.report.trials import RESULTS, Example, Groupless, Planted, Rate, Validation, Way
from tests.results import list_versions, write_results
from tests.validation.customers import CONDITIONS, REPORTED, TUNED, draw_customers
from tests.validation.published import ROOT, compare_published
from tests.validation.rivals import RIVALS, WAYS, Answer, time_study
from tests.validation.trials import RECOVERABLE, STUDY, Trial, run_trial

PLANTED, GROUPLESS = 20, 100
"""Draws of a condition with groups, and of one without."""
RULE = (
    "STABLE",
    "VALID",
    "MOST_NOISE",
    "BAND",
    "CLOSE",
    "AS_SEPARATE",
    "NATURAL_STABLE",
    "NATURAL_GAP",
    "REPRODUCIBLE_STABLE",
    "LUMPED_GAP",
)
"""Bounds of the decision that the results hold for."""
PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas")
HONEST = ("none", "constructive")
"""Verdicts that say of customers without groups what is true of them."""
COLUMNS = ("planted", "oracle", "k", "agreement", "algorithm", "verdict")
LEVELS = "levels"
"""Stands after the verdict of draws whose segments were named levels of one thing."""
SHAPED = "shaped"
"""Stands after the verdict of draws that were said to hold groups of another shape."""
SHOWN = 120
"""Customers in the picture of groups that no centre describes."""


def main() -> None:
    """Read the options, run all trials side by side, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=ROOT / RESULTS)
    options = parser.parse_args()
    tasks = [
        (name, draw, quick)
        for name, condition in CONDITIONS.items()
        for quick, draws in ((False, PLANTED if condition.ks else GROUPLESS), (True, 1))
        for draw in range(draws)
    ]
    jobs = (delayed(_run)(*task) for task in tasks)
    trials: dict[tuple[str, int, bool], Trial] = {}
    started = time.monotonic()
    for i, (task, trial) in enumerate(Parallel(n_jobs=options.jobs, return_as="generator_unordered")(jobs), start=1):
        trials[task] = trial
        if i % 20 == 0 or i == len(tasks):
            minutes = (time.monotonic() - started) / 60
            print(f"{i} of {len(tasks)} trials, {minutes:.1f} minutes", file=sys.stderr, flush=True)
    full = {n: [trials[t] for t in tasks if t[0] == n and not t[2]] for n in CONDITIONS}
    print("the default study and published numbers", file=sys.stderr)
    found = summarise_trials(full, *time_study(), compare_published())
    content = asdict(found) | {
        "seeds": {"reported": REPORTED, "tuned": TUNED, "study": STUDY.seed},
        "columns": " ".join(
            [
                *COLUMNS,
                *(f"{name}_{what}" for name in RIVALS for what in ("k", "agreement")),
                f"[{LEVELS}]",
                f"[{SHAPED}]",
            ]
        ),
        "draws": {name: list(map(describe, each)) for name, each in full.items()},
        "quick": {name: describe(trials[name, 0, True]) for name in CONDITIONS},
    }
    write_results(options.out, content)
    print(f"{options.out.name}: right in {found.right.held} of {found.right.tries}", file=sys.stderr)


def _run(name: str, draw: int, quick: bool) -> tuple[tuple[str, int, bool], Trial]:
    return (name, draw, quick), run_trial(name, REPORTED, draw, quick)


def describe(trial: Trial) -> str:
    """A draw as one line: what was planted and what each way answered."""
    own = (trial.planted, f"{trial.oracle:.2f}", trial.own.k, f"{trial.own.agreement:.2f}")
    rivals = (cell for answer in trial.rivals.values() for cell in (answer.k, f"{answer.agreement:.2f}"))
    named = (LEVELS,) * trial.ladder + (SHAPED,) * trial.shapes
    return " ".join(map(str, (*own, trial.algorithm, trial.verdict, *rivals, *named)))


def said_so(trial: Trial, levels: bool) -> bool:
    """Whether the answer is true of customers without groups; ``levels`` where naming levels of one thing is, too."""
    return trial.verdict in HONEST or (levels and trial.ladder and trial.verdict != "natural")


def summarise_trials(
    trials: dict[str, list[Trial]], study: dict[str, Answer], data: str, published: tuple[Any, ...]
) -> Validation:
    """Rates and medians, by condition and over all.

    Parameters
    ----------
    trials : dict of str to list of Trial
        By condition.
    study : dict of str to Answer
        What each way said of the default study.
    data : str
        File that the default study was read from.
    published : tuple of Published
    """
    told = {name: [t for t in each if t.oracle >= RECOVERABLE] for name, each in trials.items()}
    with_groups = [t for n, each in told.items() for t in each if CONDITIONS[n].ks and not CONDITIONS[n].beyond]
    alone = [(t, c) for n, c in CONDITIONS.items() if not c.ks for t in trials[n]]
    independent = [(t, c) for t, c in alone if not c.connected]
    return Validation(
        right=_rate(with_groups, lambda t: t.own.k == t.planted),
        of_oracle=_median(t.own.agreement / t.oracle for t in with_groups),
        said_so=_rate(independent, lambda each: said_so(each[0], each[1].levels)),
        recoverable=RECOVERABLE,
        data=data,
        planted=tuple(
            Planted(
                name,
                c.title,
                c.about,
                c.beyond,
                len(trials[name]),
                _rate(told[name], lambda t: t.own.k == t.planted),
                _median(t.own.agreement for t in told[name]),
                _median(t.oracle for t in told[name]),
                _verdicts(told[name]),
                {rival: _rate(told[name], lambda t, r=rival: t.rivals[r].k == t.planted) for rival in RIVALS},
            )
            for name, c in CONDITIONS.items()
            if c.ks
        ),
        groupless=tuple(
            Groupless(
                name,
                c.title,
                c.about,
                c.connected,
                c.levels,
                _rate(trials[name], lambda t, levels=c.levels: said_so(t, levels)),
                _verdicts(trials[name]),
            )
            for name, c in CONDITIONS.items()
            if not c.ks
        ),
        ways=tuple(
            Way(
                name,
                title,
                about,
                _rate(with_groups, lambda t, n=name: _answer(t, n).k == t.planted),
                _median(_answer(t, name).agreement for t in with_groups),
                _rate(alone, lambda e, n=name: said_so(e[0], e[1].levels) if n == "own" else e[0].rivals[n].k < 2),
                _median(_answer(t, name).seconds for t in with_groups),
                study[name].seconds,
                study[name].k,
            )
            for name, (title, about) in WAYS.items()
        ),
        published=published,
        rule={name: getattr(selection, name) for name in RULE},
        versions=list_versions(PACKAGES),
        shaped=_rate([t for n, c in CONDITIONS.items() if c.beyond for t in trials[n]], lambda t: t.shapes),
        misshaped=_rate([t for n, c in CONDITIONS.items() if not c.beyond for t in trials[n]], lambda t: t.shapes),
        example=_show_example(trials),
    )


def _show_example(trials: dict[str, list[Trial]]) -> Example | None:
    """Show the first draw of groups that no centre describes, some of its customers."""
    for name, each in trials.items():
        if not CONDITIONS[name].beyond or not each or not each[0].labels:
            continue
        customers, _ = draw_customers(name, REPORTED, each[0].draw)
        x, y = customers.table.frame.iloc[:, :2].to_numpy(float).T
        at = np.linspace(0, len(x) - 1, SHOWN).astype(int)
        points = tuple(
            (round(float(x[i]), 2), round(float(y[i]), 2), int(customers.truth[i]) + 1, each[0].labels[i]) for i in at
        )
        return Example(CONDITIONS[name].title, each[0].own.agreement, points)
    return None


def _answer(trial: Trial, way: str) -> Answer:
    return trial.own if way == "own" else trial.rivals[way]


def _rate(trials: list[Any], holds: Callable[[Any], bool]) -> Rate:
    held = sum(map(holds, trials))
    if not trials:
        return Rate(0, 0, 0.0, 1.0)
    interval = binomtest(held, len(trials)).proportion_ci(method="wilson")
    return Rate(held, len(trials), float(interval.low), float(interval.high))


def _median(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.median(found)) if found else 0.0


def _verdicts(trials: list[Trial]) -> dict[str, int]:
    counts = Counter(t.verdict for t in trials)
    return {verdict: counts[verdict] for verdict in ("natural", "reproducible", "constructive", "none")}


if __name__ == "__main__":
    main()
