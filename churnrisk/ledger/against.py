"""Rows to be recorded, held against what is on record: what is known of the treatment that a row names.

It decides what contradicts the record, and refuses to know what becomes of such rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
from sqlalchemy import Connection

from . import facts
from .schema import TREATMENTS

AHEAD = timedelta(hours=1)
"""Clocks of others may be so far ahead of ours; what is dated later has not happened yet."""

_KNOWN = {
    "treatment_id": pl.String(),
    "_customer": pl.String(),
    "_offer": pl.String(),
    "_made_at": pl.Datetime("us"),
    "_propensity": pl.Float64(),
    "_campaign": pl.String(),
    "_instead_of": pl.String(),
    "_left_alone": pl.Float64(),
    "_withdrawn_at": pl.Datetime("us"),
}


def beside_treatments(
    db: Connection, rows: pl.DataFrame, elsewhere: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the rows with what is known of their treatment: _customer, _offer, _made_at, and _propensity,
    _campaign, _instead_of, _left_alone, _withdrawn_at.

    Null where nothing is. ``elsewhere``: treatment_id, customer_id, offer_id, at of those that the sources tell of; of
    two that know one treatment the ledger counts.
    """
    ours = facts.by_index(db, TREATMENTS, "treatment_id", rows["treatment_id"])
    known = _named(ours)
    if elsewhere is not None:
        known = pl.concat([known, _named(elsewhere)]).unique("treatment_id", keep="first")
    return rows.join(known, on="treatment_id", how="left", maintain_order="left")


def _named(treatments: pl.DataFrame) -> pl.DataFrame:
    given = treatments.rename(
        {"customer_id": "_customer", "offer_id": "_offer", "at": "_made_at"}
        | {
            name: f"_{kept}"
            for name, kept in (*_FURTHER.items(), ("withdrawn_at", "withdrawn_at"))
            if name in treatments.columns
        }
    )
    absent = [pl.lit(None, kind).alias(name) for name, kind in _KNOWN.items() if name not in given.columns]
    return given.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in _KNOWN.items())


_FURTHER = {
    "propensity": "propensity",
    "campaign_id": "campaign",
    "instead_of": "instead_of",
    "left_alone": "left_alone",
}


_KEPT = {"customer_id": "_customer", "offer_id": "_offer", "at": "_made_at"}
"""What a row may leave out of a treatment on record, and under which name it stands beside it."""


def of_another_customer() -> pl.Expr:
    """Say whether the treatment that a row names is another customer's; of one that nobody knows nothing is said."""
    return (pl.col("customer_id") != pl.col("_customer")).fill_null(value=False)


def of_another_offer() -> pl.Expr:
    """Say whether the treatment is on record with another offer."""
    return (pl.col("offer_id") != pl.col("_offer")).fill_null(value=False)


def not_on_record() -> pl.Expr:
    """Say whether a row leaves out what only the ledger could say, and the ledger knows no such treatment."""
    return pl.col("_customer").is_null() & pl.any_horizontal(pl.col(name).is_null() for name in _KEPT)


def completed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with customer, offer and date of the record where they leave them out."""
    return rows.with_columns(pl.coalesce(name, kept) for name, kept in _KEPT.items())


def before_record(zone: str) -> pl.Expr:
    """Say whether a treatment would have been made on a local day before the one on record.

    A night writes the end of its day, which is the first instant of the next: that day itself is not before it.
    """
    return (_day("at", zone) < _day("_made_at", zone, timedelta(microseconds=1))).fill_null(value=False)


def withdrawn() -> pl.Expr:
    """Say whether the treatment was stopped before it went out."""
    return pl.col("_withdrawn_at").is_not_null()


def overruled() -> pl.Expr:
    """Say whether a row gives another chance, campaign or offer left out than is on record, which stands."""
    differs = (pl.col(name) != pl.col(f"_{kept}") for name, kept in _FURTHER.items())
    return pl.any_horizontal(each.fill_null(value=False) for each in differs)


def of_no_treatment() -> pl.Expr:
    """Say whether a row names a treatment that nobody knows."""
    return pl.col("treatment_id").is_not_null() & pl.col("_customer").is_null()


def before_treatment(zone: str) -> pl.Expr:
    """Say whether a row lies on a local day before that of its treatment: many know the day alone."""
    return (_day("at", zone) < _day("_made_at", zone)).fill_null(value=False)


def _day(name: str, zone: str, earlier: timedelta = timedelta()) -> pl.Expr:
    return (pl.col(name) - earlier).dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()


def ahead(column: str, now: datetime) -> pl.Expr:
    """Say whether an instant has not come yet."""
    return pl.col(column) > pl.lit(now + AHEAD, dtype=pl.Datetime("us"))
