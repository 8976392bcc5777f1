"""A PostgreSQL server for tests: started on a socket of its own in a temporary folder, ended with the session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from churnrisk.ledger.database import migrate, opened_engine

SERVER_USER = "postgres"
WAIT_S = 60

_NUMBERS = count(1)


def binaries() -> Path | None:
    """Return the folder of initdb and postgres, Debian's newest first, None when they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return None if here is None else Path(here).parent


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server and give its URL; as root it runs as the user postgres, which refuses to be root."""
    tools = binaries()
    assert tools is not None
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER)
        who = {"user": SERVER_USER, "extra_groups": []}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **who}
    initdb: list[str | Path] = [
        tools / "initdb",
        "-D",
        folder / "data",
        "-A",
        "trust",
        "-U",
        "ledger",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run([*initdb, "--no-sync"], check=True, **quiet)
    # nothing outlives the session, so nothing need outlive a fall of the machine
    settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "autovacuum=off"]
    settings += ["full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0"]
    options = [word for each in settings for word in ("-c", each)]
    with subprocess.Popen([tools / "postgres", "-D", folder / "data", *options], **quiet) as server:
        try:
            url = f"postgresql://ledger@/postgres?host={folder}"
            _wait(url)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(WAIT_S)
            shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def fresh_schema(url: str) -> str:
    """Make an empty schema and return the URL that works in it."""
    name = f"t{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f'create schema "{name}"'.encode())
    return f"{url}&options=-csearch_path%3D{name}"


class Migrated:
    """Tables of a new ledger for many tests: the migrations run once for each kind of database, and are copied.

    A file is copied whole; on PostgreSQL the statements that made the tables are said again, all at once. Opening the
    ledger still looks whether its tables are those of today.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said: list[str] = []

    def fill(self, url: str) -> None:
        """Make the tables in an empty database."""
        if url.startswith("sqlite"):
            shutil.copyfile(self._file(), url.removeprefix("sqlite:///"))
        elif self._said:
            with psycopg.connect(url, autocommit=True) as db:
                db.execute(";\n".join(self._said).encode())
        else:
            self._said = statements_of(lambda: self._migrate(url))

    def _file(self) -> Path:
        file = self._folder / "operations.db"
        if not file.exists():
            self._migrate(f"sqlite:///{file}")
        return file

    @staticmethod
    def _migrate(url: str) -> None:
        engine = opened_engine(url)
        migrate(engine)
        engine.dispose()


def statements_of(migrates: Callable[[], None]) -> list[str]:
    """Return what migrations say to make tables and tell their version; the rest changes rows that are not there."""
    said: list[str] = []

    def keep(_db: Any, _cursor: Any, statement: str, *_: Any) -> None:
        verb = statement.split(maxsplit=1)[0].lower()
        if verb in {"create", "alter", "drop", "comment"} or (
            verb != "select" and "alembic_version" in statement
        ):
            said.append(statement)

    event.listen(Engine, "before_cursor_execute", keep)
    try:
        migrates()
    finally:
        event.remove(Engine, "before_cursor_execute", keep)
    return said
