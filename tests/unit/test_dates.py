"""The calendar turns local days into UTC instants."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.dates import AsOf, days_between, last_complete_day, local_midnight, parsed_day, zone_named
from churnrisk.errors import ConfigError, UsageError

ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Moscow", "America/St_Johns", "Australia/Lord_Howe"])
DAYS = st.dates(date(1990, 1, 1), date(2035, 12, 31))


def test_an_as_of_day_ends_at_the_next_local_midnight() -> None:
    assert AsOf(date(2026, 6, 30), "Asia/Shanghai").instant == datetime(2026, 6, 30, 16)


def test_a_window_over_the_start_of_summer_time_is_an_hour_short() -> None:
    as_of = AsOf(date(2026, 3, 29), "Europe/Berlin")
    assert as_of.instant - as_of.days_before(1) == timedelta(hours=23)


@given(DAYS, ZONES, st.integers(0, 400))
def test_the_window_of_n_days_begins_where_the_as_of_n_days_earlier_ends(
    day: date, zone: str, n: int
) -> None:
    assert AsOf(day, zone).days_before(n) == AsOf(day - timedelta(days=n), zone).instant


@given(DAYS, ZONES)
def test_a_day_is_complete_at_its_end_and_not_a_moment_before(day: date, zone: str) -> None:
    zone_info = zone_named(zone)
    end = local_midnight(day + timedelta(days=1), zone_info)
    assert last_complete_day(end, zone) == day
    assert last_complete_day(end - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_window_parameters_name_every_window_and_the_as_of() -> None:
    parameters = AsOf(date(2026, 1, 31)).window_parameters()
    assert parameters["as_of"] == datetime(2026, 2, 1)
    assert parameters["from_30d"] == datetime(2026, 1, 2)


def test_days_between_holds_both_ends() -> None:
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]


def test_an_unreadable_day_says_where_and_how_to_write_it() -> None:
    with pytest.raises(UsageError, match=r"--as-of: expected a day as YYYY-MM-DD, found '30.06.2026'"):
        parsed_day("30.06.2026", "--as-of")


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
def test_a_day_out_of_all_reason_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="between 1971-01-01 and 2199-12-31"):
        parsed_day(text, "--as-of")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_zone_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        zone_named(name)
    assert caught.value.codes == ("zone_unknown",)
