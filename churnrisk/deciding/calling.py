"""Contacts beside surveys and offers: promoters to approach, and triggers that the settings name.

It decides candidates only; caps, consents and hold-outs belong to the walk.
"""

from __future__ import annotations

import polars as pl

from ..ledger.rules.standing import promoter_purpose
from .material import Material

PROMOTER, PROACTIVE = "promoter", "proactive"
LATEST = "latest"
TURN = 1e-9


def promoter_candidates(material: Material) -> pl.DataFrame:
    """Return a row per promoter, programme and channel; a programme's number is its budget, a promoter costs 1 of it.

    They compete with nothing by money: after all that has a value, the best promoter first, and for each promoter
    the most wanted programme first.
    """
    found = material.promoters
    programmes = list(material.config.promoters.programmes)
    if found is None or found.is_empty() or not programmes:
        return pl.DataFrame()
    wanted = pl.DataFrame({"subject": programmes}).with_row_index("_wanted")
    channels = pl.DataFrame({"channel": material.rules.channels})
    place = pl.col("position").cast(pl.Float64) * len(programmes) + pl.col("_wanted")
    rows = (
        found.select("customer_id", "position")
        .with_row_index("row")
        .join(wanted, how="cross", maintain_order="left")
    )
    purposes = {name: promoter_purpose(name) for name in programmes}
    return _shaped(
        rows.select(
            "row",
            "customer_id",
            "subject",
            kind=pl.lit(PROMOTER),
            purpose=pl.col("subject").replace_strict(purposes),
            value=-place,
            cost=pl.lit(1.0),
        ).join(channels, how="cross", maintain_order="left")
    )


def proactive_candidates(material: Material) -> pl.DataFrame:
    """Return a row per customer whom a rule concerns, rule and channel."""
    due = material.due
    if due is None or due.is_empty():
        return pl.DataFrame()
    parts = []
    for number, rule in enumerate(material.config.proactive.rules):
        mine = due.filter(pl.col("rule") == rule.name).select("customer_id", "latest_channel")
        rows = mine.with_columns(
            row=pl.lit(number),
            kind=pl.lit(PROACTIVE),
            subject=pl.lit(rule.name),
            purpose=pl.lit(rule.purpose),
            value=pl.lit(rule.value),
            cost=pl.lit(rule.cost),
        )
        named = pl.DataFrame(
            {"channel": rule.channels or material.rules.channels}, schema={"channel": pl.String}
        ).with_row_index("_turn")
        # in the order of the rule's own channels, by too little to count as money
        in_turn = pl.col("value") - pl.col("_turn").cast(pl.Float64) * TURN
        ways = rows.join(named, how="cross", maintain_order="left").with_columns(value=in_turn).drop("_turn")
        latest = pl.when(pl.col("channel") == LATEST).then("latest_channel").otherwise("channel")
        parts.append(
            ways.with_columns(channel=latest)
            .filter(pl.col("channel").is_not_null())
            .unique(["customer_id", "channel"], keep="first", maintain_order=True)
            .drop("latest_channel")
        )
    return _shaped(pl.concat(parts))


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        campaign_id=pl.lit(None, dtype=pl.String),
        refused_for=pl.lit(None, dtype=pl.String),
        propensity=pl.lit(1.0),
        is_random=pl.lit(value=False),
    )
