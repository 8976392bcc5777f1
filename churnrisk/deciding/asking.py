"""Whom asking would pay for tonight, and who is due to be asked anyway: candidates for the contact rules.

It decides which kinds of candidates there are and how many; what an answer is worth is ``scoring.asking``'s matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.asking import (
    CANDIDATE_SCHEMA,
    AskingSettings,
    OccasionSettings,
    OfferNumbers,
    confirm_candidates,
    touchpoint_candidates,
    verify_candidates,
    wave_candidates,
)
from scoring.confirm import answer_chances

from ..ledger.rules.refusals import probed
from .material import Material

KIND = PURPOSE = "survey"
REACH = 4
"""So many times as many candidates go into the walk as the budget could ask: enough for those refused on the way."""

NEARLY = 1e-9
"""So little less than a whole question is a whole one."""


def asking(material: Material, offers: OfferNumbers | None) -> pl.DataFrame:
    """Return candidates in the schema of ``scoring.asking``, of all purposes, at the cost of the cheapest channel.

    ``offers`` is what could be decided by an answer; None: nothing, see ``confirm_candidates``.
    """
    settings, prices = material.config.surveys, _prices(material)
    if settings.budget <= 0 or prices.is_empty():
        return pl.DataFrame(schema=CANDIDATE_SCHEMA)
    channel, cost = prices.row(0)
    people = material.people.with_columns(channel=pl.lit(channel))
    chances = answer_chances(
        material.features, material.ratios, model=material.nps, answering=material.answering
    )
    is_open = _may_be_asked(material, channel)
    asked = _settings(material, channel, cost, people.height)
    answers = 1.0 - chances.values[:, -1]
    confirming = confirm_candidates(
        people,
        chances,
        material.ratios,
        offers,
        asked,
        as_of=material.as_of,
        evidence=material.evidence,
        drawable=is_open,
    )
    parts = [confirming.filter(~pl.col("customer_id").is_in(material.unheard.implode()))]
    value = settings.value_of_answer
    if settings.wave_share > 0:
        wave = OccasionSettings(asked, value, settings.wave_share)
        parts.append(
            wave_candidates(
                people, wave, as_of=material.as_of, every_days=settings.wave_every_days, answer_chance=answers
            )
        )
    if settings.touchpoint_share > 0 and material.contacts is not None:
        touched = OccasionSettings(asked, value, settings.touchpoint_share)
        parts.append(touchpoint_candidates(people, material.contacts, touched, as_of=material.as_of))
    if settings.verify_share > 0 and material.cases is not None:
        verified = OccasionSettings(asked, value, settings.verify_share)
        parts.append(verify_candidates(people, material.cases, verified, as_of=material.as_of))
    return pl.concat(parts)


def _prices(material: Material) -> pl.DataFrame:
    """Return channel and cost of those through which somebody can be asked tonight, the cheapest first.

    Where no channel has room they are all there: whom asking would pay for is then told that there is none.
    """
    cost, room = material.config.surveys.cost, material.rules.capacity
    named = [name for name in material.rules.channels if name in cost]
    rows = [(name, cost[name]) for name in [each for each in named if room.get(each) != 0] or named]
    prices = pl.DataFrame(rows, schema={"channel": pl.String, "cost": pl.Float64}, orient="row")
    return prices.sort("cost", maintain_order=True)


def _may_be_asked(material: Material, channel: str) -> NDArray[np.bool_]:
    """Say of each customer whether the rules let them be asked tonight: among these the lot is drawn."""
    told = probed(
        material.people["customer_id"],
        PURPOSE,
        channel,
        standing=material.standing,
        rules=material.rules,
        as_of=material.as_of,
    )
    is_heard = ~told["customer_id"].is_in(material.unheard.implode())
    return (told["reason"].is_null() & is_heard).to_numpy()


def _settings(material: Material, channel: str, cost: float, n_people: int) -> AskingSettings:
    """Return how is asked; by lot a share of the questions that budget and room in the cheapest channel allow."""
    settings, room = material.config.surveys, material.rules.capacity
    affordable = n_people if cost == 0 else int(settings.budget / cost + NEARLY)
    whole = n_people if cost == 0 else settings.budget / cost
    drawn = settings.random_share * min(whole, room.get(channel, n_people)) if affordable else 0.0
    return AskingSettings(
        costs=settings.cost,
        n_random=round(drawn, 9),
        salt=material.config.holdout.salt,
        most=max(1, REACH * affordable),
    )


def survey_candidates(found: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Return the rows for the walk: one per channel in which asking pays.

    The random slice goes first, or the chance of being drawn would depend on what the others use up, and through the
    cheapest channel alone, which is what its share of the budget pays for.
    """
    if found.is_empty():
        return pl.DataFrame()
    # also where the worth is not known: more than an answer can move nobody pays for asking
    own = pl.col("walk_value") + pl.col("cost") - pl.col("_cost")
    rows = (
        found.with_row_index("row")
        .join(_prices(material).select(_channel="channel", _cost="cost"), how="cross", maintain_order="left")
        .with_columns(value=pl.when("is_random").then(np.inf).otherwise(own))
        .filter(
            pl.when("is_random").then(pl.col("_channel") == pl.col("channel")).otherwise(pl.col("value") > 0)
        )
    )
    return rows.select(
        "row",
        "customer_id",
        "value",
        "propensity",
        "is_random",
        subject=pl.concat_str("purpose", "metric", separator=":"),
        channel="_channel",
        cost="_cost",
        kind=pl.lit(KIND),
        purpose=pl.lit(PURPOSE),
        campaign_id=pl.lit(None, dtype=pl.String),
        refused_for=pl.lit(None, dtype=pl.String),
    )


def through(candidate: Mapping[str, Any], channel: str, cost: float) -> dict[str, Any]:
    """Return a candidate of `asking` as asked through a channel: its value is net of what that one costs."""
    value = candidate["value_of_asking"]
    own = None if value is None else value + candidate["cost"] - cost
    return {**candidate, "value_of_asking": own, "channel": channel, "cost": cost}
