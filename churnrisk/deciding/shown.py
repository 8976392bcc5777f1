"""The decisions of a date as published tables, read from the ledger: the same whenever they are shown."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..ledger import Decided
from ..ledger.rules.reasons import CONTROL, HOLD_OUT, OFFER
from .calling import PROACTIVE, PROMOTER

SURVEY = "survey"

_DECIDED_OF_OFFERS = {"offer": "offer", "control": "hold-out", "hold-out": "hold-out"}

_ASKING = pl.Struct(
    {
        "purpose": pl.String(),
        "metric": pl.String(),
        "occasion": pl.String(),
        "language": pl.String(),
        "risk": pl.Float64(),
        "value_of_asking": pl.Float64(),
    }
)
_RANKED = pl.Struct(
    {
        "offers": pl.List(
            pl.Struct(
                {
                    "position": pl.Int64(),
                    "offer_id": pl.String(),
                    "effect": pl.Float64(),
                    "effect_source": pl.String(),
                    "net_value": pl.Float64(),
                    "direct_value": pl.Float64(),
                    "spillover_value": pl.Float64(),
                    "cost": pl.Float64(),
                    "low": pl.Float64(),
                    "high": pl.Float64(),
                    "reason_code": pl.String(),
                }
            )
        )
    }
)


def decision_tables(decided: Decided, words: Mapping[str, str], run_id: str) -> dict[str, pl.DataFrame]:
    """Return ``survey_requests``, ``offers_ranked`` and ``approaches`` of a decided date; empty: nothing decided.

    ``words``: sentence of each reason code.
    """
    stamps = {"as_of": pl.lit(decided.as_of), "run_id": pl.lit(run_id)}
    return {
        "survey_requests": _requests(decided.frame).with_columns(**stamps),
        "offers_ranked": _ranked(decided.frame, words).with_columns(**stamps),
        "approaches": _approaches(decided.frame).with_columns(**stamps),
    }


def offers_made(decided: Decided) -> pl.DataFrame:
    """Return customer_id and offer_id of those who get one."""
    is_made = (pl.col("kind") == OFFER) & (pl.col("decision") == OFFER)
    return decided.frame.filter(is_made).select("customer_id", offer_id="subject")


def _held_out() -> pl.Expr:
    """Return the decision as tables have it: a control of an offer, left alone all night, is held out of the rest."""
    return pl.col("decision").replace({CONTROL: HOLD_OUT})


def _requests(frame: pl.DataFrame) -> pl.DataFrame:
    asked = frame.filter(pl.col("kind") == SURVEY)
    kept = asked["details"].str.json_decode(_ASKING).struct
    return asked.select(
        "customer_id",
        "channel",
        "cost",
        "propensity",
        "is_random",
        _held_out(),
        "reason_code",
        "why",
        "position",
        invitation_id="reference",
    ).with_columns(
        metric=kept.field("metric"),
        occasion=kept.field("occasion"),
        language=kept.field("language"),
        purpose=kept.field("purpose"),
        risk=kept.field("risk"),
        value_of_asking=kept.field("value_of_asking"),
    )


def _ranked(frame: pl.DataFrame, words: Mapping[str, str]) -> pl.DataFrame:
    """One row per customer and offer; the decision stands at the offer that it is about, the others have none."""
    offered = frame.filter(pl.col("kind") == OFFER).select(
        "customer_id",
        "subject",
        "decision",
        "why",
        "propensity",
        "is_random",
        "channel",
        priority="position",
        _treatment=pl.when(pl.col("decision").is_in([OFFER, CONTROL])).then("reference"),
        _code="reason_code",
        _offers=pl.col("details").str.json_decode(_RANKED).struct.field("offers"),
    )
    each = offered.explode("_offers", empty_as_null=False).unnest("_offers")
    is_it = pl.col("offer_id") == pl.col("subject")
    not_first = pl.when(pl.col("reason_code") == "").then(pl.lit("another_offer")).otherwise("reason_code")
    decision = pl.col("decision").replace_strict(_DECIDED_OF_OFFERS, default="none", return_dtype=pl.String)
    coded = each.with_columns(
        decision=pl.when(is_it).then(decision).otherwise(pl.lit("none")),
        reason_code=pl.when(is_it).then("_code").otherwise(not_first),
    )
    told = pl.col("reason_code").replace_strict(dict(words), default="", return_dtype=pl.String)
    return coded.with_columns(
        why=pl.when(is_it).then("why").otherwise(told),
        propensity=pl.when(is_it).then("propensity"),
        treatment_id=pl.when(is_it).then("_treatment"),
        channel=pl.when(is_it & (pl.col("decision") == OFFER)).then("channel"),
        is_random=pl.col("is_random") & is_it,
    ).drop("subject", "_code", "_treatment")


def _approaches(frame: pl.DataFrame) -> pl.DataFrame:
    """Promoters and those whom a proactive rule concerns, one row per customer and programme or rule."""
    found = frame.filter(pl.col("kind").is_in([PROMOTER, PROACTIVE]))
    message = found["details"].str.json_decode(pl.Struct({"message": pl.String()})).struct.field("message")
    return found.select(
        "kind",
        "customer_id",
        "channel",
        "purpose",
        _held_out(),
        "reason_code",
        "why",
        "position",
        programme="subject",
    ).with_columns(message=message)
