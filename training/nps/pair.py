"""The two calibrated models of the category, by what makes risks; it refuses to know dates and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from churnrisk.bundle import NPS_CATEGORIES, NpsCategory, NpsModel, Provenance

from ..fit import FitSettings, Fitted, fitted_model
from .rows import NpsRows

PLACES: Mapping[NpsCategory, int] = {name: place for place, name in enumerate(NPS_CATEGORIES)}


@dataclass(frozen=True)
class FittedPair:
    """Models of the detractors, and of the promoters among those who are none."""

    detractor: Fitted
    promoter: Fitted

    @property
    def regime(self) -> str:
        """By what the two were learned."""
        told = {
            name: f"{fitted.parameters['learner']}, calibrated by {fitted.parameters['calibrator']}"
            for name, fitted in (("detractors", self.detractor), ("promoters", self.promoter))
        }
        one, other = told.values()
        return one if one == other else "; ".join(f"{name}: {words}" for name, words in told.items())

    def model(self, origin: Provenance) -> NpsModel:
        """Return what predicts."""
        return NpsModel(
            *(
                fitted.bundle(
                    (), replace(origin, churn={"kind": "nps", "category": name}, regime=self.regime)
                )
                for name, fitted in (("detractor", self.detractor), ("promoter", self.promoter))
            )
        )


def fitted_pair(answered: NpsRows, settings: FitSettings) -> FittedPair:
    """Return the two models; raises ModelUnfit where one of the three categories is too rare to be learned.

    One tells detractors from all others, one promoters from passives (nested dichotomies, Frank & Kramer 2004): their
    probabilities cannot contradict each other, and their log losses add up to that of the three.
    """
    others = answered.where(answered.category != PLACES["detractor"])
    others = others.weighted(others.rows.weight)
    return FittedPair(
        fitted_model(answered.against(PLACES["detractor"]), settings),
        fitted_model(others.against(PLACES["promoter"]), settings),
    )


def shares_of(answered: NpsRows) -> dict[NpsCategory, float]:
    """Return the weighted share of each category among the answers."""
    weight = answered.rows.weight
    mass = np.bincount(answered.category, weights=weight, minlength=len(NPS_CATEGORIES)) / weight.sum()
    return {name: float(mass[place]) for name, place in PLACES.items()}
