"""``churnrisk console``: refuses to start without a secret; while it runs, what is due goes out by itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from churnrisk.cli import run
from churnrisk.console.background import Rounds
from churnrisk.console.intake import Intake
from churnrisk.console.serving import required_secrets, rounds_of
from churnrisk.errors import ConfigError, Fault
from churnrisk.ledger import Ledger
from churnrisk.ledger.outbox import waiting_messages
from churnrisk.store import Workspace
from tests.drawn_asked import decide
from tests.hooks import server as receiving
from tests.unit.console.conftest import SECRETS, served

ROOT = Path(__file__).parents[3]
SECRET = "whsec_" + "c3NzcwAA" * 4


@pytest.mark.parametrize("settings", ["", '[webhooks]\nsecret = "env:NO_SUCH_HOOK"\n'])
def test_without_a_secret_it_does_not_start(
    settings: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "churnrisk.toml").write_text(settings)
    assert run(["-w", str(tmp_path), "console"]) == 10
    assert "[webhooks] secret" in capsys.readouterr().err
    assert not (tmp_path / "operations.db").exists()


def test_a_secret_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text('[webhooks]\nsecret = "env:HOOK"\n')
    with pytest.raises(ConfigError, match="24 to 64 bytes"):
        required_secrets(Workspace.open(tmp_path), {"HOOK": "whsec_c2hvcnQ="})


def test_an_alert_of_an_answer_just_taken_goes_out_by_itself(tmp_path: Path) -> None:
    seen: list[str] = []

    def receive(headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        SECRETS.verified(body, headers)
        seen.append(body.decode())
        return 204, {}

    with receiving(receive) as url:
        (tmp_path / "churnrisk.toml").write_text(f'[webhooks]\nendpoint = "{url}"\nsecret = "env:HOOK"\n')
        workspace = Workspace.open(tmp_path)
        with Ledger.open(workspace, {}) as ledger:
            decide(ledger, {"customer_id": "anna"})
            intake = Intake(workspace, ledger)
            rounds = Rounds(rounds_of(intake, SECRETS), every_s=0.05)
            with served(intake) as platform:
                told = {"invitation_id": "ask-anna", "score": 1, "answered_at": "2026-05-09T12:00:00Z"}
                assert platform.send(told)[0] == 202
                rounds.start()
                wait_for(lambda: bool(seen))
            rounds.stop()
            assert waiting_messages(ledger) == {"waiting": 0, "sent": 1, "failed": 0}
    assert "alert.raised" in seen[0]


def test_a_round_that_fails_is_followed_by_the_next_one() -> None:
    n_done = 0
    done = threading.Event()

    def work() -> None:
        nonlocal n_done
        n_done += 1
        if n_done == 1:
            raise ConfigError(Fault("ledger_unreachable", "ledger", "a database", "none", "Start it."))
        done.set()

    rounds = Rounds(work, every_s=0.01)
    rounds.start()
    assert done.wait(10)
    rounds.stop()


def test_an_address_that_is_taken_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", SECRET)
    (tmp_path / "churnrisk.toml").write_text('[webhooks]\nsecret = "env:HOOK"\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["-w", str(tmp_path), "console", "--port", port]) == 2
    assert "nobody listens on" in capsys.readouterr().err


@pytest.mark.timeout(90)
def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text('[webhooks]\nsecret = "env:HOOK"\n')
    command = [sys.executable, "-m", "churnrisk", "-w", str(tmp_path), "console", "--port", "0"]
    environment = {**os.environ, "HOOK": SECRET}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as running:
        try:
            port = port_of(running)
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/health")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)
    assert running.returncode == 0


def port_of(running: subprocess.Popen[str]) -> int:
    assert running.stderr is not None
    for line in running.stderr:
        if "http://127.0.0.1:" in line:
            return int(line.rsplit(":", 1)[1].split("/")[0].split()[0])
    raise AssertionError("it ended")


def wait_for(done: object, seconds: float = 20) -> None:
    assert callable(done)
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)
