# ruff: noqa: E501 - tables are drawn in lines
"""Ids are text; every fact has two dates; people outside the base have only a hash."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from churnrisk.sources.keys import forget, known_keys
from tests.spec.sources.drawn import HEAD, drawn, drawn_workspace, loaded_from, rows, table

EVENTS = '[sources.events]\npath = "e.csv"\n'


def keys_of(loaded_ids: pl.DataFrame) -> dict[str, int]:
    """Return key by id."""
    return dict(zip(loaded_ids["customer_id"], loaded_ids["customer_key"], strict=True))


def test_leading_zeros_stay_and_join_numbers_only_when_the_mapping_says_so(tmp_path: Path) -> None:
    settings = (
        '[sources.customers]\npath = "p.csv"\n[sources.usage]\npath = "u.parquet"\nmax_bad_share = 0.9\n'
    )
    files: dict[str, str | bytes] = {
        "p.csv": "customer_id,joined_on\n00123,2020-01-01\n123,2020-01-01\n00007,2020-01-01\n"
    }
    for name in ("plain", "padded"):
        (tmp_path / name).mkdir()
        pl.DataFrame(
            {"customer_id": [123.0, 7.0], "period_start": ["2026-01-01"] * 2, "mb": [1.0, 2.0]}
        ).write_parquet(tmp_path / name / "u.parquet")
    plain = drawn(tmp_path / "plain", settings, files)
    keys = keys_of(table(plain, "keys"))
    assert set(keys) == {"00007", "00123", "123"}
    assert table(plain, "usage")["customer_key"].to_list() == [keys["123"]]
    assert plain.reports["usage"].by_code() == {"unknown_customer": 1}
    padded = drawn(tmp_path / "padded", settings + "id_digits = 5\n", files)
    assert table(padded, "usage")["customer_key"].to_list() == [keys["00007"], keys["00123"]]


def test_keys_are_dense_in_the_order_of_ids_and_never_change(tmp_path: Path) -> None:
    customers = '[sources.customers]\npath = "p.csv"\n'
    first = drawn(tmp_path, customers, {"p.csv": "customer_id\nbob\nzoe\n"})
    assert keys_of(table(first, "keys")) == {"bob": 0, "zoe": 1}
    second = drawn(tmp_path, customers, {"p.csv": "customer_id\nann\nzoe\n"})
    assert keys_of(table(second, "keys")) == {"bob": 0, "zoe": 1, "ann": 2}
    assert table(second, "customers")["customer_key"].to_list() == [1, 2]


def test_a_forgotten_customer_gets_a_new_key_and_the_old_one_is_never_given_again(tmp_path: Path) -> None:
    workspace = drawn_workspace(tmp_path, "", {})
    loaded_from(workspace)
    assert forget(workspace.lake, "cid")
    assert not forget(workspace.lake, "cid")
    assert known_keys(workspace.lake).rows() == [(0, "ann"), (1, "bob"), (2, None)]
    again = loaded_from(workspace)
    assert table(again, "customers")["customer_key"].to_list() == [0, 1, 3]


def test_contacts_outside_the_base_are_negative_keyed_hashes(tmp_path: Path) -> None:
    settings = '[sources.calls]\npath = "c.csv"\n'
    files: dict[str, str | bytes] = {
        "c.csv": "caller_id,callee_id,started_at\nann,+7 900 000,2026-01-01\n+7 900 000,bob,2026-01-02\n"
    }
    loaded = drawn(tmp_path / "a", settings, files)
    calls = table(loaded, "calls")
    stranger = calls["caller_key"].min()
    assert isinstance(stranger, int)
    assert stranger < 0
    assert sorted(calls["callee_key"].to_list()) == [stranger, 1]
    assert b"900 000" not in b"".join(
        path.read_bytes() for path in (tmp_path / "a" / "lake").rglob("*.parquet")
    )
    other = loaded_from(
        drawn_workspace(tmp_path / "b", settings, files), environment={"CONTACT_KEY": "another key"}
    )
    assert table(other, "calls")["caller_key"].min() != stranger


def test_times_with_an_offset_become_utc_and_local_ones_are_meant_in_the_declared_zone(
    tmp_path: Path,
) -> None:
    given = (
        "customer_id,at,event\nann,2026-07-01T12:00:00+03:00,offset\nann,2026-07-01T12:00:00Z,utc\n"
        "ann,2026-07-01 12:00:00,local\nann,2026-07-01,day\nann,2026-10-25 02:30:00,twice\n"
    )
    loaded = drawn(tmp_path, EVENTS + 'zone = "Europe/Berlin"\n', {"e.csv": given})
    assert {event: (at, known) for event, at, known in rows(loaded, "events", "event", "at", "known_at")} == {
        "offset": ("2026-07-01T09:00:00", "2026-07-01T09:00:00"),
        "utc": ("2026-07-01T12:00:00", "2026-07-01T12:00:00"),
        "local": ("2026-07-01T10:00:00", "2026-07-01T10:00:00"),
        "day": ("2026-06-30T22:00:00", "2026-07-01T21:59:59.999999"),
        "twice": ("2026-10-25T00:30:00", "2026-10-25T00:30:00"),  # the earlier of the two
    }


def test_a_day_begins_where_the_clocks_let_it(tmp_path: Path) -> None:
    """In Sao Paulo of 2018 midnight of 4 November was skipped: the day begins at 1:00, 3:00 in UTC."""
    given = "customer_id,at,event\nann,2018-11-04,x\n"
    loaded = drawn(tmp_path, EVENTS + 'zone = "America/Sao_Paulo"\n', {"e.csv": given})
    assert rows(loaded, "events", "at", "known_at") == [("2018-11-04T03:00:00", "2018-11-05T01:59:59.999999")]


def test_numbers_of_seconds_count_from_the_epoch_or_a_declared_origin(tmp_path: Path) -> None:
    given = "customer_id,at,event\nann,60,x\n"
    for name, setting, expected in (
        ("s", 'date_format = "epoch_s"', "1970-01-01T00:01:00"),
        ("ms", 'date_format = "epoch_ms"', "1970-01-01T00:00:00.060000"),
        ("o", "time_origin = 2014-02-02T00:00:00+01:00", "2014-02-01T23:01:00"),
    ):
        loaded = drawn(tmp_path / name, f"{EVENTS}{setting}\n", {"e.csv": given})
        assert rows(loaded, "events", "at") == [(expected,)]


def test_known_at_comes_from_its_column_else_from_the_delay(tmp_path: Path) -> None:
    given = "customer_id,at,event,known_at\nann,2026-01-01T10:00:00,a,2026-01-05T00:00:00\nann,2026-01-01T10:00:00,b,\n"
    loaded = drawn(tmp_path, EVENTS + "delay_days = 1.5\n", {"e.csv": given})
    assert rows(loaded, "events", "known_at") == [("2026-01-05T00:00:00",), ("2026-01-02T22:00:00",)]


def test_a_call_is_known_when_it_ended_and_a_missed_one_at_once(tmp_path: Path) -> None:
    given = "caller_id,callee_id,started_at,duration_s\nann,bob,2026-01-01T23:59:00,120\nann,cid,2026-01-01T23:59:00,-1\n"
    loaded = drawn(tmp_path, '[sources.calls]\npath = "c.csv"\n', {"c.csv": given})
    assert rows(loaded, "calls", "duration_s", "is_missed", "known_at") == [
        (120, False, "2026-01-02T00:01:00"),
        (None, True, "2026-01-01T23:59:00"),
    ]


def test_a_period_is_known_at_its_end_in_the_zone_of_days(tmp_path: Path) -> None:
    given = "customer_id,period_start,revenue,minutes\nann,2026-02-01,10,\nbob,2026-02-01,0,5\n"
    settings = '[sources.usage]\npath = "u.csv"\n'
    loaded = drawn(tmp_path, settings, {"u.csv": given}, HEAD.replace('"UTC"', '"Asia/Shanghai"'))
    assert rows(loaded, "usage", "metric", "value", "period_start", "known_at") == [
        ("revenue", 10.0, "2026-01-31T16:00:00", "2026-02-28T15:59:59.999999"),
        ("minutes", 5.0, "2026-01-31T16:00:00", "2026-02-28T15:59:59.999999"),
        ("revenue", 0.0, "2026-01-31T16:00:00", "2026-02-28T15:59:59.999999"),
    ]


def test_columns_of_usage_that_hold_no_numbers_are_left_out_with_a_warning(tmp_path: Path) -> None:
    given = "customer_id,period_start,revenue,plan\nann,2026-02-01,10,gold\n"
    loaded = drawn(tmp_path, '[sources.usage]\npath = "u.csv"\n', {"u.csv": given})
    assert table(loaded, "usage")["metric"].to_list() == ["revenue"]
    assert loaded.warnings == ("usage: left out, since they hold no numbers: plan.",)


@pytest.mark.parametrize(
    ("period", "known_at"),
    [
        ("day", "2026-02-01T23:59:59.999999"),
        ("week", "2026-02-07T23:59:59.999999"),
        ("quarter", "2026-04-30T23:59:59.999999"),
    ],
)
def test_the_length_of_a_period_is_a_setting(tmp_path: Path, period: str, known_at: str) -> None:
    given = "customer_id,period_start,revenue\nann,2026-02-01,10\n"
    settings = f'[sources.usage]\npath = "u.csv"\n{"period"} = "{period}"\n'
    loaded = drawn(tmp_path, settings, {"u.csv": given})
    assert rows(loaded, "usage", "known_at") == [(known_at,)]
