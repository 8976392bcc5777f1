"""Ids that are the same whenever the same thing is written: hashes of what it is, vectorised over frames."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl


def stable_id(prefix: str, *parts: object) -> str:
    """Return ``prefix-`` and 24 hex digits of a hash of the parts."""
    told = "\x1f".join("" if part is None else str(part) for part in parts)
    return f"{prefix}-{hashlib.blake2b(told.encode(), digest_size=12).hexdigest()}"


def stable_ids(prefix: str, frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Return `stable_id` of each row over some columns; null counts as an empty text."""
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in columns]
    told = frame.select(pl.concat_str(texts, separator="\x1f").alias("told"))["told"]
    return pl.Series(
        [f"{prefix}-{hashlib.blake2b(each.encode(), digest_size=12).hexdigest()}" for each in told.to_list()],
        dtype=pl.String,
    )
