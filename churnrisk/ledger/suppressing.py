"""Takes who must be left alone into the ledger: of two suppressions from one instant on the longer one holds.

It decides what is new, what is longer and what says nothing more, and refuses to know files and channels.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, bindparam, update

from . import facts
from .entries import add
from .ledger import Ledger
from .schema import SUPPRESSIONS

FOR_EVER = datetime(9999, 1, 1)
"""Where an end is compared, one that is null."""

_KEY = ("token", "channel", "since")


class Suppressed(NamedTuple):
    """What became of the rows, ``n_new + n_longer + n_known`` in all; ``n_shorter`` of the known end sooner."""

    n_new: int
    n_longer: int
    n_known: int
    n_shorter: int


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
        *_KEY, _kept=pl.col("until").fill_null(FOR_EVER)
    )
    beside = longest.join(kept, on=_KEY, how="left", maintain_order="left")
    n_new = add(db, SUPPRESSIONS, beside.filter(pl.col("_kept").is_null()))
    longer = beside.filter(pl.col("_end") > pl.col("_kept"))
    _lengthen(db, longer)
    holds = beside.select(*_KEY, _holds=pl.max_horizontal("_end", "_kept"))
    n_shorter = hashed.join(holds, on=_KEY).filter(pl.col("_end") < pl.col("_holds")).height
    return Suppressed(n_new, longer.height, hashed.height - n_new - longer.height, n_shorter)


def _lengthen(db: Connection, longer: pl.DataFrame) -> None:
    if longer.is_empty():
        return
    told = ("until", "reason")
    statement = update(SUPPRESSIONS).where(*(SUPPRESSIONS.c[name] == bindparam(f"_{name}") for name in _KEY))
    rows = longer.select(pl.col(name).alias(f"_{name}") for name in (*_KEY, *told)).to_dicts()
    db.execute(statement.values({name: bindparam(f"_{name}") for name in told}), rows)
