"""What other budgets for offers would buy tonight, by the rule that decides; it decides on nobody.

Offers on trial have more places the more there is to spend, so every budget has trials, turns and places of its own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.offers import Bought, allocation, curve_over, value_curve

from .choosing import Options, limits_of, options_of, stretch_of, turn_lots_of
from .material import Material
from .offering import Offering
from .trying import turns_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POINTS = 10
SMALLEST = 0.25
"""The least budget told, as a share of the one in force (judgement): the curve bends around it."""
LARGEST = 20.0
"""The largest, in the same way: a trial grows a little for as long as there is more to spend."""
UNKNOWN = 0.01
"""The same as a share of the largest, where none is in force."""


def curve_of(material: Material, found: Offering, refused: Flags) -> pl.DataFrame:
    """Return what other budgets would buy, from nothing to what buys all there is, or twenty times that in force.

    Parameters
    ----------
    refused : shape (n,), customers whom no offer can reach tonight.

    Returns
    -------
    polars.DataFrame
        As of `scoring.offers.value_curve`. Of offers on trial what is expected: who is left without has no offer, costs
        nothing and is worth nothing, and so have the controls. Friends and draws by lot are not in it.
    """
    now = options_of(material, found, refused)
    if not now.trial.is_on.any():
        value = np.where(now.is_option, found.worth.net, np.nan)
        return value_curve(value, found.worth.cost, limits_of(material, found.catalogue))
    lots, stretch = turn_lots_of(material), stretch_of(material)

    def bought(budget: float) -> Bought:
        is_option, _, trial, limits, _ = options_of(_with_budget(material, budget), found, refused)
        net, cost = found.worth.net * trial.made, found.worth.cost * trial.made
        turns = turns_of(trial, np.where(is_option, net, np.nan), limits.per_offer, *lots)
        told = allocation(np.where(is_option & turns.allowed, net, np.nan), cost, limits)
        made = trial.made[told.choice[told.choice >= 0]].sum()
        return Bought(told.value / stretch, told.spent / stretch, float(made) / stretch)

    in_force = material.config.offers.budget
    return curve_over(_budgets(in_force, _largest(material, found, now)), bought, in_force=in_force)


def _with_budget(material: Material, budget: float) -> Material:
    config = material.config
    offers = config.offers.model_copy(update={"budget": budget})
    return replace(material, config=config.model_copy(update={"offers": offers}))


def _budgets(in_force: float, largest: float) -> Floats:
    """Return the budgets of the curve: as far apart as they are large, the one in force among them."""
    if largest <= 0:
        return np.array([0.0, in_force])
    smallest = min(SMALLEST * in_force if in_force > 0 else UNKNOWN * largest, largest)
    return np.concatenate(([0.0, in_force], np.geomspace(smallest, largest, POINTS)))


def _largest(material: Material, found: Offering, now: Options) -> float:
    """Return the budget that pays for all there is, so far as it is told: every option, and the trial's share of it."""
    settings = material.config.offers
    ends = [0.0]
    for place, is_tried in enumerate(now.trial.is_on):
        cost = float(np.where(now.is_drawable[:, place], found.worth.cost[:, place], 0.0).sum())
        share = settings.trial_share if is_tried else 1.0
        ends.append(cost / share if share > 0 else 0.0)
    whole = max(ends)
    return min(whole, LARGEST * settings.budget) if settings.budget > 0 else whole
