"""Which offers are worth making to whom tonight: candidates for the contact rules, bought with the budget.

It decides options, their money and, under budget and capacities, one offer per customer; caps, consents and hold-outs
belong to the walk. Controls of the campaign are chosen like everybody else, and left alone by the walk: only so are
they comparable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

from scoring.asking import OfferNumbers
from scoring.offers import (
    Effects,
    Limits,
    NetValue,
    OfferCosts,
    allocation,
    net_value,
    prices_under,
    takes_assumed,
    value_curve,
)
from scoring.offers.exploration import fixed_share, thompson, uniform

from ..bundle.effects import OfferEffect, OfferEffects
from ..config import OfferSettings
from ..ledger.holdouts import draws
from .friends import chosen_together
from .material import Material

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

SEPARATOR = ";"
KIND = PURPOSE = "offer"
CALL = "call"
"""The channel of the team's own list."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The offers that can be made, by offer_id: costs, capacity (None: no limit), channels, causes each answers."""

    offer_ids: tuple[str, ...]
    names: tuple[str, ...]
    costs: OfferCosts
    capacity: tuple[int | None, ...]
    channels: tuple[tuple[str, ...], ...]
    causes: tuple[frozenset[str], ...]
    notes: tuple[str, ...] = ()


def catalogue_of(offers: pl.DataFrame | None, channels: tuple[str, ...]) -> Catalogue:
    """Return the offers whose costs are known; the others are named in a note and never made."""
    empty = np.empty(0)
    if offers is None:
        return Catalogue((), (), OfferCosts(empty, empty), (), (), ())
    is_priced = pl.col("contact_cost").is_not_null() & pl.col("incentive_cost").is_not_null()
    known, unknown = offers.filter(is_priced).sort("offer_id"), offers.filter(~is_priced)
    told = ", ".join(sorted(unknown["offer_id"].to_list()))
    notes = (f"offers without a contact_cost or incentive_cost are not made: {told}",) if told else ()
    return Catalogue(
        tuple(known["offer_id"].to_list()),
        tuple(known["name"].to_list()),
        OfferCosts(
            known["contact_cost"].cast(pl.Float64).to_numpy(),
            known["incentive_cost"].cast(pl.Float64).to_numpy(),
        ),
        tuple(known["capacity"].to_list()),
        tuple(_parts(each) or channels for each in known["channel"].to_list()),
        tuple(frozenset(_parts(each)) for each in known["suits"].to_list()),
        notes,
    )


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(SEPARATOR) if part.strip())


@dataclass(frozen=True, eq=False)
class Offering:
    """What every offer would be worth to every customer tonight, rows as in ``Material.people``.

    ``reasons``: code of why an offer is no option, "" where it is one; shape (n, o).
    """

    catalogue: Catalogue
    known: tuple[OfferEffect, ...]
    worth: NetValue
    effect: Floats
    takes: Floats
    reasons: NDArray[np.str_]
    error: Floats
    """Of each effect, what more treatments would take away (`bundle.effects.EstimatedEffects.error`)."""

    @property
    def is_drawable(self) -> Flags:
        """Which offers a draw may fall on: those open that help and may well be worth it; shape (n, o).

        Were it only those judged worth making, one held for too dear by an assumption would never be made, and the
        assumption never corrected.
        """
        return np.asarray(self.is_option | (self.is_open & (self.effect > 0) & (self.worth.high > 0)))

    @property
    def is_option(self) -> Flags:
        """Which offers may be made and are worth it; shape (n, o)."""
        return np.asarray(self.reasons == "")

    def numbers(self, material: Material) -> OfferNumbers:
        """Return the same as asking needs it: net value is linear in the risk."""
        risk = material.people["risk"].to_numpy()[:, None]
        spilled = material.money("spillover_value")
        shared = np.divide(self.effect, risk, out=np.zeros_like(self.effect), where=risk > 0)
        cost = np.where(self.is_open, self.worth.cost, np.inf)
        return OfferNumbers(
            self.catalogue.offer_ids, material.money("value") + np.nan_to_num(spilled), shared, cost
        )

    @property
    def is_open(self) -> Flags:
        """Which offers may be made at all, worth it or not."""
        return np.isin(self.reasons, ["", "not_worth_it"])


def offering(material: Material, catalogue: Catalogue) -> Offering:
    """Value every offer for every customer, and say why one is no option."""
    people, settings = material.people, material.config.offers
    risk = people["risk"].to_numpy()
    effects = material.effects or OfferEffects((), ())
    found = effects.estimated(material.features, risk, catalogue.offer_ids)
    low, high = found.quantile(settings.treat_quantile), found.quantile(1 - settings.treat_quantile)
    takes = _takes(found.offers, takes_assumed(risk, np.maximum(found.mean, 0.0)))
    spill = tuple(material.money(f"spillover_{end}") for end in ("value", "low", "high"))
    worth = net_value(
        Effects(found.mean, low, high),
        material.money("value"),
        (spill[0], spill[1], spill[2]),
        catalogue.costs,
        takes,
    )
    reasons = _reasons(material, catalogue, worth, settings)
    return Offering(catalogue, found.offers, worth, found.mean, takes, reasons, found.error)


def _takes(known: tuple[OfferEffect, ...], assumed: Floats) -> Floats:
    """Return the chance that an offer is taken: the measured share, the dearest reading where none was recorded."""
    taken = assumed.copy()
    for place, offer in enumerate(known):
        share = offer.takes()
        if share is not None:
            taken[:, place] = share
    return taken


def _reasons(
    material: Material, catalogue: Catalogue, worth: NetValue, settings: OfferSettings
) -> NDArray[np.str_]:
    people = material.people
    shape = worth.net.shape
    is_worth = worth.is_worth & (worth.net > settings.margin)
    unknown = np.isnan(worth.net)
    is_out = np.zeros(shape, dtype=np.bool_)
    for place, (name, causes) in enumerate(zip(catalogue.offer_ids, catalogue.causes, strict=True)):
        if material.eligible is not None and name in material.eligible.columns:
            is_out[:, place] = ~material.eligible[name].fill_null(value=False).to_numpy()
        if causes:
            is_other = people["root_cause"].is_not_null() & ~people["root_cause"].is_in(list(causes))
            is_out[:, place] |= is_other.to_numpy()
    conditions = [is_out, unknown, _without_room(material, catalogue), ~is_worth]
    codes = ["not_eligible", "effect_unknown", "capacity_full", "not_worth_it"]
    return np.select(conditions, codes, default="")


def _without_room(material: Material, catalogue: Catalogue) -> Flags:
    """Say which offers that are made by call alone have no room, as the team's list takes all calls; shape (n, o).

    Whoever is on the list is made the offer by that call. Buying it for others would leave its money unspent.
    """
    is_by_call = np.array([channels == (CALL,) for channels in catalogue.channels], dtype=np.bool_)
    room = material.rules.capacity.get(CALL)
    if room is None or room > len(material.listed):
        return np.zeros((material.people.height, is_by_call.size), dtype=np.bool_)
    is_listed = material.people["customer_id"].is_in(material.listed.implode()).to_numpy()
    return ~is_listed[:, None] & is_by_call[None, :]


@dataclass(frozen=True, eq=False)
class Chosen:
    """One offer per customer (place in the catalogue, -1 = none), with the chance that it was this one.

    ``propensity``: of being assigned this offer by the choice, before the campaign's lot; by Thompson sampling, among
    those who are chosen for some offer. ``is_random``: drawn, not best.
    """

    choice: Ints
    propensity: Floats
    is_random: Flags
    left_alone: Floats
    """Chance that the lot among offers falls on none; 0 where nothing was bought."""
    bound: float
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
    stretch = 1.0 / ((1.0 - material.control_share) * (1.0 - material.config.holdout.share))
    order = np.argsort(_lot(material, "offer-order"), kind="stable")
    limits = limits_of(material, found.catalogue, stretch)
    if not n_offers:
        nobody = np.full(n, -1, dtype=np.int64)
        return Chosen(nobody, np.ones(n), np.zeros(n, dtype=np.bool_), np.zeros(n), 0.0)
    reachable = ~refused[:, None]
    if settings.exploration == "thompson":
        return _sampled(material, found, found.is_drawable & reachable, limits)
    is_option, is_drawable = found.is_option & reachable, found.is_drawable & reachable
    value = np.where(is_option, found.worth.net, np.nan)[order]
    bought = allocation(value, found.worth.cost[order], limits)
    choice = np.full(n, -1, dtype=np.int64)
    choice[order] = bought.choice
    if material.circle is not None and material.circle.counts:
        choice = chosen_together(
            material.circle,
            material.people["customer_id"],
            net=found.worth.net,
            effect=found.effect,
            cost=found.worth.cost,
            is_option=is_option,
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
    rate = drawn.is_random.sum() / max(1, is_chosen.sum())
    alone = np.where(is_chosen, rate / (is_drawable.sum(axis=1) + 1.0), 0.0)
    budget = np.inf if limits.budget is None else limits.budget
    left = budget - _spent(choice, found.worth.cost)
    return Chosen(drawn.choice, drawn.propensity, drawn.is_random, alone, bought.bound, left)


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


def _sampled(material: Material, found: Offering, is_drawable: Flags, limits: Limits) -> Chosen:
    """Let each decision follow a draw of what every offer may be worth after the prices of budget and places.

    The prices are those at which another draw of the same night would be sold out, so that nobody's chance depends on
    the draw that decides. The propensity is that of the offer among those that some offer is made to, which is whom
    effects are measured on.
    """
    people = material.people
    around = np.nan_to_num(material.money("spillover_value"))
    spread = np.maximum(found.error * (material.money("value") + around)[:, None], 1e-9)
    value = np.where(is_drawable, found.worth.net - material.config.offers.margin, np.nan)
    ids, salt = people["customer_id"].to_list(), _salt(material)
    lots = [uniform(ids, f"{salt}\x1fprices|{place}") for place in range(value.shape[1])]
    other = value + spread * ndtri(np.clip(np.column_stack(lots), 1e-12, 1 - 1e-12))
    prices = prices_under(other, found.worth.cost, limits)
    use, _ = limits.rows(value.shape[1])
    reduced = np.where(is_drawable, prices.reduced(value, found.worth.cost, use), -1.0)
    drawn = thompson(reduced, np.where(is_drawable, spread, 1.0), is_drawable, ids, salt=salt)
    among = np.where(drawn.choice >= 0, drawn.propensity / np.maximum(drawn.some, 1e-12), 1.0)
    return Chosen(
        drawn.choice, among, drawn.is_random & (drawn.choice >= 0), np.zeros(len(ids)), prices.bound
    )


def _salt(material: Material) -> str:
    return f"{material.config.holdout.salt}\x1f{material.config.offers.campaign}\x1f{material.as_of.day}"


def limits_of(material: Material, catalogue: Catalogue, stretch: float = 1.0) -> Limits:
    """Return budget and capacities of the night, stretched by those who are chosen and left alone.

    An offer with one channel shares what there is of it; one with several, all limited, has room for the sum of them,
    and the contact rules see to the rest, as they do to what surveys and calls take of a channel.
    """
    room = material.rules.capacity
    per_offer: dict[int, int] = {}
    for place, (most, channels) in enumerate(zip(catalogue.capacity, catalogue.channels, strict=True)):
        rooms = [room[name] for name in channels if name in room]
        ends = [] if most is None else [most]
        if len(channels) > 1 and len(rooms) == len(channels):
            ends.append(sum(rooms))
        if ends:
            per_offer[place] = int(np.ceil(min(ends) * stretch))
    alone = tuple(every[0] if len(every) == 1 else "" for every in catalogue.channels)
    per_channel = {name: int(np.ceil(room[name] * stretch)) for name in sorted({*alone} & {*room})}
    return Limits(material.config.offers.budget * stretch, per_offer, per_channel, alone)


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
    is_dear = found.worth.cost[rows, place] > chosen.left
    for_want_of = pl.Series(np.where(is_dear, "budget_spent", "capacity_full"), dtype=pl.String)
    if material.config.offers.exploration == "thompson":
        for_want_of = pl.repeat("not_drawn", place.size, eager=True, dtype=pl.String)
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


def curve_of(material: Material, found: Offering, refused: Flags) -> pl.DataFrame:
    """Return what other budgets would buy (`scoring.offers.value_curve`)."""
    value = np.where(found.is_option & ~refused[:, None], found.worth.net, np.nan)
    return value_curve(value, found.worth.cost, limits_of(material, found.catalogue))


def rankings(material: Material, found: Offering, customers: pl.Series) -> Iterator[Mapping[str, object]]:
    """Yield every offer of some customers with its money, best first; for those shown, thousands, not for the base."""
    people = material.people.with_row_index("row").filter(pl.col("customer_id").is_in(customers.implode()))
    for row, customer in zip(people["row"].to_list(), people["customer_id"].to_list(), strict=True):
        net = found.worth.net[row]
        for position, place in enumerate(
            np.argsort(-np.nan_to_num(net, nan=-np.inf), kind="stable"), start=1
        ):
            yield {
                "customer_id": customer,
                "position": position,
                "offer_id": found.catalogue.offer_ids[place],
                "effect": _known(found.effect[row, place]),
                "effect_source": found.known[place].verdict,
                "net_value": _known(net[place]),
                "direct_value": _known(found.worth.direct[row, place]),
                "spillover_value": _known(found.worth.spillover[row, place]),
                "cost": _known(found.worth.cost[row, place]),
                "low": _known(found.worth.low[row, place]),
                "high": _known(found.worth.high[row, place]),
                "reason_code": str(found.reasons[row, place]),
            }


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _lot(material: Material, name: str) -> Floats:
    """Return a number in [0, 1) per customer, drawn for this date: the same in every run."""
    salt = material.config.holdout.salt
    return draws(material.people["customer_id"], f"{name}\x1f{material.as_of.day}", salt).to_numpy()
