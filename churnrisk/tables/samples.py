"""Test data drawn from the contracts: valid rows as a user would deliver them, seeded.

It decides nothing: limits come from the contracts, so a limit that changes there changes here.
"""

from __future__ import annotations

from typing import Any

import dataframely as dy
import polars as pl
from dataframely.random import Generator

from .columns import Word, is_inner
from .contracts import FILE, METRIC_SCALES, ROW, SOURCE_TABLES

FITS_ALL_SCALES = (
    int(max(low for low, _ in METRIC_SCALES.values())),
    int(min(high for _, high in METRIC_SCALES.values())),
)
"""Whole scores from the first to the last of these are allowed for every metric."""


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
    return rows.select(_written(name, column) for name, column in contract.columns.items())


def _written(name: str, column: dy.Column) -> pl.Expr:
    value = pl.col(name)
    if isinstance(column, Word | dy.String):
        return value
    if isinstance(column, dy.Datetime):
        return value.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return value.cast(pl.String)
