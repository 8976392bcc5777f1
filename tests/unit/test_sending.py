"""What waits in the outbox goes out: signed, once per id, with consent looked at once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.delivery import Secrets, Sender, sender
from churnrisk.errors import ConfigError
from churnrisk.ledger import Ledger, facts
from churnrisk.ledger.entries import add
from churnrisk.ledger.outbox import message, messages, waiting_messages
from churnrisk.ledger.permission import suppress, unsaid
from churnrisk.ledger.schema import OUTBOX
from churnrisk.sending import MOST_FAILURES, Sent, send_due, signing_secrets
from churnrisk.store import Workspace
from tests.hooks import Answer, server

SECRETS = Secrets((bytes(32),))


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "churnrisk.toml").write_text("")
    with Ledger.open(Workspace.open(tmp_path), {}) as opened:
        yield opened


def put_in(ledger: Ledger, url: str, n: int, kind: str = "survey.requested") -> None:
    rows = [
        message(
            kind,
            f"i{number:03}",
            {"n": number},
            endpoint=url,
            now=now() - timedelta(minutes=1),
            customer_id=f"c{number}",
            channel="email",
        )
        for number in range(n)
    ]
    with ledger.writing() as db:
        add(db, OUTBOX, messages(rows))


def kept(seen: list[str], status: int = 200) -> Answer:
    def answer(headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        SECRETS.verified(body, headers)
        seen.append(headers["webhook-id"])
        return status, {}

    return answer


def test_everything_due_goes_out_once_and_is_not_sent_again(ledger: Ledger) -> None:
    seen: list[str] = []
    with server(kept(seen)) as url:
        put_in(ledger, url, 25)
        assert send_due(ledger, SECRETS) == Sent(n_sent=25)
        assert send_due(ledger, SECRETS) == Sent()
    assert set(Counter(seen).values()) == {1}
    assert len(seen) == 25
    assert waiting_messages(ledger) == {"waiting": 0, "sent": 25, "failed": 0}


def test_one_sender_serves_all_messages_to_an_address(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def counted(url: str, secrets: Secrets) -> AbstractContextManager[Sender]:
        opened.append(url)
        return sender(url, secrets)

    monkeypatch.setattr("churnrisk.sending.sender", counted)
    with server(kept([])) as url, server(kept([])) as other:
        put_in(ledger, url, 12)
        put_in(ledger, other, 3, kind="offer.decided")
        assert send_due(ledger, SECRETS).n_sent == 15
    assert sorted(opened) == sorted([url, other])


def test_a_side_that_is_down_is_left_alone_for_now_and_nothing_is_lost(ledger: Ledger) -> None:
    seen: list[str] = []
    with server(kept(seen, 500)) as url:
        put_in(ledger, url, 30)
        found = send_due(ledger, SECRETS)
    assert found.n_waiting == MOST_FAILURES == len(seen)
    assert found.failure == "http_500"
    assert "wait to be tried again" in found.sentence
    assert waiting_messages(ledger) == {"waiting": 30, "sent": 0, "failed": 0}


def test_who_must_be_left_alone_since_gets_no_message(ledger: Ledger) -> None:
    seen: list[str] = []
    with server(kept(seen)) as url:
        put_in(ledger, url, 3)
        with ledger.writing() as db:
            suppress(ledger, db, ["c1"], reason="asked for it", now=now())
        assert send_due(ledger, SECRETS) == Sent(n_sent=2, n_withdrawn=1)
    with ledger.reading() as db:
        out = facts.whole(db, OUTBOX).filter(pl.col("customer_id") == "c1")
    assert out["last_error"].to_list() == ["do_not_contact"]
    assert len(seen) == 2


def test_a_consent_taken_back_in_the_customers_system_stops_a_message(ledger: Ledger) -> None:
    crm = unsaid(pl.Series(["c0", "c1"])).with_columns(may_survey=pl.Series([True, False]))
    with server(kept([])) as url:
        put_in(ledger, url, 2)
        assert send_due(ledger, SECRETS, crm=crm) == Sent(n_sent=1, n_withdrawn=1)


def test_alerts_go_to_colleagues_whatever_the_customer_has_forbidden(ledger: Ledger) -> None:
    with server(kept([])) as url:
        put_in(ledger, url, 1, kind="alert.raised")
        with ledger.writing() as db:
            suppress(ledger, db, ["c0"], reason="asked for it", now=now())
        assert send_due(ledger, SECRETS) == Sent(n_sent=1)


def test_an_address_that_is_gone_is_given_up(ledger: Ledger) -> None:
    with server(kept([], 410)) as url:
        put_in(ledger, url, 1)
        found = send_due(ledger, SECRETS)
    assert (found.n_failed, found.failure) == (1, "gone")


def test_no_more_are_tried_than_asked_for(ledger: Ledger) -> None:
    with server(kept([])) as url:
        put_in(ledger, url, 25)
        assert send_due(ledger, SECRETS, most=12).n_sent == 12
    assert waiting_messages(ledger)["waiting"] == 13


def test_an_endpoint_without_a_secret_is_refused_before_anything_is_decided(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text('[webhooks]\nendpoint = "https://hooks.example/in"\n')
    with pytest.raises(ConfigError) as caught:
        signing_secrets(Workspace.open(tmp_path), {})
    assert caught.value.codes == ("webhook_secret",)
    (tmp_path / "churnrisk.toml").write_text("")
    assert signing_secrets(Workspace.open(tmp_path), {}) is None
