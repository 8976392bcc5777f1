"""Whom asking would pay for tonight, and who is due to be asked anyway: candidates for the contact rules.

It decides which kinds of candidates there are and how many; what an answer is worth is ``scoring.asking``'s matter.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

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

from .material import Material

KIND = PURPOSE = "survey"
REACH = 4
"""So many times as many candidates go into the walk as the budget could ask: enough for those refused on the way."""


def asking(material: Material, offers: OfferNumbers | None) -> pl.DataFrame:
    """Return candidates in the schema of ``scoring.asking``, of all purposes, with a channel each.

    ``offers`` is what could be decided by an answer; None: nothing, see ``confirm_candidates``.
    """
    settings = material.config.surveys
    channels = [name for name in material.rules.channels if name in settings.cost]
    if settings.budget <= 0 or not channels:
        return pl.DataFrame(schema=CANDIDATE_SCHEMA)
    people = material.people.with_columns(channel=pl.lit(channels[0]))
    chances = answer_chances(
        material.features, material.ratios, model=material.nps, answering=material.answering
    )
    asked = _settings(material, channels[0], people.height)
    answers = 1.0 - chances.values[:, -1]
    confirming = confirm_candidates(
        people, chances, material.ratios, offers, asked, as_of=material.as_of, evidence=material.evidence
    )
    # after the draw, so that the chance of being drawn stays what is logged
    is_unheard = pl.col("customer_id").is_in(material.unheard.implode())
    parts = [confirming.filter(~is_unheard)]
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


def _settings(material: Material, channel: str, n_people: int) -> AskingSettings:
    settings = material.config.surveys
    cost = settings.cost[channel]
    affordable = n_people if cost == 0 else int(settings.budget / cost)
    return AskingSettings(
        costs=settings.cost,
        n_random=math.ceil(settings.random_share * affordable),
        salt=material.config.holdout.salt,
        most=max(1, REACH * affordable),
    )


def survey_candidates(found: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Return the rows for the walk: a row per channel in which asking is paid for.

    The random slice goes first, or the chance of being drawn would depend on what the others use up.
    """
    settings = material.config.surveys
    if found.is_empty():
        return pl.DataFrame()
    places = found.with_row_index("row").with_columns(
        subject=pl.concat_str("purpose", "metric", separator=":"),
        ranked=pl.when("is_random").then(np.inf).otherwise("walk_value"),
    )
    priced = pl.DataFrame(
        [(name, settings.cost[name]) for name in material.rules.channels if name in settings.cost],
        schema={"channel": pl.String, "cost": pl.Float64},
        orient="row",
    )
    return (
        places.drop("channel", "cost")
        .join(priced, how="cross", maintain_order="left")
        .select(
            "row",
            "customer_id",
            "subject",
            "channel",
            "cost",
            "propensity",
            "is_random",
            kind=pl.lit(KIND),
            purpose=pl.lit(PURPOSE),
            value="ranked",
            campaign_id=pl.lit(None, dtype=pl.String),
            refused_for=pl.lit(None, dtype=pl.String),
        )
    )
