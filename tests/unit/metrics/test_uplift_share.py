"""The share of would-be leavers kept is found with intervals that hold the truth, however few were left without."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from churnrisk import metrics
from churnrisk.metrics.uplift_share import LOWEST_SHARE

Floats = NDArray[np.float64]


def counted(left_treated: int, treated: int, left_control: int, control: int) -> metrics.ShareKept:
    """Return the share of two groups of alike customers, nothing expected of them beforehand but the rate of all."""
    stayed = np.concatenate(
        [np.arange(n) >= left for left, n in ((left_treated, treated), (left_control, control))]
    )
    arm = np.repeat([1, 0], [treated, control])
    n = treated + control
    expected = np.full((n, 2), 1 - (left_treated + left_control) / n)
    chance = np.where(arm == 1, treated / n, control / n)
    return metrics.share_kept(stayed.astype(float), arm, expected, chance)


def by_hand(share: float, left_treated: int, treated: int, left_control: int, control: int) -> float:
    """Return the deviation of two groups: one risk behind both, thinned by the share among the treated."""
    risk = (left_treated + left_control) / (treated * (1 - share) + control)
    thinned = (1 - share) * risk
    variance = thinned * (1 - thinned) / treated + (1 - share) ** 2 * risk * (1 - risk) / control
    return ((1 - share) * left_control / control - left_treated / treated) / math.sqrt(variance)


@given(
    treated=st.integers(60, 600),
    control=st.integers(30, 200),
    rate=st.floats(0.05, 0.5),
    share=st.floats(0.0, 0.6),
)
def test_of_two_groups_it_is_the_score_test_of_their_ratio(
    treated: int, control: int, rate: float, share: float
) -> None:
    counts = (max(int(0.8 * rate * treated), 1), treated, max(int(rate * control), 1), control)
    found = counted(*counts)
    assert found.value == pytest.approx(1 - (counts[0] / treated) / (counts[2] / control))
    # what is expected is the rate of all, so the squares hold the distance of each side's rate from it too
    assert abs(found.deviation(share)) <= abs(by_hand(share, *counts)) * 1.01 + 0.02
    near = 1 - (counts[0] / treated) / (counts[2] / control)
    assert found.deviation(near - 0.1) == pytest.approx(by_hand(near - 0.1, *counts), rel=0.15, abs=0.02)


def test_the_ends_are_where_the_deviation_is_as_wide_as_the_level_and_the_interval_holds_the_value() -> None:
    found = counted(50, 900, 9, 100)
    told = found.interval()
    assert told.low < told.value < told.high
    assert found.deviation(told.low) == pytest.approx(1.959964, abs=1e-5)
    assert found.deviation(told.high) == pytest.approx(-1.959964, abs=1e-5)
    assert found.interval(0.8).low > told.low


def held(treated: int, control: int, risk: float, share: float, draws: int = 1_500) -> tuple[float, float]:
    """Return how often the interval holds the share planted, and how often that of plain residuals does."""
    rng = np.random.default_rng(1)
    ours = plain = 0
    for _ in range(draws):
        a, b = int(rng.binomial(treated, risk * (1 - share))), int(rng.binomial(control, risk))
        if a and b:
            p, q = a / treated, b / control
            error = math.sqrt(p * (1 - p) / treated + (1 - share) ** 2 * q * (1 - q) / control)
            plain += abs((1 - share) * q - p) < 1.96 * error
        ours += abs(counted(a, treated, b, control).deviation(share)) < 1.96
    return ours / draws, plain / draws


def test_with_sixty_left_without_the_interval_holds_the_truth_where_that_of_residuals_does_not() -> None:
    ours, plain = held(1_000, 60, 0.06, 0.3)
    assert 0.93 <= ours <= 0.97
    assert plain < 0.92
    assert 0.93 <= held(450, 50, 0.15, 0.3)[0] <= 0.97
    assert 0.93 <= held(900, 100, 0.06, 0.0)[0] <= 0.97


def test_where_nobody_left_without_left_the_share_is_undefined_and_the_prior_stays() -> None:
    nobody = counted(0, 100, 0, 50)
    assert math.isnan(nobody.value)
    assert nobody.weighed(0.3, 0.1) == pytest.approx((0.3, 0.1), rel=0.01)
    few = counted(20, 400, 1, 50)
    assert math.isnan(few.interval().low)
    assert few.deviation(LOWEST_SHARE) < 1.96
    mean, spread = few.weighed(0.3, 0.1)
    assert 0.2 < mean < 0.3
    assert 0.08 < spread < 0.1


def test_weighing_is_that_of_precisions_where_outcomes_are_many_and_where_both_say_the_same() -> None:
    rng = np.random.default_rng(2)
    for share in (0.0, 0.3, 0.6):
        found = counted(int(rng.binomial(4_000, 0.3 * (1 - share))), 4_000, 1_200, 4_000)
        told = found.interval()
        error = (told.high - told.low) / (2 * 1.96)
        precision = 1 / 0.1**2 + 1 / error**2
        mean, spread = found.weighed(0.3, 0.1)
        assert mean == pytest.approx((0.3 / 0.1**2 + found.value / error**2) / precision, abs=0.006)
        assert spread == pytest.approx(precision**-0.5, rel=0.05)


def test_an_action_works_as_probably_as_its_outcomes_are_over_a_slab_of_shares_and_at_nothing() -> None:
    # the slow twin: binomial outcomes at every risk and every share that the prior holds
    found = counted(80, 900, 100, 900)
    told = found.believed(0.3, 0.1, 0.5).works
    risk = np.linspace(0.05, 0.25, 400)[:, None]
    shares = np.linspace(-0.3, 0.9, 300)
    prior = stats.norm.pdf(shares, 0.3, 0.1)

    def likely(kept: Floats) -> Floats:
        both = stats.binom.pmf(80, 900, risk * (1 - kept)) * stats.binom.pmf(100, 900, risk)
        return np.asarray(np.mean(both, axis=0))

    slab = float(likely(shares) @ prior / prior.sum())
    none = float(likely(np.zeros(1))[0])
    assert told == pytest.approx(slab / (slab + none), abs=0.04)
    # even odds stay where nothing is told, and prior odds multiply
    assert counted(0, 100, 0, 50).believed(0.3, 0.1, 0.4).works == pytest.approx(0.4, abs=0.02)
    other = found.believed(0.3, 0.1, 0.2).works
    assert other / (1 - other) == pytest.approx(0.25 * told / (1 - told))


@given(
    n=st.integers(60, 3_000),
    controls=st.integers(60, 3_000),
    left=st.floats(0.01, 0.3),
    kept=st.floats(-2.5, 1.0),
)
@settings(max_examples=25, deadline=None)
def test_beliefs_are_those_of_a_grid_so_fine_and_wide_that_nothing_is_missed(
    n: int, controls: int, left: float, kept: float
) -> None:
    b = max(1, round(left * controls))
    found = counted(min(n, round(max(0.0, left * (1 - kept)) * n)), n, b, controls)
    shares = np.linspace(LOWEST_SHARE, 1.0, 1_601)
    log = np.array([-(found.deviation(float(each)) ** 2) / 2 for each in shares])
    weight = np.exp(log - log.max()) * stats.norm.pdf(shares, 0.3, 0.1)
    mean = float(weight @ shares / weight.sum())
    told = found.believed(0.3, 0.1, 0.5)
    assert told.mean == pytest.approx(mean, abs=0.004)
    assert told.spread == pytest.approx(
        float(np.sqrt(weight @ (shares - mean) ** 2 / weight.sum())), abs=0.004
    )
    prior = np.where(shares > 0, stats.norm.pdf(shares, 0.3, 0.1), 0.0)
    slab = np.exp(log) @ prior / prior.sum()
    assert told.works == pytest.approx(slab / (slab + np.exp(-(found.deviation(0.0) ** 2) / 2)), abs=0.02)


def test_the_fewer_of_those_treated_leave_the_more_probably_it_works_and_one_that_harms_never_does() -> None:
    for n, left in ((250, 25), (350, 35), (2_000, 25)):
        told = [counted(each, n, left, n).believed(0.3, 0.1).works for each in range(3 * left + 1)]
        assert np.all(np.diff(told) <= 2e-4)
        assert told[0] > 0.9
        assert told[-1] < 0.05


def test_of_those_called_probable_as_many_work_as_said_however_often_one_looks() -> None:
    rng = np.random.default_rng(11)
    said, is_so = [], []
    for _ in range(600):
        works = rng.random() < 0.5
        kept = float(np.clip(rng.normal(0.3, 0.1), 0, 1)) if works else 0.0
        made = left = n = 0
        for _ in range(5):
            n += 150
            made, left = made + rng.binomial(150, 0.15 * (1 - kept)), left + rng.binomial(150, 0.15)
            told = counted(int(made), n, int(left), n).believed(0.3, 0.1, 0.5).works
            if not 0.1 < told < 0.9:
                break
        said.append(told)
        is_so.append(works)
    chance, so = np.array(said), np.array(is_so)
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        here = (chance > low) & (chance <= high)
        assert here.sum() > 20
        error = np.sqrt(chance[here].mean() * (1 - chance[here].mean()) / here.sum())
        assert so[here].mean() == pytest.approx(chance[here].mean(), abs=3 * error + 0.03)


def test_rows_of_one_customer_widen_and_weights_count_as_rows_do() -> None:
    rng = np.random.default_rng(3)
    n = 600
    arm, stayed = rng.integers(0, 2, n), (rng.random(n) > 0.3).astype(float)
    expected, half = np.full((n, 2), 0.7), np.full(n, 0.5)
    once = metrics.share_kept(stayed, arm, expected, half)
    twice = [np.repeat(part, 2, axis=0) for part in (stayed, arm, expected, half)]
    together = metrics.share_kept(*twice, customer=np.repeat(np.arange(n), 2))
    assert together.interval().low == pytest.approx(once.interval().low, abs=1e-4)
    assert metrics.share_kept(*twice).interval().low > once.interval().low
    counts = rng.integers(1, 4, n)
    weighted = metrics.share_kept(stayed, arm, expected, half, weight=counts.astype(float))
    rows = [np.repeat(part, counts, axis=0) for part in (stayed, arm, expected, half)]
    assert weighted.value == pytest.approx(metrics.share_kept(*rows).value)


def test_a_wrong_expectation_costs_no_truth_where_the_chance_is_known() -> None:
    rng = np.random.default_rng(4)
    n = 100_000
    risk, arm = rng.choice([0.1, 0.5], n), (rng.random(n) < 0.8).astype(int)
    stayed = (rng.random(n) >= risk * (1 - 0.25 * arm)).astype(float)
    wrong = np.column_stack((np.full(n, 0.95), np.full(n, 0.6)))
    found = metrics.share_kept(stayed, arm, wrong, np.where(arm == 1, 0.8, 0.2)).interval()
    assert found.low < 0.25 < found.high


def test_lengths_that_differ_and_sides_without_a_probability_are_refused() -> None:
    with pytest.raises(ValueError, match="n x 2 expectations"):
        metrics.share_kept([1.0], [1], np.ones((2, 2)), [0.5])
    with pytest.raises(ValueError, match="probability over 0"):
        metrics.share_kept([1.0], [1], np.ones((1, 2)), [0.0])
