"""Whether counts moved: the index, its two nulls, and many tests at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from scoring.monitor import independent_shift, move_table, paired_shift, psi, psi_by_chance, q_values

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=8)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_index_is_that_of_the_textbook_when_no_bin_is_small() -> None:
    """p = 0.6, 0.4 and q = 0.5, 0.5: 0.1 ln 1.2 - 0.1 ln 0.8 = 0.040547."""
    assert float(psi([600_000, 400_000], [500_000, 500_000])) == pytest.approx(0.040547, abs=1e-6)


@given(before=COUNTS, now=COUNTS)
def test_the_index_is_never_negative_and_the_same_both_ways(before: list[int], now: list[int]) -> None:
    size = min(len(before), len(now))
    one, two = np.array(before[:size]) + 1, np.array(now[:size]) + 1
    assert float(psi(one, two)) >= 0
    assert float(psi(one, two)) == pytest.approx(float(psi(two, one)))
    assert float(psi(one, one)) == pytest.approx(0)


def test_an_empty_bin_gives_a_large_index_and_no_infinite_one() -> None:
    assert 1 < float(psi([500, 500], [1000, 0])) < 10


def test_bins_empty_on_both_sides_say_nothing() -> None:
    assert float(psi([50, 0, 70], [60, 0, 10])) == pytest.approx(float(psi([50, 70], [60, 10])))


def test_the_limit_by_chance_is_that_of_chi2() -> None:
    """chi2 with 9 degrees: 16.919; times 1/200 + 1/800."""
    assert psi_by_chance(10, 200, 800) == pytest.approx(16.919 / 160, abs=1e-4)


def test_large_samples_take_the_limit_and_small_ones_the_draws() -> None:
    large = independent_shift([500, 500], [560, 440], rng())
    assert large.p_value == pytest.approx(0.0072, abs=3e-4)
    small = independent_shift([32, 3], [22, 1], rng(), draws=50_000)
    chance = hypergeom(58, 4, 35).pmf(np.arange(5))  # of 4 in the second bin, how many in the first sample
    index = np.array([float(psi([35 - k, k], [19 + k, 4 - k])) for k in range(5)])
    exact = chance[index > index[3] + 1e-9].sum() + chance[np.isclose(index, index[3])].sum() / 2
    assert small.p_value == pytest.approx(exact, abs=0.07)


def test_one_bin_or_an_empty_sample_cannot_move() -> None:
    assert independent_shift([10, 0], [20, 0], rng()).p_value == 1
    assert independent_shift([0, 0], [20, 3], rng()).p_value == 1


def test_nobody_moved_is_no_movement() -> None:
    assert paired_shift(np.diag([5, 6, 7]), rng()).p_value == 1


def test_as_many_there_as_back_is_no_movement_and_all_one_way_is() -> None:
    assert paired_shift([[100, 30], [30, 100]], rng()).p_value > 0.5
    assert paired_shift([[100, 60], [0, 100]], rng()).p_value < 0.001


def test_two_bins_are_the_test_of_mcnemar() -> None:
    """Of 20 who changed 15 went one way: exact two-sided binomial 0.0414, less half of the two ends' mass (mid-p)."""
    assert paired_shift([[500, 15], [5, 500]], rng(), draws=100_000).p_value == pytest.approx(
        0.0266, abs=0.002
    )


def test_those_who_stayed_in_their_bin_play_no_part_in_the_p_value() -> None:
    few = paired_shift([[0, 15], [5, 0]], rng(), draws=50_000).p_value
    many = paired_shift([[9000, 15], [5, 70]], rng(), draws=50_000).p_value
    assert few == pytest.approx(many, abs=0.004)


def test_the_table_of_moves_counts_customers_by_both_nights() -> None:
    before, now = np.array([0, 0, 1, 2], dtype=np.uint8), np.array([0, 1, 1, 0], dtype=np.uint8)
    assert move_table(before, now, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_no_smaller_and_keep_the_order(p_values: list[float]) -> None:
    found = q_values(p_values)
    assert (found >= np.array(p_values) - 1e-12).all()
    assert (found <= 1).all()
    assert (np.diff(found[np.argsort(p_values, kind="stable")]) >= -1e-12).all()


def test_adjusted_p_values_are_those_worked_by_hand() -> None:
    """Benjamini & Hochberg: 4 tests; 0.01 x 4/1, 0.02 x 4/2, 0.03 x 4/3, 0.9, then the smallest from the right."""
    assert q_values([0.02, 0.01, 0.9, 0.03]).tolist() == pytest.approx([0.04, 0.04, 0.9, 0.04])


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("values", [3, 10])
def test_one_night_in_twenty_is_called_moved_when_nothing_moves_and_the_same_people_are_there(
    n: int, values: int
) -> None:
    """Correlation 0.9 between nights; 5 +- 2 % are wanted, and 500 worlds tell to about 2 %."""
    drawn = rng(7)
    limits = np.quantile(drawn.normal(size=100_000), np.arange(1, values) / values)
    alarms = []
    for _ in range(500):
        first = drawn.normal(size=n)
        second = 0.9 * first + np.sqrt(1 - 0.81) * drawn.normal(size=n)
        one, two = (np.digitize(night, limits).astype(np.uint8) for night in (first, second))
        alarms.append(paired_shift(move_table(one, two, values), drawn, draws=499).p_value <= 0.05)
    assert 0.02 <= np.mean(alarms) <= 0.08
