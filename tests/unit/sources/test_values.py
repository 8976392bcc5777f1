"""What is understood as a date, a number, a yes, an id, and what is not."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from churnrisk.config import SourceSettings, TimeSettings
from churnrisk.sources.values import (
    Spelling,
    as_text,
    read_flag,
    read_id,
    read_instant,
    read_number,
    read_whole,
    stripped,
)


def spelling(zone: str | None = "UTC", **settings: object) -> Spelling:
    """Return how a source spells, by its settings."""
    return Spelling(SourceSettings.model_validate({"path": "x", **settings}), TimeSettings(zone=zone))


def at(text: str, **settings: object) -> datetime | None:
    """Read one time."""
    found = read_instant(pl.Series([text]), spelling(**settings)).values[0]  # type: ignore[arg-type]
    assert found is None or isinstance(found, datetime)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-03", datetime(2026, 2, 3)),
        ("20260203", datetime(2026, 2, 3)),
        ("2026-02-03 04:05", datetime(2026, 2, 3, 4, 5)),
        ("2026-02-03T04:05", datetime(2026, 2, 3, 4, 5)),
        ("2026-02-03 04:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026-02-03T04:05:06.789", datetime(2026, 2, 3, 4, 5, 6, 789000)),
        ("2026-02-03T04:05:06Z", datetime(2026, 2, 3, 4, 5, 6)),
        ("2026-02-03T04:05:06.5+03:00", datetime(2026, 2, 3, 1, 5, 6, 500000)),
        ("2026-02-03 04:05:06+0300", datetime(2026, 2, 3, 1, 5, 6)),
        ("2026-02-03 04:05:06 +03", datetime(2026, 2, 3, 1, 5, 6)),
        ("2026-02-03T04:05-05:30", datetime(2026, 2, 3, 9, 35)),
        ("2026-02-30", None),
        ("03.02.2026", None),
        ("02/03/2026", None),
        ("yesterday", None),
        ("2026", None),
    ],
)
def test_iso_8601_is_understood_and_nothing_that_could_mean_two_days(
    text: str, expected: datetime | None
) -> None:
    assert at(text) == expected


def test_a_column_may_mix_spellings() -> None:
    given = pl.Series(["2026-02-03", None, "2026-02-03T04:05:06Z", "x", "2026-02-03 04:05"])
    read = read_instant(given, spelling())
    assert read.values.to_list() == [
        datetime(2026, 2, 3), None, datetime(2026, 2, 3, 4, 5, 6), None, datetime(2026, 2, 3, 4, 5),
    ]  # fmt: skip
    assert [fault.mask.to_list() for fault in read.faults if fault.code == "date_unreadable"] == [
        [False, False, False, True, False]
    ]


def test_a_declared_format_replaces_iso() -> None:
    assert at("03.02.2026 04:05", date_format="%d.%m.%Y %H:%M") == datetime(2026, 2, 3, 4, 5)
    assert at("02/03/26", date_format="%m/%d/%y") == datetime(2026, 2, 3)
    assert at("2026-02-03", date_format="%d.%m.%Y") is None
    assert at("12/31/2025 02:00:00 PM", date_format="%m/%d/%Y %I:%M:%S %p") == datetime(2025, 12, 31, 14)


def test_numbers_are_times_only_when_their_origin_is_declared() -> None:
    assert read_instant(pl.Series([1767225600]), spelling()).values.to_list() == [None]
    assert read_instant(pl.Series([1767225600]), spelling(date_format="epoch_s")).values[0] == datetime(
        2026, 1, 1
    )
    assert read_instant(pl.Series([0.25]), spelling(date_format="epoch_s")).values[0] == datetime(
        1970, 1, 1, 0, 0, 0, 250000
    )
    assert read_instant(pl.Series([10**17]), spelling(date_format="epoch_s")).values.to_list() == [None]


def test_a_day_is_the_local_day_of_a_time() -> None:
    given = pl.Series(["2026-01-01T22:00:00Z", "2026-01-02 01:00:00", "2026-01-02"])
    read = read_instant(given, spelling("Asia/Shanghai"), is_day=True)
    assert read.values.to_list() == [datetime(2026, 1, 1, 16)] * 3


def test_types_of_columns_are_believed() -> None:
    assert read_instant(pl.Series([date(2026, 1, 1)]), spelling("Asia/Tokyo")).values[0] == datetime(
        2025, 12, 31, 15
    )
    zoned = pl.Series([datetime(2026, 1, 1, 12)]).dt.replace_time_zone("Asia/Tokyo")
    assert read_instant(zoned, spelling(None)).values[0] == datetime(2026, 1, 1, 3)
    assert read_instant(pl.Series([datetime(2026, 1, 1)]), spelling(None)).needs_zone
    assert not read_instant(zoned, spelling(None)).needs_zone


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("1.5", ".", 1.5), ("-2", ".", -2.0), ("1e3", ".", 1000.0), ("1,234.5", ".", 1234.5), ("1 234", ".", 1234.0),
        ("1'234.5", ".", 1234.5), ("1,5", ".", None), ("12,34", ".", None), ("nan", ".", None), ("inf", ".", None),
        ("1,5", ",", 1.5), ("1.234,5", ",", 1234.5), ("1\u00a0234,5", ",", 1234.5), ("1.5", ",", None),
        ("1.234", ",", 1234.0),
        ("five", ",", None), ("$5", ".", None),
    ],
)  # fmt: skip
def test_numbers_are_read_with_the_declared_decimal_sign_only(
    text: str, decimal: str, expected: float | None
) -> None:
    assert read_number(pl.Series([text]), decimal).values.to_list() == [expected]


def test_whole_numbers_may_be_written_with_a_point() -> None:
    read = read_whole(pl.Series(["3", "3.0", "3.5", "x"]), ".")
    assert read.values.to_list() == [3, 3, None, None]
    assert {fault.code: fault.mask.to_list() for fault in read.faults} == {
        "number_unreadable": [False, False, False, True],
        "not_whole": [False, False, True, False],
    }


@pytest.mark.parametrize(
    ("text", "expected"), [("Yes", True), ("0", False), ("ДА", True), ("否", False), ("perhaps", None)]
)
def test_yes_and_no_in_several_languages(text: str, expected: bool | None) -> None:
    assert read_flag(pl.Series([text])).values.to_list() == [expected]


def test_ids_stay_text_and_whole_floats_lose_their_point() -> None:
    assert read_id(pl.Series(["00123", "12.0", "№7"]), None).values.to_list() == ["00123", "12.0", "№7"]
    assert read_id(pl.Series([123.0, None]), None).values.to_list() == ["123", None]
    assert read_id(pl.Series([2.0**53]), None).values.to_list() == [None]
    assert read_id(pl.Series(["7", "a7", "123456"]), 5).values.to_list() == ["00007", "a7", "123456"]
    assert read_id(pl.Series([7]), 3, "x-").values.to_list() == ["x-007"]


def test_values_that_mean_unknown_are_null_in_any_type() -> None:
    unknown = frozenset({"", "999", "NA"})
    assert stripped(pl.Series([" a ", "", " NA ", None]), unknown).to_list() == ["a", None, None, None]
    assert stripped(pl.Series([999.0, 1.0, float("nan")]), unknown).to_list() == [None, 1.0, None]
    assert stripped(pl.Series([999, 1]), unknown).to_list() == [None, 1]
    assert stripped(pl.Series(["x"], dtype=pl.Categorical), unknown).to_list() == ["x"]


def test_unknown_values_can_be_declared_for_all_columns_or_each() -> None:
    assert spelling(missing=["NA", 0]).missing("any") == {"", "NA", "0"}
    assert spelling(missing={"A": ["-"], "b": 7}).missing("A", "a") == {"", "-"}
    assert spelling(missing={"A": ["-"], "b": 7}).missing("B", "b") == {"", "7"}


def test_numbers_become_text_without_a_needless_point() -> None:
    assert as_text(pl.Series([1.0, 1.5, None])).to_list() == ["1", "1.5", None]
    assert as_text(pl.Series([True])).to_list() == ["true"]
