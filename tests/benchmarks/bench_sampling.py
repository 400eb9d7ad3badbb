"""Compare segments that were found in a sample with those of all customers: number, verdict and who is where.

All draws take hours on two cores, so ``make bench`` leaves them out: ``python -m tests.benchmarks.bench_sampling``.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from unittest import mock

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from analysis.base.run import TRIALS
from analysis.clustering import evidence
from analysis.clustering.algorithms import competing, distances, segment_means
from analysis.clustering.algorithms.published import fit_solutions
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.evidence import Evidence
from analysis.clustering.resample import adjusted_rand
from analysis.clustering.sampling import judge_customers
from analysis.settings.load import check_study
from tests.validation.rivals import in_turn

FEATURES = 6
KINDS = ("groups apart", "groups that touch", "one cloud")
STUDY = check_study({"title": "Sample", "sources": [{"path": "sample.csv", "roles": {"feature": ["x1"]}}]})


def draw(kind: str, n: int, seed: int) -> NDArray[np.float64]:
    """Draw customers of three to six groups, apart or touching, or of one cloud; shape (n, FEATURES)."""
    rng = np.random.default_rng((seed, 9))
    cloud = rng.standard_normal((n, FEATURES))
    if kind == "one cloud":
        cloud[:, 1] = 0.7 * cloud[:, 0] + 0.7 * cloud[:, 1]
        return (cloud - cloud.mean(axis=0)) / cloud.std(axis=0)
    k = 3 + seed % 4
    centres = rng.standard_normal((k, FEATURES)) * (3.0 if kind == "groups apart" else 1.5)
    customers: NDArray[np.float64] = cloud + centres[rng.choice(k, n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2))]
    return (customers - customers.mean(axis=0)) / customers.std(axis=0)


def judge(matrix: NDArray[np.float64], most: int) -> Evidence:
    """Judge all customers where they are no more than ``most``, else a sample of them."""
    everyone = np.ones(len(matrix), dtype=bool)
    with one_thread(), mock.patch.object(evidence, "run_parallel", in_turn):
        return judge_customers(matrix, everyone, STUDY, effort=replace(TRIALS, whole_rows=most))


def compare(kind: str, n: int, seed: int) -> tuple[str, int, int, str, str, float]:
    """Judge all customers and a sample; return both numbers of segments, both verdicts and the adjusted Rand index."""
    matrix = draw(kind, n, seed)
    whole, sample = (judge(matrix, most) for most in (n, TRIALS.evidence_rows))
    agreement = adjusted_rand(whole.labels, sample.labels)
    return kind, whole.decision.k, sample.decision.k, whole.verdict, sample.verdict, agreement


def compare_published(kind: str, n: int, seed: int) -> tuple[str, str, int, float, float]:
    """Judge a sample, and fit its algorithm and number of segments to all customers, too.

    Returns algorithm, number, the adjusted Rand index of both solutions, and the largest distance between centres of
    segments of both that are closest, in standard deviations.
    """
    matrix = draw(kind, n, seed)
    sample = judge(matrix, TRIALS.evidence_rows)
    name, k = sample.decision.algorithm, sample.decision.k
    (fit,) = fit_solutions(matrix, competing(matrix, ())[name], (k,), STUDY.seed, STUDY.starts, TRIALS)
    labels = fit.assign(matrix)
    means = [segment_means(matrix, each, k) for each in (labels, sample.labels)]
    apart = np.sqrt(distances(*means).min(axis=1).max())
    return kind, name, k, adjusted_rand(labels, sample.labels), float(apart)


def main() -> None:
    """Read the options, print one line a draw and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--draws", type=int, default=20, help="in all, of each kind in turn")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--published", action="store_true", help="compare the published solutions alone")
    options = parser.parse_args()
    print(f"{TRIALS.evidence_rows} of {options.customers} customers against all of them")
    kinds = KINDS[:2] if options.published else KINDS
    ways = compare_published if options.published else compare
    jobs = (delayed(ways)(kinds[at % len(kinds)], options.customers, at) for at in range(options.draws))
    found = []
    for row in Parallel(n_jobs=options.jobs, return_as="generator")(jobs):
        found.append(row)
        print("  ", *(f"{part:.4f}" if isinstance(part, float) else part for part in row), flush=True)
    if options.published:
        print(f"median ARI {np.median([row[3] for row in found]):.4f}, least {min(row[3] for row in found):.4f}")
        return
    same = sum(row[1] == row[2] for row in found), sum(row[3] == row[4] for row in found)
    agreement = [row[5] for row in found if row[1] == row[2] and row[0] != KINDS[2]]
    print(f"same number in {same[0]}, same verdict in {same[1]} of {len(found)}; median ARI {np.median(agreement):.4f}")


if __name__ == "__main__":
    main()
