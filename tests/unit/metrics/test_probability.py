"""Figures of probability: calibration is judged against what chance gives."""

import math

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from churnrisk import metrics


def calibrated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 20, n)
    return (rng.random(n) < risk).astype(float), risk


def test_the_order_of_rows_changes_no_figure() -> None:
    left, risk = calibrated(500, 1)
    risk = np.round(risk, 2)
    order = np.random.default_rng(2).permutation(500)
    assert metrics.ece(left, risk).value == pytest.approx(metrics.ece(left[order], risk[order]).value)
    assert_frame_equal(
        metrics.reliability_table(left, risk), metrics.reliability_table(left[order], risk[order])
    )


def test_a_perfect_model_lies_within_the_null_of_its_calibration_error() -> None:
    found = [metrics.ece(*calibrated(2000, seed), n_draws=200) for seed in range(20)]
    assert sum(one.is_within_null for one in found) >= 18
    # the null is what the perfect model shows: mean over worlds agrees with the mean of the null
    assert np.mean([one.value for one in found]) == pytest.approx(
        np.mean([one.null_mean for one in found]), rel=0.1
    )


def test_a_constant_that_is_right_passes_any_fixed_limit_and_one_that_is_wrong_fails_the_null() -> None:
    left, risk = calibrated(5000, 3)
    assert metrics.ece(left, np.full(5000, risk.mean())).value < 0.005
    assert not metrics.ece(left, risk / 2).is_within_null


def test_the_slope_finds_risks_that_are_too_extreme() -> None:
    left, risk = calibrated(20_000, 4)
    log_odds = np.log(risk / (1 - risk))
    extreme = 1 / (1 + np.exp(-2 * log_odds))
    right, wrong = metrics.calibration_line(left, risk), metrics.calibration_line(left, extreme)
    assert right.slope.low < 1 < right.slope.high
    assert right.p_value > 0.01
    # doubling the log-odds halves the slope
    assert wrong.slope.value == pytest.approx(right.slope.value / 2, rel=1e-6)
    assert wrong.p_value < 1e-6


def test_intervals_of_slope_and_of_observed_over_expected_cover_as_often_as_they_say() -> None:
    found = [
        (metrics.calibration_line(*world).slope, metrics.observed_over_expected(*world))
        for world in (calibrated(1500, seed) for seed in range(200))
    ]
    for interval in zip(*found, strict=True):
        covered = np.mean([one.low <= 1 <= one.high for one in interval])
        # 95 % nominal; four standard errors of 200 draws
        assert 0.95 - 4 * 0.0154 <= covered <= 1


def test_weights_that_undo_a_resampling_give_the_figures_of_the_whole() -> None:
    left, risk = calibrated(40_000, 5)
    kept = (left > 0) | (np.random.default_rng(6).random(40_000) < 0.2)
    weight = np.where(left > 0, 1.0, 5.0)[kept]
    line = metrics.calibration_line(left[kept], risk[kept], weight)
    assert line.slope.low < 1 < line.slope.high
    found = metrics.observed_over_expected(left[kept], risk[kept], weight)
    assert found.low < 1 < found.high
    assert metrics.log_loss(left[kept], risk[kept], weight) == pytest.approx(
        metrics.log_loss(left, risk), rel=0.05
    )


def test_undefined_calibration_is_nan() -> None:
    assert math.isnan(metrics.calibration_line([0, 1], [0.3, 0.3]).slope.value)
    assert math.isnan(metrics.calibration_line([0, 0], [0.3, 0.4]).p_value)
    # leavers and stayers apart: the slope runs away
    assert math.isnan(metrics.calibration_line([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8]).slope.value)
    assert math.isnan(metrics.observed_over_expected([0, 1], [0.0, 0.0]).value)


def test_no_leaver_observed_still_bounds_the_ratio() -> None:
    found = metrics.observed_over_expected([0] * 100, [0.05] * 100)
    # Poisson: P(0 | mean m) = 2.5 % at m = 3.69; expected 5
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(3.6889 / 5, abs=1e-4)


def test_a_probability_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        metrics.brier([0, 1], [0.2, 1.2])
