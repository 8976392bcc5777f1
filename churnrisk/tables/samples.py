"""Test data drawn from the contracts: valid rows as a user would deliver them, seeded.

It decides nothing: limits come from the contracts, so a limit that changes there changes here.
"""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl
from dataframely.random import Generator

from .columns import EARLIEST, Word, is_inner
from .contracts import FILE, METRIC_SCALES, ROW, SOURCE_TABLES

FITS_ALL_SCALES = (
    int(max(low for low, _ in METRIC_SCALES.values())),
    int(min(high for _, high in METRIC_SCALES.values())),
)
"""Whole scores from the first to the last of these are allowed for every metric."""

ORDERED_TIMES: dict[str, tuple[pl.Expr, ...]] = {
    "customers": (pl.col("valid_from").fill_null(EARLIEST),),
    "surveys": (
        pl.when(pl.col("invited_at").is_not_null())
        .then(pl.min_horizontal("invited_at", "answered_at"))
        .alias("invited_at"),
        pl.when(pl.col("answered_at").is_not_null())
        .then(pl.max_horizontal("invited_at", "answered_at"))
        .alias("answered_at"),
        pl.when(pl.col("known_at").is_not_null())
        .then(pl.max_horizontal("invited_at", "answered_at", "known_at"))
        .alias("known_at"),
    ),
}
"""What is put right after drawing: what a contract only asks of rows as they are completed while reading."""


def sampled_rows(table: str, n_rows: int, seed: int) -> pl.DataFrame:
    """Return valid rows of a source table as text, null as null; ids are text, times ISO 8601 in UTC.

    >>> sampled_rows("offers", 2, seed=1).columns[:3]
    ['offer_id', 'name', 'kind']
    """
    contract = SOURCE_TABLES[table]
    generator = Generator(seed)
    chosen: dict[str, Any] = {FILE: 0, ROW: list(range(1, n_rows + 1))}
    chosen |= {
        name: None
        for name, column in contract.schema.columns().items()
        if column.nullable and is_inner(column)
    }
    if "score" in contract.columns:
        low, high = FITS_ALL_SCALES
        scores = generator.sample_int(n_rows, min=low, max=high + 1)
        chosen["score"] = [float(score) for score in scores]
    if table == "calls":
        chosen["is_missed"] = False
    rows = contract.schema.sample(n_rows, overrides=chosen, generator=generator)
    in_time = rows.with_columns(*ORDERED_TIMES.get(table, ()))
    return in_time.select(_written(name, column) for name, column in contract.columns.items())


def _written(name: str, column: dy.Column) -> pl.Expr:
    value = pl.col(name)
    if isinstance(column, Word | dy.String):
        return value
    if isinstance(column, dy.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return value.cast(pl.String)
