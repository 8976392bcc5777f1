"""A real console on this machine, over a ledger on either database."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from churnrisk.console.app import application
from churnrisk.console.intake import Intake
from churnrisk.console.serving import hide_what_customers_wrote
from churnrisk.delivery import Secrets
from churnrisk.ledger import Ledger
from churnrisk.store import Workspace
from tests.drawn_asked import decide
from tests.unit.ledger.conftest import environment, ledger

__all__ = ["environment", "ledger"]

SECRETS = Secrets((b"s" * 32,))
NOW = datetime(2026, 5, 10, 8)
"""The clock of the ledger; signatures go by the real one."""

SETTINGS = '[operations]\nurl = "env:LEDGER_URL"\n[webhooks]\nendpoint = "https://desk.example"\nsecret = "env:HOOK"\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS)
    return Workspace.open(tmp_path)


def signed(
    body: str, name: str = "msg_1", *, secrets: Secrets = SECRETS, late_s: float = 0
) -> dict[str, str]:
    now = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=late_s)
    return secrets.headers(name, body, now)


@dataclass(frozen=True)
class Platform:
    """A survey platform that sends to the console."""

    port: int

    def send(
        self, given: Any, name: str = "msg_1", *, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send a value as JSON, or a text as it is, under an id; return status and body."""
        body = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        told = signed(body, name) if headers is None else headers
        status, found = self.ask("POST", "/answers", body.encode(), told)
        return status, dict(found)

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@contextmanager
def served(intake: Intake, **more: Any) -> Iterator[Platform]:
    hide_what_customers_wrote()
    app = application(intake, SECRETS, clock=lambda: NOW, **more)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        running = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None, lifespan="on"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        until = time.monotonic() + 30
        while not running.started and time.monotonic() < until:
            time.sleep(0.01)
        assert running.started
        try:
            yield Platform(bound.getsockname()[1])
        finally:
            running.should_exit = True
            thread.join(30)


@pytest.fixture
def platform(workspace: Workspace, ledger: Ledger) -> Iterator[Platform]:
    """A platform whose customers anna and boris were asked."""
    decide(ledger, {"customer_id": "anna", "owner": "Olga"}, {"customer_id": "boris"})
    with served(Intake(workspace, ledger)) as found:
        yield found
