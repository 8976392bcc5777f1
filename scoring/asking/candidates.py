"""Who could be asked to confirm a risk tonight: by the value of the answer, and a random slice.

It decides what asking each customer would be worth, and refuses to know caps, budgets, consents and hold-outs: those
belong to the one walk over all contacts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import EVIDENCE, SILENT, AnswerRatios, evidence_weight, posterior
from churnrisk.dates import AsOf

from ..confirm import Chances
from .information import NO_OFFER, Information, OfferNumbers, expected_movement, value_of_information

Floats = NDArray[np.float64]

STILL_HEARD = 0.5
"""Who has answered is not asked again to confirm while the answer weighs at least this much (judgement: 90 days)."""

WHOLE = 2.0**64
"""Of as many numbers a hash draws one."""

INFORMATION, UNCERTAINTY, STATED = "information", "uncertainty", "stated"
"""What a candidate's value rests on: offers that an answer would change; how far answers move a risk; settings."""

DETAILS = pl.Struct(
    {
        "risk_low": pl.Float64(),
        "risk_high": pl.Float64(),
        "answer_chance": pl.Float64(),
        "information": pl.Float64(),
        "offer_before": pl.String(),
        **{f"chance_{name}": pl.Float64() for name in EVIDENCE},
        **{f"risk_{name}": pl.Float64() for name in EVIDENCE},
        **{f"offer_{name}": pl.String() for name in EVIDENCE},
        "about_id": pl.String(),
        "about_at": pl.Datetime("us"),
    }
)
"""What each answer would change: chance, risk after it, best offer then (null: none); ``about``: contact or case."""

CANDIDATE_SCHEMA = {
    "customer_id": pl.String(),
    "purpose": pl.String(),
    "metric": pl.String(),
    "occasion": pl.String(),
    "channel": pl.String(),
    "language": pl.String(),
    "value_of_asking": pl.Float64(),
    "walk_value": pl.Float64(),
    "basis": pl.String(),
    "cost": pl.Float64(),
    "is_random": pl.Boolean(),
    "propensity": pl.Float64(),
    "risk": pl.Float64(),
    "why": pl.String(),
    "details": DETAILS,
}
"""One row per customer and purpose. ``value_of_asking``: money, net of the cost; null where it is not known.
``walk_value``: what the walk sorts by. ``propensity``: chance of being drawn; null where chosen. ``why``: a code of
``scoring.asking.words``."""


@dataclass(frozen=True)
class AskingSettings:
    """How people are asked to confirm.

    ``costs``: money per invitation by channel, ``other_cost`` by any other. ``n_random``: size of the random slice,
    on average where it is no whole number.
    ``most``: candidates kept, the best (None: all): the walk looks at no more than that.
    """

    metric: str = "nps"
    occasion: str = "confirmation"
    costs: Mapping[str, float] = field(default_factory=dict)
    other_cost: float = 0.5
    n_random: float = 0
    salt: str = ""
    most: int | None = None


def confirm_candidates(
    people: pl.DataFrame,
    chances: Chances,
    ratios: AnswerRatios,
    offers: OfferNumbers | None,
    settings: AskingSettings,
    *,
    as_of: AsOf,
    evidence: pl.DataFrame | None = None,
    drawable: NDArray[np.bool_] | None = None,
) -> pl.DataFrame:
    """Return whom asking would pay for, and the random slice: :data:`CANDIDATE_SCHEMA`, the walk's order first to last.

    Parameters
    ----------
    people : customer_id, risk, risk_low, risk_high, channel (preferred, null: none), language; one row per
        customer who may
        be asked at all. Optional value: money, used without offers.
    chances : of every row of ``people``.
    ratios : what answers are worth.
    offers : of every row of ``people``; None: nothing can be decided by an answer, so candidates are ordered by
        how far an
        answer would move the risk x value, ``basis`` says ``uncertainty`` and nobody's ``value_of_asking`` is known.
    settings : costs, random slice.
    as_of : of the night; with the salt it seeds the random slice, so that the same night draws the same.
    evidence : answers in force (``evidence_in_force``): who answered lately is neither chosen nor drawn.
    drawable : of every row of ``people``, who may be drawn: whom the contact rules let ask tonight. None: everybody.

    Notes
    -----
    The slice is drawn first, ``n_random`` of all drawable ones by a hash, with propensity n_random / them: purpose
    ``random``, whether or not asking them pays; the walk takes it first (``is_random``), else the rest would use
    up the budget and its propensity were wrong. The others are candidates when the value of the information
    exceeds the cost of asking.
    """
    heard = _heard(people, evidence, ratios)
    rows = np.flatnonzero(~heard)
    risk = people["risk"].to_numpy()[rows]
    odds = chances.values[rows]
    information = _information(risk, odds, ratios, offers, rows)
    here = people[rows]
    cost = asking_costs(here["channel"], settings)
    if offers is None:
        worth = (
            here["value"].cast(pl.Float64).to_numpy()
            if "value" in here.columns
            else np.full(len(rows), np.nan)
        )
        worth = np.where(np.isnan(worth), np.nanmedian(worth) if np.isfinite(worth).any() else 1.0, worth)
        walk, asking = expected_movement(risk, odds, information.after) * worth, np.full(len(rows), np.nan)
    else:
        asking = information.value - cost
        walk = asking
    among = np.arange(len(rows)) if drawable is None else np.flatnonzero(drawable[rows])
    drawn = np.zeros(len(rows), dtype=bool)
    drawn[among], propensity = random_slice(
        here["customer_id"][among], settings.n_random, f"{settings.salt}\x1f{as_of.day.isoformat()}"
    )
    is_chosen = np.nan_to_num(walk, nan=-1.0) > 0
    kept = np.flatnonzero(drawn | is_chosen)
    ids = here["customer_id"].to_numpy().astype(str)
    order = kept[np.lexsort((ids[kept], -np.nan_to_num(walk[kept], nan=-np.inf), ~drawn[kept]))]
    order = order if settings.most is None else order[: settings.most + int(drawn.sum())]
    is_drawn = drawn[order]
    basis = UNCERTAINTY if offers is None else INFORMATION
    why = np.where(is_drawn, "drawn_at_random", "most_uncertain" if offers is None else "worth_asking")
    chosen = here[order]
    frame = pl.DataFrame(
        {
            "customer_id": chosen["customer_id"],
            "purpose": pl.Series(np.where(is_drawn, "random", "confirm")),
            "metric": pl.repeat(settings.metric, len(order), eager=True, dtype=pl.String),
            "occasion": pl.repeat(settings.occasion, len(order), eager=True, dtype=pl.String),
            "channel": chosen["channel"].cast(pl.String),
            "language": chosen["language"].cast(pl.String),
            "value_of_asking": pl.Series(asking[order], nan_to_null=True),
            "walk_value": pl.Series(np.nan_to_num(walk[order])),
            "basis": pl.repeat(basis, len(order), eager=True, dtype=pl.String),
            "cost": pl.Series(cost[order]),
            "is_random": pl.Series(is_drawn),
            "propensity": pl.Series(np.where(is_drawn, propensity, np.nan), nan_to_null=True),
            "risk": pl.Series(risk[order]),
            "why": pl.Series(why, dtype=pl.String),
            "details": _details(chosen, odds[order], information, order, offers),
        }
    )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in CANDIDATE_SCHEMA.items())


def random_slice(customer_id: pl.Series, n_random: float, salt: str) -> tuple[NDArray[np.bool_], float]:
    """Return who is drawn and the chance of it: the ``n_random`` smallest hashes of salt and id, order of rows apart.

    Of 1.3 to draw it is one, and by a lot of the night (three of ten) two.

    >>> drawn, chance = random_slice(pl.Series(["a", "b", "c", "d"]), 2, "night")
    >>> int(drawn.sum()), chance
    (2, 0.5)
    """
    n = len(customer_id)
    wanted = min(n_random, n)
    drawn = np.zeros(n, dtype=bool)
    if wanted <= 0:
        return drawn, 0.0
    whole, part = int(wanted), wanted - int(wanted)
    lot = hash_draws(pl.Series([""]), f"{salt}\x1fone-more")[0] / np.float64(WHOLE)
    draws = hash_draws(customer_id, salt)
    drawn[np.argsort(draws, kind="stable")[: whole + int(lot < part)]] = True
    return drawn, wanted / n


def hash_draws(customer_id: pl.Series, salt: str) -> NDArray[np.uint64]:
    """Return a number per customer that looks random and is always the same for salt and id (uint64)."""
    head = hashlib.blake2b(f"{salt}\x1f".encode(), digest_size=8)

    def draw(name: str) -> int:
        own = head.copy()
        own.update(name.encode())
        return int.from_bytes(own.digest(), "big")

    return np.fromiter(
        map(draw, customer_id.cast(pl.String).to_list()), dtype=np.uint64, count=len(customer_id)
    )


def _information(
    risk: Floats, odds: Floats, ratios: AnswerRatios, offers: OfferNumbers | None, rows: NDArray[np.intp]
) -> Information:
    if offers is not None:
        here = OfferNumbers(offers.names, offers.worth[rows], offers.saved_share[rows], offers.cost[rows])
        return value_of_information(risk, odds, ratios.log_ratios, here)
    after = posterior(risk, odds, ratios.log_ratios)
    none = np.full(len(risk), NO_OFFER, dtype=np.int8)
    return Information(
        np.full(len(risk), np.nan), after, none, np.repeat(none[:, None], len(EVIDENCE), axis=1)
    )


def _heard(people: pl.DataFrame, evidence: pl.DataFrame | None, ratios: AnswerRatios) -> NDArray[np.bool_]:
    if evidence is None or evidence.is_empty():
        return np.zeros(people.height, dtype=bool)
    weight = pl.Series(evidence_weight(evidence["age_days"].to_numpy(), ratios.half_life_days))
    lately = evidence.filter((weight >= STILL_HEARD) & (evidence["evidence"] != EVIDENCE[SILENT]))
    return people["customer_id"].is_in(lately["customer_id"].implode()).to_numpy()


def asking_costs(channel: pl.Series, settings: AskingSettings) -> Floats:
    known = channel.cast(pl.String).replace_strict(
        dict(settings.costs), default=settings.other_cost, return_dtype=pl.Float64
    )
    return known.fill_null(settings.other_cost).to_numpy()


def _details(
    chosen: pl.DataFrame,
    odds: Floats,
    information: Information,
    order: NDArray[np.intp],
    offers: OfferNumbers | None,
) -> pl.Series:
    names = pl.Series([] if offers is None else list(offers.names), dtype=pl.String)

    def named(places: NDArray[np.int8]) -> pl.Series:
        return names.gather(pl.Series(places.astype(np.int64)).replace(NO_OFFER, None))

    parts: dict[str, pl.Series] = {
        "risk_low": chosen["risk_low"],
        "risk_high": chosen["risk_high"],
        "answer_chance": pl.Series(1.0 - odds[:, SILENT]),
        "information": pl.Series(information.value[order], nan_to_null=True),
        "offer_before": named(information.offer_before[order]),
    }
    for place, name in enumerate(EVIDENCE):
        parts[f"chance_{name}"] = pl.Series(odds[:, place])
        parts[f"risk_{name}"] = pl.Series(information.after[order, place])
        parts[f"offer_{name}"] = named(information.offer_after[order, place])
    nothing = pl.repeat(None, len(order), dtype=pl.Null, eager=True)
    parts |= {"about_id": nothing, "about_at": nothing}
    frame = pl.DataFrame(parts).select(
        pl.col(name).cast(dtype) for name, dtype in DETAILS.to_schema().items()
    )
    return frame.to_struct("details")
