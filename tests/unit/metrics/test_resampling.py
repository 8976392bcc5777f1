"""Resamples of whole customers for any figure, and intervals of shares that are honest at nought."""

from collections.abc import Callable

import numpy as np
import pytest

from churnrisk import metrics
from churnrisk.metrics import percentile_ends, resampled, share_ends, wilson


def rate(left: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda weight: np.array([weight @ left / weight.sum()])


def test_a_slow_twin_that_copies_the_rows_drawn_finds_the_same_figures() -> None:
    left, customer = np.array([1.0, 0, 0, 1, 0, 0]), np.array(["a", "a", "b", "b", "c", "d"])
    value, drawn = resampled(rate(left), np.ones(6), customer=customer, n_resamples=30, seed=3)
    rng = np.random.default_rng(3)
    slow = []
    for _ in range(30):
        chosen = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, 4)]
        slow.append(np.concatenate([left[customer == each] for each in chosen]).mean())
    assert value.tolist() == [2 / 6]
    assert drawn[:, 0].tolist() == pytest.approx(slow)


def test_a_share_of_nought_has_the_width_that_its_customers_allow() -> None:
    value, drawn = resampled(rate(np.zeros(40)), np.ones(40), n_resamples=50)
    low, high = share_ends(value, drawn, np.array([40.0]))
    assert (low[0], high[0]) == pytest.approx(tuple(float(end) for end in wilson(0.0, 40)))
    assert percentile_ends(value, drawn)[1][0] == 0.0


def test_rows_of_the_same_customers_are_worth_no_more_than_the_customers() -> None:
    rng = np.random.default_rng(1)
    once = (rng.random(200) < 0.2).astype(float)
    customer = np.repeat(np.arange(200), 6)
    value, drawn = resampled(rate(np.repeat(once, 6)), np.ones(1200), customer=customer, n_resamples=400)
    low, high = share_ends(value, drawn, np.array([200.0]))
    plain = wilson(once.mean(), 200)
    assert high[0] - low[0] == pytest.approx(float(plain[1] - plain[0]), rel=0.12)


def test_the_interval_of_a_share_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for draw in range(200):
        left = (rng.random(60) < 0.1).astype(float)
        value, drawn = resampled(rate(left), np.ones(60), n_resamples=100, seed=draw)
        low, high = share_ends(value, drawn, np.array([60.0]))
        covered += bool(low[0] <= 0.1 <= high[0])
    assert 0.90 <= covered / 200 <= 0.995


def test_observed_over_expected_of_copied_rows_is_as_uncertain_as_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    risk = rng.beta(2, 8, 300)
    left = (rng.random(300) < risk).astype(float)
    customer = np.repeat(np.arange(300), 4)
    once = metrics.observed_over_expected(left, risk)
    copied = metrics.observed_over_expected(np.repeat(left, 4), np.repeat(risk, 4), customer=customer)
    naive = metrics.observed_over_expected(np.repeat(left, 4), np.repeat(risk, 4))
    assert (copied.value, copied.low, copied.high) == pytest.approx((once.value, once.low, once.high))
    assert naive.high - naive.low < 0.6 * (once.high - once.low)


def test_the_calibration_line_of_copied_rows_is_as_uncertain_as_of_the_rows() -> None:
    rng = np.random.default_rng(4)
    risk = rng.beta(2, 8, 500)
    left = (rng.random(500) < risk).astype(float)
    once = metrics.calibration_line(left, risk, customer=np.arange(500))
    copied = metrics.calibration_line(
        np.repeat(left, 4), np.repeat(risk, 4), customer=np.repeat(np.arange(500), 4)
    )
    assert once == metrics.calibration_line(left, risk)
    assert copied.slope.value == pytest.approx(once.slope.value)
    assert copied.slope.high - copied.slope.low == pytest.approx(once.slope.high - once.slope.low, rel=0.15)
    assert copied.p_value == pytest.approx(once.p_value, abs=0.15)
