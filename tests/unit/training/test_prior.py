"""The rule prior: where its rates come from, how far segments are believed, what answers are worth, how wide it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import betabinom

from churnrisk.bundle import Platt, matrix
from churnrisk.bundle.calibrator import risk_of
from churnrisk.errors import ModelUnfit
from training.prior import STRENGTHS, Prior, fitted_prior
from training.rows import Rows

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def rows(n: int, n_left: int, **columns: list[Any]) -> Rows:
    """The first ``n_left`` customers leave."""
    left = np.zeros(n)
    left[:n_left] = 1.0
    frame = pl.DataFrame(columns) if columns else pl.DataFrame({"x": np.arange(n, dtype=float)})
    ids = np.array([f"c{number}" for number in range(n)], dtype=object)
    return Rows(frame, left, np.ones(n), ids, np.full(n, "2026-04-01", dtype=object))


def fitted(given: Rows, expected: float | None = None, **options: Any) -> Prior:
    return fitted_prior(given, expected_rate=expected, group_of=lambda _: "", **options)


def risks(made: Prior, given: Rows) -> Floats:
    return risk_of(Platt(1.0, 0.0), made.learner.score(matrix(given.frame, made.features)))


def test_without_a_leaver_the_expected_rate_is_the_risk() -> None:
    looked = rows(50, 0)
    made = fitted(looked, 0.03)
    assert made.base_rate == 0.03
    assert risks(made, looked).tolist() == pytest.approx([0.03] * 50)
    assert "0 leavers" in made.regime
    assert "3.00% as expected" in made.regime
    assert made.notes == ()


def test_without_a_leaver_and_without_an_expected_rate_there_is_nothing_to_go_by() -> None:
    with pytest.raises(ModelUnfit, match="expected_rate"):
        fitted(rows(50, 0))


def test_an_expected_rate_that_nobody_lives_up_to_is_doubted() -> None:
    assert "of 2,000 customer dates none left" in fitted(rows(2000, 0), 0.03).notes[0]


def test_the_expected_rate_is_worth_one_leaver_beside_those_observed() -> None:
    # one leaver expected among 1/.02 = 50, four observed among 100
    assert fitted(rows(100, 4), 0.02).base_rate == pytest.approx(5 / 150)
    assert fitted(rows(100, 4)).base_rate == pytest.approx(4.5 / 101)


def test_a_segment_that_left_more_is_believed_in_part() -> None:
    contract = ["monthly"] * 40 + ["yearly"] * 160
    looked = rows(200, 8, attribute_contract=contract)
    made = fitted(looked)
    found = dict(zip(contract, risks(made, looked).tolist(), strict=True))
    assert 8.5 / 201 < found["monthly"] < 8 / 40
    assert 0 < found["yearly"] < 8.5 / 201
    assert float(risks(made, looked).mean()) == pytest.approx(made.base_rate)
    # how many customers the common rate is worth, by scipy's beta-binomial
    p = made.base_rate
    fits = [
        betabinom.logpmf(8, 40, m * p, m * (1 - p)) + betabinom.logpmf(0, 160, m * p, m * (1 - p))
        for m in STRENGTHS
    ]
    worth = STRENGTHS[int(np.argmax(fits))]
    assert f"as if by {worth:,.0f} customers" in made.regime
    apart = logit((8 + worth * p) / (40 + worth)) - logit((0 + worth * p) / (160 + worth))
    assert logit(found["monthly"]) - logit(found["yearly"]) == pytest.approx(apart)


def test_segments_that_leave_alike_are_not_told_apart() -> None:
    looked = rows(200, 8, attribute_plan=["a", "b"] * 100)
    assert "no difference" in fitted(looked).regime
    assert len(set(risks(fitted(looked), looked).round(12).tolist())) == 1


def test_tenure_is_banded_and_unknown_tenure_says_nothing() -> None:
    tenure: list[Any] = [10.0] * 50 + [400.0] * 149 + [None]
    looked = rows(200, 9, tenure_days=tenure)
    found = risks(fitted(looked), looked)
    assert found[0] > found[199] > found[100]


def test_answers_weigh_as_assumed_and_silence_weighs_nothing() -> None:
    looked = rows(5, 1, nps_last_score=[3.0, 7.0, 9.0, None, None])
    made = fitted(looked)
    odds = [logit(risk) for risk in risks(made, looked)]
    assert [odds[0] - odds[1], odds[1] - odds[2], odds[3] - odds[1]] == pytest.approx([0.7, 0.7, 0.0])
    assert "assumed and not measured" in made.regime


def test_answers_fade_and_satisfaction_counts_half_beside() -> None:
    looked = rows(
        4, 1, nps_last_score=[3.0, 9.0, None, None], nps_last_age_days=[90.0, 90.0, None, None],
        csat_last_score=[1.0, 1.0, 1.0, 5.0],
    )  # fmt: skip
    odds = [logit(risk) for risk in risks(fitted(looked), looked)]
    assert odds[0] - odds[1] == pytest.approx(0.7)  # 1.4, half of it
    assert odds[2] - odds[3] == pytest.approx(0.7)  # 1.4, half of it


def test_a_satisfaction_of_another_scale_is_left_aside() -> None:
    looked = rows(3, 1, csat_last_score=[1.0, 50.0, 100.0])
    assert fitted(looked).features == ()


def test_intervals_are_wide_and_hold_the_risk() -> None:
    looked = rows(100, 4, nps_last_score=[3.0, None] * 50)
    made = fitted(looked)
    score = made.learner.score(matrix(looked.frame, made.features))
    low, high = made.intervals.interval(score)
    risk = expit(score)
    assert ((low < risk) & (risk < high)).all()
    odds = high / (1 - high) / (low / (1 - low))
    assert odds.min() > math.exp(2 * 1.96 * 0.7)


def test_columns_without_a_rule_or_kept_for_judging_are_named_as_not_read() -> None:
    looked = rows(20, 1, tenure_days=[float(day) for day in range(20)], wait_s=[1.0] * 20)
    made = fitted(looked)
    assert list(made.dropped) == ["wait_s"]
    assert "too few leavers" in made.dropped["wait_s"]
    assert fitted(looked, left_out={"tenure_days"}).features == ()


def test_the_regime_says_what_would_lift_it() -> None:
    made = fitted(rows(20, 1), next_regimes="10 leavers: logistic regression; 200: trees")
    assert made.regime.startswith("rule prior, not learned: 1 leavers")
    assert made.regime.endswith("(10 leavers: logistic regression; 200: trees)")


@given(
    n_left=st.integers(1, 9),
    seed=st.integers(0, 50),
    weighted=st.booleans(),
)
def test_the_mean_risk_is_the_base_rate_and_effects_are_centred(
    n_left: int, seed: int, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    looked = rows(
        80, n_left, attribute_contract=rng.choice(["a", "b", "c"], 80).tolist(),
        tenure_days=rng.integers(0, 2000, 80).astype(float).tolist(),
        nps_last_score=rng.integers(0, 11, 80).astype(float).tolist(),
    )  # fmt: skip
    if weighted:
        weight = rng.uniform(0.5, 2, 80)
        looked = replace(looked, weight=weight / weight.mean())
    made = fitted(looked)
    assert float(looked.weight @ risks(made, looked) / 80) == pytest.approx(made.base_rate)
    parts = made.learner.contributions(matrix(looked.frame, made.features))
    assert np.abs(looked.weight @ parts[:, :-1]).max() < 1e-9
