"""Refusals of the customers' file that the next file no longer has: a word about them, and nothing more.

It decides how many there are, and refuses to change a value: a table follows from its files and settings alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl


def vanished_refusals(before: Path | None, now: Path, allowed: Sequence[str]) -> list[str]:
    """Count customers whose last word in the version loaded before was no, and of whom the new one has no word.

    Parameters
    ----------
    before, now : Path
        Versions of the customers' table, consents filled; none before where none was loaded, or an older churnrisk
        made it, which did not keep whose word a value was.
    allowed : sequence of str
        Consents that the settings fill with yes.
    """
    if before is None:
        return []
    old, new = pl.scan_parquet(before), pl.scan_parquet(now)
    known = old.collect_schema().names()
    return [
        _told(name, count)
        for name in allowed
        if {name, f"said_{name}"} <= {*known}
        for count in [_n_vanished(old, new, name)]
        if count
    ]


def _n_vanished(old: pl.LazyFrame, new: pl.LazyFrame, name: str) -> int:
    said = pl.col(f"said_{name}")
    last = old.filter(said).group_by("customer_key").agg(pl.col(name).sort_by("version").last())
    silent = new.group_by("customer_key").agg(said.any().alias("_says")).filter(~pl.col("_says"))
    gone = last.filter(~pl.col(name)).join(silent, on="customer_key", how="semi")
    return int(gone.select(pl.len()).collect().item())


def _told(name: str, count: int) -> str:
    who, has = ("customer", "has") if count == 1 else ("customers", "have")
    return (
        f"customers: {count} {who} refused {name} in the version loaded before and {has} no value now; missing_consent "
        "makes it yes. Put the refusals back into the file, or record them with "
        "`churnrisk record consents`."
    )
