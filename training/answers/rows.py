"""From invitations, leavings and treatments to the rows that answers are learned from; it fits nothing.

The window of the outcome is the risk's own: it begins ``gap`` days after the asking, where the answer is in or is not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from churnrisk.bundle import EVIDENCE, EVIDENCE_PURPOSES, SILENT, answer_category

from .learned import ASKED_COLUMNS

DAY = timedelta(days=1)


def asked_rows(
    invitations: pl.DataFrame,
    leavings: pl.DataFrame,
    treatments: pl.DataFrame,
    *,
    known_by: datetime,
    gap_days: int,
    horizon_days: int,
    wait_days: float,
) -> pl.DataFrame:
    """Return one row per invitation whose outcome is known: the columns that ``learned_answers`` takes.

    Parameters
    ----------
    invitations : customer_id, invitation_id, purpose, metric, invited_at, risk_at_asking, answered_at, answer_known_at,
        score (the last three null without an answer); of customers who let their answers be used.
    leavings : customer_id, left_at of everybody who left, as known.
    treatments : customer_id, at of everybody who was treated; controls are not in it.
    known_by : outcome windows that end later are not used, and later answers not known.
    gap_days, horizon_days : the window of the risk, ``[asked + gap, asked + gap + horizon)``.
    wait_days : silence is evidence from then on.

    Notes
    -----
    Evidence is what was known where the window begins, with its age there; a later answer is silence so far. Left
    out: who left before the window, who was treated between asking and its end (given risk and answer, being
    treated says nothing more unless somebody chose by what the data do not hold), and waiting times that reach into
    the window. Weights are 1.
    """
    begins = pl.col("invited_at") + pl.lit(timedelta(days=gap_days))
    rows = (
        invitations.filter(pl.col("purpose").is_in(EVIDENCE_PURPOSES))
        .with_columns(begins=begins)
        .with_columns(ends=pl.col("begins") + pl.lit(timedelta(days=horizon_days)))
        .filter(pl.col("ends") <= pl.lit(known_by))
    )
    first_left = leavings.group_by("customer_id").agg(pl.col("left_at").min())
    rows = rows.join(first_left, on="customer_id", how="left").filter(
        pl.col("left_at").is_null() | (pl.col("left_at") >= pl.col("begins"))
    )
    touched = (
        rows.select("invitation_id", "customer_id", "invited_at", "ends")
        .join(treatments.select("customer_id", "at"), on="customer_id", how="inner")
        .filter((pl.col("at") >= pl.col("invited_at")) & (pl.col("at") < pl.col("ends")))
    )
    rows = rows.join(touched.select("invitation_id").unique(), on="invitation_id", how="anti")
    is_in = (pl.col("answered_at") < pl.col("begins")) & (pl.col("answer_known_at") < pl.col("begins"))
    place = pl.when(is_in.fill_null(value=False)).then(answer_category(pl.col("metric"), pl.col("score")))
    silent_since = pl.col("invited_at") + pl.lit(timedelta(days=wait_days))
    told = (
        rows.with_columns(place=place)
        .with_columns(
            since=pl.when(pl.col("place").is_not_null()).then("answered_at").otherwise(silent_since)
        )
        .filter(pl.col("since") <= pl.col("begins"))
        .sort("invited_at", "invitation_id")
    )
    names = pl.Series(EVIDENCE, dtype=pl.String)
    return told.select(
        "customer_id",
        risk="risk_at_asking",
        evidence=names.gather(told["place"].fill_null(SILENT).cast(pl.UInt32)),
        age_days=((pl.col("begins") - pl.col("since")) / pl.lit(DAY)).cast(pl.Float64),
        left=(pl.col("left_at") < pl.col("ends")).fill_null(value=False).cast(pl.Int8),
        is_random=pl.col("purpose") == "random",
        weight=pl.lit(1.0),
    ).select(ASKED_COLUMNS)
