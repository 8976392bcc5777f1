"""Nothing is decided of days to come, by the clock; where the data lie ahead of it, their calendar counts."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from churnrisk.dates import AsOf
from churnrisk.errors import UsageError
from churnrisk.sources import LoadedSources, refuse_to_come
from tests.spec.sources.drawn import drawn_workspace, loaded_from

PEOPLE = "customer_id,joined_on,left_on\nann,2020-01-01,\nbob,2020-01-01,2031-02-01\n"
CALLS = "caller_id,callee_id,started_at\nann,bob,2026-01-01T10:00:00\nann,zoe,{}T12:00:00\n"
SURVEYS = "invitation_id,customer_id,metric,invited_at,answered_at,score\n1,ann,nps,2026-01-10,{},9\n"
BOTH = '[sources.calls]\npath = "c.csv"\n[sources.surveys]\npath = "s.csv"\n'
NOON = datetime(2026, 3, 31, 12)


def loaded(root: Path, last_call: str, last_answer: str) -> LoadedSources:
    surveys = SURVEYS.format(last_answer).replace("2026-01-10", last_answer)
    files: dict[str, str | bytes] = {"people.csv": PEOPLE, "c.csv": CALLS.format(last_call), "s.csv": surveys}
    return loaded_from(drawn_workspace(root, BOTH, files))


def test_today_and_earlier_days_are_decided_and_tomorrow_is_not(tmp_path: Path) -> None:
    found = loaded(tmp_path, "2026-03-30", "2026-03-30")
    for day in (date(2026, 3, 30), date(2026, 3, 31)):
        refuse_to_come(found, AsOf(day, "UTC"), NOON)
    with pytest.raises(UsageError) as refused:
        refuse_to_come(found, AsOf(date(2026, 4, 1), "UTC"), NOON)
    (fault,) = refused.value.faults
    assert (fault.code, fault.found, refused.value.exit_code) == ("as_of_to_come", "2026-04-01", 2)
    assert "2026-03-31" in fault.expected


def test_what_is_today_is_said_by_the_zone(tmp_path: Path) -> None:
    found = loaded(tmp_path, "2026-03-30", "2026-03-30")
    late = datetime(2026, 3, 31, 20)
    refuse_to_come(found, AsOf(date(2026, 4, 1), "Asia/Shanghai"), late)
    with pytest.raises(UsageError):
        refuse_to_come(found, AsOf(date(2026, 4, 1), "UTC"), late)


def test_simulated_data_are_decided_up_to_their_end_and_one_wrong_date_makes_none(tmp_path: Path) -> None:
    ahead = loaded(tmp_path / "ahead", "2030-06-30", "2030-06-20")
    refuse_to_come(ahead, AsOf(date(2030, 6, 30), "UTC"), NOON)
    with pytest.raises(UsageError):
        refuse_to_come(ahead, AsOf(date(2030, 7, 1), "UTC"), NOON)
    wrong = loaded(tmp_path / "wrong", "2030-06-30", "2026-03-20")
    with pytest.raises(UsageError):
        refuse_to_come(wrong, AsOf(date(2026, 4, 1), "UTC"), NOON)
