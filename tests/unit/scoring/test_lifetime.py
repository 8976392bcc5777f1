"""Every customer's expected months and lifetime value, null where they cannot be known."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle.lifetime import MONTH_DAYS, Lifetime
from churnrisk.config import ValueSettings
from scoring.lifetime import LIFETIME_COLUMNS, lifetimes

FOR_EVER = Lifetime(
    MONTH_DAYS, base=0.1, rho=1.0, rho_low=0.0, rho_high=1.0, source="measured", said="in a test"
)
VALUES = ValueSettings(margin_share=0.5, lifetime_months=3, discount_rate=0.21)
RISKS = pl.DataFrame({"risk": [0.5, 0.2], "risk_low": [0.2, 0.0], "risk_high": [0.5, 1.0]})


def test_months_are_plain_and_money_is_discounted() -> None:
    made = lifetimes(RISKS, pl.Series([10.0, 20.0]), VALUES, FOR_EVER)
    assert tuple(made.columns) == LIFETIME_COLUMNS
    assert made["expected_months"].to_list() == pytest.approx([0.875, 1.952])
    by_hand = 10 * 0.5 * sum(0.5**month * 1.21 ** (-month / 12) for month in (1, 2, 3))
    assert made["clv"][0] == pytest.approx(by_hand)


def test_the_ends_come_from_the_ends_of_the_risk_the_other_way_round() -> None:
    made = lifetimes(RISKS, pl.Series([10.0, 20.0]), VALUES, FOR_EVER)
    assert made["expected_months_low"].to_list() == pytest.approx([0.875, 0.0], abs=1e-6)
    assert made["expected_months_high"].to_list() == pytest.approx([1.952, 3.0], abs=1e-6)
    assert (made["clv_low"] <= made["clv"]).all()
    assert (made["clv"] <= made["clv_high"]).all()


def test_without_a_monthly_value_there_are_months_and_no_money() -> None:
    made = lifetimes(RISKS, pl.Series([None, 0.0]), VALUES, FOR_EVER)
    assert made["clv"].to_list() == [None, 0.0]
    assert made["expected_months"].null_count() == 0
    assert lifetimes(RISKS, None, VALUES, FOR_EVER)["clv_high"].null_count() == 2


def test_a_model_that_does_not_know_over_which_time_it_speaks_gives_neither() -> None:
    made = lifetimes(RISKS, pl.Series([10.0, 20.0]), VALUES, None)
    assert made.null_count().row(0) == (2,) * len(LIFETIME_COLUMNS)
    assert set(made.dtypes) == {pl.Float64()}


@given(st.lists(st.floats(1e-4, 1 - 1e-4), min_size=2, max_size=6).map(sorted), st.floats(0, 1))
def test_value_shrinks_with_the_risk(risk: list[float], rho: float) -> None:
    fading = Lifetime(30.0, base=0.02, rho=rho, rho_low=0.0, rho_high=1.0, source="measured", said="")
    risks = pl.DataFrame({"risk": risk, "risk_low": risk, "risk_high": risk})
    clv = lifetimes(risks, pl.Series([7.0] * len(risk)), ValueSettings(), fading)["clv"]
    assert (clv.diff().drop_nulls() <= 1e-9).all()
