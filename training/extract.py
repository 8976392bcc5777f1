"""A labelled extract as training rows: who left is given, and so, perhaps, are weights or the true base rate.

It decides weights, and refuses to know dates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.tables.lake import ATTRIBUTE_PREFIX, Attribute, LakeTables
from features import typed_attributes

from .rows import Rows

Floats = NDArray[np.float64]

KEYS = ("row", "customer_id", "churned", "weight", "observed_at")
"""Columns of the labelled table that are no attributes."""


def extract_rows(tables: LakeTables, *, true_base_rate: float | None = None) -> Rows:
    """Return the training rows of the validated table ``labelled``."""
    frame = pl.read_parquet(tables.paths["labelled"]).sort("row")
    typed = typed_attributes(frame, attributes_of(frame, tables.attributes)).frame
    return extract_rows_of(typed, true_base_rate=true_base_rate)


def attributes_of(frame: pl.DataFrame, declared: Sequence[Attribute] = ()) -> list[Attribute]:
    """Return the attribute of every attribute column of ``frame``, as declared or else plain."""
    known = {attribute.column: attribute for attribute in declared}
    columns = [name for name in frame.columns if name.startswith(ATTRIBUTE_PREFIX)]
    return [known.get(name) or Attribute(name.removeprefix(ATTRIBUTE_PREFIX), name) for name in columns]


def extract_rows_of(frame: pl.DataFrame, *, true_base_rate: float | None = None) -> Rows:
    """Return the rows of a labelled table whose attributes are typed already.

    Parameters
    ----------
    frame : row, churned, customer_id and weight (both optional), and the attributes.
    true_base_rate : share of leavers (0 to 1) in the population the extract was resampled from. Leavers and stayers
        are then weighted by true over sampled share, which gives p' = p b / (p b + (1 - p) c) with b, c those two
        ratios (science, section 6). With a weight column it scales those weights.

    Rows without an id are customers of their own, named by row; a missing weight counts 1.
    """
    left = frame["churned"].cast(pl.Float64).to_numpy()
    weight = np.ones(len(left))
    if "weight" in frame.columns:
        weight = frame["weight"].cast(pl.Float64).fill_null(1.0).to_numpy().copy()
    if true_base_rate is not None:
        sampled = float(weight @ left / weight.sum())
        weight *= np.where(left > 0, true_base_rate / sampled, (1 - true_base_rate) / (1 - sampled))
    numbered = pl.format("row {}", pl.col("row"))
    name = pl.coalesce(pl.col("customer_id"), numbered) if "customer_id" in frame.columns else numbered
    return Rows(
        frame=frame.drop(*KEYS, strict=False),
        left=left,
        weight=weight / weight.mean(),
        customer=frame.select(name.alias("name"))["name"].to_numpy().astype(object),
        snapshot=np.full(len(left), "", dtype=object),
    )
