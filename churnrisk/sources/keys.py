"""Surrogate keys: customers get a small number that can be forgotten, contacts outside the base a keyed hash.

It decides which number stands for whom, and refuses to know anything else about a customer. Keys are never reused and
never change while the customer is remembered.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import polars as pl

KEYS_NAME = "keys.parquet"
KEYS_SCHEMA = {"customer_key": pl.Int64, "customer_id": pl.String}


def known_keys(lake: Path) -> pl.DataFrame:
    """Return customer_key and customer_id of everyone ever loaded; forgotten customers have a null id."""
    path = lake / KEYS_NAME
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=KEYS_SCHEMA)


def roster_of(lake: Path, ids: pl.Series) -> pl.DataFrame:
    """Return key and id of the customers named, giving new ones the next keys in the order of their ids."""
    known = known_keys(lake)
    wanted = pl.DataFrame({"customer_id": ids.drop_nulls().unique()}, schema={"customer_id": pl.String})
    new = wanted.join(known, on="customer_id", how="anti").sort("customer_id")
    if new.height:
        highest = known["customer_key"].max()
        first = int(highest) + 1 if isinstance(highest, int) else 0
        keys = pl.int_range(first, first + new.height, dtype=pl.Int64, eager=True).alias("customer_key")
        known = pl.concat([known, new.select(keys, "customer_id")])
        _write(lake, known)
    return known.join(wanted, on="customer_id", how="semi").sort("customer_key")


def forget(lake: Path, customer_id: str) -> bool:
    """Cut the link between a customer and their key; return whether there was one. The key is not given again."""
    known = known_keys(lake)
    is_them = (pl.col("customer_id") == customer_id).fill_null(value=False)
    if known.filter(is_them).is_empty():
        return False
    _write(lake, known.with_columns(pl.when(~is_them).then("customer_id").alias("customer_id")))
    return True


def roster_hash(roster: pl.DataFrame) -> str:
    """Return a hash of who has which key."""
    digest = hashlib.sha256()
    for part in roster.sort("customer_key").iter_slices(100_000):
        lines = part.select(pl.format("{}\t{}\n", "customer_key", "customer_id"))
        digest.update("".join(lines.to_series().to_list()).encode())
    return digest.hexdigest()


def _write(lake: Path, keys: pl.DataFrame) -> None:
    lake.mkdir(parents=True, exist_ok=True)
    half = lake / f"{KEYS_NAME}.{os.getpid()}"
    keys.sort("customer_key").write_parquet(half, compression="zstd")
    half.replace(lake / KEYS_NAME)
