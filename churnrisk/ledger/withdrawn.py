"""What was decided and never left the house: marked as withdrawn, so that nobody takes it for done.

It decides what has gone out all the same (a sent message, an answer, a word on the treatment: that stays as it is) and
from when on a withdrawal counts. It refuses to know why somebody may not be contacted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import polars as pl
from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from . import facts
from .identity import stable_ids
from .schema import (
    ANSWERS,
    CONTACTS,
    DECISION_SETS,
    DECISIONS,
    INVITATIONS,
    OUTBOX,
    OUTCOMES,
    TREATMENT_FACTS,
    TREATMENTS,
)

WITHDRAWN = "withdrawn"
"""State of an invitation that was stopped."""

SURVEY_MESSAGE = "survey.requested"


def message_kind(kind: str) -> str:
    """Return the kind of the message that a decision of a kind leads to.

    >>> message_kind("offer")
    'offer.decided'
    """
    return SURVEY_MESSAGE if kind == "survey" else f"{kind}.decided"


def decision_kind(message: str) -> str:
    """Return the kind of the decision that a message came of.

    >>> decision_kind("survey.requested"), decision_kind("offer.decided")
    ('survey', 'offer')
    """
    return message.split(".", maxsplit=1)[0]


def decided_contacts(db: Connection, as_of: date, kind: str) -> pl.DataFrame:
    """Return customer_id, subject, reference, is_withdrawn of whoever was chosen to be contacted on a date."""
    query = select(DECISIONS).where(DECISIONS.c.as_of == as_of, DECISIONS.c.kind == kind)
    rows = facts.frame_of(db, query).select("customer_id", "subject", "reference").drop_nulls("reference")
    named = rows.with_columns(contact_id=_contact_ids(rows, kind))
    made = facts.by_index(db, CONTACTS, "contact_id", named["contact_id"])
    return named.join(made.select("contact_id", "withdrawn_at"), on="contact_id").select(
        "customer_id", "subject", "reference", is_withdrawn=pl.col("withdrawn_at").is_not_null()
    )


def withdraw(db: Connection, stopped: pl.DataFrame, kind: str, as_of: date | None, now: datetime) -> int:
    """Mark what was stopped before it went out, once; return how many contacts that were.

    Parameters
    ----------
    stopped : DataFrame
        reference and reason_code: invitations, treatments or other contacts that a date decided.
    kind : str
        Kind of the decisions: survey, offer, promoter, proactive or call.
    as_of : date, optional
        The date that decided them.
    now : datetime
        The clock, naive UTC.

    Notes
    -----
    A withdrawal counts from when the decision itself was known, as long as no later date has been decided: nobody has
    looked at it as done. After that it counts from now on, so that dates looked at again look the same.
    """
    told = stopped.with_columns(message_id=stable_ids("msg", _keyed(stopped, message_kind(kind)), _KEY))
    inside = told.join(_gone_out(db, told), on="reference", how="anti")
    if inside.is_empty():
        return 0
    since = None if as_of is not None and not _is_followed(db, as_of) else now
    for part in _parts(inside["reference"]):
        _mark(db, INVITATIONS, INVITATIONS.c.invitation_id.in_(part), since, {"state": WITHDRAWN})
        _mark(db, TREATMENTS, TREATMENTS.c.treatment_id.in_(part), since, {})
    n_marked = sum(
        _mark(db, CONTACTS, CONTACTS.c.contact_id.in_(part), since, {})
        for part in _parts(_contact_ids(inside, kind))
    )
    _give_up_messages(db, inside, now)
    return n_marked


_KEY = ("_of", "reference")


def _keyed(frame: pl.DataFrame, word: str) -> pl.DataFrame:
    return frame.select(pl.lit(word).alias("_of"), "reference")


def _contact_ids(frame: pl.DataFrame, kind: str) -> pl.Series:
    """Return the ids of contacts, as `churnrisk.ledger.taking.contact_id`."""
    return stable_ids("contact", _keyed(frame, kind), _KEY)


def _is_followed(db: Connection, as_of: date) -> bool:
    later = select(func.count()).select_from(DECISION_SETS).where(DECISION_SETS.c.as_of > as_of)
    return bool(db.execute(later).scalar_one())


def _gone_out(db: Connection, told: pl.DataFrame) -> pl.DataFrame:
    """Return the references of which something has left, or come back."""
    sent = facts.by_index(db, OUTBOX, "message_id", told["message_id"]).filter(
        pl.col("sent_at").is_not_null()
    )
    answered = facts.by_index(db, ANSWERS, "invitation_id", told["reference"])
    heard = facts.by_index(db, TREATMENT_FACTS, "treatment_id", told["reference"])
    closed = facts.by_index(db, OUTCOMES, "treatment_id", told["reference"])
    return pl.concat(
        [
            sent.select("reference"),
            answered.select(reference="invitation_id"),
            heard.select(reference="treatment_id"),
            closed.select(reference="treatment_id"),
        ]
    ).unique()


def _parts(ids: pl.Series) -> Iterator[list[str]]:
    for start in range(0, len(ids), facts.MOST_NAMED):
        yield ids.slice(start, facts.MOST_NAMED).to_list()


def _mark(
    db: Connection, table: Table, are_meant: ColumnElement[bool], since: datetime | None, more: dict[str, str]
) -> int:
    """Set withdrawn_at of rows that have none: ``since``, or, where it is None, when the row was known."""
    at = table.c.known_at if since is None else since
    statement = update(table).where(are_meant, table.c.withdrawn_at.is_(None))
    return db.execute(statement.values(withdrawn_at=at, **more)).rowcount


def _give_up_messages(db: Connection, stopped: pl.DataFrame, now: datetime) -> None:
    for (reason,), rows in stopped.group_by("reason_code"):
        for part in _parts(rows["message_id"]):
            is_open = (
                OUTBOX.c.message_id.in_(part) & OUTBOX.c.sent_at.is_(None) & OUTBOX.c.failed_at.is_(None)
            )
            values = {"failed_at": now, "last_error": reason, "claimed_by": None, "claimed_until": None}
            db.execute(update(OUTBOX).where(is_open).values(**values))
