"""Who is made which offer tonight: bought with the budget, with chance having its part; candidates for the rules.

Under budget and capacities it decides one offer per customer; caps, consents and hold-outs belong to the walk. Controls
of the campaign are chosen like everybody else, and left alone by the walk: only so are they comparable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from scoring.offers import Limits, allocation, prices_under
from scoring.offers.exploration import fixed_share, thompson, thompson_chances, uniform

from ..config import OfferSettings
from ..ledger.holdouts import draws
from .friends import chosen_together
from .material import Material
from .offering import CALL, Catalogue, Offering
from .trying import Trial, Turns, lot_of, trial_of, turn_lot_of, turns_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

KIND = PURPOSE = "offer"


@dataclass(frozen=True, eq=False)
class Chosen:
    """One offer per customer (place in the catalogue, -1 = none), with the chance that it was this one.

    Whoever is picked for an offer on trial may be left without it by its lot (``trying``); ``choice`` holds it all the
    same.

    ``propensity``: of being made this offer, before the campaign's lot; by Thompson sampling, among those who are
    chosen for some offer. ``is_random``: drawn, not best.
    """

    choice: Ints
    propensity: Floats
    is_random: Flags
    left_alone: Floats
    """Chance that the lot among offers falls on none, or that of a trial; 0 where nothing was bought."""
    is_full: Flags
    """Shape (n, o): offers on trial whose places in it are taken, or in which it was not the customer's turn."""
    is_other_turn: Flags
    """Shape (n, o): offers that are not on trial, where tonight was the turn of one that is."""
    is_called: Flags
    """Shape (n, o): offers on trial that need no call, of customers whom the team calls tonight."""
    trial_chance: Floats
    """Chance with which the lot of its trial leaves those picked for this offer without it; 0 where there is none."""
    is_left: Flags
    """Whom it left without."""
    bound: float = 0.0
    left: float = 0.0
    """Of the budget, stretched, when all are chosen."""


def chosen_offers(material: Material, found: Offering, refused: Flags) -> Chosen:
    """Buy the best offers with the budget, and draw some by lot; or draw all, as ``[offers] exploration`` says.

    Parameters
    ----------
    refused : shape (n,), customers whom no offer can reach tonight (caps, consent, an open question): they get none and
        cost nothing.

    Notes
    -----
    Controls of the campaign and the permanent hold-out are chosen too, and the budget is stretched by their share,
    so that what is spent on the others is the budget: without that, controls would be the customers left over.
    Where what happens around customers is worth much, a set of them is chosen together (``friends``).
    """
    settings = material.config.offers
    n, n_offers = found.effect.shape
    order = np.argsort(_lot(material, "offer-order"), kind="stable")
    if not n_offers:
        nobody, none = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.bool_)
        of_none = none[:, None]
        return Chosen(nobody, np.ones(n), none, np.zeros(n), of_none, of_none, of_none, np.zeros(n), none)
    options = options_of(material, found, refused)
    is_option, is_drawable, trial, limits, is_called = options
    if settings.exploration == "thompson":
        return _sampled(material, found, options)
    net, cost = found.worth.net * trial.made, found.worth.cost * trial.made
    lots = turn_lots_of(material)
    turns = turns_of(trial, np.where(is_option, net, np.nan), limits.per_offer, *lots)
    is_option_tonight = is_option & turns.allowed
    value = np.where(is_option_tonight, net, np.nan)[order]
    bought = allocation(value, cost[order], limits)
    choice = np.full(n, -1, dtype=np.int64)
    choice[order] = bought.choice
    if material.circle is not None and material.circle.counts:
        choice = chosen_together(
            material.circle,
            material.people["customer_id"],
            net=net,
            effect=found.effect,
            cost=cost,
            is_option=is_option_tonight,
            budget=np.inf if limits.budget is None else limits.budget,
            per_offer=dict(limits.per_offer),
        )
    is_chosen = choice >= 0
    drawn = fixed_share(
        choice,
        is_drawable,
        material.people["customer_id"].to_list(),
        salt=_salt(material),
        share=settings.exploration_share,
        pool=is_chosen,
        most=_affordable(is_drawable[is_chosen], found.worth.cost[is_chosen], limits, settings),
    )
    is_in = is_chosen & is_drawable.any(axis=1)
    rate = drawn.is_random.sum() / max(1, is_in.sum())
    alone = np.where(is_in, rate / (is_drawable.sum(axis=1) + 1.0), 0.0)
    budget = np.inf if limits.budget is None else limits.budget
    left = budget - _spent(choice, cost)
    by_rule = np.where(choice >= 0, 1.0 - np.where(is_in, rate, 0.0), 0.0)
    # the rule picked it in its turn, and would have picked any other on trial that pays in that one's
    on_trial = trial.of(drawn.choice) & is_option[np.arange(n), np.maximum(drawn.choice, 0)]
    # in the turn of the others, the best of them
    is_other = is_option & ~trial.is_on
    best = np.where(is_other.any(axis=1), np.where(is_other, net, -np.inf).argmax(axis=1), -1)
    would = np.where(trial.of(choice), best, choice)
    could = on_trial | ((drawn.choice == would) & (drawn.choice >= 0))
    # whom the lot among offers fell on has its chance of none behind them
    picked = np.where(trial.of(drawn.choice) & ~drawn.is_random, drawn.choice, -1)
    is_left, chance = trial.left(picked, lot_of(material))
    its_turn = turns.chance[np.arange(n), np.maximum(drawn.choice, 0)]
    in_turn = np.where(could, by_rule * its_turn * (1.0 - chance[drawn.choice]), 0.0)
    return Chosen(
        drawn.choice,
        drawn.propensity - np.where(drawn.choice == choice, by_rule, 0.0) + in_turn,
        drawn.is_random,
        alone + by_rule * np.where(choice >= 0, chance[choice], 0.0),
        trial.full(choice) | (~turns.allowed & trial.is_on),
        ~turns.allowed & ~trial.is_on,
        is_called,
        np.where(picked >= 0, chance[picked], 0.0),
        is_left,
        bought.bound,
        left,
    )


def stretch_of(material: Material) -> float:
    """Return how many are picked for each one whom the campaign's lot and the permanent hold-out leave in."""
    return 1.0 / ((1.0 - material.control_share) * (1.0 - material.config.holdout.share))


class Options(NamedTuple):
    """What may be made to whom tonight, shape (n, o), by the rule or by a draw; what is on trial; what there is."""

    is_option: Flags
    is_drawable: Flags
    trial: Trial
    limits: Limits
    is_called: Flags
    """Shape (n, o): taken out of the options, as `Chosen` says."""


def options_of(material: Material, found: Offering, refused: Flags) -> Options:
    """Return what the night chooses from; ``refused``: shape (n,), customers whom no offer can reach."""
    reachable, stretch = ~refused[:, None], stretch_of(material)
    is_option, is_drawable = found.is_option & reachable, found.is_drawable & reachable
    trial = trial_of(material, found, is_drawable, stretch)
    is_called = _tried_by_call(material, found.catalogue, trial)
    limits = limits_of(material, found.catalogue, stretch, trial)
    return Options(is_option & ~is_called, is_drawable & ~is_called, trial, limits, is_called)


def _tried_by_call(material: Material, catalogue: Catalogue, trial: Trial) -> Flags:
    """Return whom the team calls anyway, for offers on trial that need no call; shape (n, o).

    To measure a message half of those who need a call most would not be called.
    """
    needs_no_call = np.array([CALL not in channels for channels in catalogue.channels], dtype=np.bool_)
    is_listed = material.people["customer_id"].is_in(material.listed.implode()).to_numpy()
    return np.asarray(is_listed[:, None] & (trial.is_on & needs_no_call))


def _spent(choice: Ints, cost: Floats) -> float:
    made = np.flatnonzero(choice >= 0)
    return float(cost[made, choice[made]].sum())


def _affordable(is_drawable: Flags, cost: Floats, limits: Limits, settings: OfferSettings) -> int | None:
    """Return how many draws are expected to cost no more than the lot's share of the budget; None: any number."""
    if limits.budget is None or not len(cost):
        return None
    each = np.where(is_drawable, cost, 0.0).sum(axis=1) / (is_drawable.sum(axis=1) + 1.0)
    mean = float(each.mean())
    return int(settings.exploration_share * limits.budget / mean) if mean > 0 else None


def _sampled(material: Material, found: Offering, options: Options) -> Chosen:
    """Let each decision follow a draw of what every offer may be worth after the prices of budget and places.

    The prices are those at which another draw of the same night would be sold out, so that nobody's chance depends on
    the draw that decides. The propensity is that of the offer among those that some offer is made to, which is whom
    effects are measured on.
    """
    _, is_drawable, trial, limits, is_called = options
    people = material.people
    around = np.nan_to_num(material.money("spillover_value"))
    spread = np.maximum(found.error * (material.money("value") + around)[:, None] * trial.made, 1e-9)
    value = np.where(is_drawable, (found.worth.net - material.config.offers.margin) * trial.made, np.nan)
    cost = found.worth.cost * trial.made
    ids, salt = people["customer_id"].to_list(), _salt(material)
    lots = [uniform(ids, f"{salt}\x1fprices|{place}") for place in range(value.shape[1])]
    turns = turns_of(trial, value, limits.per_offer, *turn_lots_of(material))
    other = value + spread * ndtri(np.clip(np.column_stack(lots), 1e-12, 1 - 1e-12))
    prices = prices_under(np.where(turns.allowed, other, np.nan), cost, limits)
    use, _ = limits.rows(value.shape[1])
    reduced = np.where(is_drawable, prices.reduced(value, cost, use), -1.0)
    width = np.where(is_drawable, spread, 1.0)
    chances = _over_turns(trial, turns, reduced, width, is_drawable)
    drawn = thompson(reduced, width, is_drawable & turns.allowed, ids, salt=salt, chances=chances)
    is_made = drawn.choice >= 0
    some = np.maximum(drawn.some, 1e-12)
    among = np.where(is_made, drawn.propensity / some, 1.0)
    picked = np.where(trial.of(drawn.choice), drawn.choice, -1)
    is_left, by_offer = trial.left(picked, lot_of(material))
    chance = np.where(picked >= 0, by_offer[picked], 0.0)
    of_any = np.where(is_made, (drawn.chances * by_offer).sum(axis=1) / some, 0.0)
    return Chosen(
        drawn.choice,
        among * (1.0 - chance),
        drawn.is_random & is_made,
        np.minimum(of_any, 1.0),
        trial.full(drawn.choice) | (~turns.allowed & trial.is_on),
        ~turns.allowed & ~trial.is_on,
        is_called,
        chance,
        is_left,
        prices.bound,
    )


def _over_turns(trial: Trial, turns: Turns, mean: Floats, spread: Floats, is_drawable: Flags) -> Floats:
    """Return the probability of each offer by Thompson sampling, over the turns of offers on trial; shape (n, o)."""
    shown = is_drawable & ~trial.is_on
    found = thompson_chances(mean, spread, shown) * turns.chance * ~trial.is_on
    for place in np.flatnonzero(trial.is_on):
        mine = np.zeros_like(is_drawable)
        mine[:, place] = turns.is_trial[:, place]
        found += thompson_chances(mean, spread, mine) * turns.chance
    return found


def _salt(material: Material) -> str:
    return f"{material.config.holdout.salt}\x1f{material.config.offers.campaign}\x1f{material.as_of.day}"


def limits_of(
    material: Material, catalogue: Catalogue, stretch: float = 1.0, trial: Trial | None = None
) -> Limits:
    """Return budget and capacities of the night, stretched by those who are chosen and left alone.

    An offer with one channel shares what there is of it; one with several, all limited, has room for the sum of them,
    and the contact rules see to the rest, as they do to what surveys and calls take of a channel.
    """
    room = material.rules.capacity
    trial = trial or Trial(np.zeros(len(catalogue.offer_ids), dtype=np.bool_))
    per_offer, made = dict(trial.places), trial.made
    for place, (most, channels) in enumerate(zip(catalogue.capacity, catalogue.channels, strict=True)):
        rooms = [room[name] for name in channels if name in room]
        ends = [] if most is None else [most]
        if len(channels) > 1 and len(rooms) == len(channels):
            ends.append(sum(rooms))
        if ends:
            most_here = int(np.ceil(min(ends) * stretch / made[place]))
            per_offer[place] = min(most_here, per_offer.get(place, most_here))
    alone = tuple(every[0] if len(every) == 1 else "" for every in catalogue.channels)
    per_channel = {name: int(np.ceil(room[name] * stretch)) for name in sorted({*alone} & {*room})}
    # of those picked for an offer on trial some are left without, who take no place in a channel
    return Limits(
        material.config.offers.budget * stretch, per_offer, per_channel, alone, tuple(made.tolist())
    )


def offer_candidates(
    material: Material, found: Offering, chosen: Chosen, refused_for: pl.Series
) -> pl.DataFrame:
    """Return the rows for the walk: of each customer the chosen offer, a row per channel; else the best one, refused.

    ``refused_for``: code per customer that the choice heeded already, null: none.
    """
    catalogue = found.catalogue
    if not catalogue.offer_ids:
        return pl.DataFrame()
    net = np.where(np.isnan(found.worth.net), -np.inf, found.worth.net)
    best = net.argmax(axis=1)
    place = np.where(chosen.choice >= 0, chosen.choice, best)
    rows = np.arange(place.size)
    reason = found.reasons[rows, place]
    # drawn to get nothing: in the campaign's own control group for tonight
    drew_none = chosen.is_random & (chosen.choice < 0)
    unbought = (reason == "") & (chosen.choice < 0) & ~drew_none
    by_draw = material.config.offers.exploration == "thompson"
    is_full = np.where(chosen.is_full[rows, place], "trial_full", "not_drawn" if by_draw else "capacity_full")
    is_full = np.where(chosen.is_other_turn[rows, place], "other_turn", is_full)
    is_full = np.where(chosen.is_called[rows, place], "called_instead", is_full)
    # a draw heeds the budget by its price
    is_dear = (found.worth.cost[rows, place] > chosen.left) & (not by_draw)
    wanting = np.where(is_dear, "budget_spent", is_full)
    has_none = _without_places(material, catalogue)[place]
    for_want_of = pl.Series(np.where(has_none, "capacity_full", wanting), dtype=pl.String)
    why_not = pl.Series(reason).replace("", None)
    given = pl.select(
        pl.coalesce(
            refused_for,
            pl.when(pl.Series(chosen.choice >= 0)).then(None).otherwise(why_not),
            pl.when(pl.Series(unbought)).then(for_want_of),
            pl.when(pl.Series(drew_none)).then(pl.lit("drawn_none")),
        ).alias("refused_for")
    )["refused_for"].cast(pl.String)
    frame = pl.DataFrame(
        {
            "row": rows,
            "place": place,
            "kind": pl.repeat(KIND, place.size, eager=True, dtype=pl.String),
            "customer_id": material.people["customer_id"],
            "subject": pl.Series(catalogue.offer_ids, dtype=pl.String).gather(place),
            "purpose": pl.repeat(PURPOSE, place.size, eager=True, dtype=pl.String),
            "value": pl.Series(found.worth.net[rows, place], nan_to_null=True),
            "cost": pl.Series(found.worth.cost[rows, place], nan_to_null=True).fill_null(0.0),
            "campaign_id": pl.repeat(
                material.config.offers.campaign, place.size, eager=True, dtype=pl.String
            ),
            "refused_for": given,
            "propensity": pl.Series(chosen.propensity),
            "is_random": pl.Series(chosen.is_random),
        }
    )
    channels = pl.DataFrame(
        [(number, channel) for number, every in enumerate(catalogue.channels) for channel in every],
        schema={"place": pl.Int64, "channel": pl.String},
        orient="row",
    )
    # whom the team calls tonight, it makes the offer by the call
    called = pl.DataFrame(
        {"customer_id": material.listed, "_called": pl.repeat(CALL, len(material.listed), eager=True)}
    )
    joined = frame.join(called, on="customer_id", how="left", maintain_order="left")
    on_list = joined.filter(pl.col("_called").is_not_null()).with_columns(channel="_called")
    others = joined.filter(pl.col("_called").is_null()).join(
        channels, on="place", how="left", maintain_order="left"
    )
    return (
        pl.concat([on_list, others.select(on_list.columns)]).drop("_called").sort("row", maintain_order=True)
    )


def turn_lots_of(material: Material) -> tuple[Floats, Floats]:
    """Return the lots by which turns are drawn (`trying.turns_of`)."""
    return turn_lot_of(material), _lot(material, "offer-order")


def _without_places(material: Material, catalogue: Catalogue) -> Flags:
    """Return which offers nobody can get tonight, as there is none of them or no room in any channel; shape (o,)."""
    room = material.rules.capacity
    closed = [
        most == 0 or all(room.get(name) == 0 for name in channels)
        for most, channels in zip(catalogue.capacity, catalogue.channels, strict=True)
    ]
    return np.array(closed, dtype=np.bool_)


def _lot(material: Material, name: str) -> Floats:
    """Return a number in [0, 1) per customer, drawn for this date: the same in every run."""
    salt = material.config.holdout.salt
    return draws(material.people["customer_id"], f"{name}\x1f{material.as_of.day}", salt).to_numpy()
