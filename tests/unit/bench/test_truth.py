"""The truth by which simulated worlds are judged: what people do adds up to it, and earlier actions are in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.simulate import WorldSettings, simulate
from churnrisk.simulate.course import LONGEST_LAG_DAYS, SHORTEST_LAG_DAYS
from tests.bench.truth import (
    GAP_DAYS,
    HAZARD_RATIO,
    HORIZON_DAYS,
    LAG_DAYS,
    LASTING_DAYS,
    NO_ACTIONS,
    share_leaving,
    true_risk,
)
from training.rows import Rows

DAY = date(2026, 1, 5)


def rows_at(day: date, customers: list[str], left: list[float]) -> Rows:
    return Rows(
        pl.DataFrame({"x": [0.0] * len(customers)}),
        np.array(left),
        np.ones(len(customers)),
        np.array(customers, dtype=object),
        np.array([day.isoformat()] * len(customers), dtype=object),
    )


def weekly_hazard(customers: list[str], rate: float, weeks: int = 7) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (name, DAY + timedelta(days=7 * week), float(np.log(rate)))
            for name in customers
            for week in range(weeks)
        ],
        schema={"customer_id": pl.String(), "day": pl.Date(), "log_hazard": pl.Float64()},
        orient="row",
    )


@pytest.mark.parametrize("days", [0, 7, 14, 28, 35, 42])
def test_the_share_that_leaves_in_the_window_is_that_of_many_draws(days: int) -> None:
    rng = np.random.default_rng(days)
    n = 400_000
    lag = np.minimum(SHORTEST_LAG_DAYS + rng.exponential(LAG_DAYS - SHORTEST_LAG_DAYS, n), LONGEST_LAG_DAYS)
    leaves = days + rng.integers(0, 7, n) + lag.astype(np.int64)
    drawn = ((leaves > GAP_DAYS) & (leaves <= GAP_DAYS + HORIZON_DAYS)).mean()
    assert share_leaving(days) == pytest.approx(float(drawn), abs=0.003)


def test_an_action_before_the_date_lowers_the_hazard_while_it_works_and_a_later_one_never_does() -> None:
    rows = rows_at(DAY, ["plain", "earlier", "long ago", "later"], [0, 0, 0, 0])
    at = {"earlier": 7, "long ago": LASTING_DAYS, "later": -3}
    actions = pl.DataFrame(
        {
            "customer_id": list(at),
            "at": [datetime(2026, 1, 5, 10) - timedelta(days=days) for days in at.values()],
        }
    )
    found = true_risk(rows, weekly_hazard(rows.customer.tolist(), 0.01), actions)
    plain = sum(-np.expm1(-0.01) * share_leaving(days) for days in range(0, 44, 7))
    lowered = sum(
        -np.expm1(-0.01 * (HAZARD_RATIO if days + 7 < LASTING_DAYS else 1.0)) * share_leaving(days)
        for days in range(0, 44, 7)
    )
    assert found == pytest.approx([plain, lowered, plain, plain])


def test_who_has_decided_counts_as_what_they_did() -> None:
    rows = rows_at(DAY, ["open", "leaves", "leaves later"], [0, 1, 0])
    found = true_risk(rows, weekly_hazard(["open"], 0.02), NO_ACTIONS)
    assert found[1:].tolist() == [1.0, 0.0]
    assert 0 < found[0] < 0.1


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same world with the truth of every week, and with that of the first week of each month."""
    made = []
    for is_weekly in (True, False):
        settings = WorldSettings(
            customers=8_000,
            days=300,
            calls_per_day=0.02,
            monthly_churn=0.05,
            decision_lag_days=LAG_DAYS,
            seed=4,
            weekly_truth=is_weekly,
        )
        root = tmp_path_factory.mktemp("world")
        simulate(root, settings)
        made.append(root / "truth")
    return made[0], made[1]


def test_writing_the_truth_of_every_week_changes_nothing_that_happens(played: tuple[Path, Path]) -> None:
    weekly, monthly = (pl.read_parquet(truth / "hazard" / "*.parquet") for truth in played)
    assert weekly["day"].n_unique() > 4 * monthly["day"].n_unique()
    seldom = weekly.join(monthly.select("day").unique(), on="day", how="semi")
    order = ["day", "customer_id"]
    assert seldom.sort(order).equals(monthly.sort(order))
    people = [pl.read_parquet(truth / "people" / "*.parquet") for truth in played]
    assert people[0].equals(people[1])
    assert (played[0] / "parameters.json").read_bytes() == (played[1] / "parameters.json").read_bytes()


def test_what_people_do_adds_up_to_the_true_risk(played: tuple[Path, Path]) -> None:
    hazard = pl.read_parquet(played[0] / "hazard" / "*.parquet")
    people = pl.read_parquet(played[0] / "people" / "*.parquet")
    observed, expected = 0, 0.0
    for day in hazard["day"].unique().sort().to_list()[8:-8:6]:
        here = people.filter(
            pl.col("joined_on") <= day,
            pl.col("left_on").is_null() | (pl.col("left_on") > day),
            pl.col("left_known_on").is_null() | (pl.col("left_known_on") > day),
        )
        after = (pl.col("left_on") - pl.lit(day)).dt.total_days()
        left = here.select(((after > GAP_DAYS) & (after <= GAP_DAYS + HORIZON_DAYS)).fill_null(value=False))
        rows = rows_at(day, here["customer_id"].to_list(), left.to_series().cast(pl.Float64).to_list())
        observed += int(rows.left.sum())
        expected += float(true_risk(rows, hazard, NO_ACTIONS).sum())
    assert observed > 800
    assert abs(observed - expected) < 3 * observed**0.5
