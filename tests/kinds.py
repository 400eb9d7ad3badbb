"""Small studies of several kinds with fixed segments: shops, visitors, a survey, a bank, accounts and subscribers."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

from analysis.base.disclosure import Disclosure
from analysis.base.run import TESTS, Run, open_silently
from analysis.clustering.algorithms import Labels
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import FeatureTable
from analysis.features.preparation import prepare_customers
from analysis.profiles.mixes import find_mixes
from analysis.profiles.profile import Profiles, profile_segments
from analysis.profiles.themes import read_traits
from analysis.profiles.timing import BusyTime, find_busy_times
from analysis.segments.plans.plan import Described, Slot, make_plans
from analysis.segments.plans.playbook import Play, read_playbook
from analysis.settings.load import load_study
from analysis.settings.models import Study
from analysis.sources.inputs import read_inputs
from analysis.sources.synthetic.retailer import write_retailer
from tests.built_sites import make_once
from tests.conftest import MADE_UP, ROOT
from tests.refits import same_segments

SOUND = SegmentEvidence(0.9, "highly stable", 0.3, 0.5)
KINDS: dict[str, tuple[str, str, int]] = {
    "shop": ("", "marketing_campaign.csv", 4),
    "omnichannel": ("omnichannel", "", 5),
    "survey": ("survey", "mcdonalds.csv", 3),
    "web": ("web", "online_shoppers_intention.csv", 2),
    "bank": ("", "bank.csv", 3),
    "business": ("", "accounts.csv", 3),
    "subscription": ("", "subscribers.csv", 3),
}
"""Settings profile, file and number of segments of each kind of study."""
OWN_SETTINGS = ("shop", "omnichannel", "survey", "web")


@dataclass(frozen=True, slots=True)
class Kind:
    """A study with fixed segments."""

    study: Study
    table: FeatureTable
    labels: Labels
    profiles: Profiles
    times: tuple[tuple[BusyTime, ...], ...]

    def described(self, verdict: str = "reproducible") -> Described:
        """Describe the segments as the line does, with this verdict."""
        traits = read_traits(self.table.variables, self.study)
        k = len(self.profiles.segments)
        mixes = find_mixes(self.table, self.labels, traits, Disclosure.of(self.study))
        names = tuple(f"segment {chr(ord('A') + i)}" for i in range(k))
        return Described(self.profiles, (SOUND,) * k, traits, mixes, names, verdict, self.times)

    def plans(
        self, plays: list[tuple[int, Play]] | None = None, verdict: str = "reproducible", **changes: object
    ) -> tuple[tuple[Slot, ...], ...]:
        """Make the plans of all segments, by default with the playbook of the project."""
        plays = read_playbook(ROOT / "templates" / "playbook.yml") if plays is None else plays
        study = self.study.model_copy(update=changes)
        return make_plans(plays, self.described(verdict), self.table, self.labels, study)


@functools.cache
def load_kind(name: str, k: int = 0) -> Kind:
    """Prepare a study and cut its customers into k segments by k-means, once for all test processes."""
    return make_once(f"kind-{name}-{k}", lambda folder: _make_kind(folder, name, k))


def _make_kind(folder: Path, name: str, k: int) -> Kind:
    profile, file, segments = KINDS[name]
    study = load_study(ROOT, profile)
    paths: list[Path | str] = [MADE_UP / file]
    if name == "omnichannel":
        write_retailer(folder, 500)
        paths = [folder / Path(source.path).name for source in study.sources]
    inputs, study = read_inputs(ROOT, study, paths, name == "omnichannel", name not in OWN_SETTINGS)
    features = prepare_customers(inputs, study, Run(open_silently, None, TESTS))
    prepared = features.prepared
    found = KMeans(k or segments, n_init=5, random_state=1).fit_predict(prepared.matrix)
    order = np.argsort(-np.bincount(found))
    labels = np.argsort(order)[found] + 1
    profiles = profile_segments(features.table, labels, prepared.matrix, prepared, study, same_segments(labels))
    cleaned = features.customers.cleaned
    times = find_busy_times(inputs.tables, study, cleaned.as_of, cleaned.keys, labels)
    return Kind(study, features.table, labels, profiles, times)


def pairs_of(plans: tuple[tuple[Slot, ...], ...]) -> list[tuple[str, str]]:
    """List action and reason of every filled slot."""
    return [(slot.action, slot.why) for slot in itertools.chain.from_iterable(plans) if slot.action]
