"""Offers that have not shown yet that they keep anybody: how many are made a night, and who is left without by lot.

It decides which offers are on trial and the lot among those picked for one; who is picked is for ``choosing``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..bundle.effects import sample_size
from ..ledger.arms import COMMUNITY
from ..ledger.holdouts import draws
from .material import Material
from .offering import Offering

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

TRIAL = "trial"
"""Kind of hold-out: of one night and the offer that somebody was picked for."""


@dataclass(frozen=True, eq=False)
class Trial:
    """Which offers are on trial, how many may be picked for each, and with what chance those picked get nothing.

    ``is_on``: shape (o,). ``chance``: over and above the campaign's own controls. ``places``: place of the offer in the
    catalogue -> customers.
    """

    is_on: Flags
    chance: float = 0.0
    places: Mapping[int, int] = field(default_factory=dict)

    @property
    def made(self) -> Floats:
        """Share of those picked for each offer who are made it, campaign controls apart; shape (o,)."""
        return np.where(self.is_on, 1.0 - self.chance, 1.0)

    def left(self, picked: Ints, lot: Floats) -> tuple[Flags, Floats]:
        """Leave out by lot exactly ``chance`` of those picked for each offer, rounded up.

        Parameters
        ----------
        picked : shape (n,), the offer on trial that each takes part in, -1: none.
        lot : uniform, shape (n,).

        Returns
        -------
        flags, array
            Shape (n,): who is left without. Shape (o,): with which chance, of those picked for each offer.
        """
        is_left = np.zeros(picked.size, dtype=np.bool_)
        chance = np.zeros(self.is_on.size)
        for place in np.flatnonzero(self.is_on).tolist():
            mine = np.flatnonzero(picked == place)
            if mine.size < 2 or self.chance <= 0:  # noqa: PLR2004 - one alone is made the offer: else nobody ever
                continue
            n_left = math.ceil(round(self.chance * mine.size, 9))
            is_left[mine[np.argsort(lot[mine], kind="stable")[:n_left]]] = True
            chance[place] = n_left / mine.size
        return is_left, chance

    def full(self, choice: Ints) -> Flags:
        """Return which offers have no place left when ``choice``, shape (n,), is made; shape (o,)."""
        picked = np.bincount(choice[choice >= 0], minlength=self.is_on.size)
        return np.array(
            [n >= self.places.get(place, np.inf) for place, n in enumerate(picked)], dtype=np.bool_
        )

    def of(self, choice: Ints) -> Flags:
        """Return who of ``choice``, shape (n,), was picked for an offer on trial."""
        return np.asarray((choice >= 0) & self.is_on[np.maximum(choice, 0)])


def has_trials(material: Material) -> bool:
    """Return whether offers are tried at all: where no training can tell what they do, a trial would never end."""
    return material.config.offers.trial and material.config.churn.kind == "cancelled"


def trial_of(material: Material, found: Offering, is_option: Flags, stretch: float) -> Trial:
    """Return what is on trial tonight: offers whose own treatments have neither shown that they keep anybody nor
    refuted it (`bundle.effects.OfferEffect.trial`).

    Parameters
    ----------
    is_option : shape (n, o), what may be made to whom.
    stretch : customers picked for each one whom the campaign and the permanent hold-out leave in.

    Notes
    -----
    So many are picked that those made it cost ``trial_share`` of the budget, in the mean of its most valuable options,
    and one at least: what is too dear is still tried. Of those whose outcome is not known yet there are never more than
    `bundle.effects.sample_size` tells for their risk, whatever the size of the base. Half of those picked are left
    without (``trial_control_share``): an effect then shows with the fewest customers. Where whole communities are drawn
    (``unit``) they stay whole, and only numbers are bounded.
    """
    settings = material.config.offers
    ours = material.control_share
    further = 0.0 if settings.unit == COMMUNITY else (settings.trial_control_share - ours) / (1.0 - ours)
    chance = max(0.0, further)
    is_open = [each.trial == "open" for each in found.known]
    is_on = np.array(is_open, dtype=np.bool_) & has_trials(material)
    risk = material.people["risk"].to_numpy()
    money = settings.trial_share * settings.budget * stretch
    places = {}
    for place in np.flatnonzero(is_on & is_option.any(axis=0)).tolist():
        mine = np.flatnonzero(is_option[:, place])
        best = mine[np.argsort(-found.worth.net[mine, place], kind="stable")]
        paid = max(1, int((np.cumsum(found.worth.cost[best, place]) <= money).sum()))
        unknown = material.tried.get(found.catalogue.offer_ids[place], 0)
        most = sample_size(float(risk[best[:paid]].mean()), settings.treat_quantile) - unknown
        places[place] = math.ceil(round(max(0.0, min(paid, stretch * most)) / (1.0 - chance), 9))
    return Trial(is_on, chance, places)


@dataclass(frozen=True, eq=False)
class Turns:
    """What each customer may be picked for tonight: one offer on trial, or those that are not on trial, by lot.

    Among offers of which nobody knows what they do the cheapest would be picked for everybody worth most, and beside an
    offer that has shown what it does the others would never be tried on those who matter.
    """

    allowed: Flags
    """Shape (n, o): what was drawn."""
    chance: Floats
    """Shape (n, o): with which each offer may be picked; the same for all that are not on trial."""
    is_trial: Flags
    """Shape (n, o): offers on trial whose turn it may be."""


def turns_of(trial: Trial, value: Floats, places: Mapping[int, int], lot: Floats, tie: Floats) -> Turns:
    """Draw the turn of each customer.

    Parameters
    ----------
    value : shape (n, o), what each offer is worth, nan where it may not be made.
    places : place of the offer in the catalogue -> customers who can be picked, of its trial or its capacity.
    lot : uniform, shape (n,).
    tie : shape (n,), a number of each customer's own that has nothing to do with the lot: who comes first among equals.

    Notes
    -----
    The turns of offers on trial and that of all others together are equally likely. Where another is open, a trial has
    turns with those alone for whom it is worth most, as many as are expected to fill the places that those without
    another leave: whoever found no place would get nothing. They depend on no lot, so every chance is known.
    """
    is_open = ~np.isnan(value)
    room = np.array([places.get(place, np.inf) for place in range(trial.is_on.size)])
    here = is_open & trial.is_on & (room > 0)
    has_other: Flags = np.asarray((is_open & ~trial.is_on).any(axis=1))
    even = 1.0 / np.maximum(here.sum(axis=1) + has_other, 1)
    for place in np.flatnonzero(np.isfinite(room) & here.any(axis=0)).tolist():
        left = room[place] - even[here[:, place] & ~has_other].sum()
        beside = np.flatnonzero(here[:, place] & has_other)
        first = beside[np.lexsort((tie[beside], -value[beside, place]))]
        here[first[np.cumsum(even[first]) > left + even[first] / 2], place] = False
    chance = np.where(here, even[:, None], 0.0)
    drawn = lot[:, None] < np.cumsum(chance, axis=1)
    # a sum of thirds may end just below 1
    is_last = here & (np.cumsum(here, axis=1) == here.sum(axis=1, keepdims=True))
    drawn |= is_last & ~has_other[:, None]
    mine = here & drawn & (np.cumsum(here & drawn, axis=1) == 1)
    others = np.where(has_other, 1.0 - chance.sum(axis=1), 1.0 - here.any(axis=1))
    allowed = np.where(trial.is_on, mine, ~mine.any(axis=1, keepdims=True))
    return Turns(allowed, np.where(trial.is_on, chance, others[:, None]), here)


def turn_lot_of(material: Material) -> Floats:
    """Return a number in [0, 1) per customer, rows as in people: whose turn it is among offers on trial tonight."""
    return _lot(material, "turn")


def lot_of(material: Material) -> Floats:
    """Return a number in [0, 1) per customer, rows as in people: who is left without an offer on trial tonight."""
    return _lot(material, "left")


def _lot(material: Material, what: str) -> Floats:
    name = f"{TRIAL}\x1f{what}\x1f{material.config.offers.campaign}\x1f{material.as_of.day}"
    return draws(material.people["customer_id"], name, material.config.holdout.salt).to_numpy()


def held_out_of(material: Material, left: Flags) -> pl.DataFrame:
    """Return kind, campaign_id, customer_id of those left without, as the contact rules look at hold-outs."""
    campaign = material.config.offers.campaign
    return material.people.filter(pl.Series(left)).select(
        pl.lit(TRIAL).alias("kind"), pl.lit(campaign).alias("campaign_id"), "customer_id"
    )
