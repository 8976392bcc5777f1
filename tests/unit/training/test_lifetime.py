"""How fast risks fade is found where it was planted, and survival is counted as a plain loop counts it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from churnrisk.bundle import Band
from churnrisk.bundle.lifetime import ALL, EVERY, MONTH_DAYS, OUT_OF_TIME, Lifetime
from training.fates import FATE_COLUMNS
from training.lifetime import RHO_ASSUMED, lifetime_study

HORIZON = 30.0
LOG_ODDS = math.log(0.03 / 0.97)
BANDS = tuple(Band(name, start, 10, None, None, None) for name, start in (("low", 0.0), ("high", 0.06)))
Drawn = tuple[pl.DataFrame, pl.DataFrame]


def drawn(*, rho: float, n: int = 4000, looks: int = 6, seed: int = 1, wrong: float = 1.0) -> Drawn:
    """Customers whose distance from the average fades by ``rho`` every 30 days; all risks are true x ``wrong``."""
    rng = np.random.default_rng(seed)
    cohorts, fates = [], []
    for look in range(looks):
        away = rng.normal(-0.4, 1.0, n)
        months = looks - look
        hazard = 1 / (1 + np.exp(-(LOG_ODDS + away[:, None] * rho ** np.arange(months))))
        leaves = rng.random((n, months)) < hazard
        gone = leaves.any(axis=1)
        left_days = np.where(gone, 30 * leaves.argmax(axis=1) + 30 * rng.random(n), np.nan)
        day = f"2026-{look + 1:02}-01"
        ids = [f"c{number:05}" for number in range(look * n // 2, look * n // 2 + n)]
        risk = np.minimum(hazard[:, 0] * wrong, 0.95)
        who = pl.DataFrame({"customer_id": ids, "as_of": [day] * n})
        cohorts.append(
            who.with_columns(risk=pl.Series(risk), weight=pl.lit(1.0), is_tested=pl.lit(look >= looks - 2))
        )
        fates.append(
            who.with_columns(
                left_days=pl.Series(left_days).fill_nan(None),
                followed_days=pl.lit(30.0 * months),
                taught_days=pl.lit(30.0 * (months - 2)),
            )
        )
    return pl.concat(cohorts), pl.concat(fates)


def study(given: Drawn) -> Lifetime:
    return lifetime_study(*given, horizon_days=HORIZON, base_rate=0.04, bands=BANDS, seed=3)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 1.0])
def test_how_fast_risks_fade_is_found_within_its_interval(rho: float) -> None:
    found = study(drawn(rho=rho))
    planted = rho ** (MONTH_DAYS / HORIZON)
    assert found.source == "measured"
    assert found.rho_low - 0.02 <= planted <= found.rho_high + 0.02
    assert found.rho_high - found.rho_low < 0.5
    every = found.totals.filter(pl.col("band") == EVERY)
    assert every["cohorts"].to_list() == [OUT_OF_TIME, ALL]
    assert every.select((pl.col("low") < 1.01).all() & (pl.col("high") > 0.99).all()).item()


def test_the_long_run_hazard_is_found_where_risks_fade() -> None:
    found = study(drawn(rho=0.5, n=8000))
    monthly = 1 - (1 - 0.03) ** (MONTH_DAYS / HORIZON)
    assert found.base == pytest.approx(monthly, rel=0.1)


def test_lifetimes_from_risks_twice_too_high_are_seen_to_be_too_short() -> None:
    found = study(drawn(rho=0.9, wrong=2.0))
    row = found.totals.filter((pl.col("band") == EVERY) & (pl.col("cohorts") == OUT_OF_TIME)).row(
        0, named=True
    )
    assert row["realised"] > row["expected"]
    assert row["low"] > 1.0


def test_the_seed_of_a_study_gives_the_same_bytes_whatever_the_order_of_rows() -> None:
    cohorts, fates = drawn(rho=0.7, n=500)
    turned = (
        cohorts.sample(fraction=1.0, shuffle=True, seed=5),
        fates.sample(fraction=1.0, shuffle=True, seed=6),
    )
    assert study((cohorts, fates)).as_dict() == study(turned).as_dict()


def slow_kaplan_meier(days: NDArray[np.float64], followed: NDArray[np.float64]) -> list[float]:
    """Month by month: who is still followed and there, who of them leaves."""
    share, found = 1.0, []
    for month in range(int(followed.max() // 30)):
        there = [d for d, f in zip(days, followed, strict=True) if f >= 30 * (month + 1) and d >= 30 * month]
        gone = sum(d < 30 * (month + 1) for d in there)
        share *= 1 - gone / len(there)
        found.append(share)
    return found


def test_realised_survival_is_that_of_a_plain_loop_and_of_scipy() -> None:
    cohorts, fates = drawn(rho=0.7, n=400)
    both = cohorts.join(fates, on=["customer_id", "as_of"])
    days = both["left_days"].fill_null(math.inf).to_numpy()
    followed = both["followed_days"].to_numpy()
    told = study((cohorts, fates)).checks.filter((pl.col("band") == EVERY) & (pl.col("cohorts") == ALL))
    assert told["realised"].to_list() == pytest.approx(slow_kaplan_meier(days, followed))
    assert told["n"][0] == both.height
    # scipy in months: who leaves in month m dies at m, who is followed no further is censored there
    died = days < followed
    at = np.where(died, np.minimum(days, 1e9) // 30 + 1, followed // 30)
    curve = ecdf(CensoredData(uncensored=at[died], right=at[~died])).sf
    assert told["realised"].to_list() == pytest.approx(curve.evaluate(told["month"].to_numpy()).tolist())


def test_expected_survival_follows_everybody_as_long_as_they_could_have_been_followed() -> None:
    cohorts, fates = drawn(rho=0.7, n=60)
    found = study((cohorts, fates))
    both = cohorts.join(fates, on=["customer_id", "as_of"])
    share, slow = 1.0, []
    for month in range(6):
        there = gone = 0.0
        for risk, followed in both.select("risk", "followed_days").iter_rows():
            if followed < 30 * (month + 1):
                continue
            curve = found.survival(np.array([risk]), month + 1)[0]
            there += curve[month]
            gone += curve[month] - curve[month + 1]
        share *= 1 - gone / there
        slow.append(share)
    told = found.checks.filter((pl.col("band") == EVERY) & (pl.col("cohorts") == ALL))
    # months of 30 days against those of the calendar, and risks within a level taken for their mean
    assert told["expected"].to_list() == pytest.approx(slow[: told.height], abs=0.01)


def test_bands_are_judged_apart_and_add_up() -> None:
    found = study(drawn(rho=0.7))
    first = found.checks.filter((pl.col("cohorts") == ALL) & (pl.col("month") == 1))
    by_band = dict(first.select("band", "n").iter_rows())
    assert by_band["low"] + by_band["high"] == by_band[EVERY]
    lived = dict(first.select("band", "realised").iter_rows())
    assert lived["high"] < lived["low"]
    assert found.checks.select(
        pl.col("realised").is_between(0, 1).all() & (pl.col("low") <= pl.col("high")).all()
    ).item()


def test_with_too_few_later_leavings_the_speed_is_assumed_and_said_to_be() -> None:
    found = study(drawn(rho=0.7, n=40))
    assert (found.source, found.rho, found.rho_low, found.rho_high) == ("assumed", RHO_ASSUMED, 0.0, 1.0)
    assert "assumed, not measured" in found.said
    assert "50 are needed" in found.said
    assert found.base == pytest.approx(1 - 0.96 ** (MONTH_DAYS / HORIZON))


def test_where_nobody_was_followed_the_speed_is_assumed_and_there_is_nothing_to_compare() -> None:
    cohorts, _ = drawn(rho=0.7, n=40)
    found = study((cohorts, pl.DataFrame(schema=FATE_COLUMNS)))
    assert found.source == "assumed"
    assert "nobody was followed" in found.said
    assert found.checks.is_empty()
    assert found.totals.is_empty()
