"""Who confirmed a risk, whether risks after the answer are better, and what being asked does by itself."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from churnrisk import metrics
from training.answers import answer_figures, confirmation_rates, effect_of_asking


def judged(n: int = 4_000) -> pl.DataFrame:
    rng = np.random.default_rng(2)
    before = rng.beta(1, 8, n)
    after = np.clip(before * np.where(rng.random(n) < 0.5, 1.5, 0.5), 0, 0.95)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "risk_before": before,
            "risk_after": after,
            "left": (rng.random(n) < after).astype(int),
            "weight": np.ones(n),
        }
    )


def test_a_risk_that_knows_the_answer_is_told_as_better_with_its_interval() -> None:
    drawn = judged()
    found = {row["figure"]: row for row in answer_figures(drawn).to_dicts()}
    assert list(found) == ["log_loss", "brier", "ece", "slope", "observed_over_expected"]
    assert 0 < found["log_loss"]["gain_low"] < found["log_loss"]["gain"] < found["log_loss"]["gain_high"]
    assert found["log_loss"]["before"] == pytest.approx(metrics.log_loss(drawn["left"], drawn["risk_before"]))
    assert found["log_loss"]["gain"] == pytest.approx(
        found["log_loss"]["before"] - found["log_loss"]["after"]
    )
    assert found["slope"]["after_low"] < 1 < found["slope"]["after_high"]
    assert found["ece"]["after"] <= found["ece"]["after_high"]
    assert found["ece"]["gain"] is None
    assert found["brier"]["n"] == 4_000


def test_nobody_judged_gives_no_figures() -> None:
    assert answer_figures(judged().clear()).is_empty()


def test_confirmation_is_counted_by_band_among_those_who_answered() -> None:
    asked = pl.DataFrame(
        {
            "band": ["high"] * 4 + ["low"],
            "evidence": ["detractor", "detractor", "promoter", "silent", "silent"],
        }
    )
    found = confirmation_rates(asked).to_dicts()
    assert found[0]["band"] == "high"
    assert (found[0]["n_asked"], found[0]["n_answered"], found[0]["n_confirmed"]) == (4, 3, 2)
    assert found[0]["confirmed"] == pytest.approx(2 / 3)
    # Wilson's interval of 2 of 3
    assert (found[0]["confirmed_low"], found[0]["confirmed_high"]) == pytest.approx(
        (0.2077, 0.9385), abs=1e-4
    )
    assert (found[1]["response"], found[1]["confirmed"], found[1]["confirmed_low"]) == (0.0, None, None)


def arms(n: int, rate: float, held_rate: float, held_share: float = 0.5, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    held = rng.random(n) < held_share
    left = rng.random(n) < np.where(held, held_rate, rate)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "is_held_out": held,
            "left": left.astype(int),
            "weight": np.ones(n),
        }
    )


def test_an_effect_of_asking_is_seen_and_named() -> None:
    found = effect_of_asking(arms(20_000, 0.08, 0.05))
    assert found.difference.low <= 0.03 <= found.difference.high
    assert found.ratio.low <= 1.6 <= found.ratio.high
    assert "asking raises leaving" in found.sentence()
    assert "asking lowers leaving" in effect_of_asking(arms(20_000, 0.04, 0.08)).sentence()


def test_no_effect_seen_says_how_small_a_one_would_be_missed() -> None:
    found = effect_of_asking(arms(2_000, 0.05, 0.05))
    assert "no effect is seen" in found.sentence()
    assert f"Effects under {100 * found.smallest_seen:.2f} points would be missed" in found.sentence()
    # by hand: (1.96 + .84) x root of two binomial variances
    assert found.smallest_seen == pytest.approx(2.8016 * math.sqrt(2 * 0.05 * 0.95 / 1_000), rel=0.15)


def test_too_few_leavers_tell_nothing() -> None:
    found = effect_of_asking(arms(50, 0.05, 0.05))
    assert math.isnan(found.difference.value)
    assert "is not known" in found.sentence()


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = [effect_of_asking(arms(3_000, 0.06, 0.05, seed=seed)).difference for seed in range(200)]
    covered = sum(each.low <= 0.01 <= each.high for each in held)
    # binomial(200, .95): 190, standard deviation 3.1
    assert covered >= 180


def test_rows_of_one_customer_count_as_one() -> None:
    once = effect_of_asking(arms(4_000, 0.06, 0.05)).difference
    twice = effect_of_asking(pl.concat([arms(4_000, 0.06, 0.05)] * 2)).difference
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=1e-9)
