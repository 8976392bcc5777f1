"""How well a score ranks customers by an effect: hand-worked figures, slow twins, and what must never change them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk import metrics
from churnrisk.metrics import qini, qini_table, rate, rate_intervals, uplift_at, uplift_intervals


def world(seed: int, n: int = 300, levels: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stayed, treated, and a score that the effect follows; scores repeat."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, n) / levels
    treated = rng.random(n) < 0.6
    stayed = rng.random(n) < 0.6 + 0.3 * treated * score
    return stayed.astype(float), treated.astype(float), score


def slow_qini(stayed: np.ndarray, treated: np.ndarray, score: np.ndarray) -> float:
    """The definition, one top after another."""
    points = [(0.0, 0.0)]
    for edge in sorted(set(score.tolist()), reverse=True):
        top = score >= edge
        n_t, n_c = treated[top].sum(), (1 - treated[top]).sum()
        if n_c:
            won = (stayed * treated)[top].sum() - (stayed * (1 - treated))[top].sum() * n_t / n_c
            points.append((top.mean(), won / treated.sum()))
    whole = points[-1][1]
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        area += (x1 - x0) * ((y0 - x0 * whole) + (y1 - x1 * whole)) / 2
    return area


def slow_rates(scores: np.ndarray, priority: np.ndarray, draws: int) -> tuple[float, float]:
    """AUTOC and QINI with equal priorities in random order, averaged over many."""
    rng = np.random.default_rng(0)
    found = np.zeros((draws, 2))
    for draw in range(draws):
        order = np.lexsort((rng.random(len(scores)), -priority))
        ahead = scores[order]
        n = len(ahead)
        toc = [ahead[: k + 1].mean() - ahead.mean() for k in range(n)]
        found[draw] = np.mean(toc), np.mean([(k + 1) / n * toc[k] for k in range(n)])
    return float(found[:, 0].mean()), float(found[:, 1].mean())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_qini_is_what_the_definition_gives_top_by_top(seed: int) -> None:
    stayed, treated, score = world(seed, n=80, levels=15)
    assert qini(stayed, treated, score) == pytest.approx(slow_qini(stayed, treated, score))


def test_qini_of_four_customers_worked_by_hand() -> None:
    # top of two: 1 - 0 * 1 / 1 = 1 of two treated; all four: 2 - 1 * 2 / 2 = 1; triangle of height 0.25 over 0.5 x 2
    table = qini_table([1, 0, 1, 1], [1, 0, 1, 0], [2.0, 2.0, 1.0, 1.0])
    assert table["incremental"].to_list() == [0.0, 0.5, 0.5]
    assert table["at_random"].to_list() == [0.0, 0.25, 0.5]
    assert qini([1, 0, 1, 1], [1, 0, 1, 0], [2.0, 2.0, 1.0, 1.0]) == 0.125


def test_a_score_that_says_nothing_has_a_qini_of_nought_and_the_reverse_score_one_below() -> None:
    stayed, treated, score = world(1, n=4_000)
    assert qini(stayed, treated, np.ones(4_000)) == pytest.approx(0.0, abs=1e-12)
    assert qini(stayed, treated, score) > 0 > qini(stayed, treated, -score)


def test_rates_are_the_mean_over_random_orders_of_equal_priorities() -> None:
    rng = np.random.default_rng(3)
    scores, priority = rng.normal(size=30), rng.integers(0, 6, 30).astype(float)
    found = rate(scores, priority)
    assert (found["autoc"], found["qini"]) == pytest.approx(slow_rates(scores, priority, 4_000), abs=0.01)
    distinct = rng.permutation(30).astype(float)
    found = rate(scores, distinct)
    assert (found["autoc"], found["qini"]) == pytest.approx(slow_rates(scores, distinct, 1))


def test_rates_of_a_perfect_order_come_to_what_their_integrals_give() -> None:
    # effect uniform on 0 to 1, ranked by itself: TOC(q) = (1 - q) / 2, so AUTOC = 1/4 and QINI = 1/12
    effect = (np.arange(20_000) + 0.5) / 20_000
    found = rate(effect, effect)
    assert found["autoc"] == pytest.approx(1 / 4, abs=1e-3)
    assert found["qini"] == pytest.approx(1 / 12, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weights_count_like_rows_given_more_than_once(seed: int) -> None:
    stayed, treated, score = world(seed, n=60, levels=9)
    rng = np.random.default_rng(seed)
    times = rng.integers(1, 4, 60)
    y, t, s = (np.repeat(each, times) for each in (stayed, treated, score))
    assert qini(stayed, treated, score, times) == pytest.approx(qini(y, t, s))
    assert uplift_at(stayed, treated, score, 1.0, times) == pytest.approx(uplift_at(y, t, s, 1.0))


def test_uplift_in_the_top_is_the_difference_of_the_shares_there() -> None:
    stayed, treated, score = world(5, n=2_000, levels=10)
    top = score >= np.quantile(score, 0.7, method="higher")
    there = treated > 0
    by_hand = stayed[top & there].mean() - stayed[top & ~there].mean()
    assert uplift_at(stayed, treated, score, float(top.mean())) == pytest.approx(by_hand)
    with pytest.raises(ValueError, match="over 0 up to 1"):
        uplift_at(stayed, treated, score, 0.0)


def test_intervals_of_a_rate_hold_the_truth_as_often_as_they_say() -> None:
    # score = effect + noise; the truth is that of 200,000 customers
    rng = np.random.default_rng(0)

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        priority = rng.random(n)
        return 0.1 * priority + rng.normal(0, 1, n), priority

    truth = 0.1 / 4
    held = 0
    for repeat in range(60):
        found = rate_intervals(*drawn(1_000), n_resamples=100, seed=repeat)["autoc"]
        held += found.low <= truth <= found.high
    assert held >= 52


def test_rows_of_one_customer_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    scores, priority = rng.normal(size=200), rng.random(200)
    customer = np.repeat(np.arange(200), 5)
    alone = rate_intervals(scores, priority, n_resamples=100)["autoc"]
    copies = rate_intervals(np.repeat(scores, 5), np.repeat(priority, 5), customer=customer, n_resamples=100)[
        "autoc"
    ]
    assert copies.high - copies.low == pytest.approx(alone.high - alone.low, rel=0.05)


def test_uplift_intervals_name_their_shares_and_hold_their_value() -> None:
    stayed, treated, score = world(8, n=2_000)
    found = uplift_intervals(stayed, treated, score, shares=(0.3,), n_resamples=100)
    assert set(found) == {"qini", "uplift_at_0.3"}
    assert all(each.low < each.value < each.high for each in found.values())
    assert found["qini"].value == qini(stayed, treated, score)


@pytest.mark.parametrize(
    ("stayed", "treated", "score", "says"),
    [
        ([1, 0], [1, 1], [1.0, 2.0], "both treated and untreated"),
        ([1, 2], [1, 0], [1.0, 2.0], "0 or 1"),
        ([1, 0], [1, 0], [1.0, np.nan], "score"),
        ([], [], [], "stayed"),
        ([1, 0], [1, 0, 1], [1.0, 2.0], "one length"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    stayed: list[int], treated: list[int], score: list[float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        qini(stayed, treated, score)


def test_the_figures_of_uplift_stand_in_the_front_of_the_room() -> None:
    assert metrics.qini is qini
