"""Five types of customer that need another hand (S71), read off what is known of them; a customer may be of several.

The readings are rules of judgement on the features of the date, not findings; how often each type leaves is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from .groups import GROUP_COLUMNS, grouped
from .subject import Subject

TYPE_COLUMNS = {"type": pl.String(), "share": pl.Float64(), "reading": pl.String(), **GROUP_COLUMNS}

READINGS: Mapping[str, str] = {
    "dissatisfied": "latest recommend score to 6, or satisfaction to 2 of 5, or effort to 3 of 7",
    "vocal": "as many service contacts in 90 days as the tenth with most, or one of them left unresolved",
    "mobile": "customer for less than 180 days, or more contacts outside the company than three in four",
    "knowledgeable": "more looks at help pages than three in four customers",
    "multichannel": "three or more channels used to reach service in 90 days",
}
"""Each type and the rule by which it is read."""


def types(subject: Subject) -> pl.DataFrame:
    """Return how many customers are of each type, and how often they left.

    Columns: :data:`TYPE_COLUMNS`; share is that of all rows. A type whose sources are missing has no row;
    unknown values do not make a type.
    """
    frame = subject.rows.frame
    parts = []
    for name, rule in _rules(frame).items():
        is_one = frame.select(rule.fill_null(value=False).alias("is"))["is"].to_numpy()
        if not is_one.any():
            continue
        inside = subject.where(is_one)
        found = grouped(inside, np.zeros(len(inside.left), dtype=np.intp), (name,), key="type")
        parts.append(
            found.with_columns(share=pl.lit(float(is_one.mean())), reading=pl.lit(READINGS[name])).select(
                *TYPE_COLUMNS
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame(schema=TYPE_COLUMNS)


def _rules(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    def at_most(name: str, limit: float) -> list[pl.Expr]:
        return [pl.col(name) <= limit] if name in frame.columns else []

    def at_least(name: str, limit: float) -> list[pl.Expr]:
        return [pl.col(name) >= limit] if name in frame.columns else []

    def above(name: str, share: float) -> list[pl.Expr]:
        if name not in frame.columns or not frame[name].drop_nulls().len():
            return []
        limit = float(frame[name].cast(pl.Float64).quantile(share, "lower") or 0.0)
        return [(pl.col(name) > limit) & (pl.col(name) > 0)]

    found = {
        "dissatisfied": [
            *at_most("nps_last_score", 6),
            *at_most("csat_last_score", 2),
            *at_most("ces_last_score", 3),
        ],
        "vocal": [*above("n_contacts_90d", 0.9), *at_least("n_contacts_unresolved_90d", 1)],
        "mobile": [*at_most("tenure_days", 179), *above("share_calls_offnet_90d", 0.75)],
        "knowledgeable": above("event_help_viewed_n_90d", 0.75),
        "multichannel": at_least("n_channels_90d", 3),
    }
    return {name: pl.any_horizontal(rules) for name, rules in found.items() if rules}
