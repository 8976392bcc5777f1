"""Each fact once, the earliest known wins, the same input gives the same bytes, and nothing is read twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from churnrisk.sources import load, publish_quarantine, settle, stage
from churnrisk.store import Engine
from churnrisk.tables.marks import MARKS_NAME, call_marks, marks_of
from tests.spec.sources.drawn import HASH_KEY, drawn, drawn_workspace, loaded_from, rejected, rows, table

HEAD = "caller_id,callee_id,started_at,duration_s,known_at\n"
CALLS = '[sources.calls]\npath = "c.csv"\n[quality]\nmax_bad_share = 1\n'


def test_of_rows_with_one_key_the_earliest_known_is_kept_then_the_smallest(tmp_path: Path) -> None:
    given = HEAD + (
        "ann,bob,2026-01-01T10:00:00,90,2026-01-03\nann,bob,2026-01-01T10:00:00,60,2026-01-05\n"
        "ann,cid,2026-01-01T10:00:00,90,2026-01-03\nann,cid,2026-01-01T10:00:00,60,2026-01-03\n"
    )
    loaded = drawn(tmp_path, CALLS, {"c.csv": given})
    assert rows(loaded, "calls", "callee_key", "duration_s") == [(1, 90), (2, 60)]
    assert rejected(loaded, "calls") == [(2, "", "duplicate_key"), (3, "", "duplicate_key")]


def test_the_same_fact_told_again_later_says_nothing_new(tmp_path: Path) -> None:
    given = HEAD + "ann,bob,2026-01-01T10:00:00,90,2026-01-03\nann,bob,2026-01-01T10:00:00,90,2026-01-04\n"
    loaded = drawn(tmp_path, CALLS, {"c.csv": given})
    assert rejected(loaded, "calls") == [(2, "", "duplicate_row")]
    assert rows(loaded, "calls", "known_at") == [("2026-01-03T23:59:59.999999",)]


def test_an_invitation_told_first_silent_then_answered_counts_once_with_its_answer(tmp_path: Path) -> None:
    head = "invitation_id,customer_id,metric,invited_at,answered_at,score\n"
    files: dict[str, str | bytes] = {
        "s/1.csv": head + "1,ann,nps,2026-01-01,,\n",
        "s/2.csv": head + "1,ann,nps,2026-01-01,2026-01-05,3\n",
    }
    loaded = drawn(tmp_path, '[sources.surveys]\npath = "s/*.csv"\n', files)
    assert rows(loaded, "surveys", "score", "known_at") == [(3.0, "2026-01-01T23:59:59.999999")]
    assert rejected(loaded, "surveys") == [(1, "", "superseded")]


def test_one_invitation_may_ask_several_metrics(tmp_path: Path) -> None:
    given = "invitation_id,customer_id,metric,answered_at,score\n1,ann,nps,2026-01-01,9\n1,ann,csat,2026-01-01,4\n"
    loaded = drawn(tmp_path, '[sources.surveys]\npath = "s.csv"\n', {"s.csv": given})
    assert rows(loaded, "surveys", "metric", "score") == [("csat", 4.0), ("nps", 9.0)]


def test_usage_of_several_files_is_one_table_and_the_earliest_known_value_counts(tmp_path: Path) -> None:
    settings = '[[sources.usage]]\npath = "a.csv"\n[[sources.usage]]\npath = "b.csv"\n'
    files: dict[str, str | bytes] = {
        "a.csv": "customer_id,period_start,revenue\nann,2026-01-01,10\n",
        "b.csv": "customer_id,period_start,minutes,revenue,known_at\nann,2026-01-01,5,11,2026-01-20\n",
    }
    loaded = drawn(tmp_path, settings, files)
    assert rows(loaded, "usage", "metric", "value") == [("minutes", 5.0), ("revenue", 11.0)]
    assert loaded.reports["usage"].n_kept == 2


def test_a_second_load_reads_nothing_and_gives_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = drawn_workspace(
        tmp_path, CALLS, {"c.csv": HEAD + "ann,bob,2026-01-01T10:00:00,90,\nann,ann,2026-01-01,1,\n"}
    )
    first = loaded_from(workspace)
    monkeypatch.setattr(stage, "checked_batch", None)
    second = loaded_from(workspace)
    assert second == first


def test_a_changed_file_mapping_or_customer_is_read_anew(tmp_path: Path) -> None:
    given = HEAD + "ann,bob,2026-01-01T10:00:00,90,\n"
    base = drawn(tmp_path, CALLS, {"c.csv": given})
    longer = drawn(tmp_path, CALLS, {"c.csv": given + "ann,cid,2026-01-01T10:00:00,90,\n"})
    mapped = drawn(tmp_path, CALLS.replace("[quality]", "delay_days = 1\n[quality]"), {"c.csv": given})
    people = drawn(tmp_path, CALLS, {"c.csv": given, "people.csv": "customer_id\nann\n"})
    assert len({item.fingerprints["calls"] for item in (base, longer, mapped, people)}) == 4
    assert table(people, "calls")["callee_key"].min() < 0  # type: ignore[operator]
    assert drawn(tmp_path, CALLS, {"c.csv": given}).fingerprints == base.fingerprints


def test_the_same_rows_in_any_order_and_batch_size_are_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"ann,bob,2026-01-{1 + n % 28:02}T{n % 24:02}:00:{n % 60:02},{n % 7},\n" for n in range(400)]
    one = drawn(tmp_path / "a", CALLS, {"c.csv": HEAD + "".join(lines)})
    monkeypatch.setattr(settle, "STREAM_ROWS", 7)
    monkeypatch.setattr(settle, "ROW_GROUP", 122_880)
    two = drawn(tmp_path / "b", CALLS, {"c.csv": HEAD + "".join(reversed(lines)) + lines[3]})
    assert one.tables.paths["calls"].read_bytes() == two.tables.paths["calls"].read_bytes()
    assert one.reports["calls"].n_kept == two.reports["calls"].n_kept


def test_the_marks_of_calls_lie_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"ann,bob,2026-01-{1 + n % 28:02}T{n % 24:02}:00:{n % 60:02},{n % 7},\n" for n in range(100)]
    monkeypatch.setattr(settle, "STREAM_ROWS", 7)
    loaded = drawn(tmp_path, CALLS, {"c.csv": HEAD + "".join(lines)})
    path = loaded.tables.paths["calls"]
    assert path.with_name(MARKS_NAME).is_file()
    assert call_marks(path).equals(marks_of(pl.scan_parquet(path)))
    assert call_marks(path)["n"].sum() == loaded.reports["calls"].n_kept


def test_row_groups_do_not_depend_on_how_rows_arrive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "ROW_GROUP", 10)
    frame = pl.DataFrame({"n": range(57), "word": ["a", "b", "c"] * 19})
    written = []
    for sizes in ((57,), (3,) * 19, (25, 1, 31)):
        path = tmp_path / f"{len(sizes)}.parquet"
        writer, start = settle.RowGroups(path), 0
        for size in sizes:
            writer.add(frame.slice(start, size))
            start += size
        writer.close()
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]
    assert pl.read_parquet(tmp_path / "1.parquet").equals(frame)


def test_only_some_sources_can_be_asked_for(tmp_path: Path) -> None:
    workspace = drawn_workspace(
        tmp_path, CALLS + '[sources.events]\npath = "none.csv"\n', {"c.csv": HEAD + "ann,bob,2026-01-01,1,\n"}
    )
    seen: list[str] = []
    with Engine(threads=1) as engine:
        loaded = load(workspace, engine, environment=HASH_KEY, only=["calls"], progress=seen.append)
    assert set(loaded.tables.paths) == {"calls", "customers", "keys"}
    assert seen == ["customers", "calls"]


def test_quarantine_is_copied_to_the_folder_of_the_date(tmp_path: Path) -> None:
    workspace = drawn_workspace(
        tmp_path, CALLS, {"c.csv": HEAD + "ann,bob,2026-01-01,1,\nann,ann,2026-01-01,1,\n"}
    )
    loaded = loaded_from(workspace)
    (path,) = publish_quarantine(workspace, loaded.quarantine, date(2026, 1, 31))
    assert path == tmp_path / "quarantine" / "2026-01-31" / "calls.parquet"
    assert pl.read_parquet(path)["code"].to_list() == ["call_to_oneself"]


def test_old_versions_of_a_table_do_not_fill_the_disk(tmp_path: Path) -> None:
    for day in range(1, 7):
        loaded = drawn(tmp_path, CALLS, {"c.csv": HEAD + f"ann,bob,2026-01-0{day},1,\n"})
    versions = list((tmp_path / "lake" / "tables" / "calls").iterdir())
    assert len(versions) == 3
    assert loaded.tables.paths["calls"].parent in versions
    assert list((tmp_path / "lake" / "work").iterdir()) == []
