"""Satisfied customers who left and dissatisfied ones who stayed (S72); it decides whose answer counts as what."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ..rows import Rows
from .groups import GROUP_COLUMNS, UNKNOWN, grouped
from .subject import Subject, Texts

RECOMMEND = "nps_last_score"
SATISFACTION = "csat_last_score"

OPINIONS = ("promoter", "passive", "detractor", UNKNOWN)
"""By the latest recommend score: 9 and 10, 7 and 8, 0 to 6 (Reichheld 2003); none known."""

NAMED_KINDS: Mapping[tuple[str, int], str] = {
    ("promoter", 1): "satisfied leaver",
    ("detractor", 0): "dissatisfied stayer",
}
"""Opinion and outcome of those who are named."""

OPINION_COLUMNS = {"opinion": pl.String(), "outcome": pl.String(), "share": pl.Float64(), **GROUP_COLUMNS}

NAMED_COLUMNS = {
    "kind": pl.String(),
    "customer_id": pl.String(),
    "as_of": pl.String(),
    "nps_last_score": pl.Float64(),
    "risk": pl.Float64(),
    "is_selected": pl.Boolean(),
}


def opinion_of(rows: Rows) -> Texts | None:
    """Return each row's opinion by the latest recommend score known at its date; None without any such score."""
    if RECOMMEND not in rows.frame.columns or not rows.frame[RECOMMEND].drop_nulls().len():
        return None
    score = rows.frame[RECOMMEND].cast(pl.Float64).fill_null(np.nan).to_numpy()
    names = np.array(["detractor", "passive", "promoter", UNKNOWN], dtype=object)
    part = np.searchsorted([6.5, 8.5], score, side="right")
    found: Texts = names[np.where(np.isnan(score), 3, np.minimum(part, 2))]
    return found


def opinions(subject: Subject) -> pl.DataFrame:
    """Return realised and predicted leaving by opinion, and how each outcome is shared out.

    One row per opinion and outcome (left, stayed): share is that of the outcome within the opinion; the other columns
    are :data:`GROUP_COLUMNS` of the rows of both, so that a high mean_risk of the satisfied who left says they were
    seen coming. Empty without recommend scores.
    """
    label = opinion_of(subject.rows)
    if label is None:
        return pl.DataFrame(schema=OPINION_COLUMNS)
    parts = []
    for name in OPINIONS:
        inside = label == name
        if not inside.any():
            continue
        both = subject.where(inside)
        member = np.where(both.left > 0, 0, 1).astype(np.intp)
        split = grouped(both, member, ("left", "stayed"), key="outcome")
        parts.append(
            split.with_columns(opinion=pl.lit(name), share=pl.col("n") / pl.lit(len(both.left))).select(
                *OPINION_COLUMNS
            )
        )
    return pl.concat(parts)


def named_opinions(subject: Subject) -> pl.DataFrame:
    """Return the satisfied who left and the dissatisfied who stayed, by name: :data:`NAMED_COLUMNS`.

    Each customer once per kind, at the last look at which it held; a detractor who left at a later look is no
    dissatisfied stayer. The list is for those who may see answers of single customers; no figure is made of it.
    """
    label = opinion_of(subject.rows)
    if label is None:
        return pl.DataFrame(schema=NAMED_COLUMNS)
    frame = pl.DataFrame(
        {
            "opinion": pl.Series(label.tolist(), dtype=pl.String),
            "left": subject.left.astype(np.int64),
            "customer_id": pl.Series(subject.customer.tolist(), dtype=pl.String),
            "as_of": pl.Series(subject.rows.snapshot.tolist(), dtype=pl.String),
            "nps_last_score": subject.rows.frame[RECOMMEND].cast(pl.Float64),
            "risk": subject.risk,
            "is_selected": subject.is_selected,
        }
    )
    kinds = pl.DataFrame(
        [(opinion, left, kind) for (opinion, left), kind in NAMED_KINDS.items()],
        schema={"opinion": pl.String, "left": pl.Int64, "kind": pl.String},
        orient="row",
    )
    gone = frame.filter(pl.col("left") == 1)["customer_id"].unique()
    return (
        frame.join(kinds, on=["opinion", "left"], how="inner")
        .filter((pl.col("left") == 1) | ~pl.col("customer_id").is_in(gone.implode()))
        .sort("kind", "customer_id", "as_of")
        .unique(["kind", "customer_id"], keep="last", maintain_order=True)
        .sort(["kind", "risk", "customer_id"], descending=[True, True, False])
        .select(*NAMED_COLUMNS)
    )
