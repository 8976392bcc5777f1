"""Which columns tell nothing that an earlier one does not: copies by value, by any rising or falling curve, by name.

Trees see the order of numbers only, so euros and cents, a date and the days since it, or a flag and its opposite are
one column to them; and so are two texts with one name each for the same thing. It refuses to know outcomes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import kind_of

LOOKED_AT = 10_000
"""Rows compared first; only columns alike there are compared in full."""


def copies(frame: pl.DataFrame) -> dict[str, str]:
    """Return the columns that copy an earlier one, with the name of the first of their kind.

    Parameters
    ----------
    frame : numbers and texts. Two numbers are copies when one is a strictly monotone function of the other and both
        are unknown in the same rows; two texts when each value of one goes with one value of the other.

    Notes
    -----
    A signature of about 10,000 rows finds candidates in time linear in the columns; candidates are compared on
    all rows, so the answer is exact.
    """
    looked_at = frame.gather_every(max(1, frame.height // LOOKED_AT))
    alike: defaultdict[bytes, list[str]] = defaultdict(list)
    for series in looked_at.get_columns():
        alike[signature(series)].append(series.name)
    found: dict[str, str] = {}
    for names in alike.values():
        if len(names) > 1:
            firsts: dict[bytes, str] = {}
            for name in names:
                first = firsts.setdefault(signature(frame[name]), name)
                if first != name:
                    found[name] = first
    return {name: found[name] for name in frame.columns if name in found}


def signature(series: pl.Series) -> bytes:
    """Return bytes that are equal for copies and (but for a chance of 2^-128) different for others."""
    if kind_of(series.dtype) == "category":
        return b"category" + _digest(_by_first_row(series))
    ranks = _dense_ranks(series)
    falling = np.where(ranks > 0, ranks.max(initial=0) + 1 - ranks, 0).astype(np.uint32)
    return b"number" + min(_digest(ranks), _digest(falling))


def _dense_ranks(series: pl.Series) -> NDArray[np.uint32]:
    """Return 1 for the least value, 2 for the next; 0 where unknown."""
    known = series.cast(pl.Float64).fill_nan(None)
    return known.rank("dense").fill_null(0).cast(pl.UInt32).to_numpy()


def _by_first_row(series: pl.Series) -> NDArray[np.uint32]:
    """Return of each row the first row with the same text (unknown is a text too)."""
    texts = pl.DataFrame({"text": series.cast(pl.String)}).with_row_index("row")
    return texts.select(pl.col("row").min().over("text"))["row"].cast(pl.UInt32).to_numpy()


def _digest(numbers: NDArray[np.uint32]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(numbers).tobytes(), digest_size=16).digest()
