"""What every offer would be worth to every customer tonight, and why it is no option.

It decides options and their money; who gets one is for ``choosing``, caps, consents and hold-outs for the walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.asking import OfferNumbers
from scoring.offers import Effects, NetValue, OfferCosts, net_value, takes_assumed

from ..bundle.effects import OfferEffect, OfferEffects
from .material import Material

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SEPARATOR = ";"
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
    reasons = _reasons(material, catalogue, found.offers, worth)
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
    material: Material, catalogue: Catalogue, known: tuple[OfferEffect, ...], worth: NetValue
) -> NDArray[np.str_]:
    people, settings = material.people, material.config.offers
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
    refuted = [each.trial == "refuted" for each in known]
    is_refuted = np.broadcast_to(np.array(refuted, dtype=np.bool_), shape)
    conditions = [is_out, unknown, is_refuted, _without_room(material, catalogue), ~is_worth]
    codes = ["not_eligible", "effect_unknown", "effect_not_shown", "capacity_full", "not_worth_it"]
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
