"""What of a customer may be told, and how exactly: nothing that another customer's doing could be inferred from.

It decides which inputs may have a line of their own. All others stay in the line "other inputs", which never says
which they are; so that the line cannot be read as theirs, inputs of the customer's own stand in it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.network import FEWEST_OF_A_KIND, FEWEST_TIES, NETWORK_GROUP, rounded_exposure

from .described import SHARE, Described
from .effects import Floats

FEWEST_COVERING = 5
"""Inputs of the customer's own that share a line with those that speak of others, at least. A judgement: the number of
ties from which a circle is told."""

TOLD_DECIMALS = 1
"""Decimals of the points of an input that speaks of others: exact ones beside the model would give its exact value."""

_CALL_GROUPS = frozenset({"calls", NETWORK_GROUP})
_ANSWER_GROUPS = frozenset({"satisfaction"})
_OUTGOING = "_out_"

Booleans = NDArray[np.bool_]


def may_tell(
    frame: pl.DataFrame, features: Sequence[Described], consents: pl.DataFrame | None = None
) -> Booleans:
    """Say of each customer and feature whether it may have a line of its own.

    Parameters
    ----------
    frame : pl.DataFrame
        n rows: customer_id, the features and, beside them, the counts of ties.
    features : sequence of Described
        The model's k features.
    consents : pl.DataFrame, optional
        customer_id, may_use_calls, may_use_answers; who is not in it is taken to refuse. Without it nobody refuses.

    Returns
    -------
    ndarray of bool, shape (n, k)
        False for calls and network, or answers, of those who refuse; for whatever comes from the network with fewer
        than five ties; for others' doings unless at least two did it and two did not; for exposures that nobody
        counts.
    """
    allowed = np.ones((frame.height, len(features)), dtype=bool)
    refused = _refused(frame, consents)
    for place, feature in enumerate(features):
        allowed[:, place] &= ~refused.get(feature.group, np.zeros(frame.height, dtype=bool))
        if feature.group == NETWORK_GROUP:
            allowed[:, place] &= _is_discreet(frame, feature)
    return allowed


def n_own_at_most(features: Sequence[Described]) -> int | None:
    """Return how many of the customer's own inputs may have a line, so that the others' line stays covered.

    None: none at all may, nor those that speak of others, as the model has too few to cover them. It depends on the
    model alone, never on the customer: how many lines there are says nothing.
    """
    n_own = sum(not feature.is_of_others for feature in features)
    if n_own == len(features):
        return n_own
    return n_own - FEWEST_COVERING if n_own >= FEWEST_COVERING else None


def coarse(points: Floats, features: Sequence[Described]) -> Floats:
    """Return the points as they may be told: to a tenth of a point where they speak of others."""
    is_of_others = np.array([feature.is_of_others for feature in features], dtype=bool)
    told: Floats = np.where(is_of_others[None, :], np.round(points, TOLD_DECIMALS), points)
    return told


def told_value(feature: Described, values: Mapping[str, Any]) -> Any:
    """Return the value as it may be told: shares of others' doings coarse, all else as it is."""
    value = values[feature.name]
    if value is None or SHARE not in feature.name or not feature.is_of_others:
        return value
    return round(pl.select(rounded_exposure(pl.lit(float(value)))).item(), 2)


def _is_discreet(frame: pl.DataFrame, feature: Described) -> Booleans:
    n_ties = _column(frame, "n_ties")
    has_ties = np.asarray(n_ties >= FEWEST_TIES, dtype=bool)
    if not feature.is_of_others:
        return has_ties
    if feature.count_name is None or feature.told_name not in frame.columns:
        return np.zeros(frame.height, dtype=bool)
    among = _column(frame, "n_ties_out") if _OUTGOING in feature.name else n_ties
    doing = _column(frame, feature.count_name)
    is_known = frame[feature.told_name].is_not_null().to_numpy()
    is_covered = (doing >= FEWEST_OF_A_KIND) & (doing <= among - FEWEST_OF_A_KIND)
    return np.asarray((among >= FEWEST_TIES) & is_covered & is_known, dtype=bool)


def _column(frame: pl.DataFrame, name: str) -> Floats:
    """Return a count, 0 where it is unknown or not there."""
    if name not in frame.columns:
        return np.zeros(frame.height)
    return frame[name].cast(pl.Float64).fill_null(0.0).to_numpy()


def _refused(frame: pl.DataFrame, consents: pl.DataFrame | None) -> dict[str, Booleans]:
    """Return, by group of features, which rows' customers do not let it be used."""
    if consents is None:
        return {}
    found = frame.select("customer_id").join(
        consents.select("customer_id", "may_use_calls", "may_use_answers"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    calls, answers = (
        ~found[name].fill_null(value=False).to_numpy() for name in ("may_use_calls", "may_use_answers")
    )
    return dict.fromkeys(_CALL_GROUPS, calls) | dict.fromkeys(_ANSWER_GROUPS, answers)
