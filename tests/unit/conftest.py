"""Databases for the tests of one worker: a server started once, and migrations run once and copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Migrated, binaries, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    if binaries() is None:
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """What makes an empty database one of a new ledger."""
    return Migrated(tmp_path_factory.mktemp("migrated"))
