"""Says where two feature tables differ: whole numbers and texts exactly, real numbers to 1e-9, nulls by their places.

It knows tables and refuses to know how they were made.
"""

from __future__ import annotations

import re

import polars as pl

RELATIVE = 1e-9
"""Sums of doubles in another order differ in their last bits."""

ID = "customer_id"

BEYOND_FRAMES = re.compile(
    r"\w+_exposure_(two_hop_\d+d|spread|close_n_\d+d|paced_\d+d)|tie_loss_strength_share_30d|ties_gained_30d|tie_gain_share_30d"
    r"|clustering|core_number|pagerank_ratio|n_second_order|leaver_similarity_(max|mean)_90d|community_\w+|is_community_leader"
)
"""Features that need the graph as a whole: frames do not make them; their slow twins stand in tests/oracle/ties."""


def differences(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[str]:
    """Return one line per column, or per set of rows, that is not the same; empty when the tables are equal."""
    ours = ours.select(name for name in ours.columns if not BEYOND_FRAMES.fullmatch(name))
    found = [f"column {name} is only ours" for name in ours.columns if name not in theirs.columns]
    found += [f"column {name} is only theirs" for name in theirs.columns if name not in ours.columns]
    mine, yours = ours.sort(ID), theirs.sort(ID)
    if not mine[ID].equals(yours[ID].cast(pl.String)):
        return [*found, f"other customers: {mine.height} and {yours.height}"]
    shared = [name for name in ours.columns if name in theirs.columns and name != ID]
    lines = (_difference(mine[ID], mine[name], yours[name]) for name in shared)
    return [*found, *(line for line in lines if line)]


def _difference(ids: pl.Series, mine: pl.Series, yours: pl.Series) -> str:
    if mine.dtype.is_float():
        yours = yours.cast(pl.Float64).fill_nan(None)
        near = (mine - yours).abs() <= RELATIVE * pl.select(
            pl.max_horizontal(mine.abs(), yours.abs())
        ).to_series()
        same = near.fill_null(value=False) | (mine.is_null() & yours.is_null())
    else:
        yours = yours.fill_nan(None) if yours.dtype.is_float() else yours
        same = mine.eq_missing(yours.cast(mine.dtype))
    if same.all():
        return ""
    first = (~same).arg_true()[0]
    return (
        f"{mine.name}: {(~same).sum()} of {len(same)}, first {ids[first]}: {mine[first]} and {yours[first]}"
    )
