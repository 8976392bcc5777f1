"""Whom to ask for a referral or a public word: promoters by the influence they have, those long with us marked.

It decides order and cut, and refuses to ask anybody who may not be contacted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import polars as pl

from features.network import PROMOTER

TENURE = "tenure_days"

_COLUMNS = (
    "customer_id",
    "position",
    "promoter_influence",
    "is_long_tenured",
    "tenure_days",
    "value",
    "band",
    "as_of",
)


def promoters(
    scores: pl.DataFrame,
    features: pl.DataFrame,
    network: pl.DataFrame | None,
    opinions: pl.DataFrame,
    *,
    long_tenure_days: int,
    decided: Collection[str] = (),
) -> pl.DataFrame:
    """Return every promoter among the customers scored, best first: the columns of the file but for the carried ones.

    Order: promoter_influence, falling, those without a known one last; among equals (1 - risk) x value, then a hash of
    the id. ``is_long_tenured`` marks customers of ``long_tenure_days`` and more, null where the joining is unknown.

    Parameters
    ----------
    scores : pl.DataFrame
        The published table: as_of, customer_id, risk, value, band.
    features : pl.DataFrame
        customer_id and, when there is, tenure_days.
    network : pl.DataFrame, optional
        customer_id, promoter_influence; None without call data.
    opinions : pl.DataFrame
        customer_id, opinion by the latest answer.
    long_tenure_days : int
        How long is long.
    decided : collection of str
        Customers to be approached by a decision already taken, who stand among them whatever their latest answer says.
    """
    joined_long = pl.col(TENURE) if TENURE in features.columns else pl.lit(None)
    tenure = features.select("customer_id", joined_long.cast(pl.Float64).alias(TENURE))
    unknown = pl.DataFrame(schema={"customer_id": pl.String, "promoter_influence": pl.Float64})
    influences = unknown if network is None else network.select("customer_id", "promoter_influence")
    are_promoters = opinions.filter(pl.col("opinion") == PROMOTER)["customer_id"]
    is_one = pl.col("customer_id").is_in(are_promoters.implode()) | pl.col("customer_id").is_in(list(decided))
    found = (
        scores.filter(is_one)
        .join(tenure, on="customer_id", how="left", maintain_order="left")
        .join(influences, on="customer_id", how="left", maintain_order="left")
    )
    draw = [hashlib.sha256(each.encode()).hexdigest() for each in found["customer_id"]]
    return (
        found.with_columns(
            is_long_tenured=pl.col(TENURE) >= long_tenure_days,
            worth=(1 - pl.col("risk")) * pl.col("value"),
            draw=pl.Series(draw, dtype=pl.String),
        )
        .sort(["promoter_influence", "worth", "draw"], descending=[True, True, False], nulls_last=True)
        .with_row_index("position", offset=1)
        .select(pl.col(name).cast(pl.Int64) if name == "position" else name for name in _COLUMNS)
    )


def approach_list(ranked: pl.DataFrame, consents: pl.DataFrame, capacity: int) -> pl.DataFrame:
    """Return the first promoters who may be contacted, renumbered, amounts to the cent.

    Parameters
    ----------
    ranked : pl.DataFrame
        As `promoters` gives them.
    consents : pl.DataFrame
        customer_id, may_contact; who is not in it is taken to refuse.
    capacity : int
        Promoters the team can approach, at least 1.
    """
    allowed = ranked.join(consents.filter("may_contact"), on="customer_id", how="semi", maintain_order="left")
    return _shown(allowed.head(capacity))


def approached(ranked: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Return those decided to be approached, renumbered, amounts to the cent; who is scored no more is not among them.

    Parameters
    ----------
    ranked : pl.DataFrame
        As `promoters` gives them.
    chosen : pl.DataFrame
        customer_id, programme, channel, in the order of the decision.
    """
    return _shown(chosen.join(ranked, on="customer_id", how="inner", maintain_order="left")).select(
        *ranked.columns, "programme", "channel"
    )


def _shown(listed: pl.DataFrame) -> pl.DataFrame:
    return listed.with_columns(
        pl.int_range(1, listed.height + 1, dtype=pl.Int64, eager=True).alias("position"),
        pl.col("promoter_influence", "value").round(2),
        pl.col(TENURE).cast(pl.Int64),
    )
