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
from analysis.clustering.algorithms.threads import one_thread
from analysis.clustering.resample import adjusted_rand
from analysis.clustering.sampling import judge_customers
from analysis.settings.load import check_study
from tests.validation.rivals import in_turn

FEATURES = 6
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


def compare(kind: str, n: int, seed: int) -> tuple[str, int, int, str, str, float]:
    """Judge all customers and a sample; return both numbers of segments, both verdicts and the adjusted Rand index."""
    matrix, everyone = draw(kind, n, seed), np.ones(n, dtype=bool)
    with one_thread(), mock.patch.object(evidence, "run_parallel", in_turn):
        whole, sample = (
            judge_customers(matrix, everyone, STUDY, effort=replace(TRIALS, whole_rows=rows))
            for rows in (n, TRIALS.evidence_rows)
        )
    agreement = adjusted_rand(whole.labels, sample.labels)
    return kind, whole.decision.k, sample.decision.k, whole.verdict, sample.verdict, agreement


def main() -> None:
    """Read the options, print one line a draw and one a kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    print(f"{TRIALS.evidence_rows} of {options.customers} customers against all of them")
    for kind in ("groups apart", "groups that touch", "one cloud"):
        jobs = (delayed(compare)(kind, options.customers, seed) for seed in range(options.draws))
        found = list(Parallel(n_jobs=options.jobs)(jobs))
        for row in found:
            print("  ", *row[:5], f"{row[5]:.4f}")
        same = sum(row[1] == row[2] for row in found), sum(row[3] == row[4] for row in found)
        agreement = np.median([row[5] for row in found if row[1] == row[2]] or [np.nan])
        print(
            f"{kind}: same number in {same[0]}, same verdict in {same[1]} of {len(found)}; median ARI {agreement:.4f}"
        )


if __name__ == "__main__":
    main()
