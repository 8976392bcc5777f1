"""Messages that must go out: kept until the other side has them, so that none is lost and none is sent by two at once.

It decides who may try a message and when the next try is due, and refuses to know how messages travel. Delivery is at
least once: a process that dies between sending and noting sends again, under the same id.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import func, select, update

from .identity import stable_id
from .ledger import Ledger
from .schema import OUTBOX
from .withdrawn import decision_kind
from .withdrawn import withdraw as withdraw_contacts

LEASE = timedelta(minutes=5)
"""So long a message belongs to whoever claimed it; after that it is taken to be dead. Longer than any try lasts."""


@dataclass(frozen=True)
class Message:
    """One message to try: ``body`` is JSON as it was first made; ``n_before`` how often it was tried."""

    message_id: str
    kind: str
    endpoint: str
    body: str
    n_before: int
    customer_id: str | None
    channel: str | None
    reference: str | None
    as_of: date | None


def message(
    kind: str,
    subject_id: str,
    payload: Mapping[str, Any],
    *,
    endpoint: str,
    now: datetime,
    customer_id: str | None = None,
    channel: str | None = None,
) -> dict[str, Any]:
    """Return a row of the outbox; its id is a hash of kind and subject (an invitation, an alert), never of time."""
    return {
        "message_id": stable_id("msg", kind, subject_id),
        "kind": kind,
        "endpoint": endpoint,
        "customer_id": customer_id,
        "channel": channel,
        "reference": subject_id,
        "payload": json.dumps(payload, ensure_ascii=False, sort_keys=True, default=str),
        "created_at": now,
        "next_try_at": now,
        "n_tries": 0,
    }


def messages(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows of the outbox as a frame for `replay.Decisions` or `entries.add`."""
    text = ("message_id", "kind", "endpoint", "customer_id", "channel", "reference", "payload")
    kinds = {
        **dict.fromkeys(text, pl.String()),
        "created_at": pl.Datetime("us"),
        "next_try_at": pl.Datetime("us"),
        "n_tries": pl.Int64(),
    }
    return pl.DataFrame(list(rows), schema=kinds)


def claimed(
    ledger: Ledger, now: datetime, *, sender: str, most: int = 100, without: Collection[str] = ()
) -> list[Message]:
    """Take messages that are due, oldest first, for `LEASE`; nobody else gets them meanwhile.

    ``sender`` names whoever asks, one name per process; ``without``: kinds that stay where they are. On
    PostgreSQL rows that another one is just taking are passed over; on SQLite one waits for the other.
    """
    is_due = (
        OUTBOX.c.sent_at.is_(None)
        & OUTBOX.c.failed_at.is_(None)
        & (OUTBOX.c.next_try_at <= now)
        & (OUTBOX.c.claimed_until.is_(None) | (OUTBOX.c.claimed_until <= now))
    )
    if without:
        is_due &= OUTBOX.c.kind.not_in(sorted(without))
    query = select(OUTBOX).where(is_due).order_by(OUTBOX.c.next_try_at, OUTBOX.c.message_id).limit(most)
    if ledger.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    with ledger.claiming() as db:
        rows = db.execute(query).mappings().all()
        taken = [row["message_id"] for row in rows]
        db.execute(
            update(OUTBOX)
            .where(OUTBOX.c.message_id.in_(taken))
            .values(claimed_by=sender, claimed_until=now + LEASE)
        )
    return [
        Message(
            row["message_id"],
            row["kind"],
            row["endpoint"],
            row["payload"],
            row["n_tries"],
            row["customer_id"],
            row["channel"],
            row["reference"],
            row["as_of"],
        )
        for row in rows
    ]


def note_try(
    ledger: Ledger,
    message_id: str,
    now: datetime,
    *,
    sender: str,
    failure: str = "",
    wait: timedelta | None = None,
) -> bool:
    """Note what came of a try: delivered (no ``failure``), to be tried again after ``wait``, or, without one, failed.

    ``failure`` is a code, never the text of an answer. Return whether the message was still ours to note: a lease that
    ran out may have gone to another sender, whose word then counts.
    """
    values: dict[str, Any] = {
        "n_tries": OUTBOX.c.n_tries + 1,
        "claimed_by": None,
        "claimed_until": None,
        "last_error": failure or None,
    }
    if not failure:
        values["sent_at"] = now
    elif wait is None:
        values["failed_at"] = now
    else:
        values["next_try_at"] = now + wait
    with ledger.claiming() as db:
        ours = (OUTBOX.c.message_id == message_id) & (OUTBOX.c.claimed_by == sender)
        return db.execute(update(OUTBOX).where(ours).values(**values)).rowcount == 1


def withdraw(ledger: Ledger, message_id: str, now: datetime, *, reason_code: str) -> None:
    """Give up a message that may not go out any more (a consent taken back since); ``last_error`` says why.

    What it was about is withdrawn with it: invitation, treatment and contact.
    """
    with ledger.claiming() as db:
        open_still = (OUTBOX.c.message_id == message_id) & OUTBOX.c.sent_at.is_(None)
        row = db.execute(select(OUTBOX.c.kind, OUTBOX.c.reference, OUTBOX.c.as_of).where(open_still)).first()
        values = {"failed_at": now, "last_error": reason_code, "claimed_by": None, "claimed_until": None}
        db.execute(update(OUTBOX).where(open_still).values(**values))
        if row is not None:
            stopped = pl.DataFrame({"reference": [row.reference], "reason_code": [reason_code]})
            withdraw_contacts(db, stopped, decision_kind(row.kind), row.as_of, now)


def waiting_messages(ledger: Ledger) -> dict[str, int]:
    """Return how many messages are waiting, sent and failed."""
    states = {
        "waiting": OUTBOX.c.sent_at.is_(None) & OUTBOX.c.failed_at.is_(None),
        "sent": OUTBOX.c.sent_at.is_not(None),
        "failed": OUTBOX.c.failed_at.is_not(None),
    }
    with ledger.reading() as db:
        return {
            name: int(db.execute(select(func.count()).select_from(OUTBOX).where(state)).scalar_one())
            for name, state in states.items()
        }
