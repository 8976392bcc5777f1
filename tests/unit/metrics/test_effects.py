"""What an action did on average: by hand, against simulation, and where it must say that it does not know."""

import math

import numpy as np
import pytest

from churnrisk.metrics import aipw_scores, mean_effect, weighted_contrast


def trial(seed: int, n: int = 4_000) -> dict[str, np.ndarray]:
    """Two actions and none, given by a feature; the first adds 0.10 on average, the second nothing."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    shares = np.column_stack((0.6 - 0.4 * x, 0.2 + 0.3 * x, 0.2 + 0.1 * x))
    arm = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1)
    chance = np.column_stack((0.5 + 0.3 * x, 0.5 + 0.3 * x + 0.2 * (1 - x), 0.5 + 0.3 * x))
    stayed = (rng.random(n) < chance[np.arange(n), arm]).astype(float)
    return {"stayed": stayed, "arm": arm, "expected": chance, "propensity": shares}


def test_scores_follow_the_formula_row_by_row() -> None:
    given = trial(0, n=50)
    found = aipw_scores(**given)
    for row in range(50):
        y, arm, mu, e = (given[name][row] for name in ("stayed", "arm", "expected", "propensity"))
        for action in (1, 2):
            by_hand = mu[action] - mu[0]
            by_hand += (arm == action) * (y - mu[action]) / e[action] - (arm == 0) * (y - mu[0]) / e[0]
            assert found[row, action - 1] == pytest.approx(by_hand)


def test_either_the_expectations_or_the_propensities_may_be_wrong() -> None:
    given = trial(1, n=60_000)
    flat = np.full_like(given["expected"], 0.7)
    wrong = np.full_like(given["propensity"], 1 / 3)
    for changed in ({"expected": flat}, {"propensity": wrong}):
        found = aipw_scores(**{**given, **changed}).mean(axis=0)
        assert found == pytest.approx([0.10, 0.0], abs=0.02)
    both = aipw_scores(**{**given, "expected": flat, "propensity": wrong}).mean(axis=0)
    assert abs(both[0] - 0.10) > 0.01


def test_an_interval_of_a_mean_effect_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        found = mean_effect(aipw_scores(**trial(seed, n=500))[:, 0])
        held += found.low <= 0.10 <= found.high
    assert 182 <= held <= 198


def test_copies_of_a_customer_make_nothing_surer() -> None:
    scores = aipw_scores(**trial(3, n=300))[:, 0]
    alone = mean_effect(scores)
    copied = mean_effect(np.repeat(scores, 4), customer=np.repeat(np.arange(300), 4))
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))


def test_a_contrast_by_hand_and_with_propensities_that_undo_a_choice() -> None:
    found = weighted_contrast([1, 1, 1, 0, 1, 0, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    assert (found.difference.value, found.ratio.value) == (0.25, 0.5)
    # standard error of a difference of two shares, n / (n - 1) of the customers
    error = math.sqrt((0.75 * 0.25 / 4 + 0.5 * 0.5 / 4) * 8 / 7)
    assert found.difference.high == pytest.approx(0.25 + 1.959964 * error, abs=1e-5)
    rng = np.random.default_rng(0)
    x = rng.random(40_000) < 0.5
    treated = rng.random(40_000) < np.where(x, 0.8, 0.2)
    stayed = rng.random(40_000) < np.where(x, 0.5, 0.9) + 0.05 * treated
    chance = np.where(x == treated, 0.8, 0.2)
    assert weighted_contrast(stayed, treated).difference.value < -0.1
    weighted = weighted_contrast(stayed, treated, chance).difference
    assert weighted.low < 0.05 < weighted.high


def test_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        treated = rng.random(1_500) < 0.7
        left = rng.random(1_500) < np.where(treated, 0.06, 0.12)
        found = weighted_contrast(~left, treated).ratio
        held += found.low <= 0.5 <= found.high
    assert 182 <= held <= 198


def test_what_is_not_known_is_nan() -> None:
    nobody_left = weighted_contrast([1, 1, 1, 1], [1, 1, 0, 0])
    assert math.isnan(nobody_left.ratio.value)
    one_sided = weighted_contrast([1, 0], [1, 1])
    assert math.isnan(one_sided.difference.value)
    assert (one_sided.n_treated, one_sided.n_control) == (2, 0)
    assert math.isnan(mean_effect([]).value)
    assert math.isnan(mean_effect([1.0]).low)


def test_an_arm_that_could_not_be_given_is_refused() -> None:
    with pytest.raises(ValueError, match="propensity over 0"):
        aipw_scores([1.0], [1], [[0.5, 0.5]], [[1.0, 0.0]])
    with pytest.raises(ValueError, match="n x arms"):
        aipw_scores([1.0], [1], [[0.5, 0.5]], [[1.0]])
