"""Time the steps of the evidence on the default study, one after the other in one process; processor time."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from analysis.clustering import evidence
from analysis.clustering.algorithms.threads import one_thread
from analysis.features.prepare import Prepared
from analysis.settings.models import Study
from analysis.sources.synthetic.twin import write_twin
from tests.validation.published import find_dataset, prepare_study
from tests.validation.rivals import in_turn


def main() -> None:
    """Read the options, run, print one line a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2, help="runs, of which the fastest counts for each step")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        file = find_dataset("marketing_campaign.csv") or write_twin(Path(folder))
        study, _, prepared = prepare_study("", file)
    runs = [time_steps(study, prepared) for _ in range(options.runs)]
    fastest = {step: min(run.get(step, 0.0) for run in runs) for step in runs[0]}
    print(f"\nEvidence on {file.name}, fastest of {options.runs}; processor time")
    for step, seconds in fastest.items():
        print(f"  {step:<40} {seconds:7.2f} s")
    print(f"  {'All':<40} {sum(fastest.values()):7.2f} s")


def time_steps(study: Study, prepared: Prepared) -> dict[str, float]:
    """Gather the evidence and give the processor seconds of each step."""
    seconds: dict[str, float] = defaultdict(float)
    step, since = "preparation", time.process_time()

    def tick(name: str) -> None:
        nonlocal step, since
        now = time.process_time()
        seconds[step] += now - since
        step, since = name, now

    with one_thread(), mock.patch.object(evidence, "run_parallel", in_turn):
        evidence.gather_evidence(prepared.matrix, prepared.core, study, tick)
    tick("end")
    return dict(seconds)


if __name__ == "__main__":
    main()
