"""Allocation to groups: by the customer's own number, on every machine and in every order."""

from __future__ import annotations

import hmac

import numpy as np
import pandas as pd
from scipy.stats import binomtest, kstest

from analysis.experiments.allocation import allocate, draw_uniform, measure_balance

KEYS = [f"C{i:06d}" for i in range(20_000)]


def test_numbers_are_those_of_the_published_function() -> None:
    # RFC 4231, test case 2: the key is "Jefe" and the text "what do ya want for nothing?".
    digest = int("5bdcc146bf60754e", 16)
    assert draw_uniform("Jefe", ["what do ya want for nothing?"])[0] == (digest >> 11) / 2**53
    for name in ("spring", "long " * 20):
        digest = int.from_bytes(hmac.digest(name.encode(), b"C1", "sha256")[:8], "big")
        assert draw_uniform(name, pd.Series(["C1"]))[0] == (digest >> 11) / 2**53


def test_groups_do_not_depend_on_the_order_or_on_other_customers() -> None:
    groups = pd.Series(allocate("spring", KEYS, 0.3), KEYS)
    order = np.random.default_rng(1).permutation(len(KEYS))[:5_000]
    shuffled = [KEYS[i] for i in order]
    assert (allocate("spring", shuffled, 0.3) == groups[shuffled].to_numpy()).all()


def test_a_larger_hold_out_only_adds_customers_to_it() -> None:
    small, large = allocate("spring", KEYS, 0.1) == "control", allocate("spring", KEYS, 0.5) == "control"
    assert (large | ~small).all()


def test_numbers_are_uniform_and_those_of_two_tests_unrelated() -> None:
    one, other = draw_uniform("spring", KEYS), draw_uniform("autumn", KEYS)
    assert kstest(one, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / len(KEYS) ** 0.5
    assert binomtest(int((allocate("spring", KEYS, 0.5) == "control").sum()), len(KEYS), 0.5).pvalue > 0.001


def test_balance_is_the_standardised_difference_largest_first() -> None:
    groups = np.array(["treatment", "control"] * 500)
    rng = np.random.default_rng(2)
    shifted = rng.standard_normal(1000) + (groups == "treatment")
    table = pd.DataFrame({"same": rng.standard_normal(1000), "shifted": shifted, "constant": 1.0, "name": "x"})
    balance = measure_balance(table, groups)
    assert list(balance.index) == ["shifted", "same"]
    assert 0.8 < balance["shifted"] < 1.2 and abs(balance["same"]) < 0.2
