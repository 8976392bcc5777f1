"""What the ledger holds, as frames: bulk, in the order of the key, and as it was known at an instant.

It decides how rows become frames, and refuses to know what they are used for. Known means known_at strictly before.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Boolean, Connection, Date, DateTime, Double, Integer, Select, Table, select

from .schema import (
    ANSWERS,
    CONSENTS,
    CONTACTS,
    DECISIONS,
    INVITATIONS,
    METADATA,
    OUTCOMES,
    SUPPRESSIONS,
    TREATMENT_FACTS,
    TREATMENTS,
)
from .words import as_known

_TYPES: dict[type[Any], pl.DataType] = {
    Boolean: pl.Boolean(),
    Date: pl.Date(),
    DateTime: pl.Datetime("us"),
    Double: pl.Float64(),
    Integer: pl.Int64(),
}


def schema_of(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of a table of the ledger, as its frames have them."""
    return {
        column.name: next((kind for sql, kind in _TYPES.items() if isinstance(column.type, sql)), pl.String())
        for column in table.columns
    }


def frame_of(db: Connection, query: Select[Any]) -> pl.DataFrame:
    """Return the rows of a query over one table of the ledger, all of its columns, in its order."""
    (table,) = query.get_final_froms()
    kinds = schema_of(METADATA.tables[str(table)])
    names = [column.name for column in query.selected_columns]
    rows = [tuple(row) for row in db.execute(query)]
    return pl.DataFrame(rows, schema={name: kinds[name] for name in names}, orient="row")


def whole(db: Connection, table: Table, known_before: datetime | None = None) -> pl.DataFrame:
    """Return a table by its key; with ``known_before`` only rows whose known_at is strictly earlier."""
    query = select(table).order_by(*table.primary_key.columns)
    if known_before is not None:
        query = query.where(table.c.known_at < known_before)
    return frame_of(db, query)


def went_out(known_before: datetime | None = None) -> pl.Expr:
    """Say whether an invitation, treatment or contact was not withdrawn as known before an instant (None: by now)."""
    if known_before is None:
        return pl.col("withdrawn_at").is_null()
    before = pl.lit(known_before, dtype=pl.Datetime("us"))
    return pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") >= before)


MOST_NAMED = 500
"""Ids that a query names one by one; of more the whole table is read. SQLite allows some thousands."""


def some(db: Connection, table: Table, column: str, values: pl.Series) -> pl.DataFrame:
    """Return the rows of a table whose ``column`` is among ``values``, by its key."""
    wanted = values.drop_nulls().unique()
    query = select(table).order_by(*table.primary_key.columns)
    if len(wanted) <= MOST_NAMED:
        return frame_of(db, query.where(table.c[column].in_(wanted.to_list())))
    return frame_of(db, query).filter(pl.col(column).is_in(wanted.implode()))


def by_index(db: Connection, table: Table, column: str, values: pl.Series) -> pl.DataFrame:
    """Return what `some` does, however many are wanted, through the index: for tables that grow for years."""
    wanted = values.drop_nulls().unique().sort()
    starts = range(0, max(1, len(wanted)), MOST_NAMED)
    return pl.concat([some(db, table, column, wanted.slice(start, MOST_NAMED)) for start in starts])


def invitations(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return who was invited to answer what, by invitation_id."""
    return whole(db, INVITATIONS, known_before)


def every_answer(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return every answer that came, repeated ones too, by answer_id."""
    return whole(db, ANSWERS, known_before)


def answers(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return the one answer that counts of each question: of those known the first given, then the least id.

    By invitation_id and metric. The order in which answers arrived does not matter.
    """
    order = ("invitation_id", "metric", "answered_at", "answer_id")
    found = every_answer(db, known_before).sort(order)
    return found.unique(["invitation_id", "metric"], keep="first", maintain_order=True)


def asked(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return invitations that went out, each with the answer that counts: answered_at, answer_known_at, score.

    By invitation_id; also customer_id, purpose, metric, invited_at, risk_at_asking. Withdrawn ones did not go out, but
    for those that were answered all the same.
    """
    out = invitations(db, known_before)
    given = answers(db, known_before).select(
        "invitation_id", "metric", "answered_at", "score", answer_known_at="known_at"
    )
    told = out.join(given, on=["invitation_id", "metric"], how="left", maintain_order="left")
    return told.filter(went_out(known_before) | pl.col("answered_at").is_not_null()).select(
        "customer_id",
        "invitation_id",
        "purpose",
        "metric",
        "invited_at",
        "answered_at",
        "answer_known_at",
        "score",
        "risk_at_asking",
    )


def asked_or_held_out(db: Connection, before: date) -> pl.DataFrame:
    """Return as_of, customer_id, decision of whoever was asked because of the answer's worth, or held out from surveys.

    Decisions before a day; those drawn at random are left aside, as they would have been asked for no reason.
    """
    is_ours = (
        (DECISIONS.c.kind == "survey")
        & DECISIONS.c.subject.like("confirm:%")
        & ((DECISIONS.c.decision == "ask") | (DECISIONS.c.reason_code == "survey_hold_out"))
    )
    columns = (DECISIONS.c.as_of, DECISIONS.c.customer_id, DECISIONS.c.subject, DECISIONS.c.decision)
    query = select(*columns).where(is_ours, DECISIONS.c.as_of < before)
    return frame_of(db, query.order_by(DECISIONS.c.as_of, DECISIONS.c.customer_id, DECISIONS.c.subject))


def treatments(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return who got which offer, or was left without on purpose, by treatment_id; without those withdrawn.

    With ``known_before`` also accepted and root_cause are what was known of them strictly earlier.
    """
    made = whole(db, TREATMENTS, known_before).filter(went_out(known_before))
    return made if known_before is None else as_known(made, whole(db, TREATMENT_FACTS), known_before)


def outcomes(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return what came of contacts and offers, by outcome_id."""
    return whole(db, OUTCOMES, known_before)


def contacts(
    db: Connection, *, since: datetime | None = None, known_before: datetime | None = None
) -> pl.DataFrame:
    """Return contacts of any kind at or after ``since``, by contact_id; without those withdrawn."""
    query = select(CONTACTS).order_by(CONTACTS.c.contact_id)
    if known_before is not None:
        query = query.where(CONTACTS.c.known_at < known_before)
    found = frame_of(db, query if since is None else query.where(CONTACTS.c.at >= since))
    return found.filter(went_out(known_before))


def consents(db: Connection, known_before: datetime | None = None) -> pl.DataFrame:
    """Return every word of customers on their consents, by customer_id, consent and at; `consent` says which counts."""
    return whole(db, CONSENTS, known_before)


def suppressions(db: Connection, now: datetime) -> pl.DataFrame:
    """Return token and channel (empty: all of them) of whoever must be left alone at ``now``."""
    query = select(SUPPRESSIONS).where(
        SUPPRESSIONS.c.since <= now,
        SUPPRESSIONS.c.until.is_(None) | (SUPPRESSIONS.c.until > now),
        SUPPRESSIONS.c.lifted_at.is_(None) | (SUPPRESSIONS.c.lifted_at > now),
    )
    return frame_of(db, query.order_by(SUPPRESSIONS.c.token, SUPPRESSIONS.c.channel)).select(
        "token", "channel"
    )
