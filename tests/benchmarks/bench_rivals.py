"""Time the whole evidence beside what others use: on the default study, and on customers whose groups are known."""

from __future__ import annotations

import argparse

import numpy as np

from tests.validation.customers import CONDITIONS, REPORTED
from tests.validation.rivals import WAYS, Answer, time_study
from tests.validation.trials import run_trial


def main() -> None:
    """Read the options, run, print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2, help="draws of each condition with groups")
    options = parser.parse_args()
    study, file = time_study()
    names = [name for name, condition in CONDITIONS.items() if condition.ks]
    trials = [run_trial(name, REPORTED, draw) for draw in range(options.draws) for name in names]
    print(f"\n{file}, and {len(trials)} draws of {len(names)} conditions with groups; processor time")
    print(f"  {'':<24} {'study':>9} {'groups':>7} {'a draw':>9} {'right':>9} {'agreement':>10}")
    for name, (title, _) in WAYS.items():
        answers: list[Answer] = [t.own if name == "own" else t.rivals[name] for t in trials]
        right = sum(a.k == t.planted for a, t in zip(answers, trials, strict=True))
        seconds, agreement = np.median([(a.seconds, a.agreement) for a in answers], axis=0)
        print(
            f"  {title:<24} {study[name].seconds:7.2f} s {study[name].k:>7} {seconds:7.2f} s "
            f"{right:>3} of {len(trials):>2} {agreement:10.2f}"
        )


if __name__ == "__main__":
    main()
