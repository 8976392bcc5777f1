"""The order of a decision night: what offers are worth, whom asking pays for, then the contact rules over all of it.

Who is asked first waits for the answer before an offer is decided: the value of asking is what the answer adds to the
offer made on what is known now. So the asking is settled first, offers are bought for the others, and the contact rules
walk over all candidates together; where they let somebody be asked no more (a channel is full), it is gone through
again without that question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..bundle.effects import SURE, OfferEffect
from ..ledger.rules import walked, worth_keeping
from ..ledger.rules.reasons import ASK, CALLED, CHOSEN, FORBIDDEN, OFFER
from ..ledger.rules.refusals import EARLY, LATE, refusals
from ..ledger.rules.standing import CALL
from .asking import asking, survey_candidates
from .budgeting import curve_of
from .calling import (
    WAITING,
    by_stake,
    call_candidates,
    once_each,
    proactive_candidates,
    promoter_candidates,
    with_offers,
)
from .choosing import Chosen, chosen_offers, offer_candidates
from .material import Material
from .offering import Catalogue, Offering, catalogue_of, offering
from .trying import has_trials, held_out_of


@dataclass(frozen=True, eq=False)
class DecidedNight:
    """What was decided and what it rests on.

    Attributes
    ----------
    rows
        Candidates as walked, best first, trimmed to those whom the walk could reach and as many again: the columns of
        `walked` and ``row``: of ``asked`` or of people.
    offering, chosen
        What offers are worth, and which were bought; None without offers.
    asked
        Candidates of asking (`scoring.asking.CANDIDATE_SCHEMA`), before the rules.
    curve
        What other budgets would buy; None without offers.
    figures
        Plain numbers for people: budgets, spent, counts by reason.
    """

    rows: pl.DataFrame
    offering: Offering | None
    chosen: Chosen | None
    asked: pl.DataFrame
    curve: pl.DataFrame | None
    figures: dict[str, Any]
    notes: tuple[str, ...] = ()


def decided_night(material: Material) -> DecidedNight:
    """Decide on everybody; nothing is written. The same material gives the same decisions."""
    catalogue = catalogue_of(material.offers, material.rules.channels)
    found = offering(material, catalogue) if catalogue.offer_ids else None
    asked = asking(material, None if found is None else found.numbers(material))
    surveys = survey_candidates(asked, material)
    promoters, due = promoter_candidates(material), proactive_candidates(material)
    before = _refused_before(material, found, catalogue)
    first, kept = _customers(_walk(material, [surveys]), ASK), frozenset[str]()
    while True:
        chosen, offers, refused = _bought(material, found, before, first)
        tonight = _measuring(material, chosen)
        calls = call_candidates(tonight, offers, first, kept)
        told = _told(material, found, chosen, offers, _on_list(material, calls))
        before_promoters = (surveys, told, calls, due)
        done = with_offers(_walk(tonight, before_promoters))
        now = _still(done, calls, first, kept)
        if now == (first, kept) and promoters.height:
            # many, and worth less than all before: they go through the rules when those are settled
            done = with_offers(_walk(tonight, (*before_promoters, promoters)))
            now = _still(done, calls, first, kept)
        if now == (first, kept):
            break
        first, kept = now
    curve = None if found is None else curve_of(material, found, refused)
    notes = (*catalogue.notes, *_notes(material, found))
    return DecidedNight(
        _kept(material, done), found, chosen, asked, curve, _figures(material, done, chosen), notes
    )


def _still(
    done: pl.DataFrame, calls: pl.DataFrame, first: frozenset[str], kept: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return who is still asked first, and who keeps a call, or may take one, as the walk refused them their offer.

    The former become fewer and the latter more, so that it ends.
    """
    asked = first & _customers(done, ASK)
    if calls.is_empty():
        return asked, kept
    alone = frozenset(calls.filter("is_alone")["customer_id"].to_list())
    called = alone & _customers(done.filter(pl.col("kind") == CALL), CALLED)
    # for want of room or money, or by a rule of that channel alone; whom something else reaches is reached
    refused = ["capacity_full", "budget_spent", "cap_reached", *FORBIDDEN]
    no_room = done.filter(pl.col("kind") == OFFER, pl.col("reason_code").is_in(refused))
    passed = calls.filter("is_passed").join(no_room, on="customer_id", how="semi")["customer_id"]
    return asked, kept | called | frozenset(passed.to_list())


def _measuring(material: Material, chosen: Chosen | None) -> Material:
    """Return the material with those held out tonight who are left without an offer on trial."""
    if chosen is None:
        return material
    out = pl.concat([material.standing.held_out, held_out_of(material, chosen.is_left)])
    return replace(material, standing=replace(material.standing, held_out=out))


def _refused_before(material: Material, found: Offering | None, catalogue: Catalogue) -> pl.DataFrame:
    """Return customer_id and reason of those with an option whom no channel reaches tonight, hold-outs apart."""
    schema = {"customer_id": pl.String, "reason": pl.String}
    if found is None:
        return pl.DataFrame(schema=schema)
    with_option = material.people.filter(pl.Series(found.is_drawable.any(axis=1)))["customer_id"]
    channels = sorted({name for every in catalogue.channels for name in every})
    probes = pl.DataFrame({"customer_id": with_option}).join(
        pl.DataFrame({"channel": channels}), how="cross", maintain_order="left"
    )
    shaped = probes.with_columns(
        kind=pl.lit(OFFER),
        subject=pl.lit(""),
        purpose=pl.lit(OFFER),
        value=pl.lit(0.0),
        cost=pl.lit(0.0),
        campaign_id=pl.lit(None, dtype=pl.String),
        refused_for=pl.lit(None, dtype=pl.String),
    )
    marked = refusals(shaped, material.standing, material.rules, material.as_of)
    late = pl.when(pl.col(LATE).is_in(list(FORBIDDEN))).then(pl.col(LATE))
    today = pl.when("was_contacted_today").then(pl.lit("already_today"))
    told = marked.select("customer_id", reason=pl.coalesce(EARLY, today, late))
    closed = told.group_by("customer_id", maintain_order=True).agg(
        is_closed=pl.col("reason").is_not_null().all(), reason=pl.col("reason").first()
    )
    return closed.filter("is_closed").select(schema.keys())


def _bought(
    material: Material, found: Offering | None, before: pl.DataFrame, first: frozenset[str]
) -> tuple[Chosen | None, pl.DataFrame, NDArray[np.bool_]]:
    """Buy offers for all but those refused and those who are asked first."""
    if found is None:
        return None, pl.DataFrame(), np.zeros(0, dtype=np.bool_)
    waiting = pl.when(pl.col("customer_id").is_in(list(first))).then(pl.lit(WAITING))
    refused_for = (
        material.people.select("customer_id")
        .join(before, on="customer_id", how="left", maintain_order="left")
        .select(pl.coalesce("reason", waiting).alias("refused_for"))["refused_for"]
    )
    refused = refused_for.is_not_null().to_numpy()
    chosen = chosen_offers(material, found, refused)
    rows = offer_candidates(material, found, chosen, refused_for)
    return chosen, rows, refused


def _told(
    material: Material,
    found: Offering | None,
    chosen: Chosen | None,
    offers: pl.DataFrame,
    on_list: pl.Series,
) -> pl.DataFrame:
    """Return candidates of offers of whom something is to be told: with an option, or on the list."""
    if found is None or chosen is None:
        return offers
    has_option = found.is_option.any(axis=1) | (chosen.choice >= 0)
    is_told = has_option | material.people["customer_id"].is_in(on_list.implode()).to_numpy()
    told = pl.DataFrame({"row": np.flatnonzero(is_told)})
    return offers.join(told, on="row", how="semi", maintain_order="left")


def _on_list(material: Material, calls: pl.DataFrame) -> pl.Series:
    """Return those on the list, and the spares that take a place on it."""
    if calls.is_empty():
        return material.listed
    return pl.concat([material.listed, calls["customer_id"]]).unique(maintain_order=True)


COLUMNS = (
    "kind", "customer_id", "subject", "purpose", "channel", "value", "cost", "campaign_id", "refused_for", "propensity",
    "is_random", "row",
)  # fmt: skip


def _walk(material: Material, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    there = [part.select(*COLUMNS[:-1], pl.col("row").cast(pl.Int64)) for part in parts if part.height]
    if not there:
        schema = dict.fromkeys(COLUMNS, pl.String()) | {
            "value": pl.Float64(), "cost": pl.Float64(), "propensity": pl.Float64(), "is_random": pl.Boolean(),
            "row": pl.Int64(),
        }  # fmt: skip
        there = [pl.DataFrame(schema=schema)]
    ranked = pl.concat(there).with_columns(_worth="value")
    ranked = by_stake(ranked, material)
    if material.config.offers.exploration == "share":
        # what the lot has drawn goes first: else the chance written down would depend on what is left of the budget
        is_drawn = (pl.col("kind") == OFFER) & pl.col("is_random") & pl.col("refused_for").is_null()
        first = pl.when(is_drawn).then(pl.lit(float("inf"))).otherwise("value")
        ranked = ranked.with_columns(value=first)
    done = walked(ranked, material.standing, material.rules, material.as_of)
    return done.with_columns(value="_worth").drop("_worth")


def _customers(done: pl.DataFrame, decision: str) -> frozenset[str]:
    return frozenset(done.filter(pl.col("decision") == decision)["customer_id"].to_list())


def _kept(material: Material, done: pl.DataFrame) -> pl.DataFrame:
    """Return of each kind those whom the walk could reach and as many again, and of those on the list all."""
    kept = [
        worth_keeping(each.with_columns(position=pl.int_range(1, pl.len() + 1)))
        for each in done.partition_by("kind", maintain_order=True)
    ]
    names = ["kind", "customer_id", "subject"]
    reached = pl.concat(kept).select(names) if kept else done.select(names)
    on_list = _on_list(material, done.filter(pl.col("kind") == CALL))
    is_listed = pl.col("customer_id").is_in(on_list.implode()) & pl.col("kind").is_in([OFFER, CALL])
    marked = done.join(
        reached.with_columns(_kept=pl.lit(value=True)), on=names, how="left", maintain_order="left"
    )
    return marked.filter(pl.col("_kept").fill_null(value=False) | is_listed).drop("_kept")


def _figures(material: Material, done: pl.DataFrame, chosen: Chosen | None) -> dict[str, Any]:
    """Return budgets, what was spent of them and what stands in the way of the others, for people."""
    config = material.config
    budgets = {"survey": config.surveys.budget, OFFER: config.offers.budget}
    made = chosen_of(done)
    told = ["kind", "decision", "reason_code"]
    counted = once_each(done).group_by(told).agg(n=pl.col("customer_id").n_unique()).sort(told)
    spent = {name: float(made.filter(pl.col("purpose") == name)["cost"].sum()) for name in budgets}
    by_channel = made.group_by("channel").len("n").sort("channel")
    expected = made.filter(pl.col("kind") == OFFER)["value"].sum()
    return {
        "budget": budgets,
        "spent": spent,
        "n_by_channel": dict(by_channel.iter_rows()),
        "capacity": dict(material.rules.capacity),
        "counts": [dict(row) for row in counted.iter_rows(named=True)],
        "expected_net_value": float(expected),
        "bound": None if chosen is None else chosen.bound,
    }


def _on_trial(material: Material, offer: OfferEffect) -> str:
    stands = offer.trial
    odds = f"it keeps somebody with a probability of {_percent(offer.works)}"
    if stands == "refuted":
        return f"; it is made no more: {odds}, below {_percent(1 - SURE)}"
    if stands == "shown" or not has_trials(material):
        return ""
    n = material.tried.get(offer.offer_id, 0)
    were = "was" if n == 1 else "were"
    untold = f"; {n:,} {were} made too lately for the model in use to have learned from" if n else ""
    return f"; it is on trial until {_percent(SURE)}: {odds}{untold}"


def _percent(share: float) -> str:
    """Return a probability that is never quite 0 or 1."""
    return f"{100 * min(max(share, 0.001), 0.999):.3g} %"


def _notes(material: Material, found: Offering | None) -> tuple[str, ...]:
    if found is None:
        return ()
    told = [
        f"the effect of offer {offer.offer_id} is {offer.words}"
        + (f": {offer.reason}" if offer.reason else "")
        + _on_trial(material, offer)
        for offer in found.known
    ]
    if material.config.offers.budget <= 0:
        told.append("[offers] budget is 0: nothing is offered")
    return tuple(told)


def chosen_of(done: pl.DataFrame) -> pl.DataFrame:
    """Return those who are contacted."""
    return done.filter(pl.col("reason_code") == CHOSEN)
