"""Figures of ranking, worked by hand."""

import math

import numpy as np
import pytest

from churnrisk import metrics


def test_auc_counts_pairs_in_the_right_order_and_half_of_the_equal_ones() -> None:
    # leavers .9 .2, stayers .2 .1: of 4 pairs 3 are right and one is equal
    assert metrics.auc([0, 1, 0, 1], [0.1, 0.2, 0.2, 0.9]) == 3.5 / 4


def test_a_weight_is_a_number_of_like_rows() -> None:
    left, score, weight = [1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], [3, 1, 1, 2]
    repeated = np.repeat(np.arange(4), weight)
    for figure in (metrics.auc, metrics.pr_auc, metrics.lift):
        again = figure(np.take(left, repeated), np.take(score, repeated))
        assert figure(left, score, weight) == pytest.approx(again, abs=1e-12)


def test_without_leavers_or_stayers_ranking_is_undefined() -> None:
    assert math.isnan(metrics.auc([0, 0], [0.1, 0.2]))
    assert math.isnan(metrics.auc([1, 1], [0.1, 0.2]))
    assert math.isnan(metrics.pr_auc([0, 0], [0.1, 0.2]))
    assert math.isnan(metrics.lift([0, 0], [0.1, 0.2]))


def test_a_constant_score_has_lift_one_and_the_base_rate_as_pr_auc() -> None:
    left = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert metrics.lift(left, [0.3] * 10) == pytest.approx(1.0)
    assert metrics.pr_auc(left, [0.3] * 10) == pytest.approx(0.2)


def test_lift_is_the_mean_over_orders_of_equal_scores() -> None:
    rng = np.random.default_rng(1)
    score = rng.integers(0, 4, 50) / 4
    left = rng.random(50) < 0.3
    drawn = []
    for _ in range(4000):
        order = np.lexsort((rng.random(50), -score))
        drawn.append(left[order[:5]].mean() / left.mean())
    assert metrics.lift(left, score) == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / math.sqrt(4000))


def test_the_gain_curve_ends_with_everybody() -> None:
    table = metrics.gain_table([1, 0, 0, 1], [0.9, 0.5, 0.4, 0.1])
    assert table.filter(share_contacted=0.25)["share_of_leavers_reached"].item() == 0.5
    assert table.row(-1) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("left", "score", "weight", "message"),
    [
        ([], [], None, "no rows"),
        ([0, 1], [0.5], None, "one length"),
        ([0, 2], [0.5, 0.5], None, "0 .stayed. or 1 .left."),
        ([0, 1], [0.5, math.nan], None, "finite"),
        ([0, 1], [0.5, 0.4], [1, -1], "not negative"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    left: list[int], score: list[float], weight: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.auc(left, score, weight)
