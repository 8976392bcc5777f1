"""What predicted categories are worth on answers that came later; it refuses to know how they were predicted."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.bundle import NPS_CATEGORIES, NpsCategory
from churnrisk.metrics.probability import SMALLEST_PROBABILITY
from churnrisk.metrics.ranked import Ranked
from churnrisk.metrics.ranking import auc_of

from .pair import PLACES
from .rows import NpsRows

Floats = NDArray[np.float64]
Ends = tuple[float | None, float | None, float | None]

GAIN = "log_loss_gained"
"""The figure by which predictions must beat the shares: nats per answer, more than 0 = better."""

NPS_FIGURES: Mapping[str, str] = {
    "log_loss": "mean negative log-likelihood of the category answered, nats per answer",
    "log_loss_of_shares": "the same when everybody is given the shares of the answers learned from",
    GAIN: "the second minus the first, in the same resamples of customers",
    **{
        name: meaning
        for category in NPS_CATEGORIES
        for name, meaning in (
            (f"share_{category}", f"share of {category}s answered, weighted for non-response"),
            (f"expected_{category}", f"mean predicted probability of {category} for the same"),
            (f"observed_over_expected_{category}", "the first over the second, 1 = calibrated in the large"),
            (f"auc_{category}", f"area under the ROC curve of {category}s against all others"),
        )
    },
}
"""Every figure and its meaning."""


def nps_figures(
    tested: NpsRows, predicted: pl.DataFrame, shares: Mapping[NpsCategory, float], *, seed: int
) -> dict[str, Ends]:
    """Return :data:`NPS_FIGURES` of predictions for rows with answers; each with its ends, None where undefined.

    Parameters
    ----------
    tested : rows with answers; weights make those who answered stand for all.
    predicted : detractor, passive and promoter (0 to 1) of each row.
    shares : what everybody would be given without a model.
    seed : of the resamples, which draw customers with all their rows.
    """
    weight, customer = tested.rows.weight, tested.rows.customer.astype(str)
    chances = np.column_stack([predicted[name].to_numpy() for name in NPS_CATEGORIES])
    base = np.array([shares[name] for name in NPS_CATEGORIES])
    model, constant = (
        -np.log(np.maximum(found, SMALLEST_PROBABILITY))
        for found in (chances[np.arange(len(chances)), tested.category], base[tested.category])
    )
    outcome = {name: (tested.category == PLACES[name]).astype(np.float64) for name in NPS_CATEGORIES}
    means = np.column_stack([model, constant, constant - model, *outcome.values(), chances])
    ranked = [Ranked(outcome[name], predicted[name].to_numpy()) for name in NPS_CATEGORIES]

    def drawn(w: Floats) -> Floats:
        return np.concatenate([w @ means / w.sum(), [auc_of(each.curve(w)) for each in ranked]])

    value, resamples = metrics.resampled(drawn, weight, customer=customer, seed=seed)
    low, high = metrics.percentile_ends(value, resamples)
    names = [
        "log_loss",
        "log_loss_of_shares",
        GAIN,
        *(f"{kind}_{name}" for kind in ("share", "expected", "auc") for name in NPS_CATEGORIES),
    ]
    found = {name: _ends(*each) for name, *each in zip(names, value, low, high, strict=True)}
    for name in NPS_CATEGORIES:
        ratio = metrics.observed_over_expected(
            outcome[name], predicted[name].to_numpy(), weight, customer=customer
        )
        found[f"observed_over_expected_{name}"] = _ends(ratio.value, ratio.low, ratio.high)
    return {name: found[name] for name in NPS_FIGURES}


def _ends(value: float, low: float, high: float) -> Ends:
    one, two, three = (float(each) if math.isfinite(each) else None for each in (value, low, high))
    return one, two, three
