"""Two risks on the same rows: who is better, by how much, and how sure that is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk import metrics
from churnrisk.metrics import paired_differences
from churnrisk.metrics.paired import PAIRED_FIGURES


def world(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 8, n)
    return (rng.random(n) < risk).astype(float), risk, rng.permutation(risk)


def test_each_difference_is_that_of_the_two_figures_and_more_than_nought_favours_the_first() -> None:
    left, one, two = world(1)
    found = paired_differences(left, one, two, n_resamples=50)
    assert tuple(found) == PAIRED_FIGURES
    assert found["auc"].value == pytest.approx(metrics.auc(left, one) - metrics.auc(left, two))
    assert found["top_decile_lift"].value == pytest.approx(metrics.lift(left, one) - metrics.lift(left, two))
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(left, two) - metrics.log_loss(left, one))
    assert found["empc"].value == pytest.approx(
        metrics.empc(left, one).profit - metrics.empc(left, two).profit
    )
    assert all(found[name].low > 0 for name in ("auc", "log_loss"))


def test_a_slow_twin_that_copies_the_rows_drawn_finds_the_same_ends() -> None:
    left, one, two = world(2, n=60)
    customer = np.arange(60) // 3
    found = paired_differences(left, one, two, customer=customer, n_resamples=40, seed=5)["auc"]
    rng = np.random.default_rng(5)
    drawn = []
    for _ in range(40):
        chosen = rng.integers(0, 20, 20)
        rows = np.concatenate([np.flatnonzero(customer == each) for each in chosen])
        drawn.append(metrics.auc(left[rows], one[rows]) - metrics.auc(left[rows], two[rows]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_what_both_find_hard_cancels() -> None:
    left, risk, _ = world(3)
    nudged = np.clip(risk + np.random.default_rng(0).normal(0, 0.005, len(risk)), 0.001, 0.999)
    paired = paired_differences(left, risk, nudged, n_resamples=200)["auc"]
    alone = metrics.bootstrap_intervals(left, risk, n_resamples=200)["auc"]
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_changing_sides_changes_the_sign_and_a_risk_beside_itself_differs_by_nothing(seed: int) -> None:
    left, one, two = world(seed, n=80)
    there, back = (paired_differences(left, *pair, n_resamples=20) for pair in ((one, two), (two, one)))
    for name in PAIRED_FIGURES:
        assert there[name].value == pytest.approx(-back[name].value)
        assert there[name].low == pytest.approx(-back[name].high, nan_ok=True)
    same = paired_differences(left, one, one, n_resamples=20)
    assert {(found.value, found.low, found.high) for found in same.values()} <= {(0.0, 0.0, 0.0)}


def test_a_weight_of_two_is_a_row_given_twice() -> None:
    left, one, two = world(4, n=100)
    weight = np.where(np.arange(100) < 50, 2.0, 1.0)
    rows = np.concatenate([np.arange(100), np.arange(50)])
    weighted = paired_differences(left, one, two, weight, n_resamples=5)
    twice = paired_differences(left[rows], one[rows], two[rows], n_resamples=5)
    assert {name: each.value for name, each in weighted.items()} == pytest.approx(
        {name: each.value for name, each in twice.items()}
    )


def test_without_leavers_ranking_is_undefined_and_a_risk_beyond_one_is_refused() -> None:
    found = paired_differences(np.zeros(10), np.full(10, 0.1), np.full(10, 0.2), n_resamples=5)
    assert math.isnan(found["auc"].value)
    assert found["log_loss"].value > 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired_differences([0, 1], [0.1, 1.2], [0.1, 0.2])
