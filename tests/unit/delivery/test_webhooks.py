"""Sending webhooks to a real server on this machine: what is delivered, what is tried again and when."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from churnrisk.delivery.signatures import Secrets
from churnrisk.delivery.webhooks import N_TRIES, WAITS, Tried, sender
from churnrisk.errors import ConfigError
from tests.hooks import Answer, server

SECRETS = Secrets((bytes(32),))


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def tried(answer: Answer, *, n_before: int = 0, body: str = "{}") -> Tried:
    with server(answer) as url, sender(url, SECRETS) as sending:
        return sending.tried("ask-1", body, n_before=n_before, now=now())


def test_a_message_arrives_signed_with_its_stable_id() -> None:
    seen: list[Any] = []

    def answer(headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        seen.append((headers["webhook-id"], headers["content-type"], SECRETS.verified(body, headers)))
        return 204, {}

    assert tried(answer, body='{"metric": "nps"}').is_delivered
    assert seen == [("ask-1", "application/json", {"metric": "nps"})]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 502])
def test_anything_but_success_is_tried_again_later(status: int) -> None:
    found = tried(lambda *_: (status, {"location": "http://127.0.0.1:1/"} if status == 301 else {}))
    assert (found.failure, found.wait) == (f"http_{status}", WAITS[0])


def test_the_waits_grow_and_end() -> None:
    waits = [tried(lambda *_: (500, {}), n_before=n).wait for n in range(N_TRIES)]
    assert waits == [*WAITS, None]
    assert sum(WAITS, timedelta()) > timedelta(days=1)


def test_an_address_that_is_gone_is_not_tried_again() -> None:
    assert tried(lambda *_: (410, {})) == Tried("gone")


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("9" * 9, timedelta(days=1)),
        ("tomorrow", WAITS[0]),
        ("", WAITS[0]),
        ("1", WAITS[0]),
    ],
)
def test_a_wait_that_the_other_side_asks_for_is_kept_within_a_day(told: str, wait: timedelta) -> None:
    assert tried(lambda *_: (429, {"retry-after": told})) == Tried("http_429", wait)


def test_a_wait_until_a_date_is_understood() -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    found = tried(lambda *_: (503, {"retry-after": until})).wait
    assert found is not None
    assert timedelta(minutes=59) < found <= timedelta(hours=1)


def test_a_server_that_is_not_there_is_tried_quickly_and_then_later() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with sender(f"http://127.0.0.1:{port}/", SECRETS) as sending:
        assert sending.tried("m", "{}", n_before=2, now=now()) == Tried("no_connection", WAITS[2])


def test_a_server_that_does_not_answer_in_time_is_tried_later_and_not_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("churnrisk.delivery.webhooks.TIMEOUT_S", 0.2)
    n_seen, go_on = [0], threading.Event()

    def slow(*_: Any) -> tuple[int, dict[str, str]]:
        n_seen[0] += 1
        go_on.wait(5)
        return 200, {}

    with server(slow) as url, sender(url, SECRETS) as sending:
        found = sending.tried("m", "{}", n_before=0, now=now())
        go_on.set()
    assert found == Tried("timeout", WAITS[0])
    assert n_seen == [1]  # it may have been read: the same message at once again would be a second one


@pytest.mark.parametrize(
    "url",
    [
        "http://survey.example/hook",
        "ftp://survey.example",
        "survey.example",
        "",
        "https://",
        "https://user:word@survey.example/",
    ],
)
def test_an_address_that_would_show_the_message_to_others_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught, sender(url, SECRETS):
        pass
    assert caught.value.codes == ("webhook_endpoint",)
    assert "word" not in str(caught.value)
