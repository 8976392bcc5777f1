"""Volumes, partners and silence, by hand. As of 2026-03-31, UTC: 30 days back is 2026-03-02, 90 is 2026-01-01."""

from datetime import date
from pathlib import Path

import pytest

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from tests.spec.features.drawn import features_of, lake, shown

CUSTOMERS = """
customer_key | joined_at  | may_use_calls
0            | 2025-01-01 | yes
1            | 2025-01-01 | yes
2            | 2025-01-01 | no
3            | 2025-01-01 | yes
4            | 2026-05-01 | yes
"""
# -5 is a contact outside the base; 4 becomes a customer later; 2 does not allow the use of calls.
# The first is on a Monday, the second on Saturday night, the fourth on Sunday night.
CALLS = """
caller_key | callee_key | started_at          | duration_s | is_missed | kind  | known_at
0          | 1          | 2026-03-30 10:00    | 60         | no        | voice | 2026-03-30 10:00
0          | 1          | 2026-03-28 23:00    | 30         | no        | voice | 2026-03-28 23:00
1          | 0          | 2026-03-02 00:00    |            | yes       | voice | 2026-03-02 00:00
0          | -5         | 2026-03-01 23:59    | 100        | no        | voice | 2026-03-01 23:59
0          | 4          | 2026-01-01 00:00    |            | no        | sms   | 2026-01-01 00:00
0          | 1          | 2025-12-31 23:59    | 10         | no        | voice | 2025-12-31 23:59
0          | 2          | 2026-03-30 12:00    | 60         | no        | voice | 2026-03-30 12:00
1          | 0          | 2026-04-01 00:00    | 60         | no        | voice | 2026-04-01 00:00
1          | 0          | 2026-03-31 12:00    | 60         | no        | voice | 2026-04-01 00:00
"""


def test_volumes_count_both_ends_of_what_happened_and_was_known(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=CALLS))
    names = (
        "n_calls_out_30d",
        "n_calls_in_30d",
        "n_calls_out_90d",
        "n_calls_in_90d",
        "n_calls_missed_in_30d",
    )
    assert shown(found, *names) == [
        ("c0", 2, 1, 4, 1, 1),
        ("c1", 1, 2, 1, 2, 0),
        ("c2", None, None, None, None, None),
        ("c3", 0, 0, 0, 0, 0),
    ]
    assert shown(found, "call_seconds_out_30d", "call_seconds_in_30d", "call_seconds_90d") == [
        ("c0", 90, 0, 190),
        ("c1", 0, 90, 90),
        ("c2", None, None, None),
        ("c3", 0, 0, 0),
    ]


def test_shares_are_of_the_contacts_of_90_days_and_undefined_without_any(
    engine: Engine, tmp_path: Path
) -> None:
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=CALLS))
    shares = [f"share_calls_{name}_90d" for name in ("missed", "out", "night", "weekend", "text", "offnet")]
    assert shown(found, *shares) == [
        ("c0", 1 / 5, 4 / 5, 4 / 5, 2 / 5, 1 / 5, 2 / 5),
        ("c1", 1 / 3, 1 / 3, 2 / 3, 1 / 3, 0.0, 0.0),
        ("c2", *[None] * 6),
        ("c3", *[None] * 6),
    ]


def test_trend_days_partners_and_silence(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=CALLS))
    # c0: 3 contacts in 30 days, 2 in the 60 before: (3 / 30) / (2 / 60) = 3
    assert shown(found, "calls_trend_30d", "n_active_days_30d", "n_active_days_90d") == [
        ("c0", 3.0, 3, 5),
        ("c1", None, 3, 3),
        ("c2", None, None, None),
        ("c3", None, 0, 0),
    ]
    assert shown(found, "n_partners_30d", "n_partners_90d", "n_partners_new_30d") == [
        ("c0", 1, 3, 1),
        ("c1", 1, 1, 1),
        ("c2", None, None, None),
        ("c3", 0, 0, 0),
    ]
    assert shown(found, "days_since_contact", "days_since_contact_out") == [
        ("c0", 1, 1),
        ("c1", 1, 30),
        ("c2", None, None),
        ("c3", None, None),
    ]


def test_night_weekend_and_days_are_those_of_the_zone_before_and_after_the_clock_changes(
    engine: Engine, tmp_path: Path
) -> None:
    # Berlin is one hour ahead of UTC until Sunday 2026-03-29 02:00, two hours from then on.
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2026-03-28 21:30
    0          | 1          | 2026-03-30 20:30
    0          | 1          | 2026-03-30 04:30
    0          | 1          | 2026-03-27 23:30
    0          | 1          | 2026-03-29 22:30
    """
    # local: Sat 22:30 night; Mon 22:30 night; Mon 06:30; Sat 00:30 night; Mon 00:30 night: two days
    berlin = AsOf(date(2026, 3, 31), "Europe/Berlin")
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1", calls=calls), berlin)
    names = ("share_calls_night_90d", "share_calls_weekend_90d", "n_active_days_30d")
    assert shown(found, *names)[0] == ("c0", 4 / 5, 2 / 5, 2)


def test_a_source_without_durations_has_unknown_talk_time_not_none(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2026-03-28 21:30
    """
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1\n2", calls=calls))
    assert shown(found, "n_calls_out_30d", "call_seconds_90d") == [
        ("c0", 1, None),
        ("c1", 0, None),
        ("c2", 0, None),
    ]


@pytest.mark.parametrize(
    ("duration", "is_missed", "told"),
    [("", "no", (None, None)), ("0", "no", (0, 0.0)), ("", "yes", (1, 0.5))],
    ids=["no row tells", "a duration tells", "a code tells"],
)
def test_where_no_row_tells_missed_from_answered_none_is_told_missed(
    engine: Engine, tmp_path: Path, duration: str, is_missed: str, told: tuple[int | None, float | None]
) -> None:
    calls = f"""
    caller_key | callee_key | started_at       | duration_s | is_missed
    0          | 1          | 2026-03-28 21:30 |            | no
    0          | 1          | 2026-03-29 21:30 | {duration} | {is_missed}
    """
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1\n2", calls=calls))
    names = ("n_calls_missed_in_30d", "share_calls_missed_90d")
    nobody = (None if told[0] is None else 0, None)
    assert shown(found, *names)[1:] == [("c1", *told), ("c2", *nobody)]


def test_a_refusal_at_the_consent_date_holds_for_the_past_and_for_the_partners_figures(
    engine: Engine, tmp_path: Path
) -> None:
    tables = lake(
        tmp_path,
        customers="""
        customer_key | valid_from | may_use_calls
        0            | 2024-01-01 | yes
        0            | 2026-05-01 | no
        1            | 2024-01-01 | yes
        2            | 2024-01-01 | yes
        """,
        calls="""
        caller_key | callee_key | started_at
        0          | 1          | 2026-03-28 21:30
        1          | 2          | 2026-03-28 21:30
        """,
    )
    names = ("n_calls_out_30d", "n_calls_in_30d", "n_ties")
    assert shown(features_of(engine, tables), *names) == [("c0", 1, 0, 1), ("c1", 1, 1, 2), ("c2", 0, 1, 1)]
    later = features_of(engine, tables, consent_as_of=AsOf(date(2026, 6, 1)))
    assert shown(later, *names) == [("c0", None, None, None), ("c1", 1, 0, 1), ("c2", 0, 1, 1)]


def test_nothing_older_than_the_history_is_read(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at
    0          | 1          | 2025-04-01 00:00
    2          | 3          | 2025-03-31 23:59
    """
    found = features_of(engine, lake(tmp_path, customers="customer_key\n0\n1\n2\n3", calls=calls))
    assert found.frame["days_since_contact"].to_list() == [365, 365, None, None]
