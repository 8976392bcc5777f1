"""A labelled extract as training rows: who left is given, and so, perhaps, are weights or the true base rate.

It decides weights, and which dates of a dated extract train and which judge; it refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.tables.lake import ATTRIBUTE_PREFIX, Attribute, LakeTables
from features import typed_attributes

from .rows import Rows

Floats = NDArray[np.float64]

KEYS = ("row", "customer_id", "churned", "weight", "observed_at")
"""Columns of the labelled table that are no attributes."""


def extract_rows(tables: LakeTables, *, true_base_rate: float | None = None, zone: str = "UTC") -> Rows:
    """Return the training rows of the validated table ``labelled``; its days are those of ``zone``."""
    frame = pl.read_parquet(tables.paths["labelled"]).sort("row")
    typed = typed_attributes(frame, attributes_of(frame, tables.attributes)).frame
    return extract_rows_of(typed, true_base_rate=true_base_rate, zone=zone)


def attributes_of(frame: pl.DataFrame, declared: Sequence[Attribute] = ()) -> list[Attribute]:
    """Return the attribute of every attribute column of ``frame``, as declared or else plain."""
    known = {attribute.column: attribute for attribute in declared}
    columns = [name for name in frame.columns if name.startswith(ATTRIBUTE_PREFIX)]
    return [known.get(name) or Attribute(name.removeprefix(ATTRIBUTE_PREFIX), name) for name in columns]


@dataclass(frozen=True)
class ExtractDay:
    """One day observed in a dated extract (ISO; empty: rows without one) and what evaluation does with it."""

    day: str
    use: Literal["train", "embargo", "test"]


def extract_days(rows: Rows, reach_days: int) -> tuple[ExtractDay, ...]:
    """Return the days of an extract, latest first: the last one judges, those before its reach train.

    Parameters
    ----------
    rows : the extract; ``snapshot`` holds the days observed.
    reach_days : days from an observation to the end of its outcome window. A training day lies at least so far before
        the one that judges, or the model would have learned from outcomes that nobody could know yet.

    Returns
    -------
    tuple of ExtractDay
        Empty where nothing can be judged out of time: no or one day, or no leavers or stayers in either part. The
        shipped model learns from all days, also from the embargo between the two parts and from rows without a day.
    """
    days = sorted(set(rows.snapshot.astype(str).tolist()), reverse=True)
    if not days[0]:
        return ()
    last = date.fromisoformat(days[0]) - timedelta(days=reach_days)
    found = tuple(
        ExtractDay(
            day,
            "test" if day == days[0] else "train" if day and date.fromisoformat(day) <= last else "embargo",
        )
        for day in days
    )
    for use in ("train", "test"):
        left = rows.left[np.isin(rows.snapshot.astype(str), [day.day for day in found if day.use == use])]
        if not 0 < left.sum() < len(left):
            return ()
    return found


def not_out_of_time(rows: Rows, reach_days: int) -> str:
    """Say why nothing of an extract can be judged out of time."""
    words = (
        f"the extract has no two days, {reach_days} days apart, with leavers and stayers in both"
        if max(rows.snapshot.astype(str))
        else "one extract without dates"
    )
    return f"{words}: figures are not out of time"


def extract_rows_of(frame: pl.DataFrame, *, true_base_rate: float | None = None, zone: str = "UTC") -> Rows:
    """Return the rows of a labelled table whose attributes are typed already.

    Parameters
    ----------
    frame : row, churned, customer_id, weight and observed_at (all three optional), and the attributes.
    true_base_rate : share of leavers (0 to 1) in the population the extract was resampled from. Leavers and stayers
        are then weighted by true over sampled share, which gives p' = p b / (p b + (1 - p) c) with b, c those two
        ratios (science, section 6). With a weight column it scales those weights.
    zone : in which ``observed_at``, the end of the day observed, is told as a day.

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
        snapshot=_days(frame, zone),
    )


def _days(frame: pl.DataFrame, zone: str) -> NDArray[np.object_]:
    if "observed_at" not in frame.columns:
        return np.full(frame.height, "", dtype=object)
    within = pl.col("observed_at").cast(pl.Datetime("us")) - timedelta(microseconds=1)
    day = within.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    found: NDArray[np.object_] = (
        frame.select(day=day.cast(pl.String).fill_null(""))["day"].to_numpy().astype(object)
    )
    return found
