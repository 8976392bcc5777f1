"""The calendar that SQL joins, on days when the clock changes and in zones of odd offsets."""

from datetime import date, datetime

import polars as pl
import pytest

from churnrisk.dates import AsOf
from features.quarters import quarter_hours


def at(frame: pl.DataFrame, instant: datetime) -> dict[str, object]:
    quarter = int((instant - datetime(1970, 1, 1)).total_seconds()) // 900
    return frame.row(by_predicate=pl.col("quarter") == quarter, named=True)


def test_days_have_as_many_quarters_as_they_are_long() -> None:
    # Berlin: 23 hours on 2026-03-29, 25 on 2025-10-26
    spring = quarter_hours(AsOf(date(2026, 3, 30), "Europe/Berlin"), 3)
    assert spring.group_by("days_ago").len().sort("days_ago")["len"].to_list() == [96, 92, 96]
    autumn = quarter_hours(AsOf(date(2025, 10, 26), "Europe/Berlin"), 2)
    assert autumn.group_by("days_ago").len().sort("days_ago")["len"].to_list() == [100, 96]


def test_the_calendar_ends_with_the_as_of_instant_and_has_no_hole() -> None:
    as_of = AsOf(date(2026, 3, 30), "Asia/Kathmandu")
    frame = quarter_hours(as_of, 5)
    assert frame["quarter"].diff().drop_nulls().unique().to_list() == [1]
    assert frame["quarter"].max() == int((as_of.instant - datetime(1970, 1, 1)).total_seconds()) // 900 - 1


def test_night_follows_the_wall_clock_through_the_change() -> None:
    frame = quarter_hours(AsOf(date(2026, 3, 30), "Europe/Berlin"), 3)
    # 2026-03-29 03:45 UTC is 05:45 summer time: night; 04:00 UTC is 06:00: day
    assert at(frame, datetime(2026, 3, 29, 3, 45))["is_night"] is True
    assert at(frame, datetime(2026, 3, 29, 4, 0))["is_night"] is False
    assert at(frame, datetime(2026, 3, 29, 20, 0))["is_night"] is True


@pytest.mark.parametrize(
    ("day", "is_weekend"), [(date(2026, 3, 27), False), (date(2026, 3, 28), True), (date(2026, 3, 29), True)]
)
def test_the_weekend_is_saturday_and_sunday(day: date, *, is_weekend: bool) -> None:
    assert quarter_hours(AsOf(day), 1)["is_weekend"].unique().to_list() == [is_weekend]


def test_each_of_ninety_days_has_one_bit_and_older_days_none() -> None:
    days = quarter_hours(AsOf(date(2026, 3, 31)), 100).unique("days_ago").sort("days_ago")
    assert days["recent_day_bit"].to_list() == [1 << day for day in range(30)] + [0] * 70
    assert days["earlier_day_bit"].to_list() == [0] * 30 + [1 << day for day in range(60)] + [0] * 10
