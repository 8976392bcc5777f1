"""Whatever the delimiter, the character set, the header or the container: the same rows come out."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import create_engine, text

from tests.spec.sources.drawn import HASH_KEY, drawn, drawn_workspace, loaded_from, rejected, rows, table

RUSSIAN = (
    "клиент;когда;событие\nann;2026-01-01 10:00;жалоба на счёт и связь\nbob;2026-01-02 11:30;вход в кабинет\n"
)
CHINESE = "客户,时间,事件\nann,2026-01-01 10:00,投诉账单和网络\nbob,2026-01-02 11:30,登录网站\n"
RUSSIAN_MAP = 'columns = { customer_id = "клиент", at = "когда", event = "событие" }\n'
CHINESE_MAP = 'columns = { customer_id = "客户", at = "时间", event = "事件" }\n'
EVENTS = '[sources.events]\npath = "e.csv"\n'
AT = ("2026-01-01T10:00:00", "2026-01-02T11:30:00")
RUSSIAN_ROWS = [(AT[0], "жалоба на счёт и связь"), (AT[1], "вход в кабинет")]
CHINESE_ROWS = [(AT[0], "投诉账单和网络"), (AT[1], "登录网站")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1251", "koi8-r", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_russian_in_any_encoding_named_or_found(encoding: str, tmp_path: Path) -> None:
    raw = RUSSIAN.encode(encoding)
    named = drawn(tmp_path / "named", EVENTS + RUSSIAN_MAP + f'encoding = "{encoding}"\n', {"e.csv": raw})
    assert rows(named, "events", "at", "event") == RUSSIAN_ROWS
    long = (
        RUSSIAN + "".join(f"cid;2026-02-{day:02} 09:00;разговор с оператором\n" for day in range(1, 28))
    ).encode(encoding)
    found = drawn(tmp_path / "found", EVENTS + RUSSIAN_MAP, {"e.csv": long})
    assert rows(found, "events", "at", "event")[:2] == RUSSIAN_ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_chinese_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    settings = EVENTS + CHINESE_MAP + (f'encoding = "{encoding}"\n' if encoding == "gb18030" else "")
    loaded = drawn(tmp_path, settings, {"e.csv": CHINESE.encode(encoding)})
    assert rows(loaded, "events", "at", "event") == CHINESE_ROWS


def test_gb18030_is_found_and_said(tmp_path: Path) -> None:
    long = CHINESE + "".join(
        f"cid,2026-02-{day:02} 09:00,客户打电话询问上个月的账单和流量\n" for day in range(1, 28)
    )
    loaded = drawn(tmp_path, EVENTS + CHINESE_MAP, {"e.csv": long.encode("gb18030")})
    assert rows(loaded, "events", "at", "event")[:2] == CHINESE_ROWS
    assert any("Name encoding" in warning for warning in loaded.warnings)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^"])
def test_the_delimiter_is_found(mark: str, tmp_path: Path) -> None:
    text_ = RUSSIAN.replace(";", mark)
    loaded = drawn(tmp_path, EVENTS + RUSSIAN_MAP, {"e.csv": text_})
    assert rows(loaded, "events", "at", "event") == RUSSIAN_ROWS


@pytest.mark.parametrize("mark", ["¦", "||", "~", "::"])
def test_any_delimiter_can_be_named(mark: str, tmp_path: Path) -> None:
    loaded = drawn(
        tmp_path, EVENTS + RUSSIAN_MAP + f'delimiter = "{mark}"\n', {"e.csv": RUSSIAN.replace(";", mark)}
    )
    assert rows(loaded, "events", "at", "event") == RUSSIAN_ROWS


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    given = (
        "invitation_id,customer_id,metric,answered_at,score,comment\r\n"
        '1,ann,nps,2026-01-01,3,"slow, and\r\nthen ""sorry"""\r\n'
        "2,bob,nps,2026-01-01,12,\r\n3,cid,nps,2026-01-01,9,fine\r\n"
    )
    loaded = drawn(tmp_path, '[sources.surveys]\npath = "s.csv"\nmax_bad_share = 0.5\n', {"s.csv": given})
    assert rows(loaded, "surveys", "invitation_id", "comment") == [
        ("1", 'slow, and\r\nthen "sorry"'),
        ("3", "fine"),
    ]
    assert rejected(loaded, "surveys") == [(2, "", "score_off_scale")]


def test_blanks_around_names_and_values_do_not_matter(tmp_path: Path) -> None:
    given = " customer_id ,at  , event\n ann , 2026-01-01T10:00:00 , login \n"
    loaded = drawn(tmp_path, EVENTS, {"e.csv": given})
    assert rows(loaded, "events", "at", "event") == [(AT[0], "login")]


def test_a_file_without_a_header_is_mapped_by_position(tmp_path: Path) -> None:
    settings = EVENTS + 'header = false\ndelimiter = " "\ncolumns = { customer_id = 1, at = 3, event = 2 }\n'
    loaded = drawn(tmp_path, settings + 'date_format = "epoch_s"\n', {"e.csv": "ann login 1767261600\n"})
    assert rows(loaded, "events", "at", "event") == [(AT[0], "login")]


def test_globs_lists_and_several_parts_with_their_own_mapping_are_one_table(tmp_path: Path) -> None:
    settings = """
[[sources.events]]
path = ["in/2026-*.csv", "in/old.csv.gz"]
[[sources.events]]
path = "in/other.csv"
columns = { customer_id = "who", at = "day" }
values = { event = "visit" }
"""
    head = "customer_id,at,event\n"
    loaded = drawn(
        tmp_path,
        settings,
        {
            "in/2026-01.csv": head + "ann,2026-01-01,a\n",
            "in/2026-02.csv": head + "ann,2026-02-01,b\n",
            "in/old.csv.gz": gzip.compress((head + "ann,2025-01-01,c\n").encode()),
            "in/other.csv": "who,day\nann,2026-03-01\n",
        },
    )
    assert [row[0] for row in rows(loaded, "events", "event")] == ["c", "a", "b", "visit"]
    assert loaded.reports["events"].files == (
        "in/2026-01.csv",
        "in/2026-02.csv",
        "in/old.csv.gz",
        "in/other.csv",
    )


def test_a_decimal_comma_and_grouped_thousands(tmp_path: Path) -> None:
    given = "customer_id;period_start;revenue\nann;01.01.2026;1.234,50\nbob;01.01.2026;7,5\ncid;01.01.2026;1 000\n"
    settings = '[sources.usage]\npath = "u.csv"\ndecimal = ","\ndate_format = "%d.%m.%Y"\n'
    loaded = drawn(tmp_path, settings, {"u.csv": given})
    assert sorted(table(loaded, "usage")["value"].to_list()) == [7.5, 1000.0, 1234.5]


TYPED = pl.DataFrame(
    {
        "interaction_id": [7, 8],
        "customer_id": ["ann", "bob"],
        "at": [datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 2, 11, 30, tzinfo=UTC)],
        "wait_s": [Decimal("12.5"), None],
        "resolved": [True, None],
        "transfers": [1, 0],
    }
)
EXPECTED = [("7", AT[0], 12.5, True, 1), ("8", AT[1], None, None, 0)]
SHOWN = ("interaction_id", "at", "wait_s", "resolved", "transfers")


def test_parquet_brings_its_types(tmp_path: Path) -> None:
    TYPED.write_parquet(tmp_path / "i.parquet")
    loaded = drawn(tmp_path, '[sources.interactions]\npath = "i.parquet"\n', {})
    assert rows(loaded, "interactions", *SHOWN) == EXPECTED


@pytest.mark.parametrize("kind", ["polars", "arrow", "pandas"])
def test_frames_are_read_instead_of_files(kind: str, tmp_path: Path) -> None:
    frames = {"polars": TYPED, "arrow": TYPED.to_arrow(), "pandas": TYPED.to_pandas()}
    workspace = drawn_workspace(tmp_path, '[sources.interactions]\npath = "not-there.csv"\n', {})
    assert (
        rows(loaded_from(workspace, frames={"interactions": frames[kind]}), "interactions", *SHOWN)
        == EXPECTED
    )


def test_a_frame_needs_no_settings(tmp_path: Path) -> None:
    loaded = loaded_from(drawn_workspace(tmp_path, "", {}), frames={"interactions": TYPED})
    assert loaded.reports["interactions"].files == ("frame interactions",)


def test_a_query_is_read_from_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/crm.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table visits (who text, day text, worth real)"))
        connection.execute(
            text("insert into visits values ('ann', '2026-01-01', 2.5), ('bob', '2026-01-02', null)")
        )
    engine.dispose()
    settings = """
[sources.events]
database = "env:CRM_URL"
query = "select who as customer_id, day as at, 'visit' as event, worth as value from visits"
"""
    workspace = drawn_workspace(tmp_path, settings, {})
    loaded = loaded_from(workspace, environment={**HASH_KEY, "CRM_URL": url})
    assert rows(loaded, "events", "at", "value") == [
        ("2026-01-01T00:00:00", 2.5),
        ("2026-01-02T00:00:00", None),
    ]


def test_dates_in_parquet_are_days(tmp_path: Path) -> None:
    pl.DataFrame({"customer_id": ["ann"], "at": [date(2026, 1, 1)], "event": ["x"]}).write_parquet(
        tmp_path / "e.parquet"
    )
    loaded = drawn(tmp_path, '[sources.events]\npath = "e.parquet"\nzone = "Asia/Shanghai"\n', {})
    assert rows(loaded, "events", "at", "known_at") == [("2025-12-31T16:00:00", "2026-01-01T15:59:59.999999")]


def test_another_quote_character_can_be_named_or_none_at_all(tmp_path: Path) -> None:
    given = "customer_id,at,event\nann,2026-01-01 10:00,'a, b'\n"
    settings = f'{EVENTS}quote = "\'"\n'
    assert rows(drawn(tmp_path, settings, {"e.csv": given}), "events", "at", "event") == [(AT[0], "a, b")]
    plain = 'customer_id,at,event\nann,2026-01-01 10:00,5" screen\n'
    settings = f'{EVENTS}quote = ""\n'
    assert rows(drawn(tmp_path / "none", settings, {"e.csv": plain}), "events", "at", "event") == [
        (AT[0], '5" screen')
    ]
