"""How long before a leaving became known the leaver was already flagged (N8); in notice is no success of a model.

It decides what counts as flagged (the riskiest tenth of a look) and refuses to know how risks are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from churnrisk import metrics

from .subject import Subject

STEP_DAYS = 30
"""Width of the classes of distance."""

LEAD_COLUMNS = {
    "days_from": pl.Int64(),
    "days_to": pl.Int64(),
    "n_leavers": pl.Int64(),
    "n_flagged": pl.Int64(),
    "share_flagged": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True, eq=False)
class LeadTime:
    """The table by distance, and what a sentence needs.

    ``n_leavers`` are distinct leavers who were judged, ``n_flagged`` those who were flagged at some look before;
    ``median_days`` is the median, over the flagged, of the days between the first such look and the leaving's becoming
    known. ``n_in_notice`` and ``n_in_gap`` were left out: nothing could be done for them any more.
    """

    table: pl.DataFrame
    n_leavers: int = 0
    n_flagged: int = 0
    median_days: float | None = None
    n_in_notice: int = 0
    n_in_gap: int = 0


def lead_time(subject: Subject, leavings: pl.DataFrame, counts: Mapping[str, int]) -> LeadTime:
    """Return how many of the leavers were flagged, by days before their leaving became known.

    Parameters
    ----------
    subject : what is judged; several looks, or only the shortest distance can be seen.
    leavings : customer_id, as_of, days_to_leaving, days_to_known of the leavers of every look.
    counts : customers by status over the looks.

    Notes
    -----
    A leaver stands in one class of distance per look: as leaver at the look before the leaving, as stayer at earlier
    ones. Looks after notice was given are no looks of theirs. Leavers are independent of each other, so the interval is
    Wilson's; columns are :data:`LEAD_COLUMNS`.
    """
    excluded = {f"n_{name}": int(counts.get(name, 0)) for name in ("in_notice", "in_gap")}
    seen = _looks_before(subject, leavings)
    if seen.is_empty():
        return LeadTime(pl.DataFrame(schema=LEAD_COLUMNS), **excluded)
    classes = (
        seen.with_columns(place=(pl.col("days") // STEP_DAYS).cast(pl.Int64))
        .sort("customer_id", "place", "days")
        .unique(["customer_id", "place"], keep="first", maintain_order=True)
        .group_by("place")
        .agg(n_leavers=pl.len().cast(pl.Int64), n_flagged=pl.col("is_selected").sum().cast(pl.Int64))
        .sort("place")
    )
    share = (classes["n_flagged"] / classes["n_leavers"]).to_numpy()
    low, high = metrics.wilson(share, classes["n_leavers"].to_numpy())
    table = classes.with_columns(
        days_from=STEP_DAYS * pl.col("place"),
        days_to=STEP_DAYS * (pl.col("place") + 1),
        share_flagged=pl.Series(share),
        low=pl.Series(low),
        high=pl.Series(high),
    ).select(*LEAD_COLUMNS)
    first = seen.filter("is_selected").group_by("customer_id").agg(pl.col("days").max())
    return LeadTime(
        table,
        n_leavers=seen["customer_id"].n_unique(),
        n_flagged=first.height,
        median_days=float(np.median(first["days"].to_numpy())) if first.height else None,
        **excluded,
    )


def lead_words(found: LeadTime) -> tuple[str, ...]:
    """Say it."""
    left_out = (
        f"{found.n_in_notice:,} in notice and {found.n_in_gap:,} who left within the gap are left out: nothing could "
        "be done for them any more."
    )
    if not found.n_leavers:
        return ("There is no lead time: no leaving has a day of its own here.",)
    share = 100 * found.n_flagged / found.n_leavers
    words = (
        f"Of {found.n_leavers:,} leavers, {found.n_flagged:,} ({share:.0f} %) stood in the riskiest tenth of some look "
        "before their leaving became known"
    )
    if found.median_days is not None and math.isfinite(found.median_days):
        words += f", at the median {found.median_days:.0f} days before"
    return (f"{words}.", left_out)


def _looks_before(subject: Subject, leavings: pl.DataFrame) -> pl.DataFrame:
    """Return customer_id, days (before the leaving became known) and is_selected for every look at a later leaver."""
    looked = pl.DataFrame(
        {
            "customer_id": pl.Series(subject.customer.tolist(), dtype=pl.String),
            "as_of": pl.Series(subject.rows.snapshot.tolist(), dtype=pl.String),
            "is_selected": subject.is_selected,
        }
    ).with_columns(day=pl.col("as_of").str.to_date(strict=False))
    known = (
        leavings.with_columns(left_from=pl.col("as_of").str.to_date(strict=False))
        .select("customer_id", "left_from", "days_to_known")
        .sort("customer_id", "left_from")
        .unique("customer_id", keep="last", maintain_order=True)
    )
    return (
        looked.join(known, on="customer_id", how="inner")
        .with_columns(days=pl.col("days_to_known") + (pl.col("left_from") - pl.col("day")).dt.total_days())
        .filter(pl.col("days") >= 0)
        .select("customer_id", "days", "is_selected")
        .sort("customer_id", "days")
    )
