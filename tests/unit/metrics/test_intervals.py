"""Bootstrap intervals: seeded, by customer, honest about what is undefined."""

import math

import numpy as np
import pytest

from churnrisk import metrics


def world(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 8, n)
    return (rng.random(n) < risk).astype(float), risk


def test_the_same_seed_gives_the_same_interval_and_each_holds_its_figure() -> None:
    first, again = (metrics.bootstrap_intervals(*world(1), n_resamples=50, seed=7) for _ in range(2))
    assert first == again
    assert all(one.low <= one.value <= one.high for one in first.values())


def test_the_figures_are_those_of_the_single_functions() -> None:
    left, risk = world(2)
    found = metrics.figures(left, risk, np.ones(len(left)))
    assert found["auc"] == metrics.auc(left, risk)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(left, risk))
    assert found["brier"] == pytest.approx(metrics.brier(left, risk))
    assert found["empc"] == metrics.empc(left, risk).profit
    assert found["top_decile_lift"] == metrics.lift(left, risk)
    assert found["log_loss_margin"] == pytest.approx(
        metrics.log_loss(left, np.full_like(risk, left.mean())) - metrics.log_loss(left, risk)
    )


def test_rows_of_one_customer_are_drawn_together_so_copies_add_no_certainty() -> None:
    left, risk = world(3)
    once = metrics.bootstrap_intervals(left, risk, n_resamples=300)["auc"]
    copied = np.repeat(np.arange(len(left)), 9)
    many = metrics.bootstrap_intervals(left[copied], risk[copied], customer=copied, n_resamples=300)["auc"]
    naive = metrics.bootstrap_intervals(left[copied], risk[copied], n_resamples=300)["auc"]
    assert many.high - many.low == pytest.approx(once.high - once.low, rel=0.2)
    assert naive.high - naive.low < 0.5 * (once.high - once.low)


def test_an_interval_is_not_given_where_resamples_often_leave_it_undefined() -> None:
    left, risk = np.array([1.0] + [0.0] * 20), np.linspace(0.9, 0.1, 21)
    found = metrics.bootstrap_intervals(left, risk, n_resamples=100)["auc"]
    assert found.value == 1.0
    assert math.isnan(found.low)
