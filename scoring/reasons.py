"""Why the model sees a customer as it does: contributions in points of risk, chosen and put into sentences.

It decides which contributions may be told and in which order, and refuses to call them causes. Reasons are for
customers on lists: contributions cost milliseconds a customer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Bundle
from churnrisk.dates import AsOf
from churnrisk.messages import Sentences
from features.catalogue import Catalogue, catalogue
from features.network import FEWEST_TIES, NETWORK_GROUP, is_discreet, rounded_exposure, tells_of_others

Floats = NDArray[np.float64]

N_RAISING = 5
"""Reasons kept that raise the risk, at most. A judgement: a caller reads a handful."""

N_LOWERING = 2
"""Reasons kept that lower it, at most: the table shows what speaks against the risk too."""

N_PER_GROUP = 2
"""Reasons per group of features, at most, so that one story is not told five times. A judgement."""

_CALL_GROUPS = frozenset({"calls", NETWORK_GROUP})
_ANSWER_GROUPS = frozenset({"satisfaction"})
_SHARE = "_exposure_share"
_TOLD_BY_SHARE = ("_exposure_weighted", "_exposure_close_n", "_exposure_paced")
"""Exposures that would give a close tie's end away, and are told by the share of ties."""
_OUTGOING = "_out_"

_KINDS = (
    (re.compile(r"attribute_.+"), ""),
    (re.compile(r"usage_.+"), r"_(last|last_age_days|change|mean_3|trend|max_6|n_above_zero_6)$"),
    (re.compile(r"(event|topic)_.+"), r"_(n_\d+d|days_since)$"),
)
"""Features that hold a name of the user's own, which may end like a variant: what ends them apart from it."""
_VARIANT = re.compile(
    r"_(\d+d|out|in|mutual|n|close_n|share|weighted|paced|ratio|s|mean|max|sum|mean_3|trend|change|last|score|age_days)$"
)
_MEASURE = re.compile(r"^(n|share)_")

_NEAR_ZERO = 1e-6
_HALF_STEP = 1e-3
"""Log-odds on either side for the slope of the risk; the calibrators are smooth or straight at that scale."""


def effects_pp(bundle: Bundle, frame: pl.DataFrame) -> Floats:
    """Return what each feature adds to each customer's risk, in percentage points.

    Contributions phi_k are exact Shapley values (Lundberg et al. 2020, TreeSHAP) of the raw score in log-odds, before
    calibration. The difference between the customer's calibrated risk p and that of the average score, p_base, is
    shared out in proportion: ``effect_k = 100 phi_k (p - p_base) / sum(phi)``. Where the contributions cancel, the
    ratio is its limit, the slope of the risk at the average score. A contribution keeps its sign, since calibrators
    rise strictly; single effects may exceed the difference when others pull the other way.

    Parameters
    ----------
    bundle : Bundle
        The model.
    frame : pl.DataFrame
        n rows with every feature of the model.

    Returns
    -------
    ndarray, shape (n, features)
        Percentage points, features in the order of ``bundle.features``; each row sums to 100 (p - p_base).
    """
    contributions = bundle.contributions(frame, allow_extra=True)
    parts, base = contributions[:, :-1], contributions[:, -1]
    total = parts.sum(axis=1)
    is_still = np.abs(total) < _NEAR_ZERO
    rise = bundle.risk_of_score(base + total) - bundle.risk_of_score(base)
    slope = (bundle.risk_of_score(base + _HALF_STEP) - bundle.risk_of_score(base - _HALF_STEP)) / (
        2 * _HALF_STEP
    )
    ratio = np.where(is_still, slope, rise / np.where(is_still, 1.0, total))
    points: Floats = 100.0 * parts * ratio[:, None]
    return points


def reasons(
    frame: pl.DataFrame,
    bundle: Bundle,
    sentences: Sentences,
    *,
    as_of: AsOf,
    run_id: str,
    consents: pl.DataFrame | None = None,
    known_features: Catalogue | None = None,
) -> pl.DataFrame:
    """Return the published table ``reasons`` for the customers of ``frame``: those that raise the risk first.

    At most five that raise it and two that lower it, at most two per group of features and one per family: of the same
    count over 30 and over 90 days, the one with the larger effect. Left out are: whatever comes from the network unless
    the customer is in contact with five customers or more, of whom, where it speaks of their doings, at least two
    contribute and two do not; calls and network, or survey answers, of customers who do not let them be used. Of what
    others did the share of ties is told, to a twentieth, also where the share of their strength has the effect: one
    strong tie would give its other end away.

    Parameters
    ----------
    frame : pl.DataFrame
        Feature rows of the listed customers.
    bundle : Bundle
        The model.
    sentences : Sentences
        The language.
    as_of, run_id
        The date and the run.
    consents : pl.DataFrame, optional
        customer_id, may_use_calls, may_use_answers; a customer who is not in it is taken to refuse.
        Without the table the feature table alone decides (it holds null for those who refuse).
    known_features : Catalogue, optional
        Units and labels, the user's own features included; the package's own by default.
    """
    allowed = _allowed_groups(frame, consents)
    words = catalogue() if known_features is None else known_features
    described = [_Described.of(feature.name, feature.group, words) for feature in bundle.features]
    rows: list[dict[str, Any]] = []
    for values, effects, groups in zip(
        frame.iter_rows(named=True), effects_pp(bundle, frame), allowed, strict=True
    ):
        told = _told(values, effects, described, groups)
        for position, (found, effect) in enumerate(told, start=1):
            feature = found.as_told(words)
            value = _told_value(feature, values[feature.name])
            rows.append(
                {
                    "as_of": as_of.day,
                    "customer_id": values["customer_id"],
                    "position": position,
                    "feature": feature.name,
                    "value": _value_text(value),
                    "effect_pp": effect,
                    "sentence": sentences.reason(feature.name, value, unit=feature.unit, label=feature.label),
                    "run_id": run_id,
                }
            )
    return pl.DataFrame(rows, schema=_SCHEMA)


_SCHEMA = {
    "as_of": pl.Date,
    "customer_id": pl.String,
    "position": pl.Int64,
    "feature": pl.String,
    "value": pl.String,
    "effect_pp": pl.Float64,
    "sentence": pl.String,
    "run_id": pl.String,
}


@dataclass(frozen=True)
class _Described:
    """A feature with the words of the catalogue; one that it does not know has its name only."""

    name: str
    group: str
    unit: str
    label: str
    family: str

    @classmethod
    def of(cls, name: str, group: str, words: Catalogue) -> _Described:
        entry = words.find(name)
        if entry is None:
            return cls(name, group, "", "", _family(name))
        return cls(name, group or entry.group, entry.unit, entry.label, _family(name))

    @property
    def told_name(self) -> str:
        """The feature by which this one is told."""
        for part in _TOLD_BY_SHARE:
            if part in self.name:
                return self.name.replace(part, _SHARE)
        return self.name

    def as_told(self, words: Catalogue) -> _Described:
        """Return the feature by which this one is told, with its words."""
        return self if self.told_name == self.name else _Described.of(self.told_name, self.group, words)

    @property
    def count_name(self) -> str | None:
        """The feature that counts who contributes to this one; None where nobody counts them."""
        if _SHARE in self.told_name:
            return self.told_name.replace(_SHARE, "_exposure_n")
        return self.name if "_exposure_n" in self.name else None


def _family(name: str) -> str:
    """Return the name without window, direction and measure: features alike in it tell one story.

    n_contacts_30d and n_contacts_90d are ``contacts``; churn_exposure_share_out_7d is ``churn_exposure``.
    """
    for kind, ending in _KINDS:
        if kind.fullmatch(name):
            return re.sub(ending, "", name) if ending else name
    while (shorter := _VARIANT.sub("", name)) != name:
        name = shorter
    return _MEASURE.sub("", name)


def _told(
    values: Mapping[str, Any], effects: Floats, described: list[_Described], groups: frozenset[str] | None
) -> list[tuple[_Described, float]]:
    """Return the reasons of one customer: raising ones by falling effect, then lowering ones likewise."""
    chosen: list[tuple[_Described, float]] = []
    told: Counter[str] = Counter()
    families: set[tuple[str, str]] = set()
    for sign, most in ((1.0, N_RAISING), (-1.0, N_LOWERING)):
        n_chosen = 0
        for k in np.argsort(-sign * effects, kind="stable"):
            feature, effect = described[k], float(effects[k])
            if sign * effect <= 0 or n_chosen == most:
                break
            may_tell = (groups is None or feature.group not in groups) and _is_discreet(feature, values)
            family = (feature.group, feature.family)
            if may_tell and told[feature.group] < N_PER_GROUP and family not in families:
                chosen.append((feature, effect))
                families.add(family)
                told[feature.group] += 1
                n_chosen += 1
    return chosen


def _is_discreet(feature: _Described, values: Mapping[str, Any]) -> bool:
    """Say whether telling this feature cannot point at another customer."""
    if feature.group != NETWORK_GROUP:
        return True
    if not tells_of_others(feature.name, feature.group):
        return (values.get("n_ties") or 0) >= FEWEST_TIES
    if values.get(feature.told_name) is None:
        return False
    among = values.get("n_ties_out" if _OUTGOING in feature.name else "n_ties")
    return feature.count_name is not None and is_discreet(among, values.get(feature.count_name))


def _told_value(feature: _Described, value: Any) -> Any:
    """Return the value as it may be told: shares of others' doings coarse, all else as it is."""
    if value is None or _SHARE not in feature.name or not tells_of_others(feature.name, feature.group):
        return value
    return round(pl.select(rounded_exposure(pl.lit(float(value)))).item(), 2)


def _allowed_groups(frame: pl.DataFrame, consents: pl.DataFrame | None) -> list[frozenset[str] | None]:
    """Return, per row of ``frame``, the groups of features that must not be told; None when nothing is known of it."""
    if consents is None:
        return [None] * frame.height
    found = frame.select("customer_id").join(
        consents.select("customer_id", "may_use_calls", "may_use_answers"),
        on="customer_id",
        how="left",
        maintain_order="left",
    )
    return [
        (frozenset() if may_use_calls else _CALL_GROUPS)
        | (frozenset() if may_use_answers else _ANSWER_GROUPS)
        for _, may_use_calls, may_use_answers in found.iter_rows()
    ]


def _value_text(value: object) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text.removesuffix(".0") if isinstance(value, float) else text
