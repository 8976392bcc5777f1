"""Texts with many values become one number each: how often customers with that text leave, told by other customers.

A row never contributes to the rate it is given: rates come from the folds it is not in, and when a fold is held out
to judge, its customers tell nothing either. It refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import Feature, codes, digest_of, matrix

from .folds import Folds
from .rows import Rows

Floats = NDArray[np.float64]

MOST_CODES = 20
"""Texts with more values than this are rated; fewer are coded, which leaves grouping them to the trees (measured, see
docs/benchmarks)."""

FEWEST_NAMED = 5
"""Rows that a text needs for a rate of its own (judgement; it also keeps texts of single customers out of a model)."""

MOST_NAMED = 10_000
"""Texts with a rate of their own at most, the most frequent."""

STIFFEST = 1e6
"""Rows of the average that are mixed into a rate where texts differ by no more than chance makes them."""


@dataclass(frozen=True)
class Design:
    """What a learner reads: features and, per training row, their numbers."""

    features: tuple[Feature, ...]
    encoded: Floats
    """Shape (rows, features), rates of each row from the folds it is not in."""
    rated: tuple[Rated, ...] = ()


@dataclass(frozen=True)
class Rated:
    """One text column: the code of each row (-1 for none), and rows and leavers per fold and code, weighted."""

    position: int
    code: NDArray[np.intp]
    mass: Floats
    leavers: Floats

    def values(self, folds: Folds, held: int | None = None) -> Floats:
        """Return each row's rate from the folds other than its own and ``held``; nan without a text."""
        found = np.full(len(self.code), np.nan)
        for fold in range(len(self.mass)):
            inside = np.flatnonzero((folds == fold) & (self.code >= 0))
            found[inside] = self.rates({fold} if held is None else {fold, held})[self.code[inside]]
        return found

    def rates(self, hidden: Collection[int] = ()) -> Floats:
        """Return the log-odds per code, the last for new texts, from all folds but ``hidden``."""
        seen = [fold for fold in range(len(self.mass)) if fold not in hidden]
        return shrunken_log_odds(self.mass[seen].sum(axis=0), self.leavers[seen].sum(axis=0))


def designed(rows: Rows, features: Sequence[Feature], folds: Folds) -> Design:
    """Return the design of ``rows``, texts with many values rated across ``folds`` (0 to k - 1, customer-disjoint)."""
    wanted = [
        _named(rows, feature)
        if feature.kind == "category" and len(feature.categories) + len(feature.rare) > MOST_CODES
        else feature
        for feature in features
    ]
    rated: list[Rated] = []
    for position, feature in enumerate(wanted):
        if feature is not features[position]:
            found = _rated(rows, feature, position, folds)
            rated.append(found)
            wanted[position] = replace(feature, rates=tuple(found.rates().tolist()))
    encoded = matrix(rows.frame, wanted)
    for column in rated:
        encoded[:, column.position] = column.values(folds)
    return Design(tuple(wanted), encoded, tuple(rated))


def coarser(features: Sequence[Feature], n_most: int = MOST_CODES) -> tuple[Feature, ...]:
    """Return the features with codes for the ``n_most`` most frequent texts only; the others count as rare."""
    return tuple(
        replace(
            feature,
            categories=feature.categories[:n_most],
            rare=tuple(sorted({*feature.rare, *map(digest_of, feature.categories[n_most:])})),
        )
        if feature.is_coded
        else feature
        for feature in features
    )


def shrunken_log_odds(mass: Floats, leavers: Floats) -> Floats:
    """Return log-odds of leaving per text, drawn to the average as far as chance explains the differences.

    Parameters
    ----------
    mass, leavers : shape (k,), weighted rows, and leavers among them, per text.

    Returns
    -------
    ndarray, shape (k + 1,)
        logit (leavers + a m) / (mass + a), with m the mean rate; the last, for texts without rows, is logit m.

    Notes
    -----
    a = m (1 - m) / t - 1 by the method of moments of the beta-binomial (Kleinman, JASA 68, 1973), t the variance
    between texts beyond that of chance: t = (sum n (p - m)^2 - (k - 1) m (1 - m)) / (N - sum n^2 / N). Where t is
    not above 0 nothing is known about single texts and all get nearly the average.

    Examples
    --------
    >>> shrunken_log_odds(np.array([100.0, 100.0]), np.array([20.0, 20.0])).round(4).tolist()
    [-1.377, -1.377, -1.377]
    >>> shrunken_log_odds(np.array([1000.0, 1000.0]), np.array([100.0, 300.0])).round(2).tolist()
    [-2.19, -0.85, -1.39]
    """
    seen = mass > 0
    n, total = mass[seen], float(mass.sum())
    # half a leaver and half a stayer keep a fold without leavers finite
    mean = (float(leavers.sum()) + 0.5) / (total + 1.0)
    chance = mean * (1 - mean)
    beyond = float((n * (leavers[seen] / n - mean) ** 2).sum()) - (len(n) - 1) * chance
    spread = total - float((n**2).sum()) / total if total > 0 else 0.0
    stiffness = STIFFEST
    if beyond > 0 and spread > 0:
        stiffness = min(max(chance * spread / beyond - 1.0, 1.0), STIFFEST)
    rate: Floats = np.append((leavers + stiffness * mean) / (mass + stiffness), mean)
    log_odds: Floats = np.log(rate) - np.log1p(-rate)
    return log_odds


def _named(rows: Rows, feature: Feature) -> Feature:
    """Return the feature with a name for each frequent text and digests of the others."""
    counted = rows.frame[feature.name].cast(str).drop_nulls().value_counts(name="n")
    ordered = counted.sort(["n", feature.name], descending=[True, False])
    is_named = (ordered["n"] >= FEWEST_NAMED).to_numpy() & (np.arange(ordered.height) < MOST_NAMED)
    texts = ordered[feature.name].to_list()
    n_named = int(is_named.sum())
    return replace(
        feature,
        categories=tuple(texts[:n_named]),
        rare=tuple(sorted(digest_of(text) for text in texts[n_named:])),
    )


def _rated(rows: Rows, feature: Feature, position: int, folds: Folds) -> Rated:
    found = codes(rows.frame[feature.name], feature)
    code = np.where(np.isnan(found), -1, found).astype(np.intp)
    known, n_folds = code >= 0, int(folds.max()) + 1
    cell = folds[known].astype(np.intp) * feature.n_codes + code[known]
    weight, left = rows.weight[known], rows.left[known]
    shape, size = (n_folds, feature.n_codes), n_folds * feature.n_codes
    return Rated(
        position,
        code,
        np.bincount(cell, weights=weight, minlength=size).reshape(shape).astype(np.float64),
        np.bincount(cell, weights=weight * left, minlength=size).reshape(shape).astype(np.float64),
    )
