from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from churnrisk.simulate import WorldSettings
from churnrisk.simulate.clock import LEAD_IN_DAYS, NEVER, Clock


@pytest.mark.parametrize("days", [28, 30, 90, 365, 366])
def test_months_follow_each_other_without_gap_from_the_lead_in_to_the_end(days: int) -> None:
    months = list(Clock.of(WorldSettings(days=days)).months())
    assert months[0].start == -LEAD_IN_DAYS
    assert months[-1].end == days
    assert all(earlier.end == later.start for earlier, later in pairwise(months))
    assert [month.is_written for month in months] == [month.start >= 0 for month in months]


def test_a_year_that_ends_with_june_has_twelve_whole_months() -> None:
    written = [month for month in Clock.of(WorldSettings(days=365)).months() if month.is_written]
    assert [month.name for month in written][:2] == ["2025-07", "2025-08"]
    assert len(written) == 12
    assert all(month.is_whole for month in written)


def test_a_month_cut_by_the_beginning_or_the_end_is_not_whole() -> None:
    clock = Clock.of(WorldSettings(days=60, end_on=date(2026, 6, 15)))
    written = [(month.name, month.is_whole) for month in clock.months() if month.is_written]
    assert written == [("2026-04", False), ("2026-05", True), ("2026-06", False)]


def test_a_day_that_never_comes_has_no_date() -> None:
    clock = Clock(date(2026, 1, 1), 100)
    days = clock.days_of(np.array([0, 31, NEVER, NEVER + 5]))
    assert [str(day) for day in days] == ["2026-01-01", "2026-02-01", "NaT", "NaT"]


def test_instants_count_seconds_from_the_first_day() -> None:
    clock = Clock(date(2026, 1, 1), 100)
    assert str(clock.instants_of(np.array([86_400 + 61]))[0]) == "2026-01-02T00:01:01.000000"
