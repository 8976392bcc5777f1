"""Several orders judged together err together no more often than they say."""

import numpy as np
import pytest

from churnrisk import metrics
from churnrisk.metrics import Batch, joint_rates
from churnrisk.metrics.resampling import drawn_counts


def related(rng: np.random.Generator, n: int, k: int, share: float) -> np.ndarray:
    """Return k orders that have ``share`` of their variance in common."""
    return np.asarray(np.sqrt(share) * rng.normal(size=(n, 1)) + np.sqrt(1 - share) * rng.normal(size=(n, k)))


def test_orders_that_are_one_need_the_threshold_of_one_figure_and_unrelated_ones_that_of_all() -> None:
    rng = np.random.default_rng(0)
    scores, order = rng.normal(size=4_000), rng.normal(size=4_000)
    same = joint_rates([Batch(scores, np.column_stack([order] * 4))], n_resamples=400)
    # AUTOC and QINI of one order go together at about .8: between 1.96 and the 2.24 of two unrelated figures
    assert 2.0 < same.threshold < 2.24
    apart = joint_rates([Batch(scores, rng.normal(size=(4_000, 4)))], n_resamples=400)
    # eight unrelated ones: 2.73, and the pairs of one order count for less
    assert same.threshold + 0.25 < apart.threshold < 2.73


def test_the_threshold_is_that_of_the_largest_deviation_in_resamples() -> None:
    rng = np.random.default_rng(1)
    scores, orders = rng.normal(size=600), related(rng, 600, 3, 0.6)
    found = joint_rates([Batch(scores, orders)], n_resamples=1_500, level=0.95)
    drawn = []
    for _ in range(1_500):
        weight = drawn_counts(rng, 600)
        each = [metrics.rate(scores, order, weight) for order in orders.T]
        drawn.append([figures[name] for figures in each for name in ("autoc", "qini")])
    away = np.array(drawn) - found.value.ravel()
    assert found.error.ravel() == pytest.approx(away.std(axis=0), rel=0.08)
    largest = (away / away.std(axis=0)).max(axis=1)
    assert found.threshold == pytest.approx(np.quantile(largest, 0.95), abs=0.15)


def test_where_no_order_tells_anything_one_in_twenty_data_sets_has_a_figure_above() -> None:
    rng = np.random.default_rng(2)
    above = 0
    for seed in range(160):
        batches = [Batch(rng.normal(size=150), related(rng, 150, 3, 0.5)) for _ in range(2)]
        found = joint_rates(batches, n_resamples=100, level=0.95, seed=seed)
        above += any(max(autoc.low, qini.low) > 0 for autoc, qini in found.intervals())
    # 5 % of 160 give or take .035 twice
    assert 0.01 <= above / 160 <= 0.09


def test_batches_count_alike_and_their_errors_are_those_of_independent_ones() -> None:
    rng = np.random.default_rng(3)
    batches = [Batch(rng.normal(size=500), related(rng, 500, 2, 0.3)) for _ in range(4)]
    all_of_them = joint_rates(batches, n_resamples=400)
    single = [joint_rates([each], n_resamples=400) for each in batches]
    assert all_of_them.value == pytest.approx(np.mean([each.value for each in single], axis=0))
    told = np.sqrt(np.mean([each.error**2 for each in single], axis=0) / 4)
    assert all_of_them.error == pytest.approx(told, rel=0.15)


def test_an_order_that_tells_all_customers_alike_is_nought_and_counts_for_nothing() -> None:
    rng = np.random.default_rng(4)
    scores, order = rng.normal(size=800), rng.normal(size=800)
    alone = joint_rates([Batch(scores, order[:, None])], n_resamples=300)
    beside = joint_rates([Batch(scores, np.column_stack((order, np.ones(800))))], n_resamples=300)
    assert beside.threshold == pytest.approx(alone.threshold)
    assert beside.value[1].tolist() == beside.error[1].tolist() == [0.0, 0.0]
    nothing = joint_rates([Batch(scores, np.ones((800, 1)))], n_resamples=100).intervals()[0][0]
    assert (nothing.low, nothing.high) == (0.0, 0.0)


def test_rows_of_one_customer_are_drawn_together_and_weights_count() -> None:
    rng = np.random.default_rng(5)
    scores, order = rng.normal(size=400), rng.normal(size=(400, 1))
    once = joint_rates([Batch(scores, order)], n_resamples=400)
    thrice = Batch(np.repeat(scores, 3), np.repeat(order, 3, axis=0), np.repeat(np.arange(400), 3))
    together = joint_rates([thrice], n_resamples=400)
    assert together.error == pytest.approx(once.error, rel=0.15)
    heavy = joint_rates([Batch(scores, order, weight=np.full(400, 3.0))], n_resamples=400)
    assert heavy.value == pytest.approx(once.value, rel=0.05, abs=0.002)
