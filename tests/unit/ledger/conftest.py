"""A ledger on either database, each test with an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from churnrisk.ledger import Ledger
from churnrisk.store import Workspace
from tests.databases import binaries, fresh_schema, postgres_server

NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    if binaries() is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """What names the database of a fresh ledger."""
    if request.param == "sqlite":
        return {"LEDGER_URL": f"sqlite:///{tmp_path / 'operations.db'}"}
    return {"LEDGER_URL": fresh_schema(request.getfixturevalue("server"), f"t{next(NUMBERS)}")}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text('[operations]\nurl = "env:LEDGER_URL"\n')
    return Workspace.open(tmp_path)


@pytest.fixture
def ledger(workspace: Workspace, environment: dict[str, str]) -> Iterator[Ledger]:
    with Ledger.open(workspace, environment) as opened:
        yield opened
