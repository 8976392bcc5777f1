"""The permutation by binomials against the plain one: every customer's two nights swapped, one customer at a time."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from scoring.monitor import independent_shift, move_table, paired_shift, psi


def index_of(before: list[int], now: list[int], n_bins: int) -> float:
    return float(psi(np.bincount(before, minlength=n_bins), np.bincount(now, minlength=n_bins)))


def swapped_p(before: list[int], now: list[int], n_bins: int) -> float:
    """Mid-p over all 2^n ways of swapping."""
    found = index_of(before, now, n_bins)
    larger = equal = total = 0
    for swaps in product([False, True], repeat=len(before)):
        one = [b if swap else a for a, b, swap in zip(before, now, swaps, strict=True)]
        two = [a if swap else b for a, b, swap in zip(before, now, swaps, strict=True)]
        again = index_of(one, two, n_bins)
        total += 1
        if abs(again - found) < 1e-9:
            equal += 1
        elif again > found:
            larger += 1
    return (larger + equal / 2) / total


@pytest.mark.parametrize("seed", range(6))
def test_binomials_by_pair_of_bins_are_all_ways_of_swapping(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 3, 11)
    now = np.where(rng.random(11) < 0.6, rng.integers(0, 2, 11), before)
    exact = swapped_p(before.tolist(), now.tolist(), 3)
    table = move_table(before.astype(np.uint8), now.astype(np.uint8), 3)
    fast = paired_shift(table, rng, draws=20_000).p_value
    # above 0.1 the first 199 draws are kept: their standard error is at most .035
    assert fast == pytest.approx(exact, abs=0.012 if exact < 0.08 else 0.11)


def test_the_null_has_the_same_quantiles_as_swapping_customers_at_random() -> None:
    rng = np.random.default_rng(3)
    before = rng.integers(0, 6, 400)
    now = np.where(rng.random(400) < 0.3, rng.integers(0, 6, 400), before)
    drawn = []
    for _ in range(4000):
        swap = rng.random(400) < 0.5
        one, two = np.where(swap, now, before), np.where(swap, before, now)
        drawn.append(float(psi(np.bincount(one, minlength=6), np.bincount(two, minlength=6))))
    moved = now.copy()
    moved[:60] = 5  # far beyond chance, so that the many draws are made
    table = move_table(before.astype(np.uint8), now.astype(np.uint8), 6)
    by_chance = [paired_shift(table, np.random.default_rng(each)).by_chance for each in range(8)]
    assert np.mean(by_chance) == pytest.approx(np.quantile(drawn, 0.95), rel=0.08)
    assert paired_shift(move_table(before.astype(np.uint8), moved.astype(np.uint8), 6), rng).p_value < 0.001


def test_dealing_counts_out_again_is_dealing_customers_out_again() -> None:
    rng = np.random.default_rng(5)
    one, two = np.array([20, 3, 1]), np.array([14, 9, 6])
    people = np.repeat([0, 1, 2], one + two)
    found = float(psi(one, two))
    drawn = []
    for _ in range(20_000):
        dealt = rng.permutation(people)
        first, second = dealt[: one.sum()], dealt[one.sum() :]
        drawn.append(float(psi(np.bincount(first, minlength=3), np.bincount(second, minlength=3))))
    larger, equal = np.array(drawn) > found + 1e-9, np.abs(np.array(drawn) - found) < 1e-9
    slow = float(np.mean(larger) + np.mean(equal) / 2)
    assert independent_shift(one, two, rng, draws=20_000).p_value == pytest.approx(slow, abs=0.006)
