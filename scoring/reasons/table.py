"""The published table ``reasons``: the strongest inputs as sentences, then what makes them add up to the risk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from churnrisk.bundle import Bundle
from churnrisk.dates import AsOf
from churnrisk.messages import Sentences
from churnrisk.tables.lines import AVERAGE_CUSTOMER, OTHER_INPUTS, SURVEY_ANSWER
from features.catalogue import Catalogue, catalogue

from .choice import N_PER_GROUP, Choice
from .described import Described, described
from .discretion import Booleans, coarse, may_tell, n_own_at_most, told_value
from .effects import Effects, Floats, effects_of

__all__ = ["N_LOWERING", "N_PER_GROUP", "N_RAISING", "Explained", "explained", "reasons"]

N_RAISING = 5
"""Reasons kept that raise the risk, at most. A judgement: a caller reads a handful."""

N_LOWERING = 2
"""Reasons kept that lower it, at most: the table shows what speaks against the risk too."""

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


@dataclass(frozen=True, eq=False)
class Explained:
    """The risk of n customers taken apart, and which features may have and have a line of their own.

    ``told``: places of features per customer, those that raise the risk first. ``points`` as told (coarse where they
    speak of others). ``allowed``: (n, features), what may have a line.
    """

    effects: Effects
    features: tuple[Described, ...]
    points: Floats
    told: tuple[tuple[int, ...], ...]
    allowed: Booleans


def explained(
    frame: pl.DataFrame,
    bundle: Bundle,
    words: Catalogue,
    *,
    consents: pl.DataFrame | None = None,
    scored: pl.DataFrame | None = None,
) -> Explained:
    """Take risks apart and choose what is told; parameters as for `reasons`."""
    features = described(bundle, words)
    effects = effects_of(bundle, frame, scored)
    points = coarse(effects.points, features)
    allowed, own_at_most = may_tell(frame, features, consents), n_own_at_most(features)
    told = []
    for own, may in zip(points, allowed, strict=True):
        choice = Choice(features, own, may, own_at_most)
        choice.take(own, N_RAISING)
        choice.take(-own, N_LOWERING)
        told.append(tuple(choice.chosen))
    return Explained(effects, features, points, tuple(told), allowed)


def reasons(
    frame: pl.DataFrame,
    bundle: Bundle,
    sentences: Sentences,
    *,
    as_of: AsOf,
    run_id: str,
    consents: pl.DataFrame | None = None,
    known_features: Catalogue | None = None,
    scored: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the published table ``reasons`` for the customers of ``frame``; each one's lines add up to the risk.

    First the inputs that raise the risk, at most five, then those that lower it, at most two; at most two per group of
    features and one per family: of the same count over 30 and over 90 days, the one with the larger effect. Then
    "other inputs", whatever has no line of its own; "survey answer" where one changed the risk; and "average customer",
    where all begin. The sum of ``effect_pp`` is 100 times the risk.

    No line of its own has: whatever comes from the network unless the customer is in contact with five customers or
    more, of whom, where it speaks of their doings, at least two contribute and two do not; calls and network, or survey
    answers, of customers who do not let them be used. Of what others did the share of ties is told, to a twentieth,
    also where the share of their strength has the effect: one strong tie would give its other end away.

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
    scored : pl.DataFrame, optional
        The published scores of these customers; by default the model's own risk.
    """
    words = catalogue() if known_features is None else known_features
    found = explained(frame, bundle, words, consents=consents, scored=scored)
    rows = [
        {
            "as_of": as_of.day,
            "customer_id": values["customer_id"],
            "position": position,
            "run_id": run_id,
            **line,
        }
        for row, values in enumerate(frame.iter_rows(named=True))
        for position, line in enumerate(lines_of(found, row, values, sentences, words), start=1)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def lines_of(
    found: Explained, row: int, values: dict[str, Any], sentences: Sentences, words: Catalogue
) -> Iterator[dict[str, Any]]:
    """Yield feature, value, effect_pp and sentence of one customer's lines, which add up."""
    for k in found.told[row]:
        feature = found.features[k].as_told(words)
        value = told_value(feature, values)
        said = sentences.reason(feature.name, value, unit=feature.unit, label=feature.label)
        yield _line(feature.name, value, float(found.points[row, k]), said)
    effects = found.effects
    others = effects.points[row].sum() - sum(found.points[row, k] for k in found.told[row])
    yield _line(OTHER_INPUTS, None, float(others), sentences.line(OTHER_INPUTS))
    if effects.survey[row]:
        yield _line(SURVEY_ANSWER, None, float(effects.survey[row]), sentences.line(SURVEY_ANSWER))
    average = float(effects.average[row])
    yield _line(AVERAGE_CUSTOMER, None, average, sentences.line(AVERAGE_CUSTOMER))


def _line(feature: str, value: object, effect: float, sentence: str) -> dict[str, Any]:
    return {"feature": feature, "value": value_text(value), "effect_pp": effect, "sentence": sentence}


def value_text(value: object) -> str | None:
    """Return a value as the published tables hold it, None for unknown."""
    if value is None:
        return None
    text = str(value)
    return text.removesuffix(".0") if isinstance(value, float) else text
