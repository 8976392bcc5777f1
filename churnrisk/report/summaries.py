"""What the published tables say about all customers together: headline, bands, segments, exposure, reasons.

It counts and averages and refuses to know words or pictures. Groups of fewer than :data:`LEAST_GROUP` customers are
never shown by themselves: too few to read anything from, and few enough to be recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

AT_RISK_BANDS: tuple[str, ...] = ("high", "critical")

BANDS: tuple[str, ...] = ("critical", "high", "watch", "low")

LEAST_GROUP = 20
"""Customers in a group at least, for it to be shown; a judgement."""

MOST_SEGMENTS = 7
"""Segments of one attribute shown by name; the others are put together."""

MOST_ATTRIBUTES = 4
MOST_REASONS = 8

LEAST_COVERED = 0.5
"""An attribute whose shown segments hold fewer customers than this share is no segmentation (an id, an amount)."""

OTHERS = "all others"
NOT_KNOWN = "not known"

Z = 1.959964
"""Half width of a 95 % interval of a mean, in standard errors."""

EXPOSURE_PARTS = 3


@dataclass(frozen=True)
class Headline:
    """The night in figures; ``stake`` is the sum of risk x value, None where no value is known."""

    n_scored: int
    n_at_risk: int
    expected_leavers: float
    mean_risk: float | None
    stake: float | None
    stake_at_risk: float | None
    n_without_value: int
    n_listed: int
    stake_listed: float | None


def actionable(at_risk: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the at-risk table that are to be acted on, best first: those that nothing leaves out."""
    listed = at_risk.sort("position")
    return listed.filter(pl.col("left_out_for").is_null()) if "left_out_for" in listed.columns else listed


def left_out(at_risk: pl.DataFrame) -> Mapping[str, int]:
    """Return how many rows of the at-risk table are left out, by the code of why."""
    if "left_out_for" not in at_risk.columns:
        return {}
    codes = at_risk["left_out_for"].drop_nulls()
    return dict(codes.value_counts().sort(["count", "left_out_for"], descending=[True, False]).iter_rows())


def headline(scores: pl.DataFrame, at_risk: pl.DataFrame) -> Headline:
    """Return how many customers were scored and listed, and what is at stake."""
    known = scores.filter(pl.col("risk").is_not_null())
    listed = actionable(at_risk)
    endangered = known.filter(pl.col("band").is_in(AT_RISK_BANDS))
    return Headline(
        n_scored=len(known),
        n_at_risk=len(endangered),
        expected_leavers=float(known["risk"].sort().sum()),
        mean_risk=float(known["risk"].sort().sum()) / len(known) if len(known) else None,
        stake=_stake(known),
        stake_at_risk=_stake(endangered),
        n_without_value=int(known["value"].null_count()),
        n_listed=len(listed),
        stake_listed=_stake(listed),
    )


def _stake(frame: pl.DataFrame) -> float | None:
    products = frame.select(stake=pl.col("risk") * pl.col("value"))["stake"].drop_nulls().sort()
    return float(products.sum()) if len(products) else None


def bands(scores: pl.DataFrame, realised: pl.DataFrame | None) -> pl.DataFrame:
    """Return customers by band, riskiest first.

    Columns band, n, share (0-1), mean_risk (0-1), stake (currency, null where no value is known), and realised_rate,
    realised_low, realised_high of the test (null where there was none). Bands without customers are left out unless
    they are ours.
    """
    known = scores.filter(pl.col("risk").is_not_null())
    grouped = known.group_by("band").agg(
        n=pl.len().cast(pl.Int64),
        mean_risk=pl.col("risk").sort().mean(),
        stake=pl.when((pl.col("risk") * pl.col("value")).count() > 0).then(
            (pl.col("risk") * pl.col("value")).sort().sum()
        ),
    )
    names = [*BANDS, *sorted(set(grouped["band"].drop_nulls()) - set(BANDS))]
    table = pl.DataFrame({"band": names}, schema={"band": pl.String}).join(
        grouped, on="band", how="left", maintain_order="left"
    )
    table = table.with_columns(pl.col("n").fill_null(0)).with_columns(share=pl.col("n") / max(len(known), 1))
    columns = ("realised_rate", "realised_low", "realised_high")
    if realised is None:
        return table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in columns)
    return table.join(realised.select("band", *columns), on="band", how="left", maintain_order="left")


def reasons(table: pl.DataFrame, listed: pl.Series, labels: Mapping[str, str]) -> pl.DataFrame:
    """Return the inputs that put most of the listed customers at risk, most first.

    Columns reason, n (customers), mean_effect_pp (percentage points of risk, over these), n_listed.

    Only reasons that raise the risk count, each once per customer.
    """
    counted = (
        table.filter(pl.col("customer_id").is_in(listed.implode()), pl.col("effect_pp") > 0)
        .group_by("feature")
        .agg(
            n=pl.col("customer_id").n_unique().cast(pl.Int64),
            mean_effect_pp=pl.col("effect_pp").sort().mean(),
        )
        .sort(["n", "feature"], descending=[True, False])
        .head(MOST_REASONS)
    )
    words = [labelled(name, labels) for name in counted["feature"]]
    return counted.select(
        pl.Series("reason", words, dtype=pl.String),
        "n",
        "mean_effect_pp",
        n_listed=pl.lit(listed.n_unique(), pl.Int64),
    )


def labelled(feature: str, labels: Mapping[str, str]) -> str:
    """Return an input in words: its label, or else its name without underscores."""
    return labels.get(feature) or feature.replace("_", " ")


def segmentations(scores: pl.DataFrame, attributes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return, by attribute, its segments with their mean risk; the attributes in which risk differs most come first.

    Each frame: segment, n, mean_risk, stake, riskiest first, the segments that are put together last. Attributes with
    one segment, or with so many that the shown ones hold less than half of the customers, are left out.
    """
    known = scores.filter(pl.col("risk").is_not_null()).select("customer_id", "risk", "value")
    overall = known["risk"].sort().mean()
    found: dict[str, pl.DataFrame] = {}
    spread: dict[str, float] = {}
    for name in attributes.columns:
        if name == "customer_id":
            continue
        values = attributes.select(
            "customer_id", segment=pl.col(name).cast(pl.String)
        )  # it may be called risk
        table = _segments(known.join(values, on="customer_id", how="inner"))
        if table is not None:
            found[name] = table
            distance = table.select(((pl.col("mean_risk") - overall) ** 2 * pl.col("n")).sum()).item()
            spread[name] = round(float(distance) / (len(table) - 1), 9)
    best = sorted(found, key=lambda name: (-spread[name], name))[:MOST_ATTRIBUTES]
    return {name: found[name] for name in best}


def _segments(data: pl.DataFrame) -> pl.DataFrame | None:
    named = data.with_columns(pl.col("segment").fill_null(NOT_KNOWN))
    sizes = named.group_by("segment").agg(n=pl.len()).sort(["n", "segment"], descending=[True, False])
    shown = sizes.filter(pl.col("n") >= LEAST_GROUP).head(MOST_SEGMENTS)
    if len(shown) < 2 or shown["n"].sum() < LEAST_COVERED * len(data):  # noqa: PLR2004 - one is no comparison
        return None
    is_shown = pl.col("segment").is_in(shown["segment"].implode())
    table = (
        named.with_columns(
            is_other=~is_shown, segment=pl.when(is_shown).then("segment").otherwise(pl.lit(OTHERS))
        )
        .group_by("segment", "is_other")
        .agg(
            n=pl.len().cast(pl.Int64),
            mean_risk=pl.col("risk").sort().mean(),
            stake=pl.when((pl.col("risk") * pl.col("value")).count() > 0).then(
                (pl.col("risk") * pl.col("value")).sort().sum()
            ),
        )
        .filter(pl.col("n") >= LEAST_GROUP)
        .sort(["is_other", "mean_risk", "segment"], descending=[False, True, False])
    )
    return table.select("segment", "n", "mean_risk", "stake")


def exposures(scores: pl.DataFrame, network: pl.DataFrame) -> pl.DataFrame:
    """Return the mean risk by how many of a customer's contacts have left: exposure, n, mean_risk, low, high.

    Groups: no ties; ties and nobody left; and the exposed, cut in equal thirds. Those of unknown ties, and groups
    below :data:`LEAST_GROUP`, are left out.
    """
    joined = scores.select("customer_id", "risk").join(
        network.select("customer_id", "n_ties", "churn_exposure"), on="customer_id", how="left"
    )
    joined = joined.filter(pl.col("risk").is_not_null())
    exposure = pl.col("churn_exposure")
    rank = pl.when(exposure > 0).then(exposure).rank("average")
    part = (((rank - 0.5) / pl.when(exposure > 0).then(1).sum()) * EXPOSURE_PARTS).floor().cast(pl.Int64) + 2
    place = (
        pl.when(exposure > 0)
        .then(part)
        .when(pl.col("n_ties") == 0)
        .then(0)
        .when(exposure.is_not_null())
        .then(1)
    )
    names = (
        "no ties in the data",
        "ties, and nobody has left",
        "somebody left: weakest third",
        "somebody left: middle third",
        "somebody left: strongest third",
    )
    half = Z * pl.col("deviation") / pl.col("n").sqrt()
    return (
        joined.with_columns(place=place)
        .drop_nulls("place")
        .group_by("place")
        .agg(
            n=pl.len().cast(pl.Int64),
            mean_risk=pl.col("risk").sort().mean(),
            deviation=pl.col("risk").sort().std(),
        )
        .filter(pl.col("n") >= LEAST_GROUP)
        .sort("place")
        .select(
            exposure=pl.col("place").replace_strict(range(len(names)), names, return_dtype=pl.String),
            n="n",
            mean_risk="mean_risk",
            low=(pl.col("mean_risk") - half).clip(0, 1),
            high=(pl.col("mean_risk") + half).clip(0, 1),
        )
    )
