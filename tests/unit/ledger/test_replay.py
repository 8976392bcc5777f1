"""A date is decided once: a second call reads, whatever it wanted, and what dies in the middle leaves nothing."""

import threading
from datetime import date, datetime

import polars as pl
import pytest

from churnrisk.ledger import Decided, Decisions, Ledger, decided, entries, record_decisions, replay
from churnrisk.ledger.facts import contacts, invitations, treatments, whole
from churnrisk.ledger.outbox import message, messages
from churnrisk.ledger.schema import (
    CONTACTS,
    DECISION_SETS,
    DECISIONS,
    HOLDOUTS,
    INVITATIONS,
    OUTBOX,
    TREATMENTS,
)

DAY, END, NOW = date(2026, 5, 1), datetime(2026, 5, 2), datetime(2026, 5, 2, 4)


def night(run_id: str = "run", customers: str = "ab") -> Decisions:
    n = len(customers)
    ids = list(customers)
    rows = [message("survey_request", f"i-{name}", {"customer": name}, endpoint="e", now=NOW) for name in ids]
    return Decisions(
        run_id=run_id,
        settings="fingerprint",
        figures='{"survey": {"budget": 1.0}}',
        decisions=pl.DataFrame(
            {
                "kind": ["survey"] * n,
                "customer_id": ids,
                "subject": ["nps"] * n,
                "position": range(1, n + 1),
                "decision": ["ask"] * n,
                "reason_code": ["chosen"] * n,
                "why": [""] * n,
                "purpose": ["survey"] * n,
                "is_random": [False] * n,
                "details": ["{}"] * n,
            }
        ),
        invitations=pl.DataFrame(
            {
                "invitation_id": [f"i-{name}" for name in ids],
                "customer_id": ids,
                "metric": ["nps"] * n,
                "occasion": ["relationship"] * n,
                "purpose": ["confirm"] * n,
                "invited_at": [END] * n,
                "state": ["decided"] * n,
            }
        ),
        treatments=pl.DataFrame(
            {
                "treatment_id": ["t1"],
                "customer_id": ["a"],
                "offer_id": ["discount"],
                "at": [END],
                "propensity": [0.9],
                "source": ["decided"],
            }
        ),
        contacts=pl.DataFrame(
            {
                "contact_id": [f"k-{name}" for name in ids],
                "customer_id": ids,
                "at": [END] * n,
                "channel": ["email"] * n,
                "purpose": ["survey"] * n,
                "is_transactional": [False] * n,
                "source": ["survey"] * n,
            }
        ),
        outbox=messages(rows),
        holdouts=pl.DataFrame({"kind": ["permanent"], "campaign_id": [""], "customer_id": ["z"]}),
    )


def test_a_second_call_returns_what_the_first_decided(ledger: Ledger) -> None:
    first = record_decisions(ledger, DAY, END, night(), NOW)
    second = record_decisions(ledger, DAY, END, night("another", "cd"), datetime(2026, 6, 1))
    assert (first.is_replay, second.is_replay) == (False, True)
    assert second.frame.equals(first.frame)
    assert (second.run_id, second.decided_at, second.figures) == ("run", NOW, '{"survey": {"budget": 1.0}}')
    with ledger.reading() as db:
        assert invitations(db)["customer_id"].to_list() == ["a", "b"]
        assert invitations(db)["known_at"].to_list() == [END, END]
        assert treatments(db)["as_of"].to_list() == [DAY]
        assert contacts(db).height == 2
        assert whole(db, OUTBOX)["message_id"].n_unique() == 2
        assert whole(db, HOLDOUTS)["since"].to_list() == [DAY]
        assert decided(db, date(2026, 5, 2)) is None


@pytest.mark.parametrize("dies_at", range(1, 8))
def test_what_dies_in_the_middle_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    written = 0

    def dying(*arguments: object) -> int:
        nonlocal written
        written += 1
        if written == dies_at:
            raise KeyboardInterrupt
        return add(*arguments)  # type: ignore[arg-type]

    add = entries.add
    monkeypatch.setattr(replay, "add", dying)
    with pytest.raises(KeyboardInterrupt):
        record_decisions(ledger, DAY, END, night(), NOW)
    with ledger.reading() as db:
        assert decided(db, DAY) is None
        assert [whole(db, table).height for table in (DECISION_SETS, OUTBOX, HOLDOUTS)] == [0, 0, 0]
        assert contacts(db).is_empty()
    monkeypatch.setattr(replay, "add", add)
    assert record_decisions(ledger, DAY, END, night(), NOW).frame.height == 2


def test_decisions_that_are_refused_leave_nothing_and_the_date_can_be_decided_after_that(
    ledger: Ledger,
) -> None:
    shown = []

    def refuse(made: Decided) -> None:
        shown.append(made)
        msg = "not so"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="not so"):
        record_decisions(ledger, DAY, END, night(), NOW, refuse)
    with ledger.reading() as db:
        assert decided(db, DAY) is None
        tables = (DECISION_SETS, DECISIONS, INVITATIONS, TREATMENTS, CONTACTS, OUTBOX, HOLDOUTS)
        assert [whole(db, table).height for table in tables] == [0] * len(tables)
    taken = record_decisions(ledger, DAY, END, night(), NOW, shown.append)
    assert not taken.is_replay
    for made in shown:
        assert made.frame.equals(taken.frame), "what is judged is what will be read"
    # what stands is not judged again
    assert record_decisions(ledger, DAY, END, night("another", "cd"), NOW, refuse).is_replay


def test_of_two_at_once_one_decides_and_the_other_reads(ledger: Ledger) -> None:
    found = []

    def decide(name: str) -> None:
        found.append(record_decisions(ledger, DAY, END, night(name), NOW))

    threads = [threading.Thread(target=decide, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.run_id for each in found}) == 1
    assert sorted(each.is_replay for each in found) == [False, True, True]


def test_a_column_that_the_ledger_does_not_know_is_a_fault(ledger: Ledger) -> None:
    wrong = Decisions("r", "s", "{}", night().decisions.with_columns(colour=pl.lit("red")))
    with pytest.raises(ValueError, match="colour"):
        record_decisions(ledger, DAY, END, wrong, NOW)
