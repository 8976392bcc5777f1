"""The tables that tests are given are those that the migrations make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from churnrisk.ledger.database import migrate, opened_engine
from tests.databases import Migrated, fresh_schema


def tables(db: Connection) -> dict[str, Any]:
    """All that an inspector can tell of every table, and the version."""
    found = inspect(db)
    asked = ("columns", "indexes", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints")
    told: dict[str, Any] = {
        f"{name} {what}": repr(getattr(found, f"get_{what}")(name))
        for name in found.get_table_names()
        for what in asked
    }
    return told | {"version": db.execute(text("select * from alembic_version")).all()}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_copied_tables_are_those_of_the_migrations(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    migrated = Migrated(tmp_path)
    told = []
    for name in ("first", "second", "by itself"):
        url = (
            f"sqlite:///{tmp_path / name}"
            if kind == "sqlite"
            else fresh_schema(request.getfixturevalue("server"))
        )
        engine = opened_engine(url)
        if name == "by itself":
            migrate(engine)
        else:
            migrated.fill(url)
        with engine.connect() as db:
            told.append(tables(db))
        engine.dispose()
    assert len(told[0]) > 60
    assert told[0] == told[1] == told[2]
