"""Thresholds and numbers of resamples that pages show."""

from __future__ import annotations

from analysis.base.formats import in_words
from analysis.base.run import USERS
from analysis.base.weights import FEWEST_EFFECTIVE
from analysis.clustering.algorithms import ALGORITHMS
from analysis.clustering.algorithms.density import LEAST_DENSE, REACH
from analysis.clustering.algorithms.fits import PUBLISHED, SAMPLE_ROWS
from analysis.clustering.algorithms.kprototypes import LEAST_STARTS
from analysis.clustering.algorithms.latent_class import CLASS_STARTS, PROMISING, SHORT_ROUNDS
from analysis.clustering.algorithms.lloyd import PARENTS, SEARCHED_ROWS, STARTS
from analysis.clustering.algorithms.mixture import MOST_FINISHED, RIDGE, SHORT_RUNS
from analysis.clustering.choices import AGREES
from analysis.clustering.holdout import CHANCE, CONTACTED, LEAVES, SCORES
from analysis.clustering.ladder import DIP_OF_ONE_PEAK, REPRODUCED
from analysis.clustering.preferences import PREDICTS
from analysis.clustering.references.categories import MOST_LEVELS, READABLE, TELLS_ALL
from analysis.clustering.references.clouds import LUMP
from analysis.clustering.selection import (
    AS_SEPARATE,
    BAND,
    CLOSE,
    DISSOLVED,
    HENNIG,
    LUMPED_GAP,
    MOST_NOISE,
    NATURAL_GAP,
    NATURAL_STABLE,
    REPRODUCIBLE_STABLE,
    STABLE,
    VALID,
)
from analysis.clustering.shapes import DESCRIBED, PART, WIDE
from analysis.clustering.shapes import PARTS as SAMPLES
from analysis.clustering.use.tiers import TIER_WORDS
from analysis.customers.lifetime_value import MOST_FITTED, SHORTEST_TEST, WORST_RATIO
from analysis.features.build import FEWEST_UNKNOWN
from analysis.features.prepare import MISMATCH, MOST_NEIGHBOURS, MOST_PREDICTORS, NEIGHBOURS, OUTLIER_Z, ROUNDS
from analysis.features.relations import MOST_RELATED
from analysis.features.select import DIP, MOST_RANKED, NEAR_COPY, PARTS, RELATED
from analysis.past.identity import WAY
from analysis.segments.card import EVEN, HINTS, REVEALS
from analysis.segments.changes import ANOTHER, MOVED, TELLS
from analysis.segments.plans.experiments import ALPHA, COARSE, POWER
from analysis.settings.models import Study

SILHOUETTE_ROWS, JUDGED_ROWS = USERS.silhouette_rows, USERS.judged_rows
NULL_ROWS, REFERENCE_ROWS = USERS.null_rows, USERS.reference_rows

THRESHOLDS = {
    "effective": int(FEWEST_EFFECTIVE),
    "stable": STABLE,
    "valid": VALID,
    "band": BAND,
    "natural_stable": NATURAL_STABLE,
    "natural_gap": NATURAL_GAP,
    "as_separate": AS_SEPARATE,
    "reproducible": REPRODUCIBLE_STABLE,
    "pairs": USERS.pairs,
    "pairs_decided": USERS.pairs_decided,
    "close": CLOSE,
    "most_noise": MOST_NOISE,
    "predicts": PREDICTS,
    "gap_draws": USERS.gap_draws,
    "halvings": USERS.strength_halvings,
    "worst_ratio": WORST_RATIO,
    "shortest_test": SHORTEST_TEST,
    "fitted": MOST_FITTED,
    "leaves": LEAVES,
    "starts": USERS.starts,
    "starts_least": LEAST_STARTS,
    "search_starts": STARTS,
    "search_parents": in_words(PARENTS),
    "search_rows": SEARCHED_ROWS,
    "whole_rows": USERS.whole_rows,
    "in_memory": Study.model_fields["in_memory"].default,
    "evidence_rows": USERS.evidence_rows,
    "short_runs": SHORT_RUNS,
    "finished": MOST_FINISHED,
    "class_starts": CLASS_STARTS,
    "class_rounds": SHORT_ROUNDS,
    "class_promising": in_words(PROMISING),
    "starts_null": USERS.starts_null,
    "ridge": RIDGE,
    "alpha": ALPHA,
    "power": POWER,
    "coarse": COARSE,
    "mismatch": MISMATCH,
    "least_dense": LEAST_DENSE,
    "reach": REACH,
    "sampled": SAMPLE_ROWS,
    "agrees": AGREES,
    "reproduced": REPRODUCED,
    "most_levels": MOST_LEVELS,
    "tells_all": TELLS_ALL,
    "readable": READABLE,
    "lump": LUMP,
    "lumped_gap": LUMPED_GAP,
    "one_peak": DIP_OF_ONE_PEAK,
    "described": DESCRIBED,
    "wide": WIDE,
    "samples": SAMPLES,
    "sample_part": PART,
    "null_draws": USERS.null_draws,
    "null_pairs": USERS.null_pairs,
    "outlier": OUTLIER_Z,
    "parts": PARTS,
    "neighbours": NEIGHBOURS,
    "most_neighbours": MOST_NEIGHBOURS,
    "most_predictors": MOST_PREDICTORS,
    "rounds": ROUNDS,
    "near_copy": NEAR_COPY,
    "most_related": MOST_RELATED,
    "unknown": FEWEST_UNKNOWN,
    "ranked": MOST_RANKED,
    "related": RELATED,
    "dip": DIP,
    "reveals": REVEALS,
    "hints": HINTS,
    "even": EVEN,
    "way": WAY,
    "tells": TELLS,
}

__all__ = [
    "AGREES",
    "ALGORITHMS",
    "ANOTHER",
    "BAND",
    "CHANCE",
    "CONTACTED",
    "DISSOLVED",
    "HENNIG",
    "JUDGED_ROWS",
    "MOVED",
    "NATURAL_GAP",
    "NULL_ROWS",
    "OUTLIER_Z",
    "PREDICTS",
    "PUBLISHED",
    "REFERENCE_ROWS",
    "SAMPLE_ROWS",
    "SCORES",
    "SILHOUETTE_ROWS",
    "STABLE",
    "THRESHOLDS",
    "TIER_WORDS",
    "VALID",
]
