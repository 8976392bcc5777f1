"""A ledger on either database, each test with an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from churnrisk.ledger import Ledger
from churnrisk.store import Workspace
from tests.databases import Migrated, fresh_schema
from tests.unit.ledger.desk import Desk


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """What names an empty database."""
    if request.param == "sqlite":
        return {"LEDGER_URL": f"sqlite:///{tmp_path / 'operations.db'}"}
    return {"LEDGER_URL": fresh_schema(request.getfixturevalue("server"))}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text('[operations]\nurl = "env:LEDGER_URL"\n')
    return Workspace.open(tmp_path)


@pytest.fixture
def desk(workspace: Workspace, environment: dict[str, str]) -> Desk:
    return Desk(workspace, environment)


@pytest.fixture
def ledger(workspace: Workspace, environment: dict[str, str], migrated: Migrated) -> Iterator[Ledger]:
    migrated.fill(environment["LEDGER_URL"])
    with Ledger.open(workspace, environment) as opened:
        yield opened
