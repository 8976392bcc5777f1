"""Messages go out at least once, under one id, and never from two senders at once."""

import threading
from datetime import datetime, timedelta

import pytest

from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.inbox import judged, received
from churnrisk.ledger.outbox import LEASE, claimed, message, messages, note_try, waiting_messages, withdraw
from churnrisk.ledger.schema import OUTBOX

NOW = datetime(2026, 5, 2, 4)


def put_in(ledger: Ledger, n: int) -> None:
    rows = [
        message("survey_request", f"i{number:03}", {"n": number}, endpoint="e", now=NOW)
        for number in range(n)
    ]
    with ledger.writing() as db:
        add(db, OUTBOX, messages(rows))


def test_the_id_of_a_message_is_that_of_what_it_is_about() -> None:
    one = message("survey_request", "i1", {"a": 1}, endpoint="e", now=NOW)
    other = message("survey_request", "i1", {"a": 2}, endpoint="f", now=NOW + timedelta(days=1))
    assert one["message_id"] == other["message_id"]
    assert message("alert", "i1", {}, endpoint="e", now=NOW)["message_id"] != one["message_id"]


def test_a_message_belongs_to_one_sender_until_its_lease_runs_out(ledger: Ledger) -> None:
    put_in(ledger, 3)
    mine = claimed(ledger, NOW, sender="one", most=2)
    (theirs,) = claimed(ledger, NOW, sender="two")
    assert {each.reference for each in (*mine, theirs)} == {"i000", "i001", "i002"}
    assert {each.body for each in (*mine, theirs)} == {'{"n": 0}', '{"n": 1}', '{"n": 2}'}
    assert claimed(ledger, NOW + LEASE - timedelta(microseconds=1), sender="two") == []
    assert len(claimed(ledger, NOW + LEASE, sender="two")) == 3
    assert not note_try(ledger, mine[0].message_id, NOW + LEASE, sender="one")
    assert note_try(ledger, mine[0].message_id, NOW + LEASE, sender="two")


def test_a_failed_try_waits_and_a_last_one_is_given_up(ledger: Ledger) -> None:
    put_in(ledger, 1)
    (first,) = claimed(ledger, NOW, sender="s")
    note_try(ledger, first.message_id, NOW, sender="s", failure="http_500", wait=timedelta(hours=1))
    assert claimed(ledger, NOW + timedelta(minutes=59), sender="s") == []
    (again,) = claimed(ledger, NOW + timedelta(hours=1), sender="s")
    assert (again.n_before, again.body) == (1, first.body)
    note_try(ledger, first.message_id, NOW, sender="s", failure="gone")
    assert claimed(ledger, NOW + timedelta(days=9), sender="s") == []
    assert waiting_messages(ledger) == {"waiting": 0, "sent": 0, "failed": 1}


def test_what_was_delivered_or_withdrawn_is_not_sent_again(ledger: Ledger) -> None:
    put_in(ledger, 2)
    one, other = claimed(ledger, NOW, sender="s")
    note_try(ledger, one.message_id, NOW, sender="s")
    withdraw(ledger, other.message_id, NOW, reason_code="no_consent")
    assert claimed(ledger, NOW + timedelta(days=1), sender="s") == []
    put_in(ledger, 2)
    assert waiting_messages(ledger) == {"waiting": 0, "sent": 1, "failed": 1}


def test_several_senders_share_the_messages_out(ledger: Ledger) -> None:
    put_in(ledger, 60)
    taken: list[str] = []

    def send(name: str) -> None:
        while found := claimed(ledger, NOW, sender=name, most=5):
            for each in found:
                taken.append(each.message_id)
                assert note_try(ledger, each.message_id, NOW, sender=name)

    threads = [threading.Thread(target=send, args=(f"s{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


@pytest.mark.parametrize("n_times", [1, 3])
def test_an_event_counts_once(ledger: Ledger, n_times: int) -> None:
    with ledger.writing() as db:
        verdicts = [received(db, "e1", b"{}", NOW) for _ in range(n_times)]
        judged(db, "e1", "taken")
        assert verdicts == ["new", "again", "again"][:n_times]
        assert received(db, "e1", b"{other}", NOW) == "changed"
