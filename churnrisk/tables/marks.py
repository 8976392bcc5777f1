"""Marks of the call table: for each quarter of an hour, how many calls it has and a sum of their hashes.

It decides when two tables hold the same calls in a stretch of time, as far as they were known at an instant, without
reading the calls again. It refuses to know zones and days: local days begin at quarters of an hour, wherever they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

MARKS_NAME = "marks.parquet"
"""The file beside the table of calls."""

QUARTER_US = 900_000_000

_KEYS = ("quarter", "known_quarter")


def marks_of(calls: pl.LazyFrame) -> pl.DataFrame:
    """Return quarter and known_quarter (since 1970 UTC), n, and mark (a sum, so order does not matter) of calls.

    The hash is Polars' own: another version may give other marks, and what was kept under the old ones is counted
    again.
    """
    columns = sorted(calls.collect_schema().names())
    marked = calls.select(
        quarter=pl.col("started_at").dt.epoch("us") // QUARTER_US,
        known_quarter=pl.col("known_at").dt.epoch("us") // QUARTER_US,
        mark=pl.struct(columns).hash(),
    )
    return (
        marked.group_by(_KEYS)
        .agg(n=pl.len().cast(pl.Int64), mark=pl.col("mark").sum())
        .sort(_KEYS)
        .collect(engine="streaming")
    )


def joined_marks(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the marks of a table from those of its parts."""
    return pl.concat(parts).group_by(_KEYS).agg(pl.col("n").sum(), pl.col("mark").sum()).sort(_KEYS)


def call_marks(calls: Path) -> pl.DataFrame:
    """Return the marks of a call table: those written beside it when it was loaded, else read from all of it."""
    beside = calls.with_name(MARKS_NAME)
    return pl.read_parquet(beside) if beside.is_file() else marks_of(pl.scan_parquet(calls))
