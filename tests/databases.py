"""A PostgreSQL server for tests: started on a socket of its own in a temporary folder, ended with the session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

SERVER_USER = "postgres"
WAIT_S = 60


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
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
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


def fresh_schema(url: str, name: str) -> str:
    """Make an empty schema and return the URL that works in it."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f'create schema "{name}"'.encode())
    return f"{url}&options=-csearch_path%3D{name}"
