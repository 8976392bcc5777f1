"""The ledger opens on either database, brings its tables up to date, and says what is wrong without telling the URL."""

import sqlite3
import threading
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from churnrisk.errors import ConfigError, WorkspaceBusy
from churnrisk.ledger import FILE_NAME, Ledger, database
from churnrisk.ledger.entries import add
from churnrisk.ledger.facts import contacts, treatments
from churnrisk.ledger.schema import CONTACTS, METADATA, REVISION, TREATMENTS
from churnrisk.store import Workspace

NOW = datetime(2026, 5, 2, 3)


def contact(name: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "contact_id": [name],
            "customer_id": ["a"],
            "at": [NOW],
            "known_at": [NOW],
            "purpose": ["offer"],
            "is_transactional": [False],
            "source": ["file"],
            "written_at": [NOW],
        }
    )


def treatments_of(name: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "treatment_id": [name],
            "customer_id": ["a"],
            "offer_id": ["control"],
            "at": [NOW],
            "known_at": [NOW],
            "source": ["decide"],
            "written_at": [NOW],
        }
    )


def code_of(workspace: Workspace, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        Ledger.open(workspace, environment)
    assert "secret" not in str(caught.value)
    return caught.value.faults[0].code


def test_migrations_end_where_the_declared_tables_are(ledger: Ledger) -> None:
    with ledger.reading() as db:
        assert compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), METADATA) == []
        assert db.execute(text("select version_num from alembic_version")).scalar_one() == REVISION


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    assert max(database._known_revisions()) == REVISION


def test_a_ledger_of_the_first_version_is_brought_up_to_date_and_keeps_its_rows(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    engine = database.opened_engine(environment["LEDGER_URL"])
    columns = "treatment_id, customer_id, offer_id, at, known_at, source, written_at"
    with engine.connect().execution_options(writes_alone=True) as db, db.begin():
        database._upgrade(db, "0001")
        moment = NOW.isoformat(sep=" ")
        db.execute(
            text(f"insert into treatments ({columns}) values ('t', 'a', 'control', :at, :at, 'decide', :at)"),
            {"at": moment},
        )
    with Ledger.open(workspace, environment) as ledger:
        with ledger.reading() as db:
            assert db.execute(text("select version_num from alembic_version")).scalar_one() == REVISION
            assert treatments(db).select("treatment_id", "offer_id", "instead_of").rows() == [
                ("t", "control", None)
            ]
        given = treatments_of("u").with_columns(instead_of=pl.lit("call"))
        with ledger.writing() as db:
            add(db, TREATMENTS, given)
            assert treatments(db)["instead_of"].to_list() == [None, "call"]


def test_a_ledger_that_is_migrated_says_so_in_one_line_and_once(
    workspace: Workspace, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = database.opened_engine(environment["LEDGER_URL"])
    with engine.connect().execution_options(writes_alone=True) as db, db.begin():
        database._upgrade(db, "0004")
    for _ in range(2):
        Ledger.open(workspace, environment).close()
    (line,) = capsys.readouterr().err.splitlines()
    assert "from_version=0004" in line
    assert f"to_version={REVISION}" in line
    assert "no copy was made" in line


def test_a_ledger_that_is_made_says_nothing(
    workspace: Workspace, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger.open(workspace, environment).close()
    assert capsys.readouterr().err == ""


def test_without_a_url_the_ledger_is_a_file_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text("")
    with Ledger.open(Workspace.open(tmp_path), {}) as ledger, ledger.writing() as db:
        add(db, CONTACTS, contact("one"))
    with sqlite3.connect(tmp_path / FILE_NAME) as plain:
        assert plain.execute("pragma journal_mode").fetchone() == ("wal",)
        assert plain.execute("select contact_id, at from contacts").fetchone() == (
            "one",
            "2026-05-02 03:00:00.000000",
        )
    plain.close()


def test_opening_again_changes_nothing(workspace: Workspace, environment: dict[str, str]) -> None:
    for name in ("one", "two"):
        with Ledger.open(workspace, environment) as ledger, ledger.writing() as db:
            add(db, CONTACTS, contact(name))
    with Ledger.open(workspace, environment) as ledger, ledger.reading() as db:
        assert contacts(db)["contact_id"].to_list() == ["one", "two"]


def test_tables_of_a_newer_churnrisk_are_left_alone(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    with Ledger.open(workspace, environment) as ledger, ledger.writing() as db:
        db.execute(text("update alembic_version set version_num = '9999'"))
    assert code_of(workspace, environment) == "ledger_newer"


def test_several_processes_may_open_a_new_ledger_at_once(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    workspace.contact_hash_key(environment)
    faults: list[BaseException] = []

    def opened() -> None:
        try:
            Ledger.open(workspace, environment).close()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            faults.append(error)

    threads = [threading.Thread(target=opened) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://u:secret@host/name", "ledger_url_unknown"),
        ("no url, but a secret", "ledger_url_unknown"),
        ("sqlite://", "ledger_url_unknown"),
        ("postgresql://u:secret@localhost:1/name", "ledger_unreachable"),
        ("sqlite:////no/such/folder/secret.db", "ledger_unreachable"),
    ],
)
def test_a_wrong_url_is_told_by_its_code_and_never_shown(workspace: Workspace, url: str, code: str) -> None:
    assert code_of(workspace, {"LEDGER_URL": url}) == code


def test_a_file_that_is_no_database_is_left_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    path.write_text("name,phone\n" * 1000)
    assert code_of(workspace, {"LEDGER_URL": f"sqlite:///{path}"}) == "ledger_unreachable"
    assert path.read_text() == "name,phone\n" * 1000


def test_an_unset_variable_is_told(workspace: Workspace) -> None:
    assert code_of(workspace, {}) == "secret_missing"


def test_a_missing_driver_names_the_extra(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr(database, "create_engine", missing)
    with pytest.raises(ConfigError, match=r"pip install 'churnrisk\[postgres\]'"):
        Ledger.open(workspace, {"LEDGER_URL": "postgresql://host/name"})


def test_what_fails_in_the_middle_leaves_nothing(ledger: Ledger) -> None:
    def die() -> None:
        with ledger.writing() as db:
            add(db, CONTACTS, contact("one"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die()
    with ledger.reading() as db:
        assert contacts(db).is_empty()


def test_one_writer_waits_for_the_other_and_gives_up_in_the_end(
    workspace: Workspace, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_S", 1)
    with Ledger.open(workspace, environment) as ledger, ledger.writing() as db:
        add(db, CONTACTS, contact("one"))
        with pytest.raises(WorkspaceBusy, match="ledger"), ledger.writing():
            pass
        with ledger.reading() as other:
            assert contacts(other).is_empty()
