"""The training rows: several feature tables under one another, with outcomes; and which columns are worth learning.

It decides types and which columns are dropped and why; refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import KEY_COLUMNS, Feature, kind_of

MOST_CATEGORIES = 250
"""Categories with a code of their own, the most frequent; LightGBM bins no more than 255. The rest count as missing."""

IDENTIFIER_SHARE = 0.5
"""Text with more distinct values per customer names customers rather than describes them (judgement)."""

IDENTIFIER_VALUES = 50
"""... if it has more distinct values than this."""


@dataclass(frozen=True)
class Rows:
    """Feature rows with outcomes, one per customer and snapshot.

    ``frame`` holds the feature columns only; ``customer`` is the customer id, ``snapshot`` the as-of day (ISO, empty
    for an extract), ``left`` 0 or 1, ``weight`` > 0 (mean 1).
    """

    frame: pl.DataFrame
    left: NDArray[np.float64]
    weight: NDArray[np.float64]
    customer: NDArray[np.object_]
    snapshot: NDArray[np.object_]

    @property
    def n_leavers(self) -> int:
        """Distinct customers who left; overlapping outcome windows count one leaving once."""
        return len(np.unique(self.customer[self.left > 0].astype(str)))

    @property
    def n_stayers(self) -> int:
        """Distinct customers who stayed in at least one snapshot."""
        return len(np.unique(self.customer[self.left == 0].astype(str)))

    @property
    def n_rarer(self) -> int:
        """Distinct customers with the rarer outcome: what there is to learn from, also where most people leave."""
        return min(self.n_leavers, self.n_stayers)

    @property
    def is_weighted(self) -> bool:
        """Whether any weight differs from 1."""
        return bool((self.weight != 1.0).any())

    @property
    def base_rate(self) -> float:
        """Weighted share of leaving rows."""
        return float(self.weight @ self.left / self.weight.sum())

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """Return the rows where ``chosen`` is true."""
        return Rows(
            self.frame.filter(pl.Series(chosen)),
            self.left[chosen],
            self.weight[chosen],
            self.customer[chosen],
            self.snapshot[chosen],
        )

    def without(self, columns: Iterable[str]) -> Rows:
        """Return the same rows without some feature columns."""
        kept = self.frame.drop(list(columns), strict=False)
        return Rows(kept, self.left, self.weight, self.customer, self.snapshot)


def rows_of(snapshots: Sequence[tuple[str, pl.DataFrame, pl.DataFrame]]) -> Rows:
    """Return the rows of (as-of day, feature table, labels by customer_key) triples, in the order given.

    Customers without a label (in notice, left in the gap, gone) fall out; so do labelled ones without features. A
    column that a snapshot lacks is null there; one that is a number in one and text in another is text.
    """
    joined = [
        features.join(labels, on="customer_key", how="inner", maintain_order="left").with_columns(
            snapshot_day=pl.lit(day, dtype=pl.String)
        )
        for day, features, labels in snapshots
    ]
    together = pl.concat(unified(joined), how="diagonal")
    return Rows(
        frame=together.drop(*KEY_COLUMNS, "left", "snapshot_day"),
        left=together["left"].cast(pl.Float64).to_numpy(),
        weight=np.ones(together.height),
        customer=together["customer_id"].to_numpy().astype(object),
        snapshot=together["snapshot_day"].to_numpy().astype(object),
    )


def unified(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the frames with one type per column over all: Float64 for numbers, String as soon as one is text.

    Other types (dates, lists) and key columns stay as they are.
    """
    text = {
        name
        for frame in frames
        for name, dtype in frame.schema.items()
        if kind_of(dtype) == "category" and name not in KEY_COLUMNS
    }
    return [
        frame.with_columns(
            _as_text(frame, name) if name in text else pl.col(name).cast(pl.Float64)
            for name, dtype in frame.schema.items()
            if name not in KEY_COLUMNS and kind_of(dtype) is not None
        )
        for frame in frames
    ]


def _as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    if frame.schema[name].is_float():
        return pl.col(name).cast(pl.String).str.strip_suffix(".0")
    return pl.col(name).cast(pl.String)


@dataclass(frozen=True)
class Screened:
    """The features to learn from, and the columns dropped with the reason for each."""

    features: tuple[Feature, ...]
    dropped: Mapping[str, str]


def screened(rows: Rows, group_of: Callable[[str], str]) -> Screened:
    """Return which columns of ``rows`` are worth learning, in their order; ``group_of`` names each feature's group.

    Dropped: columns of no usable type, columns with one value everywhere, text that is nearly unique per customer.
    """
    features: list[Feature] = []
    dropped: dict[str, str] = {}
    n_customers = len(np.unique(rows.customer.astype(str)))
    for series in rows.frame.get_columns():
        kind = kind_of(series.dtype)
        reason = _reason_to_drop(series, n_customers)
        if kind is None or reason:
            dropped[series.name] = reason
            continue
        categories = _categories(series) if kind == "category" else ()
        features.append(Feature(series.name, kind, group_of(series.name), categories))
    return Screened(tuple(features), dropped)


def _reason_to_drop(series: pl.Series, n_customers: int) -> str:
    kind = kind_of(series.dtype)
    if kind is None:
        return f"neither number nor category ({series.dtype})"
    if series.null_count() == series.len():
        return "empty: no value in any training row"
    n_distinct = series.n_unique()
    if n_distinct == 1:
        return "constant: one value in every training row"
    if kind == "category" and n_distinct > max(IDENTIFIER_VALUES, IDENTIFIER_SHARE * n_customers):
        return f"nearly unique: {n_distinct} values among {n_customers} customers, an identifier or free text"
    return ""


def _categories(series: pl.Series) -> tuple[str, ...]:
    counted = (
        pl.DataFrame({"text": series.cast(pl.String)}).drop_nulls().group_by("text").len(name="n")
    ).sort(["n", "text"], descending=[True, False])
    return tuple(counted["text"].head(MOST_CATEGORIES).to_list())
