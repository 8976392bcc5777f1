"""The decisions of a date: written once, all in one transaction, and from then on read, never taken again.

It decides when a date counts as decided, and refuses to know how a decision is reached. A process that dies in between
leaves nothing of the date behind, and neither do decisions that are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, func, select

from .entries import add
from .facts import by_index, frame_of, schema_of, went_out
from .identity import stable_ids
from .ledger import Ledger
from .rules.reasons import CHOSEN
from .rules.standing import CALL
from .schema import (
    CONTACTS,
    DECISION_SETS,
    DECISIONS,
    HOLDOUTS,
    INVITATIONS,
    OUTBOX,
    TREATMENTS,
)


@dataclass(frozen=True)
class Decided:
    """The decisions of a date as the ledger has them.

    ``frame`` has the columns of ``decisions``, by kind and position; ``figures`` is what was kept beside them (JSON:
    budgets, counts). ``is_replay`` says that they were not taken by this call.
    """

    as_of: date
    decided_at: datetime
    run_id: str
    figures: str
    frame: pl.DataFrame
    is_replay: bool


@dataclass(frozen=True)
class Decisions:
    """What a night has decided and what follows from it, to be written together.

    Each frame has the columns of its table of `churnrisk.ledger.schema` that are not given by the date: ``decisions``
    without as_of; ``invitations``, ``treatments``, ``contacts`` without written_at (and known_at, as_of: those of the
    date); ``outbox`` (see `outbox.messages`) and ``holdouts`` (kind, campaign_id, customer_id) as they are.
    """

    run_id: str
    settings: str
    figures: str
    decisions: pl.DataFrame
    invitations: pl.DataFrame = field(default_factory=pl.DataFrame)
    treatments: pl.DataFrame = field(default_factory=pl.DataFrame)
    contacts: pl.DataFrame = field(default_factory=pl.DataFrame)
    outbox: pl.DataFrame = field(default_factory=pl.DataFrame)
    holdouts: pl.DataFrame = field(default_factory=pl.DataFrame)


def decided(db: Connection, as_of: date) -> Decided | None:
    """Return the decisions of a date, None when it has not been decided."""
    found = frame_of(db, select(DECISION_SETS).where(DECISION_SETS.c.as_of == as_of))
    if found.is_empty():
        return None
    told = found.row(0, named=True)
    query = select(DECISIONS).where(DECISIONS.c.as_of == as_of)
    rows = frame_of(db, query).sort("kind", "position", "customer_id", "subject")
    return Decided(as_of, told["decided_at"], told["run_id"], told["figures"], rows, is_replay=True)


def is_decided(db: Connection, as_of: date) -> bool:
    """Say whether a date has been decided."""
    found = db.execute(select(DECISION_SETS.c.as_of).where(DECISION_SETS.c.as_of == as_of))
    return found.first() is not None


def newest_decided(db: Connection) -> date | None:
    """Return the latest date that has been decided, None when none has."""
    return db.execute(select(func.max(DECISION_SETS.c.as_of))).scalar()


def decided_calls(db: Connection, as_of: date) -> pl.DataFrame:
    """Return the decisions of a date on the list of calls, those left out included; empty where there are none."""
    return frame_of(db, select(DECISIONS).where(DECISIONS.c.as_of == as_of, DECISIONS.c.kind == CALL))


def contacted_by(db: Connection, kind: str, subject: str, since: date, before: date) -> pl.DataFrame:
    """Return customer_id of those who were chosen for a subject on dates after ``since`` and before ``before``.

    Whoever was stopped before the contact left the house was not contacted.
    """
    query = select(DECISIONS).where(
        DECISIONS.c.kind == kind,
        DECISIONS.c.subject == subject,
        DECISIONS.c.reason_code == CHOSEN,
        DECISIONS.c.as_of > since,
        DECISIONS.c.as_of < before,
    )
    chosen = frame_of(db, query)
    ids = stable_ids("contact", chosen, ("kind", "reference"))
    stopped = by_index(db, CONTACTS, "contact_id", ids).filter(~went_out())
    out = chosen.join(stopped, left_on="reference", right_on="source_id", how="anti")
    return out.select("customer_id").unique().sort("customer_id")


def record_decisions(  # noqa: PLR0917 - a date, what was decided of it, and who may still refuse
    ledger: Ledger,
    as_of: date,
    instant: datetime,
    wanted: Decisions,
    now: datetime,
    refuse: Callable[[Decided], None] | None = None,
) -> Decided:
    """Write the decisions of a date with all that follows from them, or return those that were written before.

    Parameters
    ----------
    as_of : date
        The date decided.
    instant : datetime
        Its end (`AsOf.instant`), when invitations, treatments and contacts are known.
    wanted : Decisions
        Left aside when the date has been decided already, by whomever.
    now : datetime
        The clock, naive UTC.
    refuse : callable, optional
        Is given the decisions as they will be read from now on, before they count; where it raises, nothing of the date
        is written. Not asked of those written before.
    """
    with ledger.writing() as db:
        before = decided(db, as_of)
        if before is not None:
            return before
        _write(db, as_of, instant, wanted, now)
        written = decided(db, as_of)
        if written is None:
            raise AssertionError
        made = replace(written, is_replay=False)
        if refuse is not None:
            refuse(made)
    return made


def _write(db: Connection, as_of: date, instant: datetime, wanted: Decisions, now: datetime) -> None:
    day, at = pl.lit(as_of), pl.lit(instant)
    told = pl.DataFrame(
        {
            "as_of": [as_of],
            "decided_at": [now],
            "run_id": [wanted.run_id],
            "settings": [wanted.settings],
            "figures": [wanted.figures],
        }
    )
    add(db, DECISION_SETS, told)
    parts = (
        (DECISIONS, wanted.decisions, {"as_of": day}),
        (INVITATIONS, wanted.invitations, {"as_of": day, "known_at": at, "written_at": pl.lit(now)}),
        (TREATMENTS, wanted.treatments, {"as_of": day, "known_at": at, "written_at": pl.lit(now)}),
        (CONTACTS, wanted.contacts, {"known_at": at, "written_at": pl.lit(now)}),
        (HOLDOUTS, wanted.holdouts, {"since": day}),
        (OUTBOX, wanted.outbox, {"as_of": day}),
    )
    for table, frame, stamps in parts:
        if frame.width:
            _refuse_unknown(set(frame.columns) - set(schema_of(table)), table.name)
            add(db, table, frame.with_columns(**stamps))


def _refuse_unknown(columns: set[str], table: str) -> None:
    if columns:
        msg = f"{table} of the ledger has no {', '.join(sorted(columns))}"
        raise ValueError(msg)
