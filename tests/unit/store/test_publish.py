"""A run is published whole or not at all, wherever it is stopped; the copy for BI shows the latest date only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl
import pytest

from churnrisk.config import parsed_config
from churnrisk.errors import GateRefused
from churnrisk.store import Workspace
from churnrisk.store.audits import ColumnRule, TableRule
from churnrisk.store.publish import (
    DUCKDB_NAME,
    Edition,
    publish,
    published_days,
    published_frame,
    publishing,
    recover,
    staged_edition,
    written_parquet,
)

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)
COLUMNS = (ColumnRule("customer_id", "text", comment="Who."), ColumnRule("risk", "number", low=0, high=1))
RULES = {
    "scores": TableRule("scores", ("customer_id",), COLUMNS, {}, min_rows=1),
    "lists": TableRule("lists", ("customer_id",), COLUMNS, {"customer_id": ("scores", "customer_id")}),
    "ties": TableRule("ties", ("customer_id",), COLUMNS, {}, is_restricted=True),
    "run_log": TableRule("run_log", ("run_id",), (ColumnRule("run_id", "text"),), {}, is_log=True),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, parsed_config(""))


def drawn(risk: float) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ["b", "a"], "risk": [risk, risk]})


def edition(workspace: Workspace, run_id: str, day: date, risk: float, *names: str) -> Edition:
    tables = names or ("scores", "lists", "ties")
    frames = {name: drawn(risk) for name in tables} | {"run_log": pl.DataFrame({"run_id": [run_id]})}
    return staged_edition(workspace, RULES, frames, run_id=run_id, as_of=day)


def risks(workspace: Workspace, day: date) -> dict[str, float | None]:
    frames = {name: published_frame(workspace, RULES[name], day) for name in ("scores", "lists", "ties")}
    return {name: None if frame is None else frame["risk"][0] for name, frame in frames.items()}


def copy_rows(workspace: Workspace, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(workspace.published / DUCKDB_NAME), read_only=True) as connection:
        return connection.execute(f"from {table}").fetchall()


def test_published_tables_lie_where_the_interface_says(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    found = sorted(
        str(path.relative_to(workspace.root)) for path in workspace.root.rglob("*") if path.is_file()
    )
    assert [name for name in found if not name.startswith("lake/")] == [
        "published/churnrisk.duckdb",
        "published/lists/as_of=2026-06-01/part-0.parquet",
        "published/run_log/as_of=2026-06-01/part-r1.parquet",
        "published/scores/as_of=2026-06-01/part-0.parquet",
        "restricted/ties/as_of=2026-06-01/part-0.parquet",
    ]


def test_restricted_tables_are_their_owners_alone_and_the_others_as_the_system_makes_them(
    workspace: Workspace,
) -> None:
    before = os.umask(0)
    try:
        publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    finally:
        os.umask(before)
    found = [workspace.restricted, *workspace.restricted.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in found if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in found if path.is_file()} == {0o600}
    scores = workspace.published / "scores" / f"as_of={MONDAY}" / "part-0.parquet"
    assert scores.stat().st_mode & 0o777 == 0o666


def test_a_run_that_fails_its_audit_writes_nothing(workspace: Workspace) -> None:
    with pytest.raises(GateRefused):
        edition(workspace, "r1", MONDAY, 1.5)
    assert list(workspace.root.rglob("*.parquet")) == []


def test_the_same_rows_give_the_same_bytes_whatever_their_order_and_chunks(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"customer_id": [f"{n:07d}" for n in range(150_000)], "risk": [n % 97 / 97 for n in range(150_000)]}
    )
    chunks = pl.concat([frame[:70_000], frame[70_000:]], rechunk=False)
    digests = {
        sha256(written_parquet(each, tmp_path / f"{n}.parquet").read_bytes()).hexdigest()
        for n, each in enumerate((frame, frame, chunks))
    }
    assert len(digests) == 1


def test_a_run_stopped_anywhere_is_all_old_or_after_recovery_all_new(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "old", MONDAY, 0.1), RULES)
    names = list(publishing(workspace, edition(workspace, "new", MONDAY, 0.9), RULES))
    # five files made beside, the commit, five in place, the journal closed, two folders swept
    assert (len(names), names.index("committed")) == (14, 5)
    for stop in range(1, len(names)):
        publish(workspace, edition(workspace, "old", MONDAY, 0.1), RULES)
        steps = publishing(workspace, edition(workspace, "new", MONDAY, 0.9), RULES)
        done = [next(steps) for _ in range(stop)]
        steps.close()
        expected = 0.9 if "committed" in done else 0.1
        if expected == 0.1:
            assert set(risks(workspace, MONDAY).values()) == {0.1}, done
            assert copy_rows(workspace, "scores")[0][1] == 0.1
        recover(workspace)
        assert set(risks(workspace, MONDAY).values()) == {expected}, done
        assert copy_rows(workspace, "scores")[0][1] == expected
        assert list(workspace.root.glob("*/.incoming")) == []
        assert not (workspace.lake / "publishing.json").exists()


def test_a_killed_process_leaves_a_publication_that_the_next_start_finishes(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "old", MONDAY, 0.1), RULES)
    staged = edition(workspace, "new", MONDAY, 0.9)
    program = f"""
import os, signal
from datetime import date
from pathlib import Path
from churnrisk.config import parsed_config
from churnrisk.store import Workspace
from churnrisk.store.publish import Edition, publishing
from tests.unit.store.test_publish import RULES
workspace = Workspace(Path({str(workspace.root)!r}), parsed_config(""))
tables = {{name: Path(path) for name, path in { ({name: str(path) for name, path in staged.tables.items()})!r}.items()}}
for step in publishing(workspace, Edition("new", date(2026, 6, 1), tables), RULES):
    if step.endswith("in place"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], check=False, env={**os.environ}
    )
    assert ended.returncode == -signal.SIGKILL
    assert recover(workspace) == "new"
    assert set(risks(workspace, MONDAY).values()) == {0.9}
    assert recover(workspace) is None


def test_an_older_date_does_not_move_the_copy_back(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "tue", TUESDAY, 0.2), RULES)
    before = (workspace.published / DUCKDB_NAME).read_bytes()
    publish(workspace, edition(workspace, "mon", MONDAY, 0.1), RULES)
    assert (workspace.published / DUCKDB_NAME).read_bytes() == before
    assert published_days(workspace, "scores") == [MONDAY, TUESDAY]
    assert published_frame(workspace, RULES["scores"])["risk"][0] == 0.2  # type: ignore[index]


def test_a_lost_copy_is_made_again_for_the_latest_date(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "tue", TUESDAY, 0.2), RULES)
    (workspace.published / DUCKDB_NAME).unlink()
    publish(workspace, edition(workspace, "mon", MONDAY, 0.1), RULES)
    assert copy_rows(workspace, "scores")[0][1] == 0.2


def test_the_copy_holds_every_open_table_of_the_date_and_no_restricted_one(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "first", MONDAY, 0.1), RULES)
    publish(workspace, edition(workspace, "second", MONDAY, 0.3, "scores"), RULES)
    with duckdb.connect(str(workspace.published / DUCKDB_NAME), read_only=True) as connection:
        tables = [
            row[0]
            for row in connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
        ]
        comments = connection.execute(
            "select comment from duckdb_columns() where column_name = 'customer_id'"
        ).fetchall()
    assert tables == ["lists", "run_log", "scores"]
    assert ("Who.",) in comments
    assert copy_rows(workspace, "scores")[0][1] == 0.3
    assert copy_rows(workspace, "lists")[0][1] == 0.1
    assert copy_rows(workspace, "run_log") == [("first",), ("second",)]


def test_the_copy_is_in_a_storage_version_that_older_drivers_read(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    head = (workspace.published / DUCKDB_NAME).read_bytes()[:16]
    # bytes 8-11: magic, 12: storage version; 64 is what DuckDB 0.9.0 to 1.1 wrote (duckdb.org, "Storage versions")
    assert (head[8:12], head[12]) == (b"DUCK", 64)


def test_a_log_of_a_failed_newer_night_leaves_the_copy_alone(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "mon", MONDAY, 0.1), RULES)
    log = {"run_log": pl.DataFrame({"run_id": ["bad"]})}
    publish(workspace, staged_edition(workspace, RULES, log, run_id="bad", as_of=TUESDAY), RULES)
    assert copy_rows(workspace, "scores")[0][1] == 0.1
    assert published_days(workspace, "run_log") == [MONDAY, TUESDAY]


def test_files_are_put_in_place_with_the_tables(workspace: Workspace, tmp_path: Path) -> None:
    made = tmp_path / "lake" / "made.csv"
    made.parent.mkdir(parents=True)
    made.write_text("a", "utf-8")
    staged = edition(workspace, "r1", MONDAY, 0.1)
    publish(workspace, Edition("r1", MONDAY, staged.tables, {"lists/2026-06-01/at_risk.csv": made}), RULES)
    assert (workspace.lists(MONDAY) / "at_risk.csv").read_text("utf-8") == "a"


def test_a_withdrawn_table_disappears_for_that_date_only(workspace: Workspace) -> None:
    publish(workspace, edition(workspace, "sun", date(2026, 5, 31), 0.1), RULES)
    publish(workspace, edition(workspace, "mon", MONDAY, 0.1), RULES)
    staged = edition(workspace, "again", MONDAY, 0.2, "scores", "lists")
    publish(workspace, Edition("again", MONDAY, staged.tables, withdrawn=("ties",)), RULES)
    assert published_days(workspace, "ties", is_restricted=True) == [date(2026, 5, 31)]
    assert not (workspace.restricted / "ties" / "as_of=2026-06-01").exists()


def test_publishing_the_same_run_twice_changes_no_byte(workspace: Workspace) -> None:
    def digests() -> dict[str, str]:
        files = sorted(workspace.root.rglob("*.parquet"))
        return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}

    publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    first = digests()
    publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    assert digests() == first


def test_an_unpublished_table_or_date_reads_as_none(workspace: Workspace) -> None:
    assert published_frame(workspace, RULES["scores"]) is None
    publish(workspace, edition(workspace, "r1", MONDAY, 0.1), RULES)
    assert published_frame(workspace, RULES["scores"], TUESDAY) is None
