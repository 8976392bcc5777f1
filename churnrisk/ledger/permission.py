"""Who may be contacted: consents of the customers' system and of the ledger together, and suppressions.

It decides what stops a contact (a refusal as `consent` says; a suppression always), and refuses to know why somebody
is contacted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection

from ..tables.lake import LakeTables
from . import facts
from .consent import SAID, file_words, in_force, newest
from .entries import put
from .ledger import Ledger
from .schema import SUPPRESSIONS

CONSENTS = ("may_survey", "may_contact")


def crm_consents(tables: LakeTables, instant: datetime, now: datetime | None = None) -> pl.DataFrame:
    """Return customer_id, and of each consent what the customers' file says of it at an instant (`file_words`).

    A refusal that the file holds by ``now`` (naive UTC) is heeded too, as one in the ledger is: whoever is contacted is
    contacted now, whatever day was decided. A yes waits for its day.
    """
    versions = pl.scan_parquet(tables.paths["customers"])
    told = file_words(versions, instant, CONSENTS)
    if now is not None and now > instant:
        told = _refused_since(told, versions, instant, now)
    keys = pl.scan_parquet(tables.paths["keys"]).filter(pl.col("customer_id").is_not_null())
    return (
        told.join(keys.select("customer_key", "customer_id"), on="customer_key")
        .drop("customer_key")
        .sort("customer_id")
        .collect()
    )


def _refused_since(
    told: pl.LazyFrame, versions: pl.LazyFrame, instant: datetime, now: datetime
) -> pl.LazyFrame:
    is_newer = (pl.col("known_at") >= instant) | (pl.col("valid_from") >= instant)
    changed = versions.filter(is_newer.fill_null(value=False)).select("customer_key").unique()
    later = file_words(versions.join(changed, on="customer_key", how="semi"), now, CONSENTS)
    both = told.join(later, on="customer_key", how="left", suffix="_now")
    for name in CONSENTS:
        refuses = (~pl.col(f"{name}_now") & pl.col(f"{SAID}{name}_now")).fill_null(value=False)
        both = both.with_columns(
            pl.when(refuses).then(f"{column}_now").otherwise(column).alias(column)
            for column in (name, f"{SAID}{name}", f"{name}_at")
        )
    return both.select(told.collect_schema().names())


def unsaid(ids: pl.Series) -> pl.DataFrame:
    """Return the shape of `crm_consents` for customers of whom no file says anything: whatever is recorded counts."""
    told = pl.DataFrame({"customer_id": ids})
    for name in CONSENTS:
        told = told.with_columns(
            pl.lit(value=True).alias(name),
            pl.lit(value=False).alias(f"{SAID}{name}"),
            pl.lit(None, dtype=pl.Datetime("us")).alias(f"{name}_at"),
        )
    return told


def consents_in_force(
    crm: pl.DataFrame, words: pl.DataFrame, zone: str, by: datetime | None = None
) -> pl.DataFrame:
    """Return customer_id, may_survey and may_contact as `consent.in_force` says.

    Parameters
    ----------
    crm : DataFrame
        As `crm_consents`.
    words : DataFrame
        As `facts.consents`: customer_id, consent, at, value.
    zone : str
        That of days: a refusal with a date alone counts to the end of its day.
    by : datetime, optional
        Naive UTC; no yes said after it counts.
    """
    said, merged = newest(words, zone, by), crm
    for name in CONSENTS:
        ours = said.filter(pl.col("consent") == name).select("customer_id", _ours="value", _at="at")
        merged = (
            merged.join(ours, on="customer_id", how="left", maintain_order="left")
            .with_columns(in_force(name, "_ours", "_at", zone))
            .drop("_ours", "_at")
        )
    return merged.select("customer_id", *CONSENTS)


def spelled(names: Iterable[str], column: str = "channel") -> pl.Expr:
    """Return ``column`` as it is spelled among ``names``, whatever its case and spaces; another one as it is.

    What was recorded as SMS must hold for sms.
    """
    plain = pl.col(column).str.strip_chars()
    ours = {name.strip().lower(): name for name in reversed(list(names))}
    return pl.coalesce(
        plain.str.to_lowercase().replace_strict(ours, default=None, return_dtype=pl.String), plain
    ).alias(column)


def suppress(
    ledger: Ledger, db: Connection, ids: Iterable[str], *, reason: str, now: datetime, channel: str = ""
) -> int:
    """Write that these customers must be left alone, through one channel or (empty) all; return how many are new."""
    frame = pl.DataFrame({"token": ledger.tokens(ids)}, schema={"token": pl.String}).with_columns(
        channel=pl.lit(channel), since=pl.lit(now), reason=pl.lit(reason)
    )
    return put(db, SUPPRESSIONS, frame, [])


def suppressed(
    ledger: Ledger, db: Connection, ids: pl.Series, now: datetime, *, channels: Iterable[str]
) -> pl.DataFrame:
    """Return customer_id and channel (empty: all) of those among ``ids`` who must be left alone now.

    Channels are told as ``channels`` spell them.
    """
    found = facts.suppressions(db, now)
    if found.is_empty():
        return pl.DataFrame(schema={"customer_id": pl.String, "channel": pl.String})
    distinct = ids.drop_nulls().unique().sort()
    tokens = pl.DataFrame(
        {"customer_id": distinct, "token": ledger.tokens(distinct.to_list())},
        schema={"customer_id": pl.String, "token": pl.String},
    )
    told = tokens.join(found, on="token").select("customer_id", spelled(channels)).unique()
    return told.sort("customer_id", "channel")


def _channels(frame: pl.DataFrame) -> list[str]:
    return frame["channel"].drop_nulls().unique().sort().to_list() if "channel" in frame.columns else []


class Rechecked(NamedTuple):
    """Rows that may go out still, and those that may not any more, with ``reason_code``."""

    allowed: pl.DataFrame
    refused: pl.DataFrame


def still_allowed(
    frame: pl.DataFrame,
    ledger: Ledger,
    now: datetime,
    *,
    crm: pl.DataFrame | None = None,
    transactional: Collection[str] = (),
) -> Rechecked:
    """Check consent and suppressions again before rows leave the house as a message or in a file.

    Parameters
    ----------
    frame : DataFrame
        customer_id; channel and purpose where there are such (without purpose: may_contact must hold).
    ledger : Ledger
        Read now, not as of the decision.
    now : datetime
        Naive UTC; the end of the day decided where that lies after the clock (simulated data).
    crm : DataFrame, optional
        `crm_consents` as loaded now; without it only the ledger's own consents are looked at.
    transactional : collection of str
        Purposes that need no consent: only suppressions stop them.

    Returns
    -------
    Rechecked
        The rows in their order.
    """
    ids = frame["customer_id"].unique()
    with ledger.reading() as db:
        stopped = suppressed(ledger, db, ids, now, channels=_channels(frame))
        said = facts.consents(db)
    if crm is None:
        crm = unsaid(ids)
    may = consents_in_force(crm, said, ledger.zone, by=now)
    everywhere = stopped.filter(pl.col("channel") == "").select("customer_id", _all=pl.lit(value=True))
    here = stopped.filter(pl.col("channel") != "").select("customer_id", "channel", _here=pl.lit(value=True))
    absent = [
        pl.lit(None, dtype=pl.String).alias(n) for n in ("channel", "purpose") if n not in frame.columns
    ]
    checked = (
        frame.with_columns(absent)
        .join(may, on="customer_id", how="left", maintain_order="left")
        .join(everywhere, on="customer_id", how="left", maintain_order="left")
        .join(here, on=["customer_id", "channel"], how="left", maintain_order="left")
    )
    asked = pl.when(pl.col("purpose") == "survey").then("may_survey").otherwise("may_contact")
    needs_consent = ~pl.col("purpose").is_in(sorted(transactional)).fill_null(value=False)
    reason = pl.coalesce(
        pl.when(~asked.fill_null(value=False) & needs_consent).then(pl.lit("no_consent")),
        pl.when(pl.col("_all")).then(pl.lit("do_not_contact")),
        pl.when(pl.col("_here")).then(pl.lit("suppressed")),
    )
    told = checked.with_columns(reason_code=reason)
    return Rechecked(
        told.filter(pl.col("reason_code").is_null()).select(frame.columns),
        told.filter(pl.col("reason_code").is_not_null()).select(*frame.columns, "reason_code"),
    )
