"""The evidence: planted groups are found with their number, noise is not called natural, and nothing else decides."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from analysis.base import workers
from analysis.base.errors import InputError
from analysis.base.run import TESTS
from analysis.clustering import evidence, selection
from analysis.clustering.algorithms import distances
from analysis.clustering.evidence import Evidence, gather_evidence
from analysis.clustering.resample import Stability, agreements, jaccard, mean_silhouette, silhouettes, summarise
from analysis.clustering.selection import (
    BAND,
    NATURAL_STABLE,
    STABLE,
    VALID,
    CandidateEvidence,
    Nulls,
    check,
    first_failure,
    stability_band,
    verdict,
)  # fmt: skip
from tests.stages import (
    judge,
    little_work,
    project_study,
    run_stages,
    take_through,
    temporary_folder,
    twin_file,
)  # fmt: skip


def study(**changes: Any) -> Any:
    return project_study().model_copy(update=changes)


def blobs(*sizes: int, p: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw groups far from each other in no feature's direction, and which group each customer is of."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    turn, _ = np.linalg.qr(rng.standard_normal((p, p)))
    return 8 * turn[truth] + rng.standard_normal((len(truth), p)), truth


POINTS, TRUTH = blobs(110, 75, 50)


@pytest.fixture(scope="module")
def found() -> Evidence:
    return judge(POINTS)


@pytest.mark.slow
def test_a_sampled_silhouette_stands_within_its_stated_error_of_the_full_one() -> None:
    points, truth = blobs(9_000, 7_000, 4_000, p=4)
    points = points / 4
    judge = evidence._Judge(points, np.ones(len(points), dtype=bool), study(), lambda text: None)
    labels = (truth + 1).astype(np.int16)
    (sampled,) = silhouettes(judge.clean[judge.sample], [labels[judge.sample]])
    mean, error = mean_silhouette(sampled, sampled=True)
    with threadpool_limits(limits=1):
        (full,) = silhouettes(points, [labels])
    assert len(sampled) == 5_000 and 0 < error < 0.01
    assert abs(mean - full.mean()) <= 3 * error


@pytest.mark.slow
def test_scaling_by_a_unit_and_turning_a_feature_around_change_no_membership(found: Evidence) -> None:
    mirrored = POINTS * np.array([1, -1, 1, 1, -1, 1])
    assert adjusted_rand_score(found.labels, judge(mirrored).labels) == 1


LABELS = st.lists(st.integers(0, 4), min_size=8, max_size=30)


@pytest.mark.slow
@settings(deadline=None)
@given(LABELS, LABELS)
def test_jaccard_is_the_largest_overlap_of_two_sets(first: list[int], second: list[int]) -> None:
    n = min(len(first), len(second))
    a, b = np.array(first[:n], dtype=np.int16), np.array(second[:n], dtype=np.int16)
    k = max(1, int(a.max()))
    sets_a = [{i for i in range(n) if a[i] == j} for j in range(1, k + 1)]
    sets_b = [{i for i in range(n) if b[i] == j} for j in range(1, 5)]
    expected = [max((len(x & y) / len(x | y) for y in sets_b if x | y), default=0.0) for x in sets_a]
    assert jaccard(a, b, k) == pytest.approx(expected)


@settings(deadline=None)
@given(LABELS)
def test_a_solution_overlaps_fully_with_itself_under_other_numbers(labels: list[int]) -> None:
    own = np.array(labels, dtype=np.int16) + 1
    renumbered = np.array([0, 4, 1, 5, 3, 2], dtype=np.int16)[own]
    there = np.bincount(own, minlength=6)[1:] > 0
    assert jaccard(own, renumbered, 5).tolist() == there.astype(float).tolist()


@pytest.mark.slow
@settings(deadline=None)
@given(LABELS, LABELS)
def test_agreement_is_the_adjusted_rand_index_by_counting_pairs(first: list[int], second: list[int]) -> None:
    n = min(len(first), len(second))
    a, b = first[:n], second[:n]
    pairs = [(a[i] == a[j], b[i] == b[j]) for i, j in combinations(range(n), 2)]
    both = sum(x and y for x, y in pairs)
    in_a, in_b = sum(x for x, _ in pairs), sum(y for _, y in pairs)
    chance, most = in_a * in_b / len(pairs), (in_a + in_b) / 2
    expected = 1.0 if most == chance else (both - chance) / (most - chance)
    assert agreements([np.array(a), np.array(b)]) == pytest.approx([expected])


def test_agreements_pair_the_first_draw_with_the_second() -> None:
    a, b = np.array([1, 1, 2, 2]), np.array([1, 2, 1, 2])
    assert agreements([a, a, b, b, a, b]) == pytest.approx([1.0, 1.0, adjusted_rand_score(a, b)])


def test_the_summary_holds_the_quantiles() -> None:
    values = list(np.random.default_rng(1).random(41))
    expected = np.quantile(values, [0.5, 0.25, 0.75, 0.05, 0.95])
    found = summarise(values)
    assert [found.median, found.q1, found.q3, found.p5, found.p95] == pytest.approx(expected.tolist())
    assert found.pairs == 41
    assert summarise([]) == Stability(0.0, 0.0, 0.0, 0.0, 0.0, 0)


def test_the_bands_begin_at_hennigs_bounds() -> None:
    assert [stability_band(x) for x in (0.85, 0.8499, 0.75, 0.7499, 0.6, 0.5999)] == [
        "highly stable", "valid", "valid", "a pattern", "a pattern", "do not trust",
    ]  # fmt: skip


@pytest.mark.slow
def test_planted_groups_are_found_with_their_number_and_called_natural(found: Evidence) -> None:
    assert (found.decision.k, found.verdict) == (3, "natural")
    assert adjusted_rand_score(TRUTH, found.labels) == pytest.approx(1, abs=0.02)
    row = next(r for r in found.chosen().by_k if r.k == 3)
    assert row.stability.median > 0.98
    assert min(row.slsw) > 0.97
    assert [s.band for s in found.segments] == ["highly stable"] * 3
    assert found.nulls.permuted_beaten
    assert (found.prefers.elbow, found.prefers.silhouette) == (3, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("sizes", "k"), [((70, 70), 2), ((60, 60, 50, 40), 4)])
def test_the_number_of_planted_groups_is_found(sizes: tuple[int, ...], k: int) -> None:
    points, truth = blobs(*sizes)
    found = judge(points)
    assert found.decision.k == k
    assert adjusted_rand_score(truth, found.labels) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_uniform_noise_is_never_called_natural(seed: int) -> None:
    found = judge(np.random.default_rng(seed).random((200, 4)))
    assert found.verdict != "natural"


@pytest.mark.slow
def test_one_gaussian_is_never_called_natural() -> None:
    rng = np.random.default_rng(5)
    cloud = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4))
    assert judge(cloud).verdict != "natural"


@pytest.mark.slow
def test_segments_are_numbered_by_size_and_everyone_has_one(found: Evidence) -> None:
    sizes = np.bincount(found.labels)
    assert sizes.tolist() == [0, 110, 75, 50]
    assert found.fit.centres.shape == (3, 6)


@pytest.mark.slow
def test_every_measure_is_that_of_its_definition(found: Evidence) -> None:
    row = next(r for r in found.chosen().by_k if r.k == 3)
    centres = np.array([POINTS[found.labels == j].mean(axis=0) for j in (1, 2, 3)])
    assert found.fit.centres == pytest.approx(centres, abs=1e-3)
    assert row.wcss == pytest.approx(
        sum(((POINTS[found.labels == j] - c) ** 2).sum() for j, c in enumerate(centres, 1)), rel=1e-4
    )
    assert row.silhouette == pytest.approx(silhouette_score(POINTS, found.labels))
    assert row.silhouette_se == 0
    assert row.smallest_share == pytest.approx(50 / 235)
    assert row.unassigned_share == 0
    assert row.score == pytest.approx(row.stability.median * min(row.slsw))
    near = np.sqrt(np.sort(distances(POINTS, found.fit.centres), axis=1))
    shadow = 2 * near[:, 0] / (near[:, 0] + near[:, 1])
    for j, segment in enumerate(found.segments, 1):
        assert segment.shadow == pytest.approx(shadow[found.labels == j].mean())
    wcss = [r.wcss for r in found.chosen().by_k]
    assert wcss == sorted(wcss, reverse=True)


def test_more_pairs_are_drawn_at_the_decided_number_and_beside_it(found: Evidence) -> None:
    first, decided = TESTS.pairs, TESTS.pairs_decided
    pairs = {r.k: r.stability.pairs for r in found.chosen().by_k}
    assert pairs == {2: decided, 3: decided, 4: decided, 5: first}
    others = {r.stability.pairs for a in found.algorithms if a.name != found.decision.algorithm for r in a.by_k}
    assert others == {0, first}


def test_a_mixture_that_is_too_small_or_too_fine_is_not_resampled(found: Evidence) -> None:
    mixture = next(a for a in found.algorithms if a.name == "mixture")
    for row in mixture.by_k:
        small = not next(c for c in row.checks if c.name == "size").holds
        assert (row.stability.pairs == 0) == small
        assert row.why_not.startswith("smallest segment") == small


@pytest.mark.slow
def test_only_the_clean_core_is_fitted_and_everyone_is_assigned() -> None:
    far = np.vstack([POINTS, np.full((3, 6), 500.0)])
    core = np.arange(len(far)) < len(POINTS)
    found = judge(far, core=core)
    assert found.decision.k == 3
    assert len(found.labels) == len(far)
    assert (found.labels > 0).all()
    assert np.abs(found.fit.centres).max() < 20


def numbers(found: Evidence) -> dict[str, Any]:
    plain = {"labels": found.labels.tolist(), "core": found.core.tolist(), "fit": found.fit.centres.tolist()}
    plain["refits"] = [part.tolist() for part in (found.refits.labels, found.refits.counts)]
    return {**asdict(found), **plain, "solutions": {key: x.tolist() for key, x in found.solutions.items()}}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_evidence_to_the_last_digit(found: Evidence) -> None:
    assert numbers(judge(POINTS)) == numbers(found)


@pytest.mark.slow
def test_another_seed_gives_the_same_segments(found: Evidence) -> None:
    other = judge(POINTS, study(seed=99))
    assert other.decision.k == 3
    assert adjusted_rand_score(found.labels, other.labels) == 1
    assert numbers(other) != numbers(found)


@pytest.mark.slow
def test_the_number_of_threads_changes_no_digit(found: Evidence) -> None:
    with threadpool_limits(limits=2):
        assert numbers(judge(POINTS)) == numbers(found)


@pytest.mark.slow
def test_work_side_by_side_gives_what_work_in_turn_gives() -> None:
    core = np.ones(len(POINTS), dtype=bool)
    with little_work() as patch:
        in_turn = gather_evidence(POINTS, core, study(), effort=TESTS)
        patch.setattr(workers, "CORES", 2)
        patch.setattr(evidence, "run_parallel", workers.run_parallel)
        assert numbers(gather_evidence(POINTS, core, study(), effort=TESTS)) == numbers(in_turn)


@pytest.mark.slow
def test_the_order_of_the_features_changes_no_membership(found: Evidence) -> None:
    other = judge(np.ascontiguousarray(POINTS[:, ::-1]))
    assert other.decision.k == found.decision.k
    assert adjusted_rand_score(found.labels, other.labels) == 1


def test_the_order_of_the_files_rows_changes_nothing_that_is_published() -> None:
    rows = pd.read_csv(twin_file(500), sep="\t").sample(frac=1, random_state=1)
    root = temporary_folder() / "shuffled"
    root.mkdir(exist_ok=True)
    other, first = take_through(rows, project_study(), root), run_stages()
    pd.testing.assert_frame_equal(
        pd.read_parquet(other.build / "memberships.parquet"), pd.read_parquet(first.build / "memberships.parquet")
    )
    assert other.report.segments == first.report.segments
    assert other.report.decision == first.report.decision
    assert other.report.ledger == first.report.ledger


def test_the_reasons_carry_the_numbers_that_fired(found: Evidence) -> None:
    row = next(r for r in found.chosen().by_k if r.k == 3)
    reasons = found.decision.reasons
    assert not found.decision.fixed
    assert all(re.search(r"\d", reason) or "no " in reason for reason in reasons)
    assert f"{STABLE}" in reasons[0] and f"{VALID}" in reasons[0]
    assert f"silhouette {row.silhouette:.2f}" in reasons[1]
    for other in found.algorithms:
        if other.name != found.decision.algorithm:
            assert any(reason.startswith(f"{other.title}: {other.outcome}") for reason in reasons)


def test_without_natural_groups_the_finest_that_replicates_nearly_as_well_is_chosen() -> None:
    stages = run_stages()
    found = stages.evidence
    eligible = [r for r in found.chosen().by_k if r.eligible and r.k <= stages.study.max_segments]
    if found.chosen().natural or not eligible:
        pytest.fail("the twin is meant to have cuts that replicate and no islands")
    best = max(eligible, key=lambda r: r.score)
    assert found.decision.k == max(r.k for r in eligible if r.score >= best.score - BAND)
    row = next(r for r in eligible if r.k == found.decision.k)
    assert (
        f"({row.score:.2f}) is within {BAND} of the best ({best.score:.2f}, at {best.k})" in found.decision.reasons[1]
    )


@pytest.mark.parametrize(
    ("silhouette", "score", "taken"),
    [(0.48, 0.9, 4), (0.46, 0.9, 3), (0.48, 0.7, 3), (0.52, 0.9, 4), (0.52, 0.5, 4)],
    ids=["as separate", "less separate", "replicates less", "more separate", "more separate and natural"],
)
def test_of_natural_solutions_about_as_separate_the_finest_that_replicates_is_taken(
    silhouette: float, score: float, taken: int
) -> None:
    base = row(0.95, 0.95, 0.5)
    rows = (base, replace(base, k=4, silhouette=silhouette, score=score), replace(base, k=5, silhouette=0.2, score=1.0))
    asked: list[int] = []

    def natural_at(r: CandidateEvidence) -> bool:
        asked.append(r.k)
        return r.k < 5

    found = selection.judge("kmeans", rows, 3, 8, natural_at)
    assert (found.k, found.natural) == (taken, True)
    assert 5 not in asked, "a solution that cannot win takes no null"


@pytest.mark.slow
def test_a_segment_that_is_too_small_disqualifies_its_number() -> None:
    points, _ = blobs(150, 142, 9)
    found = judge(points)
    rows = {r.k: r for r in found.chosen().by_k}
    assert found.decision.k == 2
    assert not rows[3].eligible
    assert rows[3].why_not == "smallest segment has under 10% of customers"
    assert f"One more segment does not hold: {rows[3].why_not}." in found.decision.reasons


@pytest.mark.slow
def test_what_the_analyst_fixed_is_said_with_what_the_evidence_would_have_chosen() -> None:
    found = judge(POINTS, study(segments=5, algorithm="ward"))
    assert (found.decision.algorithm, found.decision.k, found.decision.fixed) == ("ward", 5, True)
    assert found.decision.reasons[0] == (
        "The analyst fixed Ward and 5 segments. The evidence alone would have chosen k-means with 3 segments."
    )
    row = next(r for r in found.chosen().by_k if r.k == 5)
    assert f"median stability {row.stability.median:.2f}" in found.decision.reasons[1]
    assert (row.why_not in found.decision.reasons[1]) and row.why_not
    assert found.labels.max() == 5


@pytest.mark.slow
def test_a_fixed_number_beyond_those_that_are_compared_is_published() -> None:
    found = judge(POINTS, study(segments=7))
    assert found.decision.k == 7
    assert [r.k for r in found.chosen().by_k] == list(range(2, 9))


def test_a_density_method_does_not_win_by_leaving_the_border_out(found: Evidence) -> None:
    dense = next(a for a in found.algorithms if a.name == "dbscan")
    assert dense.k == 3 and dense.by_k[0].unassigned_share > 0
    assert dense.by_k[0].silhouette > next(r for r in found.chosen().by_k if r.k == 3).silhouette
    assert found.decision.algorithm == "kmeans"


@pytest.mark.slow
def test_no_more_segments_than_the_settings_allow_are_chosen() -> None:
    points, _ = blobs(60, 60, 50, 40)
    found = judge(points, study(max_segments=3))
    assert found.decision.k <= 3
    assert not any(re.search(r"replicates with .*4", reason) for reason in found.decision.reasons)


@pytest.mark.slow
def test_a_density_method_without_groups_is_told_to_the_analyst_who_fixed_it() -> None:
    cloud = np.random.default_rng(1).standard_normal((200, 2))
    with pytest.raises(InputError) as caught:
        judge(cloud, study(algorithm="dbscan"))
    assert str(caught.value).startswith("_quarto.yml, segmentation.algorithm: DBSCAN finds")


@pytest.mark.parametrize(("n_different", "segments"), [(1, "auto"), (2, "auto"), (4, 4), (4, 5)])
def test_too_few_different_customers_are_an_error(n_different: int, segments: Any) -> None:
    matrix = np.repeat(np.arange(n_different, dtype=float)[:, None] * [1.0, 2.0], 40, axis=0)
    with pytest.raises(InputError, match=f"Only {n_different} distinct customers are left") as caught:
        judge(matrix, study(segments=segments))
    assert len(str(caught.value).splitlines()) <= 5


@pytest.mark.slow
def test_customers_that_tie_do_not_break_the_comparison() -> None:
    corners = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    found = judge(np.repeat(corners, 40, axis=0), study(min_customers=1, segments=4, algorithm="ward"))
    assert found.decision.k == 4
    assert [r.k for r in found.chosen().by_k] == [2, 3, 4, 5]


def row(stability: float, slsw: float, silhouette: float) -> CandidateEvidence:
    return CandidateEvidence(
        3, 1.0, silhouette, 0.0, 1.0, 1.0, None, None, None, None,
        Stability(stability, 0, 0, 0, 0, 1), (slsw,) * 3, (), 0.3, 0.0, (), True, 0.9, "",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stability", "slsw", "silhouette", "beaten", "takes_k", "expected"),
    [
        (0.95, 0.9, 0.60, True, True, "natural"),
        (0.95, 0.9, 0.40, True, True, "reproducible"),
        (NATURAL_STABLE - 0.01, 0.9, 0.60, True, True, "reproducible"),
        (0.95, VALID - 0.01, 0.40, True, True, "constructive"),
        (0.74, 0.9, 0.40, True, True, "constructive"),
        (0.95, 0.9, 0.60, False, True, "none"),
        (0.95, 0.9, 0.60, False, False, "natural"),
    ],
)
def test_the_verdict_follows_its_thresholds(
    stability: float, slsw: float, silhouette: float, beaten: bool, takes_k: bool, expected: str
) -> None:
    nulls = Nulls((0.3,), beaten, (0.2, 0.3, 0.25))
    assert verdict(row(stability, slsw, silhouette), nulls, takes_k) == expected


@pytest.mark.parametrize(
    ("lumped", "stability", "nameable", "expected"),
    [
        ((), (), True, "natural"),
        ((), (), False, "constructive"),
        ((0.54,), (), True, "natural"),
        ((0.56,), (), True, "reproducible"),
        ((0.56,), (0.94,), True, "reproducible"),
        ((0.56,), (0.5, 0.95), True, "constructive"),
    ],
)
def test_lumps_and_names_lower_the_verdict(
    lumped: tuple[float, ...], stability: tuple[float, ...], nameable: bool, expected: str
) -> None:
    nulls = Nulls((0.3,), True, (0.2,), lumped, stability)
    assert verdict(row(0.95, 0.9, 0.60), nulls, True, nameable) == expected


def test_a_value_that_rounds_to_the_bound_is_told_with_a_digit_more() -> None:
    stability = Stability(0.848, 0, 0, 0, 0, 20)
    assert first_failure(check(0.2, 0.03, 0.0, stability, (0.9,))) == "stability 0.848, under 0.85"
    assert first_failure(check(0.2, 0.03, 0.0, replace(stability, median=0.7), (0.9,))) == "stability 0.70, under 0.85"
    assert first_failure(check(0.2, 0.03, 0.0, replace(stability, median=0.9), (0.9,))) == ""
