"""Takes who must be left alone into the ledger, and who lifts that: of two suppressions from one instant on the longer
one holds, and one that was lifted stays lifted.

It decides what is new, what is longer, what is ended and what says nothing more, and refuses to know files.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, bindparam, update

from . import facts
from .entries import add, change
from .ledger import Ledger
from .schema import SUPPRESSIONS

FOR_EVER = datetime(9999, 1, 1)
"""Where an end is compared, one that is null."""

_KEY = ("token", "channel", "since")


class Suppressed(NamedTuple):
    """What became of the rows, ``n_new + n_longer + n_known`` in all.

    ``n_shorter`` of the known end sooner, ``n_lifted`` are of suppressions that were lifted.
    """

    n_new: int
    n_longer: int
    n_known: int
    n_shorter: int
    n_lifted: int


def take_suppressions(db: Connection, ledger: Ledger, suppressions: pl.DataFrame) -> Suppressed:
    """Write suppressions by the hash of the id; one from the same instant on is made longer, never shorter.

    Parameters
    ----------
    suppressions : DataFrame
        customer_id, channel (null: all), since, until (null: for ever), reason.
    """
    hashed = suppressions.with_columns(
        pl.Series("token", ledger.tokens(suppressions["customer_id"].to_list()), dtype=pl.String),
        pl.col("channel").fill_null(""),
        pl.col("reason").fill_null("asked"),
        _end=pl.col("until").fill_null(FOR_EVER),
    )
    longest = hashed.sort("_end", descending=True, maintain_order=True).unique(
        _KEY, keep="first", maintain_order=True
    )
    kept = facts.by_index(db, SUPPRESSIONS, "token", longest["token"]).select(
        *_KEY, "lifted_at", _kept=pl.col("until").fill_null(FOR_EVER)
    )
    beside = longest.join(kept, on=_KEY, how="left", maintain_order="left")
    n_new = add(db, SUPPRESSIONS, beside.filter(pl.col("_kept").is_null()).drop("lifted_at"))
    # one that was lifted is over, whatever its end: it is told as known, and as lifted
    longer = beside.filter(pl.col("_end") > pl.col("_kept"), pl.col("lifted_at").is_null())
    _lengthen(db, longer)
    holds = beside.select(*_KEY, _holds=pl.max_horizontal("_end", "_kept"))
    n_shorter = hashed.join(holds, on=_KEY).filter(pl.col("_end") < pl.col("_holds")).height
    n_lifted = hashed.join(kept.filter(pl.col("lifted_at").is_not_null()), on=_KEY, how="semi").height
    return Suppressed(n_new, longer.height, hashed.height - n_new - longer.height, n_shorter, n_lifted)


def _lengthen(db: Connection, longer: pl.DataFrame) -> None:
    if longer.is_empty():
        return
    told = ("until", "reason")
    statement = update(SUPPRESSIONS).where(*(SUPPRESSIONS.c[name] == bindparam(f"_{name}") for name in _KEY))
    rows = longer.select(pl.col(name).alias(f"_{name}") for name in (*_KEY, *told)).to_dicts()
    db.execute(statement.values({name: bindparam(f"_{name}") for name in told}), rows)


def liftable(db: Connection, ledger: Ledger, liftings: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what they end: token, _n_open, _is_done, _is_held.

    Parameters
    ----------
    liftings : DataFrame
        customer_id, channel (null: every one), at, lifted_by, reason.

    Returns
    -------
    DataFrame
        ``_n_open``: suppressions on record that began before ``at``, hold still and are ended by the row, one through
        all channels only by a row without a channel. ``_is_done``: some was ended at that instant. ``_is_held``: one
        through all channels holds on beside it.
    """
    rows = liftings.with_columns(
        pl.Series("token", ledger.tokens(liftings["customer_id"].to_list()), dtype=pl.String),
        pl.col("channel").fill_null(""),
        _nth=pl.int_range(pl.len()),
    )
    counts = (
        _beside(db, rows)
        .group_by("_nth")
        .agg(
            _n_open=(pl.col("_ends") & pl.col("_holds")).sum(),
            _is_done=(pl.col("_ends") & (pl.col("lifted_at") == pl.col("at")).fill_null(value=False)).any(),
            _is_held=(~pl.col("_ends") & pl.col("_holds") & (pl.col("_kept_channel") == "")).any(),
        )
    )
    return (
        rows.join(counts, on="_nth", how="left", maintain_order="left")
        .with_columns(pl.col("_n_open").fill_null(0), pl.col("_is_done", "_is_held").fill_null(value=False))
        .drop("_nth")
    )


def lift(db: Connection, liftings: pl.DataFrame) -> int:
    """End what rows of `liftable` end, each suppression by the earliest row; return how many rows ended any."""
    rows = liftings.drop("_n_open", "_is_done", "_is_held").with_columns(_nth=pl.int_range(pl.len()))
    ended = (
        _beside(db, rows)
        .filter(pl.col("_ends") & pl.col("_holds"))
        .sort("at", "_nth")
        .unique(["token", "_kept_channel", "since"], keep="first", maintain_order=True)
    )
    told = ended.select(
        "token",
        pl.col("_kept_channel").alias("channel"),
        "since",
        lifted_at="at",
        lifted_by="lifted_by",
        lifted_because="reason",
    )
    change(db, SUPPRESSIONS, told, ["lifted_at", "lifted_by", "lifted_because"])
    return ended["_nth"].n_unique()


def _beside(db: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    """Return each row beside every suppression of its customer: whether the row ends it, and whether it holds.

    Channels were once kept as they were written: case and spaces aside they are the same.
    """
    kept = facts.by_index(db, SUPPRESSIONS, "token", rows["token"]).select(
        "token", "since", "until", "lifted_at", _kept_channel="channel"
    )
    plain = (pl.col(name).str.strip_chars().str.to_lowercase() for name in ("channel", "_kept_channel"))
    given, theirs = plain
    return rows.join(kept, on="token").with_columns(
        _ends=(pl.col("channel") == "") | (given == theirs),
        _holds=pl.col("lifted_at").is_null()
        & (pl.col("since") < pl.col("at"))
        & (pl.col("until").is_null() | (pl.col("until") > pl.col("at"))),
    )
