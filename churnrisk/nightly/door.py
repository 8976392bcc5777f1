"""The door that rows leave through: who may be contacted is looked at once more, and who is stopped is written down.

It decides nothing on anybody: it holds decided rows against consents and suppressions as they are now, and lets the
ledger know which of them never went out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from ..ledger import Ledger, crm_consents, still_allowed
from ..ledger.withdrawn import decided_contacts, withdraw
from .basis import Basis

WITHDRAWN = {"customer_id": pl.String(), "reason_code": pl.String()}

LEFT_ALONE = "do_not_contact"
"""Why a row stays out that was stopped when an earlier file was made, and would be let through by now."""


class Allowed(NamedTuple):
    """Rows that may go out, and customer_id, reason_code of those that may not any more."""

    rows: pl.DataFrame
    withdrawn: pl.DataFrame


def allowed(
    basis: Basis, rows: pl.DataFrame, kind: str, channel: str | pl.Expr | None, purpose: str | pl.Expr
) -> Allowed:
    """Return the rows of one kind of contact that may still go out as consents and suppressions are now.

    Those stopped are withdrawn in the ledger by a run that decides; once withdrawn they stay out, whatever the customer
    says later: a date that is made again hands out nothing new.
    """
    if basis.ledger is None:
        return Allowed(rows, pl.DataFrame(schema=WITHDRAWN))
    # by the row: what is looked at has columns of its own
    looked_at = rows.select(
        "customer_id",
        channel=pl.lit(channel, dtype=pl.String) if channel is None or isinstance(channel, str) else channel,
        purpose=pl.lit(purpose) if isinstance(purpose, str) else purpose,
        subject="programme" if "programme" in rows.columns else pl.lit(None, dtype=pl.String),
    ).with_row_index("_row")
    now = datetime.now(UTC).replace(tzinfo=None)
    found = still_allowed(
        looked_at,
        basis.ledger,
        max(now, basis.as_of.instant),
        crm=crm_consents(basis.loaded.tables, basis.as_of.instant, now),
        transactional=basis.workspace.config.contacts.transactional,
    )
    told = ["_row", "customer_id", "reason_code"]
    before = _withdrawn_before(basis, basis.ledger, found.allowed, kind)
    stopped = pl.concat([found.refused.select(told), before.select(told)]).sort("_row")
    if basis.extent.decides and not basis.extent.is_dry and found.refused.height:
        _withdraw(basis, basis.ledger, found.refused, kind, now)
    let_through = found.allowed.join(before, on="_row", how="anti", maintain_order="left")
    return Allowed(rows[let_through["_row"]], stopped.select("customer_id", "reason_code"))


def _withdrawn_before(basis: Basis, ledger: Ledger, looked_at: pl.DataFrame, kind: str) -> pl.DataFrame:
    with ledger.reading() as db:
        earlier = decided_contacts(db, basis.as_of.day, kind).filter("is_withdrawn")
    return _of_them(earlier, looked_at).with_columns(reason_code=pl.lit(LEFT_ALONE))


def _withdraw(basis: Basis, ledger: Ledger, refused: pl.DataFrame, kind: str, now: datetime) -> None:
    with ledger.writing() as db:
        open_still = decided_contacts(db, basis.as_of.day, kind).filter(~pl.col("is_withdrawn"))
        withdraw(db, _of_them(open_still, refused), kind, basis.as_of.day, now)


def _of_them(decided: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the reference of their decision; where rows name a programme, of that one."""
    named = rows.join(decided.rename({"subject": "_subject"}), on="customer_id", maintain_order="left")
    return named.filter(pl.col("subject").is_null() | (pl.col("subject") == pl.col("_subject")))
