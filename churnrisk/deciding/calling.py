"""Contacts beside surveys and offers: calls of the list, promoters to approach, triggers that the settings name.

It decides candidates only; caps, consents and hold-outs belong to the walk.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ..ledger.holdouts import CAMPAIGN
from ..ledger.rules.reasons import (
    CALLED,
    CHOSEN,
    CONTROL,
    DREW_NONE,
    HOLD_OUT,
    LEFT_ALONE,
    WITH_OFFER,
)
from ..ledger.rules.standing import CALL, OFFER, promoter_purpose
from .material import Material
from .trying import TRIAL

PROMOTER, PROACTIVE = "promoter", "proactive"
LATEST = "latest"
OFFERED_INSTEAD = "offered_instead"
"""Would take a place on the list, and is made an offer tonight that needs no call."""
TURN = 1e-9
A_LITTLE = 1e-12
"""Of large amounts: beside them :data:`TURN` is lost in rounding."""
WAITING = "waiting_for_answer"


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


def once_each(done: pl.DataFrame) -> pl.DataFrame:
    """Return the walk with each promoter once: as approached, held out, or refused for what is wanted most."""
    is_promoter = pl.col("kind") == PROMOTER
    is_out = pl.col("decision").is_in([HOLD_OUT, CONTROL])
    rank = pl.when(reason_code=CHOSEN).then(0).when(is_out).then(1).otherwise(2)
    promoters = (
        done.filter(is_promoter)
        .with_columns(_rank=rank)
        .sort("_rank", "position")
        .unique("customer_id", keep="first", maintain_order=True)
        .drop("_rank")
    )
    return pl.concat([done.filter(~is_promoter), promoters])


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


def call_candidates(
    material: Material,
    offers: pl.DataFrame,
    asked: Collection[str],
    kept: Collection[str] = (),
) -> pl.DataFrame:
    """Return a row per customer on the list of calls, in its order; those left out of it with why.

    Spares take the places of those left alone to measure by and of those who wait for an answer, the first first, and
    else are no candidates: so many are called as the team can. Not those made an offer tonight that needs no call, nor
    those left without one: of them, as far as the last spare called, it is told why (``is_passed``).
    Whether somebody picked for an offer is left alone is for the walk to say, which may refuse the offer: here they are
    ``is_alone``.

    Parameters
    ----------
    offers
        Candidates of offers (`offering.offer_candidates`): who is left without one by lot is not called either.
    asked
        Customers who are asked tonight: the call waits for the answer.
    kept
        Customers to whom the walk refused the offer that they would have been made or left without: they keep their
        call, or may take a place.
    """
    calls = material.calls
    if calls is None or calls.is_empty():
        return pl.DataFrame()
    alone = _left_alone(material, offers).filter(~pl.col("customer_id").is_in(list(kept)))
    waits = pl.when(pl.col("customer_id").is_in(list(asked))).then(pl.lit(WAITING))
    told = (
        calls.with_row_index("row")
        .join(alone, on="customer_id", how="left", maintain_order="left")
        .with_columns(refused_for=pl.coalesce("left_out_for", "_alone", waits))
    )
    is_alone = (~pl.col("is_spare") & pl.col("refused_for").is_in(LEFT_ALONE)).fill_null(value=False)
    return _filled(
        told, offers.filter(~pl.col("customer_id").is_in(list(kept))) if offers.height else offers
    ).select(
        "row",
        "customer_id",
        refused_for=pl.when(~is_alone).then("refused_for"),
        is_alone=is_alone,
        is_passed=pl.col("is_spare") & pl.col("refused_for").is_in([*LEFT_ALONE, OFFERED_INSTEAD]),
        kind=pl.lit(CALL),
        subject=pl.lit(CALL),
        purpose=pl.lit(CALL),
        channel=pl.lit(CALL),
        # after an offer to the same customer, which the same call makes
        value=pl.col("stake") - TURN - pl.col("stake").abs() * A_LITTLE,
        cost=pl.lit(0.0),
        campaign_id=pl.lit(None, dtype=pl.String),
        propensity=pl.lit(1.0),
        is_random=pl.lit(value=False),
    )


def _filled(calls: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    """Return the list with as many spares as it lost, and those passed over before the last of them.

    ``calls``: also is_spare, left_out_for and refused_for.
    """
    is_free = pl.col("left_out_for").is_null() & pl.col("refused_for").is_not_null() & ~pl.col("is_spare")
    can_take = pl.col("is_spare") & pl.col("refused_for").is_null()
    told = calls
    if offers.height:
        made = offers.filter(pl.col("refused_for").is_null())
        by_call = made.filter(pl.col("channel") == CALL)["customer_id"]
        beside = made.filter(~pl.col("customer_id").is_in(by_call.implode()))["customer_id"]
        is_beside = can_take & pl.col("customer_id").is_in(beside.implode())
        told = calls.with_columns(
            refused_for=pl.when(is_beside).then(pl.lit(OFFERED_INSTEAD)).otherwise("refused_for")
        )
    before = can_take.cast(pl.Int64).cum_sum() - can_take.cast(pl.Int64)
    return told.filter(~pl.col("is_spare") | (before < is_free.sum()))


def _left_alone(material: Material, offers: pl.DataFrame) -> pl.DataFrame:
    """Return customer_id and code of those chosen for an offer and left without it, to measure by."""
    if offers.is_empty():
        return pl.DataFrame(schema={"customer_id": pl.String, "_alone": pl.String})
    out = material.standing.held_out.filter(campaign_id=material.config.offers.campaign)
    drawn = [
        pl.when(
            pl.col("refused_for").is_null()
            & pl.col("customer_id").is_in(out.filter(kind=kind)["customer_id"].implode())
        ).then(pl.lit(code))
        for kind, code in zip((CAMPAIGN, TRIAL), LEFT_ALONE, strict=True)
    ]
    drew_none = pl.when(pl.col("refused_for") == DREW_NONE).then("refused_for")
    code = pl.coalesce(*drawn, drew_none)
    told = offers.select("customer_id", _alone=code).drop_nulls()
    return told.unique("customer_id", keep="first", maintain_order=True)


def by_stake(candidates: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Return candidates whose offers by a call of the list have the place of the call: it is one contact."""
    calls = material.calls
    if calls is None or calls.is_empty():
        return candidates
    on_list = candidates.filter(pl.col("kind") == CALL)["customer_id"]
    is_called = pl.col("left_out_for").is_null() & (
        ~pl.col("is_spare") | pl.col("customer_id").is_in(on_list.implode())
    )
    called = calls.filter(is_called).select("customer_id", "stake")
    is_call = (pl.col("kind") == OFFER) & (pl.col("channel") == CALL) & pl.col("refused_for").is_null()
    return (
        candidates.join(called, on="customer_id", how="left", maintain_order="left")
        .with_columns(value=pl.when(is_call).then(pl.coalesce("stake", "value")).otherwise("value"))
        .drop("stake")
    )


def with_offers(done: pl.DataFrame) -> pl.DataFrame:
    """Return the walk with the calls that make an offer: of those the offer is the contact."""
    is_made = (pl.col("kind") == OFFER) & (pl.col("channel") == CALL) & (pl.col("reason_code") == CHOSEN)
    offered = done.filter(is_made)["customer_id"]
    is_one = (
        (pl.col("kind") == CALL)
        & (pl.col("reason_code") == "already_today")
        & pl.col("customer_id").is_in(offered.implode())
    )
    return done.with_columns(
        decision=pl.when(is_one).then(pl.lit(CALLED)).otherwise("decision"),
        reason_code=pl.when(is_one).then(pl.lit(WITH_OFFER)).otherwise("reason_code"),
    )


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        campaign_id=pl.lit(None, dtype=pl.String),
        refused_for=pl.lit(None, dtype=pl.String),
        propensity=pl.lit(1.0),
        is_random=pl.lit(value=False),
    )
