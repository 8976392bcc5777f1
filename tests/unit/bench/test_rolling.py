"""The calendar of the year that the retention benchmark judges: every season is learned from and judged, none twice."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from churnrisk.config import ChurnSettings, TrainingSettings
from churnrisk.dates import AsOf
from tests.bench.rolling import DATES_A_QUARTER, DATES_A_YEAR, EVERY_DAYS, year_ending

AS_OF = AsOf(date(2026, 6, 16))
REACH = timedelta(days=14 + 30)
"""From a date to the day its outcomes are known."""


def as_dates(days: tuple[str, ...]) -> list[date]:
    return [date.fromisoformat(day) for day in days]


def test_a_year_is_judged_once_at_even_steps_up_to_the_newest_known_outcomes() -> None:
    quarters, _ = year_ending(AS_OF, ChurnSettings(), TrainingSettings(), None)
    judged = [day for quarter in quarters for day in as_dates(quarter.judged)]
    assert [len(quarter.judged) for quarter in quarters] == list(DATES_A_QUARTER)
    assert len(judged) == DATES_A_YEAR
    assert {later - sooner for sooner, later in pairwise(judged)} == {timedelta(days=EVERY_DAYS)}
    assert judged[-1] + REACH == AS_OF.day


def test_each_training_learns_from_a_whole_year_known_on_the_first_date_it_is_judged_on() -> None:
    quarters, dates = year_ending(AS_OF, ChurnSettings(), TrainingSettings(), None)
    for quarter in quarters:
        learned = as_dates(quarter.learned)
        assert len(learned) == DATES_A_YEAR
        assert learned[-1] - learned[0] == timedelta(days=EVERY_DAYS * (DATES_A_YEAR - 1))
        assert learned[-1] + REACH <= as_dates(quarter.judged)[0]
    needed = {day for quarter in quarters for day in (*quarter.learned, *quarter.judged)}
    assert [str(found.as_of) for found in dates] == sorted(needed, reverse=True)


def test_facts_that_begin_too_late_for_a_whole_year_are_refused() -> None:
    with pytest.raises(ValueError, match="simulate more days"):
        year_ending(AS_OF, ChurnSettings(), TrainingSettings(), datetime(2025, 1, 1))
