"""Lifetimes are sums of survival that can be worked by hand, and shrink as the risk grows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle.lifetime import (
    CHECK_COLUMNS,
    LIFETIME_FILE,
    MONTH_DAYS,
    TOTAL_COLUMNS,
    Lifetime,
    monthly_hazard,
    read_lifetime,
)


def lifetime(*, base: float = 0.1, rho: float = 1.0, horizon_days: float = MONTH_DAYS) -> Lifetime:
    return Lifetime(
        horizon_days, base=base, rho=rho, rho_low=0.0, rho_high=1.0, source="measured", said="in a test"
    )


def test_a_risk_that_lasts_gives_a_geometric_life() -> None:
    plain, discounted = lifetime().months(np.array([0.5, 0.2]), 3, 0.0)
    # .5 + .25 + .125, and .8 + .64 + .512
    assert plain.tolist() == pytest.approx([0.875, 1.952])
    assert discounted.tolist() == pytest.approx(plain.tolist())


def test_a_risk_that_is_gone_a_month_later_leaves_the_average() -> None:
    plain, _ = lifetime(rho=0.0).months(np.array([0.5]), 3)
    # .5, then .5 x .9, then .5 x .9 x .9
    assert plain[0] == pytest.approx(0.5 + 0.45 + 0.405)


def test_halfway_means_halfway_in_log_odds() -> None:
    # odds 1 with a base of 1/9: a month later the odds are (1 x 1/9)^(1/2) = 1/3, a chance of leaving of 1/4
    curve = lifetime(rho=0.5).survival(np.array([0.5]), 2)
    assert curve.tolist() == [[1.0, pytest.approx(0.5), pytest.approx(0.375)]]


def test_later_months_count_less_by_the_rate_of_a_year() -> None:
    _, discounted = lifetime().months(np.array([0.5]), 12, 0.21)
    by_hand = sum(0.5**month * 1.21 ** (-month / 12) for month in range(1, 13))
    assert discounted[0] == pytest.approx(by_hand)


def test_the_risk_of_a_longer_window_is_spread_over_its_months() -> None:
    # leaving within two months with .19 is leaving with .1 in each
    plain, _ = lifetime(horizon_days=2 * MONTH_DAYS).months(np.array([0.19]), 2)
    assert plain[0] == pytest.approx(0.9 + 0.81)
    assert monthly_hazard(np.array([0.19]), 60.0, 30.0)[0] == pytest.approx(0.1)


risks = st.floats(1e-6, 1 - 1e-6)


@given(
    risk=st.lists(risks, min_size=2, max_size=5).map(sorted),
    rho=st.floats(0, 1),
    base=st.floats(1e-4, 0.9),
    horizon=st.floats(5, 365),
    rate=st.floats(0, 0.5),
    months=st.integers(1, 70),
)
def test_survival_falls_and_months_lie_between_none_and_all_and_shrink_with_the_risk(
    risk: list[float], rho: float, base: float, horizon: float, rate: float, months: int
) -> None:
    made = lifetime(base=base, rho=rho, horizon_days=horizon)
    curve = made.survival(np.array(risk), months)
    assert (np.diff(curve, axis=1) <= 0).all()
    assert curve.min() >= 0
    assert curve.max() <= 1
    plain, discounted = made.months(np.array(risk), months, rate)
    assert plain.tolist() == pytest.approx(curve[:, 1:].sum(axis=1).tolist())
    assert (discounted <= plain * (1 + 1e-12)).all()
    assert (plain <= months).all()
    assert (discounted >= 0).all()
    assert (np.diff(plain) <= 1e-9 * months).all()


def test_parts_of_many_customers_are_the_customers_one_by_one() -> None:
    made = lifetime(rho=0.7, base=0.02)
    risk = np.random.default_rng(1).uniform(0.001, 0.9, 40_000)
    plain, discounted = made.months(risk, 24, 0.1)
    alone = [made.months(risk[place : place + 1], 24, 0.1) for place in (0, 16_383, 16_384, 39_999)]
    assert [plain[place] for place in (0, 16_383, 16_384, 39_999)] == [each[0][0] for each in alone]
    assert discounted[39_999] == alone[-1][1][0]


def test_lifetimes_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    made = replace(
        lifetime(rho=1 / 3, base=0.021),
        checks=pl.DataFrame([("all", "low", 1, 90, 0.9, 0.91, 0.8, 0.95)], schema=CHECK_COLUMNS, orient="row"),
        totals=pl.DataFrame(
            [("all", "all", 90, 1, 0.9, 0.91, 1.01, 0.9, 1.1), ("out of time", "all", 9, 1, 0.9, 0.8, 0.9, 0.8, 1.1)],
            schema=TOTAL_COLUMNS,
            orient="row",
        ),
    )  # fmt: skip
    assert read_lifetime(tmp_path) is None
    made.save(tmp_path)
    first = (tmp_path / LIFETIME_FILE).read_bytes()
    found = read_lifetime(tmp_path)
    assert found is not None
    assert found.as_dict() == made.as_dict()
    found.save(tmp_path)
    assert (tmp_path / LIFETIME_FILE).read_bytes() == first
    assert found.figures()["lifetime_over_expected"] == 1.01
    assert found.figures()["lifetime_over_expected_out_of_time_low"] == 0.8
